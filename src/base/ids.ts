// Owns the ids of rows: UUIDv7 (RFC 9562), which sort by creation time.
import { v7, validate } from 'uuid'

/**
 * By how many milliseconds the system's clock, which ids are made by, is ahead of the clock that all processes share.
 */
let aheadMs = 0
let last = { msecs: 0, seq: 0 }

/** Makes later ids by the shared clock, so that ids from a machine with a wrong clock sort among the others. */
export function makeIdsBehind(ms: number): void {
  aheadMs = ms
}

/** Returns a new id. The ids of one process strictly increase unless its clock is corrected in between. */
export function newId(): string {
  if (aheadMs === 0) return v7()
  const msecs = Math.max(last.msecs, Math.floor(Date.now() - aheadMs))
  last = { msecs, seq: msecs === last.msecs ? last.seq + 1 : 0 }
  return v7(last)
}

/** Returns true if the text is a UUID. Our ids are always UUIDs. */
export function isId(text: string): boolean {
  return validate(text)
}

/** Returns the smallest id that could be made at this moment. Ids made earlier are smaller. */
export function firstIdAt(moment: Date): string {
  const time = Math.max(moment.getTime(), 0).toString(16).padStart(12, '0').slice(0, 12)
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

/**
 * Returns a number from 0 to 1 that is always the same for an id, to spread the work of many ids. It comes from the
 * id's last, random bits.
 */
export function phase(id: string): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32
}
