// Owns which part of a vendor's answer is stored: all of it without its row lists, in a form that Postgres accepts.
import { z } from 'zod'
import { isRawNumber } from '../base/json.ts'
import { storableJson } from '../base/storable-text.ts'
import { isObject } from './fields.ts'

/** Deeper than any vendor's answer. A deeper value would exhaust the stack of the code that serialises it. */
const maxDepth = 64

/**
 * Returns the answer without the list at each path of `lists` (`['result', 'statistics', 'skipped']`).
 * @throws {z.ZodError} if the answer isn't an object, or nests too deeply.
 */
export function keptBody(answer: unknown, lists: readonly (readonly string[])[] = []): Record<string, unknown> {
  const kept = keptJson(lists.reduce<unknown>((value, path) => without(value, path), answer))
  if (!isObject(kept)) throw refusal('must be an object')
  return kept
}

/**
 * Returns any part of an answer in storable form.
 * @throws {z.ZodError} if it nests too deeply.
 */
export function keptJson(value: unknown): unknown {
  if (isDeeperThan(maxDepth, value)) throw refusal(`must not be nested more than ${maxDepth} levels deep`)
  return storableJson(value)
}

function without(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (!isObject(value) || key === undefined || !Object.hasOwn(value, key)) return value
  const { [key]: inner, ...others } = value
  return rest.length === 0 ? others : { ...value, [key]: without(inner, rest) }
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner))
}

/** Refuses an answer that isn't of the published form although each of its fields could be. */
export function refusal(message: string, path: string[] = []): z.ZodError {
  return new z.ZodError([{ code: 'custom', path, message, input: undefined }])
}
