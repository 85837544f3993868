// Owns the commands for documents of providers: writing one to begin with, and checking one before it is uploaded.
import { readFile, writeFile } from 'node:fs/promises'
import { fieldErrors, issueText } from '../api/validation.ts'
import { systemClock } from '../base/clock.ts'
import { parseJson } from '../base/json.ts'
import { nameForm, namePattern } from '../providers/document/document.ts'
import { runExamples } from '../providers/document/examples.ts'
import { createDocumentProvider } from '../providers/document/provider.ts'
import { documentSchema } from '../providers/document/read-document.ts'

/** @throws {Error} if the name can't be one, or the file is there already. */
export async function writeNewDocument(name: string): Promise<void> {
  if (!namePattern.test(name)) throw new Error(`The name ${nameForm}.`)
  const file = `${name}.json`
  await writeFile(file, `${JSON.stringify(newDocument(name), null, 2)}\n`, { flag: 'wx' })
  console.log(
    `${file} is written. Change it to what the vendor says, and then run: import-tracker providers check ${file}`,
  )
}

/** Prints each place that is wrong. Returns true if there is none. */
export async function checkDocumentFile(file: string): Promise<boolean> {
  const problems = problemsOf(await readFile(file, 'utf8'))
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) console.log(`${file} is right, and so are its examples.`)
  return problems.length === 0
}

/** Returns a line for each place that is wrong. */
export function problemsOf(text: string): string[] {
  let given: unknown
  try {
    given = parseJson(text)
  } catch (error) {
    return [`It isn't JSON: ${error instanceof Error ? error.message : String(error)}`]
  }
  const { data: document, error } = documentSchema.safeParse(given, { error: issueText })
  if (error) return fieldErrors(error).map(({ field, message }) => `${field || 'The document'} ${message}.`)
  const failed = runExamples(document, createDocumentProvider(document), systemClock.now())
  return failed.map(({ path, message }) => `${path.join('.')} ${message}.`)
}

export function newDocument(name: string) {
  return {
    format: 1,
    name,
    title: name,
    baseUrl: 'https://api.example.com',
    credentials: { apiKey: { title: 'API key', description: 'Where to find it' } },
    auth: { kind: 'bearer', token: '{credentials.apiKey}' },
    errorCode: '/error/code',
    errorMessage: '/error/message',
    status: {
      request: { path: '/v1/imports/{job}' },
      state: {
        from: '/status',
        map: { queued: 'queued', working: 'running', done: 'succeeded', failed: 'failed', canceled: 'canceled' },
        refine: [{ from: 'succeeded', to: 'partial', when: { gt: ['/counts/failed', 0] } }],
      },
      rows: { total: '/counts/total', processed: '/counts/done', failed: '/counts/failed' },
      progress: { fraction: ['/counts/done', '/counts/total'] },
      message: '/message',
      finishedAt: '/finished_at',
      needs: ['/counts/failed'],
    },
    examples: [
      {
        title: 'An answer of the vendor, and what it means',
        answer: {
          body: { status: 'done', counts: { total: 3, done: 3, failed: 1 }, finished_at: '2026-01-31T12:00:00Z' },
        },
        report: { state: 'partial', progress: 1, rows: { total: 3, failed: 1 }, finishedAt: '2026-01-31T12:00:00Z' },
      },
    ],
  }
}
