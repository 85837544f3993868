import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { storableJson } from '../../src/base/storable-text.ts'
import { isPageStored, type PageToStore, storePage } from '../../src/imports/pages.ts'
import { countFailedRows } from '../../src/imports/rows-read.ts'
import { isTerminal } from '../../src/model/reported-state.ts'
import type { DetailPage } from '../../src/providers/contract.ts'
import { fullstory } from '../../src/providers/fullstory.ts'
import { findProvider } from '../../src/providers/index.ts'
import { micro } from '../../src/providers/micro.ts'
import { aPage, aRowResult } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordReport } from './recording.ts'

const world = useWorld()

const store = (page: Omit<PageToStore, 'details'> & { details: DetailPage }) =>
  world.db.transaction((tx) => storePage(tx, page, world.clock.now()))
const isStored = (importId: string, cursor: string) => world.db.transaction((tx) => isPageStored(tx, importId, cursor))

describe('a page', () => {
  test('is its rows, a checkpoint and the counts', async () => {
    const { id: importId } = await world.import()
    const skippedLines = [
      { line: 3, column: 7 },
      { line: null, column: null },
      { line: 9_007_199_254_740_991, column: 1 },
    ]
    expect(await store({ importId, page: 0, cursor: null, details: aPage({ skippedLines, next: 'b' }) })).toBe(true)
    expect(await world.skippedLinesOf(importId)).toEqual(
      skippedLines.map((line, position) => ({ importId, page: 0, position, ...line })),
    )
    expect(await world.pagesOf(importId)).toEqual([
      { importId, page: 0, cursor: null, nextCursor: 'b', skippedLines: 3, rowResults: 0, storedAt: world.clock.now() },
    ])
    expect(await world.importRow(importId)).toMatchObject({ skippedLines: 3, rowResults: 0 })
  })

  test('numbers its row results on from the pages before it', async () => {
    const { id: importId } = await world.import()
    const pages = [['a', 'b', 'c'], [], ['d'], ['e', 'f']]
    for (const [page, ids] of pages.entries())
      await store({ importId, page, cursor: `${page}`, details: aPage({ rowResults: ids.map(aRowResult), next: 'x' }) })
    const rows = await world.rowResultsOf(importId)
    expect(rows.map(({ row, page, recordId }) => [row, page, recordId])).toEqual([
      [0, 0, 'a'],
      [1, 0, 'b'],
      [2, 0, 'c'],
      [3, 2, 'd'],
      [4, 3, 'e'],
      [5, 3, 'f'],
    ])
    expect(await world.importRow(importId)).toMatchObject({ rowResults: 6 })
  })

  test('keeps a row as failed that comes without a reason', async () => {
    const { id: importId } = await world.import()
    const url = 'https://storage.googleapis.com/x/bulk.jsonl'
    const status = { data: { bulkOperation: { type: 'MUTATION', status: 'COMPLETED', url } } }
    const [file] = findProvider('shopify').files?.of(status) ?? []
    const lines = [
      { errors: 'boom' },
      { errors: [{}] },
      { data: { productCreate: { userErrors: [{}] } } },
      { data: {} },
    ]
    const { rowResults } = file?.read(lines.map((line, at) => ({ ...line, __lineNumber: at }))) ?? { rowResults: [] }
    const coded = { ...aRowResult('a'), error: { code: 'bad', message: null } }
    const details = aPage({ rowResults: [...rowResults, coded], next: null })
    expect(await store({ importId, page: 0, cursor: null, details })).toBe(true)
    const stored = await world.rowResultsOf(importId)
    const noReason = [null, 'The provider gives no reason.']
    expect(stored.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
      ...[noReason, noReason, noReason, [null, null]],
      ['bad', null],
    ])
    expect(await countFailedRows(world.db, importId)).toBe(4)
  })

  test('is stored once, whoever brings it again', async () => {
    const { id: importId } = await world.import()
    const page = { importId, page: 0, cursor: 'a', details: aPage({ rowResults: [aRowResult('a')], next: 'b' }) }
    const stored = await Promise.all([store(page), store(page), store(page)])
    expect(stored.filter(Boolean)).toHaveLength(1)
    expect(await store({ ...page, page: 1 })).toBe(false) // the cursor again, under another number
    expect(await world.importRow(importId)).toMatchObject({ rowResults: 1 })
    expect(await world.rowResultsOf(importId)).toHaveLength(1)
  })
})

