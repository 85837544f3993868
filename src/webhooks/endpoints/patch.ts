// Owns changing a webhook endpoint, enabling and disabling it included.
import { eq } from 'drizzle-orm'
import type { Clock } from '../../clock.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import type { Encryption } from '../../encryption.ts'
import { sealHeaders } from './headers.ts'
import { checkEndpoint, type InputDeps, type PatchEndpointInput } from './input.ts'
import { type ApiEndpoint, type EndpointRow, presentEndpoint } from './present.ts'
import { lockEndpoint } from './read.ts'
import { skipPending } from './skip-pending.ts'

export type PatchDeps = InputDeps & { clock: Clock; encryption: Encryption }

/**
 * Changes what is given. Pending deliveries go to the new URL with the new headers; disabling ends them as `skipped`.
 * @throws {AppError} not_found; invalid_request
 */
export async function patchEndpoint(deps: PatchDeps, id: string, input: PatchEndpointInput): Promise<ApiEndpoint> {
  await checkEndpoint(deps, input)
  const { db, clock, encryption } = deps
  return db.transaction(async (tx) => {
    const old = await lockEndpoint(tx, id)
    const now = clock.now()
    const { url, types, connections, headers, enabled } = input
    const [row] = await tx
      .update(webhookEndpoints)
      .set({
        ...(url !== undefined && { url }),
        ...(types !== undefined && { types }),
        ...(connections !== undefined && { connections }),
        ...(headers !== undefined && { headers: sealHeaders(encryption, id, headers) }),
        ...(enabled !== undefined && enabledColumns(old, enabled, now)),
        updatedAt: now,
      })
      .where(eq(webhookEndpoints.id, id))
      .returning()
    if (!row) throw new Error(`The locked endpoint ${id} is gone.`)
    if (enabled === false) await skipPending(tx, id)
    return presentEndpoint(encryption, row)
  })
}

/** Sends to a disabled endpoint again, from the next event on. @throws {AppError} not_found */
export function enableEndpoint(deps: PatchDeps, id: string): Promise<ApiEndpoint> {
  return patchEndpoint(deps, id, { enabled: true })
}

function enabledColumns(old: EndpointRow, enabled: boolean, now: Date): Partial<EndpointRow> {
  if (enabled) return { disabledAt: null, disabledReason: null, blockedUntil: null }
  return { disabledAt: old.disabledAt ?? now, disabledReason: old.disabledReason ?? 'manual' }
}
