// Owns checking signatures by the Standard Webhooks specification:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

/** Node, Bun and Deno have it. Importing it would keep browsers from loading the package's other parts. */
interface Crypto {
  createHmac(algorithm: 'sha256', key: Uint8Array): Hmac
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean
}
interface Hmac {
  update(data: string | Uint8Array): Hmac
  digest(encoding: 'base64'): string
}

const prefix = 'whsec_'
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The signed content: `id.timestamp.body`, exactly as they came. */
export interface Signed {
  id: string
  timestamp: string
  body: string | Uint8Array
}

/**
 * Returns true if any of the signatures (`v1,…`, space-separated) is by any of the secrets. The time it takes depends
 * only on their number, not on which one matches or how much of it.
 * @throws {TypeError} if a secret is malformed.
 */
export function isSigned(signed: Signed, signatures: string, secrets: readonly string[]): boolean {
  if (secrets.length === 0) throw new TypeError('There is no secret to verify webhooks with.')
  const { timingSafeEqual } = nodeCrypto()
  const given = signatures.split(' ').map(bytesOf)
  let isFound = false
  for (const secret of secrets) {
    const expected = bytesOf(sign(signed, secret))
    for (const signature of given)
      if (signature.length === expected.length && timingSafeEqual(signature, expected)) isFound = true
  }
  return isFound
}

function sign({ id, timestamp, body }: Signed, secret: string): string {
  const hmac = nodeCrypto().createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body)
  return `v1,${hmac.digest('base64')}`
}

function keyOf(secret: string): Uint8Array {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret
  try {
    if (base64.test(text)) return Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0))
  } catch {} // it was cut
  throw new TypeError('A webhook secret is whsec_ and base64, as the endpoint was created with.')
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function nodeCrypto(): Crypto {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  const crypto = process?.getBuiltinModule?.('node:crypto')
  if (crypto === undefined) throw new Error('Webhooks are verified on servers: Node 20.16, Bun or Deno, or newer.')
  return crypto as Crypto
}
