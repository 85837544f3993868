// Owns telling whether a thing was changed since a form showed it. The form carries a sealed digest of each field, and
// brings them back with its change.
import { createHash } from 'node:crypto'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import { isSame, stableJson } from '../base/stable-json.ts'
import { AppError } from './refusal.ts'

/** The values of fields by name, secret ones too: digests of them go out encrypted. */
export type Fields = Readonly<Record<string, unknown>>

/** Somebody has changed fields since the form showed them, and its change would undo that. `errors` names the fields. */
export class StaleChange extends AppError {
  constructor(fields: readonly string[]) {
    const errors = fields.map((field) => ({ field, message: 'was changed meanwhile' }))
    super('conflict', 'It was changed since it was shown; look at it again.', errors)
  }
}

export function sealSeen(encryption: Encryption, about: string, fields: Fields): string {
  return encryption.encrypt(JSON.stringify(digestsOf(fields)), `seen:${about}`)
}

/** @throws {StaleChange} naming the fields that differ from their digests: all of them, if no key opens the digests. */
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
    given.map(([name, value]) => [
      name,
      createHash('sha256').update(stableJson(value)).digest('base64url').slice(0, 22),
    ]),
  )
}
