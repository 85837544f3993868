import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { startCable } from '../support/cable.ts'
import { type StoredThing, useServeWorld, type Worker } from './serve-world.ts'

const world = useServeWorld()
const isDone = ({ records, due }: StoredThing) => records === 1 && !due

/** Waits until all of an owner's things, less so many, are recorded. */
const allDone = (owner: string, but = 0) =>
  vi.waitFor(async () => {
    const things = await world.things(owner)
    expect(things.filter(isDone)).toHaveLength(things.length - but)
  })
const begun = (worker: Worker, owner: string, count: number) =>
  vi.waitFor(() => expect(worker.actsOf(owner)).toHaveLength(count))
/** Waits until the loop has gone round so often. It looks at an owner that has something under way every time. */
const rounds = (worker: Worker, count = 10) => {
  const until = worker.begins.length + count
  return vi.waitFor(() => {
    worker.server.look()
    expect(worker.begins.length).toBeGreaterThanOrEqual(until)
  })
}

describe('what hangs', () => {
  test('holds up no sibling and no other owner', async () => {
    const worker = world.worker()
    const [owner, other] = [world.owner(), world.owner()]
    await world.add(owner, 1, { hangs: true })
    await world.add(owner, 20)
    await world.add(other, 20)
    const { isServed } = await worker.serve(owner)
    const { served } = await worker.serve(other)
    await allDone(owner, 1)
    await allDone(other)
    await served
    await world.add(owner, 5)
    worker.server.look()
    await allDone(owner, 1)
    expect(isServed()).toBe(true)
    worker.actsOf(owner)[0]?.end()
    await allDone(owner)
  })

  test('keeps its lease for as long as it takes', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 1, { hangs: true })
    const { served, leaseId } = await worker.serve(owner)
    await begun(worker, owner, 1)
    for (let minutes = 0; minutes < 12; minutes++) {
      world.pass(leaseMs - 5_000)
      await vi.waitFor(async () => expect(await world.lease(owner)).toMatchObject({ id: leaseId, leftMs: leaseMs }))
    }
    expect(worker.acts[0]?.hold).toMatchObject({ leaseId })
    expect(worker.acts[0]?.hold.isHeld()).toBe(true)
    expect(await world.lease(owner)).toMatchObject({ size: 1 })
    worker.acts[0]?.end()
    await served
    await allDone(owner)
  })

  test('does so where its turn ends meanwhile, and holds up no sibling for long', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 1, { hangs: true })
    await worker.serve(owner)
    await begun(worker, owner, 1)
    world.pass(11_000)
    await vi.waitFor(async () => expect(await world.lease(owner)).toMatchObject({ leftMs: leaseMs }))
    await world.add(owner, 3)
    world.pass(1_000)
    await allDone(owner, 1)
  })
})

