// Owns what polling needs to know of an import, read for many imports in one statement.
import { inArray } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { imports } from '../db/schema/index.ts'

const columns = {
  id: imports.id,
  connectionId: imports.connectionId,
  jobId: imports.jobId,
  state: imports.state,
  attention: imports.attention,
  attentionsTold: imports.attentionsTold,
  polls: imports.polls,
  nextPollAt: imports.nextPollAt,
  pollLeaseUntil: imports.pollLeaseUntil,
  registeredAt: imports.registeredAt,
  deadlineAt: imports.deadlineAt,
  providerStartedAt: imports.providerStartedAt,
  providerCreatedAt: imports.providerCreatedAt,
  providerExpiresAt: imports.providerExpiresAt,
  pollFailures: imports.pollFailures,
  notFoundPolls: imports.notFoundPolls,
  notFoundSince: imports.notFoundSince,
  resumedAt: imports.resumedAt,
  heldOutcome: imports.heldOutcome,
  snapshotId: imports.snapshotId,
  fingerprint: imports.fingerprint,
  movingFields: imports.movingFields,
  progressChanges: imports.progressChanges,
}

export type TrackedImport = Pick<typeof imports.$inferSelect, keyof typeof columns>

/** The imports with these ids, those that exist. */
export function loadTracked(db: Database, ids: readonly string[]): Promise<TrackedImport[]> {
  return db
    .select(columns)
    .from(imports)
    .where(inArray(imports.id, [...ids]))
}
