// Owns what is kept of a vendor's answer: all of it, less its row lists, in a form that Postgres can store.
import { z } from 'zod'
import { isRawNumber } from '../base/json.ts'
import { storableJson } from '../base/storable-text.ts'
import { isObject } from './fields.ts'

/** Deeper than any vendor's answer; what is deeper would exhaust the stack of whoever serialises it. */
const maxDepth = 64

/**
 * The answer as it came, without the list at each of `lists` (`['result', 'statistics', 'skipped']`).
 * @throws {z.ZodError} when it isn't an object, or is nested too deeply.
 */
export function keptBody(answer: unknown, lists: readonly (readonly string[])[] = []): Record<string, unknown> {
  const kept = keptJson(lists.reduce<unknown>((value, path) => without(value, path), answer))
  if (!isObject(kept)) throw refusal('must be an object')
  return kept
}

/**
 * Any part of an answer as it came.
 * @throws {z.ZodError} when it is nested too deeply.
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

/** That an answer isn't of the published form, though each of its fields could be. */
export function refusal(message: string, path: string[] = []): z.ZodError {
  return new z.ZodError([{ code: 'custom', path, message, input: undefined }])
}
