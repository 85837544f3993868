// Owns the operations that steer the tracking of imports, one or many.
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { requireProvider } from '../../catalog/documents.ts'
import type { Database } from '../../db/client.ts'
import { actionResultSchema, actions, actOnImports, maxTaken } from '../../imports/act.ts'
import { patchImport } from '../../imports/patch.ts'
import { pollNow } from '../../imports/poll-now.ts'
import { importSchema } from '../../imports/present.ts'
import { getImport } from '../../imports/read.ts'
import { resumeImport, resumeSchema } from '../../imports/resume.ts'
import { stopImport } from '../../imports/stop.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { importFilterSchema } from '../import-query.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams } from '../parameters.ts'
import { patchImportSchema } from './registration.ts'

interface Deps {
  db: Database
  clock: Clock
  wake: Wake
}

const tag = 'Imports'

const importActionSchema = z
  .strictObject({
    filter: importFilterSchema,
    action: z.enum(actions),
    dryRun: z.boolean().default(false).describe('Only counts them.'),
  })
  .meta({ id: 'ImportAction' })

const answers = { 200: { description: 'The import.', schema: importSchema } } as const

export function importSteeringOperations(deps: Deps): Operation[] {
  async function answerWith(importId: string) {
    deps.wake(everyKind)
    return answer(200, await getImport(deps, importId))
  }

  return [
    operation({
      id: 'actOnImports',
      method: 'post',
      path: '/v1/imports/actions',
      scope: 'write',
      tag,
      summary: 'Poll, stop or resume all imports of a filter',
      description: `Takes up to ${maxTaken} imports, first those that the action is for: live ones to poll or stop, lost and stopped ones to resume. A dry run only counts.`,
      body: importActionSchema,
      answers: { 200: { description: 'What came of it.', schema: actionResultSchema } },
      async handle({ body: { filter, action, dryRun }, principal }) {
        await requireProvider(deps.db, filter.provider, 'filter.provider')
        const result = await actOnImports({ ...deps, by: principal }, { filter, action, dryRun })
        if (result.done > 0) deps.wake(everyKind)
        return answer(200, result)
      },
    }),

    operation({
      id: 'pollImport',
      method: 'post',
      path: '/v1/imports/{id}/poll',
      scope: 'write',
      tag,
      summary: 'Poll the provider now',
      description: 'The connection’s waits and limits (a 429, a pause, its budget) still hold.',
      params: idParams,
      answers,
      problems: ['conflict'],
      async handle({ params, principal }) {
        await pollNow({ ...deps, by: principal }, params.id)
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
      description: 'Absent fields stay. No event reports the change, but later events show it.',
      params: idParams,
      body: patchImportSchema,
      answers,
      async handle({ params, body, principal }) {
        await patchImport({ ...deps, by: principal }, params.id, body)
        return answerWith(params.id)
      },
    }),

    operation({
      id: 'stopImport',
      method: 'post',
      path: '/v1/imports/{id}/stop',
      scope: 'write',
      tag,
      summary: 'Stop polling an import',
      description: 'The provider isn’t told, and its job goes on.',
      params: idParams,
      answers,
      problems: ['conflict'],
      async handle({ params, principal }) {
        await stopImport({ ...deps, by: principal }, params.id)
        return answerWith(params.id)
      },
    }),

    operation({
      id: 'resumeImport',
      method: 'post',
      path: '/v1/imports/{id}/resume',
      scope: 'write',
      tag,
      summary: 'Resume an import that is over',
      description:
        'Its deadline starts again. If the provider ended the import, the resume has to be forced. Then its known outcome is reset to null. Its rows can be read until the new run ends and replaces them.',
      params: idParams,
      body: resumeSchema.prefault({}),
      answers,
      problems: ['conflict'],
      async handle({ params, body, principal }) {
        await resumeImport({ ...deps, by: principal }, params.id, body)
        return answerWith(params.id)
      },
    }),
  ]
}
