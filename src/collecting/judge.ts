// Owns the reaction to trouble with a list of rows: ask again, begin the list again, or give it up. Pure. give-up.ts
// gives up lists that take too long.
import type { ProviderErrorKind } from '../providers/error.ts'

/**
 * - `rows_missing`: fewer rows came than the provider announced.
 * - `file_slow`: hardly anything of the file came.
 * - `file_changed`: it is another file than the one whose beginning is stored.
 */
export type ListTroubleKind = ProviderErrorKind | 'rows_missing' | 'file_slow' | 'file_changed'

/** How the collection has gone so far (see db/schema/imports.ts). */
export interface Trouble {
  collectFailures: number
  collectNotFounds: number
  collectFaults: number
  collectBegunAnew: boolean
}

/** How many times in a row make a 404 believable, and show that asking for the same page again won't help. */
export const confirming = 3

/** Trouble that asking again may not mend: the provider answers, but not with the next part of the list. */
const faults: ReadonlySet<ListTroubleKind> = new Set<ListTroubleKind>([
  'invalid_response',
  'bad_request',
  'forbidden',
  'redirect',
  'headers_too_large',
  'response_too_large',
  'rows_missing',
  'file_slow',
  'file_changed',
])

export interface Verdict {
  kind: 'again' | 'anew' | 'give_up'
  trouble: Trouble
}

/**
 * @param before how the collection had gone so far.
 * @param isFirst true: the list's first page is asked for, so that beginning again asks for the same.
 */
export function judge(before: Trouble, kind: ListTroubleKind, isFirst: boolean): Verdict {
  const isFault = faults.has(kind)
  const trouble = {
    collectFailures: before.collectFailures + 1,
    collectNotFounds: kind === 'not_found' ? before.collectNotFounds + 1 : 0,
    collectFaults: before.collectFaults + (isFault ? 1 : 0),
    collectBegunAnew: before.collectBegunAnew,
  }
  if (trouble.collectNotFounds >= confirming) {
    // A page that is gone may be an expired cursor. Only without its first page the list is gone, too.
    if (isFirst || trouble.collectBegunAnew) return { kind: 'give_up', trouble }
    return { kind: 'anew', trouble: { ...trouble, collectNotFounds: 0, collectFaults: 0, collectBegunAnew: true } }
  }
  // The stored beginning can't be continued, however often it is asked.
  const mayHelp = kind !== 'file_changed' && trouble.collectFaults < confirming
  if (mayHelp || trouble.collectBegunAnew) return { kind: 'again', trouble }
  return { kind: 'anew', trouble: { ...trouble, collectFaults: 0, collectBegunAnew: true } }
}
