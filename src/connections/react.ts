// Owns what a call means for its connection: some errors block it, refusals may pause it, and an answer clears its
// refusals.

import type { Transaction } from '../db/client.ts'
import type { ProviderError, ProviderErrorKind } from '../providers/error.ts'
import type { WorkName } from '../work/kind.ts'
import type { ConnectionAccess } from './access.ts'
import { announcedWaitMs, blockConnection } from './block.ts'
import { resumeConnection } from './pause.ts'
import type { PauseReason } from './present.ts'
import { forgetRefusals, noteRefusal } from './refusals.ts'

export interface MadeCall {
  importId: string
  /** The kind of call. `summary`: the second call of a poll, after an answered first one. */
  what: 'status' | 'summary' | 'details'
  /** Null: the provider answered. */
  error: ProviderError | null
}

/**
 * Returns true if a call may change its connection. Nearly all calls are answered over a working connection, and change
 * nothing.
 */
export function saysSomething(access: ConnectionAccess, { error }: MadeCall): boolean {
  return error !== null || access.pausedAt !== null || access.refusedSince !== null
}

/**
 * Stores what a call means for its connection, in the transaction that records the call. Returns the kinds of work that
 * became due.
 */
export async function reactForConnection(
  tx: Transaction,
  access: ConnectionAccess,
  call: MadeCall,
  now: Date,
): Promise<readonly WorkName[]> {
  const { error, what } = call
  const due = isLetIn(call) ? await answered(tx, access, now) : []
  if (error === null) return due
  const waitMs = announcedWaitMs(error)
  if (waitMs !== null) {
    await blockConnection(tx, access, { now, waitMs })
    return due
  }
  const reason = refusalOf(error.kind, what)
  return reason === null ? due : refused(tx, access, { importId: call.importId, reason }, now)
}

/** Returns true if the provider accepted the credentials. It says "no such job" only to clients that it accepts. */
function isLetIn({ error, what }: MadeCall): boolean {
  return error === null || what === 'summary' || (error.kind === 'not_found' && error.status !== null)
}

/** A 403 for rows concerns the rows alone. A refused summary follows a status that wasn't refused. */
function refusalOf(kind: ProviderErrorKind, what: MadeCall['what']): PauseReason | null {
  if (kind === 'unauthorized' && what !== 'summary') return kind
  return kind === 'forbidden' && what === 'status' ? kind : null
}

async function answered(tx: Transaction, access: ConnectionAccess, now: Date): Promise<readonly WorkName[]> {
  if (access.pausedAt !== null) {
    await resumeConnection(tx, { connectionId: access.id, now, by: 'probe' })
    return ['deliver', 'poll']
  }
  if (access.refusedSince !== null) await forgetRefusals(tx, access.id, access.refusedSince)
  return []
}

async function refused(
  tx: Transaction,
  { id: connectionId, updatedAt }: ConnectionAccess,
  refusal: { importId: string; reason: PauseReason },
  now: Date,
): Promise<readonly WorkName[]> {
  return (await noteRefusal(tx, { connectionId, updatedAt, ...refusal, now })) ? ['deliver'] : []
}
