// Owns how forms write and read spans of time: `30 s`, `5 min`, `7 d`.
import { invalid } from '../../api/refusal.ts'

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000, ms: 1 }

/** Returns milliseconds. Null: the field is blank. @throws {AppError} `invalid_request` naming `field`. */
export function durationOf(text: string, field: string): number | null {
  if (text.trim() === '') return null
  const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)\s*(d|h|min|s|ms)$/i.exec(text.trim()) ?? []
  const ms = Number(amount) * (units[unit.toLowerCase()] ?? Number.NaN)
  if (Number.isNaN(ms)) throw invalid(field, 'must be a span of time with its unit, such as 30 s, 5 min, 2 h or 7 d')
  if (Math.abs(ms - Math.round(ms)) > 0.000001) throw invalid(field, 'must be whole milliseconds')
  return Math.round(ms)
}

/** Returns the text that `durationOf` reads back exactly. */
export function durationText(ms: number): string {
  const [unit, length] = Object.entries(units).find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1]
  return `${ms / length} ${unit}`
}
