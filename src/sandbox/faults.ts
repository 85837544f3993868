// Owns the faults of answers, and when they happen. Pure: send.ts breaks the sockets, and vendors phrase the refusals.
import { z } from 'zod'
import { isJsonObject, type Json, type JsonObject, mapScalars } from './json.ts'
import type { Shape } from './vendor.ts'

/** The kinds of a vendor's calls: the status, a further page of rows, or Zilliant's report. */
export type CallKind = 'status' | 'details' | 'summary'

const milliseconds = z.int().min(0)
const ordinal = z.int().min(1)

const when = {
  on: z.enum(['status', 'details', 'summary', 'any']).default('status'),
  atRequest: z.union([ordinal, z.tuple([ordinal, ordinal])]).optional(),
  betweenMs: z.tuple([milliseconds, milliseconds]).optional(),
}

const waiting = {
  retryAfterS: z.int().min(0).max(86_400).nullable().default(1),
  retryAfterForm: z.enum(['seconds', 'date']).default('seconds'),
}

const refusalFault = z.strictObject({
  kind: z.literal(['bad_request', 'unauthorized', 'forbidden', 'not_found', 'server_error']),
  ...when,
})
const waitFault = z.strictObject({ kind: z.literal(['rate_limited', 'unavailable']), ...waiting, ...when })
const transportFault = z.strictObject({
  kind: z.literal([
    'timeout',
    'reset',
    'reset_after_answer',
    'truncated',
    'garbage',
    'wrong_shape',
    'redirect',
    'invalid_http',
  ]),
  ...when,
})
const slowFault = z.strictObject({
  kind: z.literal('slow_body'),
  overMs: milliseconds.max(3_600_000).default(30_000),
  ...when,
})
const largeFault = z.strictObject({
  kind: z.literal('too_large'),
  bytes: z
    .int()
    .min(0)
    .max(2 ** 30)
    .default(40 * 2 ** 20),
  ...when,
})
const largeHeadersFault = z.strictObject({
  kind: z.literal('large_headers'),
  bytes: z.int().min(1).max(1_048_576).default(20_480),
  ...when,
})
const compressedFault = z.strictObject({
  kind: z.literal('compressed'),
  encoding: z.enum(['gzip', 'br', 'deflate', 'zstd']).default('gzip'),
  ...when,
})
const charsetFault = z.strictObject({
  kind: z.literal('charset'),
  charset: z.enum(['iso-8859-1', 'utf-16le']).default('iso-8859-1'),
  /** True: the content type names the charset. */
  declared: z.boolean().default(true),
  ...when,
})
const bodyFault = z.strictObject({
  kind: z.literal(['numbers_as_strings', 'missing_fields', 'null_fields']),
  ...when,
})
const unknownStatusFault = z.strictObject({
  kind: z.literal('unknown_status'),
  status: z.string().default('REINDEXING'),
  ...when,
})

/**
 * A fault. `on` names the calls that it affects, and `atRequest` counts those, from 1. `betweenMs` is the time since
 * the job was added, excluding its end. Without these two it affects every such call.
 */
export const faultSchema = z.discriminatedUnion('kind', [
  refusalFault,
  waitFault,
  transportFault,
  slowFault,
  largeFault,
  largeHeadersFault,
  compressedFault,
  charsetFault,
  bodyFault,
  unknownStatusFault,
])
export type Fault = z.output<typeof faultSchema>
export type FaultInput = z.input<typeof faultSchema>

export type RefusalFault = z.output<typeof refusalFault> | z.output<typeof waitFault>
export type TransportFault = z.output<typeof transportFault> | z.output<typeof slowFault> | z.output<typeof largeFault>
export type WritingFault =
  | z.output<typeof largeHeadersFault>
  | z.output<typeof compressedFault>
  | z.output<typeof charsetFault>
export type BodyFault = z.output<typeof bodyFault> | z.output<typeof unknownStatusFault>

