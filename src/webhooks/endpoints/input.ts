// Owns what the API accepts for a webhook endpoint, and its checks against the network and the database.
import { and, inArray, isNull } from 'drizzle-orm'
import { z } from 'zod'
import type { FieldError } from '../../api/refusal.ts'
import { invalidFields, requireStorable } from '../../api/validation.ts'
import { requireProviders } from '../../catalog/documents.ts'
import { providerNameSchema } from '../../catalog/present.ts'
import type { Database } from '../../db/client.ts'
import { connections } from '../../db/schema/index.ts'
import type { CheckDestination } from '../../egress/destination.ts'
import { defaultEventTypes, eventTypes } from '../../model/event-types.ts'
import { headersSchema } from './headers.ts'
import { metadataFilterSchema } from './present.ts'

const maxMetadataKeys = 20

const fields = {
  url: z.string().min(1).max(2_048).describe('The receiver’s URL: https, and a public host.'),
  types: z
    .array(z.enum(eventTypes))
    .min(1, 'must name at least one event type')
    .transform((types) => [...new Set(types)])
    .describe('The event types to send.'),
  connections: z
    .array(z.string().max(100))
    .min(1, 'must name at least one connection, or be null for all')
    .max(1_000)
    .transform((names) => [...new Set(names)])
    .nullable()
    .describe('Sends only events of these connections. Null: of all.'),
  providers: z
    .array(providerNameSchema)
    .min(1, 'must name at least one provider, or be null for all')
    .max(200)
    .transform((names) => [...new Set(names)])
    .nullable()
    .describe('Sends only events of these providers. Null: of all.'),
  metadata: metadataFilterSchema
    .refine((metadata) => Object.keys(metadata).length > 0, 'must have at least one key, or be null for anything')
    .refine((metadata) => Object.keys(metadata).length <= maxMetadataKeys, `must have at most ${maxMetadataKeys} keys`)
    .nullable()
    .describe('Sends only events of imports whose metadata has all of these keys with these values. Null: anything.'),
  headers: headersSchema.describe('Headers to send with each webhook, such as an Authorization of yours.'),
}

export const createEndpointSchema = z
  .strictObject({
    url: fields.url,
    types: fields.types.default([...defaultEventTypes]),
    connections: fields.connections.default(null),
    providers: fields.providers.default(null),
    metadata: fields.metadata.default(null),
    headers: fields.headers.default({}),
  })
  .meta({ id: 'CreateWebhookEndpoint' })

export type CreateEndpointInput = z.infer<typeof createEndpointSchema>

export const patchEndpointSchema = z
  .strictObject({
    url: fields.url.optional(),
    types: fields.types.optional(),
    connections: fields.connections.optional(),
    providers: fields.providers.optional(),
    metadata: fields.metadata.optional(),
    headers: fields.headers.optional().describe('Replaces all headers.'),
    enabled: z.boolean().optional().describe('False: nothing is sent, and pending deliveries are skipped.'),
  })
  .meta({ id: 'PatchWebhookEndpoint' })

export type PatchEndpointInput = z.infer<typeof patchEndpointSchema>

export interface InputDeps {
  db: Database
  checkDestination: CheckDestination
}

/** @throws {AppError} `invalid_request` naming a URL that may not be sent to, and connections that don't exist. */
export async function checkEndpoint(deps: InputDeps, input: PatchEndpointInput): Promise<void> {
  requireStorable(input)
  const errors = [...(await urlErrors(deps, input)), ...(await connectionErrors(deps, input))]
  if (errors.length > 0) throw invalidFields(errors)
  await requireProviders(deps.db, input.providers ?? [], (index) => `providers.${index}`)
}

async function urlErrors({ checkDestination }: InputDeps, { url }: PatchEndpointInput): Promise<FieldError[]> {
  const message = url === undefined ? null : await checkDestination(url)
  return message === null ? [] : [{ field: 'url', message }]
}

async function connectionErrors({ db }: InputDeps, { connections: names }: PatchEndpointInput): Promise<FieldError[]> {
  if (!names) return []
  const found = await db
    .select({ name: connections.name })
    .from(connections)
    .where(and(inArray(connections.name, names), isNull(connections.deletedAt)))
  const known = new Set(found.map(({ name }) => name))
  return names.flatMap((name, index) =>
    known.has(name) ? [] : [{ field: `connections.${index}`, message: 'must name an existing connection' }],
  )
}
