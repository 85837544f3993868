// Owns translating sslmode in DATABASE_URL into the one form that pg takes without printing a warning.

/**
 * pg treats `prefer`, `require` and `verify-ca` as `verify-full` unless `uselibpqcompat` is set. It prints a warning
 * about that at the first connection, between our lines of JSON.
 */
export function withPlainSslMode(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  const mode = url.searchParams.get('sslmode') ?? ''
  if (!['prefer', 'require', 'verify-ca'].includes(mode) || url.searchParams.has('uselibpqcompat')) return databaseUrl
  url.searchParams.set('sslmode', 'verify-full')
  return url.href
}
