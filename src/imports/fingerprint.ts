// Owns what makes two reports equal: all that they say in our words, and the body as it came, but for the order of its
// keys and for what moves with the time alone.
import { hash } from 'node:crypto'
import { decimalOf, isRawNumber } from '../base/json.ts'
import { elementOf, type PointerTree, pointerTree } from '../base/json-pointer.ts'
import type { Report } from '../providers/contract.ts'

/**
 * Two hashes, `said:body`. The times come with the body, which they are read from.
 * @param volatileFields JSON Pointers into the body; with `""` all of it is left out.
 */
export function fingerprintOf(report: Report, { volatileFields }: { volatileFields: readonly string[] }): string {
  const { state, providerStatus, message, progress, rows, createdAt, startedAt, finishedAt, body } = report
  const hasTimes = [createdAt, startedAt, finishedAt].map((time) => time !== null)
  const said = JSON.stringify([state, providerStatus, message, progress, rows, hasTimes])
  const kept = canonical(body, pointerTree(volatileFields))
  return `${hash('sha1', said, 'base64')}:${hash('sha1', kept, 'base64')}`
}

/** Whether two reports say the same in our words, so that at the most their bodies differ. */
export function saysTheSame(fingerprint: string | null, other: string): boolean {
  return fingerprint?.split(':', 1)[0] === other.split(':', 1)[0]
}

/** One text for equal JSON: keys in order, and a number however it was written. What is left out of an array is null. */
export function canonical(value: unknown, leftOut?: PointerTree): string {
  if (leftOut?.chosen) return 'null'
  if (typeof value === 'number') return decimalOf(String(value))
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isRawNumber(value)) return decimalOf(value.rawJSON)
  if (Array.isArray(value)) return `[${value.map((item, index) => canonical(item, elementOf(leftOut, index))).join()}]`
  const object = value as Record<string, unknown>
  const fields = Object.keys(object)
    .filter((key) => !leftOut?.below.get(key)?.chosen)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key], leftOut?.below.get(key))}`)
  return `{${fields.join()}}`
}
