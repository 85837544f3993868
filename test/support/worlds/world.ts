// Owns the world of most tests: a database of their own, a clock that goes on when they say so, and what makes and reads
// the things in it. The worlds of the API (api.ts) and of the whole service (service.ts) have the same ones.
import { afterAll, beforeAll } from 'vitest'
import { type ManualClock, manualClock } from '../clock.ts'
import { createTestDatabase } from '../database.ts'
import { connectionsIn } from './connections.ts'
import { endpointsIn } from './endpoints.ts'
import { eventsIn, eventWritingIn } from './events.ts'
import { type Ground, somebody, testEncryption } from './ground.ts'
import { importsIn } from './imports.ts'
import { pollsIn } from './polls.ts'

/** What is made and read wherever there is a database: factories fill in what a row requires. */
export type Things = ReturnType<typeof thingsIn>
export type World = ReturnType<typeof worldOn>

export function thingsIn(ground: Ground) {
  const connections = connectionsIn(ground)
  return {
    ...connections,
    ...importsIn(ground, connections),
    ...eventsIn(ground),
    ...endpointsIn(ground),
    sql: async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
      (await ground.database.pool.query(text, values)).rows,
  }
}

export function worldOn(ground: Ground<ManualClock>) {
  const things = thingsIn(ground)
  return Object.assign(ground, things, pollsIn(ground, things), eventWritingIn(ground))
}

/** Call it at the top of a test file: it opens before the tests and closes after them. */
export function useWorld(options: { maxConnections?: number } = {}): World {
  const world = worldOn({ clock: manualClock(), encryption: testEncryption, by: somebody } as Ground<ManualClock>)
  beforeAll(async () => {
    const database = await createTestDatabase(options)
    Object.assign(world, { database, db: database.db })
  })
  afterAll(() => world.database?.close())
  return world
}
