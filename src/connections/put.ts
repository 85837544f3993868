// Owns creating, replacing and changing a connection.
import { and, eq, isNull } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { AppError, invalid, notFound } from '../api/refusal.ts'
import { differing, requireUnchanged } from '../api/seen.ts'
import type { Clock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import { newId } from '../base/ids.ts'
import { isSame } from '../base/stable-json.ts'
import { spendingOf } from '../budget/spending.ts'
import { type CurrentProvider, findCurrent, findPinned } from '../catalog/documents.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports } from '../db/schema/index.ts'
import type { Guard } from '../egress/guard.ts'
import { effectiveLimits } from '../model/limits.ts'
import { defaultsOf } from '../providers/facts.ts'
import {
  type CheckedConnection,
  checkConnection,
  checkName,
  type PatchConnectionInput,
  type PutConnectionInput,
} from './input.ts'
import { resumeConnection } from './pause.ts'
import type { ApiConnection, ConnectionRow } from './present.ts'
import { forgetRefusedImports } from './refusals.ts'
import { openCredentials, sealCredentials } from './secrets.ts'
import { fieldsOf, givenFieldsOf } from './seen.ts'
import { showConnection } from './show.ts'
import { spentColumns } from './spread.ts'

export interface PutDeps extends Acting {
  db: Database
  clock: Clock
  encryption: Encryption
  /** The rules for the addresses of providers. */
  guard: Guard
}

/**
 * Creates the connection of this name, or replaces all of it except its history. If a paused connection gets new
 * credentials, a new base URL or new settings, it is resumed.
 * @throws {AppError} `invalid_request`; `conflict` if it has imports and the provider would change, or if it exists and
 * may not be replaced.
 */
export async function putConnection(
  deps: PutDeps,
  name: string,
  input: PutConnectionInput,
  { replace: mayReplace = true }: { replace?: boolean } = {},
): Promise<{ created: boolean; connection: ApiConnection }> {
  checkName(name)
  return deps.db.transaction(async (tx) => {
    const checked = checkConnection(deps.guard, await currentProvider(tx, input.provider), input)
    const inserted = await insert(tx, deps, name, checked)
    if (inserted) {
      await tell(tx, deps, 'connection.put', inserted, { created: true })
      return { created: true, connection: await showConnection(tx, inserted, deps.clock.now()) }
    }
    const old = await lockByName(tx, name)
    if (!old) throw new AppError('conflict', 'The connection was deleted just now; try again.')
    if (!mayReplace)
      throw new AppError('conflict', `There is a connection ${name} already.`, [
        { field: 'name', message: 'is that of another connection' },
      ])
    const fields = changedFields(deps, old, checked)
    const replaced = await replace(tx, deps, old, checked)
    await tell(tx, deps, 'connection.put', replaced, { created: false, fields })
    return { created: false, connection: await showConnection(tx, replaced, deps.clock.now()) }
  })
}

/**
 * Replaces the given fields. Absent fields stay, including the credentials, so a caller doesn't have to send them
 * again.
 * @throws {AppError} `not_found`; `invalid_request`; `conflict` as for putting, and if no key decrypts the stored
 * credentials.
 * @param options.keepCredentials the names of stored credentials that stay beside those of the change.
 * @param options.seen what `readSeen` said when the connection was shown: a {@link StaleChange} if it isn't so any more.
 */
export async function patchConnection(
  deps: PutDeps,
  name: string,
  change: PatchConnectionInput,
  { keepCredentials = [], seen = null }: { keepCredentials?: readonly string[]; seen?: string | null } = {},
): Promise<ApiConnection> {
  return deps.db.transaction(async (tx) => {
    const old = await lockByName(tx, name)
    if (!old) throw notFound('connection')
    if (seen !== null) requireUnchanged(deps.encryption, old.id, seen, fieldsOf(deps.encryption, old))
    const { provider } = change
    // A change keeps the revision that the connection is pinned to.
    const current = provider === undefined ? await findPinned(tx, old) : await currentProvider(tx, provider)
    if (!current) throw new AppError('conflict', `This version doesn’t know the provider ${old.provider}.`)
    const checked = checkConnection(deps.guard, current, merge(deps, old, change, keepCredentials))
    const fields = changedFields(deps, old, checked)
    const replaced = await replace(tx, deps, old, checked)
    await tell(tx, deps, 'connection.change', replaced, { fields })
    return showConnection(tx, replaced, deps.clock.now())
  })
}

async function currentProvider(tx: Transaction, name: string): Promise<CurrentProvider> {
  const current = await findCurrent(tx, name)
  if (!current) throw invalid('provider', `must name a provider; there is no "${name}"`)
  return current
}

function merge(
  { encryption }: PutDeps,
  old: ConnectionRow,
  change: PatchConnectionInput,
  keepCredentials: readonly string[],
): PutConnectionInput {
  const stored = openCredentials(encryption, old) as Record<string, unknown> | null
  const kept = Object.entries(stored ?? {}).filter(([name]) => keepCredentials.includes(name))
  const credentials = change.credentials ? { ...Object.fromEntries(kept), ...change.credentials } : stored
  if (credentials === null)
    throw new AppError('conflict', 'No key opens the stored credentials any more: give them, too.')
  const limits = Object.entries({ ...old.limits, ...change.limits }).filter(([, limit]) => limit !== null)
  return {
    provider: change.provider ?? old.provider,
    baseUrl: (change.baseUrl === undefined ? old.baseUrl : change.baseUrl) ?? undefined,
    credentials,
    settings: change.settings ?? old.settings,
    limits: Object.fromEntries(limits),
    volatileFields: change.volatileFields ?? old.volatileFields,
    baselineBy: change.baselineBy ?? old.baselineBy,
  }
}

async function insert(tx: Transaction, { clock, encryption }: PutDeps, name: string, checked: CheckedConnection) {
  const id = newId()
  const now = clock.now()
  const credentials = sealCredentials(encryption, id, checked.credentials)
  const [row] = await tx
    .insert(connections)
    .values({ ...checked, id, name, credentials, createdAt: now, updatedAt: now })
    .onConflictDoNothing({ target: connections.name, where: isNull(connections.deletedAt) })
    .returning()
  return row
}

async function replace(
  tx: Transaction,
  { clock, encryption }: PutDeps,
  old: ConnectionRow,
  checked: CheckedConnection,
): Promise<ConnectionRow> {
  if (old.provider !== checked.provider) await refuseWithImports(tx, old)

  const now = clock.now()
  const limits = effectiveLimits(defaultsOf(checked), checked.limits)
  const [row] = await tx
    .update(connections)
    .set({
      ...checked,
      credentials: sealCredentials(encryption, old.id, checked.credentials),
      updatedAt: now,
      // What the old limits left must not hold up requests under the new ones.
      ...(!isSame(old.limits, checked.limits) && {
        ...spentColumns(limits, { ...spendingOf(old), nextRequestAt: null }, now.getTime()),
        stretchUntil: null,
      }),
    })
    .where(eq(connections.id, old.id))
    .returning()
  if (!row) throw new Error(`The locked connection ${old.id} is gone.`)
  if (asksAlike(encryption, old, checked)) return row
  await forgetRefusedImports(tx, row.id)
  return resumeConnection(tx, { connectionId: row.id, now, by: 'somebody' })
}

async function lockByName(tx: Transaction, name: string): Promise<ConnectionRow | undefined> {
  const [row] = await tx
    .select()
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
    .for('update')
  return row
}

async function refuseWithImports(tx: Transaction, connection: ConnectionRow): Promise<void> {
  const [first] = await tx
    .select({ id: imports.id })
    .from(imports)
    .where(eq(imports.connectionId, connection.id))
    .limit(1)
  if (first)
    throw new AppError('conflict', `The connection has imports at ${connection.provider}; make another connection.`, [
      { field: 'provider', message: 'can’t be changed while the connection has imports' },
    ])
}

function tell(
  tx: Transaction,
  { by, clock }: PutDeps,
  verb: 'connection.put' | 'connection.change',
  { id, name }: ConnectionRow,
  details: Record<string, unknown>,
): Promise<void> {
  return writeAction(tx, by, { at: clock.now(), verb, subject: { id, name }, details })
}

/** Returns the names of the fields whose values differ. Of limits and settings each is a field. */
function changedFields(deps: PutDeps, old: ConnectionRow, next: CheckedConnection): string[] {
  return differing(fieldsOf(deps.encryption, old), givenFieldsOf(next))
}

function asksAlike(encryption: Encryption, old: ConnectionRow, next: CheckedConnection): boolean {
  return (
    old.providerRevision === next.providerRevision &&
    old.baseUrl === next.baseUrl &&
    isSame(old.settings, next.settings) &&
    isSame(openCredentials(encryption, old), next.credentials)
  )
}
