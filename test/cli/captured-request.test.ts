import { expect, test } from 'vitest'
import { judge, readCapturedRequest } from '../../src/cli/captured-request.ts'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.ts'

const secret = newSecret()
const signedAt = new Date('2026-11-26T12:00:00Z')
const now = new Date('2026-11-26T12:01:00Z')
const data = { id: '1', rows: { failed: 3 } }
const body = JSON.stringify({ type: 'import.partial', timestamp: signedAt.toISOString(), sequence: 3, data })
const headers = signatureHeaders({ id: 'evt_1', at: signedAt, body }, [secret])
const changed = (text: string) => text.replace('"failed":3', '"failed":4')
const length = { 'content-length': String(body.length) }

test('a request as it came passes every check', () => {
  const { wrong, event } = judged(captured({ ...headers, ...length }, body))
  expect(wrong).toEqual([])
  expect(event).toMatchObject({ id: 'evt_1', type: 'import.partial' })
})

test.each([
  ['with LF', captured(headers, body).replaceAll('\r\n', '\n')],
  ['without its first line', captured(headers, body).replace(/^.*\r\n/, '')],
  ['as curl -v prints it', captured(headers, body).replace(/^(?!$)(?!\{)/gm, '> ')],
  ['with names in capitals', captured(headers, body).replaceAll('webhook-', 'Webhook-')],
  [
    'with a signature of each secret',
    captured({ ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` }, body),
  ],
])('it is read %s', (_how, text) => {
  expect(judged(text).wrong).toEqual([])
})

const { 'webhook-id': _, ...withoutId } = headers
test.each<[what: string, text: string, codes: string[]]>([
  ['a missing header', captured(withoutId, body), ['missing_header']],
  ['no header at all', body, ['missing_header', 'missing_header', 'missing_header']],
  ['a time that is no number', captured({ ...headers, 'webhook-timestamp': 'noon' }, body), ['invalid_timestamp', '']],
  ['an old time', captured(signedIn(-7_200_000), body), ['timestamp_too_old']],
  ['a time ahead', captured(signedIn(7_200_000), body), ['timestamp_too_new']],
  ['another secret', captured(headers, body, newSecret()), ['no_matching_signature']],
  ['a changed value', captured({ ...headers, ...length }, changed(body)), ['no_matching_signature']],
  [
    'a changed value of another length',
    captured({ ...headers, ...length }, `${body} `.replace('3}', '33}')),
    ['changed_body'],
  ],
  ['a line break at the end', captured(headers, `${body}\n`), ['changed_body']],
  ['JSON that was written again', captured(headers, JSON.stringify(JSON.parse(body), null, 2)), ['changed_body']],
  [
    'another version',
    captured({ ...headers, 'webhook-signature': 'v2,c2lnbmF0dXJl v1a,eA==' }, body),
    ['wrong_version'],
  ],
  [
    'an old time and a changed body',
    captured(signedIn(-7_200_000), `${body}\n`),
    ['timestamp_too_old', 'changed_body'],
  ],
])('%s is told as such', (_what, text, codes) => {
  const secrets = text.includes('x-secret') ? /x-secret: (\S+)/.exec(text)?.[1] : secret
  const { wrong, event } = judged(text, secrets)
  expect(wrong.map((line) => /^(\w+):/.exec(line)?.[1] ?? '')).toEqual(codes)
  expect(wrong.join()).not.toContain(secret)
  expect(event === null).toBe(codes.some((code) => !code.startsWith('timestamp')))
})

test('each has a message of its own that says what to do', () => {
  expect(judged(captured(signedIn(-7_200_000), body)).wrong).toEqual([
    'timestamp_too_old: it was signed 2h ago, and 300 s are allowed. --at 2026-11-26T10:01:00.000Z judges it as of then.',
  ])
  expect(judged(captured(headers, `${body}\n`)).wrong).toEqual([
    'changed_body: there is a line break after the body that wasn’t sent. Without it the signature is right.',
  ])
  expect(judged(captured({ ...headers, 'webhook-signature': 'v2,eA==' }, body)).wrong).toEqual([
    'wrong_version: webhook-signature has no signature of version v1, only v2.',
  ])
})

function signedIn(ms: number) {
  return signatureHeaders({ id: 'evt_1', at: new Date(now.getTime() + ms), body }, [secret])
}

/** The request as text. With another secret it is verified by that one. */
function captured(given: Record<string, string>, content: string, by?: string): string {
  const lines = Object.entries(by === undefined ? given : { ...given, 'x-secret': by })
  if (lines.length === 0) return content
  return ['POST /hooks HTTP/1.1', ...lines.map(([name, value]) => `${name}: ${value}`), '', content].join('\r\n')
}

function judged(text: string, by = secret) {
  const { checks, event } = judge(readCapturedRequest(Buffer.from(text)), { secret: by, now, toleranceS: 300 })
  return { wrong: checks.filter(({ isRight }) => !isRight).map(({ text }) => text), event }
}
