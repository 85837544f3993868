// Owns telling whether something was changed since it was shown to somebody: what was shown goes out as a sealed digest
// of each field, and comes back with the change.
import { createHash } from 'node:crypto'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import { isRawNumber } from '../base/json.ts'
import { AppError } from './refusal.ts'

/** The values of fields by name, secret ones too: digests of them go out encrypted. */
export type Fields = Readonly<Record<string, unknown>>

/** A change of what others changed meanwhile. `errors` names those fields. */
export class StaleChange extends AppError {
  constructor(fields: readonly string[]) {
    const errors = fields.map((field) => ({ field, message: 'was changed meanwhile' }))
    super('conflict', 'It was changed since it was shown; look at it again.', errors)
  }
}

export function sealSeen(encryption: Encryption, about: string, fields: Fields): string {
  return encryption.encrypt(JSON.stringify(digestsOf(fields)), `seen:${about}`)
}

/** @throws {StaleChange} if the fields aren't as they were seen, or if nobody can tell any more. */
export function requireUnchanged(encryption: Encryption, about: string, seen: string, fields: Fields): void {
  const changed = differing(opened(encryption, about, seen), digestsOf(fields))
  if (changed.length > 0) throw new StaleChange(changed)
}

function opened(encryption: Encryption, about: string, seen: string): Record<string, string> {
  try {
    return JSON.parse(encryption.decrypt(seen, `seen:${about}`)) as Record<string, string>
  } catch (error) {
    if (error instanceof DecryptionError) return {} // made with a key that was removed: then everything may differ
    throw error
  }
}

/** Returns the names of the fields whose values differ. */
export function differing(before: Fields, now: Fields): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => !isSame(before[name] ?? null, now[name] ?? null))
    .sort()
}

function digestsOf(fields: Fields): Record<string, string> {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(
    given.map(([name, value]) => [name, createHash('sha256').update(stable(value)).digest('base64url').slice(0, 22)]),
  )
}

/** The order of keys says nothing. */
export function isSame(one: unknown, other: unknown): boolean {
  return stable(one) === stable(other)
}

function stable(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? 'undefined'
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
