// Owns an action on any number of imports: counted first, then done a hundred at a time. What it has come to is written
// in its action, in the transaction of each hundred. So it goes on from there after a crash, and two who let it go on at
// once don't do anything twice.
import { desc, eq, inArray } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { notFound } from '../api/refusal.ts'
import { after, type Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Database, Transaction } from '../db/client.ts'
import { actions, imports } from '../db/schema/index.ts'
import type { ImportState } from '../model/import-state.ts'
import { changedTogether, type ImportAction, kinds, maxTaken } from './act.ts'
import { changeImports } from './change.ts'
import type { ImportFilter } from './filter.ts'
import { countImportsByState, findImports, type ImportKey } from './find.ts'

/** How many imports are counted at most. */
export const mostCounted = 100_000

interface Deps extends Acting {
  db: Database
  clock: Clock
}

export interface ManyInput {
  filter: ImportFilter
  action: ImportAction
}

/** How many imports an action can be done to, and how many it isn't for, by their state. */
export interface Plan {
  fit: number
  unfit: ReadonlyMap<ImportState, number>
}

export async function planAction({ db }: { db: Database }, { filter, action }: ManyInput): Promise<Plan> {
  const counts = await countImportsByState({ db }, filter, mostCounted)
  const isFit = (state: ImportState) => kinds[action].states.includes(state)
  const fit = [...counts].reduce((sum, [state, count]) => sum + (isFit(state) ? count : 0), 0)
  return { fit, unfit: new Map([...counts].filter(([state]) => !isFit(state))) }
}

/** What an action has come to: the `details` of its row. Moments of the filter are texts there. */
interface Progress {
  filter: ImportFilter
  count: number
  done: number
  skipped: number
  /** False: all are done. */
  more: boolean
  /** The place behind which it goes on. Null: it hasn't begun. */
  behind: ImportKey | null
  /** The names of others who let it go on. Absent: nobody did. */
  continuedBy?: string[]
}

/**
 * Begins the action, and does up to a thousand. Imports that are registered from now on aren't among them.
 * @returns the action's id.
 */
export async function beginAction(deps: Deps, { filter: given, action }: ManyInput): Promise<string> {
  const now = deps.clock.now()
  const filter = given.ids === undefined ? { registeredBefore: after(now, 1), ...given } : given
  const { fit, unfit } = await planAction(deps, { filter, action })
  const skipped = [...unfit.values()].reduce((sum, count) => sum + count, 0)
  const id = newId()
  const begun = { filter, count: fit + skipped, done: 0, skipped, more: true, behind: null }
  const first = await deps.db.transaction((tx) => takeStep(tx, deps, { id, action, at: now, progress: begun }))
  if (first.more) await goOn(deps, id, stepsAtOnce - 1)
  return id
}

const stepsAtOnce = maxTaken / changedTogether

/**
 * Does up to a thousand more of an action that has begun, whoever began it. One that is done stays as it is.
 * @throws {AppError} not_found
 */
export async function goOn(deps: Deps, id: string, steps = stepsAtOnce): Promise<void> {
  for (let step = 0, more = true; more && step < steps; step++)
    more = await deps.db.transaction(async (tx) => {
      const [row] = await tx.select().from(actions).where(eq(actions.id, id)).for('update')
      if (!row) throw notFound('action')
      // Actions on one thing have no steps, and most of them no details.
      const progress = row.details as unknown as Progress | null
      if (!progress?.more || progress.behind === undefined) return false
      const action = row.verb.slice('import.'.length) as ImportAction
      // Its beginning was asked for by a form of its own.
      const { once: _once, ...by } = deps.by
      const isTheirs = row.tokenId === by.tokenId && row.by === by.name
      const others = isTheirs ? progress.continuedBy : [...new Set([...(progress.continuedBy ?? []), by.name])]
      const given = { ...progress, ...(others && { continuedBy: others }) }
      return (await takeStep(tx, { ...deps, by }, { id, action, at: row.at, progress: given })).more
    })
}

async function takeStep(
  tx: Transaction,
  { clock, by }: Deps,
  { id, action, at, progress }: { id: string; action: ImportAction; at: Date; progress: Progress },
): Promise<Progress> {
  const now = clock.now()
  const { states, decide } = kinds[action]
  const filter = withMoments(progress.filter)
  const state = filter.state === undefined ? states : states.filter((one) => filter.state?.includes(one))
  const search = { filter: { ...filter, state }, order: 'oldest', behind: progress.behind } as const
  const found = state.length === 0 ? [] : await findImports({ db: tx }, { ...search, limit: changedTogether })
  const behind = (await lastPlace(tx, found)) ?? progress.behind
  const importIds = await changeImports(tx, { importIds: found, now, decide: (row) => decide(row, now) })
  const more = found.length === changedTogether
  const done = progress.done + importIds.length
  // Those that ended or began by themselves since they were counted are skipped, too.
  const skipped = more ? progress.skipped + found.length - importIds.length : Math.max(progress.count - done, 0)
  const next = { ...progress, done, skipped, more, behind }
  await writeAction(tx, by, { id, at, verb: `import.${action}`, subject: null, details: { ...next }, importIds })
  return next
}

/** Null: there is none, or all of them were deleted just now. */
async function lastPlace(tx: Transaction, ids: readonly string[]): Promise<ImportKey | null> {
  const [last] = await tx
    .select({ id: imports.id, registeredAt: imports.registeredAt })
    .from(imports)
    .where(inArray(imports.id, [...ids]))
    .orderBy(desc(imports.registeredAt), desc(imports.id))
    .limit(1)
  return last ? [last.registeredAt.toISOString(), last.id] : null
}

/** A stored filter has its moments as texts. */
function withMoments(filter: ImportFilter): ImportFilter {
  const revived = Object.entries(filter).map(([name, value]) =>
    /(After|Before)$/.test(name) ? [name, new Date(value)] : [name, value],
  )
  return Object.fromEntries(revived)
}
