// Owns revoking a token.
import { eq } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'

/**
 * Revokes a token. It stops working in this process once its authenticator forgets it, and within seconds in others.
 * @throws {AppError} not_found
 */
export async function removeToken(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  id: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    const [removed] = await tx.delete(apiTokens).where(eq(apiTokens.id, id)).returning()
    if (!removed) throw notFound('token')
    const { name, scope } = removed
    await writeAction(tx, by, { at: clock.now(), verb: 'token.delete', subject: { id, name }, details: { scope } })
  })
}
