// Owns reading lists of rows by a document: those that come with the status, and pages of their own.
import { keptJson, refusal } from '../body.ts'
import { type DetailPage, firstPage, type RowResult, type SkippedLine } from '../contract.ts'
import { isObject, readCount, readFlag, readPosition } from '../fields.ts'
import { compileCondition, compileValue, type Evaluate, type Scope, textOf } from './evaluate.ts'
import type { DetailsForm, PageForm, RowsForm } from './forms/details.ts'
import { compilePointer, pointerParts } from './pointer.ts'

/** The rows of a list. Null: the answer has no such list. */
export type ReadRows = (scope: Scope) => Omit<DetailPage, 'next'> | null

export function compileRows(form: Exclude<DetailsForm, { kind: 'file' }>): ReadRows {
  const list = compilePointer(form.rows)
  const announced = optional(form.announced)
  const read = compileItems(form)
  return (scope) => {
    const items = list(scope.body)
    if (items === undefined || items === null) return null
    if (!Array.isArray(items) || !items.every((item) => item === null || isObject(item)))
      throw refusal('must be a list of objects', pointerParts(form.rows))
    const known = readCount(announced(scope)) ?? null
    return { ...read(items, scope), ...(known !== null && { announced: known }) }
  }
}

/** Reads rows that are at hand. The scope is that of the answer. */
export function compileItems(
  form: RowsForm,
): (items: readonly unknown[], scope: Scope) => Pick<DetailPage, 'skippedLines' | 'rowResults'> {
  const isLines = form.of === 'skippedLines'
  const [line, result] = [compileLine(form.row), compileResult(form)]
  return (items, scope) => {
    const row: Scope = { ...scope, body: null }
    const read = <Row>(make: (row: Scope) => Row): Row[] =>
      items.map((item) => {
        row.body = item
        return make(row)
      })
    return { skippedLines: isLines ? read(line) : [], rowResults: isLines ? [] : read(result) }
  }
}

function compileLine(row: RowsForm['row']): (scope: Scope) => SkippedLine {
  const [line, column] = [optional(row.line), optional(row.column)]
  return (scope) => ({ line: placeOf(line(scope)), column: placeOf(column(scope)) })
}

function compileResult({ row, failedWhen }: RowsForm): (scope: Scope) => RowResult {
  const failed = failedWhen && compileCondition(failedWhen)
  const recordId = optional(row.recordId)
  const [created, existing] = [optional(row.created), optional(row.existing)]
  const [line, column] = [optional(row.line), optional(row.column)]
  const [code, message] = [optional(row.code), optional(row.message)]
  const item = row.item === undefined ? null : compileValue(row.item)
  const isPlaced = row.line !== undefined || row.column !== undefined
  return (scope) => {
    const kept = item === null ? null : keptJson(item(scope) ?? null)
    return {
      recordId: textOf(recordId(scope)),
      created: readFlag(created(scope)),
      existing: readFlag(existing(scope)),
      error: (failed?.(scope) ?? true) ? { code: textOf(code(scope)), message: textOf(message(scope)) } : null,
      ...(isPlaced && { line: placeOf(line(scope)), column: placeOf(column(scope)) }),
      ...(kept !== null && { item: kept }),
    }
  }
}

/** Lines and columns count from 1. What is 0 is none in particular, as some vendors say it of a whole file. */
function placeOf(value: unknown): number | null {
  const position = readPosition(value)
  return position !== null && position > 0 ? position : null
}

export function optional(value: Parameters<typeof compileValue>[0] | undefined): Evaluate {
  return value === undefined ? () => null : compileValue(value)
}

export interface Pager {
  /** The parameters that ask for the page at a cursor. */
  query(cursor: string): Record<string, string>
  next(scope: Scope, cursor: string, rows: number): string | null
}

export function compilePager(form: PageForm): Pager {
  switch (form.kind) {
    case 'cursor': {
      const next = compileValue(form.next)
      return { query: named(form.param), next: (scope) => textOf(next(scope)) }
    }
    case 'link': {
      const next = compileValue({ param: [form.next, form.param] })
      return { query: named(form.param), next: (scope) => textOf(next(scope)) }
    }
    case 'page': {
      const total = form.total === undefined ? null : compileValue(form.total)
      const { param, start } = form
      return {
        query: (cursor) => ({ [param]: cursor === firstPage ? String(start) : cursor }),
        next(scope, cursor, rows) {
          const page = cursor === firstPage ? start : Number(cursor)
          const pages = total === null ? null : (readCount(total(scope)) ?? null)
          const isLast = pages === null ? rows === 0 : page + 1 - start >= pages
          return isLast ? null : String(page + 1)
        },
      }
    }
    case 'offset': {
      const { param, size } = form
      return {
        query: (cursor) => ({ [param]: cursor === firstPage ? '0' : cursor }),
        next: (_scope, cursor, rows) => (rows < (size ?? 1) ? null : String(Number(cursor) + rows)),
      }
    }
    case 'none':
      return { query: () => ({}), next: () => null }
  }
}

function named(param: string): (cursor: string) => Record<string, string> {
  return (cursor) => (cursor === firstPage ? {} : { [param]: cursor })
}
