// Owns what a call means for the whole connection: some answers make all of it wait, refusals may pause it, and an answer
// shows that it is let in.

import type { Database } from '../db/client.ts'
import type { ProviderError, ProviderErrorKind } from '../providers/error.ts'
import type { Wake } from '../work/wake.ts'
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

interface Deps {
  db: Database
  wake: Wake
}

export async function reactForConnection(
  deps: Deps,
  access: ConnectionAccess,
  call: MadeCall,
  now: Date,
): Promise<void> {
  const { error, what } = call
  if (isLetIn(call)) await answered(deps, access, now)
  if (error === null) return
  const waitMs = announcedWaitMs(error)
  if (waitMs !== null) return blockConnection(deps.db, access, { now, waitMs })
  const reason = refusalOf(error.kind, what)
  if (reason !== null) await refused(deps, access, { importId: call.importId, reason }, now)
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

async function answered({ db, wake }: Deps, access: ConnectionAccess, now: Date): Promise<void> {
  if (access.pausedAt !== null) {
    await db.transaction((tx) => resumeConnection(tx, { connectionId: access.id, now, by: 'probe' }))
    wake.deliver()
    wake.poll()
  } else if (access.refusedSince !== null) await forgetRefusals(db, access.id, access.refusedSince)
}

async function refused(
  { db, wake }: Deps,
  { id: connectionId, updatedAt }: ConnectionAccess,
  refusal: { importId: string; reason: PauseReason },
  now: Date,
): Promise<void> {
  const isPaused = await db.transaction((tx) => noteRefusal(tx, { connectionId, updatedAt, ...refusal, now }))
  if (isPaused) wake.deliver()
}
