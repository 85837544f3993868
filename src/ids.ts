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
