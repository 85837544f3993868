// Owns the environment: one schema reads it once into one value. Nothing else reads process.env. embedded/ owns where
// Postgres, keys and tokens come from in the embedded mode.
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { logLevels } from '../base/log.ts'

export const roles = ['api', 'worker'] as const
export type Role = (typeof roles)[number]

/** The tables that are partitioned by the month. */
export const historyTables = ['snapshots', 'skipped_lines', 'row_results', 'events', 'delivery_attempts'] as const
export type HistoryTable = (typeof historyTables)[number]

/** Actions aren't partitioned: they are few, and deleted (actions/prune.ts). */
const keptTables = [...historyTables, 'actions'] as const
type KeptTable = (typeof keptTables)[number]

/** How many whole months of a table are kept besides the current one. An absent table keeps all its months. */
export type HistoryRetention = Readonly<Partial<Record<KeptTable, number>>>

/** A whole number of at least 1. */
const limit = (fallback: number) =>
  z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= 1, { error: 'must be a whole number of at least 1' })
    .transform(Number)
    .default(fallback)

const origins = z.string().transform((text, context) =>
  list(text).map((origin) => {
    if (!/^https?:/.test(origin) || URL.parse(origin)?.origin !== origin)
      context.addIssue(`must be origins such as https://app.example.com, comma-separated; "${origin}" is none`)
    return origin
  }),
)

const cidrs = z.string().transform((text, context) =>
  list(text).map((cidr) => {
    if (!ipaddr.isValidCIDR(cidr)) context.addIssue(`must be CIDR ranges, comma-separated; "${cidr}" is none`)
    return cidr
  }),
)

/** `events=24,delivery_attempts=6` */
const monthsByTable = z.string().transform((text, context) => {
  const kept: Partial<Record<KeptTable, number>> = {}
  for (const item of list(text)) {
    const [table = '', ...rest] = item.split('=').map((part) => part.trim())
    const months = rest.join('=')
    const problem = retentionProblem(table, months, kept)
    if (problem === null) kept[table as KeptTable] = Number(months)
    else context.addIssue(problem)
  }
  return kept
})

