// Owns what trouble with a list of rows leads to: asking again, beginning the list anew, or giving it up. Pure. What
// takes too long is given up by give-up.ts, whoever asks or doesn't.
import type { ProviderErrorKind } from '../providers/error.ts'

/** Fewer rows came than the provider announced. */
export type ListTroubleKind = ProviderErrorKind | 'rows_missing'

/** How a collection has gone so far (see db/schema/imports.ts). */
export interface Trouble {
  collectFailures: number
  collectNotFounds: number
  collectFaults: number
  collectBegunAnew: boolean
}

/** In a row. A 404 is believed then, and a fault won't go away by asking for the same page. */
export const confirming = 3

/** What asking for the same page again may not mend: the provider answers, but not with what follows in the list. */
const faults: ReadonlySet<ListTroubleKind> = new Set<ListTroubleKind>([
  'invalid_response',
  'bad_request',
  'forbidden',
  'redirect',
  'headers_too_large',
  'response_too_large',
  'rows_missing',
])

export interface Verdict {
  kind: 'again' | 'anew' | 'give_up'
  trouble: Trouble
}

/** @param before how it has gone before this. */
export function judge(before: Trouble, kind: ListTroubleKind): Verdict {
  const isFault = faults.has(kind)
  const trouble = {
    collectFailures: before.collectFailures + 1,
    collectNotFounds: kind === 'not_found' ? before.collectNotFounds + 1 : 0,
    collectFaults: before.collectFaults + (isFault ? 1 : 0),
    collectBegunAnew: before.collectBegunAnew,
  }
  if (trouble.collectNotFounds >= confirming) return { kind: 'give_up', trouble }
  if (trouble.collectFaults < confirming || trouble.collectBegunAnew) return { kind: 'again', trouble }
  return { kind: 'anew', trouble: { ...trouble, collectFaults: 0, collectBegunAnew: true } }
}
