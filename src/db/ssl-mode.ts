// Owns what sslmode in DATABASE_URL means, said in the one way that pg takes without printing a warning.

/**
 * To pg, `prefer`, `require` and `verify-ca` mean `verify-full` unless `uselibpqcompat` is set, and it prints that at the
 * first connection, between our lines of JSON.
 */
export function withPlainSslMode(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  const mode = url.searchParams.get('sslmode') ?? ''
  if (!['prefer', 'require', 'verify-ca'].includes(mode) || url.searchParams.has('uselibpqcompat')) return databaseUrl
  url.searchParams.set('sslmode', 'verify-full')
  return url.href
}
