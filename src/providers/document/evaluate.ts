// Owns what the values and conditions of a document mean. They are prepared once, as functions; reading an answer then
// costs no more than the number of values times the size of what they read.
import { isRawNumber } from '../../base/json.ts'
import type { ReportedState } from '../../model/reported-state.ts'
import { isObject, readCount, readFlag, readNumber, readText, readTime } from '../fields.ts'
import type { Condition, Operation, Scalar, Value } from './expressions.ts'
import { compilePointer, compilePointerWithGaps } from './pointer.ts'

/** What an expression can see. */
export interface Scope {
  /** The answer, or one row of a list. */
  body: unknown
  /** The HTTP status. */
  status: number
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  settings: Readonly<Record<string, unknown>>
  /** The state so far. */
  state: ReportedState
}

export type Evaluate = (scope: Scope) => unknown
export type Holds = (scope: Scope) => boolean

/** Longer JSON inside text isn't read: a document may name it often, and each value would parse it again. */
const maxInnerJson = 64 * 1_024
/** How many texts of a list are shown, one after the other. */
const maxJoined = 20

export function compileValue(value: Value): Evaluate {
  if (typeof value === 'string') {
    const read = compilePointer(value)
    return (scope) => read(scope.body)
  }
  const evaluate = compileOperation(value)
  const { as } = value
  if (as === undefined) return evaluate
  const convert = conversions[as]
  return (scope) => convert(evaluate(scope))
}

const conversions: Record<NonNullable<Operation['as']>, (value: unknown) => unknown> = {
  count: (value) => readCount(value),
  text: textOf,
  iso: (value) => (typeof value === 'string' ? readTime(value) : null),
  epochMs: (value) => timeOf(readNumber(value), 1),
  epochS: (value) => timeOf(readNumber(value), 1_000),
  flag: readFlag,
}

function compileOperation(operation: Operation): Evaluate {
  const { first, sum, minus, fraction, percent, count, param, lastSegment, before, each, json, header, setting } =
    operation
  if (first) {
    const all = first.map(compileValue)
    return (scope) => {
      for (const evaluate of all) {
        const found = evaluate(scope)
        if (isThere(found)) return found
      }
      return undefined
    }
  }
  if (sum) {
    const all = sum.map(compileSummand)
    return (scope) => sumOf(all.flatMap((evaluate) => evaluate(scope) ?? null))
  }
  if (minus) return arithmetic(minus, (one, other) => one - other)
  if (fraction) return arithmetic(fraction, (one, other) => (other > 0 ? one / other : null))
  if (percent !== undefined) {
    const evaluate = compileValue(percent)
    return (scope) => {
      const number = readNumber(evaluate(scope))
      return number === null ? null : number / 100
    }
  }
  if (count !== undefined) return compileCount(count, operation.where)
  if (param) {
    const evaluate = compileValue(param[0])
    return (scope) => urlOf(textOf(evaluate(scope)))?.searchParams.get(param[1]) ?? null
  }
  if (lastSegment !== undefined) {
    const evaluate = compileValue(lastSegment)
    return (scope) => textOf(evaluate(scope))?.split('/').at(-1) ?? null
  }
  if (before) {
    const evaluate = compileValue(before[0])
    return (scope) => {
      const text = textOf(evaluate(scope)) ?? ''
      const at = text.indexOf(before[1])
      return at === -1 ? null : text.slice(0, at)
    }
  }
  if (each) return compileEach(each)
  if (json !== undefined) {
    const [evaluate, at] = [compileValue(json), compilePointer(operation.at ?? '')]
    return (scope) => at(innerJson(evaluate(scope)))
  }
  if (header !== undefined) {
    const name = header.toLowerCase()
    return ({ headers }) => (Object.hasOwn(headers, name) ? [headers[name] ?? []].flat()[0] : undefined)
  }
  if (setting !== undefined) return (scope) => settingOf(scope, setting)
  const constant = operation.const
  return () => constant
}

/** A setting that begins with a slash is a pointer: values need no text of that kind. */
function settingOf({ body, settings }: Scope, name: string): unknown {
  const given = Object.hasOwn(settings, name) ? settings[name] : undefined
  return typeof given === 'string' && given.startsWith('/') ? compilePointer(given)(body) : given
}

function compileCount(list: Value, where: Condition | undefined): Evaluate {
  const evaluate = compileValue(list)
  const holds = where && compileCondition(where)
  return (scope) => {
    const items = evaluate(scope)
    if (!Array.isArray(items)) return null
    return holds ? items.filter((item) => holds({ ...scope, body: item })).length : items.length
  }
}

function compileEach([list, pointer]: [Value, string]): Evaluate {
  const [evaluate, at] = [compileValue(list), compilePointer(pointer)]
  return (scope) => {
    const items = evaluate(scope)
    if (!Array.isArray(items)) return undefined
    const found = items.flat().map(at).filter(isThere)
    return found.length === 0 ? undefined : found
  }
}

