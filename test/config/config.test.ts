import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../src/config/config.ts'

const key = Buffer.alloc(32, 1).toString('base64')

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'accepted'
}

describe('an empty environment', () => {
  test('means the embedded mode, on loopback, with everything in one process', () => {
    expect(readConfig({})).toEqual({
      databaseUrl: null,
      dataDir: '.import-tracker',
      redisUrl: null,
      host: '127.0.0.1',
      port: 3000,
      publicUrl: null,
      basePath: '',
      roles: new Set(['api', 'worker']),
      adminToken: null,
      encryptionKeys: null,
      webhookAllowedCidrs: ['127.0.0.0/8', '::1/128'],
      providerAllowedCidrs: ['127.0.0.0/8', '::1/128'],
      corsOrigins: [],
      trustedProxies: [],
      limits: { requestsPerSecond: 1_000, streamsPerToken: 200, streams: 1_000, waiters: 1_000, downloads: 20 },
      historyRetention: {},
      unusedProxies: [],
      logLevel: 'info',
    })
  })

  test('is what empty variables mean, too', () => {
    expect(readConfig({ DATABASE_URL: '', REDIS_URL: '', PORT: '', ADMIN_TOKEN: '' })).toEqual(readConfig({}))
  })
})

test('a database of one’s own opens no private range by itself', () => {
  const config = readConfig({ DATABASE_URL: 'postgres://db/x', ENCRYPTION_KEYS: `${key}, ${key}` })
  expect(config).toMatchObject({
    webhookAllowedCidrs: [],
    providerAllowedCidrs: [],
    encryptionKeys: [Buffer.alloc(32, 1), Buffer.alloc(32, 1)],
  })
})

test('months of history are kept by the table', () => {
  const config = readConfig({ HISTORY_RETENTION_MONTHS: 'snapshots=24, events=2,delivery_attempts = 1' })
  expect(config.historyRetention).toEqual({ snapshots: 24, events: 2, delivery_attempts: 1 })
})

test.each([
  ['DATABASE_URL', 'mysql://db', 'must be a postgres:// URL'],
  ['DATABASE_URL', 'nonsense', 'must be a postgres:// URL'],
  ['DATABASE_URL', 'postgres://', 'must name a host and a database'],
  ['REDIS_URL', 'http://redis', 'must be a redis:// URL'],
  ['REDIS_URL', 'redis://', 'must name a host'],
  ['PORT', 'http', 'must be a port number'],
  ['PORT', '65536', 'must be a port number'],
  ['PORT', '-1', 'must be a port number'],
  ['PORT', '1.5', 'must be a port number'],
  ['PORT', ' ', 'must be a port number'],
  ['PORT', '0x50', 'must be a port number'],
  ['PORT', '1e3', 'must be a port number'],
  ['ROLES', 'api,cook', 'must be api, worker or api,worker'],
  ['ROLES', ',', 'must be api, worker or api,worker'],
  ['ADMIN_TOKEN', 'short', 'must have at least 16 characters'],
  ['ADMIN_TOKEN', 'a token with spaces', 'must be visible ASCII without spaces'],
  ['ADMIN_TOKEN', 'tökenized-and-long', 'must be visible ASCII without spaces'],
  ['ENCRYPTION_KEYS', 'c2hvcnQ=', 'must be keys of 32 bytes in base64, comma-separated'],
  ['ENCRYPTION_KEYS', ',', 'must be keys of 32 bytes in base64, comma-separated'],
  ['ENCRYPTION_KEYS', `!!${key}`, 'must be keys of 32 bytes in base64, comma-separated'],
  ['WEBHOOK_ALLOWED_CIDRS', '10.0.0.0', 'must be CIDR ranges'],
  ['PROVIDER_ALLOWED_CIDRS', '10.0.0.0/99', 'must be CIDR ranges'],
  ['HISTORY_RETENTION_MONTHS', '24', 'must be table=months, comma-separated, of snapshots, skipped_lines,'],
  [
    'HISTORY_RETENTION_MONTHS',
    'imports=24',
    'row_results, events, delivery_attempts, actions; "imports" is none of them',
  ],
  ['HISTORY_RETENTION_MONTHS', 'constructor=24', '"constructor" is none of them'],
  ['HISTORY_RETENTION_MONTHS', 'snapshots=0', 'must give snapshots whole months, 1 to 1200; "0" is none'],
  ['HISTORY_RETENTION_MONTHS', 'snapshots=1.5', 'must give snapshots whole months, 1 to 1200; "1.5" is none'],
  ['HISTORY_RETENTION_MONTHS', 'snapshots=1=24', 'must give snapshots whole months, 1 to 1200; "1=24" is none'],
  ['HISTORY_RETENTION_MONTHS', 'snapshots=', 'must give snapshots whole months, 1 to 1200; "" is none'],
  ['HISTORY_RETENTION_MONTHS', 'row_results=1201', 'must give row_results whole months, 1 to 1200; "1201" is none'],
  ['HISTORY_RETENTION_MONTHS', 'events=1', 'must give events whole months, 2 to 1200; "1" is none'],
  ['HISTORY_RETENTION_MONTHS', 'events=3,events=4', 'must name events once'],
  ['CORS_ORIGINS', '*', 'must be origins such as https://app.example.com'],
  ['CORS_ORIGINS', 'https://a.example/path', 'must be origins such as https://app.example.com'],
  ['TRUSTED_PROXIES', '10.0.0.1', 'must be CIDR ranges'],
  ['MAX_STREAMS', '0', 'must be a whole number of at least 1'],
  ['MAX_DOWNLOADS', 'many', 'must be a whole number of at least 1'],
  ['LOG_LEVEL', 'loud', 'must be one of fatal, error, warn'],
])('%s=%s is refused by name, and with what it must be', (name, value, must) => {
  expect(refusal({ [name]: value })).toMatch(new RegExp(`^${name} must`))
  expect(refusal({ [name]: value })).toContain(must)
})

