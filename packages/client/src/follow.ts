// Owns what goes on for long: waiting for an import, watching its changes, and following the feed of events. All three
// outlive restarts of the service: they ask again until the service answers.
import { readPage } from './pages.ts'
import { pause } from './pause.ts'
import { mayPass, ProblemError } from './problem-error.ts'
import type * as Schemas from './schema.ts'
import { segment } from './segment.ts'
import { eventData } from './server-sent-events.ts'
import { pauseMs, type Transport } from './transport.ts'

type Import = Schemas.Import

/** How long the service may hold an answer. Shorter than proxies wait. */
const waitMs = 25_000
/** The least time between two requests for the same thing, in case answers aren't held. */
const leastMs = 250
/** The service sends something every 15 seconds. A stream that is silent for longer is broken. */
const silentMs = 45_000

const live: ReadonlySet<Import['state']> = new Set(['pending', 'queued', 'running'])

export interface WaitOptions {
  signal?: AbortSignal
  /** Called with the import as it is, and then at each change. Absent: costs the service less. */
  onChange?(one: Import): void
}

/** Returns the import once it is over. @internal */
export async function waitForImport(
  transport: Transport,
  id: string,
  { signal, onChange }: WaitOptions,
): Promise<Import> {
  if (onChange === undefined) {
    for (;;) {
      const beganAt = Date.now()
      const one = (await transport.insist({ method: 'GET', path: importPath(id), query: { waitMs }, signal })) as Import
      if (typeof one.state !== 'string') throw new ProblemError('unexpected_answer', 'The answer was no import.')
      if (!live.has(one.state)) return one
      await pause(leastMs - (Date.now() - beganAt), signal)
    }
  }
  let last: Import | undefined
  for await (const one of watchImport(transport, id, signal)) {
    last = one
    onChange(one)
  }
  return last as Import
}

/** Yields the import as it is, and then at each change, until it is over. @internal */
export async function* watchImport(
  transport: Transport,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Import, void> {
  let shown = ''
  for (let failures = 0; ; ) {
    try {
      for await (const text of changes(transport, id, signal)) {
        failures = 0
        if (text === shown) continue // as it was before the stream broke
        shown = text
        const one = JSON.parse(text) as Import
        yield one
        if (!live.has(one.state)) return
      }
      await pause(leastMs, signal) // the service ended the stream, because it stops
    } catch (error) {
      if (!(error instanceof ProblemError) || !mayPass(error)) throw error
      await pause(pauseMs(error, failures++, { isPatient: true }), signal)
    }
  }
}

/** @throws {ProblemError} `unreachable` if the stream breaks, `unexpected_answer` if it is something else. */
async function* changes(
  transport: Transport,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  const sending = { method: 'GET', path: `${importPath(id)}/stream`, signal }
  const { response, end } = await transport.open(sending, 'text/event-stream')
  if (!/^text\/event-stream\b/.test(response.headers.get('content-type') ?? 'text/event-stream')) {
    end()
    throw new ProblemError('unexpected_answer', 'The answer was no stream.', { status: response.status })
  }
  let silence = setTimeout(end, silentMs)
  const heard = () => {
    clearTimeout(silence)
    silence = setTimeout(end, silentMs)
  }
  try {
    if (response.body) yield* eventData(response.body, heard, signal)
    signal?.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw new ProblemError('unreachable', 'The stream broke off.', { cause: error })
  } finally {
    clearTimeout(silence)
    end()
  }
}

export interface FollowOptions {
  /** The id of the last event that you have seen, or a moment. Absent: begins with the oldest event, 30 days ago. */
  after?: string | Date | undefined
  /** Only events of this type. */
  type?: Schemas.Event['type'] | undefined
  /** Only events of this connection and its imports. */
  connection?: string | undefined
  signal?: AbortSignal | undefined
}

/** Yields events for ever, in the feed's order. The id of each is the cursor to go on from. @internal */
export async function* followEvents(
  transport: Transport,
  { after, signal, ...filter }: FollowOptions,
): AsyncGenerator<Schemas.Event, never> {
  for (let cursor = after instanceof Date ? firstIdAt(after) : after; ; ) {
    const beganAt = Date.now()
    const query = { ...filter, after: cursor, waitMs }
    const page = readPage(await transport.insist({ method: 'GET', path: '/v1/events', query, signal }))
    for (const event of page.data as Schemas.Event[]) {
      signal?.throwIfAborted()
      cursor = event.id
      yield event
    }
    if (page.data.length === 0) await pause(leastMs - (Date.now() - beganAt), signal)
  }
}

function importPath(id: string): string {
  return `/v1/imports/${segment(id)}`
}

/** Returns the smallest UUIDv7 of a moment: the feed takes it for a place before all later events. */
function firstIdAt(moment: Date): string {
  const time = moment.getTime().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}
