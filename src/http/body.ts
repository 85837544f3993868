// Owns reading a request's body: JSON with its digits, at most 1 MiB.
import { isUtf8 } from 'node:buffer'
import express, { type Request, type Response } from 'express'
import { AppError } from '../api/refusal.ts'
import { parseJson } from '../base/json.ts'

const readText = express.text({ limit: 1024 * 1024, type: () => true, verify: requireUtf8 })

/** Returns undefined if there is no body. Refusals are body-parser's errors, which problem.ts translates. */
export async function readJson(request: Request, response: Response): Promise<unknown> {
  if (!hasBody(request)) return undefined
  if (!request.is('application/json'))
    throw new AppError('unsupported_media_type', 'The body must be application/json.')
  await new Promise<void>((resolve, reject) => {
    readText(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)))
  })
  const text = request.body as string
  return text === '' ? {} : parse(text)
}

function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    throw Object.assign(new Error('broken JSON'), { status: 400, type: 'entity.parse.failed' })
  }
}

/** Decoding would replace wrong bytes by U+FFFD, which would then be stored. */
function requireUtf8(_request: unknown, _response: unknown, bytes: Buffer, charset: string): void {
  if (charset !== 'utf-8') throw Object.assign(new Error('another charset'), { type: 'charset.unsupported' })
  if (!isUtf8(bytes)) throw Object.assign(new Error('broken UTF-8'), { type: 'encoding.broken' })
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}
