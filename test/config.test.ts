import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../src/config.ts'

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
      roles: new Set(['api', 'worker']),
      adminToken: null,
      encryptionKeys: null,
      webhookAllowedCidrs: ['127.0.0.0/8', '::1/128'],
      providerAllowedCidrs: ['127.0.0.0/8', '::1/128'],
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

test.each([
  ['DATABASE_URL', 'mysql://db', 'must be a postgres:// URL'],
  ['DATABASE_URL', 'nonsense', 'must be a postgres:// URL'],
  ['REDIS_URL', 'http://redis', 'must be a redis:// URL'],
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
  ['LOG_LEVEL', 'loud', 'must be one of fatal, error, warn'],
])('%s=%s is refused by name, and with what it must be', (name, value, must) => {
  expect(refusal({ [name]: value })).toContain(`${name} ${must}`)
})

test('everything that is wrong is said at once, a line each', () => {
  expect(refusal({ PORT: 'x', LOG_LEVEL: 'y' }).split('\n')).toHaveLength(2)
})

test('a refusal never repeats a secret', () => {
  expect(refusal({ ADMIN_TOKEN: 'hunter2', ENCRYPTION_KEYS: 'aHVudGVyMg==' })).not.toMatch(/hunter2|aHVudGVyMg/)
})
