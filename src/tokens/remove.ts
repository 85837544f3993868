// Owns revoking a token.
import { eq } from 'drizzle-orm'
import { notFound } from '../api/refusal.ts'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'

/**
 * Revokes a token. It stops working in this process once its authenticator forgets it, and within seconds in others.
 * @throws {AppError} not_found
 */
export async function removeToken({ db }: { db: Database }, id: string): Promise<void> {
  const removed = await db.delete(apiTokens).where(eq(apiTokens.id, id)).returning({ id: apiTokens.id })
  if (removed.length === 0) throw notFound('token')
}
