// Owns the OpenAPI 3.1 document, made from the definitions that also validate requests.
import { z } from 'zod'
import type {
  ZodOpenApiObject,
  ZodOpenApiOperationObject,
  ZodOpenApiPathsObject,
  ZodOpenApiResponsesObject,
} from 'zod-openapi'
import { createDocument } from 'zod-openapi'
import { type ProblemCode, problemStatus } from '../api/refusal.ts'
import type { Provider } from '../providers/contract.ts'
import { webhookSchema } from './event-schemas.ts'
import { addExamples } from './examples.ts'
import type { AnswerSpec, Operation } from './operation.ts'
import { problemMediaType, problemSchema } from './problem.ts'

export type OpenApiDocument = ReturnType<typeof createDocument>

const info = {
  title: 'Import Tracker',
  version: '1',
  license: { name: 'MIT', identifier: 'MIT' },
  description: `Tracks asynchronous imports at other vendors until they are over, keeps their history, and tells your services by signed webhook.

Every refusal is a problem document (RFC 9457) with a \`code\` and the wrong fields. Unknown fields and unknown query parameters are refused. Every answer repeats the request's \`X-Request-Id\`, or has a new one. A 429 says in \`Retry-After\` when to ask again.

Lists are \`{data, next}\`. Ask for the next page with \`?after=<next>\`; null means that this was the last one. Pages stay stable while rows are added.`,
}

/**
 * @param basePath what every path begins with.
 * @param uploaded The newest documents of providers, which the document describes like those of the service.
 */
export function openApiDocument(
  operations: readonly Operation[],
  basePath: string,
  uploaded: readonly Provider[] = [],
): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {}
  for (const operation of operations)
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation, uploaded) }
  const parts: ZodOpenApiObject = {
    openapi: '3.1.0',
    info,
    servers: [{ url: basePath === '' ? '/' : basePath }],
    security: [{ token: [] }],
    tags: tagsOf(operations),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token. Scopes: read < write < admin.' },
      },
    },
    paths,
    webhooks: { event: { post: webhook } },
  }
  const document = createDocument(parts, {
    override({ jsonSchema }) {
      quieten(jsonSchema)
      tellDefault(jsonSchema)
    },
  })
  receiveWebhooks(document)
  return addExamples(document)
}

/**
 * Makes the body of the webhook, which is described like an answer, that of its request. The service writes it, so it
 * has the same schemas as answers. As a request's it would get schemas of its own.
 */
function receiveWebhooks({ webhooks }: OpenApiDocument): void {
  const operation = webhooks?.event?.post as { responses: Record<string, { content?: object }>; requestBody?: object }
  const answer = operation.responses['2XX']
  operation.requestBody = { required: true, content: answer?.content }
  delete answer?.content
}

const webhookTag = 'Webhooks'

const tagDescriptions: Record<string, string> = {
  Imports: 'Jobs at providers that are tracked until they are over, with their history and rows.',
  Connections: 'Accounts at providers: credentials, limits, pauses.',
  'Webhook endpoints': 'Receivers of webhooks.',
  Events: 'What happened, to read instead of receiving it.',
  Deliveries: 'The log of webhooks: each event for each endpoint, and the attempts at it.',
  Actions: 'Who did what: the log of what the holders of tokens changed.',
  Tokens: 'Tokens of this API.',
  [webhookTag]: 'What the service sends to webhook endpoints.',
}

function tagsOf(operations: readonly Operation[]) {
  const names = new Set([...operations.map(({ tag }) => tag), webhookTag])
  return [...names].map((name) => ({ name, description: tagDescriptions[name] ?? `Operations on ${name}.` }))
}

