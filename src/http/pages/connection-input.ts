// Owns what a connection's form holds, and how it becomes what the API takes.
import type { z } from 'zod'
import { AppError, type FieldError } from '../../api/refusal.ts'
import { fieldErrors, issueText, tryParse } from '../../api/validation.ts'
import { errorsBesideCredentials } from '../../connections/input.ts'
import type { ApiConnection } from '../../connections/present.ts'
import type { Guard } from '../../egress/guard.ts'
import { effectiveLimits, type StoredLimits } from '../../model/limits.ts'
import type { Provider } from '../../providers/contract.ts'
import { durationOf, durationText } from './duration-field.ts'
import { type Form, formOf, itemsOf, linesOf, textOf, textOfField } from './form.ts'
import { numberOf } from './number-field.ts'
import { askedCredentials, askedSettings } from './provider-fields.ts'

export const rates = ['requestsPerSecond', 'requestsPerMinute', 'requestsPerDay', 'requestsPerMonth'] as const
export const spans = ['minIntervalMs', 'maxIntervalMs', 'deadlineMs'] as const
/** How the form calls them. */
export const spanLabels: Record<(typeof spans)[number], string> = {
  minIntervalMs: 'Ask an import at most every',
  maxIntervalMs: 'Ask an import at least every',
  deadlineMs: 'Give an import up after',
}
const limitNames = [...rates, 'maxInFlight', ...spans] as const
/** Those that may be less than one. */
const fractional: ReadonlySet<string> = new Set(['requestsPerSecond', 'requestsPerMinute'])

function isSpan(name: string): boolean {
  return (spans as readonly string[]).includes(name)
}

/** The name of the field that says which alternative of credentials is given. */
export const chosenField = 'credentialsAs'

export interface ConnectionInput {
  credentials: Record<string, string>
  /** Names of the chosen alternative whose fields were left blank. */
  blank: string[]
  baseUrl: string | null
  settings: Record<string, unknown>
  limits: Record<string, number | null>
  volatileFields: string[]
  baselineBy: string[]
  /** What can be said of the form before the API reads it. */
  errors: FieldError[]
}

/** @param old what the connection was, and the form that showed it. What stands there as it was shown stays. */
export function connectionInput(
  form: Form,
  provider: Provider,
  old: { one: ApiConnection; shown: Form } | null,
): ConnectionInput {
  const isUntouched = (name: string) =>
    old !== null && textOfField(form.value(name)) === textOfField(old.shown.value(name))
  const errors: FieldError[] = []
  const chosen = chosenAlternative(form, provider)
  const alternative = askedCredentials(provider)[chosen]
  const given = (alternative?.fields ?? []).map(({ name, kind }) => {
    const text = form.value(secretName(chosen, name))
    return [name, kind === 'lines' ? text.replaceAll('\r\n', '\n').trim() : text] as const
  })
  const settings = askedSettings(provider).flatMap(({ name, kind }) => {
    const text = form.value(`settings.${name}`)
    if (text.trim() === '') return []
    if (old && isUntouched(`settings.${name}`)) return [[name, old.one.settings[name]] as const]
    return [[name, kind === 'list' ? itemsOf(text) : text.trim()] as const]
  })
  const limitOf = (name: (typeof limitNames)[number]): number | null => {
    const [text, field] = [form.value(`limits.${name}`), `limits.${name}`]
    try {
      return isSpan(name) ? durationOf(text, field) : numberOf(text, field, { whole: !fractional.has(name) })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      errors.push(...error.errors)
      return null
    }
  }
  const limits = limitNames.map((name) => [name, limitOf(name)] as const)
  if (!errors.some(({ field }) => isSpan(field.slice('limits.'.length))))
    errors.push(...intervalErrors(provider, givenLimits(Object.fromEntries(limits))))
  return {
    credentials: Object.fromEntries(given.filter(([, text]) => text !== '')),
    blank: given.filter(([, text]) => text === '').map(([name]) => name),
    baseUrl: form.value('baseUrl').trim() || null,
    settings: Object.fromEntries(settings),
    limits: Object.fromEntries(limits),
    volatileFields: linesOf(form.value('volatileFields')),
    baselineBy: old && isUntouched('baselineBy') ? [...old.one.baselineBy] : itemsOf(form.value('baselineBy')),
    errors,
  }
}

