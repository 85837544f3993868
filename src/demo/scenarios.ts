// Owns the table of the demo's imports: how each one goes at its vendor, and what the tracker must make of it.
import type { ImportState, LostReason } from '../model/import-state.ts'
import type { ScriptInput } from '../sandbox/script.ts'
import type { ConnectionName } from './connections.ts'

export interface Expected {
  state: ImportState
  lostReason: LostReason | null
  /** How many rows are stored in the end. */
  skippedLines: number
  rowResults: number
  /** The attention that the import has to show for a while. Null: none is required. */
  attention: string | null
}

export interface Scenario {
  connection: ConnectionName
  title: string
  /** Null: the vendor never had such a job. */
  script: Omit<ScriptInput, 'provider'> | null
  expected: Expected
  /** How long the tracker may poll. */
  deadlineMs?: number
  /** When the demo stops the import itself. */
  stopAfterMs?: number
  /** The vendor's answer came with the import call, so there is nothing to poll. */
  result?: Record<string, unknown>
}

const never = 3_600_000

export const scenarios: readonly Scenario[] = [
  on('cdq', 'short', { durationMs: 3_000, rows: 1_200 }, is('succeeded')),
  on('cdq', 'long', { durationMs: 36_000, rows: 250_000, updatedRows: 90_000 }, is('succeeded')),
  on('cdq', 'queued, then runs', { queuedMs: 6_000, durationMs: 9_000, rows: 4_000 }, is('succeeded')),
  on('cdq', '100 % long before', { durationMs: 14_000, progress: 'early' }, is('succeeded')),
  on('cdq', 'stalls at 60 %', { durationMs: 35_000, progress: 'stall' }, is('succeeded', { attention: 'stalled' })),
  on('cdq', 'some partners failed', { durationMs: 11_000, outcome: 'partial', rows: 5_000 }, is('partial')),
  on(
    'cdq',
    '10,000 skipped lines',
    { durationMs: 8_000, skippedLines: 10_000 },
    is('partial', { skippedLines: 10_000 }),
  ),
  on(
    'cdq',
    'last cursor repeats',
    { durationMs: 5_000, skippedLines: 95, pageSize: 20, lastCursor: 'repeated' },
    is('partial', { skippedLines: 95 }),
  ),
  on('cdq', 'fails', { durationMs: 7_000, outcome: 'failed', rows: 0 }, is('failed')),
  on('cdq', 'dies halfway', { durationMs: 16_000, outcome: 'died' }, is('failed')),
  on('cdq', 'cannot start', { queuedMs: 4_000, durationMs: 0, outcome: 'couldnt_start' }, is('failed')),
  on('cdq', 'canceled there', { durationMs: 12_000, outcome: 'canceled' }, is('canceled')),
  on('cdq', 'archived unseen', { durationMs: 10_000, outcome: 'archived' }, lost('archived')),
  on('cdq', 'never existed', null, lost('not_found')),
  on(
    'cdq',
    'deleted meanwhile',
    { durationMs: never, faults: [{ kind: 'not_found', betweenMs: [9_000, never] }] },
    lost('not_found'),
  ),
  on('cdq', 'one stray 404', { durationMs: 13_000, faults: [{ kind: 'not_found', atRequest: 4 }] }, is('succeeded')),
  on(
    'cdq',
    'a status nobody knows',
    { durationMs: 18_000, faults: [{ kind: 'unknown_status', betweenMs: [3_000, 11_000] }] },
    is('succeeded', { attention: 'unmapped_status' }),
  ),
  on(
    'cdq',
    'numbers as strings',
    { durationMs: 6_000, skippedLines: 30, faults: [{ kind: 'numbers_as_strings', on: 'any' }] },
    is('partial', { skippedLines: 30 }),
  ),
  on(
    'cdq',
    'garbage at times',
    { durationMs: 15_000, faults: [{ kind: 'garbage', atRequest: [3, 5] }] },
    is('succeeded'),
  ),
  on(
    'cdq',
    'broken connections',
    { durationMs: 9_000, faults: [{ kind: 'reset', atRequest: [2, 4] }] },
    is('succeeded'),
  ),
  { ...on('cdq', 'past our deadline', { durationMs: never }, lost('deadline')), deadlineMs: 20_000 },
  { ...on('cdq', 'stopped by us', { durationMs: never }, is('stopped')), stopAfterMs: 15_000 },

  on(
    'cdq-busy',
    '429, Retry-After 4 s',
    { durationMs: 17_000, faults: [{ kind: 'rate_limited', atRequest: [5, 6], retryAfterS: 4 }] },
    is('succeeded'),
  ),
  on('cdq-busy', 'waits along with it', { durationMs: 19_000 }, is('succeeded')),

  on('micro', 'small', { durationMs: 4_000, rows: 40, updatedRows: 10 }, is('succeeded', { rowResults: 40 })),
  on('micro', '3,000 rows', { durationMs: 26_000, rows: 3_000 }, is('succeeded', { rowResults: 3_000 })),
  on(
    'micro',
    'some rows wrong',
    { durationMs: 10_000, outcome: 'partial', rows: 300 },
    is('partial', { rowResults: 300 }),
  ),
  on('micro', 'fails', { durationMs: 8_000, outcome: 'failed' }, is('failed')),
  on('micro', 'forgotten by vendor', { durationMs: never, expiresAfterMs: 12_000 }, lost('expired')),
  { ...on('micro', 'answered inline', null, is('partial', { rowResults: 3 })), result: inlineResult() },

  on('zilliant', 'short', { durationMs: 2_500, rows: 700 }, is('succeeded')),
  on('zilliant', 'long', { durationMs: 30_000, rows: 80_000 }, is('succeeded')),
  on('zilliant', 'partial success', { durationMs: 9_000, outcome: 'partial', rows: 900 }, is('partial')),
  on('zilliant', 'fails', { durationMs: 6_000, outcome: 'failed' }, is('failed')),
  on(
    'zilliant',
    'never answers once',
    { durationMs: 20_000, faults: [{ kind: 'timeout', atRequest: 3 }] },
    is('succeeded'),
  ),
  on(
    'zilliant',
    'answers 500 thrice',
    { durationMs: 8_000, faults: [{ kind: 'server_error', atRequest: [2, 4] }] },
    is('succeeded'),
  ),

  on('fullstory', 'short', { durationMs: 3_500, rows: 2_000 }, is('succeeded')),
  on(
    'fullstory',
    '2,500 errors, paged',
    { durationMs: 12_000, outcome: 'partial', rows: 20_000, failedRows: 2_500, pageSize: 500 },
    is('partial', { rowResults: 2_500 }),
  ),
  on(
    'fullstory',
    'all events fail',
    { durationMs: 7_000, outcome: 'failed', rows: 250 },
    is('failed', { rowResults: 250 }),
  ),
  on(
    'fs-users',
    'users, few errors',
    { durationMs: 14_000, outcome: 'partial', rows: 800, failedRows: 12, resource: 'users' },
    is('partial', { rowResults: 12 }),
  ),

  on(
    'salesforce',
    'failed rows as CSV',
    { queuedMs: 3_000, durationMs: 12_000, outcome: 'partial', rows: 4_000, failedRows: 400 },
    is('partial', { rowResults: 400 }),
  ),
  on(
    'salesforce',
    'its token ends',
    { durationMs: 16_000, rows: 900, faults: [{ kind: 'unauthorized', atRequest: 4 }] },
    is('succeeded'),
  ),
  on(
    'shopify',
    'only its file tells',
    { durationMs: 10_000, outcome: 'partial', rows: 1_500, failedRows: 30 },
    is('partial', { rowResults: 1_500 }),
  ),
  on(
    'mailchimp',
    'answers in a tar.gz',
    { durationMs: 13_000, outcome: 'partial', rows: 600, failedRows: 45, pageSize: 100 },
    is('partial', { rowResults: 600 }),
  ),
]

