// Owns turning a document into a provider like those of files, so that nothing that uses it knows which it is. All of it
// is prepared here, once for each revision, and not for each poll.
import { defined } from '../../base/defined.ts'
import { isTerminal } from '../../model/reported-state.ts'
import { refusal } from '../body.ts'
import {
  type AnswerHead,
  type DetailPage,
  firstPage,
  type Job,
  type PageList,
  type Provider,
  type Report,
  type StatusAnswer,
} from '../contract.ts'
import { politeDefaults } from '../polite-defaults.ts'
import { type Credentials, credentialsSchemaOf, defaultSettingsOf, type Settings, settingsSchemaOf } from './account.ts'
import { authsOf, type ProviderDocument } from './document.ts'
import { compileErrors } from './errors.ts'
import { compileCondition, compileValue, type Holds, type Scope, textOf } from './evaluate.ts'
import { compileFiles } from './files.ts'
import type { DetailsForm } from './forms/details.ts'
import { compileTokenRequest } from './grant.ts'
import { inOrder } from './lists.ts'
import { compileStatus, compileSummary } from './report.ts'
import { compileRequest } from './requests.ts'
import { compilePager, compileRows } from './rows.ts'
import type { TemplateInput } from './template.ts'

export type DocumentProvider = Provider<Credentials, Settings>

export function createDocumentProvider(document: ProviderDocument): DocumentProvider {
  const defaults = defaultSettingsOf(document)
  const settingsOf = (given: unknown): Settings => ({ ...defaults, ...(given as Settings | undefined) })
  const inputOf = (job: Job<Credentials, Settings>, cursor = firstPage): TemplateInput => ({
    jobId: job.jobId,
    credentials: job.credentials,
    settings: settingsOf(job.settings),
    baseUrl: job.baseUrl ?? document.baseUrl ?? '',
    cursor,
    token: job.token,
  })
  const scopeOf = (body: unknown, head: AnswerHead | undefined): Omit<Scope, 'state'> => ({
    body,
    status: head?.status ?? 200,
    headers: head?.headers ?? {},
    settings: settingsOf(head?.settings),
  })

  const statusRequest = compileRequest(document, document.status.request)
  const tokenRequest = compileTokenRequest(document)
  const readReport = compileStatus(document.status, document.details)
  const pollUrl = document.status.pollUrl && compilePollUrl([document.status.pollUrl].flat())
  const inline = document.details.flatMap((form) =>
    form.kind === 'inline' ? [{ read: compileRows(form), applies: applicable(form) }] : [],
  )
  const lists = document.details.flatMap((form) =>
    form.kind === 'pages' ? [{ applies: applicable(form), list: compiledPages(document, form, inputOf, scopeOf) }] : [],
  )
  // The report's body stands in for the status answer, whose lists it lacks.
  const scopeOfReport = ({ body, state }: Pick<Report, 'body' | 'state'>, settings: unknown): Scope => ({
    ...scopeOf(body, { status: 200, headers: {}, settings }),
    state,
  })
  const pages = inOrder(lists, scopeOfReport)
  const pagesApply: Holds = (scope) => lists.some(({ applies }) => applies(scope))
  const files = compileFiles(document, inputOf)
  const { summary } = document
  const summaryApplies = summary && applicable(summary)
  const { classify, readError } = compileErrors(document)

  return {
    name: document.name,
    title: document.title,
    defaultBaseUrl: document.baseUrl,
    credentialsSchema: credentialsSchemaOf(document),
    settingsSchema: settingsSchemaOf(document),
    defaultLimits: { ...politeDefaults, ...defined(document.limits) },
    durationPrior: null,
    forgetsJobs: document.forgetsJobs,
    volatileFields: document.volatileFields,
    jobId: document.job,
    readsEmptyBodies: true,

    ...(authsOf(document).some(({ kind }) => kind === 'oauth2') && {
      tokenRequest: (job, refreshToken) => tokenRequest(inputOf(job), refreshToken),
    }),

    statusRequest: (job) => statusRequest(inputOf(job)),

    readStatus(body, head): StatusAnswer {
      const answer = scopeOf(body, head)
      const { report, missing } = readReport(answer)
      const scope = { ...answer, state: report.state }
      if (!isTerminal(report.state))
        return { report, missing, details: null, ...(pollUrl && { pollUrl: pollUrl(scope) }) }
      const found = inline.find(({ applies }) => applies(scope))?.read(scope)
      const next = pagesApply(scope) || files?.apply(scope) ? firstPage : null
      const awaits = summaryApplies?.(scope) ? 'its summary is missing.' : null
      const hasRows =
        found && (found.rowResults.length > 0 || found.skippedLines.length > 0 || (found.announced ?? 0) > 0)
      return {
        report,
        missing: missing ?? awaits,
        ...(files?.tellOutcome(scope) && { awaitsRows: true }),
        details: hasRows ? { ...found, next } : next === null ? null : { skippedLines: [], rowResults: [], next },
      }
    },

    ...(summary &&
      summaryApplies && {
        summary: compiledSummary(document, summary, {
          applies: summaryApplies,
          pagesApply,
          inputOf,
          scopeOf,
          scopeOfReport,
        }),
      }),
    ...(pages && { details: pages }),
    ...(files?.outcome && { outcomeOfRows: files.outcome }),
    ...(files && {
      files: {
        of(body, head) {
          const answer = scopeOf(body, head)
          return files.of({ ...answer, state: readReport(answer).report.state })
        },
      },
    }),
    classify: (head, body, now) => classify({ ...scopeOf(body, head), state: 'unmapped' }, now),
    readError: (body) => readError({ ...scopeOf(body, undefined), state: 'unmapped' }),
  }
}

