// Owns showing an endpoint's secret to who has just made it.
import { and, desc, eq, inArray } from 'drizzle-orm'
import type { ApiAction } from '../../actions/present.ts'
import { AppError } from '../../api/refusal.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import { actions } from '../../db/schema/index.ts'
import { type ApiEndpointWithSecret, presentEndpoint } from './present.ts'
import { lockEndpoint } from './read.ts'
import { openSecret } from './secrets.ts'

export const makingSecrets = ['endpoint.create', 'endpoint.rotate_secret'] as const

/**
 * Returns the endpoint with the secret that this action made.
 * @throws {AppError} `not_found`; `conflict` if a later action has made another one.
 */
export function showSecret(
  { db, encryption }: { db: Database; encryption: Encryption },
  { id, subject }: Pick<ApiAction, 'id' | 'subject'>,
): Promise<ApiEndpointWithSecret> {
  const endpointId = subject.id ?? ''
  return db.transaction(async (tx) => {
    const row = await lockEndpoint(tx, endpointId)
    const [newest] = await tx
      .select({ id: actions.id })
      .from(actions)
      .where(and(eq(actions.endpointId, endpointId), inArray(actions.verb, [...makingSecrets])))
      .orderBy(desc(actions.id))
      .limit(1)
    if (newest?.id !== id) throw new AppError('conflict', 'The endpoint has got another secret since.')
    return { ...presentEndpoint(encryption, row), secret: openSecret(encryption, row.id, row.secret) }
  })
}
