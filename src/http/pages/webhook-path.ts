// Owns reading the id of an endpoint from the address of its pages.
import type { Request } from 'express'
import { notFound } from '../../api/refusal.ts'
import { isId } from '../../base/ids.ts'

/** @throws {AppError} not_found */
export function endpointIdOf(request: Request): string {
  const id = String(request.params.id)
  if (!isId(id)) throw notFound('webhook endpoint')
  return id
}
