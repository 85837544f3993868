// Owns how the API shows a token. The token itself is shown only once, when it is created.
import { z } from 'zod'
import type { apiTokens } from '../db/schema/index.ts'
import { type Scope, scopes } from './scope.ts'

export const tokenSchema = z
  .object({ id: z.uuid(), name: z.string(), scope: z.enum(scopes), createdAt: z.iso.datetime() })
  .meta({ id: 'Token', description: 'An API token, without the token itself.' })

export type ApiToken = z.infer<typeof tokenSchema>

export function presentToken(row: typeof apiTokens.$inferSelect): ApiToken {
  return { id: row.id, name: row.name, scope: row.scope as Scope, createdAt: row.createdAt.toISOString() }
}
