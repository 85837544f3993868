// Owns imports as the API shows them, made up for what the demo makes of them.
import { randomUUID } from 'node:crypto'
import type { ApiImport } from '../../src/imports/present.ts'

interface Given extends Partial<Pick<ApiImport, 'connection' | 'state' | 'lostReason' | 'progress' | 'polls'>> {
  attention?: string
  providerStatus?: string
  message?: string
  lastError?: string
  details?: ApiImport['details']['state']
  skippedLines?: number
  rowResults?: number
  /** Epoch milliseconds. */
  finishedAt?: number
}

export function line(title: string, given: Given): { title: string; import: ApiImport } {
  const { details = 'none', skippedLines = 0, rowResults = 0, lastError, finishedAt } = given
  const at = new Date(0).toISOString()
  return {
    title,
    import: {
      id: randomUUID(),
      connection: given.connection ?? 'cdq',
      provider: 'cdq',
      jobId: randomUUID(),
      state: given.state ?? 'pending',
      lostReason: given.lostReason ?? null,
      attention: given.attention ?? null,
      providerStatus: given.providerStatus ?? null,
      message: given.message ?? null,
      progress: given.progress ?? null,
      rows: {
        total: null,
        processed: null,
        succeeded: null,
        failed: null,
        inserted: null,
        updated: null,
        skipped: null,
      },
      details: { state: details, skippedLines, rowResults, lastError: null },
      providerCreatedAt: null,
      providerStartedAt: null,
      providerFinishedAt: null,
      registeredAt: at,
      firstPolledAt: null,
      lastPolledAt: null,
      nextPollAt: null,
      finishedAt: finishedAt === undefined ? null : new Date(finishedAt).toISOString(),
      polls: given.polls ?? 0,
      lastError: lastError === undefined ? null : { code: lastError, message: lastError, at },
      metadata: {},
      eta: null,
      usualDurationMs: null,
      detectionGapMs: null,
      url: null,
    },
  }
}
