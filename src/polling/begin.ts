// Owns which polls begin now: for each served connection as many as it allows, the longest due first.
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Baseline } from '../baselines/baseline.ts'
import { kindOf } from '../baselines/kind.ts'
import type { Baselines } from '../baselines/read.ts'
import { withStretch } from '../budget/shares.ts'
import type { ConnectionAccess, ConnectionAccesses } from '../connections/access.ts'
import { opensAt, type Room, readRooms, spendRequests } from '../connections/rooms.ts'
import type { Transaction } from '../db/client.ts'
import { phaseOf } from '../db/phase.ts'
import { isExhausted } from '../imports/outcome.ts'
import { findProbes } from '../imports/probe.ts'
import { findRowsRead } from '../imports/rows-read.ts'
import { type TrackedImport, type TrackedRow, trackedColumns, trackedOf } from '../imports/tracked.ts'
import { allot } from '../work/allot.ts'
import type { Begun, Served } from '../work/kind.ts'

/** An import to poll, and the connection to use. */
export interface Poll {
  id: string
  ownerId: string
  tracked: TrackedImport
  access: ConnectionAccess
  /** By which factor the budget makes the next gap longer than wanted. */
  stretch: number
  /** Of which kind the import is, what is known of that kind, and of all imports of the connection. */
  kind: string
  baseline: Baseline
  connectionBaseline: Baseline
}

export async function beginPolls(
  { accesses, baselines }: { accesses: ConnectionAccesses; baselines: Baselines },
  tx: Transaction,
  { owners, most, now }: { owners: readonly Served<Poll>[]; most: number; now: Date },
): Promise<Begun<Poll>> {
  const rooms = await readRooms(tx, 'poll', owners, now)
  const allotted = allot(
    rooms.map(({ id, requests }) => ({ id, wanted: requests })),
    most,
  )
  const busy = owners.flatMap((owner) => [...owner.underWay.keys()])
  const found = await withRowsRead(tx, await longestDue(tx, rooms, allotted, { busy, now }), now)
  const ours = rooms.filter(({ isTaken }) => !isTaken).map(({ row }) => row)
  const stretches = await withStretch(tx, ours, now)
  const opened = await accesses.open(
    tx,
    rooms.map(({ row }) => row),
  )
  const polled = new Set(found.map(({ connectionId }) => connectionId))
  const known = await baselines.read(
    tx,
    rooms.filter(({ id }) => polled.has(id)).flatMap((room) => askedOf(room, opened)),
    now,
  )
  const items = found.flatMap((tracked): Poll[] => {
    const access = opened.get(tracked.connectionId)
    const stretch = stretches.get(tracked.connectionId) ?? 1
    const usual = known.get(tracked.connectionId)
    if (!access || !usual) return []
    const kind = kindOf(access.baselineBy, tracked.metadata)
    const of = { kind, baseline: usual.of(kind), connectionBaseline: usual.ofConnection }
    return [{ id: tracked.id, ownerId: tracked.connectionId, tracked, access, stretch, ...of }]
  })
  const taken = Map.groupBy(items, ({ ownerId }) => ownerId)
  const begun = rooms.map((room) => ({ room, requests: taken.get(room.id)?.length ?? 0 }))
  await spendRequests(tx, begun, now)
  return { items, next: await nextOf(tx, begun, allotted, now) }
}

function askedOf({ id, baselineRevision: revision }: Room, opened: ReadonlyMap<string, ConnectionAccess>) {
  const provider = opened.get(id)?.provider
  return provider ? [{ id, provider, revision }] : []
}

async function longestDue(
  tx: Transaction,
  rooms: readonly Room[],
  allotted: ReadonlyMap<string, number>,
  { busy, now }: { busy: readonly string[]; now: Date },
): Promise<TrackedImport[]> {
  const open = rooms.filter(({ id }) => (allotted.get(id) ?? 0) > 0)
  const usual = open.filter(({ isProbe }) => !isProbe)
  const probes = open.filter(({ isProbe }) => isProbe)
  return [
    ...(usual.length > 0 ? await dueOf(tx, usual, allotted, { busy, now }) : []),
    ...(probes.length > 0 ? await probesOf(tx, probes, { busy, now }) : []),
  ]
}

/** Longer than a poll takes: its answer may come when the time is over. */
const longestPollMs = 120_000

