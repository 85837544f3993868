// Owns telling commands on this machine where the embedded service listens: `DATA_DIR/url`, beside its token.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Keeps the URL until the service stops. A killed one leaves it, and the next start replaces it.
 * @param directory DATA_DIR.
 * @param url where the service listens. If that is all addresses, commands are told 127.0.0.1.
 * @returns what takes it away again.
 */
export async function keepUrl(directory: string, url: string): Promise<() => Promise<void>> {
  const file = join(directory, 'url')
  const reachable = url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=[:/])/, 'http://127.0.0.1')
  await writeFile(file, `${reachable}\n`, { mode: 0o600 })
  return () => rm(file, { force: true })
}
