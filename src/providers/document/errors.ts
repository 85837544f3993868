// Owns what a document says of errors: which answers are errors of which kind, also within a 2xx, and how long to wait.
import { maxRetryAfterMs, readDate } from '../../egress/retry-after.ts'
import type { Classified, Provider } from '../contract.ts'
import type { ProviderErrorKind } from '../error.ts'
import { readNumber } from '../fields.ts'
import type { ProviderDocument, WaitForm } from './document.ts'
import { compileCondition, compileValue, type Evaluate, type Scope, textOf } from './evaluate.ts'

export function compileErrors(document: ProviderDocument): {
  classify(scope: Scope, now: Date): Classified
  readError(scope: Scope): ReturnType<Provider['readError']>
} {
  const rules = document.errors.map(({ when, kind }) => ({ holds: compileCondition(when), kind }))
  const waits = document.retryAfter.map(compileWait)
  const optional = (value: ProviderDocument['errorCode']): Evaluate =>
    value === undefined ? () => null : compileValue(value)
  const [code, message] = [optional(document.errorCode), optional(document.errorMessage)]
  return {
    classify(scope, now) {
      const rule = rules.find(({ holds }) => holds(scope))
      if (!rule && scope.status < 300) return noError
      const times = waits.flatMap((wait) => wait(scope, now) ?? [])
      return {
        kind: rule ? kindOf(rule.kind) : null,
        retryAfterMs: times.length === 0 ? null : Math.min(maxRetryAfterMs, Math.max(0, ...times)),
      }
    },
    readError(scope) {
      const said = { code: textOf(code(scope)), message: textOf(message(scope)) }
      return said.code === null && said.message === null ? null : said
    },
  }
}

const noError: Classified = { kind: null, retryAfterMs: null }

/** A token that has to be refreshed is a credential that doesn't work as long as nobody can refresh it. */
function kindOf(kind: ProviderDocument['errors'][number]['kind']): ProviderErrorKind {
  return kind === 'refresh' ? 'unauthorized' : kind
}

function compileWait({ header, value, form }: WaitForm): (scope: Scope, now: Date) => number | null {
  const evaluate = compileValue(header === undefined ? (value ?? '') : { header })
  return (scope, now) => {
    const found = evaluate(scope)
    const at = (readDate(scope.headers) ?? now).getTime()
    if (form === 'date') {
      const until = Date.parse(textOf(found) ?? '')
      return Number.isNaN(until) ? null : until - at
    }
    const number = readNumber(found)
    if (number === null) return null
    return Math.ceil(form === 'epochS' ? number * 1_000 - at : number * 1_000)
  }
}
