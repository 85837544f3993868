// Owns where a document's grants may be sent: the client's secret or an assertion goes there.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ProviderDocument } from '../../src/providers/document/document.ts'
import { compileTokenRequest } from '../../src/providers/document/grant.ts'

const document = JSON.parse(readFileSync('providers/bigquery.json', 'utf8'))
const form = document.auth.flat().find(({ kind }: { kind: string }) => kind === 'oauth2')
const defaults = { extra: {}, clientAuth: 'body', accessToken: '/access_token', expiresIn: '/expires_in' }
const bigquery = {
  ...document,
  auth: [{ ...defaults, newRefreshToken: '/refresh_token', ...form }],
} as ProviderDocument

const vendors = 'https://oauth2.googleapis.com/token'

test.each([
  ['http://other.example/t', 'https://b.example', vendors],
  ['/t', 'https://b.example', vendors],
  ['https://a:b@other.example/t', 'https://b.example', vendors],
  ['https://other.example/t', 'https://b.example', 'https://other.example/t'],
  ['http://other.example/t', 'http://b.example', 'http://other.example/t'],
])('a token URL %s of a credential, with the base URL %s: %s is asked', (token_uri, baseUrl, url) => {
  const credentials = { serviceAccountJson: JSON.stringify({ token_uri }) }
  const input = { jobId: 'a', credentials, settings: {}, baseUrl, cursor: '' }
  expect(compileTokenRequest(bigquery)(input, null)?.url).toBe(url)
})
