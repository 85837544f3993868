// Owns the examples of the API's document: one for each body, put together from its schema and from the values below. A
// new field has an example by its type until it gets a value of its own here.
import { STATUS_CODES } from 'node:http'
import type { OpenApiDocument } from './openapi.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  format?: string
  minimum?: number
  minLength?: number
  oneOf?: Schema[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  examples?: unknown[]
}

type Values = Record<string, unknown>

const importId = '019abc00-5b6f-7c3e-9a41-2f6d1c0b7a10'
const eventId = '019abc00-8d21-7e55-b0c4-6a9e3f1d2c77'
const time = '2026-11-22T12:00:00.000Z'
const later = '2026-11-22T12:08:20.000Z'

/** By the name of the field. */
const values: Values = {
  id: importId,
  importId,
  eventId,
  endpointId: '019abc00-1f0a-7b12-8e6d-94c3a5d07e21',
  connection: 'cdq-prod',
  connections: null,
  provider: 'cdq',
  providers: null,
  jobId: 'vendors-2026-11',
  state: 'partial',
  lostReason: null,
  attention: null,
  providerStatus: 'FINISHED',
  progress: 1,
  message: null,
  lastError: null,
  metadata: { run: 42, team: 'data' },
  url: 'https://hooks.example.com/imports',
  headers: {},
  baseUrl: null,
  settings: {},
  volatileFields: [],
  next: null,
  omitted: undefined,
  nextPollAt: null,
  blockedUntil: null,
  disabledReason: null,
  failingSince: null,
  nextProbeAt: null,
  errorCode: null,
  deadlineMs: 86_400_000,
  minIntervalMs: 2_000,
  maxIntervalMs: 120_000,
  maxInFlight: 10,
  requestsPerSecond: 5,
  requestsPerMonth: null,
  limit: 100,
  sequence: 3,
  status: 201,
  finishedAt: later,
  apiKey: 'your-api-key',
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  token: 'it_3b1f0c9a7d5e4f2b8c6a',
}

/** By the schema and the field, where a name means different things. */
const ownValues: Record<string, Values> = {
  RegisterImport: { result: undefined, deadlineMs: undefined },
  Rows: {
    total: 5_000,
    processed: 5_000,
    succeeded: 2_500,
    failed: 2_500,
    inserted: 2_000,
    updated: 500,
    skipped: null,
  },
  Details: { state: 'complete', skippedLines: 2_500, rowResults: 0 },
  Import: { polls: 9 },
  ImportEvent: { id: eventId, type: 'import.partial' },
  ImportWebhook: { type: 'import.partial' },
  Connection: { name: 'cdq-prod', limits: { requestsPerSecond: 5 }, pausedAt: null, pauseReason: null },
  ConnectionTest: { ok: true, code: 'accepted', message: 'The provider answered, and took the credentials.' },
  PutCdqConnection: {
    baseUrl: undefined,
    settings: undefined,
    limits: { requestsPerSecond: 5 },
    volatileFields: undefined,
  },
  PatchConnection: {
    provider: undefined,
    credentials: undefined,
    settings: undefined,
    baseUrl: undefined,
    limits: { requestsPerSecond: 2 },
    volatileFields: undefined,
  },
  WebhookEndpoint: {
    types: ['import.succeeded', 'import.partial', 'import.failed'],
    metadata: { team: 'data' },
    enabled: true,
  },
  CreateWebhookEndpoint: { types: ['import.succeeded', 'import.partial', 'import.failed'], metadata: { team: 'data' } },
  PatchWebhookEndpoint: {
    url: undefined,
    connections: undefined,
    providers: undefined,
    headers: undefined,
    enabled: true,
    types: ['import.failed', 'import.lost'],
    metadata: undefined,
  },
  Delivery: { type: 'import.partial', state: 'delivered', attempts: 1, nextAttemptAt: null },
  ExhaustedDelivery: {
    type: 'import.partial',
    state: 'exhausted',
    attempts: 12,
    nextAttemptAt: null,
    deliveredAt: null,
  },
  DeliveryAttempt: { number: 1, manual: false, durationMs: 84, outcome: 'delivered', status: 204, responseSnippet: '' },
  Snapshot: { body: { status: 'FINISHED', progress: 100 }, polls: 2 },
  SkippedLine: { line: 17, column: 3, page: 0 },
  RowResult: { row: 0, line: null, column: null, recordId: 'rec-1', created: true, existing: false, error: null },
  Token: { name: 'Grafana', scope: 'read' },
  NewToken: { name: 'Grafana', scope: 'read' },
  CreateToken: { name: 'Grafana', scope: 'read' },
  Resent: { count: 214, more: false, dryRun: false },
  ResendWindow: { since: time, until: later, dryRun: true },
  ResumeImport: { force: true },
  RotateSecret: { overlapHours: 24 },
  Problem: {
    type: 'about:blank',
    title: STATUS_CODES[400],
    status: 400,
    code: 'invalid_request',
    detail: 'jobId is required.',
    errors: [{ field: 'jobId', message: 'is required' }],
  },
}

