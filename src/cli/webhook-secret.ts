// Owns reading the secret of an endpoint.
import { ConfigError } from '../config/config.ts'

/** @throws {ConfigError} that doesn't say the text. */
export function readSecret(text: string | undefined): string {
  if (text !== undefined && /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) return text
  throw new ConfigError('WEBHOOK_SECRET, or --secret, must be the secret that the endpoint was created with: whsec_….')
}
