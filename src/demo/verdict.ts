// Owns the demo's verdict: a pure comparison of the expected results with those of the API and the webhooks.
import { eventOf } from '../model/import-state.ts'
import { type Delivery, isSettled } from './follow.ts'
import type { ReceivedEvent } from './receiver.ts'
import type { Followed } from './register.ts'

export interface Seen {
  followed: readonly Followed[]
  deliveries: readonly Delivery[]
  events: ReadonlyMap<string, ReceivedEvent>
  /** How many webhooks had a wrong signature. */
  refused: number
}

/** Returns a line for each unexpected result. */
export function problemsOf({ followed, deliveries, events, refused }: Seen): string[] {
  const undelivered = deliveries.filter(({ state, eventId }) => state !== 'delivered' || !events.has(eventId))
  return [
    ...followed.flatMap((one) => importProblems(one).map((problem) => `${nameOf(one)}: ${problem}`)),
    ...followed.flatMap((one) => webhookProblems(one, events).map((problem) => `${nameOf(one)}: ${problem}`)),
    ...undelivered.map(({ type, eventId, state }) => `webhook ${type} ${eventId} was not delivered (${state})`),
    ...(refused > 0 ? [`${refused} webhooks had a wrong signature`] : []),
  ]
}

/** Returns the median time from the vendor's end of an import to ours. Returns null if none is known. */
export function medianDelayMs(followed: readonly Followed[]): number | null {
  const delays = followed
    .flatMap(({ trueEnd, import: { finishedAt } }) =>
      trueEnd && finishedAt ? [Date.parse(finishedAt) - trueEnd.getTime()] : [],
    )
    .sort((a, b) => a - b)
  const upper = delays[Math.floor(delays.length / 2)]
  const lower = delays[Math.floor((delays.length - 1) / 2)]
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2
}

function importProblems({ scenario: { expected }, import: actual, attentions }: Followed): string[] {
  if (!isSettled(actual)) return [`is still ${actual.state} (details: ${actual.details.state})`]
  const hasDetails = expected.skippedLines + expected.rowResults > 0
  const { details } = actual
  return [
    ...differs('state', expected.state, actual.state),
    ...differs('lostReason', expected.lostReason, actual.lostReason),
    ...differs('details', hasDetails ? 'complete' : 'none', details.state),
    ...differs('skipped lines', expected.skippedLines, details.skippedLines),
    ...differs('row results', expected.rowResults, details.rowResults),
    ...(expected.attention === null || attentions.has(expected.attention)
      ? []
      : [`never showed ${expected.attention}`]),
  ]
}

/** Each end is told once, and so are collected rows. */
function webhookProblems({ import: actual, scenario }: Followed, events: Seen['events']): string[] {
  if (!isSettled(actual)) return []
  const types = [...events.values()].filter(({ importId }) => importId === actual.id).map(({ type }) => type)
  const { skippedLines, rowResults } = scenario.expected
  const wanted = [eventOf(actual.state), ...(skippedLines + rowResults > 0 ? ['import.rows_collected'] : [])]
  return wanted.flatMap((type) => {
    const times = types.filter((other) => other === type).length
    return times === 1 ? [] : [`${times} webhooks ${type} instead of 1`]
  })
}

function differs<Value>(what: string, expected: Value, actual: Value): string[] {
  return expected === actual ? [] : [`${what} is ${actual} instead of ${expected}`]
}

function nameOf({ scenario: { connection, title } }: Followed): string {
  return `${connection} "${title}"`
}
