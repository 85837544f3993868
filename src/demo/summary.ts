// Owns the end of the demo on the screen: the table by provider and state, the webhooks, and the verdict.
import { type ImportState, states } from '../model/import-state.ts'
import { countText } from '../terminal/import-line.ts'
import { type Paint, styleOf } from '../terminal/paint.ts'
import type { ReceivedEvent } from './receiver.ts'
import type { Followed } from './register.ts'
import { medianDelayMs } from './verdict.ts'

export interface Result {
  followed: readonly Followed[]
  events: ReadonlyMap<string, ReceivedEvent>
  refused: number
  problems: readonly string[]
  elapsedMs: number
}

export function renderSummary(result: Result, paint: Paint): string[] {
  return ['', ...table(result.followed, paint), '', ...facts(result), '', ...verdict(result.problems, paint)]
}

interface Sum {
  imports: number
  polls: number
  skippedLines: number
  rowResults: number
}

const widths = [12, 11, 8, 8, 9, 8] as const

function table(followed: readonly Followed[], paint: Paint): string[] {
  const lines = [paint('quiet', cells('provider', 'state', ['imports', 'polls', 'skipped', 'rows']))]
  for (const [provider, ofProvider] of Map.groupBy(followed, (one) => one.import.provider)) {
    const byState = Map.groupBy(ofProvider, (one) => one.import.state)
    let name = provider
    for (const state of states) {
      const some = byState.get(state)
      if (some === undefined) continue
      lines.push(sumLine(name, state, sumOf(some), paint))
      name = ''
    }
  }
  return [
    ...lines,
    paint(
      'strong',
      sumLine('all', '', sumOf(followed), (_style, text) => text),
    ),
  ]
}

function sumLine(provider: string, state: ImportState | '', sum: Sum, paint: Paint): string {
  const numbers = [sum.imports, sum.polls, sum.skippedLines, sum.rowResults].map(countText)
  const line = cells(provider, state, numbers)
  const at = widths[0]
  const word = line.slice(at, at + state.length)
  return line.slice(0, at) + paint(state === '' ? null : styleOf(state), word) + line.slice(at + state.length)
}

function cells(provider: string, state: string, numbers: readonly string[]): string {
  const [first, second, ...rest] = widths
  return provider.padEnd(first) + state.padEnd(second) + numbers.map((text, i) => text.padStart(rest[i] ?? 0)).join('')
}

function sumOf(some: readonly Followed[]): Sum {
  const sum = (count: (one: Followed) => number) => some.reduce((total, one) => total + count(one), 0)
  return {
    imports: some.length,
    polls: sum((one) => one.import.polls),
    skippedLines: sum((one) => one.import.details.skippedLines),
    rowResults: sum((one) => one.import.details.rowResults),
  }
}

function facts({ followed, events, refused, elapsedMs }: Result): string[] {
  const verified = [...events.values()].reduce((sum, { times }) => sum + times, 0)
  const repeated = verified - events.size
  const delayMs = medianDelayMs(followed)
  return [
    `Webhooks         ${verified + refused} received, ${verified} verified, ${repeated} duplicate${repeated === 1 ? '' : 's'} by webhook-id`,
    '                 (the receiver answers the first one with 500, to get it again)',
    `Detection delay  ${delayMs === null ? 'unknown' : `${(delayMs / 1_000).toFixed(1)} s`} (median, from the end at the vendor to ours)`,
    `Time             ${(elapsedMs / 1_000).toFixed(0)} s`,
  ]
}

function verdict(problems: readonly string[], paint: Paint): string[] {
  if (problems.length === 0) return [paint('good', 'Everything is as expected.')]
  return [
    paint('bad', `${problems.length === 1 ? 'One thing is' : `${problems.length} things are`} not as expected:`),
    ...problems.map((problem) => `  ${problem}`),
  ]
}
