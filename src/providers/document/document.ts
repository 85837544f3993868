// Owns the form of a provider's document, format 1. read-document.ts puts it together with its bounds, and with how its
// parts have to fit together.
import { z } from 'zod'
import { isRawNumber } from '../../base/json.ts'
import { byType, condition, oneOrMany, pointerSchema, reportedStates, value } from './expressions.ts'
import { pointerProblem } from './pointer.ts'

export const namePattern = /^[a-z][a-z0-9-]{0,39}$/
export const nameForm = 'must be 1 to 40 lower-case letters, digits or "-", the first one a letter'

const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,49}$/, 'must be 1 to 50 letters, digits or "_", the first one a letter')
const template = z.string().min(1).max(1_000)
const state = z.enum(reportedStates)
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,60}$/, 'must be a header’s name')
  .refine((name) => !ownHeaders.has(name.toLowerCase()), 'must not be a header that belongs to the connection itself')
/** Headers that the client alone may write. */
const ownHeaders = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect', 'te', 'trailer'],
  ...['keep-alive', 'proxy-authorization', 'proxy-connection', 'accept-encoding', 'cookie'],
])

const words = { title: z.string().min(1).max(100), description: z.string().max(1_000).optional() }

const credentialSchema = z.strictObject({
  /** `headerText`: what a header can carry. `text`: any text. `jsonObject`: the JSON text of an object. */
  kind: z.enum(['headerText', 'text', 'jsonObject']).default('headerText'),
  title: words.title.optional(),
  description: words.description,
})
const credentialFields = z.record(fieldName, credentialSchema)

const settingSchema = z
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

const headers = z.record(headerName, template)

const json: z.ZodType<unknown, unknown> = z.custom<unknown>((given) => given !== undefined, 'is required')

export const requestSchema = z.strictObject({
  method: z.enum(['GET', 'POST']).default('GET'),
  /** Of a list, the first whose condition holds for the settings. */
  path: byType(template, () =>
    z
      .array(z.strictObject({ when: condition.optional(), path: template }))
      .min(1)
      .max(5),
  ),
  query: z.record(z.string().min(1).max(100), template).optional(),
  headers: headers.optional(),
  /** JSON. A text that is a placeholder as a whole is filled in. */
  body: json.optional(),
})
export type RequestForm = z.output<typeof requestSchema>

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
   * Below the base URL's origin if it begins with a slash. Otherwise an https URL, or one that a JSON credential names.
   * Of a list, the first whose credentials are there.
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

const authSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('header'), name: headerName, value: template }),
  z.strictObject({ kind: z.literal('basic'), user: template, password: template }),
  z.strictObject({ kind: z.literal('bearer'), token: template }),
  oauthSchema,
])
export type AuthForm = z.output<typeof authSchema>

const stateSchema = z
  .strictObject({
    /** The provider's own word for the state. */
    from: value.optional(),
    /** Words, compared without case and outer blanks. */
    map: z.record(z.string().trim().min(1).max(100), state).optional(),
    /** Before the map; the first one that holds counts. */
    rules: z
      .array(z.strictObject({ when: condition, to: state }))
      .min(1)
      .optional(),
    otherwise: state.default('unmapped'),
    /** One after the other, each of the state that the one before left. */
    refine: z
      .array(z.strictObject({ from: z.union([state, z.array(state).min(1)]), to: state, when: condition }))
      .min(1)
      .optional(),
  })
  .refine((given) => given.map !== undefined || given.rules !== undefined, {
    path: ['map'],
    error: 'or rules must be given',
  })
  .refine((given) => given.map === undefined || given.from !== undefined, {
    path: ['from'],
    error: 'must be given: it is the word that the map looks up',
  })
  .refine((given) => isDistinct(Object.keys(given.map ?? {})), {
    path: ['map'],
    error: 'must not have the same word in two spellings',
  })

function isDistinct(given: readonly string[]): boolean {
  return new Set(given.map((word) => word.trim().toLowerCase())).size === given.length
}

const plainPointer = pointerSchema({ wildcards: 0 })

/** What a success must have, else it is asked for again: a pointer, where `when` holds. */
const need = byType(plainPointer, () => z.strictObject({ value: plainPointer, when: condition.optional() }))