/**
 * Returns when the import ends at the vendor, in milliseconds after the job was added. Returns null if the vendor never
 * says so.
 */
export function endsAfterMs({ script, expected, stopAfterMs }: Scenario): number | null {
  const unheard = expected.state === 'lost' && expected.lostReason !== 'archived'
  if (script === null || unheard || stopAfterMs !== undefined) return null
  return (script.queuedMs ?? 0) + (script.durationMs ?? 0)
}

function on(connection: ConnectionName, title: string, script: Scenario['script'], expected: Expected): Scenario {
  return { connection, title, script, expected }
}

function is(state: ImportState, rest: Partial<Expected> = {}): Expected {
  return { state, lostReason: null, skippedLines: 0, rowResults: 0, attention: null, ...rest }
}

function lost(lostReason: LostReason): Expected {
  return is('lost', { lostReason })
}

/** Returns an answer as micro.so gives for small imports. */
function inlineResult(): Record<string, unknown> {
  return {
    job_id: null,
    status: 'complete',
    total: 3,
    processed: 3,
    succeeded: 2,
    failed: 1,
    results: [
      { id: 'b1c7a5d0-6c1e-4a55-9d53-0d2f5b8b7a01', created: true, existing: false },
      { id: 'b1c7a5d0-6c1e-4a55-9d53-0d2f5b8b7a02', created: false, existing: true },
      { created: false, existing: false, error: { code: 'invalid_row', message: 'Row 3 has no email.' } },
    ],
  }
}
