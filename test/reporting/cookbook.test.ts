// docs/cookbook.md answers what it says that it answers. COOKBOOK=write prints the answers into it anew.
import { readFile } from 'node:fs/promises'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrayAsker, ask, readCookbook, writeAnswers } from '../support/cookbook.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { asOf, fillDemoHistory } from '../support/demo-history.ts'

const questions = await readCookbook()
const isWriting = process.env.COOKBOOK === 'write'

let database: TestDatabase
let client: PoolClient

beforeAll(async () => {
  database = await createTestDatabase()
  await fillDemoHistory(database.db)
  client = await database.pool.connect()
  await client.query("SET ROLE reporting_reader; SET timezone = 'UTC'")
})
afterAll(async () => {
  client?.release(true)
  await database?.close()
})

test('there are twenty-three', () => {
  expect(questions.map(({ number }) => number)).toEqual(Array.from({ length: 23 }, (_, index) => index + 1))
})

test.each(['README.md', 'docs/reporting.md'])('the queries of %s run, too', async (name) => {
  const document = await readFile(new URL(`../../${name}`, import.meta.url), 'utf8')
  const queries = [...document.matchAll(/^```sql\n(SELECT .*?)```$/gms)].map(([, query = '']) => query)
  expect(queries.length).toBeGreaterThanOrEqual(1)
  for (const query of queries) await client.query(query)
})

if (isWriting)
  test('the answers are printed anew', async () => {
    const answers = new Map<number, string>()
    for (const question of questions) answers.set(question.number, (await ask(arrayAsker(client), question, asOf)).text)
    await writeAnswers(answers)
  })
else
  test.each(questions)('$number. $title', async (question) => {
    expect((await ask(arrayAsker(client), question, asOf)).text).toBe(question.answer)
  })

test.each([
  { last: 'is lost', state: 'lost', details: 'none' },
  { last: 'is still collected', state: 'partial', details: 'collecting' },
])('19. goes by the run before where the last one $last, and says nothing where there is none', async (changed) => {
  const question = questions.find(({ number }) => number === 19)
  if (!question) throw new Error('question 19 is missing')
  const answer = async (jobId: string) => {
    const query = question.sql.replace('vendors-03-27', jobId)
    const { rows } = await ask(arrayAsker(client), { ...question, sql: query }, asOf)
    return rows.map(([, , lastRun, isSkippedAgain]) => ({ lastRun, isSkippedAgain }))
  }
  const change = `UPDATE imports SET state = $1, details_state = $2 WHERE job_id = 'vendors-03-31'`
  await database.pool.query(change, [changed.state, changed.details])
  try {
    const earlier = await answer('vendors-03-27')
    expect(new Set(earlier.map(({ lastRun }) => lastRun))).toEqual(new Set(['vendors-03-30']))
    expect(new Set(earlier.map(({ isSkippedAgain }) => isSkippedAgain))).toEqual(new Set([true, false]))
    const newest = await answer('vendors-03-30')
    expect(newest).toEqual(Array.from({ length: 36 }, () => ({ lastRun: null, isSkippedAgain: null })))
  } finally {
    await database.pool.query(change, ['succeeded', 'none'])
  }
})