const reported = {
  rows: z
    .strictObject({
      total: value,
      processed: value,
      succeeded: value,
      failed: value,
      inserted: value,
      updated: value,
      skipped: value,
    })
    .partial()
    .optional(),
  message: value.optional(),
  /** 0 to 1. */
  progress: value.optional(),
  createdAt: value.optional(),
  startedAt: value.optional(),
  finishedAt: value.optional(),
  expiresAt: value.optional(),
  needs: z.array(need).optional(),
}

const statusSchema = z.strictObject({
  request: requestSchema,
  state: stateSchema,
  ...reported,
  /** Long lists that aren't kept with the answer, besides those that `details` reads. */
  omit: z.array(plainPointer).optional(),
  /** An answer without a body is one, too: its HTTP status says all. */
  emptyBody: z.boolean().default(false),
  /** Where an answer says that the next poll goes, below the base URL. Of a list, the first one that is there. */
  pollUrl: oneOrMany(z.strictObject({ when: condition.optional(), url: value }), { most: 5 }).optional(),
})
export type StatusForm = z.output<typeof statusSchema>

const refinedState = z.strictObject({
  refine: z.array(z.strictObject({ from: z.union([state, z.array(state).min(1)]), to: state, when: condition })).min(1),
})

const summarySchema = z.strictObject({
  request: requestSchema,
  /** Of the status answer. Absent: of every job that is over. */
  when: condition.optional(),
  state: refinedState.optional(),
  ...reported,
  omit: z.array(plainPointer).optional(),
})
export type SummaryForm = z.output<typeof summarySchema>

const pageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cursor'), next: value, param: z.string().min(1).max(100) }),
  z.strictObject({ kind: z.literal('link'), next: value, param: z.string().min(1).max(100) }),
  z.strictObject({
    kind: z.literal('page'),
    param: z.string().min(1).max(100),
    start: z.number().int().min(0).max(1).default(1),
    /** How many pages there are. Absent: the first empty page is the end. */
    total: value.optional(),
  }),
  z.strictObject({
    kind: z.literal('offset'),
    param: z.string().min(1).max(100),
    /** A page with fewer rows is the last one. Absent: an empty one is. */
    size: z.number().int().min(1).max(100_000).optional(),
  }),
  z.strictObject({ kind: z.literal('none') }),
])
export type PageForm = z.output<typeof pageSchema>

const rowSchema = z
  .strictObject({
    recordId: value,
    created: value,
    existing: value,
    line: value,
    column: value,
    code: value,
    message: value,
    /** The row itself, if the provider repeats it. */
    item: value,
  })
  .partial()

const rowsOfAnyList = {
  /** Of the status answer. Absent: of every job that is over. */
  when: condition.optional(),
  /** What the list is of. Skipped lines have a line and a column. */
  of: z.enum(['rowResults', 'skippedLines']).default('rowResults'),
  row: rowSchema,
  /** Of a row. Absent: all rows of the list have failed. */
  failedWhen: condition.optional(),
  /** How many rows the whole list has. */
  announced: value.optional(),
}
export type RowsForm = z.output<z.ZodObject<typeof rowsOfAnyList>>

const rowList = {
  ...rowsOfAnyList,
  /** The list. */
  rows: plainPointer,
}

