// Owns the two questions to a provider: the status of a job, and its failed rows.

import { isTerminal } from '../model/reported-state.ts'
import type { Answer, ProviderClient } from './client.ts'
import type { AnswerHead, DetailPage, Job, Provider, ProviderRequest, StatusAnswer } from './contract.ts'
import { ProviderError } from './error.ts'
import { jobIdProblem } from './job-id.ts'

/** Where to ask, and with which credentials. */
export interface AskTarget {
  baseUrl: string
  /** Null: no key decrypts them. */
  credentials: unknown
  settings: unknown
  /** Called with each request that is sent. */
  onRequest?: () => void
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
}

interface Asker {
  client: ProviderClient
  provider: Provider
  target: AskTarget
  jobId: string
  signal: AbortSignal
}

/**
 * Makes one status call. If the report is terminal and the provider has a summary, makes a second call for it, whose
 * failure doesn't fail the first. Asks `mayGoOn` between the two.
 * @throws {ProviderError} if the status can't be read.
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
    (body, head) => provider.readStatus(body, head),
  )
  const asked: AskedStatus = { ...answer, retryAfterMs, date, requests: 1, summaryError: null }
  const { summary } = provider
  if (!summary || !isTerminal(answer.report.state)) return asked
  if (summary.applies && !summary.applies(answer.report, target.settings)) return asked
  if (!mayGoOn()) throw new ProviderError('aborted', 'The call was aborted.')
  return addSummary(asker, summary, asked)
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

async function send<Value>(
  { client, provider, target, jobId, signal }: Asker,
  request: (job: Job<unknown, unknown>) => ProviderRequest,
  read: (body: unknown, head: AnswerHead) => Value,
): Promise<Answer<Value>> {
  const { baseUrl, credentials, settings } = target
  const problem = jobIdProblem(jobId, { jobId: provider.jobId, baseUrl })
  if (problem !== null) throw new ProviderError('not_found', `There can be no such job: its id ${problem}.`)
  if (credentials === null)
    throw new ProviderError(
      'undecipherable_credentials',
      'No key in ENCRYPTION_KEYS opens the credentials of the connection, so nothing was asked.',
    )
  const { readError, classify, readsEmptyBodies } = provider
  target.onRequest?.()
  return client.send(baseUrl, request({ jobId, credentials, settings, baseUrl }), {
    signal,
    credentials,
    settings,
    read,
    readError,
    classify,
    readsEmptyBodies,
  })
}
