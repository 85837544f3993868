// Owns the form of what a connection has to give, and of how it signs in with that.
import { z } from 'zod'
import { byType, pointerSchema } from '../expressions.ts'
import { fieldName, headerName, template, words } from './common.ts'

const credentialSchema = z.strictObject({
  /** `headerText`: what a header can carry. `text`: any text. `jsonObject`: the JSON text of an object. */
  kind: z.enum(['headerText', 'text', 'jsonObject']).default('headerText'),
  title: words.title.optional(),
  description: words.description,
})
export const credentialFields = z.record(fieldName, credentialSchema)

export const settingSchema = z
  .strictObject({
    /** `path`, `segments`: its slashes stay, and a path begins with one. `pointer`: a JSON Pointer. `list`: texts. */
    kind: z.enum(['text', 'path', 'segments', 'pointer', 'list']).default('text'),
    default: z.string().min(1).max(200).optional(),
    optional: z.boolean().optional(),
    maxLength: z.number().int().min(1).max(500).default(200),
    /** The only texts that it may be. */
    values: z.array(z.string().min(1).max(200)).min(1).optional(),
    title: words.title.optional(),
    description: words.description,
  })
  .refine((given) => given.default === undefined || given.optional === undefined, {
    path: ['optional'],
    error: 'says nothing beside default',
  })
  .refine((given) => given.default === undefined || given.kind !== 'list', {
    path: ['default'],
    error: 'is not for lists',
  })

const tokenUrl = z
  .string()
  .max(500)
  .refine(
    isTokenUrl,
    'must be a path, an https URL whose host has no placeholder, or a placeholder that points into a credential',
  )

const hostSuffix = z
  .string()
  .max(253)
  .regex(/^\.[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be the end of host names, such as .example.com')

/** An access token that expires (RFC 6749). It is got once for all workers, and kept encrypted. */
const oauthSchema = z.strictObject({
  kind: z.literal('oauth2'),
  grant: z.enum(['clientCredentials', 'refreshToken', 'jwtBearer']),
  /**
   * Where the service asks for a token: a path below the base URL's origin, an https URL, or a URL that a JSON credential
   * names. Of a list the service takes the first whose credentials the connection has.
   */
  tokenUrl: byType(tokenUrl, () => z.array(tokenUrl).min(1).max(3)),
  /** Not for the grant jwtBearer, like the secret. */
  clientId: template.optional(),
  clientSecret: template.optional(),
  /** For the grant refreshToken: the first one. */
  refreshToken: template.optional(),
  /** For the grant jwtBearer (RFC 7523): a signed assertion. Its `aud` is the token URL unless the claims say it. */
  jwt: z
    .strictObject({
      alg: z.literal('RS256').default('RS256'),
      /** A private key as PEM. */
      key: template,
      keyId: template.optional(),
      claims: z.record(z.string().min(1).max(100), template),
      lifetimeS: z.number().int().min(60).max(3_600).default(3_600),
    })
    .optional(),
  /** `query`: in the URL, for the vendors that have it no other way. */
  clientAuth: z.enum(['body', 'basic', 'query']).default('body'),
  /** Further parameters, such as `audience` and `scope`. */
  extra: z.record(z.string().min(1).max(100), template).optional(),
  accessToken: pointerSchema({ wildcards: 0 }).default('/access_token'),
  /** In seconds. */
  expiresIn: pointerSchema({ wildcards: 0 }).default('/expires_in'),
  /** Where a new refresh token is, if each refresh may replace it. */
  newRefreshToken: pointerSchema({ wildcards: 0 }).default('/refresh_token'),
  /** False: the first refresh token stays, whatever an answer has. */
  rotates: z.boolean().optional(),
  /** Where the answer says which address requests go to. It must be the base URL's host or end in one of `hosts`. */
  baseUrl: z
    .strictObject({ at: pointerSchema({ wildcards: 0 }), hosts: z.array(hostSuffix).max(10).default([]) })
    .optional(),
  /** Where the answer doesn't say it. */
  defaultLifetimeMs: z.number().int().min(60_000).max(86_400_000).default(1_800_000),
  /** The header that carries the token. */
  header: z
    .strictObject({ name: headerName, value: template })
    .default({ name: 'authorization', value: 'Bearer {token}' }),
})
export type OAuthForm = z.output<typeof oauthSchema>

function isTokenUrl(text: string): boolean {
  if (/^\{credentials\.[A-Za-z0-9_]+\/[^{}]+\}$/.test(text)) return true
  if (text.startsWith('/')) return !text.startsWith('//') && !/[?#\\\s]/.test(text)
  const url = URL.parse(text.replaceAll(/\{[^{}]*\}/g, 'x'))
  return url !== null && /^https:\/\/[A-Za-z0-9.-]+(:\d+)?\//.test(text) && !/[?#@\s]/.test(text)
}

export const authSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('header'), name: headerName, value: template }),
  z.strictObject({ kind: z.literal('basic'), user: template, password: template }),
  z.strictObject({ kind: z.literal('bearer'), token: template }),
  oauthSchema,
])
export type AuthForm = z.output<typeof authSchema>

export type CredentialFields = Record<string, z.output<typeof credentialSchema>>
export type SettingForm = z.output<typeof settingSchema>
