// Owns what makes two reports equal: the same report in our words, and the same body. The order of the body's keys and
// its volatile fields don't count.
import { hash } from 'node:crypto'
import { decimalOf, isRawNumber } from '../base/json.ts'
import { elementOf, type PointerTree, pointerTree } from '../base/json-pointer.ts'
import type { Report } from '../providers/contract.ts'

/**
 * Returns two hashes, `said:body`. The times count with the body, which they are read from.
 * @param volatileFields JSON Pointers into the body; `""` leaves all of it out.
 */
export function fingerprintOf(report: Report, { volatileFields }: { volatileFields: readonly string[] }): string {
  const { state, providerStatus, message, progress, rows, createdAt, startedAt, finishedAt, body } = report
  const hasTimes = [createdAt, startedAt, finishedAt].map((time) => time !== null)
  const said = JSON.stringify([state, providerStatus, message, progress, rows, hasTimes])
  const kept = canonical(body, pointerTree(volatileFields))
  return `${hash('sha1', said, 'base64')}:${hash('sha1', kept, 'base64')}`
}

/** Returns true if two reports are the same in our words, so that only their bodies may differ. */
export function saysTheSame(fingerprint: string | null, other: string): boolean {
  return fingerprint?.split(':', 1)[0] === other.split(':', 1)[0]
}

/**
 * Returns one text for equal JSON: keys sorted, and each number in one spelling. An omitted element of an array is
 * null.
 */
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
