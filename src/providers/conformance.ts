// Owns what every provider must do alike, whatever its vendor answers: checked on sample answers, without a server. The
// tests ask it of all providers that come with the service, and `providers check` of a document.
import { ZodError } from 'zod'
import { isTerminal, tellsOutcome } from '../model/reported-state.ts'
import { type AnswerHead, firstPage, type Provider, type StatusAnswer } from './contract.ts'
import { reportedStates } from './document/expressions.ts'
import { isObject } from './fields.ts'
import { fileProblems } from './file-conformance.ts'
import { jobPath, maxJobIdLength } from './job-id.ts'
import { nextPollUrl } from './poll-url.ts'

/** A status answer of the vendor, and where a person finds it. */
export interface Sample {
  path: (string | number)[]
  body: unknown
  head: AnswerHead
}

/** Credentials and settings of the right form. They are sent nowhere. */
export interface SampleAccount {
  credentials: Record<string, string>
  settings: Record<string, unknown>
}

export interface Samples {
  samples: readonly Sample[]
  account: SampleAccount
  /** False: other fields say the state, so that an unknown word of the vendor changes nothing. Absent: true. */
  wordDecides?: boolean
}

export interface ConformanceProblem {
  path: (string | number)[]
  message: string
}

/** Returns what is wrong, one problem of each kind a sample. Costs some milliseconds a sample. */
export function conformanceProblems(
  provider: Provider,
  { samples, account, wordDecides = true }: Samples,
): ConformanceProblem[] {
  const checks = [numbersProblems, ...(wordDecides ? [wordProblems] : []), gapProblems, pollUrlProblems]
  return [
    ...askingProblems(provider, account),
    ...samples.flatMap((sample) => {
      const { problems } = attempt(provider, sample.body, sample.head)
      const further = checks.flatMap((check) => check(provider, sample))
      const ofFiles = fileProblems(provider, sample, account).slice(0, 1)
      return [...(problems.length > 0 ? problems : further), ...ofFiles].map((message) => ({
        path: sample.path,
        message,
      }))
    }),
    ...oddProblems(provider),
    ...pageProblems(provider),
  ]
}

const oddIds = ['abd123=', 'a/b', '../..', 'a?b=c#d', 'ä ö', '%2e%2e']

/** The id reaches the vendor as one thing, and no secret stands where proxies write logs. */
function askingProblems(provider: Provider, { credentials, settings }: SampleAccount): ConformanceProblem[] {
  const { kind, maxLength } = provider.jobId ?? { kind: 'segment', maxLength: maxJobIdLength }
  const baseUrl = provider.defaultBaseUrl ?? 'https://vendor.example'
  const odd = kind === 'segment' ? oddIds : kind === 'path' ? ['a/b=c', 'a b/ä'] : [`${baseUrl}/operations/7?v=1`]
  const longest = kind === 'url' ? `${baseUrl}/`.padEnd(maxLength, '7') : '7'.repeat(maxLength)
  const ids = [...odd, longest]
  const path = ['status', 'request']
  return ids.flatMap((jobId) => {
    const request = provider.statusRequest({ jobId, credentials, settings, baseUrl, token: 'access-token' })
    const problems: ConformanceProblem[] = []
    const written = jobPath(kind, jobId, baseUrl)
    const isThere =
      request.path.includes(written) ||
      Object.values(request.query ?? {}).some((text) => text.includes(jobId)) ||
      (request.body ?? '').includes(JSON.stringify(jobId).slice(1, -1))
    if (!isThere) problems.push({ path, message: `must ask for the job ${JSON.stringify(jobId)}` })
    const url = JSON.stringify([request.path, request.query])
    for (const [name, secret] of Object.entries(credentials))
      if (secret.length > 3 && url.includes(secret))
        problems.push({ path, message: `must not have the credential ${name} in the URL` })
    return problems.slice(0, 1)
  })
}

/** Some vendors write numbers as text at times. */
function numbersProblems(provider: Provider, { body, head }: Sample): string[] {
  const [plain, written] = [attempt(provider, body, head), attempt(provider, mapNumbers(body, String), head)]
  if (!plain.answer || !written.answer) return written.problems
  const same = (answer: StatusAnswer) => JSON.stringify({ ...answer.report, body: null, details: answer.details })
  return same(plain.answer) === same(written.answer) ? [] : ['must mean the same with its numbers written as text']
}

/** A word that the vendor doesn't publish must not pass for a known one. */
function wordProblems(provider: Provider, { body, head }: Sample): string[] {
  const known = attempt(provider, body, head).answer?.report
  const word = known?.providerStatus ?? null
  if (known === undefined || word === null || known.state === 'unmapped') return []
  const { answer } = attempt(provider, replaceWord(body, word, 'SOMETHING_NEW'), head)
  if (answer === null || answer.report.providerStatus !== 'SOMETHING_NEW' || answer.report.state === 'unmapped')
    return []
  return [`must not take the unknown word SOMETHING_NEW for ${answer.report.state}`]
}

/** The credentials go where the next poll goes. */
function pollUrlProblems(provider: Provider, { body, head }: Sample): string[] {
  const baseUrl = provider.defaultBaseUrl ?? 'https://vendor.example'
  const named = attempt(provider, body, head).answer?.pollUrl ?? null
  if (named === null) return []
  const { pollUrlProblem } = nextPollUrl(named, { request: { path: '/job' }, baseUrl })
  return pollUrlProblem === null ? [] : [`must say where the next poll goes. ${pollUrlProblem}`]
}

