// Owns which parts of a document its examples don't hold. It takes each part out by itself, and runs the examples: if all
// of them still pass, they would pass a wrong part, too (mutation testing).

import type { Problem } from './bounds.ts'
import { runExamples } from './examples.ts'
import { createDocumentProvider } from './provider.ts'
import { documentSchema } from './read-document.ts'

/** The parts that say what an answer means. */
const meaningful = ['status', 'summary', 'details', 'errors', 'errorCode', 'errorMessage', 'retryAfter']
/** Keys within these that examples can't show: they are of what is asked, or of how much is read. */
const unshown = new Set(['request', 'hosts', 'limits', 'omit', 'kind', 'param', 'size', 'stop'])

/**
 * Returns the place of each part that no example holds: the outermost, without what is in it. Costs some milliseconds a
 * part.
 *
 * @param given A document whose examples pass.
 */
export function unheldParts(given: Record<string, unknown>, now: Date): Problem['path'][] {
  const parts = meaningful.filter((part) => Object.hasOwn(given, part))
  return parts.flatMap((part) => unheldWithin(given, [part], now))
}

function unheldWithin(given: Record<string, unknown>, path: Problem['path'], now: Date): Problem['path'][] {
  if (passesWithout(given, path, now)) return [path]
  const isOfWords = path.at(-1) === 'map'
  const inner = keysOf(at(given, path)).filter((key) => isOfWords || !unshown.has(String(key)))
  return inner.flatMap((key) => unheldWithin(given, [...path, key], now))
}

/** Returns false if there is no document without that part. */
function passesWithout(given: Record<string, unknown>, path: Problem['path'], now: Date): boolean {
  const { data: document } = documentSchema.safeParse(without(given, path))
  return document !== undefined && runExamples(document, createDocumentProvider(document), now).length === 0
}

function without(found: unknown, [key = '', ...inner]: Problem['path']): unknown {
  const isPart = inner.length === 0
  if (Array.isArray(found)) {
    const index = Number(key)
    return isPart ? found.toSpliced(index, 1) : found.with(index, without(found[index], inner))
  }
  const { [key]: part, ...others } = found as Record<string, unknown>
  return isPart ? others : { ...others, [key]: without(part, inner) }
}

function at(given: unknown, path: Problem['path']): unknown {
  return path.reduce<unknown>((found, key) => (found as Record<string | number, unknown>)[key], given)
}

function keysOf(found: unknown): (string | number)[] {
  if (Array.isArray(found)) return [...found.keys()]
  return typeof found === 'object' && found !== null ? Object.keys(found) : []
}
