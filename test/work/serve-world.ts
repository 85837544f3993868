// Owns a kind of work that exists for the tests of serving alone: things with a due time, in a table of their own, each
// of which ends when a test says so. The loop, the leases and the transactions are the product's.
import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import type { Database } from '../../src/db/client.ts'
import { allot } from '../../src/work/allot.ts'
import type { Hold, Item, Kind, Recorded, WorkName } from '../../src/work/kind.ts'
import { takeLeases } from '../../src/work/leases.ts'
import { createServer, type ServePace, type Server } from '../../src/work/serve.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

interface Thing extends Item {
  hangs: boolean
}
interface Done {
  item: Thing
}

/** A thing that is done now. */
interface Act {
  item: Thing
  hold: Hold
  end(): void
  fail(error: Error): void
}

export interface StoredThing {
  id: string
  owner: string
  due: boolean
  /** The transaction that recorded it last. */
  recordedBy: string | null
  records: number
  note: string | null
}

interface ThingOptions {
  /** It ends when the test says so; others end at once. */
  hangs?: boolean
  /** Its outcome can't be stored. */
  refused?: boolean
  /** Nor can it be put off. */
  stuck?: boolean
  /** In milliseconds from now. */
  dueIn?: number
}

export interface Worker {
  server: Server
  /** Serves an owner under a new lease; settles as `serve` does. */
  serve(owner: string, signal?: AbortSignal): Promise<{ leaseId: string; served: Promise<void>; isServed(): boolean }>
  /** What has been begun, in its order. */
  acts: Act[]
  /** The acts of things of this owner. */
  actsOf(owner: string): Act[]
  begins: string[][]
  /** Whether an owner was quick when something of it was last looked for. */
  isQuick(owner: string): boolean | undefined
  woken: WorkName[][]
  reported: string[]
  /** Lets the process's own clock go on, but not the database's. */
  standStill(ms: number): void
}

export interface ServeWorld {
  clock: ManualClock
  database: TestDatabase
  db: Database
  owner(): string
  add(owner: string, count: number, options?: ThingOptions): Promise<string[]>
  things(owner: string): Promise<StoredThing[]>
  /** The lease of an owner. */
  lease(owner: string): Promise<{ id: string; size: number; leftMs: number } | null>
  worker(options?: WorkerOptions): Worker
  /** Lets time pass for all. */
  pass(ms: number): void
}

interface WorkerOptions {
  db?: Database
  most?: number
  pace?: Partial<ServePace>
  /** Of these owners nothing can be begun. */
  failing?: ReadonlySet<string>
  /** What was recorded is due again at once. */
  goesOn?: boolean
  isAlone?: boolean
}

/** Passes follow each other at once, so that no test waits for one; what is in milliseconds is of `uptime`. */
const quick = { lookEveryMs: 5, retryMs: 1 }

/** Call it at the top of a test file. */
export function useServeWorld(): ServeWorld {
  const clock = manualClock()
  const world = { clock } as ServeWorld
  let uptime = 0

  beforeAll(async () => {
    const database = await createTestDatabase()
    Object.assign(world, { database, db: database.db })
    await database.pool.query(`
      CREATE TABLE things (
        id uuid PRIMARY KEY, owner_id uuid NOT NULL, due_at timestamptz, hangs boolean NOT NULL,
        refused boolean NOT NULL, stuck boolean NOT NULL, recorded_by text, records int NOT NULL DEFAULT 0, note text,
        CHECK (records = 0 OR NOT refused), CHECK (note IS NULL OR NOT stuck))`)
  })
  afterAll(() => world.database?.close())

  return Object.assign(world, {
    owner: newId,
    async add(owner, count, { hangs = false, refused = false, stuck = false, dueIn = 0 } = {}) {
      const ids = Array.from({ length: count }, () => newId())
      await world.database.pool.query(
        `INSERT INTO things (id, owner_id, due_at, hangs, refused, stuck)
        SELECT id, $2, $3, $4, $5, $6 FROM unnest($1::uuid[]) AS one (id)`,
        [ids, owner, new Date(clock.now().getTime() + dueIn), hangs, refused || stuck, stuck],
      )
      return ids
    },
    async things(owner) {
      const { rows } = await world.database.pool.query(
        `SELECT id, owner_id AS owner, due_at <= $2 IS TRUE AS due, recorded_by AS "recordedBy", records, note
        FROM things WHERE owner_id = $1 ORDER BY id`,
        [owner, clock.now()],
      )
      return rows as StoredThing[]
    },
    async lease(owner) {
      const { rows } = await world.database.pool.query('SELECT id, size, until FROM leases WHERE owner_id = $1', [
        owner,
      ])
      const [row] = rows as { id: string; size: number; until: Date }[]
      return row ? { id: row.id, size: row.size, leftMs: row.until.getTime() - clock.now().getTime() } : null
    },
    worker(options = {}) {
      let stoodStill = 0
      const acts: Act[] = []
      const begins: string[][] = []
      const quickness = new Map<string, boolean>()
      const woken: WorkName[][] = []
      const reported: string[] = []
      const { db = world.db } = options
      const server = createServer(kindOf({ options, acts, begins, quickness, reported }), {
        db,
        clock,
        log: pino({ level: 'silent' }),
        wake: (due) => void woken.push([...due]),
        uptime: () => uptime + stoodStill,
        pace: { ...quick, ...options.pace },
      })
      onTestFinished(() => {
        server.stop()
        for (const { end } of acts) end()
      })
      return {
        server,
        acts,
        begins,
        isQuick: (owner) => quickness.get(owner),
        woken,
        reported,
        actsOf: (owner) => acts.filter(({ item }) => item.ownerId === owner),
        async serve(owner, signal = new AbortController().signal) {
          const [lease] = await takeLeases(world.db, 'poll', [owner], clock.now())
          if (!lease) throw new Error('the owner is served already')
          let isServed = true
          const served = server.serve(lease.id, signal).finally(() => {
            isServed = false
          })
          return { leaseId: lease.id, served, isServed: () => isServed }
        },
        standStill(ms) {
          stoodStill += ms
        },
      }
    },
    pass(ms) {
      uptime += ms
      clock.advance(ms)
    },
  } satisfies Partial<ServeWorld>)
}

