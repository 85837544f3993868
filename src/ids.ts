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

/** A number from 0 to 1 that is always the same for an id, so that what is done for many ids can be spread: its last, random bits. */
export function phase(id: string): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32
}
