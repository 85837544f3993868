// Owns the state of a scripted import at a time: a pure function. Each vendor's file puts it into its own words.
import { failedRowsOf, type Script, type ScriptedOutcome } from './script.ts'

/** A vendor's status words. */
export interface Words {
  /** The statuses before the job starts, in equal parts of the waiting time. Empty: the vendor has none. */
  queued: readonly string[]
  running: string
  outcomes: Readonly<Partial<Record<ScriptedOutcome, string>>>
  /** After these statuses the vendor says nothing new. */
  over: ReadonlySet<string>
}

/** `processed = succeeded + failed` and `succeeded = inserted + updated`, unless a script's steps say otherwise. */
export interface Counters {
  processed: number
  succeeded: number
  failed: number
  inserted: number
  updated: number
}

/** The state of an import at a moment. Times are milliseconds since the job was added. */
export interface Moment {
  status: string
  over: boolean
  /** Whole percents; null: the vendor doesn't say. */
  progress: number | null
  counters: Counters | null
  message: string | null
  startedAfterMs: number | null
  finishedAfterMs: number | null
  /** When anything here last changed. */
  changedAfterMs: number
}

export function momentAt(script: Script, words: Words, elapsedMs: number): Moment {
  return script.steps === undefined
    ? plannedMoment(script, words, elapsedMs)
    : scriptedMoment(script, script.steps, words, elapsedMs)
}

// How far a job with this outcome comes, in percent. The others come to 100.
const reach: Readonly<Partial<Record<ScriptedOutcome, number>>> = { canceled: 60, died: 60, couldnt_start: 0 }

function plannedMoment(script: Script, words: Words, elapsedMs: number): Moment {
  const { queuedMs, durationMs, outcome } = script
  const endMs = queuedMs + durationMs
  const reached = reach[outcome] ?? 100
  if (elapsedMs >= endMs) {
    return {
      status: words.outcomes[outcome] ?? words.running,
      over: true,
      progress: reached,
      counters: countersAt(script, reached),
      message: script.message ?? null,
      startedAfterMs: queuedMs,
      finishedAfterMs: endMs,
      changedAfterMs: endMs,
    }
  }
  const silent = script.progress === 'none'
  const waitingWord = words.queued[Math.floor((elapsedMs / queuedMs) * words.queued.length)]
  if (elapsedMs < queuedMs && waitingWord !== undefined) {
    return {
      status: waitingWord,
      over: false,
      progress: silent ? null : 0,
      counters: silent ? null : countersAt(script, 0),
      message: null,
      startedAfterMs: null,
      finishedAfterMs: null,
      changedAfterMs: 0,
    }
  }
  // Everything moves in hundredths of the duration, so that the counters and `changedAfterMs` agree.
  const tick = lastChange(script.progress, Math.floor(((elapsedMs - queuedMs) / durationMs) * 100))
  const progress = Math.floor((progressAt(script.progress, tick) * reached) / 100)
  return {
    status: words.running,
    over: false,
    progress: silent ? null : progress,
    counters: silent ? null : countersAt(script, progress),
    message: null,
    startedAfterMs: queuedMs,
    finishedAfterMs: null,
    changedAfterMs: queuedMs + Math.round((tick * durationMs) / 100),
  }
}

/** Returns the hundredth of the duration at which the report last changed. */
function lastChange(mode: Script['progress'], tick: number): number {
  switch (mode) {
    case 'linear':
      return tick
    case 'steps':
      return tick - (tick % 10)
    case 'stall':
      return Math.min(tick, 30)
    case 'early':
      return Math.min(tick, 80)
    case 'none':
      return 0
  }
}

function progressAt(mode: Script['progress'], tick: number): number {
  if (mode === 'stall') return tick * 2
  return mode === 'early' ? Math.floor(tick * 1.25) : tick
}

function countersAt(script: Script, progress: number): Counters {
  const { rows, updatedRows } = script
  const failedRows = failedRowsOf(script)
  const processed = Math.floor((rows * progress) / 100)
  const failed = rows === 0 ? 0 : Math.floor((processed * failedRows) / rows)
  const succeeded = processed - failed
  const updated = rows === failedRows ? 0 : Math.floor((succeeded * updatedRows) / (rows - failedRows))
  return { processed, succeeded, failed, inserted: succeeded - updated, updated }
}

type Steps = NonNullable<Script['steps']>

/** Each step changes the fields that it names. The others stay as earlier steps left them. */
function scriptedMoment(script: Script, steps: Steps, words: Words, elapsedMs: number): Moment {
  const past = steps.filter((step) => step.afterMs <= elapsedMs)
  const now: Partial<Steps[number]> = Object.assign({}, ...past)
  const status = now.status ?? words.queued[0] ?? words.running
  const over = words.over.has(status)
  const started = past.find((step) => !words.queued.includes(step.status))
  const finished = past.find((step) => words.over.has(step.status))
  return {
    status,
    over,
    progress: now.progress ?? (over ? 100 : null),
    counters: scriptedCounters(script, now, over),
    message: now.message ?? (over ? (script.message ?? null) : null),
    startedAfterMs: started?.afterMs ?? (words.queued.length === 0 ? 0 : null),
    finishedAfterMs: over ? (finished?.afterMs ?? null) : null,
    changedAfterMs: now.afterMs ?? 0,
  }
}

function scriptedCounters(script: Script, now: Partial<Steps[number]>, over: boolean): Counters {
  // A script may claim impossible counts. The counters that it leaves open stay possible.
  const implied = countersAt(script, Math.min(100, Math.max(0, now.progress ?? (over ? 100 : 0))))
  const processed = now.processed ?? implied.processed
  const failed = now.failed ?? Math.min(processed, implied.failed)
  const succeeded = now.succeeded ?? Math.max(0, processed - failed)
  const updated = now.updated ?? Math.min(succeeded, implied.updated)
  return { processed, succeeded, failed, inserted: now.inserted ?? Math.max(0, succeeded - updated), updated }
}