describe('outcomes', () => {
  test('of all owners gather, and are recorded in one transaction', async () => {
    const worker = world.worker()
    const owners = [world.owner(), world.owner()]
    for (const owner of owners) await world.add(owner, 15, { hangs: true })
    const served = await Promise.all(owners.map((owner) => worker.serve(owner)))
    for (const owner of owners) await begun(worker, owner, 15)
    for (const { end } of worker.acts) end()
    await Promise.all(served.map((one) => one.served))
    const things = (await Promise.all(owners.map(world.things))).flat()
    expect(things.every(isDone)).toBe(true)
    expect(new Set(things.map(({ recordedBy }) => recordedBy)).size).toBe(1)
    expect(worker.woken).toContainEqual(['deliver'])
    expect(worker.reported.toSorted()).toEqual(things.map(({ id }) => id).toSorted())
  })

  test('are stored though one of them can’t be, which is put off', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 20, { hangs: true })
    const [refused = ''] = await world.add(owner, 1, { hangs: true, refused: true })
    await world.add(owner, 12, { hangs: true })
    const { served } = await worker.serve(owner)
    await begun(worker, owner, 33)
    for (const { end } of worker.acts) end()
    await served
    const things = await world.things(owner)
    expect(things.filter(isDone)).toHaveLength(32)
    expect(things.find(({ id }) => id === refused)).toMatchObject({ records: 0, due: false, note: expect.any(String) })
    expect(await world.lease(owner)).toBeNull()
    expect(worker.acts).toHaveLength(33)
  })

  test('are stored though one of them can’t even be put off, which is not begun again for a while', async () => {
    const worker = world.worker()
    const [owner, other] = [world.owner(), world.owner()]
    const [stuck] = await world.add(owner, 1, { stuck: true })
    await world.add(owner, 5)
    await worker.serve(owner)
    await allDone(owner, 1)
    await world.add(other, 5)
    await worker.serve(other)
    await allDone(other)
    await rounds(worker)
    const tries = () => worker.acts.filter(({ item }) => item.id === stuck).length
    expect(tries()).toBe(1)
    for (let seconds = 0; seconds < 60; seconds += 20) {
      world.pass(20_000)
      await vi.waitFor(async () => expect(await world.lease(owner)).toMatchObject({ leftMs: leaseMs }))
    }
    await vi.waitFor(() => expect(tries()).toBe(2))
  })

  test('are stored though somebody has locked the row of one, which is stored when it is free', async () => {
    const worker = world.worker()
    const owner = world.owner()
    const ids = await world.add(owner, 9, { hangs: true })
    const { served } = await worker.serve(owner)
    await begun(worker, owner, 9)
    const client = await world.database.pool.connect()
    try {
      await client.query('BEGIN')
      await client.query('SELECT FROM things WHERE id = $1 FOR UPDATE', [ids[4]])
      for (const { end } of worker.acts) end()
      await allDone(owner, 1)
      const more = await world.add(owner, 3)
      worker.server.look()
      await vi.waitFor(() => expect(worker.reported).toEqual(expect.arrayContaining(more)))
      await client.query('COMMIT')
    } finally {
      client.release()
    }
    await vi.waitFor(() => {
      world.pass(1_000)
      expect(worker.reported).toContain(ids[4])
    })
    await served
    await allDone(owner)
    expect(worker.acts).toHaveLength(12)
  })

  test('are stored when their rows are free, though others stay locked', async () => {
    const worker = world.worker()
    const owner = world.owner()
    const ids = await world.add(owner, 6, { hangs: true })
    await worker.serve(owner)
    await begun(worker, owner, 6)
    const clients = [await world.database.pool.connect(), await world.database.pool.connect()] as const
    try {
      for (const [client, locked] of [
        [clients[0], ids.slice(0, 4)],
        [clients[1], ids.slice(4, 5)],
      ] as const) {
        await client.query('BEGIN')
        await client.query('SELECT FROM things WHERE id = ANY($1) FOR UPDATE', [locked])
      }
      for (const { end } of worker.acts) end()
      await allDone(owner, 5)
      await clients[1].query('COMMIT')
      await vi.waitFor(() => {
        world.pass(1_000)
        expect(worker.reported).toContain(ids[4])
      })
      expect(worker.reported).toHaveLength(2)
    } finally {
      for (const client of clients) {
        await client.query('ROLLBACK')
        client.release()
      }
    }
    await vi.waitFor(async () => {
      world.pass(1_000)
      expect((await world.things(owner)).every(isDone)).toBe(true)
    })
  })

  test('of what throws are put off, and nothing else is', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 1, { hangs: true })
    await world.add(owner, 5)
    const { served } = await worker.serve(owner)
    await begun(worker, owner, 6)
    worker.acts.find(({ item }) => item.hangs)?.fail(new Error('a fault of ours'))
    await served
    const things = await world.things(owner)
    expect(things.filter(isDone)).toHaveLength(5)
    expect(things.filter(({ note }) => note === 'a fault of ours')).toMatchObject([{ due: false }])
  })
})

