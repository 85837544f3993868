// Owns giving an endpoint a new signing secret, while the old one goes on signing for a time.
import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Acting } from '../../actions/write.ts'
import { AppError } from '../../api/refusal.ts'
import { after, type Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import { type PreviousSecret, webhookEndpoints } from '../../db/schema/index.ts'
import { newSecret } from '../signing.ts'
import { writeEndpointAction } from './act.ts'
import { type ApiEndpointWithSecret, type EndpointRow, presentEndpoint } from './present.ts'
import { lockEndpoint } from './read.ts'
import { sealSecret, unexpired } from './secrets.ts'

const hourMs = 3_600_000
/** How many older secrets may sign beside the current one. More would only lengthen the signature header. */
const maxPrevious = 4

export const rotateSecretSchema = z
  .strictObject({
    overlapHours: z
      .number()
      .min(0)
      .max(168)
      .default(24)
      .describe('How long older secrets go on signing. 0 ends all of them at once.'),
  })
  .meta({ id: 'RotateSecret' })

/**
 * Returns a new secret, shown only this once. @throws {AppError} `not_found`; `conflict` if too many older secrets
 * still sign.
 */
export async function rotateSecret(
  deps: { db: Database; clock: Clock; encryption: Encryption } & Acting,
  id: string,
  { overlapHours }: z.infer<typeof rotateSecretSchema>,
): Promise<ApiEndpointWithSecret> {
  return deps.db.transaction(async (tx) => {
    const old = await lockEndpoint(tx, id)
    const now = deps.clock.now()
    const secret = newSecret()
    const [row] = await tx
      .update(webhookEndpoints)
      .set({
        secret: sealSecret(deps.encryption, id, secret),
        previousSecrets: previousSecrets(old, now, overlapHours * hourMs),
        updatedAt: now,
      })
      .where(eq(webhookEndpoints.id, id))
      .returning()
    if (!row) throw new Error(`The locked endpoint ${id} is gone.`)
    await writeEndpointAction(tx, deps.by, row, { at: now, verb: 'endpoint.rotate_secret', details: { overlapHours } })
    return { ...presentEndpoint(deps.encryption, row), secret }
  })
}

/** Returns them with the newest first. */
function previousSecrets(old: EndpointRow, now: Date, overlapMs: number): PreviousSecret[] {
  if (overlapMs === 0) return []
  const kept = unexpired(old.previousSecrets, now)
  if (kept.length >= maxPrevious)
    throw new AppError(
      'conflict',
      `${maxPrevious} older secrets still sign, the next one until ${firstEnd(kept)}; wait for that, or end them all with overlapHours 0.`,
    )
  const latest = { secret: old.secret, expiresAt: after(now, overlapMs).toISOString() }
  return [latest, ...kept]
}

function firstEnd(secrets: readonly PreviousSecret[]): string {
  return secrets.map(({ expiresAt }) => expiresAt).toSorted()[0] ?? ''
}