const delimiter = z.string().regex(/^(?:\t|[ !#-~])$/, 'must be one character other than a double quote')

const csvSchema = z.strictObject({
  kind: z.literal('csv'),
  /** Of a list, the first one by which the header has all columns of `needs`. Or a word of the status for it. */
  delimiter: byType(delimiter, () =>
    z.union([
      z.array(delimiter).min(1).max(6),
      z.strictObject({ from: value, map: z.record(z.string().trim().min(1).max(100), delimiter) }),
    ]),
  ).default(','),
  /** True: the first line has the names of the columns. Otherwise a row is a list. */
  header: z.boolean().default(true),
  /** Columns that there have to be. */
  needs: z.array(z.string().min(1).max(200)).default([]),
})

type FormatForm = z.output<typeof csvSchema> | 'jsonl' | 'json'

const formatSchema = byType(z.enum(['csv', 'jsonl', 'json']), () => csvSchema).transform(
  (given): FormatForm => (given === 'csv' ? csvSchema.parse({ kind: 'csv' }) : given),
)

const outcomeSchema = z.strictObject({ state: refinedState, rows: reported.rows })
export type OutcomeForm = z.output<typeof outcomeSchema>

const hostName = z
  .string()
  .max(260)
  .regex(
    /^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[1-9][0-9]{0,4})?$/,
    'must be a host’s name, or "*." and the end of one, with a port or without',
  )
  .refine((name) => !name.startsWith('*.') || name.slice(2).includes('.'), 'must have more than one part behind "*."')

const fileLimits = z.strictObject({
  bytes: z
    .number()
    .int()
    .min(1)
    .max(64 * 1_073_741_824)
    .default(2 * 1_073_741_824),
  records: z.number().int().min(1).max(1_000_000_000).default(20_000_000),
  recordLength: z
    .number()
    .int()
    .min(1)
    .max(16 * 1_048_576)
    .default(4 * 1_048_576),
})

const fileSchema = z
  .strictObject({
    kind: z.literal('file'),
    ...rowsOfAnyList,
    /** Where it is, in the status answer. No file is there where it has no value. */
    url: value.optional(),
    /** Where `url` may lead, besides the base URL. A host without a port has that of https. */
    hosts: z.array(hostName).max(20).default([]),
    /** Instead of `url`. */
    request: requestSchema.optional(),
    format: formatSchema,
    unpack: z.enum(['none', 'gzip', 'tarGz']).default('none'),
    /** Only the rows tell how the job ended. Values are read of `{rows, failed, succeeded}`, counts of what was read. */
    outcome: outcomeSchema.optional(),
    limits: fileLimits.default(() => fileLimits.parse({})),
  })
  .refine((given) => (given.url === undefined) !== (given.request === undefined), {
    path: ['url'],
    error: 'or request must be given, and not both',
  })
  .refine((given) => given.unpack !== 'tarGz' || given.format === 'json', {
    path: ['format'],
    error: 'must be json: an archive is of JSON files',
  })
export type FileDetailsForm = z.output<typeof fileSchema>

const detailsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('inline'), ...rowList }),
  z.strictObject({
    kind: z.literal('pages'),
    request: requestSchema,
    page: pageSchema,
    /** Of a page: it has no list, and is the last one. */
    emptyWhen: condition.optional(),
    ...rowList,
  }),
  fileSchema,
])
export type DetailsForm = z.output<typeof detailsSchema>

export const errorKinds = [
  ...['unauthorized', 'refresh', 'forbidden', 'not_found'],
  ...['rate_limited', 'server_error', 'bad_request'],
] as const

const waitForms = ['seconds', 'date', 'epochS', 'resetS'] as const
const wait = z
  .strictObject({ header: z.string().min(1).max(100).optional(), value: value.optional(), form: z.enum(waitForms) })
  .refine((given) => (given.header === undefined) !== (given.value === undefined), 'must have one of header and value')
export type WaitForm = z.output<typeof wait>

const limits = {
  requestsPerSecond: z.number().min(0.00001).max(10_000).nullable(),
  requestsPerMinute: z.number().min(0.0006).max(600_000).nullable(),
  requestsPerDay: z.number().int().min(1).max(1_000_000_000).nullable(),
  requestsPerMonth: z.number().int().min(1).max(1_000_000_000).nullable(),
  maxInFlight: z.number().int().min(1).max(1_000),
  minIntervalMs: z.number().int().min(1).max(86_400_000),
  maxIntervalMs: z.number().int().min(1).max(86_400_000),
  deadlineMs: z.number().int().min(1).max(316_224_000_000),
}

const answerSchema = z.strictObject({
  status: z.number().int().min(200).max(599).default(200),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
})
export type AnswerForm = z.output<typeof answerSchema>

const expected = z.record(z.string(), z.unknown()).refine((given) => !isRawNumber(given), 'must be an object')

