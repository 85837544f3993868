// Owns the list of the API's operations. The server mounts it. The document, and so the client, are made from it.
import { type OpenApiDocument, openApiDocument } from './openapi.ts'
import type { Operation } from './operation.ts'
import { actionOperations } from './routes/actions.ts'
import { connectionOperations } from './routes/connections.ts'
import { deliveryOperations } from './routes/deliveries.ts'
import { eventOperations } from './routes/events.ts'
import { importDetailOperations } from './routes/import-details.ts'
import { importSteeringOperations } from './routes/import-steering.ts'
import { importOperations } from './routes/imports.ts'
import { providerOperations } from './routes/providers.ts'
import { tokenOperations } from './routes/tokens.ts'
import { webhookEndpointOperations } from './routes/webhook-endpoints.ts'

/** The dependencies of all operations together. */
export type OperationDeps = Parameters<typeof importOperations>[0] &
  Parameters<typeof importSteeringOperations>[0] &
  Parameters<typeof importDetailOperations>[0] &
  Parameters<typeof connectionOperations>[0] &
  Parameters<typeof providerOperations>[0] &
  Parameters<typeof webhookEndpointOperations>[0] &
  Parameters<typeof eventOperations>[0] &
  Parameters<typeof deliveryOperations>[0] &
  Parameters<typeof tokenOperations>[0]

export function apiOperations(deps: OperationDeps): Operation[] {
  return [
    ...importOperations(deps),
    ...importSteeringOperations(deps),
    ...importDetailOperations(deps),
    ...connectionOperations(deps),
    ...providerOperations(deps),
    ...webhookEndpointOperations(deps),
    ...eventOperations(deps),
    ...deliveryOperations(deps),
    ...actionOperations(deps),
    ...tokenOperations(deps),
  ]
}

/** Returns the API's document, for which nothing has to run. */
export function apiDocument(): OpenApiDocument {
  return openApiDocument(apiOperations({} as OperationDeps), '') // only handlers use dependencies
}
