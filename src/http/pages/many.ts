// Owns doing something to many imports: the page that asks once more, with the count, and letting it begin and go on.
import type { IRouter, Request } from 'express'
import { AppError, invalid, notFound } from '../../api/refusal.ts'
import { parse, requireStorable } from '../../api/validation.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import { parseJson } from '../../base/json.ts'
import { requireProvider } from '../../catalog/documents.ts'
import type { Database } from '../../db/client.ts'
import { actions, type ImportAction, maxTaken } from '../../imports/act.ts'
import { beginAction, goOn, type ManyInput, mostCounted, type Plan, planAction } from '../../imports/act-in-steps.ts'
import type { ImportFilter } from '../../imports/filter.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { importFilterSchema } from '../import-query.ts'
import { noStore } from '../security-headers.ts'
import { filterText } from './filter-text.ts'
import { type Form, fieldOf, fieldsOf, formOf, itemsOf } from './form.ts'
import { counted, joined, number } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { exact, type Html, html } from './html.ts'
import { page } from './layout.ts'
import { answerForm, forForms, keyField } from './posted.ts'
import { linkWith } from './query.ts'
import { actionTitles, filterOfQuery } from './select-imports.ts'

export interface ManyDeps extends PageGuardDeps {
  db: Database
  clock: Clock
  wake: Wake
}

export function mountMany(app: IRouter, deps: ManyDeps): void {
  const { basePath } = deps
  const path = `${basePath}/imports/actions`

  // Boxes may be ticked in any number, so they are posted. The question itself can be asked for again.
  app.post('/imports/actions/confirm', ...forForms(deps, 'write'), (request, response) => {
    const ids = fieldsOf(request, 'ids')
    if (ids.length > mostTicked) throw invalid('ids', `must be at most ${mostTicked}; take all that match instead`)
    const given = { action: fieldOf(request, 'action'), all: fieldOf(request, 'all'), back: fieldOf(request, 'back') }
    const query = Object.entries({ ...given, ids: ids.join(',') }).filter(([, text]) => text !== '')
    response.redirect(303, linkWith(`${path}/confirm`, Object.fromEntries(query)))
  })

  app.get('/imports/actions/confirm', noStore, requireSignIn(deps, 'write'), async (request, response) => {
    const asked = formOf(textsOf(request.query))
    const action = actionOf(asked.value('action'))
    const back = linkWith(`${basePath}/imports`, new URLSearchParams(asked.value('back')))
    const filter = selected(asked)
    const viewer = principalOf(response)
    const show = (title: string, body: Html) => {
      response.type('html').send(page({ title, body, basePath, viewer, section: '/imports' }))
    }
    if (filter === null) return show('Nothing is selected', nothing(back))
    requireStorable(filter)
    await requireProvider(deps.db, filter.provider, 'provider')
    const plan = await planAction(deps, { filter, action })
    return show(question(action, plan), confirm({ action, filter, plan, back, path }))
  })

  app.post('/imports/actions', ...forForms(deps, 'write'), async (request, response) => {
    const filter: ImportFilter = parse(importFilterSchema, readJson(fieldOf(request, 'filter')), 'filter')
    requireStorable(filter)
    await requireProvider(deps.db, filter.provider, 'provider')
    const many: ManyInput = { filter, action: actionOf(fieldOf(request, 'action')) }
    await answerForm(deps, request, response, {
      act: (by) => beginAction({ ...deps, by }, many),
      next: ({ action }) => `/actions/${action?.id}`,
      wakes: everyKind,
    })
  })

  app.post('/actions/:id/go-on', ...forForms(deps, 'write'), (request, response) => {
    const id = String(request.params.id)
    if (!isId(id)) throw notFound('action')
    return answerForm(deps, request, response, {
      act: (by) => goOn({ ...deps, by }, id),
      next: () => `/actions/${id}`,
      wakes: everyKind,
    })
  })
}

/** An address of so many ids is still one that proxies take. */
const mostTicked = 150

function textsOf(query: Request['query']): Record<string, string> {
  const texts = Object.entries(query).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  return Object.fromEntries(texts)
}

function actionOf(given: string): ImportAction {
  const action = actions.find((one) => one === given)
  if (!action) throw new AppError('invalid_request', `action must be one of ${actions.join(', ')}.`)
  return action
}

/** Null: nothing is selected. */
function selected(asked: Form): ImportFilter | null {
  const all = asked.value('all')
  if (all !== '') return filterOfQuery(new URLSearchParams(all))
  const ids = itemsOf(asked.value('ids'))
  return ids.length === 0 ? null : parse(importFilterSchema, { ids }, 'form')
}

function readJson(text: string): unknown {
  try {
    return parseJson(text)
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
  return html`${title}<section class="card">${filter.ids === undefined ? html`<dl class="facts"><dt>Of</dt><dd>${filterText({ ...filter })}</dd></dl>` : null}<p>${consequences[action]}</p>${skipped === 0 ? null : why}${
    plan.fit > maxTaken
      ? html`<p><small>It is done a thousand at a time. It may be left, and goes on when its page is opened again.</small></p>`
      : null
  }
<form method="post" action="${path}">${keyField()}<input type="hidden" name="action" value="${action}"><input type="hidden" name="filter" value="${exact(JSON.stringify(filter))}">
<div class="actions"><button class="primary">${buttonText(action, plan.fit)}</button><a class="button" href="${back}">Back to the list</a></div></form></section>`
}
