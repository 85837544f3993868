// Endpoints that mean harm, or are broken, from the claim to the record, with a healthy one beside them: each attempt is
// recorded as what it was, memory stays flat, and the healthy endpoint waits for nobody.
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { after as later } from '../../src/base/clock.ts'
import { type Agents, createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createResolve } from '../../src/egress/resolve.ts'
import { startNameServer, type Zone } from '../egress/name-server.ts'
import { expired, selfSigned } from '../egress/self-signed.ts'
import { type Made, serving } from '../support/delivering.ts'
import { memoryOf } from '../support/memory.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import * as hostile from './hostile.ts'
import { cases, headersMs, totalMs } from './hostile-cases.ts'

const world = useDelivering()
const hostileEndpoints = 4
const eventsEach = 5
const mebibyte = 1_024 * 1_024

let zone: Zone = () => []
let agents: Agents
let nameServer: Awaited<ReturnType<typeof startNameServer>>
const trusted = getCACertificates('default')
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  nameServer = await startNameServer((name, kind) => zone(name, kind))
  agents = createAgents({
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }),
    resolve: createResolve([nameServer.server]),
    timeouts: { dnsMs: 1_000, connectMs: totalMs, headersMs, bodyMs: 1_000 },
  })
  setDefaultCACertificates([...trusted, selfSigned.cert, expired.cert])
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((receiver) => receiver.close()))
  zone = () => []
})
afterAll(async () => {
  setDefaultCACertificates(trusted)
  await agents.destroy()
  await nameServer.close()
})

describe('an endpoint that', () => {
  it.each(cases)(
    '$name: $outcome',
    async ({ open, outcome, status = null, errorCode = null, code, origin, zone: answers }) => {
      const receiver = await opening(open)
      if (answers) zone = answers
      const bad = await endpointsAt(`${origin ?? 'http://127.0.0.1'}:${receiver.port}/`)
      const healthy = await world.receiver()
      const good = await world.endpoint({ url: healthy.url })
      for (let count = 0; count < eventsEach; count++) await world.event()

      let healthyMs = Number.NaN
      let results: Made[] = []
      const memory = await memoryOf(async () => {
        const delivering = await deliverDue()
        healthyMs = await delivering.until(good.id)
        results = await delivering.all
      })

      expect(healthyMs).toBeLessThan(headersMs) // so while the others hang
      expect((await world.deliveriesOf(good.id)).map(({ state }) => state)).toEqual(Array(eventsEach).fill('delivered'))
      for (const { id } of bad)
        for (const delivery of await world.deliveriesOf(id)) {
          expect(only(await world.attemptsOf(delivery.id))).toMatchObject({
            outcome,
            status,
            errorCode,
            durationMs: 0,
          })
          expect(delivery.state).toBe(outcome === 'delivered' ? 'delivered' : 'pending')
        }
      expect(results).toHaveLength(hostileEndpoints * eventsEach + eventsEach)
      if (code !== undefined) expect(new Set(results.flatMap(codeOf))).toEqual(new Set([code]))
      expect(memory.peak).toBeLessThan(48 * mebibyte)
      expect(memory.left).toBeLessThan(10 * mebibyte)
    },
  )

  it('has a certificate that nobody vouches for: tls_error', async () => {
    setDefaultCACertificates(trusted)
    const receiver = await opening(hostile.behindTls(selfSigned))
    const { id } = await world.endpoint({ url: `https://127.0.0.1:${receiver.port}/` })
    await world.event()
    const results = await (await deliverDue()).all
    setDefaultCACertificates([...trusted, selfSigned.cert, expired.cert])
    const attempt = only(await world.attemptsOf(only(await world.deliveriesOf(id)).id))
    expect(attempt).toMatchObject({ outcome: 'tls_error', errorCode: 'certificate_untrusted' })
    expect(results.flatMap(codeOf)).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT'])
  })

  it.each([301, 302, 303, 307, 308])('redirects with %i to metadata: not followed', async (status) => {
    const metadata = await opening(hostile.answering(200))
    for (const location of [`http://127.0.0.1:${metadata.port}/latest/meta-data/`, 'http://169.254.169.254/latest/']) {
      const receiver = await opening(hostile.answering(status, { location }))
      const { id } = await world.endpoint({ url: `http://127.0.0.1:${receiver.port}/` })
      await world.event()
      await (await deliverDue()).all
      const attempt = only(await world.attemptsOf(only(await world.deliveriesOf(id)).id))
      expect(attempt).toMatchObject({ outcome: 'redirect', status, responseSnippet: 'no' })
    }
    expect(metadata.requests()).toBe(0)
  })

  it.each([
    ['90', 90_000],
    ['in an Internet date', 90_000],
    ['in an RFC 850 date', 90_000],
    ['in an asctime date', 90_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 5_000],
    ['1000000000', 86_400_000],
    ['soon', 60_000],
    [null, 60_000],
  ])('says 429 and Retry-After: %s, waits as a whole, and others do not', async (form, waitMs) => {
    world.clock.set(new Date('2026-03-09T12:00:00.000Z')) // dates have whole seconds
    const retryAfter = form === null ? {} : { 'retry-after': dateForms(later(world.clock.now(), 90_000))[form] ?? form }
    const receiver = await opening(hostile.answering(429, { ...retryAfter, date: world.clock.now().toUTCString() }))
    const bad = await world.endpoint({ url: `http://127.0.0.1:${receiver.port}/` })
    const healthy = await world.receiver()
    await world.endpoint({ url: healthy.url })
    const now = world.clock.now()
    await world.event({ occurredAt: now })
    world.clock.set(now)
    await (await deliverDue()).all

    const delivery = only(await world.deliveriesOf(bad.id))
    expect(delivery).toMatchObject({ state: 'pending', nextAttemptAt: later(now, waitMs) })
    expect(only(await world.attemptsOf(delivery.id))).toMatchObject({ outcome: 'http_error', status: 429 })
    await world.event({ occurredAt: now })
    await (await deliverDue()).all
    expect(receiver.requests()).toBe(waitMs > 5_000 ? 1 : 2) // a date that has passed asks for no wait
    expect(healthy.received).toHaveLength(2)
  })

  it('has a name that fails, and resolves again: delivered by the retry', async () => {
    const healthy = await world.receiver()
    const { port } = new URL(healthy.url)
    const { id } = await world.endpoint({ url: `http://hooks.example.com:${port}/` })
    zone = () => 'SERVFAIL'
    await world.event()
    await (await deliverDue()).all
    world.clock.advance(5_000)
    zone = () => ['127.0.0.1']
    await (await deliverDue()).all
    const delivery = only(await world.deliveriesOf(id))
    expect((await world.attemptsOf(delivery.id)).map(({ outcome }) => outcome)).toEqual(['dns_error', 'delivered'])
    expect(delivery.state).toBe('delivered')
  })
})