/** Faults by what they affect. Of refusals and of broken transports, the first one listed counts. */
export interface SortedFaults {
  refusal: RefusalFault | null
  transport: TransportFault | null
  /** How any answer becomes bytes. */
  writing: WritingFault[]
  body: BodyFault[]
}

/** A request that a script's faults may affect. `nth[kind]` counts the requests of that kind, this one included. */
export interface Occasion {
  kind: CallKind
  nth: Readonly<Record<CallKind, number>>
  elapsedMs: number
}

/** Returns the faults of this request. */
export function faultsAt(faults: readonly Fault[], occasion: Occasion): SortedFaults {
  return sortFaults(faults.filter((fault) => applies(fault, occasion)))
}

export function sortFaults(faults: readonly Fault[]): SortedFaults {
  const sorted: SortedFaults = { refusal: null, transport: null, writing: [], body: [] }
  for (const fault of faults) {
    if (isRefusal(fault)) sorted.refusal ??= fault
    else if (isBodyFault(fault)) sorted.body.push(fault)
    else if (isWritingFault(fault)) sorted.writing.push(fault)
    else sorted.transport ??= fault
  }
  return sorted
}

/** Returns the body with the fault in it. */
export function reshape(body: Json, fault: BodyFault, shape: Shape): Json {
  if (fault.kind === 'numbers_as_strings')
    return mapScalars(body, (scalar) => (typeof scalar === 'number' ? String(scalar) : scalar))
  if (!isJsonObject(body)) return body
  const { holder } = shape
  if (holder === null) return reshapeFields(body, fault, shape.required)
  const held = body[holder]
  const inside =
    held !== undefined && isJsonObject(held) ? { [holder]: reshapeFields(held, fault, shape.required) } : {}
  if (fault.kind === 'unknown_status') return { ...body, ...inside }
  return { ...(fault.kind === 'null_fields' ? nulls(body) : {}), ...inside }
}

function reshapeFields(body: JsonObject, fault: BodyFault, required: readonly string[]): JsonObject {
  if (fault.kind === 'unknown_status') return { ...body, status: fault.status }
  const kept = Object.fromEntries(Object.entries(body).filter(([name]) => required.includes(name)))
  return fault.kind === 'null_fields' ? { ...nulls(body), ...kept } : kept
}

function nulls(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.keys(body).map((name) => [name, null]))
}

function applies(fault: Fault, { kind, nth, elapsedMs }: Occasion): boolean {
  if (fault.on !== 'any' && fault.on !== kind) return false
  const count = fault.on === 'any' ? nth.status + nth.details + nth.summary : nth[kind]
  const [first, last] = range(fault.atRequest)
  const [from, to] = fault.betweenMs ?? [0, Number.POSITIVE_INFINITY]
  return count >= first && count <= last && elapsedMs >= from && elapsedMs < to
}

function range(atRequest: Fault['atRequest']): readonly [number, number] {
  if (atRequest === undefined) return [1, Number.POSITIVE_INFINITY]
  return typeof atRequest === 'number' ? [atRequest, atRequest] : atRequest
}

const refusals: ReadonlySet<Fault['kind']> = new Set([
  'bad_request',
  'unauthorized',
  'forbidden',
  'not_found',
  'server_error',
  'rate_limited',
  'unavailable',
])
const bodyFaults: ReadonlySet<Fault['kind']> = new Set([
  'numbers_as_strings',
  'missing_fields',
  'null_fields',
  'unknown_status',
])
const writingFaults: ReadonlySet<Fault['kind']> = new Set(['large_headers', 'compressed', 'charset'])

function isRefusal(fault: Fault): fault is RefusalFault {
  return refusals.has(fault.kind)
}

function isBodyFault(fault: Fault): fault is BodyFault {
  return bodyFaults.has(fault.kind)
}

function isWritingFault(fault: Fault): fault is WritingFault {
  return writingFaults.has(fault.kind)
}
