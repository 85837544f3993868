// Owns answering what forms post: who may post, doing it once however often the same form arrives, and where the answer
// leads. Every POST that did something leads on by a 303; one that was refused shows its form again with the refusal's
// status.
import { createHash, randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { ApiAction } from '../../actions/present.ts'
import { findActionOnce } from '../../actions/read.ts'
import type { Actor } from '../../actions/write.ts'
import { AppError } from '../../api/refusal.ts'
import { newId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import type { Scope } from '../../tokens/scope.ts'
import type { WorkName } from '../../work/kind.ts'
import type { Wake } from '../../work/wake.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { type Form, formOf, postedForm, readForm, tryForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'

const keyName = 'key'

/** What stands before the handler of every form. */
export function forForms(deps: PageGuardDeps, scope: Scope): RequestHandler[] {
  return [noStore, requireSignIn(deps, scope), requireSameOrigin, readForm]
}

/** Tells one showing of a form from all others. A form that is shown again keeps its own. */
export function keyField(form: Form = formOf({})): Html {
  return html`<input type="hidden" name="${keyName}" value="${form.value(keyName) || newId()}" autocomplete="off">`
}

/** What came of a form. */
export interface Done {
  /** Finds the action again, and nobody can guess it. */
  once: string
  /** Null: there was nothing to do. */
  action: ApiAction | null
}

interface Posted {
  /** Does what was asked for. */
  act: (by: Actor) => Promise<unknown>
  /** Returns the path that tells of it, below the base path. */
  next: (done: Done) => string
  /** Returns the page with the form and why it was refused. Absent: the refusal has a page of its own. */
  again?: (refusal: AppError) => string | Promise<string>
  /** What there may be to do now. */
  wakes?: Iterable<WorkName>
}

interface Deps {
  db: Database
  basePath: string
  wake: Wake
}

export async function answerForm(
  deps: Deps,
  request: Request,
  response: Response,
  { act, next, again, wakes = [] }: Posted,
): Promise<void> {
  const work = () => doOnce(deps, request, response, act)
  const done = again === undefined ? await work() : await tryForm(request, work)
  if (done instanceof AppError) {
    const page = await again?.(done)
    return void response.status(done.status).type('html').send(page)
  }
  deps.wake(wakes)
  response.redirect(303, `${deps.basePath}${next(done)}`)
}

/**
 * Runs a verb. The same form from the same person finds the action of its first arrival, also in another process, and
 * also while that is still under way: then the table of actions refuses the second one with all that it did.
 */
async function doOnce(deps: Deps, request: Request, response: Response, act: Posted['act']): Promise<Done> {
  const { tokenId, name, scope } = principalOf(response)
  const once = onceOf(request, { tokenId, name })
  const earlier = await findActionOnce(deps, once)
  if (earlier !== null) return { once, action: earlier }
  try {
    await act({ tokenId, name, scope, once })
  } catch (error) {
    const action = await findActionOnce(deps, once)
    if (action === null) throw error
    return { once, action }
  }
  return { once, action: await findActionOnce(deps, once) }
}

/** A form that was changed and sent again, as after going back, is another one. */
function onceOf(request: Request, by: Pick<Actor, 'tokenId' | 'name'>): string {
  if (postedForm(request).value(keyName) === '') return randomUUID()
  const fields = Object.entries(request.body as Record<string, unknown>).sort(([one], [other]) =>
    one < other ? -1 : 1,
  )
  const text = JSON.stringify([by.tokenId, by.name, request.path, fields])
  const hex = createHash('sha256').update(text).digest('hex')
  // A UUID of version 8 (RFC 9562), which is for digests.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
