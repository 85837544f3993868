// Owns the vendors that are files, written as documents: they make the same of the same answers, as far as documents can
// say it. docs/providers.md lists what they can't.
import { describe, expect, it } from 'vitest'
import type { Provider } from '../../src/providers/contract.ts'
import { createDocumentProvider } from '../../src/providers/document/provider.ts'
import { documentSchema } from '../../src/providers/document/read-document.ts'
import { providers } from '../../src/providers/index.ts'
import { cases } from './cases.ts'

const statistics = '/result/statistics'

const documents = {
  cdq: {
    auth: { kind: 'header', name: 'x-api-key', value: '{credentials.apiKey}' },
    errorCode: { first: ['/status/technicalKey', '/status/code'] },
    errorMessage: '/status/details/*/message',
    status: {
      request: { path: '/jobs/importjobs/{job}' },
      state: {
        from: '/status',
        map: {
          ...{ CREATED: 'queued', PERSISTED: 'queued', SCHEDULED: 'queued', WAITING: 'queued', RUNNING: 'running' },
          ...{ FINISHED: 'succeeded', FAILED: 'failed', DIED: 'failed', COULDNT_START: 'failed', CANCELED: 'canceled' },
          ...{ ARCHIVED: 'archived', UNKNOWN: 'unknown' },
        },
        refine: [
          {
            from: 'succeeded',
            to: 'partial',
            when: { any: [{ gt: [`${statistics}/numberOfFailed`, 0] }, { notEmpty: `${statistics}/skipped` }] },
          },
        ],
      },
      rows: {
        inserted: `${statistics}/numberOfInserts`,
        updated: `${statistics}/numberOfUpdates`,
        failed: `${statistics}/numberOfFailed`,
      },
      progress: { percent: '/progress' },
      message: '/statusMessage',
      createdAt: '/createdAt',
      needs: [`${statistics}/numberOfFailed`],
      omit: [`${statistics}/skipped`],
    },
    details: [
      {
        kind: 'pages',
        of: 'skippedLines',
        when: { notEmpty: `${statistics}/skipped` },
        request: { path: '/jobs/importjobs/{job}' },
        page: { kind: 'cursor', next: `${statistics}/skippedNextStartAfter`, param: 'skippedStartAfter' },
        rows: `${statistics}/skipped`,
        row: { line: '/line', column: '/column' },
      },
    ],
  },
  micro: {
    settings: { teamId: {} },
    auth: { kind: 'header', name: 'x-api-key', value: '{credentials.apiKey}' },
    errorCode: { first: ['/error/code', '/code'] },
    errorMessage: { first: ['/error/message', '/message', '/error'] },
    status: {
      request: { path: '/v2/prism/{settings.teamId}/imports/{job}' },
      state: {
        from: '/status',
        map: { processing: 'running', complete: 'succeeded', failed: 'failed' },
        refine: [
          {
            from: 'succeeded',
            to: 'partial',
            when: {
              any: [{ gt: ['/failed', 0] }, { gt: [{ count: '/results', where: { exists: '/error/code' } }, 0] }],
            },
          },
        ],
      },
      rows: { total: '/total', processed: '/processed', succeeded: '/succeeded', failed: '/failed' },
      progress: { fraction: ['/processed', '/total'] },
      message: { first: ['/error/message', '/error/code'] },
      createdAt: '/created_at',
      expiresAt: '/expires_at',
      needs: ['/failed'],
    },
    details: [
      {
        kind: 'inline',
        rows: '/results',
        failedWhen: { exists: '/error/code' },
        row: {
          ...{ recordId: '/id', created: '/created', existing: '/existing' },
          ...{ code: '/error/code', message: '/error/message' },
        },
      },
    ],
  },
  fullstory: {
    settings: { resource: { default: 'events', values: ['events', 'users'] } },
    auth: { kind: 'header', name: 'authorization', value: 'Basic {credentials.apiKey}' },
    errorCode: { first: ['/error/code', '/code'] },
    errorMessage: { first: ['/error/message', '/message'] },
    status: {
      request: { path: '/v2/{settings.resource}/batch/{job}' },
      state: {
        from: '/job/status',
        map: { PROCESSING: 'running', COMPLETED: 'succeeded', FAILED: 'failed' },
        refine: [
          { from: 'failed', to: 'partial', when: { gt: ['/imports', 0] } },
          { from: 'succeeded', to: 'partial', when: { gt: ['/errors', 0] } },
        ],
      },
      rows: { succeeded: '/imports', failed: '/errors' },
      createdAt: '/job/created',
      finishedAt: '/job/finished',
      needs: ['/imports'],
    },
    details: [
      {
        kind: 'pages',
        when: { state: ['partial', 'failed', 'canceled'] },
        request: { path: '/v2/{settings.resource}/batch/{job}/errors' },
        page: { kind: 'cursor', next: '/next_page_token', param: 'page_token' },
        rows: '/results',
        announced: '/total_records',
        row: {
          recordId: { first: ['/user/uid', '/event/user/uid'] },
          ...{ code: '/code', message: '/message', item: { first: ['/event', '/user'] } },
        },
      },
    ],
  },
} as const

describe.each(Object.entries(documents))('%s as a document', (name, parts) => {
  const file = providers[name as keyof typeof documents]
  const known = cases[name as keyof typeof documents]
  const document = documentSchema.parse({
    ...{ format: 1, name: `${name}-document`, title: name, baseUrl: null, credentials: { apiKey: {} } },
    ...parts,
  })
  const own = createDocumentProvider(document) as Provider
  const { credentials, settings } = known

  it('asks the same', () => {
    const job = { jobId: 'abd123=', credentials, settings }
    expect(own.statusRequest(job)).toMatchObject(file.statusRequest(job))
    if (!file.details) return
    for (const cursor of ['', 'next='])
      expect(own.details?.request(job, cursor)).toMatchObject(file.details.request(job, cursor))
  })

  it('makes the same report of the vendor’s example and of one that goes on', () => {
    for (const answer of [known.example, known.running]) {
      const [report, expected] = [own.readStatus(answer).report, file.readStatus(answer).report]
      // micro's file corrects a count of failed rows by the results, which no value can say.
      const rows = name === 'micro' ? { ...expected.rows, failed: report.rows.failed } : expected.rows
      expect(report).toEqual({ ...expected, rows })
    }
  })

  it('knows the same words', () => {
    const words = ['queued', 'RUNNING', 'CREATED', 'FINISHED', 'archived', 'UNKNOWN', 'processing', 'complete']
    for (const word of [...words, 'failed', 'COMPLETED', 'DIED', 'something else', null, ''])
      expect(own.readStatus(known.withStatus(word)).report.state, String(word)).toBe(
        file.readStatus(known.withStatus(word)).report.state,
      )
  })

  it('says what a bare success lacks', () => {
    expect(own.readStatus(known.bareSuccess)).toMatchObject({ report: { state: 'succeeded' } })
    expect(own.readStatus(known.bareSuccess).missing).toMatch(/ is missing\.$/)
  })

  it('reads the same errors', () => {
    for (const { body } of known.errors) expect(own.readError(body)).toEqual(file.readError(body))
  })
})
