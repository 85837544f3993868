// Owns claiming all deliveries that are due, as a tick does in its looks at each lane.
import type { Database } from '../../src/db/client.ts'
import { claimDeliveries, type DueDelivery, endDeliveryLeases } from '../../src/delivering/rooms.ts'
import { type DeliveryLane, deliveryLanes } from '../../src/queue/jobs.ts'

export type ClaimedDelivery = DueDelivery & { lane: DeliveryLane }
type Room = Readonly<Partial<Record<DeliveryLane, number>>>

/** Looks again until nothing more is claimed; `room`: what a look at a lane takes, none where it isn't named. */
export async function claimAllDeliveries(
  db: Database,
  now: Date,
  room: Room = { deliver: 1_000, trial: 1_000, retry: 1_000 },
): Promise<ClaimedDelivery[]> {
  const all: ClaimedDelivery[] = []
  for (let more = true; more; ) {
    const round = await claimRound(db, now, room)
    all.push(...round)
    more = round.length > 0
  }
  return all
}

/** One look at each lane. */
export async function claimRound(db: Database, now: Date, room: Room): Promise<ClaimedDelivery[]> {
  await endDeliveryLeases(db, now)
  const claimed: ClaimedDelivery[] = []
  for (const lane of deliveryLanes)
    for (const due of await claimDeliveries(db, now, lane, room[lane] ?? 0)) claimed.push({ ...due, lane })
  return claimed
}
