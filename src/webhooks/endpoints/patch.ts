// Owns changing a webhook endpoint, including enabling and disabling it.
import { eq } from 'drizzle-orm'
import type { Acting } from '../../actions/write.ts'
import { differing, requireUnchanged } from '../../api/seen.ts'
import type { Clock } from '../../base/clock.ts'
import { defined } from '../../base/defined.ts'
import type { Encryption } from '../../base/encryption.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { writeEndpointAction } from './act.ts'
import { disableEndpoint, oneDisablesAtOnce } from './disable.ts'
import { type CustomHeaders, openHeaders, sealHeaders } from './headers.ts'
import { healthy } from './health.ts'
import { checkEndpoint, type InputDeps, type PatchEndpointInput } from './input.ts'
import { type ApiEndpoint, type EndpointRow, presentEndpoint } from './present.ts'
import { lockEndpoint } from './read.ts'
import { fieldsOf } from './seen.ts'

export type PatchDeps = InputDeps & { clock: Clock; encryption: Encryption } & Acting

/**
 * Changes the given fields. Pending deliveries go to the new URL with the new headers. Disabling ends them as
 * `skipped`.
 * @param options.keepHeaders the names of stored headers that stay beside those of the change.
 * @param options.seen what `readSeen` said when the endpoint was shown: a {@link StaleChange} if it isn't so any more.
 * @throws {AppError} not_found; invalid_request
 */
export async function patchEndpoint(
  deps: PatchDeps,
  id: string,
  input: PatchEndpointInput,
  { keepHeaders = [], seen = null }: { keepHeaders?: readonly string[]; seen?: string | null } = {},
): Promise<ApiEndpoint> {
  await checkEndpoint(deps, input)
  const { db, clock, encryption, by } = deps
  const { headers, enabled, ...given } = input
  return db.transaction(async (tx) => {
    if (enabled === false) await oneDisablesAtOnce(tx)
    const old = await lockEndpoint(tx, id)
    if (seen !== null) requireUnchanged(encryption, id, seen, fieldsOf(encryption, old))
    const now = clock.now()
    const [row] = await tx
      .update(webhookEndpoints)
      .set({
        ...defined(given),
        ...(headers !== undefined && { headers: sealHeaders(encryption, id, { ...kept(old), ...headers }) }),
        ...(given.url !== undefined && given.url !== old.url && elsewhere(old, now)),
        ...(enabled === true && { ...healthy, disabledAt: null, disabledReason: null, blockedUntil: null }),
        updatedAt: now,
      })
      .where(eq(webhookEndpoints.id, id))
      .returning()
    if (!row) throw new Error(`The locked endpoint ${id} is gone.`)
    const left = enabled === false ? await disableEndpoint(tx, encryption, row, { reason: 'manual', now }) : row
    const fields = differing(fieldsOf(encryption, old), fieldsOf(encryption, left))
    if (fields.length > 0)
      await writeEndpointAction(tx, by, left, { at: now, verb: 'endpoint.change', details: { fields } })
    if (enabled === true && (old.disabledAt ?? old.failingSince ?? old.blockedUntil) !== null)
      await writeEndpointAction(tx, by, left, { at: now, verb: 'endpoint.enable' })
    if (enabled === false && old.disabledAt === null)
      await writeEndpointAction(tx, by, left, { at: now, verb: 'endpoint.disable' })
    return presentEndpoint(encryption, left)
  })

  function kept(old: EndpointRow): CustomHeaders {
    if (keepHeaders.length === 0) return {}
    return Object.fromEntries(
      Object.entries(openHeaders(encryption, old)).filter(([name]) => keepHeaders.includes(name)),
    )
  }
}

/**
 * Enables a disabled endpoint: it gets the next events. An endpoint that is failing or waits is tried again at once.
 * @throws {AppError} not_found
 */
export function enableEndpoint(deps: PatchDeps, id: string): Promise<ApiEndpoint> {
  return patchEndpoint(deps, id, { enabled: true })
}

/** Returns the columns for a new URL, which is tried at once, whatever the old one answered. */
function elsewhere(old: EndpointRow, now: Date): Partial<EndpointRow> {
  return { blockedUntil: null, ...(old.failingSince !== null && { nextProbeAt: now }) }
}
