// Owns what a script's answers say, and when.
import { describe, expect, test } from 'vitest'
import type { ScriptInput } from '../../src/sandbox/script.ts'
import { ask, openJob, statusPath } from './open.ts'

type Answers = NonNullable<ScriptInput['answers']>
const open = (answers: Answers, script: Partial<ScriptInput> = {}) =>
  openJob([], { provider: 'cdq', skippedLines: 0, ...script, answers })

describe('the last answer that is due is given', () => {
  test('by the number of the request, from 1', async () => {
    const { askJson } = await open([
      { body: 'any' },
      { request: '4-', body: 'from 4' },
      { request: '2-3', body: '2 to 3' },
      { request: 3, body: '3' },
    ])
    const given = []
    for (let request = 0; request < 5; request++) given.push(await askJson())
    expect(given).toEqual(['any', '2 to 3', '3', 'from 4', 'from 4'])
  })

  test('by the time since the first request for the job, of whatever kind', async () => {
    const { askJson, clock, sandbox, job } = await open([
      { on: 'details', body: 'page' },
      { body: 'at first' },
      { afterMs: 3_000, body: 'later' },
    ])
    clock.advance(60_000)
    await askJson({ path: `${statusPath(sandbox, 'cdq', job.jobId)}?skippedStartAfter=x` })
    clock.advance(2_999)
    expect(await askJson()).toBe('at first')
    clock.advance(1)
    expect(await askJson()).toBe('later')
  })

  test('by a part of the URL, as it was sent', async () => {
    const { askJson, sandbox, job } = await open([
      { on: 'details', body: 'another' },
      { on: 'details', url: 'skippedStartAfter=row+20', body: 'form' },
      { on: 'details', url: 'skippedStartAfter=row%2020', body: 'percent' },
    ])
    const page = (cursor: string) => ({ path: `${statusPath(sandbox, 'cdq', job.jobId)}?skippedStartAfter=${cursor}` })
    const given = []
    for (const cursor of ['x', 'row+20', 'row%2020']) given.push(await askJson(page(cursor)))
    expect(given).toEqual(['another', 'form', 'percent'])
    expect(sandbox.requests().at(-1)).toMatchObject({
      url: `/jobs/importjobs/${job.jobId}?skippedStartAfter=row%2020`,
      cursor: 'row 20',
    })
  })

  test('each kind of call counting for itself, and the vendor answering where none is due', async () => {
    const { ask, sandbox, job } = await open([{ on: 'summary', request: 2, status: 418, raw: '' }], {
      provider: 'zilliant',
    })
    const report = { path: `/v1/EntityImport/${job.jobId}/report` }
    const statuses = []
    for (const options of [undefined, report, undefined, report]) statuses.push((await ask(options)).status)
    expect(statuses).toEqual([200, 200, 200, 418])
    expect(sandbox.requests()).toHaveLength(4)
  })
})

describe('an answer without a body', () => {
  test('is the refusal of its status in the own words of the vendor', async () => {
    const { ask } = await open([{ status: 404 }])
    const response = await ask()
    expect([response.status, await response.json()]).toMatchObject([404, { status: { technicalKey: 'NOT_FOUND' } }])
  })

  test('is empty where the vendor has no words for it', async () => {
    const { ask } = await open([{ status: 502 }])
    const response = await ask()
    expect([response.status, await response.text()]).toEqual([502, ''])
  })
})

test('raw text is sent as it is, and says what it is when told to', async () => {
  const raw = '{"progress": NaN, "id": 12345678901234567890}'
  const { ask } = await open([{ raw }, { request: 2, raw: '<html>', headers: { 'Content-Type': 'text/html' } }])
  const first = await ask()
  expect([first.headers.get('content-type'), await first.text()]).toEqual(['application/json', raw])
  const second = await ask()
  expect([second.headers.get('content-type'), await second.text()]).toEqual(['text/html', '<html>'])
})

