// The verifier in Python of docs/api.md, as it stands there, against whatever a sender can send.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newSecret, signatureHeaders } from '../../../src/webhooks/signing.ts'

/** What Python is given: JSON, whose \u escapes may be lone surrogates. `bytes` is base64. */
interface Request {
  body: unknown
  headers: Record<string, unknown>
  secrets: unknown
}
/** What it said: True or False, or the exception that it raised. */
type Said = boolean | 'ValueError' | { raised: string }

const driver = `
import base64, json, sys

verifier, requests = json.load(sys.stdin)
document = {}
exec(compile(verifier, "api.md", "exec"), document)


def said(body, headers, secrets):
    raw = base64.b64decode(body["bytes"]) if isinstance(body, dict) else body
    try:
        return document["verify_webhook"](raw, headers, secrets, tolerance_s=3600)
    except ValueError as error:
        return {"raised": repr(error)} if isinstance(error, UnicodeError) else "ValueError"
    except Exception as error:
        return {"raised": repr(error)}


print(json.dumps([said(**request) for request in requests]))
`
const secret = newSecret()
const id = '019abc00-0000-7000-8000-000000000001'
const body = '{"type":"import.lost","timestamp":"2026-11-22T12:00:00.000Z","sequence":1,"data":{"id":"größer"}}'
const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const

describe('a webhook', () => {
  it('is ours by any of several secrets, with any of several signatures', async () => {
    const rotated = signatureHeaders({ id, at: new Date(), body }, [newSecret(), secret])
    const requests = [
      ours(),
      ours({ secrets: [newSecret(), secret] }),
      ours({ secrets: secret }),
      ours({ secrets: [secret.slice('whsec_'.length)] }),
      ours({ headers: rotated }),
      ours({ headers: { ...headers(), 'webhook-signature': `v2,x  ${headers()['webhook-signature']} v1,` } }),
    ]
    expect(await verify(requests)).toEqual(requests.map(() => true))
  })

  it('is refused with another secret, body, id or time, and where it is too old or too new', async () => {
    const at = (seconds: number) => signatureHeaders({ id, at: new Date(Date.now() + seconds * 1_000), body }, [secret])
    const requests = [
      ours({ secrets: [newSecret()] }),
      ours({ body: bytes(`${body} `) }),
      ours({ headers: { ...headers(), 'webhook-id': id.replace('9', '8') } }),
      ours({ headers: { ...headers(), 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) - 7) } }),
      ours({ headers: at(-4_000) }),
      ours({ headers: at(8_000) }),
    ]
    expect(await verify(requests)).toEqual(requests.map(() => false))
  })
})

const hostileTexts = [
  '',
  ' ',
  '\0',
  '²',
  '١٧٣٢٢٧٦٨٠٠',
  '１７３２２７６８００',
  '9'.repeat(5_000),
  '9'.repeat(12),
  '-1',
  '+1',
  '1_000',
  '1e9',
  'nan',
  'inf',
  '1732276800.5',
  '\udcff',
  'v1,\udcff',
  '\ud800',
  'v1,é',
  'v1,not base64!',
  'v1',
  ',',
  'v1,'.repeat(10_000),
  ' '.repeat(10_000),
]

describe('whatever anybody sends is False', () => {
  it.each(names)('in %s', async (name) => {
    const values = [...hostileTexts, undefined, null, 0, 1e300, true, [], ['v1,x'], {}]
    const requests = values.map((value) => ours({ headers: { ...headers(), [name]: value } }))
    expect(await verify(requests)).toEqual(requests.map(() => false))
  })

  it('without headers, and with a body of another type', async () => {
    const requests = [
      ours({ headers: {} }),
      ...[null, 0, true, [], body, '\udcff', '\ud800'].map((other) => ours({ body: other })),
      ours({ body: bytes('') }),
      ours({ body: { bytes: Buffer.from([0xff, 0xfe, 0x00]).toString('base64') } }),
    ]
    expect(await verify(requests)).toEqual(requests.map(() => false))
  })

  it('with any text in any header', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom(...hostileTexts))
    const forged = fc.dictionary(fc.constantFrom(...names), text, { minKeys: 1 })
    const requests = fc.sample(forged, 500).map((fields) => ours({ headers: { ...headers(), ...fields } }))
    expect(await verify(requests)).toEqual(requests.map(() => false))
  })
})

it('no secret, or one that can’t be, is a ValueError, whatever was sent', async () => {
  const wrong = ['', 'whsec_', 'whsec_no base64', 'whsec_é', 'whsec_\udcff', 'whsec_A', 'whsec_====', null, 5, [], {}]
  const secrets = [...wrong, ...wrong.map((one) => [secret, one])]
  const requests = secrets.flatMap((some) => [
    ours({ secrets: some }),
    ours({ secrets: some, headers: {} }),
    ours({ secrets: some, body: null }),
  ])
  expect(await verify(requests)).toEqual(requests.map(() => 'ValueError'))
})

function ours(other: Partial<Request> = {}): Request {
  return { body: bytes(body), headers: headers(), secrets: [secret], ...other }
}

function headers(): Record<string, string> {
  return signatureHeaders({ id, at: new Date(), body }, [secret])
}

function bytes(text: string) {
  return { bytes: Buffer.from(text).toString('base64') }
}

/** What the document's code says of each. Python is needed: without it nothing would be checked. */
async function verify(requests: readonly Request[]): Promise<Said[]> {
  const document = await readFile(new URL('../../../docs/api.md', import.meta.url), 'utf8')
  const [, verifier] = /```python\n(.*?)```/s.exec(document) ?? []
  expect(verifier, 'the document has a block of Python').toBeDefined()
  const output = await new Promise<string>((resolve, reject) => {
    const python = execFile('python3', ['-c', driver], { maxBuffer: 1e7 }, (error, stdout) => {
      if (error?.code === 'ENOENT') reject(new Error('This test needs python3: install it (apt-get install python3).'))
      else if (error) reject(error)
      else resolve(stdout)
    })
    python.stdin?.on('error', () => {}) // the process says more
    python.stdin?.end(JSON.stringify([verifier, requests]))
  })
  return JSON.parse(output) as Said[]
}
