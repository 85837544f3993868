// What was seen of vendors in the field, at each provider that it can happen at: one service tracks all of it at once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpRows } from './edges.ts'
import { outcomeRows } from './outcomes.ts'
import { pageRows } from './pages.ts'
import { play, type Stage } from './play.ts'
import { readingRows } from './readings.ts'
import { refusalRows } from './refusals.ts'
import { timeRows } from './times.ts'

const rows = [...outcomeRows, ...refusalRows, ...pageRows, ...readingRows, ...httpRows, ...timeRows]
const kinds = new Map(rows.map(({ kind }) => [kind, rows.filter((row) => row.kind === kind)]))

let stage: Stage

beforeAll(async () => {
  stage = await play(rows)
})
afterAll(() => stage?.[Symbol.asyncDispose]())

describe.each([...kinds])('%s', (_kind, theirs) => {
  test.each(theirs)('$provider: $title', async (row) => {
    const played = await stage.played(row)
    expect(played.import).toMatchObject(row.expected)
    if (row.told) expect(played.events.filter((type) => !type.startsWith('import.rows_'))).toEqual(row.told)
    await row.check?.(played)
  })
})
