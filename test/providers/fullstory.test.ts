// Owns what FullStory's answers mean.
import { describe, expect, it } from 'vitest'
import { ZodError } from 'zod'
import type { ReportedState } from '../../src/model/reported-state.ts'
import { firstPage, unknownRows } from '../../src/providers/contract.ts'
import { fullstory } from '../../src/providers/fullstory.ts'
import { fixture } from './cases.ts'

const example = fixture('fullstory-batch') as Record<string, unknown>
const job = (resource?: 'events' | 'users') => ({
  jobId: 'abd123=',
  credentials: { apiKey: 'key' },
  settings: resource ? { resource } : {},
})

describe('a FullStory status', () => {
  it.each<[string, Record<string, unknown>, ReportedState, number | null, string | null]>([
    ['PROCESSING', {}, 'running', null, null],
    ['PROCESSING', { imports: 3 }, 'running', null, null],
    ['PROCESSING', { imports: 3, errors: 2 }, 'running', 2, null],
    ['COMPLETED', { imports: 3 }, 'succeeded', 0, null],
    ['COMPLETED', { imports: 3, errors: '1' }, 'partial', 1, null],
    ['COMPLETED', {}, 'succeeded', null, 'imports is missing.'],
    ['COMPLETED', { errors: 1 }, 'partial', 1, 'imports is missing.'],
    ['FAILED', { imports: 42, errors: 2 }, 'partial', 2, null],
    ['FAILED', { imports: 42 }, 'partial', null, 'errors is missing.'],
    ['FAILED', { imports: 0, errors: 2 }, 'failed', 2, null],
    ['FAILED', { errors: 2 }, 'failed', 2, 'imports is missing.'],
    ['FAILED', {}, 'failed', null, 'imports is missing.'],
    ['CANCELLED', {}, 'unmapped', null, null],
  ])('%s with %j is %s, with %j failed, and lacks %j', (status, counts, state, failed, missing) => {
    const answer = fullstory.readStatus({ ...counts, job: { status } })
    expect(answer.report).toMatchObject({ state, providerStatus: status, rows: { failed } })
    expect(answer.missing).toBe(missing)
  })

  it("has everything that the vendor's example says", () => {
    expect(fullstory.readStatus(example)).toEqual({
      report: {
        state: 'partial',
        providerStatus: 'FAILED',
        message: null,
        progress: null,
        rows: { ...unknownRows, succeeded: 42, failed: 2 },
        createdAt: new Date('2019-04-18T14:36:11.123Z'),
        startedAt: null,
        finishedAt: new Date('2019-04-18T15:36:11.123Z'),
        expiresAt: null,
        body: example,
      },
      missing: null,
      details: { skippedLines: [], rowResults: [], next: firstPage, announced: 2 },
    })
  })

  it('is asked of events, or of users where the settings say so', () => {
    expect(fullstory.statusRequest(job())).toEqual({
      path: '/v2/events/batch/abd123%3D',
      headers: { authorization: 'Basic key' },
    })
    expect(fullstory.statusRequest(job('users')).path).toBe('/v2/users/batch/abd123%3D')
    const { error } = fullstory.settingsSchema.safeParse({ resource: 'sessions' })
    expect(error?.issues[0]).toMatchObject({ path: ['resource'], message: 'must be "events" or "users"' })
  })
})

describe("FullStory's failed items", () => {
  it('are asked for once the job has failures, never while it is processing', () => {
    const detailsOf = (status: string, counts: object = {}) =>
      fullstory.readStatus({ ...counts, job: { status } }).details
    expect(detailsOf('FAILED')?.next).toBe(firstPage)
    expect(detailsOf('COMPLETED', { errors: 1 })?.next).toBe(firstPage)
    expect(detailsOf('COMPLETED')).toBeNull()
    expect(detailsOf('PROCESSING', { errors: 1 })).toBeNull()
  })

  it('are asked for page by page', () => {
    expect(fullstory.details?.request(job('users'), firstPage)).toEqual({
      path: '/v2/users/batch/abd123%3D/errors',
      headers: { authorization: 'Basic key' },
    })
    expect(fullstory.details?.request(job(), 'asd543=')).toMatchObject({
      path: '/v2/events/batch/abd123%3D/errors',
      query: { page_token: 'asd543=' },
    })
  })

  it('are row results, with the item and the uid of its user', () => {
    const user = { uid: 'xyz123', properties: { rewards_status: 'platinum' } }
    const event = { name: 'Order', user: { uid: 'abc\u0000' }, properties: {} }
    const anonymous = { name: 'Order', session: { id: '1:2' } }
    const results = [
      { message: 'The error message', code: 'error_code', user },
      { message: 'Bad event', code: 'bad', event },
      { code: 'bad', event: anonymous },
      { message: 'No item', user: 'odd', event: null },
      null,
    ]
    expect(fullstory.details?.read({ results, total_records: '1200', next_page_token: 'asd543=' }, '')).toEqual({
      skippedLines: [],
      rowResults: [
        {
          recordId: 'xyz123',
          created: null,
          existing: null,
          error: { code: 'error_code', message: 'The error message' },
          item: user,
        },
        {
          recordId: 'abc\ufffd',
          created: null,
          existing: null,
          error: { code: 'bad', message: 'Bad event' },
          item: { ...event, user: { uid: 'abc\ufffd' } },
        },
        { recordId: null, created: null, existing: null, error: { code: 'bad', message: null }, item: anonymous },
        { recordId: null, created: null, existing: null, error: { code: null, message: 'No item' }, item: 'odd' },
        { recordId: null, created: null, existing: null, error: { code: null, message: null } },
      ],
      next: 'asd543=',
      announced: 1_200,
    })
  })

  const emptyPage = { skippedLines: [], rowResults: [], next: null, announced: null }

  it.each([{ results: [] }, { results: [], next_page_token: '' }, { results: [], next_page_token: null }])(
    'end with the page %j',
    (page) => {
      expect(fullstory.details?.read(page, 'asd543=')).toEqual(emptyPage)
    },
  )

  it.each([{}, { next_page_token: null }, { total_records: '0' }])('are none where the first page is %j', (page) => {
    expect(fullstory.details?.read(page, firstPage)).toMatchObject({ rowResults: [], next: null })
    expect(() => fullstory.details?.read(page, 'asd543=')).toThrow(ZodError)
  })

  it.each([{ error: 'upstream timeout' }, { next_page_token: 't' }, { results: null, message: 'no' }, { results: {} }])(
    'are not %j, which is no page of theirs',
    (page) => {
      for (const cursor of [firstPage, 'asd543=']) expect(() => fullstory.details?.read(page, cursor)).toThrow(ZodError)
    },
  )

  it.each([
    ['1200', 1_200],
    [7, 7],
    ['about 7', null],
    ['-1', null],
    [undefined, null],
  ])('are as many as total_records says: %j', (total_records, announced) => {
    expect(fullstory.details?.read({ results: [], total_records }, '')).toMatchObject({ announced })
  })

  it('are as many as the status says', () => {
    const detailsOf = (counts: object) => fullstory.readStatus({ ...counts, job: { status: 'FAILED' } }).details
    expect(detailsOf({ errors: '3' })).toMatchObject({ announced: 3 })
    expect(detailsOf({})).toMatchObject({ announced: null })
  })
})
