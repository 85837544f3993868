// Owns doing to many imports what the verbs poll-now, stop and resume do to one.
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Acting, writeAction } from '../actions/write.ts'
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Database, Transaction } from '../db/client.ts'
import { type ImportState, liveStates, states } from '../model/import-state.ts'
import { type Change, changeImports } from './change.ts'
import type { ImportRow } from './columns.ts'
import type { ImportFilter } from './filter.ts'
import { findImports } from './find.ts'
import { pollingNow } from './poll-now.ts'
import { resuming } from './resume.ts'
import { stopping } from './stop.ts'

export const actions = ['poll', 'stop', 'resume'] as const
export type ImportAction = (typeof actions)[number]

/** How many imports one call takes at most. */
export const maxTaken = 1_000
/** How many imports one transaction changes, so that none is locked for long. */
export const changedTogether = 100

export const actionResultSchema = z
  .object({
    count: z.number().int().describe(`How many imports match, of those that one call takes: at most ${maxTaken}.`),
    done: z.number().int().describe('How many of them the action was done to. 0 in a dry run.'),
    skipped: z.number().int().describe('How many of them it isn’t for, or that refused it: they stay as they were.'),
    more: z.boolean().describe('True: more match that the action is for, so call again.'),
    dryRun: z.boolean(),
  })
  .meta({ id: 'ImportActionResult' })

export type ActionResult = z.infer<typeof actionResultSchema>

interface Deps extends Acting {
  db: Database
  clock: Clock
}

/** For each action, the states that it is for, and what it does to an import. A resume is never forced. */
export const kinds: Record<
  ImportAction,
  { states: readonly ImportState[]; decide(row: ImportRow, now: Date): Change | null }
> = {
  poll: { states: liveStates, decide: pollingNow },
  stop: { states: liveStates, decide: stopping },
  resume: { states: ['lost', 'stopped'], decide: (row, now) => resuming(row, { now, force: false }) },
}

/**
 * Does the action to the imports that match, at most {@link maxTaken}. Those that it is for come first, so that calling
 * again goes on.
 */
export async function actOnImports(
  deps: Deps,
  { filter, action, dryRun }: { filter: ImportFilter; action: ImportAction; dryRun: boolean },
): Promise<ActionResult> {
  const now = deps.clock.now()
  const { states: meant, decide } = kinds[action]
  const isDue = sql`EXISTS (SELECT FROM polling p WHERE p.import_id = i.id AND p.due_at <= ${now})`
  const find = (limit: number, among: readonly ImportState[], where?: SQL) =>
    findAmong(deps, filter, limit, among, where)

  const found = await find(maxTaken + 1, meant, action === 'poll' ? sql`NOT ${isDue}` : undefined)
  const taken = found.slice(0, maxTaken)
  // A poll that is due already needs nothing more.
  const due = action === 'poll' ? await find(maxTaken - taken.length, meant, isDue) : []
  const others = states.filter((state) => !meant.includes(state))
  const unfit = await find(maxTaken - taken.length - due.length, others)

  const count = taken.length + due.length + unfit.length
  const more = found.length > maxTaken
  if (dryRun) return { count, done: 0, skipped: unfit.length, more, dryRun }
  const id = newId()
  let done = 0
  let seen = unfit.length
  /** Each transaction tells of the call as far as it has come, so what is written holds whenever it breaks off. */
  const write = async (tx: Transaction, importIds: readonly string[]) => {
    if (done + importIds.length === 0) return
    const so = { count, done: done + importIds.length, skipped: seen - done - importIds.length }
    const details = { filter, ...so, more }
    await writeAction(tx, deps.by, { id, at: now, verb: `import.${action}`, subject: null, details, importIds })
  }
  for (let index = 0; index < taken.length; index += changedTogether) {
    const importIds = taken.slice(index, index + changedTogether)
    seen += importIds.length
    done += await deps.db.transaction(async (tx) => {
      const changed = await changeImports(tx, { importIds, now, decide: (row) => decide(row, now) })
      await write(tx, changed)
      return changed.length
    })
  }
  if (due.length > 0) {
    seen += due.length
    await deps.db.transaction((tx) => write(tx, due))
    done += due.length
  }
  return { count, done, skipped: count - done, more, dryRun }
}

function findAmong(
  { db }: Pick<Deps, 'db'>,
  filter: ImportFilter,
  limit: number,
  among: readonly ImportState[],
  where?: SQL,
): Promise<string[]> {
  const state = filter.state === undefined ? among : among.filter((one) => filter.state?.includes(one))
  if (limit === 0 || state.length === 0) return Promise.resolve([])
  return findImports(
    { db },
    { filter: { ...filter, state }, order: 'oldest', behind: null, limit, ...(where && { where }) },
  )
}