/** A real answer, and some of what it has to mean. */
const exampleSchema = z
  .strictObject({
    title: words.title.optional(),
    of: z.enum(['status', 'summary', 'details', 'file']).default('status'),
    /** Of a file: the status answer that names it, and which of the files that it names, from 0. */
    file: z.number().int().min(0).max(20).optional(),
    /** Of details: which of several lists of pages, from 0. */
    list: z.number().int().min(0).max(20).default(0),
    status: z.unknown().optional(),
    settings: z.record(z.string(), z.unknown()).optional(),
    answer: answerSchema,
    /** Of a status: keys of the report. Of a file: of the report after its rows were read. */
    report: expected.optional(),
    /** Of details, and of those that came with a status: `rowResults`, `skippedLines`, `next`. */
    details: expected.nullable().optional(),
    /** Of a status: where the next poll goes. */
    pollUrl: z.string().nullable().optional(),
    /** Of a status, or a summary: what a success lacks. */
    missing: z.string().nullable().optional(),
    /** Of a status: each file that it names, by some of `url`, `format`, `unpack`, `announced`. */
    files: z.array(expected).max(20).optional(),
    /** Of a status: which of the lists of pages the job has, from 0. */
    lists: z.array(z.number().int().min(0).max(20)).optional(),
    /** The kind of error that it is; or some of its kind, the vendor's own words, and the wait that it asks for. */
    error: byType(z.string(), () =>
      z.strictObject({
        kind: z.string(),
        code: z.string().nullable().optional(),
        message: z.string().nullable().optional(),
        retryAfterMs: z.number().int().nullable().optional(),
      }),
    ).optional(),
  })
  .refine((given) => given.of !== 'file' || given.status !== undefined, {
    path: ['status'],
    error: 'must be given: the status answer that names the file',
  })
  .refine(
    ({ report, details, pollUrl, missing, files, lists, error }) =>
      [report, details, pollUrl, missing, files, lists, error].some((given) => given !== undefined),
    { path: ['report'], error: 'is required' },
  )
export type ExampleForm = z.output<typeof exampleSchema>

const baseUrl = z
  .string()
  .max(2_048)
  .refine(isBaseUrl, 'must be a URL such as https://api.example.com, without query, fragment or credentials')
  .nullable()

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && !/[?#@]/.test(text)
}

const volatileField = z
  .string()
  .max(500)
  .superRefine((pointer, context) => {
    const problem = pointer === '' ? 'must not be the whole answer' : pointerProblem(pointer, { wildcards: 0 })
    if (problem !== null) context.addIssue(problem)
  })

export const documentForm = z.strictObject({
  format: z.literal(1),
  name: z.string().regex(namePattern, nameForm),
  ...words,
  /** Null: each connection has its own. */
  baseUrl,
  /** Of several alternatives, a connection has one. */
  credentials: oneOrMany(credentialFields, { most: 5 }),
  settings: z.record(fieldName, settingSchema).default({}),
  job: z
    .strictObject({
      kind: z.enum(['segment', 'path', 'url']).default('segment'),
      maxLength: z.number().int().min(1).max(2_000).default(500),
    })
    .default({ kind: 'segment', maxLength: 500 }),
  /** Of several, the first whose credentials are all there. */
  auth: oneOrMany(authSchema, { most: 5 }),
  headers: headers.optional(),
  limits: z.strictObject(limits).partial().default({}),
  forgetsJobs: z.boolean().default(false),
  volatileFields: z.array(volatileField).default([]),
  /** The first one that holds says what an answer is, also a 2xx. */
  errors: z.array(z.strictObject({ when: condition, kind: z.enum(errorKinds) })).default([]),
  errorCode: value.optional(),
  errorMessage: value.optional(),
  /** How long to wait, besides `Retry-After`. */
  retryAfter: z.array(wait).default([]),
  status: statusSchema,
  summary: summarySchema.optional(),
  details: z.array(detailsSchema).default([]),
  examples: z.array(exampleSchema).max(50).default([]),
})

export type ProviderDocument = z.output<typeof documentForm>
export type CredentialFields = Record<string, z.output<typeof credentialSchema>>
export type SettingForm = z.output<typeof settingSchema>

export function alternativesOf({ credentials }: Pick<ProviderDocument, 'credentials'>): CredentialFields[] {
  return Array.isArray(credentials) ? credentials : [credentials]
}

export function authsOf({ auth }: Pick<ProviderDocument, 'auth'>): AuthForm[] {
  return Array.isArray(auth) ? auth : [auth]
}
