// Owns reading reports by a document: the status, and the summary that refines it.
import { isTerminal, type ReportedState, tellsOutcome } from '../../model/reported-state.ts'
import { keptBody } from '../body.ts'
import { type Report, type RowCounts, type StatusAnswer, unknownRows } from '../contract.ts'
import { readCount, readNumber, readTime, shortened, unreadableCount } from '../fields.ts'
import { compileCondition, compileValue, type Evaluate, type Holds, isThere, type Scope, textOf } from './evaluate.ts'
import type { DetailsForm } from './forms/details.ts'
import type { OutcomeForm, StatusForm, SummaryForm } from './forms/report.ts'
import { compilePointer, pointerParts } from './pointer.ts'

export type ReadReport = (scope: Omit<Scope, 'state'>) => Pick<StatusAnswer, 'report' | 'missing'>

export function compileStatus(status: StatusForm, lists: readonly DetailsForm[]): ReadReport {
  const stateOf = compileState(status.state)
  const read = compileFields(status)
  const refine = compileRefine(status.state.refine)
  const without = listPaths(status.omit, lists)
  return (answer) => {
    const found = stateOf({ ...answer, state: 'unmapped' })
    const state = refine({ ...answer, state: found.state })
    const { missing, ...fields } = read({ ...answer, state })
    const body = keptBody(status.emptyBody ? (answer.body ?? {}) : answer.body, without)
    return { report: { state, providerStatus: found.word, ...fields, body }, missing }
  }
}

/** Reads the second answer of a job that is over. What it doesn't say stays as the first one said. */
export function compileSummary(
  summary: SummaryForm,
): (scope: Omit<Scope, 'state'>, report: Report) => Pick<StatusAnswer, 'report' | 'missing'> {
  const read = compileFields(summary)
  const refine = compileRefine(summary.state?.refine)
  const without = listPaths(summary.omit, [])
  return (answer, report) => {
    const state = refine({ ...answer, state: report.state })
    const { missing, rows, ...fields } = read({ ...answer, state })
    const told = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
    const counted = Object.fromEntries(Object.entries(rows).filter(([, count]) => count !== null))
    const body = { ...report.body, summary: keptBody(answer.body, without) }
    return { report: { ...report, ...told, state, rows: { ...report.rows, ...counted }, body }, missing }
  }
}

/** Reads what the rows of a job say of how it ended. */
export function compileOutcome(
  outcome: OutcomeForm,
): (report: Report, read: { rows: number; failed: number }) => Report {
  const readFields = compileFields({ rows: outcome.rows })
  const refine = compileRefine(outcome.state.refine)
  return (report, { rows, failed }) => {
    const body = { rows, failed, succeeded: rows - failed }
    const scope = { body, status: 200, headers: {}, settings: {}, state: report.state }
    const counted = Object.entries(readFields(scope).rows).filter(([, count]) => count !== null)
    return { ...report, state: refine(scope), rows: { ...report.rows, ...Object.fromEntries(counted) } }
  }
}

function compileState({ from, map = {}, rules = [], otherwise }: StatusForm['state']) {
  const word = from === undefined ? () => undefined : compileValue(from)
  const words = new Map(Object.entries(map).map(([known, state]) => [normal(known), state]))
  const tests = rules.map(({ when, to }) => ({ holds: compileCondition(when), to }))
  return (scope: Scope): { word: string | null; state: ReportedState } => {
    const found = textOf(word(scope))
    const rule = tests.find(({ holds }) => holds(scope))
    const state = rule?.to ?? (found === null ? undefined : words.get(normal(found))) ?? otherwise
    return { word: shortened(found), state }
  }
}

function normal(word: string): string {
  return word.trim().toLowerCase()
}

type Refine = NonNullable<StatusForm['state']['refine']>

function compileRefine(refine: Refine = []): (scope: Scope) => ReportedState {
  const steps = refine.map(({ from, to, when }) => ({ from: [from].flat(), to, holds: compileCondition(when) }))
  return (scope) => {
    let { state } = scope
    for (const { from, to, holds } of steps) if (from.includes(state) && holds({ ...scope, state })) state = to
    return state
  }
}

type Fields = Omit<Report, 'state' | 'providerStatus' | 'body'> & Pick<StatusAnswer, 'missing'>

function compileFields(form: Omit<SummaryForm, 'request' | 'when' | 'state' | 'omit'>): (scope: Scope) => Fields {
  const counts = Object.entries(form.rows ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name as keyof RowCounts, compileValue(value)] as const],
  )
  const optional = (value: Parameters<typeof compileValue>[0] | undefined): Evaluate =>
    value === undefined ? () => null : compileValue(value)
  const message = optional(form.message)
  const progress = optional(form.progress)
  const times = {
    createdAt: optional(form.createdAt),
    startedAt: optional(form.startedAt),
    finishedAt: optional(form.finishedAt),
    expiresAt: optional(form.expiresAt),
  }
  const needs = (form.needs ?? []).map((need) => {
    const { value, when } = typeof need === 'string' ? { value: need, when: undefined } : need
    return { name: dotted(value), read: compilePointer(value), holds: when && compileCondition(when) }
  })
  return (scope) => {
    const rows = { ...unknownRows }
    const unreadable: string[] = []
    for (const [name, evaluate] of counts) {
      const count = readCount(evaluate(scope))
      if (count === undefined) unreadable.push(`${name} ${unreadableCount}`)
      else rows[name] = count
    }
    return {
      message: shortened(textOf(message(scope))),
      progress: fractionOf(progress(scope)),
      rows,
      createdAt: momentOf(times.createdAt(scope)),
      startedAt: momentOf(times.startedAt(scope)),
      // Many vendors tell when a job last changed, which is its end only once it is over.
      finishedAt: isTerminal(scope.state) ? momentOf(times.finishedAt(scope)) : null,
      expiresAt: momentOf(times.expiresAt(scope)),
      missing: missingIn(scope, unreadable, needs),
    }
  }
}

/** As in files: an unreadable count leaves any outcome incomplete, an absent one that is needed only a success. */
function missingIn(
  scope: Scope,
  unreadable: readonly string[],
  needs: readonly { name: string; read: (body: unknown) => unknown; holds: Holds | undefined }[],
): string | null {
  const { state } = scope
  if (!tellsOutcome(state)) return null
  if (unreadable.length > 0) return `${unreadable.join('; ')}.`
  if (state !== 'succeeded' && state !== 'partial') return null
  const lacking = needs.find(({ read, holds }) => !isThere(read(scope.body)) && (holds?.(scope) ?? true))
  return lacking ? `${lacking.name} is missing.` : null
}

function fractionOf(value: unknown): number | null {
  const number = readNumber(value)
  return number === null ? null : Math.min(1, Math.max(0, number)) + 0
}

function momentOf(value: unknown): Date | null {
  return value instanceof Date ? value : readTime(value)
}

/** The lists that are stored as rows, and so not with the answer. */
function listPaths(omit: readonly string[] = [], lists: readonly DetailsForm[]): string[][] {
  const inline = lists.flatMap((list) => (list.kind === 'inline' ? [list.rows] : []))
  return [...omit, ...inline].map(pointerParts).filter((parts) => parts.length > 0)
}

function dotted(pointer: string): string {
  return pointerParts(pointer).join('.') || 'the answer'
}
