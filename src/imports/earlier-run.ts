// Owns the rows of an earlier run, once an import that the provider ended is tracked again. They can be read until the
// provider reports the new run's end. Then they are replaced, and never mixed with the new ones.
import { eq, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { imports, rowResults, type StoredPollError, skippedLines } from '../db/schema/index.ts'
import type { ImportRow } from './columns.ts'

/** Returns the columns that reset an import's last run. Polls, metadata and history stay. */
export function forgottenOutcome({ detailsState }: ImportRow, now: Date) {
  const isUnderWay = detailsState === 'pending' || detailsState === 'collecting'
  return {
    providerStatus: null,
    message: null,
    progress: null,
    progressChanges: [],
    rowsTotal: null,
    rowsProcessed: null,
    rowsSucceeded: null,
    rowsFailed: null,
    rowsInserted: null,
    rowsUpdated: null,
    rowsSkipped: null,
    providerCreatedAt: null,
    providerStartedAt: null,
    providerFinishedAt: null,
    providerExpiresAt: null,
    providerClockAheadMs: 0,
    pollUrl: null,
    attentionsTold: [],
    ranMs: null,
    detectionGapMs: null,
    // A running collection ends here, because its run is over.
    ...notCollected,
    ...(isUnderWay && { detailsState: 'incomplete' }),
    detailsError: isUnderWay ? cutShort('resumed', now) : null,
    rowsAnnounced: null,
  } satisfies Partial<ImportRow>
}

const notCollected = {
  nextCollectAt: null,
  collectFailures: 0,
  collectNotFounds: 0,
  collectFaults: 0,
  collectBegunAnew: false,
  collectReplacesFrom: null,
} satisfies Partial<ImportRow>

/** Returns the columns that end a collection under way. */
export function endedCollection(by: 'stopped', now: Date) {
  return { ...notCollected, detailsState: 'incomplete', detailsError: cutShort(by, now) } satisfies Partial<ImportRow>
}

function cutShort(code: 'resumed' | 'stopped', now: Date): StoredPollError {
  const message = `The import was ${code === 'resumed' ? 'tracked again' : 'stopped'} before all rows were there.`
  return { code, message, at: now.toISOString() }
}

/** Deletes the stored rows of earlier runs of these imports, because the new run has ended. */
export async function dropEarlierRows(tx: Transaction, importIds: readonly string[]): Promise<void> {
  if (importIds.length === 0) return
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* page.drop_earlier */
    WITH dropped AS (DELETE FROM detail_pages WHERE import_id = ANY(${sql.param(importIds)}::uuid[]) RETURNING import_id)
    SELECT DISTINCT import_id AS id FROM dropped`)
  for (const { id } of rows) {
    await tx.delete(skippedLines).where(eq(skippedLines.importId, id))
    await tx.delete(rowResults).where(eq(rowResults.importId, id))
    await tx.update(imports).set({ skippedLines: 0, rowResults: 0 }).where(eq(imports.id, id))
  }
}