describe('rows', () => {
  const text = fc.oneof(
    fc.constantFrom(
      '',
      'NULL',
      'null',
      '\\',
      '"',
      '\\"',
      '{}',
      ',',
      "'",
      '\\N',
      '\n',
      '\r\n',
      '\t',
      ' ',
      'é',
      '😀',
      '\u2028',
    ),
    fc.string({ unit: 'grapheme' }),
  )
  const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
  const number = fc.maxSafeInteger()
  const result = fc.record(
    {
      recordId: nullable(text),
      created: nullable(fc.boolean()),
      existing: nullable(fc.boolean()),
      error: nullable(fc.record({ code: nullable(text), message: nullable(text) })),
      line: nullable(number),
      column: nullable(number),
      item: fc.oneof(text, fc.record({ text, lines: fc.array(text) }), fc.constantFrom(null, 0, false, {}, [])),
    },
    { requiredKeys: ['recordId', 'created', 'existing', 'error'] },
  )

  test('are stored as they are, whatever is in them', async () => {
    const storable = fc.record({
      skippedLines: fc.array(fc.record({ line: nullable(number), column: nullable(number) })),
      rowResults: fc.array(result),
    })
    await fc.assert(
      fc.asyncProperty(storable, async (rows) => {
        const { id: importId } = await world.import()
        const details = JSON.parse(JSON.stringify(storableJson(rows))) as typeof rows
        await store({ importId, page: 0, cursor: null, details: aPage(details) })
        const lines = await world.skippedLinesOf(importId)
        expect(lines.map(({ line, column }) => ({ line, column }))).toEqual(details.skippedLines)
        const { rows: results } = await world.database.pool.query(
          `SELECT row::int, record_id, created, existing, error_code, error_message, item, line::float8, "column"::float8 FROM row_results
           WHERE import_id = $1 ORDER BY row`,
          [importId],
        )
        expect(results).toEqual(
          details.rowResults.map(
            ({ recordId, created, existing, error, item = null, line = null, column = null }, row) => ({
              ...{ row, record_id: recordId, created, existing, item, line, column },
              error_code: error?.code ?? null,
              error_message: error && (error.message ?? (error.code === null ? 'The provider gives no reason.' : null)),
            }),
          ),
        )
      }),
      { numRuns: 60 },
    )
  })
})

describe('a cursor', () => {
  test('of kilobytes is a cursor like any other', async () => {
    const { id: importId } = await world.import()
    const cursors = [0, 1].map(() => randomBytes(48_000).toString('base64'))
    for (const [page, cursor] of cursors.entries())
      expect(await store({ importId, page, cursor, details: aPage({ next: cursors[page + 1] ?? null }) })).toBe(true)
    for (const cursor of cursors) expect(await isStored(importId, cursor)).toBe(true)
    expect(await isStored(importId, `${cursors[0]}x`)).toBe(false)
    expect((await world.pagesOf(importId)).map(({ cursor }) => cursor)).toEqual(cursors)
  })

  test('of another import says nothing of this one', async () => {
    const [one, other] = [await world.import(), await world.import()]
    await store({ importId: one.id, page: 0, cursor: 'a', details: aPage({}) })
    expect(await isStored(other.id, 'a')).toBe(false)
    expect(await store({ importId: other.id, page: 0, cursor: 'a', details: aPage({}) })).toBe(true)
  })
})

describe('what no database can store', () => {
  test('in an answer of micro.so is replaced, and the rest is kept', async () => {
    const row = await world.import()
    const answer = micro.readStatus({
      status: 'complete',
      total: 1,
      failed: 1,
      error: { code: 'a\0b', message: 'half \ud800 a pair' },
      results: [{ id: '\0\udc00', created: true, error: { code: '\0', message: '\ud83d' } }],
      'odd\0key': { nested: ['\0', '\udfff'] },
    })
    expect(isTerminal(answer.report.state)).toBe(true)
    await recordReport(world.db, { ...(await world.changed(row, answer.report)), answer })
    expect(await world.importRow(row.id)).toMatchObject({ state: 'partial', message: 'half \ufffd a pair' })
    expect(await world.rowResultsOf(row.id)).toMatchObject([
      { recordId: '\ufffd\ufffd', errorCode: '\ufffd', errorMessage: '\ufffd' },
    ])
    expect((await world.snapshotsOf(row.id))[0]?.body).toMatchObject({
      'odd\ufffdkey': { nested: ['\ufffd', '\ufffd'] },
    })
  })

  test('in an item that FullStory repeats is replaced', async () => {
    const { id: importId } = await world.import()
    const page = fullstory.details?.read(
      {
        results: [{ message: 'a\0', code: 'c\ud800', event: { '\0': '\udc00', properties: [{ deep: 'x\0y' }] } }],
        total_records: '1',
      },
      '',
    )
    if (!page) throw new Error('FullStory has pages')
    await store({ importId, page: 0, cursor: '', details: page })
    const [result] = await world.rowResultsOf(importId)
    expect(result).toMatchObject({ errorMessage: 'a\ufffd', errorCode: 'c\ufffd' })
    expect(JSON.stringify(result?.item)).toContain('x\ufffdy')
  })
})
