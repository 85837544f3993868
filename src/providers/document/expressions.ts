// Owns the form of values and conditions in a provider's document: a closed vocabulary. evaluate.ts owns what they
// mean.
import { z } from 'zod'
import { issueText } from '../../api/validation.ts'
import { pointerProblem } from './pointer.ts'

export type Scalar = string | number | boolean | null

export const conversions = ['count', 'text', 'iso', 'epochMs', 'epochS', 'flag'] as const

/** A value: a JSON Pointer into the answer, or one operation. */
export type Value = string | Operation

export interface Operation {
  /** The first one that is there: neither absent nor null nor "". */
  first?: Value[] | undefined
  /** Unknown if one of them is. A list counts as its elements. */
  sum?: Value[] | undefined
  minus?: [Value, Value] | undefined
  /** Unknown if the second one is 0. */
  fraction?: [Value, Value] | undefined
  /** A hundredth of it. */
  percent?: Value | undefined
  /** How many elements a list has, or how many of them the condition holds for. */
  count?: Value | undefined
  where?: Condition | undefined
  const?: Scalar | undefined
  /** A parameter of the query of a URL. */
  param?: [Value, string] | undefined
  /** What follows the last slash. */
  lastSegment?: Value | undefined
  /** What comes before the first such text. Nothing, if there is none. */
  before?: [Value, string] | undefined
  /** What the pointer finds in each element of a list, or of the lists in it. */
  each?: [Value, string] | undefined
  /** JSON inside text, or JSON itself; `at` points into it. */
  json?: Value | undefined
  at?: string | undefined
  header?: string | undefined
  /** A setting. Of a setting that is a pointer: what it points to. */
  setting?: string | undefined
  as?: (typeof conversions)[number] | undefined
}

/** All of its keys must hold. */
export interface Condition {
  exists?: Value | undefined
  absent?: Value | undefined
  notEmpty?: Value | undefined
  equals?: [Value, Scalar] | undefined
  in?: [Value, Scalar[] | { setting: string }] | undefined
  prefix?: [Value, string] | undefined
  suffix?: [Value, string] | undefined
  ignoreCase?: boolean | undefined
  gt?: [Value, number | Value] | undefined
  lt?: [Value, number | Value] | undefined
  /** The HTTP status. */
  status?: number[] | undefined
  /** Our own state. */
  state?: string[] | undefined
  setting?: [string, Scalar[]] | undefined
  all?: Condition[] | undefined
  any?: Condition[] | undefined
  not?: Condition | undefined
}

/** Reads by the schema that the input's type asks for, so that errors name a key and not "one of several forms". */
export function byType<Text, Other>(
  text: z.ZodType<Text>,
  other: () => z.ZodType<Other>,
): z.ZodType<Text | Other, unknown> {
  return byForm((input) => typeof input === 'string', text, other)
}

/** The same for a list, or one of it. */
export function oneOrMany<One>(one: z.ZodType<One>, { most }: { most: number }): z.ZodType<One | One[], unknown> {
  return byForm<One[], One>(Array.isArray, z.array(one).min(1).max(most), () => one)
}

function byForm<First, Other>(
  isFirst: (input: unknown) => boolean,
  first: z.ZodType<First>,
  other: () => z.ZodType<Other>,
): z.ZodType<First | Other, unknown> {
  return z.unknown().transform((input, context): First | Other => {
    const schema: z.ZodType<First | Other> = isFirst(input) ? first : other()
    const parsed = schema.safeParse(input, { error: issueText })
    if (parsed.success) return parsed.data
    context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input }) as z.core.$ZodRawIssue))
    return z.NEVER
  })
}

export function pointerSchema(options?: { wildcards?: number }) {
  return z
    .string()
    .max(500)
    .superRefine((pointer, context) => {
      const problem = pointerProblem(pointer, options)
      if (problem !== null) context.addIssue(problem)
    })
}

const scalar = z.custom<Scalar>(
  (input) => input === null || ['string', 'number', 'boolean'].includes(typeof input),
  'must be a text, a number, true, false or null',
)

const operators = [
  ...['first', 'sum', 'minus', 'fraction', 'percent', 'count', 'const'],
  ...['param', 'lastSegment', 'before', 'each', 'json', 'header', 'setting'],
] as const