/** The configuration contract: each variable with its description, as docs/operating.md shows it. */
export const environmentSchema = z.object({
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
    .refine((url) => !/^\w+:\/*$/.test(url), { error: 'must name a host and a database' })
    .optional()
    .describe('PostgreSQL ≥ 15. Unset: an embedded PostgreSQL under `DATA_DIR`.'),
  DATA_DIR: z.string().default('.import-tracker').describe('Where the embedded mode keeps its data, keys and token.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'must be a redis:// URL' })
    .refine((url) => URL.parse(url)?.hostname !== '', { error: 'must name a host' })
    .optional()
    .describe('Redis ≥ 6.2 for the queue. Unset: the queue is kept in PostgreSQL.'),
  HOST: z.string().default('127.0.0.1').describe('The address to listen on.'),
  PORT: z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, { error: 'must be a port number' })
    .transform(Number)
    .default(3000)
    .describe('The port to listen on; 0 picks a free one.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
    .refine((url) => !/[?#]/.test(url) && URL.parse(url)?.username === '', {
      error: 'must have no query, fragment or user',
    })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe(
      'Where people reach the service, with `BASE_PATH`: the `url` of imports leads there. Embedded: its own address.',
    ),
  BASE_PATH: z
    .string()
    .regex(/^(\/[\w.~-]+)*\/?$/, 'must be a path such as /import-tracker')
    .refine((path) => !/\/\.{1,2}(\/|$)/.test(path), { error: 'must be a path without . and ..' })
    .transform((path) => path.replace(/\/$/, ''))
    .optional()
    .describe('The path that everything is below, such as `/import-tracker`; `/v1`, too.'),
  ROLES: z
    .string()
    .default('api,worker')
    .transform((text, context) => {
      const chosen = list(text)
      const unknown = chosen.find((role) => !roles.includes(role as Role))
      if (unknown !== undefined || chosen.length === 0) context.addIssue('must be api, worker or api,worker')
      return chosen as Role[]
    })
    .describe('What this process does: `api`, `worker` or both.'),
  ADMIN_TOKEN: z
    .string()
    .min(16, 'must have at least 16 characters')
    .regex(/^[!-~]*$/, 'must be visible ASCII without spaces, as a header carries it')
    .optional()
    .describe(
      'The first token, with the scope admin. Embedded: made and printed on the first start, kept in `DATA_DIR/admin-token`.',
    ),
  ENCRYPTION_KEYS: z
    .string()
    .transform((text, context) => {
      const keys = list(text).map(readKey)
      if (keys.length === 0 || keys.includes(null))
        context.addIssue('must be keys of 32 bytes in base64, comma-separated')
      return keys.filter((key) => key !== null)
    })
    .optional()
    .describe(
      'Keys for stored secrets: base64 of 32 bytes, comma-separated, the first one encrypts. Embedded: made and kept in `DATA_DIR`.',
    ),
  WEBHOOK_ALLOWED_CIDRS: cidrs
    .optional()
    .describe('Private ranges that webhooks may be sent to. Embedded: loopback; otherwise none.'),
  PROVIDER_ALLOWED_CIDRS: cidrs
    .optional()
    .describe('Private ranges that providers may be in. Embedded: loopback; otherwise none.'),
  CORS_ORIGINS: origins
    .optional()
    .describe(
      'Origins whose pages may call the API from a browser, such as `https://app.example.com`, comma-separated.',
    ),
  TRUSTED_PROXIES: cidrs
    .optional()
    .describe('Ranges of the proxies whose `X-Forwarded-For` is believed. Unset: of nobody.'),
  MAX_REQUESTS_PER_SECOND: limit(1_000).describe('Requests a second of one token, in each process.'),
  MAX_STREAMS_PER_TOKEN: limit(200).describe('Streams of server-sent events of one token, in each process.'),
  MAX_STREAMS: limit(1_000).describe('Streams of server-sent events, in each process.'),
  MAX_WAITERS: limit(1_000).describe('Requests that wait (`waitMs`), in each process.'),
  MAX_DOWNLOADS: limit(20).describe('Downloads of all rows (CSV, NDJSON), in each process.'),
  HISTORY_RETENTION_MONTHS: monthsByTable
    .optional()
    .describe('Months of history to keep, such as `snapshots=24,events=24`. Unset, or a table absent: all of it.'),
  LOG_LEVEL: z
    .enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` })
    .default('info')
    .describe('How much is logged.'),
})

/** The variables that usually name a proxy. The service uses none, so they aren't part of the contract. */
const proxyVariables = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']

/** How much one process takes on at once, in total and for one token. */
export interface Limits {
  requestsPerSecond: number
  streamsPerToken: number
  streams: number
  waiters: number
  downloads: number
}

export interface Config {
  /** Null in the embedded mode, which starts a Postgres of its own. */
  databaseUrl: string | null
  dataDir: string
  /** Null: the queue is in Postgres. */
  redisUrl: string | null
  host: string
  port: number
  /** Where people reach the service, with the base path and no slash at the end. Null: not set. */
  publicUrl: string | null
  /** Begins with a slash and ends without one. Empty: everything is at the root. */
  basePath: string
  roles: ReadonlySet<Role>
  /** Null: not set; the embedded mode makes a token. */
  adminToken: string | null
  /** Null: not set; the embedded mode makes a key. */
  encryptionKeys: readonly Buffer[] | null
  webhookAllowedCidrs: readonly string[]
  providerAllowedCidrs: readonly string[]
  corsOrigins: readonly string[]
  trustedProxies: readonly string[]
  limits: Limits
  historyRetention: HistoryRetention
  /** The names of variables that name an unused proxy. Their values may hold passwords. */
  unusedProxies: readonly string[]
  logLevel: (typeof logLevels)[number]
}

/** A wrong environment. The message has one line a wrong variable, with its name and what it must be. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

const loopback = ['127.0.0.0/8', '::1/128']

/** An empty variable counts as unset. @throws {ConfigError} naming every wrong variable. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = environmentSchema.safeParse(given)
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}.`).join('\n'))
  const env = parsed.data

  const { PUBLIC_URL: publicUrl = null, BASE_PATH: basePath = '' } = env
  if (publicUrl !== null && !new URL(publicUrl).pathname.endsWith(basePath))
    throw new ConfigError(`PUBLIC_URL must end with BASE_PATH, which is ${basePath}.`)

  const privateDefault = env.DATABASE_URL === undefined ? loopback : []
  return {
    databaseUrl: env.DATABASE_URL ?? null,
    dataDir: env.DATA_DIR,
    redisUrl: env.REDIS_URL ?? null,
    host: env.HOST,
    port: env.PORT,
    publicUrl,
    basePath,
    roles: new Set(env.ROLES),
    adminToken: env.ADMIN_TOKEN ?? null,
    encryptionKeys: env.ENCRYPTION_KEYS ?? null,
    webhookAllowedCidrs: env.WEBHOOK_ALLOWED_CIDRS ?? privateDefault,
    providerAllowedCidrs: env.PROVIDER_ALLOWED_CIDRS ?? privateDefault,
    corsOrigins: env.CORS_ORIGINS ?? [],
    trustedProxies: env.TRUSTED_PROXIES ?? [],
    limits: {
      requestsPerSecond: env.MAX_REQUESTS_PER_SECOND,
      streamsPerToken: env.MAX_STREAMS_PER_TOKEN,
      streams: env.MAX_STREAMS,
      waiters: env.MAX_WAITERS,
      downloads: env.MAX_DOWNLOADS,
    },
    historyRetention: env.HISTORY_RETENTION_MONTHS ?? {},
    unusedProxies: proxyVariables.filter((name) => given[name] !== undefined),
    logLevel: env.LOG_LEVEL,
  }
}

/** The feed of events goes back 30 days, which may touch three calendar months. */
const minMonths: Partial<Record<KeptTable, number>> = { events: 2 }
const maxMonths = 1_200

function retentionProblem(table: string, months: string, kept: HistoryRetention): string | null {
  if (!isKeptTable(table))
    return `must be table=months, comma-separated, of ${keptTables.join(', ')}; "${table}" is none of them`
  if (kept[table] !== undefined) return `must name ${table} once`
  const fewest = minMonths[table] ?? 1
  const isRight = /^\d{1,4}$/.test(months) && Number(months) >= fewest && Number(months) <= maxMonths
  return isRight ? null : `must give ${table} whole months, ${fewest} to ${maxMonths}; "${months}" is none`
}

function isKeptTable(name: string): name is KeptTable {
  return (keptTables as readonly string[]).includes(name)
}

/**
 * Returns null if the text is no key. Buffer.from alone skips characters that aren't base64, and so turns typing errors
 * into keys.
 */
function readKey(encoded: string): Buffer | null {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(encoded) ? Buffer.from(encoded, 'base64') : null
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Returns true if the token is shorter, or has fewer different characters, than a random token would. */
export function isEasilyGuessed(token: string): boolean {
  return token.length < 24 || new Set(token).size < 10
}
