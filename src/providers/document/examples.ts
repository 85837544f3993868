// Owns running the examples of a document: real answers, and what the document has to make of them.
import { isRawNumber } from '../../base/json.ts'
import { isSame } from '../../base/stable-json.ts'
import type { Provider } from '../contract.ts'
import type { Problem } from './bounds.ts'
import type { ProviderDocument } from './document.ts'
import type { ExampleForm } from './forms/example.ts'
import { type Meaning, meaningOf, meaningOfFile } from './meaning.ts'
import type { DocumentProvider } from './provider.ts'

/** Returns what is wrong with each example that fails. */
export function runExamples(document: ProviderDocument, provider: DocumentProvider, now: Date): Problem[] {
  return document.examples.flatMap((example, index) =>
    runExample(provider as Provider, example, now).map(({ path, message }) => ({
      path: ['examples', index, ...path],
      message,
    })),
  )
}

function runExample(provider: Provider, example: ExampleForm, now: Date): Problem[] {
  const { of, list, answer, settings = {}, error } = example
  const meaning =
    of === 'file' ? meaningOfFile(provider, example) : meaningOf(provider, answer, { of, list, settings, now })
  if (error !== undefined) return errorDifferences(error, meaning)
  if (meaning.error) return [{ path: ['answer'], message: `is an error to this document: ${meaning.error.message}` }]
  const found = { ...meaning, pollUrl: meaning.pollUrl ?? null }
  return compared.flatMap((key) => (example[key] === undefined ? [] : differences(example[key], found[key], [key])))
}

const compared = ['report', 'details', 'missing', 'files', 'lists', 'pollUrl'] as const

function errorDifferences(expected: NonNullable<ExampleForm['error']>, { error }: Meaning): Problem[] {
  if (typeof expected === 'string') return differences(expected, error?.code ?? null, ['error'])
  if (error === null) return differences(expected.kind, null, ['error', 'kind'])
  const { code: kind, said, retryAfterMs = null } = error
  return differences(expected, { ...{ code: null, message: null }, ...said, kind, retryAfterMs }, ['error'])
}

/** Every key that is expected must be equal. Other keys don't matter. */
function differences(expected: unknown, found: unknown, path: Problem['path']): Problem[] {
  if (isPlainObject(expected) && isPlainObject(found))
    return Object.entries(expected).flatMap(([key, inner]) =>
      differences(inner, Object.hasOwn(found, key) ? found[key] : undefined, [...path, key]),
    )
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length)
    return expected.flatMap((inner, index) => differences(inner, found[index], [...path, index]))
  return isAsExpected(expected, found)
    ? []
    : [{ path, message: `must be ${shown(found)}, as the document reads this answer` }]
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !isRawNumber(value)
  )
}

function isAsExpected(expected: unknown, found: unknown): boolean {
  if (found instanceof Date) return typeof expected === 'string' && Date.parse(expected) === found.getTime()
  return isSame(expected, found)
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 100)
}
