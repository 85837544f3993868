// Owns the two questions that are put to a provider: how is it going, and what failed.

import { isTerminal } from '../model/reported-state.ts'
import type { Answer, ProviderClient } from './client.ts'
import type { DetailPage, Provider, ProviderRequest, StatusAnswer } from './contract.ts'
import { ProviderError } from './error.ts'
import { jobIdProblem } from './job-id.ts'

/** Where to ask, and as whom. */
export interface AskTarget {
  baseUrl: string
  /** Null: no key opens them. */
  credentials: unknown
  settings: unknown
}

export interface AskedStatus extends StatusAnswer {
  /** Ask again no sooner than this, says the provider. */
  retryAfterMs: number | null
  /** What the vendor's clock said when it answered; null: it didn't say. */
  date: Date | null
  /** Requests made: 2 with the summary of a terminal report. */
  requests: number
  /** Why the summary of a terminal report is missing; the report is without it. */
  summaryError: ProviderError | null
}

interface Asker {
  client: ProviderClient
  provider: Provider
  target: AskTarget
  jobId: string
  signal: AbortSignal
}

/**
 * One status call, and for a terminal report the provider's second call, if it has one, whatever comes of it.
 * `mayGoOn` is asked between them.
 * @throws {ProviderError} when the status can't be told.
 */
export async function askStatus(
  client: ProviderClient,
  provider: Provider,
  target: AskTarget,
  jobId: string,
  { signal, mayGoOn = () => true }: { signal: AbortSignal; mayGoOn?: () => boolean },
): Promise<AskedStatus> {
  const asker = { client, provider, target, jobId, signal }
  const {
    value: answer,
    retryAfterMs,
    date,
  } = await send(
    asker,
    (job) => provider.statusRequest(job),
    (body) => provider.readStatus(body),
  )
  const asked: AskedStatus = { ...answer, retryAfterMs, date, requests: 1, summaryError: null }
  if (!provider.summary || !isTerminal(answer.report.state)) return asked
  if (!mayGoOn()) throw new ProviderError('aborted', 'The call was aborted.')
  return addSummary(asker, provider.summary, asked)
}

/**
 * The page of details at a cursor; `firstPage` asks for the first.
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
    (body) => details.read(body, cursor),
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
      (body) => summary.read(body, asked.report),
    )
    return { ...asked, ...value, requests: 2 }
  } catch (error) {
    // The status holds, whatever comes of its summary; only our own stop leaves the whole poll undone.
    if (!(error instanceof ProviderError) || error.kind === 'aborted') throw error
    return { ...asked, missing: `${asked.missing ?? ''} ${error.message}`.trim(), requests: 2, summaryError: error }
  }
}

async function send<Value>(
  { client, provider, target, jobId, signal }: Asker,
  request: (job: { jobId: string; credentials: unknown; settings: unknown }) => ProviderRequest,
  read: (body: unknown) => Value,
): Promise<Answer<Value>> {
  const problem = jobIdProblem(jobId)
  if (problem !== null) throw new ProviderError('not_found', `There can be no such job: its id ${problem}.`)
  const { credentials, settings } = target
  if (credentials === null)
    throw new ProviderError(
      'undecipherable_credentials',
      'No key in ENCRYPTION_KEYS opens the credentials of the connection, so nothing was asked.',
    )
  const readError = provider.readError
  return client.send(target.baseUrl, request({ jobId, credentials, settings }), {
    signal,
    credentials,
    read,
    readError,
  })
}
