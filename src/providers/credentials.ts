// Owns the form of credentials and settings that are sent in a header.
import { z } from 'zod'

const headerTextForm =
  'must be 1 to 4096 Latin-1 characters that an HTTP header can carry: no line breaks or other control characters, no space at either end'

/** Text that a header carries unchanged. */
export const headerText = z
  .string({ error: headerTextForm })
  .max(4096, headerTextForm)
  .regex(/^[\x21-\x7e\xa1-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\xa1-\xff])?$/, headerTextForm)

const jsonObjectForm = 'must be the JSON text of an object, at most 16384 characters'

/** The JSON text of an object, kept exactly as given. */
export const jsonObjectText = z
  .string({ error: jsonObjectForm })
  .max(16_384, jsonObjectForm)
  .refine(isJsonObject, jsonObjectForm)

const hostForm = 'must be a host name, such as login.example.com'

/** A host name, with or without a port. */
export const hostName = z
  .string({ error: hostForm })
  .max(255, hostForm)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/, hostForm)

function isJsonObject(text: string): boolean {
  if (!text.isWellFormed()) return false // its bytes in a header would differ from the given text
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
