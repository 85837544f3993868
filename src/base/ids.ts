// Owns how rows get their ids: UUIDv7 (RFC 9562), so that ids sort by the time they were made.
import { v7, validate } from 'uuid'

/** How far the system's clock, which ids are made by, is ahead of the one that all processes share, in milliseconds. */
let aheadMs = 0
let last = { msecs: 0, seq: 0 }

/** Has ids made by the shared clock, so that those of a machine whose clock is wrong sort among the others. */
export function makeIdsBehind(ms: number): void {
  aheadMs = ms
}

/** A new id; ids made by one process are strictly increasing, as long as its clock isn't put right. */
export function newId(): string {
  if (aheadMs === 0) return v7()
  const msecs = Math.max(last.msecs, Math.floor(Date.now() - aheadMs))
  last = { msecs, seq: msecs === last.msecs ? last.seq + 1 : 0 }
  return v7(last)
}

/** Whether the text is a UUID at all; anything else can't be one of our ids. */
export function isId(text: string): boolean {
  return validate(text)
}

/** The least id that could be made at this moment: what was made before is less. */
export function firstIdAt(moment: Date): string {
  const time = moment.getTime().toString(16).padStart(12, '0').slice(0, 12)
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

/** A number from 0 to 1 that is always the same for an id, so that what is done for many ids can be spread: its last, random bits. */
export function phase(id: string): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32
}
