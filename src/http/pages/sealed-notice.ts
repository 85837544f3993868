// Owns what a page says once after a redirect where the words aren't ours alone: sealed in its address, so that nobody
// can make a link that lets a page say something else.
import { DecryptionError, type Encryption } from '../../base/encryption.ts'

const context = 'notice'

export function sealNotice(encryption: Encryption, about: string, notice: unknown): string {
  return encodeURIComponent(encryption.encrypt(JSON.stringify(notice), `${context}:${about}`))
}

/** Returns null if it isn't ours, or is about something else. */
export function openNotice<Notice>(encryption: Encryption, about: string, sealed: unknown): Notice | null {
  if (typeof sealed !== 'string') return null
  try {
    return JSON.parse(encryption.decrypt(sealed, `${context}:${about}`)) as Notice
  } catch (error) {
    if (error instanceof DecryptionError) return null
    throw error
  }
}
