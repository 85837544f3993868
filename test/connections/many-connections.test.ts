import { expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { connectionsToServe, longestDue } from '../../src/connections/rooms.ts'
import { type OpenDatabase, openDatabase } from '../../src/db/client.ts'
import { connections } from '../../src/db/schema/index.ts'
import { endpointsToServe } from '../../src/delivering/due.ts'
import { oldestDue } from '../../src/polling/work.ts'
import { takeLeases } from '../../src/work/leases.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const count = 1_500

/** Copies of the one connection and its one import, which is due. */
async function copies(): Promise<string[]> {
  const { pool } = world.database
  const { id } = await world.connection({})
  await world.import({ connectionId: id, nextPollAt: after(world.clock.now(), -1_000) })
  const columns = async (table: string, changed: Record<string, string>) => {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1`,
      [table],
    )
    const names = rows.map(({ name }) => `"${name}"`)
    return [names.join(), names.map((name) => changed[name.slice(1, -1)] ?? `old.${name}`).join()] as const
  }
  const copy = async (table: string, changed: Record<string, string>, from: string) => {
    const [names, values] = await columns(table, changed)
    await pool.query(`INSERT INTO ${table} (${names}) SELECT ${values} FROM ${table} old, ${from}`)
  }
  await copy('connections', { id: 'gen_random_uuid()', name: `'copy ' || n` }, `generate_series(1, ${count}) n`)
  await copy('imports', { id: 'c.id', connection_id: 'c.id' }, `connections c WHERE c.name LIKE 'copy %'`)
  await copy('polling', { import_id: 'c.id', connection_id: 'c.id' }, `connections c WHERE c.name LIKE 'copy %'`)
  const all = await world.db.select({ id: connections.id }).from(connections)
  return all.map((one) => one.id)
}

test('who serves which of thousands of connections is looked up one by one, whatever the statistics say', async () => {
  const ids = await copies()
  const now = world.clock.now()
  const one: OpenDatabase = openDatabase(world.database.url, { maxConnections: 1, onError: () => {} })
  const leasesRead = async () => {
    await one.pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await one.pool.query<{ read: string }>(
      `SELECT seq_tup_read AS read FROM pg_stat_user_tables WHERE relname = 'leases'`,
    )
    return Number(rows[0]?.read)
  }
  try {
    await one.pool.query('ANALYZE')
    await takeLeases(one.db, 'poll', ids.slice(0, count / 2), now)
    await takeLeases(one.db, 'collect', ids.slice(0, count / 2), now)
    const before = await leasesRead()

    const search = { kind: 'poll', oldestDue: oldestDue(now) } as const
    expect(await connectionsToServe(one.db, { ...search, limit: 1_000 }, now)).toHaveLength(ids.length - count / 2)
    expect(await connectionsToServe(one.db, { ...search, limit: 7 }, now)).toHaveLength(7)
    expect(await longestDue(one.db, { ...search, served: true }, now)).toHaveLength(100)
    await endpointsToServe(one.db, now, 1_000)

    // A scan or two of all leases are nothing; one of them for each connection takes seconds.
    expect((await leasesRead()) - before).toBeLessThan(20 * count)
  } finally {
    await one.close()
  }
})

test('connections that allow nothing now hide none that does, however many there are', async () => {
  const now = world.clock.now()
  await world.database.pool.query('DELETE FROM leases')
  const { pool } = world.database
  await pool.query('UPDATE connections SET blocked_until = $1, paused_at = NULL', [after(now, 60_000)])
  await pool.query(
    `UPDATE connections SET blocked_until = NULL, limits = '{"requestsPerMonth": 1}', month_requests = 1, budget_month = $1
    WHERE id IN (SELECT id FROM connections ORDER BY id LIMIT 500)`,
    [now.toISOString().slice(0, 7)],
  )
  const { id } = await world.connection({})
  await world.import({ connectionId: id, nextPollAt: now })

  const search = { kind: 'poll', oldestDue: oldestDue(now), limit: 1 } as const
  expect(await connectionsToServe(world.db, search, now)).toEqual([id])
})
