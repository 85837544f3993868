// Owns doing something to many imports: the page that asks once more, with the count, and letting it begin and go on.
import type { IRouter, Request, RequestHandler } from 'express'
import { AppError, notFound } from '../../api/refusal.ts'
import { parse, requireStorable } from '../../api/validation.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import { requireProvider } from '../../catalog/documents.ts'
import type { Database } from '../../db/client.ts'
import { actions, type ImportAction, maxTaken } from '../../imports/act.ts'
import { beginAction, goOn, type ManyInput, mostCounted, type Plan, planAction } from '../../imports/act-in-steps.ts'
import type { ImportFilter } from '../../imports/filter.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { importFilterSchema } from '../import-query.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { fieldOf, fieldsOf, readForm } from './form.ts'
import { counted, joined, number } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { exact, type Html, html } from './html.ts'
import { page } from './layout.ts'
import { actionTitles, filterOfQuery } from './select-imports.ts'

export interface ManyDeps extends PageGuardDeps {
  db: Database
  clock: Clock
  wake: Wake
}

export function mountMany(app: IRouter, deps: ManyDeps): void {
  const { basePath } = deps
  const guards: RequestHandler[] = [noStore, requireSignIn(deps, 'write'), requireSameOrigin, readForm]

  // Nothing changes here, so a reload repeats nothing.
  app.post('/imports/actions/confirm', ...guards, async (request, response) => {
    const action = actionOf(request)
    const back = `${basePath}/imports?${new URLSearchParams(fieldOf(request, 'back'))}`
    const filter = selected(request)
    const viewer = principalOf(response)
    const show = (title: string, body: Html) => {
      response.type('html').send(page({ title, body, basePath, viewer, section: '/imports' }))
    }
    if (filter === null) return show('Nothing is selected', nothing(back))
    requireStorable(filter)
    await requireProvider(deps.db, filter.provider, 'provider')
    const plan = await planAction(deps, { filter, action })
    return show(question(action, plan), confirm({ action, filter, plan, back, path: `${basePath}/imports/actions` }))
  })

  app.post('/imports/actions', ...guards, async (request, response) => {
    const filter: ImportFilter = parse(importFilterSchema, readJson(fieldOf(request, 'filter')), 'filter')
    requireStorable(filter)
    await requireProvider(deps.db, filter.provider, 'provider')
    const many: ManyInput = { filter, action: actionOf(request) }
    const id = await beginAction({ ...deps, by: principalOf(response) }, many)
    deps.wake(everyKind)
    response.redirect(303, `${basePath}/actions/${id}`)
  })

  app.post('/actions/:id/go-on', ...guards, async (request, response) => {
    const id = String(request.params.id)
    if (!isId(id)) throw notFound('action')
    await goOn({ ...deps, by: principalOf(response) }, id)
    deps.wake(everyKind)
    response.redirect(303, `${basePath}/actions/${id}`)
  })
}

function actionOf(request: Request): ImportAction {
  const given = fieldOf(request, 'action')
  const action = actions.find((one) => one === given)
  if (!action) throw new AppError('invalid_request', `action must be one of ${actions.join(', ')}.`)
  return action
}

/** Null: nothing is selected. */
function selected(request: Request): ImportFilter | null {
  const all = fieldOf(request, 'all')
  if (all !== '') return filterOfQuery(new URLSearchParams(all))
  const ids = fieldsOf(request, 'ids')
  return ids.length === 0 ? null : parse(importFilterSchema, { ids }, 'form')
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function nothing(back: string): Html {
  return html`<h1>Nothing is selected</h1>
<section class="card"><p>Tick the imports that it is to be done to.</p><p><a class="button" href="${back}">Back to the list</a></p></section>`
}

const consequences: Record<ImportAction, string> = {
  poll: 'Their providers are asked at once, as far as the limits of each connection allow.',
  stop: 'They aren’t polled any more. The providers aren’t told, and their jobs go on.',
  resume: 'They are tracked again, each with a deadline as long as its first one.',
}
const reasons: Record<ImportAction, string> = {
  poll: 'They are over',
  stop: 'They are over',
  resume: 'Only lost and stopped ones can be resumed',
}

function question(action: ImportAction, { fit }: Plan): string {
  return fit === 0 ? `None to ${action}` : `${buttonText(action, fit)}?`
}

function buttonText(action: ImportAction, fit: number): string {
  const many = fit === mostCounted ? `${number(fit)} or more imports` : counted(fit, 'import')
  return action === 'poll' ? `Poll ${many} now` : `${actionTitles[action]} ${many}`
}

interface Asked {
  action: ImportAction
  filter: ImportFilter
  plan: Plan
  /** Where the list is. */
  back: string
  path: string
}

function confirm({ action, filter, plan, back, path }: Asked): Html {
  const skipped = [...plan.unfit.values()].reduce((sum, count) => sum + count, 0)
  const states = [...plan.unfit].map(([state, count]) => html`${number(count)} ${state}`)
  const why = html`<p><b>${counted(skipped, 'import')} skipped.</b> ${reasons[action]}: ${joined(states, ', ')}.</p>`
  const title = html`<h1>${question(action, plan)}</h1>`
  if (plan.fit === 0)
    return html`${title}<section class="card">${skipped === 0 ? html`<p>No import matches any more.</p>` : why}<p><a class="button" href="${back}">Back to the list</a></p></section>`
  return html`${title}<section class="card"><p>${consequences[action]}</p>${skipped === 0 ? null : why}${
    plan.fit > maxTaken
      ? html`<p><small>It is done a thousand at a time. It may be left, and goes on when its page is opened again.</small></p>`
      : null
  }
<form method="post" action="${path}"><input type="hidden" name="action" value="${action}"><input type="hidden" name="filter" value="${exact(JSON.stringify(filter))}">
<div class="actions"><button class="primary">${buttonText(action, plan.fit)}</button><a class="button" href="${back}">Back to the list</a></div></form></section>`
}