interface Media {
  schema?: Schema
  example?: unknown
}

/** Gives each JSON body that is no problem document an example. Problem documents have one in their schema. */
export function addExamples(document: OpenApiDocument): OpenApiDocument {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>
  const items = [...Object.values(document.paths ?? {}), ...Object.values(document.webhooks ?? {})]
  for (const item of items)
    for (const operation of Object.values(item as object)) {
      addTo(operation.requestBody?.content, schemas)
      for (const response of Object.values((operation.responses ?? {}) as object)) addTo(response.content, schemas)
    }
  const { Problem: problem } = schemas
  if (problem) problem.examples = [exampleOf(problem, schemas, 'Problem')]
  return document
}

/** Returns the example of the webhook's body whose `type` may be this one. */
export function webhookExample(document: OpenApiDocument, type: string): Values {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>
  const members = schemas.Webhook?.oneOf ?? []
  const member = members.find(({ $ref = '' }) => {
    const own = schemas[$ref.slice($ref.lastIndexOf('/') + 1)]?.properties?.type
    return own?.const === type || own?.enum?.includes(type)
  })
  return exampleOf(member ?? {}, schemas) as Values
}

function addTo(content: Record<string, Media> | undefined, schemas: Record<string, Schema>): void {
  const json = content?.['application/json']
  if (json?.schema) json.example = exampleOf(json.schema, schemas)
}

function exampleOf(schema: Schema, schemas: Record<string, Schema>, owner = ''): unknown {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    return exampleOf(schemas[name] ?? {}, schemas, name)
  }
  const [first] = schema.oneOf ?? schema.anyOf ?? []
  if (first) return exampleOf(first, schemas, owner)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  switch ([schema.type].flat()[0]) {
    case 'object':
      return objectOf(schema, schemas, owner)
    case 'array':
      return schema.items ? [exampleOf(schema.items, schemas, owner)] : []
    case 'string':
      return textOf(schema)
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, 0)
    case 'boolean':
      return false
    default:
      return null
  }
}

function objectOf({ properties = {} }: Schema, schemas: Record<string, Schema>, owner: string): Values {
  const given = { ...values, ...ownValues[owner] }
  const fields = Object.entries(properties).map(([name, schema]): [string, unknown] => {
    const isOwn = name in (ownValues[owner] ?? {})
    const isGiven = isOwn || (name in values && mayBe(given[name], schema, schemas))
    return [name, isGiven ? given[name] : exampleOf(schema, schemas)]
  })
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
}

/** Returns true if a value by the name alone fits the field: another schema may mean something else by the name. */
function mayBe(value: unknown, schema: Schema, schemas: Record<string, Schema>): boolean {
  if (schema.$ref !== undefined)
    return mayBe(value, schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {}, schemas)
  const alternatives = schema.oneOf ?? schema.anyOf
  if (alternatives) return alternatives.some((one) => mayBe(value, one, schemas))
  if (schema.enum) return schema.enum.includes(value)
  if (schema.const !== undefined) return schema.const === value
  if (value === undefined) return true
  if (schema.format === 'uuid' || schema.format === 'date-time') return typeof value === 'string'
  return schema.type === undefined || [schema.type].flat().some((type) => isOf(type, value))
}

function isOf(type: string, value: unknown): boolean {
  if (value === null) return type === 'null'
  if (type === 'integer') return Number.isInteger(value)
  return type === (Array.isArray(value) ? 'array' : typeof value)
}

function textOf({ format, minLength = 0 }: Schema): string {
  if (format === 'uuid') return importId
  if (format === 'date-time') return time
  return 'text'.padEnd(minLength, '.')
}