function arithmetic(pair: [Value, Value], compute: (one: number, other: number) => number | null): Evaluate {
  const [one, other] = [compileValue(pair[0]), compileValue(pair[1])]
  return (scope) => {
    const [a, b] = [readNumber(one(scope)), readNumber(other(scope))]
    return a === null || b === null ? null : compute(a, b)
  }
}

/** An element of a list that lacks the number makes the sum unknown, as null does. */
function compileSummand(value: Value): Evaluate {
  if (typeof value !== 'string') return compileValue(value)
  const read = compilePointerWithGaps(value)
  return (scope) => read(scope.body)
}

function sumOf(values: readonly unknown[]): number | null {
  let total = 0
  for (const value of values) {
    const number = readNumber(value)
    if (number === null) return null
    total += number
  }
  return total
}

function innerJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value.length > maxInnerJson) return undefined
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

function urlOf(text: string | null): URL | null {
  // Some vendors link to a path alone.
  return text === null ? null : URL.parse(text, 'https://relative.invalid')
}

function timeOf(number: number | null, unitMs: number): Date | null {
  return number === null ? null : readTime(number * unitMs)
}

export function isThere(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

/** Returns the text of a value: that of several, one after the other, of a list. Null: there is none. */
export function textOf(value: unknown): string | null {
  if (!Array.isArray(value)) return readText(value)
  const texts = value.slice(0, maxJoined).map(readText)
  return [...new Set(texts.filter((text) => text !== null))].join('; ') || null
}

export function compileCondition(condition: Condition): Holds {
  const all = Object.entries(condition).flatMap(([key, given]) =>
    given === undefined || key === 'ignoreCase' ? [] : compileTest(condition, key as Test),
  )
  return (scope) => all.every((holds) => holds(scope))
}

type Test = Exclude<keyof Condition, 'ignoreCase'>

function compileTest(condition: Condition, key: Test): Holds {
  const given = condition[key]
  const same = condition.ignoreCase ? (text: string) => text.toLowerCase() : (text: string) => text
  switch (key) {
    case 'exists':
      return tested(given as Value, isThere)
    case 'absent':
      return tested(given as Value, (value) => !isThere(value))
    case 'notEmpty':
      return tested(given as Value, isNotEmpty)
    case 'equals': {
      const [value, constant] = given as [Value, Scalar]
      return tested(value, (found) => isOneOf([constant], found, same))
    }
    case 'in': {
      const [value, constants] = given as [Value, Scalar[] | { setting: string }]
      if (Array.isArray(constants)) return tested(value, (found) => isOneOf(constants, found, same))
      const evaluate = compileValue(value)
      // Words of the vendor's, as in a map: outer blanks don't count.
      const alike = (text: string) => same(text.trim())
      return (scope) => isOneOf(listOf(scope.settings[constants.setting]), evaluate(scope), alike)
    }
    case 'prefix':
    case 'suffix': {
      const [value, text] = given as [Value, string]
      return tested(value, (found) => {
        const read = textOf(found)
        if (read === null) return false
        return key === 'prefix' ? same(read).startsWith(same(text)) : same(read).endsWith(same(text))
      })
    }
    case 'gt':
      return compared(given as [Value, number | Value], (one, other) => one > other)
    case 'lt':
      return compared(given as [Value, number | Value], (one, other) => one < other)
    case 'status':
      return ({ status }) => (given as number[]).includes(status)
    case 'state':
      return ({ state }) => (given as string[]).includes(state)
    case 'setting': {
      const [name, constants] = given as [string, Scalar[]]
      return ({ settings }) => isOneOf(constants, Object.hasOwn(settings, name) ? settings[name] : null, same)
    }
    case 'all':
      return every((given as Condition[]).map(compileCondition))
    case 'any': {
      const any = (given as Condition[]).map(compileCondition)
      return (scope) => any.some((holds) => holds(scope))
    }
    case 'not': {
      const holds = compileCondition(given as Condition)
      return (scope) => !holds(scope)
    }
  }
}

function every(all: readonly Holds[]): Holds {
  return (scope) => all.every((holds) => holds(scope))
}

function tested(value: Value, test: (found: unknown) => boolean): Holds {
  const evaluate = compileValue(value)
  return (scope) => test(evaluate(scope))
}

function compared([value, bound]: [Value, number | Value], compare: (one: number, other: number) => boolean): Holds {
  const one = compileValue(value)
  const other = typeof bound === 'number' ? () => bound : compileValue(bound)
  return (scope) => {
    const [a, b] = [readNumber(one(scope)), readNumber(other(scope))]
    return a !== null && b !== null && compare(a, b)
  }
}

function isNotEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isObject(value) ? Object.keys(value).length > 0 : isThere(value)
}

/** Compares texts, so that 601 and "601" are the same code. */
function isOneOf(constants: readonly unknown[], found: unknown, same: (text: string) => string): boolean {
  if (found === undefined || found === null) return constants.includes(null)
  if (typeof found === 'object' && !isRawNumber(found)) return false
  const text = same(wordOf(found))
  return constants.some((constant) => constant !== null && same(wordOf(constant)) === text)
}

function wordOf(value: unknown): string {
  return isRawNumber(value) ? value.rawJSON : String(value)
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
