import { expect, test } from 'vitest'
import { storePage } from '../../src/imports/pages.ts'
import { findRowsRead } from '../../src/imports/rows-read.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()

const failedRow = { recordId: '1', created: null, existing: null, error: { code: 'bad', message: null } }
const goodRow = { recordId: '2', created: null, existing: null, error: null }

/** An import that awaits its rows, some of which are stored. */
async function readingImport(columns: object = {}) {
  const { id: connectionId } = await world.connection()
  const { id } = await world.import({ connectionId, state: 'running', detailsState: 'collecting', ...columns })
  const details = { skippedLines: [], rowResults: [goodRow, failedRow, goodRow], next: 'more' }
  await world.db.transaction((tx) => storePage(tx, { importId: id, page: 0, cursor: '', details }, world.clock.now()))
  return id
}

test('rows that are still being read count only for an import whose time is nearly over', async () => {
  const [early, late, over] = [
    await readingImport(),
    await readingImport(),
    await readingImport({ detailsState: 'complete' }),
  ]
  const found = await findRowsRead(world.db, [early, late, over], new Set([late]))
  expect(found.get(early)).toBeUndefined()
  expect(found.get(late)).toEqual({ rows: 3, failed: 1, error: null, goesOn: true })
  expect(found.get(over)).toEqual({ rows: 3, failed: 1, error: null, goesOn: false })
})
