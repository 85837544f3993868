// Owns how large answers are read side by side: few at a time, each vendor's one by one, and small ones pass.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { readPlainError } from '../../src/providers/error-body.ts'
import { createLargeBodies, freeBytes } from '../../src/providers/large-bodies.ts'
import { noSignal, startClient, startVendor, type Vendor } from './vendor.ts'

const opened: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()))
})

const large = `"${'x'.repeat(4 * freeBytes)}"`

async function open() {
  const vendors = await Promise.all([startVendor(), startVendor(), startVendor(), startVendor()])
  const bodies = createLargeBodies()
  let taken = 0
  const running = startClient({
    largeBodies: {
      turn(origin, signal) {
        const turn = bodies.turn(origin, signal)
        return { ...turn, take: () => turn.take().then(() => void taken++) }
      },
    },
  })
  opened.push(running, ...vendors)
  const read: string[] = []
  const asking = { credentials: {}, read: (body: unknown) => body, readError: readPlainError }
  return {
    vendors: vendors as [Vendor, Vendor, Vendor, Vendor],
    read,
    /** Waits until so many answers have had a turn. */
    turnsTaken: (count: number) => vi.waitFor(() => expect(taken).toBe(count)),
    async ask({ baseUrl }: Vendor, path = '/large', signal: AbortSignal = noSignal()) {
      const { value } = await running.client.send(baseUrl, { path, headers: {} }, { ...asking, signal })
      read.push(path)
      return value
    },
  }
}

/** Answers to `/hang` get stuck in the middle of a large body, announced or not; `/large` and `/small` are answered. */
function hanging(isAnnounced: boolean, onHang = (_response: ServerResponse) => {}) {
  return ({ url }: IncomingMessage, response: ServerResponse) => {
    if (url === '/small') return void response.end('"small"')
    if (isAnnounced) response.setHeader('content-length', large.length)
    if (url !== '/hang') return void response.end(large)
    response.write(large.slice(0, 2 * freeBytes))
    onHang(response)
  }
}

describe.each([true, false])('a large answer that hangs, announced: %s', (isAnnounced) => {
  it('holds up large ones of its vendor, and nobody else', async () => {
    const { vendors, ask, read, turnsTaken } = await open()
    const hung = Promise.withResolvers<ServerResponse>()
    for (const vendor of vendors) vendor.answer(hanging(isAnnounced, hung.resolve))
    const [bad, good] = vendors
    const hangs = ask(bad, '/hang')
    const stuck = await hung.promise
    await turnsTaken(1)
    const next = ask(bad, '/large')
    expect(await ask(bad, '/small')).toBe('small')
    expect(await ask(good, '/large')).toHaveLength(large.length - 2)
    expect(read).toEqual(['/small', '/large'])
    stuck.end(large.slice(2 * freeBytes))
    await Promise.all([hangs, next])
    expect(read.slice(2)).toEqual(['/hang', '/large'])
  })

  it('lets the next one go on when it is given up', async () => {
    const { vendors, ask, turnsTaken } = await open()
    const [vendor] = vendors
    vendor.answer(hanging(isAnnounced))
    const end = new AbortController()
    const hangs = ask(vendor, '/hang', end.signal)
    await turnsTaken(1)
    const next = ask(vendor, '/large')
    end.abort()
    await expect(hangs).rejects.toMatchObject({ kind: 'aborted' })
    expect(await next).toHaveLength(large.length - 2)
  })

  it('is waited for no longer than a call may take', async () => {
    const { vendors, ask, turnsTaken } = await open()
    for (const vendor of vendors) vendor.answer(hanging(isAnnounced))
    const [one, two, three, other] = vendors
    const end = new AbortController()
    const hang = [one, two, three].map((vendor) => ask(vendor, '/hang', end.signal).catch(() => 'given up'))
    await turnsTaken(3)
    const impatient = new AbortController()
    const waits = ask(other, '/large', impatient.signal)
    expect(await ask(other, '/small')).toBe('small')
    impatient.abort()
    await expect(waits).rejects.toMatchObject({ kind: 'aborted' })
    const later = ask(other, '/large')
    end.abort()
    expect(await later).toHaveLength(large.length - 2)
    expect(await Promise.all(hang)).toEqual(['given up', 'given up', 'given up'])
  })
})

describe('the turns', () => {
  const signal = noSignal()

  it('are three at a time, one a vendor, first come, first served', async () => {
    const bodies = createLargeBodies()
    const began: string[] = []
    const turns = ['a', 'a', 'b', 'b', 'c', 'd', 'a'].map((origin, at) => {
      const turn = bodies.turn(origin, signal)
      void turn.take().then(() => began.push(`${origin}${at}`))
      return turn
    })
    const settled = () => delay(0)
    await settled()
    expect(began).toEqual(['a0', 'b2', 'c4'])
    turns[2]?.giveBack()
    await settled()
    turns[0]?.giveBack()
    turns[0]?.giveBack()
    await settled()
    expect(began).toEqual(['a0', 'b2', 'c4', 'b3', 'a1'])
    for (const at of [4, 3, 1]) turns[at]?.giveBack()
    await settled()
    expect(began).toEqual(['a0', 'b2', 'c4', 'b3', 'a1', 'd5', 'a6'])
  })

  it('are left by whoever gives up, and given back once', async () => {
    const bodies = createLargeBodies()
    const first = bodies.turn('a', signal)
    await first.take()
    await first.take()
    await expect(bodies.turn('b', AbortSignal.abort('over')).take()).rejects.toBe('over')
    const end = new AbortController()
    const second = bodies.turn('a', end.signal)
    const third = bodies.turn('a', signal)
    const [left, goesOn] = [second.take(), third.take()]
    end.abort('over')
    await expect(left).rejects.toBe('over')
    second.giveBack() // it had none
    first.giveBack()
    await goesOn
  })

  it('work one by one, and let go of the process in between', async () => {
    const bodies = createLargeBodies()
    const done: string[] = []
    const turns = ['a', 'b', 'c'].map((origin) => bodies.turn(origin, signal))
    await Promise.all(turns.map((turn) => turn.take()))
    const works = turns.map((turn, at) =>
      turn.work(() => {
        done.push(`work ${at}`)
        setImmediate(() => done.push('others'))
      }),
    )
    expect(done).toEqual([])
    expect(await bodies.turn('d', signal).work(() => 'small')).toBe('small')
    await Promise.all(works)
    await delay(0)
    expect(done.filter((what) => what !== 'others')).toEqual(['work 0', 'work 1', 'work 2'])
    for (const at of [0, 1]) expect(done[done.indexOf(`work ${at}`) + 1]).toBe('others')
  })

  it('go on after work that failed, and after work whose time was over before it began', async () => {
    const bodies = createLargeBodies()
    const end = new AbortController()
    const [failing, late, fine] = [bodies.turn('a', signal), bodies.turn('b', end.signal), bodies.turn('c', signal)]
    await Promise.all([failing, late, fine].map((turn) => turn.take()))
    const fails = failing.work(() => {
      throw new TypeError('not of the published form')
    })
    const isLate = late.work(() => 'too late')
    const works = fine.work(() => 'fine')
    end.abort('over')
    await expect(fails).rejects.toBeInstanceOf(TypeError)
    await expect(isLate).rejects.toBe('over')
    expect(await works).toBe('fine')
  })
})
