// Owns trying a connection: one request about a job that nobody has. It shows whether the provider can be reached and
// accepts the credentials. It changes only the budget, and the block that a 429 asks for.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { and, eq, isNull } from 'drizzle-orm'
import { z } from 'zod'
import { type Acting, writeAction } from '../actions/write.ts'
import { notFound } from '../api/refusal.ts'
import { after, type Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { askStatus } from '../providers/ask.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import { nobodysJobId } from '../providers/job-id.ts'
import type { ConnectionAccess, ConnectionAccesses } from './access.ts'
import { announcedWaitMs, blockConnection } from './block.ts'
import { reservedAheadMs, reserveRequest } from './reserve.ts'

export const connectionTestSchema = z
  .object({
    ok: z.boolean().describe('The provider was reached and accepts the credentials.'),
    code: z
      .string()
      .describe(
        '`accepted`, or the reason why not. `unauthorized`, `forbidden`; `rate_limited` (now, or by an earlier answer); `budget` (the connection’s own limits are used up); `undecipherable_credentials` (no key decrypts them). Or how the call failed, as in an import’s `lastError`: `bad_request`, `server_error`, `redirect`, `timeout`, `dns_error`, `connect_error`, `tls_error`, `blocked_address`, `connection_reset`, `headers_too_large`, `response_too_large`, `invalid_response`.',
      ),
    message: z.string().describe('The code in words, for people.'),
  })
  .meta({ id: 'ConnectionTest' })

export type ConnectionTest = z.infer<typeof connectionTestSchema>

export interface TestDeps {
  db: Database
  clock: Clock
  accesses: ConnectionAccesses
  client: ProviderClient
}

/** How long the request may take. */
const callMs = 20_000

/**
 * Also tries a paused connection, which stays paused. It is written down before the call, and with what came of it after.
 * @throws {AppError} not_found
 */
export async function testConnection(
  deps: TestDeps & Acting,
  name: string,
  signal: AbortSignal,
): Promise<ConnectionTest> {
  const { db, clock, by } = deps
  const id = await findId(db, name)
  const action = { id: newId(), at: clock.now(), verb: 'connection.test', subject: { id, name } } as const
  await db.transaction((tx) => writeAction(tx, by, action))
  const result = await tried(deps, name, signal)
  await db.transaction((tx) => writeAction(tx, by, { ...action, details: { ...result } }))
  return result
}

async function findId(db: Database, name: string): Promise<string> {
  const [found] = await db
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!found) throw notFound('connection')
  return found.id
}

async function tried(deps: TestDeps, name: string, signal: AbortSignal): Promise<ConnectionTest> {
  const asked = await askWithin(deps, name, signal, (access, patience) =>
    askStatus(deps.client, access.provider, access, unknownJob(access), {
      signal: patience,
    }),
  )
  if (asked.kind === 'answered')
    return { ok: true, code: 'accepted', message: 'The provider answered, and took the credentials.' }
  const { code, message } = asked.error
  if (code === 'not_found')
    return { ok: true, code: 'accepted', message: 'The provider took the credentials, and knows no such job.' }
  return { ok: false, code, message }
}

export type Asked<Value> =
  | { kind: 'answered'; value: Value }
  | { kind: 'refused'; error: { code: string; message: string } }

/** Makes one call over a connection, within its budget and blocks. `check` is asked first. @throws {AppError} not_found */
export async function askWithin<Value>(
  deps: TestDeps,
  name: string,
  signal: AbortSignal,
  call: (access: ConnectionAccess, patience: AbortSignal) => Promise<Value>,
  check: (access: ConnectionAccess) => void = () => {},
): Promise<Asked<Value>> {
  const [found] = await deps.db
    .select({ id: connections.id, blockedUntil: connections.blockedUntil })
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!found) throw notFound('connection')
  const access = (await deps.accesses.load([found.id])).get(found.id)
  if (!access) throw notFound('connection')
  check(access)

  const now = deps.clock.now()
  if (found.blockedUntil !== null && found.blockedUntil > now)
    return refused('rate_limited', `The provider asked to wait until ${found.blockedUntil.toISOString()}.`)
  const at = await reserveRequest(deps.db, access, now)
  if (at > after(now, reservedAheadMs))
    // then nothing was reserved
    return refused('budget', `The connection’s own limits allow no request before ${at.toISOString()}.`)
  await delay(at.getTime() - now.getTime(), undefined, { signal }).catch(() => {}) // then the call ends at once
  return ask(deps, access, signal, call)
}

async function ask<Value>(
  { db, clock }: TestDeps,
  access: ConnectionAccess,
  signal: AbortSignal,
  call: (access: ConnectionAccess, patience: AbortSignal) => Promise<Value>,
): Promise<Asked<Value>> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(callMs)])
  try {
    return { kind: 'answered', value: await call(access, patience) }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    const { kind, message } = error
    if (kind === 'aborted') return refused('timeout', `The provider’s answer took longer than ${callMs / 1_000} s.`)
    const waitMs = announcedWaitMs(error)
    if (waitMs !== null) await blockConnection(db, access, { now: clock.now(), waitMs })
    return refused(kind, message)
  }
}

function refused(code: string, message: string): Asked<never> {
  return { kind: 'refused', error: { code, message } }
}

function unknownJob({ provider: { jobId }, baseUrl }: ConnectionAccess): string {
  return nobodysJobId(randomUUID(), { jobId, baseUrl })
}
