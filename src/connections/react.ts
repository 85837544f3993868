// Owns what a call means for the whole connection: some answers make all of it wait, refusals may pause it, and an answer
// shows that it is let in.
import { announcedWaitMs, blockConnection } from './block.ts'
import { resumeConnection } from './pause.ts'
import type { PauseReason } from './present.ts'
import { forgetRefusals, noteRefusal } from './refusals.ts'
import type { Target } from './targets.ts'
import type { Database } from '../db/client.ts'
import type { Nudge } from '../work/wake.ts'
import type { ProviderError, ProviderErrorKind } from '../providers/error.ts'

export interface MadeCall {
  importId: string
  /** What was asked for. `summary`: the second call of a poll whose first one was answered. */
  what: 'status' | 'summary' | 'details'
  /** Null: the provider answered. */
  error: ProviderError | null
}

interface Deps {
  db: Database
  nudge: Nudge
}

export async function reactForConnection(deps: Deps, target: Target, call: MadeCall, now: Date): Promise<void> {
  const { error, what } = call
  if (isLetIn(call)) await answered(deps, target, now)
  if (error === null) return
  const waitMs = announcedWaitMs(error)
  if (waitMs !== null) return blockConnection(deps.db, target, { now, waitMs })
  const reason = refusalOf(error.kind, what)
  if (reason !== null) await refused(deps, target, { importId: call.importId, reason }, now)
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

async function answered({ db, nudge }: Deps, target: Target, now: Date): Promise<void> {
  if (target.pausedAt !== null) {
    await db.transaction((tx) => resumeConnection(tx, { connectionId: target.id, now, by: 'probe' }))
    nudge.deliver()
    nudge.poll()
  } else if (target.refusedSince !== null) await forgetRefusals(db, target.id, target.refusedSince)
}

async function refused(
  { db, nudge }: Deps,
  { id: connectionId, updatedAt }: Target,
  refusal: { importId: string; reason: PauseReason },
  now: Date,
): Promise<void> {
  const isPaused = await db.transaction((tx) => noteRefusal(tx, { connectionId, updatedAt, ...refusal, now }))
  if (isPaused) nudge.deliver()
}
