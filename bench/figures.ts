// Owns how figures are taken and shown: windows of one run, medians and percentiles, a table for docs/benchmarks.md.
import { setTimeout as delay } from 'node:timers/promises'

/** What a process had done, and the CPU it had used, at a moment. */
export interface Reading {
  count: number
  cpu: NodeJS.CpuUsage
}

export interface Rate {
  perSecond: number
  /** Microseconds of the process's CPU for one. */
  cpuUs: number
}

/** The rate in each of some windows, after a warm-up. */
export async function measure(
  read: () => Promise<Reading>,
  { warmUpMs, windowMs, windows }: { warmUpMs: number; windowMs: number; windows: number },
): Promise<Rate[]> {
  await delay(warmUpMs)
  const rates: Rate[] = []
  for (let window = 0; window < windows; window++) {
    const startedAt = performance.now()
    const before = await read()
    await delay(windowMs)
    const after = await read()
    rates.push(rateOf(before, after, performance.now() - startedAt))
  }
  return rates
}

export function rateOf(before: Reading, after: Reading, elapsedMs: number): Rate {
  const done = after.count - before.count
  const cpuUs = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  return { perSecond: done / (elapsedMs / 1_000), cpuUs: cpuUs / done }
}

export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN
}

export function median(figures: readonly number[]): number {
  return percentile(figures, 0.5)
}

/** A whole number, with commas. */
export function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

/** A ratio's median, and its least and greatest. */
export function spread(ratios: readonly number[]): string {
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`
}

export function print(head: string[], rows: string[][]): void {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  console.log([line(head), line(head.map(() => '---:')), ...rows.map(line)].join('\n'))
}

/** Milliseconds of a clock that all processes of this machine share, and that nobody sets. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
