// Owns the whole service as tests run it: the real composition on a test's own database and queue, asking a sandbox.
import { pino } from 'pino'
import { type Service, startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { type Config, readConfig } from '../../src/config/config.ts'
import type { TestDatabase } from './database.ts'
import { adminToken, testEncryptionKey } from './worlds/ground.ts'

export interface ServiceOptions {
  database: Pick<TestDatabase, 'url'>
  redisUrl?: string | null
  roles?: string
  /** What is logged, at any level and without redaction, goes here, a line each; default: nowhere. */
  logLines?: string[]
}

/** The configuration that `startTestService` runs with; loopback is allowed, as in the embedded mode. */
export function testEnvironment({
  database,
  redisUrl = null,
  roles = 'api,worker',
}: ServiceOptions): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    ...(redisUrl !== null && { REDIS_URL: redisUrl }),
    PORT: '0',
    ROLES: roles,
    ADMIN_TOKEN: adminToken,
    ENCRYPTION_KEYS: testEncryptionKey.toString('base64'),
    WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8',
    PROVIDER_ALLOWED_CIDRS: '127.0.0.0/8',
  }
}

/** Starts the service in this process; the caller stops it. */
export function startTestService(options: ServiceOptions): Promise<Service> {
  const config: Config = readConfig(testEnvironment(options))
  const log = pino({ level: 'trace' }, { write: (line) => void options.logLines?.push(line) })
  return startService(config, { clock: systemClock, log })
}