/** Any field may be absent, null or empty: the answer is then read, or refused as one that isn't of the form. */
function gapProblems(provider: Provider, { body, head }: Sample): string[] {
  for (const path of pathsIn(body).slice(0, 300))
    for (const change of [undefined, null, '', 'bad\u0000\ud800']) {
      const [problem] = attempt(provider, changed(body, path, change), head).problems
      if (problem !== undefined)
        return [
          `with /${path.join('/')} ${change === undefined ? 'absent' : `as ${JSON.stringify(change)}`} ${problem}`,
        ]
    }
  return []
}

const oddBodies: readonly unknown[] = [
  ...[null, true, 7, -1, 'RUNNING', '', [], [null], {}, { constructor: 1 }],
  JSON.parse('{"__proto__": {"status": "done"}}'),
]

function oddProblems(provider: Provider): ConformanceProblem[] {
  const reads: [string, (body: unknown) => unknown][] = [
    ['status', (body) => provider.readStatus(body)],
    ...(provider.details?.lists ?? [provider.details]).map((list): [string, (body: unknown) => unknown] => [
      'details',
      (body) => list?.read(body, firstPage),
    ]),
    ['errorMessage', (body) => provider.readError(body)],
  ]
  return reads.flatMap(([where, read]) => {
    const failed = oddBodies.flatMap((body) => {
      const thrown = thrownBy(() => read(body))
      return thrown === null || thrown instanceof ZodError
        ? []
        : [`fails on ${JSON.stringify(body)}: ${String(thrown)}`]
    })
    return failed.slice(0, 1).map((message) => ({ path: [where], message }))
  })
}

/** What isn't a page must not pass for the last one: rows would be missing, and nobody would know. */
function pageProblems(provider: Provider): ConformanceProblem[] {
  const { details } = provider
  if (!details) return []
  const lists = details.lists ?? [details]
  const passes = [{ error: 'upstream timeout' }, 'page'].some((body) =>
    lists.some((list) => thrownBy(() => list.read(body, firstPage)) === null),
  )
  return passes ? [{ path: ['details'], message: 'must not take an answer without the list for the last page' }] : []
}

function attempt(
  provider: Provider,
  body: unknown,
  head: AnswerHead,
): { answer: StatusAnswer | null; problems: string[] } {
  try {
    const answer = provider.readStatus(body, head)
    return { answer, problems: illFormed(answer) }
  } catch (error) {
    return { answer: null, problems: error instanceof ZodError ? [] : [`fails: ${String(error)}`] }
  }
}

/** What holds of every report, and what Postgres asks of it. */
export function illFormed({ report, missing, details, pollUrl }: StatusAnswer): string[] {
  const { state, progress, rows, createdAt, startedAt, finishedAt, expiresAt } = report
  const counts = Object.entries(rows).filter(
    ([, count]) => count !== null && !(Number.isSafeInteger(count) && count >= 0),
  )
  const times = [createdAt, startedAt, finishedAt, expiresAt].filter((at) => at !== null && Number.isNaN(at.getTime()))
  return [
    ...(reportedStates.includes(state) ? [] : [`has the state ${state}, which doesn’t exist`]),
    ...counts.map(([name, count]) => `has ${count} ${name} rows`),
    ...times.map(() => 'has a time that isn’t one'),
    ...(progress === null || (progress >= 0 && progress <= 1) ? [] : [`has a progress of ${progress}`]),
    ...(details && !isTerminal(state) ? ['has rows before it is over'] : []),
    ...(pollUrl != null && isTerminal(state) ? ['says where the next poll goes though it is over'] : []),
    ...(missing !== null && !tellsOutcome(state) ? ['lacks something before it is over'] : []),
    ...(/\\u0000|\\ud[89a-f]../.test(JSON.stringify([report, details])) ? ['has text that can’t be stored'] : []),
  ]
}

function thrownBy(action: () => unknown): unknown {
  try {
    action()
    return null
  } catch (error) {
    return error
  }
}

function mapNumbers(value: unknown, change: (number: number) => unknown): unknown {
  if (typeof value === 'number') return change(value)
  return mapInner(value, (inner) => mapNumbers(inner, change))
}

function replaceWord(value: unknown, word: string, other: string): unknown {
  if (value === word) return other
  return mapInner(value, (inner) => replaceWord(inner, word, other))
}

function mapInner(value: unknown, change: (inner: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)])) : value
}

function pathsIn(value: unknown, prefix: string[] = []): string[][] {
  if (!isObject(value) && !Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => [[...prefix, key], ...pathsIn(inner, [...prefix, key])])
}

/** The value with another one at the path. Undefined: without it. */
function changed(value: unknown, [key = '', ...rest]: readonly string[], other: unknown): unknown {
  if (Array.isArray(value)) {
    const at = Number(key)
    if (rest.length > 0) return value.map((inner, index) => (index === at ? changed(inner, rest, other) : inner))
    return other === undefined ? value.toSpliced(at, 1) : value.with(at, other)
  }
  if (!isObject(value)) return value
  const { [key]: inner, ...others } = value
  if (rest.length > 0) return { ...value, [key]: changed(inner, rest, other) }
  return other === undefined ? others : { ...value, [key]: other }
}
