// Owns which lists are walked now: for each served connection as many as it allows, the longest due first.
import { sql } from 'drizzle-orm'
import type { ConnectionAccess, ConnectionAccesses } from '../connections/access.ts'
import { opensAt, type Room, readRooms, spendRequests } from '../connections/rooms.ts'
import type { Transaction } from '../db/client.ts'
import { phaseOf } from '../db/phase.ts'
import { findProbes } from '../imports/probe.ts'
import { allot } from '../work/allot.ts'
import type { Begun, Served } from '../work/kind.ts'

/** An import that is over and whose rows aren't all stored. */
export interface Collection {
  id: string
  ownerId: string
  access: ConnectionAccess
}

export async function beginCollections(
  { accesses }: { accesses: ConnectionAccesses },
  tx: Transaction,
  { owners, most, now }: { owners: readonly Served<Collection>[]; most: number; now: Date },
): Promise<Begun<Collection>> {
  const rooms = await readRooms(tx, 'collect', owners, now)
  const allotted = allot(
    rooms.map(({ id, requests }) => ({ id, wanted: requests })),
    most,
  )
  const open = rooms.filter(({ id }) => (allotted.get(id) ?? 0) > 0)
  const busy = owners.flatMap((owner) => [...owner.underWay.keys()])
  const usual = open.filter(({ isProbe }) => !isProbe)
  const { rows } = await tx.execute<{ id: string; connectionId: string }>(sql`
    /* collect.begin */
    SELECT due.id, due.connection_id AS "connectionId"
    FROM unnest(
      ${sql.param(usual.map(({ id }) => id))}::uuid[], ${sql.param(usual.map(({ id }) => allotted.get(id)))}::int[],
      ${sql.param(usual.map(({ share }) => share))}::float8[]
    ) AS c (id, room, share)
    CROSS JOIN LATERAL (
      SELECT id, connection_id FROM imports
      WHERE connection_id = c.id AND next_collect_at <= ${now} AND id <> ALL(${sql.param(busy)}::uuid[])
        AND ${phaseOf(sql`id`)} <= c.share
      ORDER BY next_collect_at LIMIT c.room
    ) due`)
  const probing = open.filter(({ isProbe }) => isProbe).map(({ id }) => id)
  const probes = await findProbes(tx, { kind: 'collect', connectionIds: probing, busy, now })
  const opened = await accesses.open(
    tx,
    rooms.map(({ row }) => row),
  )
  const items = [...rows, ...probes].flatMap(({ id, connectionId }): Collection[] => {
    const access = opened.get(connectionId)
    return access ? [{ id, ownerId: connectionId, access }] : []
  })
  const taken = Map.groupBy(items, ({ ownerId }) => ownerId)
  const begun = rooms.map((room) => ({ room, requests: taken.get(room.id)?.length ?? 0 }))
  await spendRequests(tx, begun, now)
  return { items, next: nextOf(begun, allotted, now) }
}

/** Returns when a connection, or this process, has room again. The next tick finds lists that are due later. */
function nextOf(
  begun: readonly { room: Room; requests: number }[],
  allotted: ReadonlyMap<string, number>,
  now: Date,
): Map<string, Date> {
  const next = new Map<string, Date>()
  for (const { room, requests } of begun) {
    const share = allotted.get(room.id) ?? 0
    if (requests < share) continue
    const at = share < room.requests ? now : opensAt(room, requests, now)
    if (at) next.set(room.id, at)
  }
  return next
}