async function withRowsRead(tx: Transaction, due: TrackedImport[], now: Date): Promise<TrackedImport[]> {
  const awaiting = due.filter(({ heldOutcome }) => heldOutcome?.awaitsRows)
  if (awaiting.length === 0) return due
  const answeredAt = after(now, longestPollMs)
  const nearEnd = awaiting.filter(
    ({ heldOutcome, deadlineAt }) => heldOutcome && isExhausted(heldOutcome, deadlineAt, answeredAt),
  )
  const read = await findRowsRead(
    tx,
    awaiting.map(({ id }) => id),
    new Set(nearEnd.map(({ id }) => id)),
  )
  return due.map((tracked) => {
    const rowsRead = read.get(tracked.id)
    return rowsRead ? { ...tracked, rowsRead } : tracked
  })
}

async function dueOf(
  tx: Transaction,
  rooms: readonly Room[],
  allotted: ReadonlyMap<string, number>,
  { busy, now }: { busy: readonly string[]; now: Date },
): Promise<TrackedImport[]> {
  // Nearly always all imports may continue. Only otherwise is each import's phase computed.
  const isSpread = rooms.some(({ share }) => share < 1)
  const { rows } = await tx.execute<TrackedRow & Record<string, unknown>>(sql`
    /* poll.begin */
    SELECT ${trackedColumns(sql`c.tells_kinds`)}
    FROM unnest(
      ${sql.param(rooms.map(({ id }) => id))}::uuid[],
      ${sql.param(rooms.map(({ id }) => allotted.get(id)))}::int[],
      ${sql.param(rooms.map(({ share }) => share))}::float8[],
      ${sql.param(rooms.map(({ row }) => row.baselineBy.length > 0))}::boolean[]
    ) AS c (id, room, share, tells_kinds)
    CROSS JOIN LATERAL (
      SELECT * FROM polling p
      WHERE p.connection_id = c.id AND p.due_at <= ${now} AND ${isNotOf(busy)}${isSpread ? sql` AND ${phaseOf(sql`p.import_id`)} <= c.share` : sql``}
      ORDER BY p.due_at LIMIT c.room
    ) p
    -- OFFSET makes Postgres read each import by its index. The planner can't know how few there are, and might read all.
    CROSS JOIN LATERAL (SELECT * FROM imports WHERE id = p.import_id OFFSET 0) i`)
  return rows.map(trackedOf)
}

function isNotOf(busy: readonly string[]): SQL {
  return busy.length === 0 ? sql`true` : sql`p.import_id <> ALL(${sql.param(busy)}::uuid[])`
}

async function probesOf(
  tx: Transaction,
  rooms: readonly Room[],
  { busy, now }: { busy: readonly string[]; now: Date },
): Promise<TrackedImport[]> {
  const connectionIds = rooms.map(({ id }) => id)
  const probes = await findProbes(tx, { kind: 'poll', connectionIds, busy, now })
  const { rows } = await tx.execute<TrackedRow & Record<string, unknown>>(sql`
    /* poll.probe */
    SELECT ${trackedColumns(sql`true`)} FROM polling p JOIN imports i ON i.id = p.import_id
    WHERE p.import_id = ANY(${sql.param(probes.map(({ id }) => id))}::uuid[])`)
  return rows.map(trackedOf)
}

/** Returns when the next poll of each connection may begin. It is now if this process had no room for more. */
async function nextOf(
  tx: Transaction,
  begun: readonly { room: Room; requests: number }[],
  allotted: ReadonlyMap<string, number>,
  now: Date,
): Promise<Map<string, Date>> {
  const next = new Map<string, Date>()
  const idle: string[] = []
  for (const { room, requests } of begun) {
    const share = allotted.get(room.id) ?? 0
    if (requests < share) idle.push(room.id)
    else if (share < room.requests) next.set(room.id, now)
    else {
      const at = opensAt(room, requests, now)
      if (at) next.set(room.id, at)
    }
  }
  if (idle.length === 0) return next
  const { rows } = await tx.execute<{ id: string; dueMs: number | null }>(sql`
    /* poll.next */
    SELECT c.id, (
      SELECT date_part('epoch', due_at) * 1000 FROM polling WHERE connection_id = c.id AND due_at > ${now}
      ORDER BY due_at LIMIT 1
    ) AS "dueMs"
    FROM unnest(${sql.param(idle)}::uuid[]) AS c (id)`)
  for (const { id, dueMs } of rows) if (dueMs !== null) next.set(id, new Date(Math.ceil(dueMs)))
  return next
}
