// Owns creating a webhook endpoint.
import type { Acting } from '../../actions/write.ts'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import { newId } from '../../base/ids.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { newSecret } from '../signing.ts'
import { writeEndpointAction } from './act.ts'
import { sealHeaders } from './headers.ts'
import { type CreateEndpointInput, checkEndpoint, type InputDeps } from './input.ts'
import { type ApiEndpointWithSecret, presentEndpoint } from './present.ts'
import { sealSecret } from './secrets.ts'

/**
 * Creates an endpoint, which gets events from now on. The secret is shown in this answer only.
 * @throws {AppError} invalid_request
 */
export async function createEndpoint(
  deps: InputDeps & { clock: Clock; encryption: Encryption } & Acting,
  input: CreateEndpointInput,
): Promise<ApiEndpointWithSecret> {
  await checkEndpoint(deps, input)
  const { db, clock, encryption, by } = deps
  const id = newId()
  const secret = newSecret()
  const now = clock.now()
  return db.transaction(async (tx) => {
    const [row] = await tx
      .insert(webhookEndpoints)
      .values({
        id,
        url: input.url,
        types: input.types,
        connections: input.connections,
        providers: input.providers,
        metadata: input.metadata,
        headers: sealHeaders(encryption, id, input.headers),
        secret: sealSecret(encryption, id, secret),
        createdAt: now,
        updatedAt: now,
      })
      .returning()
    if (!row) throw new Error('An insert without a conflict returned no row.')
    await writeEndpointAction(tx, by, row, { at: now, verb: 'endpoint.create' })
    return { ...presentEndpoint(encryption, row), secret }
  })
}
