// Owns the operations that steer the tracking of an import.
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { patchImport } from '../../imports/patch.ts'
import { pollNow } from '../../imports/poll-now.ts'
import { importSchema } from '../../imports/present.ts'
import { getImport } from '../../imports/read.ts'
import { resumeImport, resumeSchema } from '../../imports/resume.ts'
import { stopImport } from '../../imports/stop.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams } from '../parameters.ts'
import { patchImportSchema } from './registration.ts'

interface Deps {
  db: Database
  clock: Clock
  wake: Wake
}

const tag = 'Imports'
const answers = { 200: { description: 'The import.', schema: importSchema } } as const

export function importSteeringOperations(deps: Deps): Operation[] {
  async function answerWith(importId: string) {
    deps.wake(everyKind)
    return answer(200, await getImport(deps, importId))
  }

  return [
    operation({
      id: 'pollImport',
      method: 'post',
      path: '/v1/imports/{id}/poll',
      scope: 'write',
      tag,
      summary: 'Ask the provider now',
      description: 'What the connection allows (a 429, a pause, its limits) still holds.',
      params: idParams,
      answers,
      problems: ['conflict'],
      async handle({ params }) {
        await pollNow(deps, params.id)
        return answerWith(params.id)
      },
    }),

    operation({
      id: 'patchImport',
      method: 'patch',
      path: '/v1/imports/{id}',
      scope: 'write',
      tag,
      summary: 'Change the metadata or the deadline of an import',
      description: 'What is absent stays. No event tells of it; later ones show it.',
      params: idParams,
      body: patchImportSchema,
      answers,
      async handle({ params, body }) {
        await patchImport(deps, params.id, body)
        return answerWith(params.id)
      },
    }),

    operation({
      id: 'stopImport',
      method: 'post',
      path: '/v1/imports/{id}/stop',
      scope: 'write',
      tag,
      summary: 'Stop asking',
      description: 'The provider isn’t told: its job goes on.',
      params: idParams,
      answers,
      problems: ['conflict'],
      async handle({ params }) {
        await stopImport(deps, params.id)
        return answerWith(params.id)
      },
    }),

    operation({
      id: 'resumeImport',
      method: 'post',
      path: '/v1/imports/{id}/resume',
      scope: 'write',
      tag,
      summary: 'Track an import again that is over',
      description:
        'Its deadline starts anew. One that the provider ended has to be forced: what was known of its outcome is null then, and its rows can be read until the new run ends, which replaces them.',
      params: idParams,
      body: resumeSchema.prefault({}),
      answers,
      problems: ['conflict'],
      async handle({ params, body }) {
        await resumeImport(deps, params.id, body)
        return answerWith(params.id)
      },
    }),
  ]
}
