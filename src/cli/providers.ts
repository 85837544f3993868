// Owns the commands for documents of providers: writing one to begin with, and checking one before it is uploaded.
import { readFile, writeFile } from 'node:fs/promises'
import { systemClock } from '../base/clock.ts'
import { parseJson } from '../base/json.ts'
import { checkWholeDocument } from '../providers/document/check-document.ts'
import { nameForm, namePattern } from '../providers/document/document.ts'
import { isProviderName } from '../providers/index.ts'

/** @throws {Error} if the name can't be one, or the file is there already. */
export async function writeNewDocument(name: string): Promise<void> {
  if (!namePattern.test(name)) throw new Error(`The name ${nameForm}.`)
  if (isProviderName(name)) throw new Error(`The name ${reserved(name)}.`)
  const file = `${name}.json`
  try {
    await writeFile(file, `${JSON.stringify(newDocument(name), null, 2)}\n`, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${file} is there already, and stays as it is. Choose another name, or another directory.`)
  }
  console.log(
    `${file} is written. Change it to what the vendor says, and then run: import-tracker providers check ${file}`,
  )
}

/** Prints each place that is wrong, and what no example shows. Returns true if nothing is wrong. */
export async function checkDocumentFile(file: string): Promise<boolean> {
  const { problems, hints, hasExamples } = checkText(await readDocument(file))
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) return false
  console.log(hasExamples ? `${file} is right, and so are its examples.` : `${file} is right, but has no examples.`)
  for (const hint of hints) console.log(hint)
  return true
}

async function readDocument(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EISDIR') throw new Error(`${file} is a directory: name the file of a document.`)
    if (code === 'ENOENT') throw new Error(`There is no file ${file}.`)
    throw error
  }
}

/** Returns a line for each place that is wrong. */
export function problemsOf(text: string): string[] {
  return checkText(text).problems
}

function checkText(text: string): { problems: string[]; hints: string[]; hasExamples: boolean } {
  let given: unknown
  try {
    given = parseJson(text.replace(/^\uFEFF/, '')) // some editors begin a file with it
  } catch (error) {
    const problem = `It isn't JSON: ${error instanceof Error ? error.message : String(error)}`
    return { problems: [problem], hints: [], hasExamples: false }
  }
  const { problems, hints } = checkWholeDocument(given, systemClock.now())
  const told = problems.map(({ field, message }) => `${field || 'The document'} ${message}.`)
  const name = typeof given === 'object' && given !== null && 'name' in given ? given.name : null
  if (typeof name === 'string' && isProviderName(name)) told.push(`name ${reserved(name)}.`)
  const { examples } = given as { examples?: unknown[] }
  return { problems: told, hints, hasExamples: examples !== undefined && examples.length > 0 }
}

/** A service refuses to store a document of such a name. */
function reserved(name: string): string {
  return `must be another: ${name} is a part of the service`
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
