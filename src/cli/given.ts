// Owns reading arguments and options: what is wrong with one is said before anything is asked.
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'

/** For any number of ids; each counts once. */
export function readIds(text: string, before: readonly string[] = []): string[] {
  return [...new Set([...before, readId(text)])]
}

export function readId(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

/** For `--limit`. */
export function readCount(text: string): number {
  const count = Number(text)
  if (!/^\d{1,9}$/.test(text) || count < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return count
}

/** A whole number, or 0. */
export function readWhole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, '': 1_000, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Returns milliseconds. A number without a unit is in seconds, as timeout(1) has it. */
export function readDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text) ?? []
  const ms = Math.round(Number(amount) * (unitMs[unit] ?? Number.NaN))
  if (!Number.isSafeInteger(ms)) throw new InvalidArgumentError('It must be a duration such as 90s, 15m or 2h.')
  return ms
}

/** 0: any free one. */
export function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be a port number.')
  return port
}

export function readHttpUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('It must be an http(s):// URL.')
  return url.href
}

export type Metadata = Record<string, string | number | boolean | null>

/** For any number of KEY=VALUE. A value is JSON where it is a number, true, false or null, and otherwise text. */
export function readMetadata(text: string, before: Metadata = {}): Metadata {
  const [key, value] = readPair(text)
  return Object.fromEntries([...Object.entries(before), [key, scalar(value)]])
}

/** For any number of KEY=VALUE that filter: there a value is compared as text. */
export function readPairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries([...Object.entries(before), readPair(text)])
}

function readPair(text: string): [key: string, value: string] {
  const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === '') throw new InvalidArgumentError('It must be KEY=VALUE.')
  return [key, value]
}

/** A number that a double would change stays text, so that a long id keeps its digits. */
function scalar(text: string): string | number | boolean | null {
  if (text === 'true') return true
  if (text === 'false') return false
  if (text === 'null') return null
  const isNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)
  return isNumber && Number.isFinite(Number(text)) && keepsDigits(text) ? Number(text) : text
}

function keepsDigits(text: string): boolean {
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(Number(text))
}

/** For any number of words, also joined by commas. */
export function readWords<Word extends string>(allowed: readonly Word[]) {
  return (text: string, before: readonly Word[] = []): Word[] => {
    const words = text.split(',').map((word) => word.trim())
    const wrong = words.find((word) => !(allowed as readonly string[]).includes(word))
    if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is none of ${allowed.join(', ')}.`)
    return [...before, ...(words as Word[])]
  }
}

/**
 * For what may hold secrets, and so is no option.
 * @param file `-`: stdin.
 * @throws {Error} that doesn't say the text.
 */
export async function readJsonFile(file: string): Promise<Record<string, unknown>> {
  if (file === '-' && process.stdin.isTTY) console.error('The JSON is read from here, until Ctrl-D.')
  const text = file === '-' ? await readStdin() : await readFile(file, 'utf8')
  let given: unknown
  try {
    given = JSON.parse(text.replace(/^\uFEFF/, '')) // some editors begin a file so
  } catch {
    given = null
  }
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, unknown>
  throw new Error(`${file === '-' ? 'stdin' : file} must be an object in JSON.`)
}

export async function readStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
  return text
}

export async function readStdinBytes(): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Returns the moment as the API takes it. */
export function readMoment(text: string): string {
  const at = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN // 7 would be a July
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be a moment such as 2026-01-31T12:00:00Z.')
  return new Date(at).toISOString()
}

/** The id of an event, or a moment; no id begins like a year. */
export function readIdOrMoment(text: string): string | Date {
  return /^\d{4}-/.test(text) ? new Date(readMoment(text)) : readId(text)
}
