// Owns documents and answers that nobody would write: each document is refused with a place, or reads whatever comes
// without a crash, a prototype's key, or a secret where it doesn't belong. FUZZ_RUNS sets how many.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ZodError } from 'zod'
import { illFormed } from '../../src/providers/conformance.ts'
import { firstPage } from '../../src/providers/contract.ts'
import { accountOf } from '../../src/providers/document/check-document.ts'
import { createDocumentProvider } from '../../src/providers/document/provider.ts'
import { documentSchema } from '../../src/providers/document/read-document.ts'
import { shipped } from '../../src/providers/index.ts'
import { fixture } from './cases.ts'
import { testNow } from './vendor.ts'

const numRuns = Number(process.env.FUZZ_RUNS ?? 400)

/** Every state but one is reached by a key that a prototype has, so following one would show. */
Object.defineProperty(Object.prototype, 'inheritedStatus', { value: 'INHERITED', configurable: true })

const given = [...[...shipped.values()].map((one) => one.given), fixture('dataverse') as Record<string, unknown>]
const answers = given.flatMap(({ examples }) =>
  (examples as { answer: { body?: unknown } }[]).map(({ answer }) => answer.body),
)

const pointer = fc.constantFrom(
  ...['', '/', '/__proto__', '/constructor/name', '/inheritedStatus', '/toString', '/*/length', '/status', '/0', '/~2'],
  ...['/data/*/x/*', '/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q', '/prototype/constructor', '/__proto__/inheritedStatus'],
)
const value = fc.oneof(
  pointer,
  fc.record({ first: fc.array(pointer, { maxLength: 4 }) }),
  fc.record({ sum: fc.array(pointer, { maxLength: 4 }) }),
  fc.record({ json: pointer, at: pointer }),
  fc.record({ count: pointer, where: fc.record({ exists: pointer }) }),
  fc.record({ param: fc.tuple(pointer, fc.string()) }),
)
const text = fc.constantFrom(
  ...[
    '{job}',
    '/{credentials.apiKey}',
    '/{job}/{settings.apiKey}',
    '{credentials.accessToken}',
    '{token}',
    '//evil.example/{job}',
  ],
  ...[
    '/../{job}',
    '/a?{job}',
    '/{constructor}',
    '{__proto__}',
    '/{job',
    'succeeded',
    'POST',
    'inline',
    'oauth2',
    '\u0000',
  ],
)
const odd = fc.oneof(value, text, fc.jsonValue({ maxDepth: 3 }), fc.integer(), fc.constant(undefined))

/** A change at one of the places of a document or an answer, told by numbers so that it shrinks. */
const changes = fc.array(fc.tuple(fc.nat(), odd), { maxLength: 3 })
/** Changes that a document mostly survives: another value where one was. */
const values = fc.array(fc.tuple(fc.nat(), value), { maxLength: 4 })
const isPointer = (held: unknown) => typeof held === 'string' && /^\/[a-z0-9_@]+(\/|$)/i.test(held)

function withChanges(original: unknown, list: [number, unknown][], isPlace: (held: unknown) => boolean = () => true) {
  const copy = structuredClone(original)
  for (const [at, other] of list) {
    const places = placesIn(copy).filter(([holder, key]) => isPlace((holder as Record<string, unknown>)[key]))
    const place = places[at % Math.max(1, places.length)]
    if (!place) return other
    const [holder, key] = place
    if (other === undefined && !Array.isArray(holder)) delete holder[key as never]
    else Object.defineProperty(holder, key, { value: other, writable: true, enumerable: true, configurable: true })
  }
  return copy
}

function placesIn(inside: unknown, depth = 0): [object, string][] {
  if (typeof inside !== 'object' || inside === null || depth > 12) return []
  return Object.entries(inside).flatMap(([key, inner]): [object, string][] => [
    [inside, key],
    ...placesIn(inner, depth + 1),
  ])
}

it(
  'refuses a document with a place, or reads any answer by it',
  () => {
    let accepted = 0
    fc.assert(
      fc.property(
        fc.nat(),
        values,
        changes,
        fc.nat(),
        changes,
        (document, values, documentChanges, answer, answerChanges) => {
          const { examples: _examples, ...rest } = given[document % given.length] ?? {}
          const { data, error } = documentSchema.safeParse(
            withChanges(withChanges(rest, values, isPointer), documentChanges),
          )
          if (error) {
            for (const issue of error.issues) expect(issue.message).not.toBe('')
            return
          }
          accepted++
          const provider = createDocumentProvider(data)
          const { credentials, settings } = accountOf(data)
          const body = withChanges(answers[answer % answers.length], answerChanges)
          const head = { status: 200, headers: {}, settings }
          const job = { jobId: 'job-1', credentials, settings, baseUrl: 'https://vendor.example', token: 'token' }
          const began = performance.now()
          const made = attempt(() => (provider.jobId?.kind === 'url' ? null : provider.statusRequest(job)))
          for (const secret of Object.values(credentials))
            expect(JSON.stringify([made?.path, made?.query])).not.toContain(secret)
          const read = attempt(() => provider.readStatus(body, head))
          if (read) {
            expect(illFormed(read)).toEqual([])
            expect(JSON.stringify(read)).not.toContain('INHERITED')
          }
          const page = attempt(() => provider.details?.read(body, firstPage, head))
          expect(
            JSON.stringify([page, provider.readError(body), provider.classify?.(head, body, testNow)]),
          ).not.toContain('INHERITED')
          // Reading is bounded by the document's size: far below what anybody would call a hang.
          expect(performance.now() - began).toBeLessThan(5_000)
        },
      ),
      { numRuns },
    )
    expect(accepted).toBeGreaterThan(numRuns / 20)
  },
  240_000 + 20 * numRuns,
)

/** Refusals of answers are values to the service; anything else is a bug. */
function attempt<Value>(action: () => Value): Value | null {
  try {
    return action()
  } catch (error) {
    expect(error).toBeInstanceOf(ZodError)
    expect((error as Error).message).not.toContain('secret-of-')
    return null
  }
}
