// Owns the two questions to a provider: the status of a job, and its failed rows.

import type { Response } from '../egress/body.ts'
import { isTerminal } from '../model/reported-state.ts'
import { type Answer, type ProviderClient, pathBelow } from './client.ts'
import type {
  AnswerHead,
  DetailPage,
  FileSource,
  Job,
  Provider,
  ProviderRequest,
  RefusedToken,
  StatusAnswer,
  Token,
  TokenRequest,
} from './contract.ts'
import { ProviderError, withoutBody } from './error.ts'
import { isObject, readText } from './fields.ts'
import { fileUrl } from './files/file-url.ts'
import { jobIdProblem, urlPathBelow } from './job-id.ts'
import { nextPollUrl } from './poll-url.ts'

/** Where to ask, and with which credentials. */
export interface AskTarget {
  baseUrl: string
  /** Null: no key decrypts them. */
  credentials: unknown
  settings: unknown
  /** Keeps the access tokens of the connection. Absent: its provider can't be asked where it needs one. */
  tokens?: TokenKeeper
  /** Called with each request that is sent. */
  onRequest?: () => void
  /** Called before a request that nobody could foresee: for a token, or again with a new one. */
  onUnforeseen?: () => Promise<void>
}

/** An access token, and where requests with it go to. Null: to the connection's base URL. */
export type Access = Pick<Token, 'accessToken' | 'baseUrl'>

export interface TokenOptions {
  /** How to get a token, but for what the connection says. One that was got in another way is none. */
  grant: string
  /** The refresh token of the credentials, which a later one may have replaced. Null: there is none. */
  first: string | null
  /** The token that the provider refused. Null: none. */
  refused: string | null
  signal: AbortSignal
}

export interface TokenKeeper {
  /**
   * Returns an access token that works, other than the refused one. Gets a new one by `get` if there is none. At most
   * one caller of all processes gets one at a time, and what was asked for is waited for: a refresh token that came
   * with it must not be lost, even if the rest of its answer is refused.
   * @throws {ProviderError} of `get`.
   */
  token(get: (refreshToken: string | null) => Promise<Token | RefusedToken>, options: TokenOptions): Promise<Access>
}

export interface AskedStatus extends StatusAnswer {
  /** The provider asks to be polled no sooner than this. */
  retryAfterMs: number | null
  /** The time of the vendor's clock when it answered. Null: the answer doesn't say. */
  date: Date | null
  /** Requests made: 2 if the summary of a terminal report was requested, too. */
  requests: number
  /** Why the summary of a terminal report is missing. The report then stands without it. */
  summaryError: ProviderError | null
  /** Where the next poll goes, absolute. Null or absent: as before. */
  pollUrl?: string | null
  /** Why the next poll doesn't go where the provider said, for people. Null or absent: it does, or nothing was said. */
  pollUrlProblem?: string | null
}

interface Asker {
  client: ProviderClient
  provider: Provider
  target: AskTarget
  jobId: string
  signal: AbortSignal
}

/** A request to where the provider said. What it said before the base URL was another one no longer counts. */
function statusRequest(provider: Provider, job: Job<unknown, unknown>, at: string | null): ProviderRequest {
  const request = provider.statusRequest(job)
  const path = at === null ? null : urlPathBelow(at, job.baseUrl ?? '')
  return path === null ? request : { path, headers: request.headers }
}

/**
 * Makes one status call, of the job or `at` where an earlier answer said. If the report is terminal and the provider has a summary, makes a second call for it, whose
 * failure doesn't fail the first. Asks `mayGoOn` between the two.
 * @throws {ProviderError} if the status can't be read.
 */