test('everything that is wrong is said at once, a line each', () => {
  expect(refusal({ PORT: 'x', LOG_LEVEL: 'y' }).split('\n')).toHaveLength(2)
})

test('the names of variables that name a proxy are kept, and nothing of their values', () => {
  const proxy = 'http://me:hunter2@proxy.example:3128'
  const config = readConfig({ https_proxy: proxy, HTTP_PROXY: proxy, ALL_PROXY: '', NO_PROXY: 'localhost' })
  expect(config.unusedProxies).toEqual(['HTTP_PROXY', 'https_proxy'])
  expect(JSON.stringify(config)).not.toContain('hunter2')
  expect(readConfig({}).unusedProxies).toEqual([])
})

test('a refusal never repeats a secret', () => {
  expect(refusal({ ADMIN_TOKEN: 'hunter2', ENCRYPTION_KEYS: 'aHVudGVyMg==' })).not.toMatch(/hunter2|aHVudGVyMg/)
})

test('the public URL has no slash at its end, and ends with the base path', () => {
  const given = { PUBLIC_URL: 'https://tools.example/tracker/', BASE_PATH: '/tracker/' }
  expect(readConfig(given)).toMatchObject({ publicUrl: 'https://tools.example/tracker', basePath: '/tracker' })
  for (const url of ['https://tools.example', 'https://tracker'])
    expect(() => readConfig({ ...given, PUBLIC_URL: url })).toThrow('PUBLIC_URL must end with')
  expect(readConfig({ BASE_PATH: '/' })).toMatchObject({ basePath: '', publicUrl: null })
})

test.each([
  ['PUBLIC_URL', 'tools.example'],
  ['PUBLIC_URL', 'ftp://tools.example'],
  ['PUBLIC_URL', 'https://a:b@tools.example'],
  ['PUBLIC_URL', 'https://tools.example/?x=1'],
  ['BASE_PATH', 'tracker'],
  ['BASE_PATH', '//tracker'],
  ['BASE_PATH', '/a b'],
  ['BASE_PATH', '/../x'],
])('%s=%s is refused by its name', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(name)
})
