// Owns running operations: authorise → validate → the verb → answer. Other methods on their paths are refused.
import type { IRouter, Request, Response } from 'express'
import { z } from 'zod'
import { AppError, notFound } from '../api/refusal.ts'
import { parse, requireStorable } from '../api/validation.ts'
import { type AuthDeps, authorize } from './auth.ts'
import { readJson } from './body.ts'
import type { Call, Operation } from './operation.ts'
import { requestIdOf } from './request-log.ts'

export interface MountDeps extends AuthDeps {
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

export function mount(app: IRouter, operations: readonly Operation[], deps: MountDeps): void {
  for (const operation of operations)
    app[operation.method](expressPath(operation.path), (request, response) => run(operation, request, response, deps))

  const byPath = Map.groupBy(operations, ({ path }) => path)
  for (const [path, siblings] of byPath)
    app.all(expressPath(path), (_request, response) => refuseMethod(response, siblings))
}

async function run(operation: Operation, request: Request, response: Response, deps: MountDeps): Promise<void> {
  const principal = await authorize(request, response, deps, operation.scope)
  const call = { ...(await readCall(operation, request, response, deps.stopping)), principal }
  const answer = await operation.handle(call)
  if ('stream' in answer) return answer.stream(response)
  if (answer.status === 201 && operation.location)
    response.location(`${request.baseUrl}${operation.location(answer.body)}`)
  if (answer.body === undefined) response.status(answer.status).end()
  else response.status(answer.status).json(answer.body)
}

async function readCall(
  { params, query, body, itemsIn }: Operation,
  request: Request,
  response: Response,
  stopping: AbortSignal,
): Promise<Omit<Call<unknown, unknown, unknown>, 'principal'>> {
  const json = await readJson(request, response)
  if (json !== undefined) requireStorable(itemsIn === undefined ? json : without(json, itemsIn))
  requireStorable(request.query)
  return {
    params: readParams(params, request.params),
    query: parse(query ?? nothing, request.query, 'query'),
    body: parse(body ?? nothing, json, 'body'),
    requestId: requestIdOf(response),
    isHead: request.method === 'HEAD',
    signal: AbortSignal.any([stopping, goneSignal(response)]),
    preferred: (mediaTypes) => request.accepts([...mediaTypes]) || (mediaTypes[0] ?? ''),
  }
}

function without(json: unknown, key: string): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== key))
}

function readParams(schema: z.ZodObject | undefined, params: unknown): unknown {
  const parsed = schema?.safeParse(params)
  if (parsed?.success === false) throw notFound('resource')
  return parsed?.data
}

/** An operation without a body or query accepts none, except an empty object. */
const nothing = z.strictObject({}).optional()

function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

function refuseMethod(response: Response, siblings: readonly Operation[]): never {
  const methods = siblings.map(({ method }) => method.toUpperCase())
  response.setHeader('allow', [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', '))
  throw new AppError('method_not_allowed', `Only ${methods.join(', ')} can be used here.`)
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}