describe('headers', () => {
  test('replace those that are sent by themselves, or leave them out', async () => {
    const { ask } = await open([
      { headers: { Date: 'Mon, 01 Jan 2001 00:00:00 GMT' }, body: {} },
      { request: 2, headers: { date: null, 'content-type': null }, body: {} },
    ])
    expect((await ask()).headers.get('date')).toBe('Mon, 01 Jan 2001 00:00:00 GMT')
    const { headers } = await ask()
    expect([headers.get('date'), headers.get('content-type')]).toEqual([null, null])
  })

  test('are as many as a list has, each of the size that it says', async () => {
    const { ask } = await open([{ headers: { 'set-cookie': ['a=<x*20>', 'b=<é*2>'] }, body: {} }])
    expect((await ask()).headers.getSetCookie()).toEqual([`a=${'x'.repeat(20)}`, 'b=éé'])
  })
})

describe('a placeholder', () => {
  test.each([
    ['<now>', '2026-03-01T12:00:10.500Z'],
    ['<now+1h>', '2026-03-01T13:00:10.500Z'],
    ['<now-1h+10s>', '2026-03-01T11:00:20.500Z'],
    ['<now+2d-3m-500ms>', '2026-03-03T11:57:10.000Z'],
    ['<created>', '2026-03-01T12:00:00.000Z'],
    ['<created+1h:ms>', String(Date.UTC(2026, 2, 1, 13))],
    ['<now:s>', String(Date.UTC(2026, 2, 1, 12, 0, 10) / 1_000)],
    ['from <now:http> on', 'from Sun, 01 Mar 2026 12:00:10 GMT on'],
    ['<z*3>', 'zzz'],
    ['<html>', '<html>'],
  ])('%s in a body is %s', async (text, expected) => {
    const { askJson, clock } = await open([{ body: { deep: [{ text }] } }])
    clock.advance(10_500)
    expect(await askJson()).toEqual({ deep: [{ text: expected }] })
  })

  test('in a header is an HTTP date, and in raw text whatever stands around it', async () => {
    const { ask } = await open([
      {
        status: 429,
        headers: { date: '<now+1h>', 'retry-after': '<now+1h+10s>' },
        raw: '{"at": <now+1h:ms>}',
      },
    ])
    const response = await ask()
    expect([response.headers.get('date'), response.headers.get('retry-after')]).toEqual([
      'Sun, 01 Mar 2026 13:00:00 GMT',
      'Sun, 01 Mar 2026 13:00:10 GMT',
    ])
    expect(await response.json()).toEqual({ at: Date.UTC(2026, 2, 1, 13) })
  })

  test('<uuid> is another one each time', async () => {
    const { askJson } = await open([{ body: { a: '<uuid>', b: '<uuid>' } }])
    const seen = new Set([...Object.values(await askJson()), ...Object.values(await askJson())])
    expect(seen.size).toBe(4)
    for (const id of seen) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  })
})

test('shuffled keys come in other orders, deep down too, and say the same', async () => {
  const body = { a: 1, b: [{ c: 1, d: 2, e: 3 }], f: { g: null, h: true, i: '' }, j: 2 }
  const { ask } = await open([{ body, shuffled: true }])
  const texts = []
  for (let request = 0; request < 10; request++) texts.push(await (await ask()).text())
  expect(new Set(texts).size).toBeGreaterThan(5)
  for (const text of texts) expect(JSON.parse(text)).toEqual(body)
})

test('a fault acts on a scripted answer, too', async () => {
  const { sandbox } = await open([])
  const job = sandbox.add({
    provider: 'cdq',
    answers: [{ body: { progress: 1 } }],
    faults: [{ kind: 'compressed' }, { kind: 'numbers_as_strings' }],
  })
  const response = await ask(sandbox, job)
  expect([response.headers.get('content-encoding'), await response.json()]).toEqual(['gzip', { progress: '1' }])
})
