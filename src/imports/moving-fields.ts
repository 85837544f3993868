// Owns finding fields of the body that change with every answer and mean nothing, such as the id of a request. They
// differed in some snapshots that differed in nothing else. Their changes make no more snapshots. The stored knowledge
// is bounded, however much a vendor changes.
import { sql } from 'drizzle-orm'
import { elementOf, type PointerTree, pointerBelow, pointerTree } from '../base/json-pointer.ts'
import type { Transaction } from '../db/client.ts'
import type { MovingFields } from '../db/schema/index.ts'
import { unnest } from '../db/unnest.ts'
import { isObject } from '../providers/fields.ts'
import { canonical } from './fingerprint.ts'
import type { TrackedImport } from './tracked.ts'

/** So many changes, few polls apart, prove that a field moves by itself. A field that changes now and then is news. */
const provingMoves = 3
const maxPollsBetween = 4
/**
 * If it is never the same field, the whole body moves. After so many such reports, the body alone makes no snapshot any
 * more.
 */
const provingBodies = 8
/** How many fields are remembered. Beyond that, the whole body moves. */
const maxFields = 50

const wholeBody = ''

/** A report that differs from the last snapshot of its import in its body alone. */
interface OtherBody {
  tracked: Pick<TrackedImport, 'id' | 'snapshotId' | 'polls' | 'movingFields'>
  body: unknown
}

/** Returns the known moving fields after these reports, by import. Null: none is known. */
export async function findMoving(
  tx: Transaction,
  others: readonly OtherBody[],
): Promise<Map<string, MovingFields | null>> {
  const open = others.map(({ tracked }) => ({ ofImport: tracked.id, ofSnapshot: tracked.snapshotId }))
  const { rows } = await tx.execute<{ importId: string; body: unknown }>(sql`
    /* snapshot.read_bodies */
    SELECT import_id AS "importId", body
    FROM ${unnest('open', open, { ofImport: 'uuid', ofSnapshot: 'uuid' })}
    JOIN snapshots ON import_id = of_import AND id = of_snapshot`)
  const bodies = new Map(rows.map(({ importId, body }) => [importId, body]))
  return new Map(
    others.map(({ tracked: { id, movingFields, polls }, body }) => [
      id,
      bodies.has(id) ? learnMoving(movingFields, { before: bodies.get(id), after: body }, polls + 1) : movingFields,
    ]),
  )
}

/** Returns the known moving fields after a report, at this poll, that differs from the one before in its body alone. */
export function learnMoving(
  known: MovingFields | null,
  bodies: { before: unknown; after: unknown },
  poll: number,
): MovingFields {
  const { leftOut, moved } = known ?? { leftOut: [], moved: {} }
  const seen = new Map(Object.entries(moved).filter(([, [, last]]) => poll - last <= maxPollsBetween))
  for (const pointer of [wholeBody, ...changedIn(bodies.before, bodies.after, pointerTree(leftOut))])
    seen.set(pointer, [(seen.get(pointer)?.[0] ?? 0) + 1, poll])
  const proven = [...seen].filter(
    ([pointer, [times]]) => times >= (pointer === wholeBody ? provingBodies : provingMoves),
  )
  const pointers = [...leftOut, ...proven.map(([pointer]) => pointer)]
  if (pointers.includes(wholeBody) || pointers.length > maxFields) return { leftOut: [wholeBody], moved: {} }
  const left = [...seen].filter(([pointer]) => !pointers.includes(pointer))
  // The whole body comes first, and so stays.
  return { leftOut: pointers, moved: Object.fromEntries(left.slice(0, maxFields)) }
}

/** Returns the pointers of differing fields, without those that are left out anyway. */
function changedIn(before: unknown, after: unknown, leftOut: PointerTree): Set<string> {
  const found = new Set<string>()
  collect(before, after, leftOut, wholeBody, found)
  return found
}

function collect(
  before: unknown,
  after: unknown,
  leftOut: PointerTree | undefined,
  pointer: string,
  found: Set<string>,
): void {
  if (leftOut?.chosen || found.size > maxFields) return
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    for (const key of keys) {
      const isInBoth = Object.hasOwn(before, key) && Object.hasOwn(after, key)
      const below = pointerBelow(pointer, key)
      if (isInBoth) collect(before[key], after[key], leftOut?.below.get(key), below, found)
      // Keys that come and go may be different each time. Then the object that holds them is what moves.
      else if (!leftOut?.below.get(key)?.chosen) found.add(pointer === wholeBody ? below : pointer)
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    before.forEach((item, index) => {
      collect(item, after[index], elementOf(leftOut, index), pointerBelow(pointer, '-'), found)
    })
  else if (canonical(before, leftOut) !== canonical(after, leftOut)) found.add(pointer)
}