describe('a database that is away', () => {
  async function cutOff() {
    const cable = await startCable(world.database.url)
    const { db, close } = openDatabase(cable.url, { maxConnections: 3, onError: () => {} })
    onTestFinished(async () => {
      await close()
      await cable.cut()
    })
    return {
      db,
      goAway: () => cable.plug('postgres://127.0.0.1:1/'),
      comeBack: () => cable.plug(world.database.url),
    }
  }

  test('loses nothing: what has ended meanwhile is recorded when it is back', async () => {
    const { db, goAway, comeBack } = await cutOff()
    const worker = world.worker({ db })
    const owner = world.owner()
    await world.add(owner, 10, { hangs: true })
    const { served } = await worker.serve(owner)
    await begun(worker, owner, 10)
    goAway()
    for (const { end } of worker.acts) end()
    world.pass(leaseMs - 5_000)
    comeBack()
    await served
    await allDone(owner)
    expect(worker.acts).toHaveLength(10)
  })

  test('for longer than the lease lasts leaves all of it due, for whoever is next', async () => {
    const { db, goAway, comeBack } = await cutOff()
    const worker = world.worker({ db })
    const owner = world.owner()
    await world.add(owner, 3, { hangs: true })
    const { served } = await worker.serve(owner)
    await begun(worker, owner, 3)
    goAway()
    for (const { end } of worker.acts) end()
    world.pass(leaseMs)
    await served
    comeBack()
    const next = world.worker()
    await next.serve(owner)
    await begun(next, owner, 3)
    expect((await world.things(owner)).filter(({ due, records }) => due && records === 0)).toHaveLength(3)
  })
})

describe('a lease that is lost', () => {
  const lostIn = {
    'in the table': async (owner: string) => {
      await world.database.pool.query('DELETE FROM leases WHERE owner_id = $1', [owner])
    },
    'because it is over': async (owner: string) => {
      await world.database.pool.query('UPDATE leases SET until = $2 WHERE owner_id = $1', [owner, world.clock.now()])
    },
    'to another worker': async (owner: string) => {
      await world.database.pool.query('UPDATE leases SET id = gen_random_uuid() WHERE owner_id = $1', [owner])
    },
    'because the process stood still': async (_owner: string, worker: Worker) => worker.standStill(leaseMs),
  }
  test.each(Object.keys(lostIn) as (keyof typeof lostIn)[])(
    '%s records nothing, begins nothing, and settles',
    async (how) => {
      const worker = world.worker({ pace: { lookEveryMs: 3_600_000 } }) // it looks when something ends
      const [owner, other] = [world.owner(), world.owner()]
      await world.add(owner, 4, { hangs: true })
      await world.add(other, 1, { hangs: true })
      const { served } = await worker.serve(owner)
      if (how !== 'because the process stood still') {
        await worker.serve(other)
        await begun(worker, other, 1)
      }
      await begun(worker, owner, 4)
      await lostIn[how](owner, worker)
      for (const { end } of worker.actsOf(owner).slice(0, 2)) end()
      await served
      expect(worker.acts[0]?.hold.isHeld()).toBe(false)
      await world.add(owner, 3)
      for (const { end } of worker.actsOf(owner)) end()
      worker.server.look()
      if (how !== 'because the process stood still') {
        for (const { end } of worker.actsOf(other)) end() // what others hold goes on
        await allDone(other)
      }
      const things = await world.things(owner)
      expect(things.filter(({ records, note }) => records === 0 && note === null)).toHaveLength(7)
      expect(worker.actsOf(owner)).toHaveLength(4)
    },
  )

  test.each([{ isAlone: true }, { isAlone: false }])(
    'is noticed at the next look, which cuts off what is under way ($isAlone)',
    async (how) => {
      const worker = world.worker(how)
      const owner = world.owner()
      await world.add(owner, 2, { hangs: true })
      const { served } = await worker.serve(owner)
      await begun(worker, owner, 2)
      await lostIn['in the table'](owner)
      await world.add(owner, 1)
      worker.server.look()
      await served
      expect(worker.acts.map(({ hold }) => hold.signal.aborted)).toEqual([true, true])
      expect(worker.acts).toHaveLength(2)
    },
  )

  test('puts nothing off either, where the work fails', async () => {
    const worker = world.worker({ pace: { lookEveryMs: 3_600_000 } })
    const owner = world.owner()
    await world.add(owner, 1, { hangs: true })
    const { served } = await worker.serve(owner)
    await begun(worker, owner, 1)
    await lostIn['to another worker'](owner)
    worker.acts[0]?.fail(new Error('No.'))
    await served
    expect(await world.things(owner)).toMatchObject([{ due: true, note: null }])
  })

  test('that a worker takes for its own while it waits for what is under way stays the other one’s', async () => {
    const [first, second] = [world.worker(), world.worker()]
    const owner = world.owner()
    await world.add(owner, 1, { hangs: true })
    const { served } = await first.serve(owner)
    await begun(first, owner, 1)
    first.standStill(leaseMs)
    world.clock.advance(leaseMs)
    const { leaseId } = await second.serve(owner)
    await begun(second, owner, 1)
    first.acts[0]?.end()
    await served
    expect(await world.lease(owner)).toMatchObject({ id: leaseId })
    expect(await world.things(owner)).toMatchObject([{ records: 0 }])
    second.acts[0]?.end()
    await allDone(owner)
  })
})