/** Says in the form's words what the API says in its own. */
function intervalErrors(provider: Provider, given: Record<string, number>): FieldError[] {
  const { minIntervalMs, maxIntervalMs } = effectiveLimits(provider, given as StoredLimits)
  if (minIntervalMs <= maxIntervalMs) return []
  const message = `must not be longer than “${spanLabels.maxIntervalMs}”, which is ${durationText(maxIntervalMs)}`
  return [{ field: 'limits.minIntervalMs', message }]
}

/** Returns the limits that aren't the provider's default. */
export function givenLimits(limits: ConnectionInput['limits']): Record<string, number> {
  return Object.fromEntries(Object.entries(limits).filter((pair): pair is [string, number] => pair[1] !== null))
}

interface Checks<Output> {
  guard: Guard
  provider: Provider
  schema: z.ZodType<Output>
  /** The name of a new connection. Absent: the connection has one. */
  checkName?: () => void
}

/**
 * Reads what the form gives by the schema, and checks every field before anything is refused, so that a person is told
 * of all mistakes at once. `placedRefusal` adds those of the credentials.
 * @throws {AppError} invalid_request
 */
export function checkedInput<Output>(
  input: ConnectionInput,
  given: Record<string, unknown>,
  { guard, provider, schema, checkName = () => {} }: Checks<Output>,
): Output {
  const named = errorsOf(checkName)
  const parsed = tryParse(schema, given, 'form')
  const { baseUrl, settings } = input
  // `connectionInput` has checked the limits.
  const fields = { settings, ...(baseUrl !== null && { baseUrl }) }
  const known = [...input.errors, ...named, ...(parsed instanceof AppError ? parsed.errors : [])]
  const others = errorsBesideCredentials(guard, provider, fields).filter(
    ({ field }) => !known.some((error) => error.field === field),
  )
  if (parsed instanceof AppError)
    throw new AppError(parsed.code, parsed.message, [...named, ...parsed.errors, ...others])
  if (known.length + others.length > 0) throw new AppError('invalid_request', '', [...named, ...others])
  return parsed
}

function errorsOf(check: () => void): FieldError[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof AppError) return error.errors
    throw error
  }
}

/**
 * Returns a refusal whose complaints about credentials are at the fields of the chosen alternative, the only one that
 * was filled in.
 */
export function placedRefusal(
  refusal: AppError | null,
  form: Form,
  provider: Provider,
  input: ConnectionInput,
  stored: readonly string[],
): AppError | null {
  const chosen = chosenAlternative(form, provider)
  const parsed = askedCredentials(provider)[chosen]?.schema.safeParse(input.credentials, { error: issueText })
  const about = fieldErrors(parsed?.error, 'credentials').filter(
    ({ field }) => !input.blank.some((name) => field === `credentials.${name}` && stored.includes(name)),
  )
  if (refusal === null && input.errors.length === 0) return null
  const others = (refusal?.errors ?? []).filter(
    ({ field }) =>
      field !== 'credentials' &&
      !field.startsWith('credentials.') &&
      !input.errors.some((error) => error.field === field),
  )
  const placed = about.map(({ field, message }) => ({
    field: secretName(chosen, field.slice('credentials.'.length)),
    message,
  }))
  return new AppError(refusal?.code ?? 'invalid_request', refusal?.message ?? '', [
    ...others,
    ...placed,
    ...input.errors,
  ])
}

export function chosenAlternative(form: Form, provider: Provider): number {
  const chosen = Number(form.value(chosenField))
  return Number.isInteger(chosen) && chosen >= 0 && chosen < askedCredentials(provider).length ? chosen : 0
}

/** The same name may be in several alternatives. */
export function secretName(alternative: number, name: string): string {
  return `credentials.${alternative}.${name}`
}

/** Returns a form that holds the connection. `stored` are the names of its credentials. */
export function formOfConnection(one: ApiConnection, provider: Provider, stored: readonly string[]): Form {
  const alternative = askedCredentials(provider).findIndex(
    ({ fields }) => fields.length === stored.length && fields.every(({ name }) => stored.includes(name)),
  )
  const settings = Object.entries(one.settings).map(([name, value]) => [
    `settings.${name}`,
    Array.isArray(value) ? value.map(textOf).join('\n') : textOf(value),
  ])
  const limits = Object.entries(one.limits).map(([name, value]) => [
    `limits.${name}`,
    isSpan(name) ? durationText(Number(value)) : String(value),
  ])
  return formOf({
    [chosenField]: String(Math.max(alternative, 0)),
    baseUrl: one.baseUrl ?? '',
    volatileFields: one.volatileFields.join('\n'),
    baselineBy: one.baselineBy.join(', '),
    ...Object.fromEntries(settings),
    ...Object.fromEntries(limits),
  })
}
