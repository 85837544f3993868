import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/api/refusal.ts'
import { newId } from '../../src/base/ids.ts'
import { createEndpoint } from '../../src/webhooks/endpoints/create.ts'
import { createEndpointSchema, patchEndpointSchema } from '../../src/webhooks/endpoints/input.ts'
import { enableEndpoint, patchEndpoint } from '../../src/webhooks/endpoints/patch.ts'
import { getEndpoint, listEndpoints } from '../../src/webhooks/endpoints/read.ts'
import { removeEndpoint } from '../../src/webhooks/endpoints/remove.ts'
import { rotateSecret, rotateSecretSchema } from '../../src/webhooks/endpoints/rotate-secret.ts'
import { testEndpoint } from '../../src/webhooks/endpoints/send-test.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'

const world = useDelivering()
const url = 'https://hooks.example.com/imports?key=1'
const create = (input: unknown) => createEndpoint(world.deps, createEndpointSchema.parse(input))

describe('creating', () => {
  it('subscribes to the ends of imports, of all connections, and shows the secret', async () => {
    const { secret, ...created } = await create({ url })
    expect(secret).toMatch(/^whsec_/)
    expect(created).toEqual({
      id: created.id,
      url,
      types: [
        'import.succeeded',
        'import.partial',
        'import.failed',
        'import.canceled',
        'import.lost',
        'import.stopped',
      ],
      connections: null,
      providers: null,
      metadata: null,
      headers: {},
      enabled: true,
      disabledReason: null,
      failingSince: null,
      nextProbeAt: null,
      blockedUntil: null,
      lastSuccessAt: null,
      createdAt: world.clock.now().toISOString(),
      updatedAt: world.clock.now().toISOString(),
    })
    expect(await getEndpoint(world.deps, created.id)).toEqual(created)
  })

  it('keeps no secret and no header as plain text', async () => {
    const { id, secret } = await create({ url, headers: { Authorization: 'Bearer open-sesame' } })
    await rotateSecret(world.deps, id, { overlapHours: 24 })
    const stored = JSON.stringify(await world.endpointRow(id))
    expect(stored).not.toContain(secret.slice('whsec_'.length))
    expect(stored).not.toContain('open-sesame')
    expect(stored).not.toContain('Authorization')
  })

  it('signs with five secrets at the most: rather than drop one before its time, it refuses another', async () => {
    const { id } = await create({ url })
    for (let rotation = 0; rotation < 4; rotation++) await rotateSecret(world.deps, id, { overlapHours: 1 })
    await expect(rotateSecret(world.deps, id, { overlapHours: 1 })).rejects.toMatchObject({ code: 'conflict' })
    expect((await world.endpointRow(id)).previousSecrets).toHaveLength(4)
    await rotateSecret(world.deps, id, { overlapHours: 0 })
    expect((await world.endpointRow(id)).previousSecrets).toEqual([])
  })

  it('shows the names of headers, and masks their values', async () => {
    const { id } = await create({ url, headers: { Authorization: 'Bearer open-sesame', 'X-Tenant': '7' } })
    expect((await getEndpoint(world.deps, id)).headers).toEqual({ Authorization: '********', 'X-Tenant': '********' })
  })

  it.each([
    ['http://10.0.0.1/', 'url must name a host, not an IP address that is not opened for it'],
    ['https://private.test/', 'url must name a public host'],
    ['https://u:p@hooks.example.com/', 'url must not contain a user name or password'],
  ])('refuses %s', async (refused, detail) => {
    await expect(create({ url: refused })).rejects.toMatchObject({
      code: 'invalid_request',
      message: `${detail}.`,
      errors: [{ field: 'url' }],
    })
  })

  it('refuses a host that does not resolve', async () => {
    const checkDestination = async () => 'must name a host that resolves'
    const input = createEndpointSchema.parse({ url })
    await expect(createEndpoint({ ...world.deps, checkDestination }, input)).rejects.toMatchObject({
      errors: [{ field: 'url', message: 'must name a host that resolves' }],
    })
  })

  it('refuses connections that do not exist, by their place', async () => {
    await world.connection({ name: 'known' })
    await expect(create({ url, connections: ['known', 'unknown'] })).rejects.toMatchObject({
      errors: [{ field: 'connections.1', message: 'must name an existing connection' }],
    })
    await expect(create({ url, connections: ['a\0b'] })).rejects.toBeInstanceOf(AppError)
  })
})