test('a job whose lease is over does nothing', async () => {
  const worker = world.worker()
  const owner = world.owner()
  await world.add(owner, 1)
  world.clock.advance(1)
  const { served } = await worker.serve(owner)
  await served
  const done = await world.things(owner)
  expect(done.every(isDone)).toBe(true)
  await worker.server.serve(owner, new AbortController().signal) // no lease of that id
  expect(worker.acts).toHaveLength(1)
})

describe('an owner', () => {
  test('keeps its lease while more is due within a second, and gives it back when nothing is', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 1)
    await world.add(owner, 1, { dueIn: 900 })
    const { served, isServed, leaseId } = await worker.serve(owner)
    await allDone(owner, 1)
    await rounds(worker)
    expect(isServed()).toBe(true)
    expect(await world.lease(owner)).toMatchObject({ id: leaseId })
    world.pass(900)
    await served
    await allDone(owner)
    expect(await world.lease(owner)).toBeNull()
  })

  test('of which more is due in a while gives it back at once', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 1)
    await world.add(owner, 1, { dueIn: 1_100 })
    const { served } = await worker.serve(owner)
    await served
    expect(await world.lease(owner)).toBeNull()
    expect((await world.things(owner)).filter(isDone)).toHaveLength(1)
  })

  test('of which there is always more gives it back after its turn, for whoever is next', async () => {
    const worker = world.worker({ goesOn: true })
    const owner = world.owner()
    await world.add(owner, 3)
    const { served, isServed } = await worker.serve(owner)
    await vi.waitFor(() => expect(worker.acts.length).toBeGreaterThan(30))
    expect(isServed()).toBe(true)
    world.pass(10_000)
    await served
    expect(await world.lease(owner)).toBeNull()
    expect(worker.woken).toContainEqual(['poll'])
    expect((await world.things(owner)).every(({ due }) => due)).toBe(true)
  })

  test('of which nothing can be begun holds up no other, and isn’t tried again and again', async () => {
    const [failing, owner] = [world.owner(), world.owner()]
    const worker = world.worker({ failing: new Set([failing]) })
    await world.add(failing, 3)
    await world.add(owner, 10)
    const bad = await worker.serve(failing)
    const good = await worker.serve(owner)
    await Promise.all([bad.served, good.served])
    await allDone(owner)
    const tries = () => worker.begins.filter((ids) => ids.includes(failing)).length
    expect(tries()).toBeLessThanOrEqual(2) // together with the other one, and alone
    expect(await world.lease(failing)).toMatchObject({ id: bad.leaseId }) // until then nobody claims it
  })

  test('of which nothing more can be begun loses nothing that is under way', async () => {
    const failing = new Set<string>()
    const worker = world.worker({ failing })
    const owner = world.owner()
    await world.add(owner, 5, { hangs: true })
    await worker.serve(owner)
    await begun(worker, owner, 5)
    failing.add(owner)
    worker.server.look()
    const before = worker.begins.length
    await vi.waitFor(() => expect(worker.begins.length).toBeGreaterThan(before))
    for (const { end } of worker.acts) end()
    await allDone(owner)
    expect(worker.begins.length - before).toBeLessThan(5)
  })
})