interface Kept {
  options: WorkerOptions
  acts: Act[]
  begins: string[][]
  quickness: Map<string, boolean>
  reported: string[]
}

function kindOf({ options, acts, begins, quickness, reported }: Kept): Kind<Thing, Done> {
  const { most = 100, failing = new Set(), goesOn = false, isAlone = false } = options
  return {
    name: 'poll',
    most,
    restMs: 1,
    isAlone,
    due: async () => [],
    async begin(tx, owners, room, now) {
      begins.push(owners.map(({ id }) => id))
      for (const { id, isQuick } of owners) quickness.set(id, isQuick)
      if (owners.some(({ id }) => failing.has(id))) await tx.execute(sql`SELECT 1 / 0`)
      const allotted = allot(
        owners.map(({ id }) => ({ id, wanted: 1_000 })),
        room,
      )
      const busy = owners.flatMap(({ underWay }) => [...underWay.keys()])
      const { rows: items } = await tx.execute<Thing & Record<string, unknown>>(sql`
        SELECT thing.id, thing.owner_id AS "ownerId", hangs
        FROM unnest(
          ${sql.param([...allotted.keys()])}::uuid[], ${sql.param([...allotted.values()])}::int[]
        ) AS owner (id, room)
        CROSS JOIN LATERAL (
          SELECT * FROM things WHERE owner_id = owner.id AND due_at <= ${now} AND id <> ALL(${sql.param(busy)}::uuid[])
          ORDER BY due_at, id LIMIT owner.room
        ) thing`)
      const { rows: later } = await tx.execute<{ id: string; ms: number }>(sql`
        SELECT owner_id AS id, date_part('epoch', min(due_at)) * 1000 AS ms FROM things
        WHERE owner_id = ANY(${sql.param(owners.map(({ id }) => id))}::uuid[]) AND due_at > ${now} GROUP BY owner_id`)
      const next = new Map(later.map(({ id, ms }) => [id, new Date(ms)]))
      // Where this process has no room for it, more may begin now.
      for (const [id, share] of allotted)
        if (items.filter(({ ownerId }) => ownerId === id).length === share) next.set(id, now)
      return { items, next }
    },
    act(item, hold) {
      const { promise, resolve, reject } = Promise.withResolvers<Done | 'aborted'>()
      acts.push({ item, hold, end: () => resolve({ item }), fail: reject })
      hold.signal.addEventListener('abort', () => resolve('aborted'))
      if (!item.hangs) resolve({ item })
      return promise
    },
    async record(tx, done): Promise<Recorded> {
      const ids = done.map(({ item }) => item.id)
      await tx.execute(sql`
        UPDATE things SET records = records + 1, recorded_by = pg_current_xact_id()::text
          ${goesOn ? sql`` : sql`, due_at = NULL`}
        WHERE id = ANY(${sql.param(ids)}::uuid[])`)
      return { due: new Set(['deliver']), report: () => void reported.push(...ids) }
    },
    async putOff(tx, { id }, error, now) {
      await tx.execute(sql`
        UPDATE things SET due_at = ${new Date(now.getTime() + 60_000)}, note = ${error.message} WHERE id = ${id}`)
    },
  }
}