describe('the input', () => {
  const wrongFields = (input: unknown) =>
    createEndpointSchema.safeParse(input).error?.issues.map((issue) => issue.path.join('.')) ?? []

  it('refuses unknown event types and fields', () => {
    expect(wrongFields({ url, types: ['import.succeeded', 'import.exploded'] })).toEqual(['types.1'])
    expect(wrongFields({ url, types: ['webhook.test'] })).toEqual(['types.0'])
    expect(wrongFields({ url, types: [] })).toEqual(['types'])
    expect(wrongFields({ url, connections: [] })).toEqual(['connections'])
    expect(wrongFields({ url, providers: [] })).toEqual(['providers'])
    expect(wrongFields({ url, providers: ['cdq', 'No body'] })).toEqual(['providers.1'])
    expect(wrongFields({ url, metadata: {} })).toEqual(['metadata'])
    expect(wrongFields({ url, metadata: { team: ['data'] } })).toEqual(['metadata.team'])
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`key-${index}`, index]))
    expect(wrongFields({ url, metadata: many })).toEqual(['metadata'])
    expect(wrongFields({ url, retries: 3 })).toEqual([''])
    expect(patchEndpointSchema.safeParse({ secret: 'mine' }).success).toBe(false)
  })

  it.each([
    'Host',
    'content-type',
    'Content-Length',
    'webhook-id',
    'Webhook-Signature',
    'connection',
    'Keep-Alive',
    'transfer-encoding',
    'TE',
    'upgrade',
    'proxy-authorization',
    'user-agent',
    'accept-encoding',
    'no spaces',
    'two\r\nlines',
    '',
  ])('refuses a header named "%s"', (name) => {
    expect(wrongFields({ url, headers: { [name]: 'x' } })).toEqual([`headers.${name}`])
  })

  it.each(['a\r\nwebhook-id: b', 'a\nb', 'a\0', 'grün', '********', 'x'.repeat(2049)])(
    'refuses the header value %j',
    (value) => expect(wrongFields({ url, headers: { 'x-key': value } })).toEqual(['headers.x-key']),
  )

  it('refuses more than ten headers, and one name in two spellings', () => {
    const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`x-${index}`, 'y']))
    expect(wrongFields({ url, headers: eleven })).toEqual(['headers'])
    expect(wrongFields({ url, headers: { 'x-a': '1', 'X-A': '2' } })).toEqual(['headers.X-A'])
  })

  it('lets secrets overlap for up to seven days, a day unless it says otherwise', () => {
    expect(rotateSecretSchema.parse({})).toEqual({ overlapHours: 24 })
    expect(rotateSecretSchema.safeParse({ overlapHours: 168.5 }).success).toBe(false)
    expect(rotateSecretSchema.safeParse({ overlapHours: -1 }).success).toBe(false)
  })
})

describe('changing', () => {
  it('changes what is given, and nothing else', async () => {
    await world.connection({ name: 'chosen' })
    const { secret: _, ...created } = await create({ url, headers: { 'x-key': '1' } })
    world.clock.advance(1_000)
    const changed = await patchEndpoint(world.deps, created.id, { types: ['import.lost'], connections: ['chosen'] })
    expect(changed).toEqual({
      ...created,
      types: ['import.lost'],
      connections: ['chosen'],
      updatedAt: world.clock.now().toISOString(),
    })
    const filters = { providers: ['cdq' as const], metadata: { team: 'data', run: 42 } }
    expect(await patchEndpoint(world.deps, created.id, filters)).toMatchObject({ ...filters, connections: ['chosen'] })
    expect(await patchEndpoint(world.deps, created.id, { providers: null, metadata: null })).toMatchObject({
      providers: null,
      metadata: null,
    })
    const again = await patchEndpoint(world.deps, created.id, { connections: null, headers: {}, url: `${url}&v=2` })
    expect(again).toMatchObject({ connections: null, headers: {}, url: `${url}&v=2`, types: ['import.lost'] })
  })

  it('checks the new URL', async () => {
    const { id } = await create({ url })
    await expect(patchEndpoint(world.deps, id, { url: 'https://private.test/' })).rejects.toMatchObject({
      errors: [{ field: 'url', message: 'must name a public host' }],
    })
  })

  it('disables and enables; what was pending when it was disabled is skipped', async () => {
    const { id } = await create({ url })
    await world.event()
    expect(await patchEndpoint(world.deps, id, { enabled: false })).toMatchObject({
      enabled: false,
      disabledReason: 'manual',
    })
    expect(only(await world.deliveriesOf(id))).toMatchObject({ state: 'skipped', nextAttemptAt: null })
    expect(await enableEndpoint(world.deps, id)).toMatchObject({ enabled: true, disabledReason: null })
    await world.event()
    expect((await world.deliveriesOf(id)).map(({ state }) => state)).toEqual(['skipped', 'pending'])
  })

  it('finds only ids of endpoints that there are', async () => {
    const { id } = await create({ url })
    await world.event()
    await removeEndpoint(world.deps, id)
    for (const unknown of [id, newId(), 'nonsense']) {
      await expect(getEndpoint(world.deps, unknown)).rejects.toMatchObject({ code: 'not_found' })
      await expect(patchEndpoint(world.deps, unknown, {})).rejects.toMatchObject({ code: 'not_found' })
      await expect(removeEndpoint(world.deps, unknown)).rejects.toMatchObject({ code: 'not_found' })
      await expect(rotateSecret(world.deps, unknown, { overlapHours: 1 })).rejects.toMatchObject({ code: 'not_found' })
      await expect(testEndpoint(world.deps, unknown)).rejects.toMatchObject({ code: 'not_found' })
    }
    expect(only(await world.deliveriesOf(id)).state).toBe('skipped')
    expect(await world.endpointRow(id)).toMatchObject({ secret: '', headers: null, previousSecrets: [] })
  })
})

describe('listing', () => {
  it('pages through endpoints in the order they were made', async () => {
    const made = []
    for (let count = 0; count < 3; count += 1) made.push((await create({ url })).id)
    const first = await listEndpoints(world.deps, { limit: 2 })
    const second = await listEndpoints(world.deps, { limit: 2, after: first.next ?? '' })
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(made)
    expect(second.next).toBeNull()
    await expect(listEndpoints(world.deps, { limit: 2, after: 'x' })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
