// Owns writing down who did what, in the transaction of the change itself: nothing is told that didn't happen, and
// nothing happens untold. What the service does by itself is an event (events/), not an action.
import { sql } from 'drizzle-orm'
import { defined } from '../base/defined.ts'
import { newId } from '../base/ids.ts'
import type { Transaction } from '../db/client.ts'
import { actionImports, actions } from '../db/schema/index.ts'
import type { ActionVerb } from './verbs.ts'

/** Who acts: the holder of a token. */
export interface Actor {
  /** Null: the bootstrap token of the configuration. */
  tokenId: string | null
  name: string
  scope: string
  /**
   * What this was asked for by, such as one sending of a form. A second action of the same is refused by the table, and
   * its transaction with it. Absent: it may be done again.
   */
  once?: string
}

/** What every verb depends on that changes something. */
export interface Acting {
  by: Actor
}

export interface NewAction {
  /** Absent: a new one. */
  id?: string
  at: Date
  verb: ActionVerb
  /** Null: many imports at once. */
  subject: { id: string; name: string } | null
  endpointId?: string
  /** What more there is to know. Never a secret. */
  details?: Record<string, unknown> | null
  /** The imports that it touched. */
  importIds?: readonly string[]
}

/**
 * Writes an action. One that is written again, because it goes on in a further transaction, gets the new details, and
 * these imports besides the earlier ones.
 */
export async function writeAction(tx: Transaction, by: Actor, action: NewAction): Promise<void> {
  const { id = newId(), at, verb, subject, endpointId, details = null, importIds = [] } = action
  const row = {
    id,
    at,
    tokenId: by.tokenId,
    by: by.name,
    scope: by.scope,
    verb,
    subjectId: subject?.id ?? null,
    subject: subject?.name ?? null,
    connection: verb.startsWith('connection.') ? (subject?.name ?? null) : null,
    endpointId: endpointId ?? null,
    details,
    once: by.once ?? null,
  }
  await tx.insert(actions).values(row).onConflictDoUpdate({ target: actions.id, set: { details } })
  if (importIds.length === 0) return
  const ids = sql`unnest(${sql.param([...importIds])}::uuid[])`
  await tx.execute(sql`
    /* action.touch */
    INSERT INTO ${actionImports} (action_id, import_id) SELECT ${id}::uuid, ${ids}`)
}

/** Returns the names of the fields that were given, for the details of a change. Values may be secret. */
export function givenFields(input: object): string[] {
  return Object.keys(defined(input)).sort()
}