export async function askStatus(
  client: ProviderClient,
  provider: Provider,
  target: AskTarget,
  jobId: string,
  { signal, mayGoOn = () => true, at = null }: { signal: AbortSignal; mayGoOn?: () => boolean; at?: string | null },
): Promise<AskedStatus> {
  const asker = { client, provider, target, jobId, signal }
  let asked: { request: ProviderRequest; baseUrl: string } | undefined
  const {
    value: answer,
    retryAfterMs,
    date,
  } = await send(
    asker,
    (job) => {
      asked = { request: statusRequest(provider, job, at), baseUrl: job.baseUrl ?? target.baseUrl }
      return asked.request
    },
    (body, head) => provider.readStatus(body, head),
  )
  const named = answer.pollUrl && asked ? nextPollUrl(answer.pollUrl, asked) : { pollUrl: null }
  const status: AskedStatus = { ...answer, ...named, retryAfterMs, date, requests: 1, summaryError: null }
  const { summary } = provider
  if (!summary || !isTerminal(answer.report.state)) return status
  if (summary.applies && !summary.applies(answer.report, target.settings)) return status
  if (!mayGoOn()) throw new ProviderError('aborted', 'The call was aborted.')
  return addSummary(asker, summary, status)
}

/**
 * Asks for the page of details at a cursor; `firstPage` stands for the first.
 * @throws {ProviderError}
 */
export async function askDetails(
  client: ProviderClient,
  provider: Provider,
  target: AskTarget,
  jobId: string,
  cursor: string,
  { signal }: { signal: AbortSignal },
): Promise<DetailPage> {
  const { details } = provider
  if (!details) throw new TypeError(`${provider.name} has no pages of details.`)
  const asker = { client, provider, target, jobId, signal }
  const { value } = await send(
    asker,
    (job) => details.request(job, cursor),
    (body, head) => details.read(body, cursor, head),
  )
  return value
}

async function addSummary(
  asker: Asker,
  summary: NonNullable<Provider['summary']>,
  asked: AskedStatus,
): Promise<AskedStatus> {
  try {
    const { value } = await send(
      asker,
      (job) => summary.request(job),
      (body, head) => summary.read(body, asked.report, head),
    )
    return { ...asked, ...value, requests: 2 }
  } catch (error) {
    // The status holds even if its summary fails. Only our own abort discards the whole poll.
    if (!(error instanceof ProviderError) || error.kind === 'aborted') throw error
    return { ...asked, missing: `${asked.missing ?? ''} ${error.message}`.trim(), requests: 2, summaryError: error }
  }
}

/**
 * Asks which files of rows a job has. Their URLs may hold only for minutes, so that they aren't kept.
 * @throws {ProviderError}
 */
export async function askFiles(
  client: ProviderClient,
  provider: Provider,
  target: AskTarget,
  jobId: string,
  { signal, at }: { signal: AbortSignal; at: string | null },
): Promise<FileSource[]> {
  const { files } = provider
  if (!files) throw new TypeError(`${provider.name} has no files of details.`)
  const asker = { client, provider, target, jobId, signal }
  const { value } = await send(
    asker,
    (job) => statusRequest(provider, job, at),
    (body, head) => files.of(body, head),
  )
  return value
}

/**
 * Asks for a file, or for a part of it by its `headers`.
 * @throws {ProviderError}
 */
export function openFile(
  client: ProviderClient,
  provider: Provider,
  target: AskTarget,
  jobId: string,
  source: FileSource,
  { headers, signal }: { headers: Record<string, string>; signal: AbortSignal },
): Promise<Response> {
  const url = source.url === null ? null : fileUrl(source.url, source.hosts, target.baseUrl)
  const { readError, classify } = provider
  const base = new URL(target.baseUrl)
  if (url !== null && url.origin !== base.origin) {
    const nothing = { readError: () => null, credentials: target.credentials, signal }
    return client.open({ origin: url.origin, path: `${url.pathname}${url.search}`, headers }, nothing)
  }
  return asClient({ client, provider, target, jobId, signal }, (job, credentials) => {
    const request = source.request(job)
    const { method, body } = url === null ? request : {}
    const at = url === null ? new URL(job.baseUrl ?? target.baseUrl) : base
    const path = url === null ? pathBelow(at, request) : `${url.pathname}${url.search}`
    return client.open(
      { origin: at.origin, path, method, headers: { ...request.headers, ...headers }, body },
      { signal, credentials, settings: target.settings, readError, classify },
    )
  })
}

async function send<Value>(
  asker: Asker,
  request: (job: Job<unknown, unknown>) => ProviderRequest,
  read: (body: unknown, head: AnswerHead) => Value,
): Promise<Answer<Value>> {
  const { client, provider, target, signal } = asker
  const { readError, classify, readsEmptyBodies } = provider
  return asClient(asker, (job, credentials) =>
    client.send(job.baseUrl ?? target.baseUrl, request(job), {
      signal,
      credentials,
      settings: target.settings,
      read,
      readError,
      classify,
      readsEmptyBodies,
    }),
  )
}