export const value: z.ZodType<Value, unknown> = byType(pointerSchema(), () => operation)

const values = z.array(z.lazy(() => value)).min(1)
const pair = z.tuple([z.lazy(() => value), z.lazy(() => value)])

const operation: z.ZodType<Operation, unknown> = z
  .strictObject({
    first: values,
    sum: values,
    minus: pair,
    fraction: pair,
    percent: z.lazy(() => value),
    count: z.lazy(() => value),
    where: z.lazy(() => condition),
    const: scalar,
    param: z.tuple([z.lazy(() => value), z.string().min(1).max(100)]),
    lastSegment: z.lazy(() => value),
    before: z.tuple([z.lazy(() => value), z.string().min(1).max(20)]),
    each: z.tuple([z.lazy(() => value), pointerSchema({ wildcards: 0 })]),
    json: z.lazy(() => value),
    at: pointerSchema(),
    header: z.string().min(1).max(100),
    setting: z.string().min(1).max(100),
    as: z.enum(conversions),
  })
  .partial()
  .superRefine((given, context) => {
    const keys = Object.keys(given)
    const named = operators.filter((key) => keys.includes(key))
    if (named.length !== 1) context.addIssue(`must be a JSON Pointer or have exactly one of ${operators.join(', ')}`)
    if (keys.includes('where') && !keys.includes('count'))
      context.addIssue({ code: 'custom', path: ['where'], message: 'belongs to count' })
    // A list of each element of a list, or JSON parsed anew for each, would cost more than the answer is long.
    if (keysWithin(given.where).has('where'))
      context.addIssue({ code: 'custom', path: ['where'], message: 'must not contain another where' })
    if (['const', 'header', 'setting'].some((key) => keysWithin(given.json).has(key)))
      context.addIssue({ code: 'custom', path: ['json'], message: 'must be a text within the answer' })
    if (keys.includes('at') !== keys.includes('json'))
      context.addIssue({ code: 'custom', path: ['at'], message: 'and json belong together' })
  })

/** Returns the names of all keys within. */
function keysWithin(found: unknown): Set<string> {
  if (typeof found !== 'object' || found === null) return new Set()
  const keys = Array.isArray(found) ? [] : Object.keys(found)
  return new Set([...keys, ...Object.values(found).flatMap((inner) => [...keysWithin(inner)])])
}

const valueAndScalar = z.tuple([z.lazy(() => value), scalar])
const bound = z.unknown().transform((input, context): number | Value => {
  if (typeof input === 'number') return input
  const parsed = value.safeParse(input, { error: issueText })
  if (parsed.success) return parsed.data
  context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input }) as z.core.$ZodRawIssue))
  return z.NEVER
})
const texts = z.tuple([z.lazy(() => value), z.string().min(1).max(200)])

export const reportedStates = [
  ...['queued', 'running', 'succeeded', 'partial', 'failed'],
  ...['canceled', 'archived', 'unknown', 'unmapped'],
] as const

export const condition: z.ZodType<Condition, unknown> = z
  .strictObject({
    exists: z.lazy(() => value),
    absent: z.lazy(() => value),
    notEmpty: z.lazy(() => value),
    equals: valueAndScalar,
    in: z.tuple([
      z.lazy(() => value),
      z.custom<Scalar[] | { setting: string }>(
        (input) => z.union([z.array(scalar).min(1), z.strictObject({ setting: z.string() })]).safeParse(input).success,
        'must be a list of texts or numbers, or {"setting": name}',
      ),
    ]),
    prefix: texts,
    suffix: texts,
    ignoreCase: z.boolean(),
    gt: z.tuple([z.lazy(() => value), bound]),
    lt: z.tuple([z.lazy(() => value), bound]),
    status: z.array(z.number().int().min(100).max(599)).min(1),
    state: z.array(z.enum(reportedStates as readonly [string, ...string[]])).min(1),
    setting: z.tuple([z.string().min(1).max(100), z.array(scalar).min(1)]),
    all: z.array(z.lazy(() => condition)).min(1),
    any: z.array(z.lazy(() => condition)).min(1),
    not: z.lazy(() => condition),
  })
  .partial()
  .refine((given) => Object.keys(given).some((key) => key !== 'ignoreCase'), 'must name at least one condition')
