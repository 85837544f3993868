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
}, 120_000)
afterAll(async () => {
  client?.release(true)
  await database?.close()
})

test('there are twenty', () => {
  expect(questions.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
})

test('the README’s queries run, too', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const queries = [...readme.matchAll(/^```sql\n(SELECT .*?)```$/gms)].map(([, query = '']) => query)
  expect(queries.length).toBeGreaterThanOrEqual(2)
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
