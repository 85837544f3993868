// Owns what a call means for the whole connection: some answers make all of it wait, refusals may pause it, and an answer
// shows that it is let in.

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
  /** What was asked for. `summary`: the second call of a poll whose first one was answered. */
  what: 'status' | 'summary' | 'details'
  /** Null: the provider answered. */
  error: ProviderError | null
}

/** Whether a call says something of its connection. Nearly every one is answered, over a connection that works. */
export function saysSomething(access: ConnectionAccess, { error }: MadeCall): boolean {
  return error !== null || access.pausedAt !== null || access.refusedSince !== null
}

/** Writes down what a call means for its connection, in the transaction that records it. Returns what has become due. */
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

/** That there is no such job, is told to those who may ask. */
function isLetIn({ error, what }: MadeCall): boolean {
  return error === null || what === 'summary' || (error.kind === 'not_found' && error.status !== null)
}

/** A 403 of rows is about them alone, and a refused summary came with a status that wasn't refused. */
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
