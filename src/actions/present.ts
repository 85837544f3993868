// Owns how the API shows an action.
import { z } from 'zod'
import type { actions } from '../db/schema/index.ts'
import { type ActionVerb, actionVerbs, subjectKindOf, subjectKinds } from './verbs.ts'

export const actionSchema = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    by: z
      .object({
        name: z.string(),
        scope: z.string(),
        tokenId: z.uuid().nullable().describe('Null: the bootstrap token.'),
      })
      .describe('The token, as it was then. It may have been deleted since.'),
    verb: z.enum(actionVerbs),
    subject: z.object({
      kind: z.enum(subjectKinds),
      id: z.string().nullable().describe('Null: many imports at once.'),
      name: z.string().nullable().describe('A job id, a name, or a URL without its query. Null: many imports at once.'),
    }),
    details: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('What more there is to know: the fields that changed, or how many were done. Never a secret.'),
  })
  .meta({ id: 'Action', description: 'What the holder of a token did.' })

export type ApiAction = z.infer<typeof actionSchema>

export function presentAction(row: typeof actions.$inferSelect): ApiAction {
  const verb = row.verb as ActionVerb
  return {
    id: row.id,
    at: row.at.toISOString(),
    by: { name: row.by, scope: row.scope, tokenId: row.tokenId },
    verb,
    subject: { kind: subjectKindOf(verb), id: row.subjectId, name: row.subject },
    details: row.details === null ? null : shown(row.details),
  }
}

/** Of ids only how many there were, because the imports lead to the action. And no place where it goes on. */
function shown({ behind: _behind, filter, ...details }: Record<string, unknown>): Record<string, unknown> {
  if (typeof filter !== 'object' || filter === null) return details
  const { ids } = filter as { ids?: unknown }
  return { filter: Array.isArray(ids) ? { ...filter, ids: ids.length } : filter, ...details }
}
