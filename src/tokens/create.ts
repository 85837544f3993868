// Owns creating a token.
import { z } from 'zod'
import { type Acting, writeAction } from '../actions/write.ts'
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import { isVisibleText } from '../base/visible-text.ts'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
import { hashToken, newToken } from './hash.ts'
import { type ApiToken, presentToken } from './present.ts'
import { scopes } from './scope.ts'

export const createTokenSchema = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine(isVisibleText, { error: 'must not hold line breaks, other control characters or marks of direction' })
      .describe('What the token is for. For people.'),
    scope: z.enum(scopes),
  })
  .meta({ id: 'CreateToken' })

/** Creates a token. Only this answer holds it: the database has its hash alone. */
export async function createToken(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  input: z.infer<typeof createTokenSchema>,
): Promise<ApiToken & { token: string }> {
  const token = newToken()
  const row = { id: newId(), ...input, hash: hashToken(token), createdAt: clock.now() }
  await db.transaction(async (tx) => {
    await tx.insert(apiTokens).values(row)
    const { id, name, scope, createdAt: at } = row
    await writeAction(tx, by, { at, verb: 'token.create', subject: { id, name }, details: { scope } })
  })
  return { ...presentToken(row), token }
}
