// Owns recording an answer that came inline with the import call, as micro.so answers small imports. There is nothing
// to poll, so the answer is stored as a poll's would be.
import { z } from 'zod'
import { type AppError, invalid } from '../api/refusal.ts'
import type { Transaction } from '../db/client.ts'
import type { connections } from '../db/schema/index.ts'
import { attentionEvent, firstAttention, isOver } from '../model/import-state.ts'
import { isTerminal } from '../model/reported-state.ts'
import { volatileFieldsOf } from '../model/volatile-fields.ts'
import type { Provider, StatusAnswer } from '../providers/contract.ts'
import { hasPages } from '../providers/facts.ts'
import { withTimesThatCanBe } from '../providers/times.ts'
import { fingerprintOf } from './fingerprint.ts'
import { judge } from './outcome.ts'
import { recordReports } from './record.ts'

type ConnectionRow = typeof connections.$inferSelect

/** Reads an inline answer as the connection's provider would have given it to a poll. */
export function readInlineResult(
  connection: ConnectionRow,
  provider: Provider,
  { jobId, result }: { jobId?: string | null | undefined; result: unknown },
): StatusAnswer | AppError {
  const answer = readStatus(connection, provider, result)
  if (answer === null) return invalid('result', `must be an answer of ${connection.provider}'s status call.`)
  if (!isTerminal(answer.report.state) && jobId == null)
    return invalid('jobId', 'must be given: the result says that the import is not over.')
  return answer
}

export interface InlineResult {
  row: { id: string; deadlineAt: Date; dueAt: Date }
  /** False: the answer names no job. */
  hasJob: boolean
  connection: ConnectionRow
  provider: Provider
  answer: StatusAnswer
}

/**
 * Records the answer in the registration's transaction. An import that isn't over, or whose outcome is incomplete, is
 * then polled like any other.
 */
export async function recordInlineResult(
  tx: Transaction,
  { row, hasJob, connection, provider, answer: given }: InlineResult,
  now: Date,
): Promise<void> {
  const volatileFields = volatileFieldsOf(provider, connection.volatileFields)
  const answer = { ...given, report: withTimesThatCanBe(given.report, now) }
  // Without a job nobody can ask again, so the answer stands.
  const known = { state: 'pending', held: null, deadlineAt: hasJob ? row.deadlineAt : now } as const
  const { held, ...verdict } = judge(known, answer, now)
  const attention = firstAttention([
    ...(answer.report.state === 'unmapped' ? ['unmapped_status' as const] : []),
    ...(held !== null ? ['outcome_incomplete' as const] : []),
  ])
  await recordReports(tx, [
    {
      importId: row.id,
      expectedPolls: 0,
      polledAt: now,
      failedCall: null,
      connection: { id: connection.id, provider: provider.name, hasPages: hasPages(provider) },
      answer,
      fingerprint: fingerprintOf(answer.report, { volatileFields }),
      from: 'pending',
      ...verdict,
      heldOutcome: held,
      attention,
      attentionEvent: attentionEvent({ attention: null, attentionsTold: [] }, attention),
      progressChanges: [],
      dueAt: isOver(verdict.to) ? null : row.dueAt,
      polls: 0,
    },
  ])
}

function readStatus({ settings }: ConnectionRow, provider: Provider, result: unknown): StatusAnswer | null {
  const head = { status: 200, headers: {}, settings }
  try {
    if (provider.classify?.(head, result, new Date(0)).kind) return null
    return provider.readStatus(result, head)
  } catch (error) {
    if (error instanceof z.ZodError) return null
    throw error
  }
}
