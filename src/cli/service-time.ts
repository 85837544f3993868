// Owns asking the service for the time: events are found by its clock, not by this machine's.
import type { Client } from '../../packages/client/src/index.ts'

/** @throws {ProblemError} if the service isn't there, or knows no such token. Following the feed would go on asking. */
export async function serviceTime(tracker: Client, signal: AbortSignal): Promise<Date> {
  await tracker.me.get({ signal })
  const response = await tracker.fetch('/v1/me', { signal })
  await response.body?.cancel()
  const at = new Date(response.headers.get('date') ?? '')
  return Number.isNaN(at.getTime()) ? new Date() : at
}