function applicable({ when }: { when?: Parameters<typeof compileCondition>[0] | undefined }): Holds {
  return when ? compileCondition(when) : () => true
}

type PollUrlForm = Extract<NonNullable<ProviderDocument['status']['pollUrl']>, readonly unknown[]>[number]

function compilePollUrl(forms: readonly PollUrlForm[]): (scope: Scope) => string | null {
  const found = forms.map((form) => ({ applies: applicable(form), url: compileValue(form.url) }))
  return (scope) => {
    for (const { applies, url } of found) {
      const text = applies(scope) ? textOf(url(scope)) : null
      if (text !== null && text !== '') return text
    }
    return null
  }
}

type InputOf = (job: Job<Credentials, Settings>, cursor?: string) => TemplateInput
type ScopeOf = (body: unknown, head: AnswerHead | undefined) => Omit<Scope, 'state'>

function compiledSummary(
  document: ProviderDocument,
  form: NonNullable<ProviderDocument['summary']>,
  {
    applies,
    pagesApply,
    inputOf,
    scopeOf,
    scopeOfReport,
  }: {
    applies: Holds
    pagesApply: Holds
    inputOf: InputOf
    scopeOf: ScopeOf
    scopeOfReport: (report: Report, settings: unknown) => Scope
  },
): NonNullable<DocumentProvider['summary']> {
  const request = compileRequest(document, form.request)
  const read = compileSummary(form)
  return {
    applies: (report, settings) => applies(scopeOfReport(report, settings)),
    request: (job) => request(inputOf(job)),
    read(body, report, head) {
      const refined = read(scopeOf(body, head), report)
      const hasPages = pagesApply(scopeOfReport(refined.report, head?.settings))
      return hasPages ? { ...refined, details: { skippedLines: [], rowResults: [], next: firstPage } } : refined
    },
  }
}

function compiledPages(
  document: ProviderDocument,
  form: Extract<DetailsForm, { kind: 'pages' }>,
  inputOf: InputOf,
  scopeOf: ScopeOf,
): PageList<Credentials, Settings> {
  const request = compileRequest(document, form.request)
  const readRows = compileRows(form)
  const pager = compilePager(form.page)
  const isEmpty: Holds = form.emptyWhen ? compileCondition(form.emptyWhen) : () => false
  return {
    request(job, cursor) {
      const made = request(inputOf(job, cursor))
      return { ...made, query: { ...made.query, ...pager.query(cursor) } }
    },
    read(body, cursor, head): DetailPage {
      const scope: Scope = { ...scopeOf(body, head), state: 'unmapped' }
      if (isEmpty(scope)) return { skippedLines: [], rowResults: [], next: null }
      const page = readRows(scope)
      // A page without its list would pass for the last one.
      if (page === null) throw refusal('must be a list of objects', form.rows.split('/').slice(1))
      const rows = page.rowResults.length + page.skippedLines.length
      return { ...page, next: pager.next(scope, cursor, rows) }
    },
  }
}
