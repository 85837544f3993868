// Owns files of rows by a document: which ones a job has, where they are, and what their records mean.
import { isRawNumber } from '../../base/json.ts'
import { isTerminal } from '../../model/reported-state.ts'
import { refusal } from '../body.ts'
import type { FileSource } from '../contract.ts'
import { readCount } from '../fields.ts'
import type { FileForm } from '../files/read-file.ts'
import type { Credentials, Settings } from './account.ts'
import type { ProviderDocument } from './document.ts'
import { compileCondition, compileValue, type Holds, isThere, type Scope, textOf } from './evaluate.ts'
import type { FileDetailsForm } from './forms/details.ts'
import { compileOutcome } from './report.ts'
import { compileRequest } from './requests.ts'
import { compileItems, optional } from './rows.ts'
import type { TemplateInput } from './template.ts'

export interface CompiledFiles {
  /** Returns true if only the rows of these files tell how the job ended. */
  tellOutcome(scope: Scope): boolean
  outcome: ReturnType<typeof compileOutcome> | null
  /** Returns true if the status names a file. */
  apply(scope: Scope): boolean
  of(scope: Scope): FileSource<Credentials, Settings>[]
}

type InputOf = (job: Parameters<FileSource<Credentials, Settings>['request']>[0]) => TemplateInput

export function compileFiles(document: ProviderDocument, inputOf: InputOf): CompiledFiles | null {
  const files = document.details.flatMap((form) => (form.kind === 'file' ? [compileFile(document, form, inputOf)] : []))
  if (files.length === 0) return null
  const told = document.details.flatMap((form) => (form.kind === 'file' && form.outcome ? [form.outcome] : []))
  return {
    tellOutcome: (scope) =>
      (scope.state === 'succeeded' || scope.state === 'partial') &&
      files.some(({ applies, tellsOutcome }) => tellsOutcome && applies(scope)),
    outcome: told[0] ? compileOutcome(told[0]) : null,
    apply: (scope) => isTerminal(scope.state) && files.some(({ applies }) => applies(scope)),
    of: (scope) =>
      isTerminal(scope.state) ? files.filter(({ applies }) => applies(scope)).map(({ source }) => source(scope)) : [],
  }
}

function compileFile(document: ProviderDocument, form: FileDetailsForm, inputOf: InputOf) {
  const holds: Holds = form.when ? compileCondition(form.when) : () => true
  const url = optional(form.url)
  const request = compileRequest(document, form.request ?? { method: 'GET', path: '/' })
  const announced = optional(form.announced)
  const format = compileFormat(form.format)
  const read = compileItems(form)
  const { hosts, unpack, limits } = form
  return {
    tellsOutcome: form.outcome !== undefined,
    applies: (scope: Scope) => holds(scope) && (form.url === undefined || isThere(url(scope))),
    source: (scope: Scope): FileSource<Credentials, Settings> => ({
      url: form.url === undefined ? null : urlIn(url(scope)),
      hosts,
      request: (job) => request(inputOf(job)),
      format: format(scope),
      unpack,
      limits,
      announced: readCount(announced(scope)) ?? null,
      read(records) {
        if (!records.every((record) => typeof record === 'object' && record !== null && !isRawNumber(record)))
          throw refusal('must be objects')
        return read(records, scope)
      },
    }),
  }
}

/** @throws {z.ZodError} if it is no text: without a URL the base URL itself would be asked. */
function urlIn(found: unknown): string {
  const text = textOf(found)
  if (text === null) throw refusal('must be a URL')
  return text
}

function compileFormat(format: FileDetailsForm['format']): (scope: Scope) => FileForm['format'] {
  if (typeof format === 'string') return () => ({ kind: format })
  const { delimiter, header, needs } = format
  if (typeof delimiter === 'string' || Array.isArray(delimiter)) {
    const csv = { kind: 'csv', delimiters: [delimiter].flat(), header, needs } as const
    return () => csv
  }
  const from = compileValue(delimiter.from)
  const words = new Map(Object.entries(delimiter.map).map(([word, found]) => [word.trim().toLowerCase(), found]))
  return (scope) => {
    const word = textOf(from(scope))?.trim().toLowerCase()
    return { kind: 'csv', delimiters: [words.get(word ?? '') ?? ','], header, needs }
  }
}
