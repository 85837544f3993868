// Owns the definition of an API operation: it validates, types and documents the operation.
import type { Response } from 'express'
import type { z } from 'zod'
import type { ProblemCode } from '../api/refusal.ts'
import type { Provider } from '../providers/contract.ts'
import type { Principal } from '../tokens/authenticate.ts'
import type { Scope } from '../tokens/scope.ts'

export interface AnswerSpec {
  description: string
  /** Absent: the answer has no body. */
  schema?: z.ZodType
  /** Other media types for the same content. */
  streams?: Record<string, StreamSpec>
}

/** A body that is sent piece by piece. */
export interface StreamSpec {
  description: string
  /** The JSON of one piece: of a line, or of the data of an event. Absent: the body is text. */
  item?: z.ZodType
}

type Answers = Record<number, AnswerSpec>

export interface Call<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  requestId: string
  /** The holder of the token. */
  principal: Principal
  /** True: a HEAD request, which waits for nothing. */
  isHead: boolean
  /** Aborts when the client leaves or the server stops. */
  signal: AbortSignal
  /** Returns which of the media types the client prefers. */
  preferred(mediaTypes: readonly string[]): string
}

/** An answer that writes itself piece by piece. Resolves when all is written or the client has left. */
export interface Streamed {
  stream(response: Response): Promise<void>
}

type AnswerOf<A extends Answers> = {
  [Status in keyof A & number]: A[Status] extends { schema: infer Schema extends z.ZodType }
    ? { status: Status; body: z.output<Schema> }
    : { status: Status }
}[keyof A & number]

/** The body of a 201. */
type MadeBy<A extends Answers> = A[201] extends { schema: infer Schema extends z.ZodType } ? z.output<Schema> : never

interface Definition<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends Answers> {
  /** The operation's id in the OpenAPI document. */
  id: string
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** With `{parameters}`. */
  path: `/v1/${string}`
  scope: Scope
  tag: string
  summary: string
  description?: string
  /** Parameters are strings. A path whose parameters don't fit is answered with 404. */
  params?: P
  query?: Q
  body?: B
  /** The field of the body whose items the handler reads one by one, so that a wrong item refuses only itself. */
  itemsIn?: string
  /** Returns the body's schema for the document, if it can say more than the validating one. */
  describeBody?(uploaded: readonly Provider[]): z.ZodType
  answers: A
  /** Returns the path of the created resource, for the `Location` of a 201. */
  location?(made: MadeBy<A>): string
  /** The operation's own refusals, besides those that every operation has. */
  problems?: readonly ProblemCode[]
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<AnswerOf<A> | Streamed>
}

export interface Operation
  extends Omit<Definition<z.ZodObject, z.ZodObject, z.ZodType, Answers>, 'handle' | 'location'> {
  location?(made: unknown): string
  handle(call: Call<unknown, unknown, unknown>): Promise<{ status: number; body?: unknown } | Streamed>
}

/** Defines an operation. Its handler gets the output of its schemas. */
export function operation<
  const A extends Answers,
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>(definition: Definition<P, Q, B, A>): Operation {
  return definition as unknown as Operation
}

/** Returns an answer with one of the statuses that the operation defines. */
export function answer<const Status extends number>(status: Status): { status: Status }
export function answer<const Status extends number, Body>(status: Status, body: Body): { status: Status; body: Body }
export function answer(status: number, body?: unknown) {
  return { status, body }
}