describe('stopping', () => {
  test('begins nothing new, and settles when what is under way has ended and is recorded', async () => {
    const worker = world.worker()
    const [owner, other] = [world.owner(), world.owner()]
    await world.add(owner, 2, { hangs: true })
    const { served, isServed } = await worker.serve(owner)
    await begun(worker, owner, 2)
    await world.add(owner, 3)
    await world.add(other, 3)
    worker.server.stop()
    const late = await worker.serve(other) // a job that was taken just before
    await late.served
    worker.acts[0]?.end()
    await allDone(owner, 4)
    expect(isServed()).toBe(true)
    worker.acts[1]?.end()
    await served
    expect((await world.things(owner)).filter(isDone)).toHaveLength(2)
    expect(worker.acts).toHaveLength(2)
    expect([await world.lease(owner), await world.lease(other)]).toEqual([null, null])
  })

  test('at once ends what is under way, which is due again at once', async () => {
    const worker = world.worker()
    const owner = world.owner()
    await world.add(owner, 2, { hangs: true })
    const hurry = new AbortController()
    const { served } = await worker.serve(owner, hurry.signal)
    await begun(worker, owner, 2)
    worker.server.stop()
    hurry.abort()
    await served
    expect(await world.lease(owner)).toBeNull()
    expect(await world.things(owner)).toMatchObject([
      { due: true, records: 0 },
      { due: true, records: 0 },
    ])
  })
})

describe('what one process may have under way', () => {
  test('is shared among owners, and never more', async () => {
    const worker = world.worker({ most: 6 })
    const owners = [world.owner(), world.owner(), world.owner()]
    for (const owner of owners) await world.add(owner, 10, { hangs: true })
    const served = await Promise.all(owners.map((owner) => worker.serve(owner)))
    await vi.waitFor(() => expect(worker.acts).toHaveLength(6))
    const ended = new Set<unknown>()
    while (ended.size < 30) {
      const underWay = worker.acts.filter((act) => !ended.has(act))
      expect(underWay.length).toBeLessThanOrEqual(6)
      for (const act of underWay) act.end()
      for (const act of underWay) ended.add(act)
      if (ended.size < 30) await vi.waitFor(() => expect(worker.acts.length).toBeGreaterThan(ended.size))
    }
    await Promise.all(served.map((one) => one.served))
    for (const owner of owners) await allDone(owner)
  })

  test('goes round where it isn’t enough for one each', async () => {
    const worker = world.worker({ most: 1 })
    const owners = [world.owner(), world.owner(), world.owner()]
    for (const owner of owners) await world.add(owner, 3, { hangs: true })
    await Promise.all(owners.map((owner) => worker.serve(owner)))
    for (let count = 1; count <= 6; count++) {
      await vi.waitFor(() => expect(worker.acts).toHaveLength(count))
      worker.acts[count - 1]?.end()
    }
    await vi.waitFor(() => expect(worker.acts).toHaveLength(7))
    for (const owner of owners) expect(worker.actsOf(owner).length).toBeGreaterThanOrEqual(2)
  })
})

describe('an owner whose items end', () => {
  /** Serves it until so many of its items have begun. The last one hangs. */
  const serveUntil = async (worker: Worker, owner: string, count: number) => {
    await world.add(owner, 1, { hangs: true })
    const { served } = await worker.serve(owner)
    await begun(worker, owner, count)
    return async () => {
      worker.actsOf(owner)[count - 1]?.end()
      await allDone(owner)
      await served
    }
  }

  test('quickly is quick, also under its next lease, for a minute', async () => {
    const worker = world.worker()
    const owner = world.owner()
    const endFirst = await serveUntil(worker, owner, 1)
    expect(worker.isQuick(owner)).toBe(false)
    await endFirst()
    world.pass(59_000)
    const endSecond = await serveUntil(worker, owner, 2)
    expect(worker.isQuick(owner)).toBe(true)
    await endSecond()
    world.pass(61_000)
    await serveUntil(worker, owner, 3)
    expect(worker.isQuick(owner)).toBe(false)
  })

  test('after more than a second isn’t', async () => {
    const worker = world.worker()
    const owner = world.owner()
    const end = await serveUntil(worker, owner, 1)
    world.pass(1_001)
    await end()
    await serveUntil(worker, owner, 2)
    expect(worker.isQuick(owner)).toBe(false)
  })
})
