// Owns what polls of imports bring in tests, as the work of polling hands it to those who record it.
import { after } from '../../../src/base/clock.ts'
import type { ImportRow } from '../../../src/imports/columns.ts'
import type { LostImport } from '../../../src/imports/end.ts'
import { fingerprintOf } from '../../../src/imports/fingerprint.ts'
import type { Observation } from '../../../src/imports/observation.ts'
import type { ChangedReport } from '../../../src/imports/record.ts'
import type { Note, UnchangedPoll } from '../../../src/imports/record-unchanged.ts'
import { type ImportState, isOver } from '../../../src/model/import-state.ts'
import { type DetailPage, type Report, unknownRows } from '../../../src/providers/contract.ts'
import { findProvider } from '../../../src/providers/index.ts'
import type { ManualClock } from '../clock.ts'
import type { connectionsIn } from './connections.ts'
import type { Ground } from './ground.ts'

export function pollsIn(
  { clock }: Ground<ManualClock>,
  { connectionRow }: Pick<ReturnType<typeof connectionsIn>, 'connectionRow'>,
) {
  const seen = (row: ImportRow): Observation => {
    clock.advance(1_000)
    return {
      importId: row.id,
      expectedPolls: row.polls,
      from: row.state as ImportState,
      polledAt: clock.now(),
      failedCall: null,
      connection: { id: row.connectionId, provider: 'cdq', hasPages: true },
    }
  }
  const connectionOf = async ({ connectionId }: ImportRow) => {
    const { id, name, provider } = await connectionRow(connectionId)
    return { id, name, provider, hasPages: findProvider(provider).details !== undefined }
  }

  return {
    /** An answer to a poll of the import as it is given: it comes a second later, and says what `report` says. */
    async changed(row: ImportRow, report: Partial<Report>, more: Partial<ChangedReport> = {}): Promise<ChangedReport> {
      const said = aReport(report)
      const to = (more.to ?? said.state) as ImportState
      const observation = seen(row)
      return {
        ...observation,
        connection: await connectionOf(row),
        answer: { report: said, missing: null, details: null },
        fingerprint: fingerprintOf(said, { volatileFields: [] }),
        to,
        lostReason: null,
        attention: null,
        attentionEvent: null,
        heldOutcome: null,
        lastError: null,
        progressChanges: [],
        dueAt: isOver(to) ? null : after(observation.polledAt, 2_000),
        polls: 1,
        ...more,
      }
    },
    /** The same report, a second later. What it notes on the import is what `note` says, and that all else is well. */
    unchanged(
      row: ImportRow,
      { note, ...more }: Partial<Omit<UnchangedPoll, 'note'>> & { note?: Partial<Note> } = {},
    ): UnchangedPoll {
      const observation = seen(row)
      const well: Note = { attention: null, attentionEvent: null, heldOutcome: null, lastError: null }
      const isWell = row.attention === null && row.heldOutcome === null && row.lastError === null
      return {
        ...observation,
        sameReport: true,
        dueAt: after(observation.polledAt, 2_000),
        failures: 0,
        notFounds: 0,
        notFoundSince: null,
        note: note || !isWell ? { ...well, ...note } : null,
        ...more,
      }
    },
    async lost(row: ImportRow, more: Partial<LostImport> = {}): Promise<LostImport> {
      return {
        ...seen(row),
        connection: await connectionOf(row),
        reason: 'deadline',
        lastError: null,
        polls: 1,
        ...more,
      }
    },
  }
}

export function aReport(report: Partial<Report>): Report {
  return {
    state: 'running',
    providerStatus: 'RUNNING',
    message: null,
    progress: null,
    rows: unknownRows,
    createdAt: null,
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    body: { status: 'RUNNING' },
    ...report,
  }
}

export function aPage(page: Partial<DetailPage>): DetailPage {
  return { skippedLines: [], rowResults: [], next: null, ...page }
}

export function aRowResult(recordId: string): DetailPage['rowResults'][number] {
  return { recordId, created: true, existing: false, error: null }
}