async function opening(open: hostile.Open): Promise<hostile.HostileReceiver> {
  const receiver = await open()
  opened.push(receiver)
  return receiver
}

/** Several endpoints at one place, so that as many requests hang there as can. */
function endpointsAt(url: string) {
  return Promise.all(Array.from({ length: hostileEndpoints }, () => world.endpoint({ url })))
}

/** Begins what may begin and delivers all of it at once, as a worker with room for it does. */
async function deliverDue() {
  const process = serving({ ...world.deps, agents, totalMs })
  const since = performance.now()
  const delivering = (await process.begin()).map(async (item) => {
    const made = await process.act(item)
    const [result] = await process.record(made === 'aborted' ? [] : [made])
    return { ownerId: item.ownerId, result: result ?? interrupted, endedMs: performance.now() - since }
  })
  return {
    all: Promise.all(delivering).then(async (ended) => {
      await process.leave()
      return ended.map(({ result }) => result)
    }),
    /** When the last one to this endpoint had ended, in milliseconds since the claim. */
    async until(endpointId: string): Promise<number> {
      const ended = await Promise.all(delivering)
      return Math.max(...ended.filter(({ ownerId }) => ownerId === endpointId).map(({ endedMs }) => endedMs))
    },
  }
}

const interrupted: Made = { kind: 'interrupted' }

function codeOf(result: Made): string[] {
  if (result.kind !== 'attempted' || !(result.result.error instanceof Error)) return []
  const { cause = result.result.error } = result.result.error
  return cause instanceof Error && 'code' in cause ? [String(cause.code)] : []
}

/** The three forms of RFC 9110. */
function dateForms(date: Date): Record<string, string> {
  const internet = date.toUTCString()
  const [, day = '', month = '', year = '', time = ''] = internet.split(' ')
  const weekday = date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' })
  return {
    'in an Internet date': internet,
    'in an RFC 850 date': `${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
    'in an asctime date': `${weekday.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`,
  }
}
