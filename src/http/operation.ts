// Owns what an operation of the API is: one definition, from which it is validated, typed and documented.
import type { Response } from 'express'
import type { z } from 'zod'
import type { ProblemCode } from '../api/refusal.ts'
import type { Principal } from '../tokens/authenticate.ts'
import type { Scope } from '../tokens/scope.ts'

export interface AnswerSpec {
  description: string
  /** Absent: the answer has no body. */
  schema?: z.ZodType
  /** Media types that the same thing can be had as, besides JSON. */
  streams?: Record<string, string>
}

type Answers = Record<number, AnswerSpec>

export interface Call<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  requestId: string
  /** Who asks. */
  principal: Principal
  /** Asked for its headers alone: there is nothing to wait for. */
  isHead: boolean
  /** Aborted when the client has gone or the server stops. */
  signal: AbortSignal
  /** The one of the media types that the client likes best. */
  preferred(mediaTypes: readonly string[]): string
}

/** An answer that writes itself, bit by bit. It settles when all is written or the client has gone. */
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
  /** Strings. A path whose parameters don't fit leads nowhere: 404. */
  params?: P
  query?: Q
  body?: B
  /** The body's list whose items the handler reads one by one, so that a wrong one refuses only itself. */
  itemsIn?: string
  /** What the document says of the body, where it can say more than the schema that reads it. */
  documentedBody?: z.ZodType
  answers: A
  /** The path of what a 201 has made: its `Location`. */
  location?(made: MadeBy<A>): string
  /** The refusals of its own, besides those that every operation has. */
  problems?: readonly ProblemCode[]
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<AnswerOf<A> | Streamed>
}

export interface Operation
  extends Omit<Definition<z.ZodObject, z.ZodObject, z.ZodType, Answers>, 'handle' | 'location'> {
  location?(made: unknown): string
  handle(call: Call<unknown, unknown, unknown>): Promise<{ status: number; body?: unknown } | Streamed>
}

/** Defines an operation, so that its handler gets what its schemas let through. */
export function operation<
  const A extends Answers,
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>(definition: Definition<P, Q, B, A>): Operation {
  return definition as unknown as Operation
}

/** An answer, of one of the statuses that the operation defines. */
export function answer<const Status extends number>(status: Status): { status: Status }
export function answer<const Status extends number, Body>(status: Status, body: Body): { status: Status; body: Body }
export function answer(status: number, body?: unknown) {
  return { status, body }
}
