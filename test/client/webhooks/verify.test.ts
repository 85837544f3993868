import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import {
  type VerifyOptions,
  verifyWebhook,
  type WebhookHeaders,
  WebhookVerificationError,
} from '../../../packages/client/src/webhooks/verify.ts'
import { newSecret, signatureHeaders } from '../../../src/webhooks/signing.ts'

const at = new Date('2026-11-22T12:00:00.900Z')
const secret = newSecret()
const id = '019abc00-0000-7000-8000-000000000001'
const event = {
  type: 'import.succeeded',
  timestamp: '2026-11-22T12:00:00.000Z',
  sequence: 3,
  data: { id: 'i', message: 'größer' },
}
const body = JSON.stringify(event)
const headers = signatureHeaders({ id, at, body }, [secret])

describe('a webhook', () => {
  it('is the event that was sent, with its id', () => {
    expect(verifyWebhook(body, headers, secret, { now: at })).toEqual({ id, ...event })
    expect(verifyWebhook(Buffer.from(body), headers, secret, { now: at })).toEqual({ id, ...event })
    expect(verifyWebhook(new TextEncoder().encode(body), headers, secret, { now: at })).toEqual({ id, ...event })
  })

  it('has no sequence where it was written before there were any', () => {
    const { sequence: _, ...older } = event
    const body = JSON.stringify(older)
    const signed = signatureHeaders({ id, at, body }, [secret])
    expect(verifyWebhook(body, signed, secret, { now: at })).toEqual({ id, ...older, sequence: null })
  })

  it('has its headers as Node gives them, as fetch does, or as a plain object in any case', () => {
    const shouted = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    const listed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
    for (const form of [new Headers(headers), shouted, listed, { host: 'x', accept: undefined, ...headers }])
      expect(verifyWebhook(body, form, secret, { now: at }).id).toBe(id)
  })

  it('is verified by any of several secrets, with any of several signatures', () => {
    const others = [newSecret(), newSecret()]
    const rotated = signatureHeaders({ id, at, body }, [...others, secret])
    expect(verifyWebhook(body, rotated, secret, { now: at }).id).toBe(id)
    expect(verifyWebhook(body, headers, [...others, secret], { now: at }).id).toBe(id)
    const future = { ...headers, 'webhook-signature': `v1a,xyz v2 ${headers['webhook-signature']}  v1,` }
    expect(verifyWebhook(body, future, secret, { now: at }).id).toBe(id)
  })

  it('is verified as standardwebhooks signs it, and the other way round', () => {
    const now = new Date()
    const theirs = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, now, body),
    }
    expect(verifyWebhook(body, theirs, secret).id).toBe(id)
    const ours = signatureHeaders({ id, at: now, body }, [secret])
    expect(new Webhook(secret).verify(body, ours)).toEqual(event)
  })

  it('is verified in the published vector, whose body is no event', () => {
    const vector = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    const key = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const now = new Date(1_614_265_330_000)
    for (const secret of [key, `whsec_${key}`])
      expect(codeOf('{"test": 2432232314}', vector, secret, { now })).toBe('invalid_body')
    expect(codeOf('{"test": 2432232315}', vector, key, { now })).toBe('no_matching_signature')
  })

  it('may be 300 seconds old or early, or as much as is tolerated', () => {
    const verifiedIn = (seconds: number, options: VerifyOptions = {}) =>
      codeOf(body, headers, secret, { now: new Date(at.getTime() + seconds * 1_000), ...options })
    expect(verifiedIn(300)).toBeNull()
    expect(verifiedIn(-300)).toBeNull()
    expect(verifiedIn(301)).toBe('timestamp_too_old')
    expect(verifiedIn(-301)).toBe('timestamp_too_new')
    expect(verifiedIn(11, { toleranceS: 10 })).toBe('timestamp_too_old')
    expect(verifiedIn(3_600, { toleranceS: 3_600 })).toBeNull()
  })
})

describe('a request is refused', () => {
  it.each(Object.keys(headers))('without %s', (name) => {
    for (const value of [undefined, '', []])
      expect(codeOf(body, { ...headers, [name]: value }, secret)).toBe('missing_header')
  })

  it.each(['soon', '', '-1', '1e9', '1614265330.5', '0x10', ' 1', '9'.repeat(40)])('with the time %j', (timestamp) => {
    const code = codeOf(body, { ...headers, 'webhook-timestamp': timestamp }, secret)
    expect(code).toBe(timestamp === '' ? 'missing_header' : 'invalid_timestamp')
  })

  it.each(['[]', 'null', '"import.lost"', '{}', '{"type":"a","timestamp":"b"}', 'not JSON', ''])(
    'that is signed, but with the body %j',
    (text) => {
      const signed = signatureHeaders({ id, at, body: text }, [secret])
      expect(codeOf(text, signed, secret)).toBe('invalid_body')
    },
  )

  it('where one byte of anything that is signed is another', () => {
    const signed = { body, id, timestamp: headers['webhook-timestamp'], signature: headers['webhook-signature'] }
    const parts = fc.constantFrom(...(Object.keys(signed) as (keyof typeof signed)[]))
    fc.assert(
      fc.property(parts, fc.nat(), fc.integer({ min: 0x21, max: 0x7e }), (part, random, byte) => {
        const text = signed[part]
        const at = random % text.length
        const other = `${text.slice(0, at)}${String.fromCharCode(byte)}${text.slice(at + 1)}`
        fc.pre(other !== text)
        const forged = { ...signed, [part]: other }
        expect(codeOf(forged.body, headersOf(forged), secret, { toleranceS: 1e12 })).not.toBeNull()
      }),
    )
  })

  it('with any other secret', () => {
    expect(codeOf(body, headers, newSecret())).toBe('no_matching_signature')
    expect(codeOf(body, headers, [newSecret(), newSecret()])).toBe('no_matching_signature')
  })
})

it.each([[[]], [''], ['whsec_'], ['whsec_no base64'], ['whsec_AAAAA'], ['whsec_AAA=='], [[secret, 'whsec_ ']]])(
  'the secrets %j are a mistake of the receiver, not a bad webhook',
  (secrets) => expect(() => verifyWebhook(body, headers, secrets, { now: at })).toThrow(TypeError),
)

function headersOf({ id, timestamp, signature }: { id: string; timestamp: string; signature: string }) {
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

/** Why it is refused; null: it isn't. */
function codeOf(body: string, headers: WebhookHeaders, secrets: string | string[], options: VerifyOptions = {}) {
  try {
    verifyWebhook(body, headers, secrets, { now: at, ...options })
    return null
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code
    throw error
  }
}