type Ask<Value> = (job: Job<unknown, unknown>, credentials: unknown) => Promise<Value>

/** Asks with the connection's credentials, and with a token where its provider needs one. */
async function asClient<Value>(asker: Asker, ask: Ask<Value>): Promise<Value> {
  const { provider, target, jobId } = asker
  const { baseUrl, credentials, settings } = target
  const problem = jobIdProblem(jobId, { jobId: provider.jobId, baseUrl })
  if (problem !== null) throw new ProviderError('not_found', `There can be no such job: its id ${problem}.`)
  if (credentials === null)
    throw new ProviderError(
      'undecipherable_credentials',
      'No key in ENCRYPTION_KEYS opens the credentials of the connection, so nothing was asked.',
    )
  const job = { jobId, credentials, settings, baseUrl }
  const askWith = (access?: Access) => {
    target.onRequest?.()
    if (!access) return ask(job, credentials)
    const { accessToken: token, baseUrl: at } = access
    return ask({ ...job, token, baseUrl: at ?? baseUrl }, { credentials, token })
  }
  const wanted = provider.tokenRequest?.(job, null)
  return wanted ? askWithToken(asker, job, wanted, askWith) : askWith()
}

/** Asks once more with a new token if the provider refuses the one that was kept. */
async function askWithToken<Value>(
  { client, provider, target, signal }: Asker,
  job: Job<unknown, unknown>,
  { grant, firstRefreshToken: first }: TokenRequest,
  ask: (access: Access) => Promise<Value>,
): Promise<Value> {
  const { tokens } = target
  if (!tokens) throw new TypeError(`${provider.name} needs a token, and nothing keeps tokens.`)
  const get = (refreshToken: string | null) => getToken({ client, provider, target }, job, refreshToken)
  const access = await tokens.token(get, { grant, first, refused: null, signal })
  try {
    return await ask(access)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'unauthorized') throw error
    const other = await tokens.token(get, { grant, first, refused: access.accessToken, signal })
    await target.onUnforeseen?.()
    return ask(other)
  }
}

/** Nobody aborts this: the answer may replace the refresh token that was sent. The client's own time limit ends it. */
async function getToken(
  { client, provider, target }: Pick<Asker, 'client' | 'provider' | 'target'>,
  job: Job<unknown, unknown>,
  refreshToken: string | null,
): Promise<Token | RefusedToken> {
  const wanted = provider.tokenRequest?.(job, refreshToken)
  if (!wanted) throw new TypeError(`${provider.name} needs no token.`)
  const form = await wanted.form(client.clock.now())
  await target.onUnforeseen?.()
  target.onRequest?.()
  const url = new URL(wanted.url)
  let replaced: string | null = null
  const asked = client.send(
    url.origin,
    {
      method: 'POST',
      path: url.pathname,
      query: { ...Object.fromEntries(url.searchParams), ...wanted.query },
      headers: { ...wanted.headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    },
    {
      signal: new AbortController().signal,
      credentials: { credentials: job.credentials, refreshToken, assertion: form.assertion },
      read(body) {
        replaced = wanted.readRefreshToken(body)
        return wanted.read(body)
      },
      readError: readTokenError,
      classify: ({ status }) => ({ kind: refusalKinds[status] ?? null, retryAfterMs: null }),
    },
  )
  try {
    return (await asked).value
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    // Its body may hold a new token, which no mask knows.
    const refusal = withoutBody(error)
    if (replaced === null) throw refusal
    return { refreshToken: replaced, refusal }
  }
}

/** RFC 6749, 5.2: a wrong client or refresh token is a 400 or 401. */
const refusalKinds: Readonly<Record<number, 'unauthorized'>> = { 400: 'unauthorized', 401: 'unauthorized' }

function readTokenError(body: unknown) {
  if (!isObject(body)) return null
  const [code, message] = [readText(body.error), readText(body.error_description)]
  return code === null && message === null ? null : { code, message }
}