const webhook: ZodOpenApiOperationObject = {
  operationId: 'receiveEvent',
  tags: [webhookTag],
  summary: 'An event',
  description:
    'Sent to each endpoint that subscribes to the type, at least once, and signed as in Standard Webhooks. Answer with 2xx within 15 seconds. There may be new types: ignore unknown ones.',
  security: [],
  requestParams: {
    header: z.object({
      'webhook-id': z.uuid().meta({ description: 'The event’s id: the same on every attempt.' }),
      'webhook-timestamp': z.string().meta({ description: 'When it was signed, in seconds since 1970.' }),
      'webhook-signature': z.string().meta({
        description:
          '`v1,` and base64 of the HMAC-SHA256 over `webhook-id.webhook-timestamp.body`, several separated by spaces.',
      }),
    }),
  },
  responses: {
    '2XX': { description: 'The event was received.', content: { 'application/json': { schema: webhookSchema } } },
    '410': { description: 'The endpoint wants no more webhooks. It is disabled.' },
    '4XX': { description: 'The webhook is sent again later, as after any other answer.' },
  },
}

/** Removes what zod adds beside `format` and `integer`: it says nothing new, and hides the rest from readers. */
function quieten(schema: {
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  propertyNames?: unknown
}): void {
  delete schema.propertyNames // names are always text
  if (schema.format === 'date-time' || schema.format === 'uuid') delete schema.pattern
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
}

/**
 * Moves a default into the description, because generators would take a property with a default for one that is always
 * there.
 */
function tellDefault(schema: { default?: unknown; description?: string }): void {
  if (!('default' in schema)) return
  const { default: fallback, description = '' } = schema
  delete schema.default
  if (typeof fallback !== 'object') schema.description = `${description} Absent: ${String(fallback)}.`.trim()
}

function describe(operation: Operation, uploaded: readonly Provider[]): ZodOpenApiOperationObject {
  const { id, tag, summary, description = '', params, query, body, describeBody, scope } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${description}\n\nNeeds the scope \`${scope}\`.`.trim(),
    requestParams: { ...(params && { path: params }), ...(query && { query }) },
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: { 'application/json': { schema: describeBody?.(uploaded) ?? given(body) } },
      },
    }),
    responses: { ...answersOf(operation.answers), ...problemsOf(operation) },
  }
}

/** Returns the schema of a given body. An absent body counts as an empty one, but that is no default of the schema. */
function given(body: z.ZodType): z.ZodType {
  return body instanceof z.ZodPrefault ? (body.unwrap() as z.ZodType) : body
}

const location = {
  description: 'The path of the created resource.',
  required: true,
  schema: { type: 'string' as const },
}

function answersOf(answers: Record<number, AnswerSpec>): ZodOpenApiResponsesObject {
  const described = Object.entries(answers).map(([status, { description, schema, streams = {} }]) => {
    const pieces = Object.entries(streams).map(([mediaType, stream]) => [
      mediaType,
      { schema: stream.item ?? { type: 'string' as const, description: stream.description } },
    ])
    const content = { ...(schema && { 'application/json': { schema } }), ...Object.fromEntries(pieces) }
    const told = Object.entries(streams).map(([mediaType, stream]) => `\n\n\`${mediaType}\`: ${stream.description}`)
    const headers = status === '201' && { headers: { Location: location } }
    return [
      status,
      { description: description + told.join(''), ...headers, ...(Object.keys(content).length > 0 && { content }) },
    ]
  })
  return Object.fromEntries(described)
}

function problemsOf({ params, body, problems = [] }: Operation): ZodOpenApiResponsesObject {
  const codes = new Set<ProblemCode>([
    'invalid_request',
    'unauthenticated',
    'forbidden',
    'too_many_requests',
    'internal',
    'unavailable',
    ...problems,
  ])
  // Any request can carry a body, even if its operation takes none.
  codes.add('payload_too_large').add('unsupported_media_type')
  if (params) codes.add('not_found')
  if (body && params) codes.add('conflict')
  const described = [...codes].map((code) => {
    const headers = problemHeaders[code]
    const content = { [problemMediaType]: { schema: problemSchema } }
    return [problemStatus[code], { description: `\`${code}\``, ...(headers && { headers }), content }]
  })
  return Object.fromEntries(described)
}

const text = { type: 'string' as const }
const problemHeaders: Partial<Record<ProblemCode, Record<string, object>>> = {
  unauthenticated: { 'WWW-Authenticate': { description: 'The scheme: Bearer (RFC 6750).', schema: text } },
  too_many_requests: { 'Retry-After': { description: 'When to ask again, in seconds.', required: true, schema: text } },
}
