// Owns how rows get their ids: UUIDv7 (RFC 9562), so that ids sort by the time they were made.
import { v7, validate } from 'uuid'

/** A new id; ids made by one process are strictly increasing. */
export function newId(): string {
  return v7()
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
