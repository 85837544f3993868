// Owns what a page says once of what was just done. It is read from the table of actions, so that no link can make a
// page say what didn't happen.
import type { Request, Response } from 'express'
import type { ApiAction } from '../../actions/present.ts'
import { findActionOnce } from '../../actions/read.ts'
import type { ActionVerb } from '../../actions/verbs.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { principalOf } from './guard.ts'
import { type Html, html } from './html.ts'
import type { Done } from './posted.ts'

/** Later it is no news, and a secret isn't shown any more. */
const newsForMs = 600_000

/** Returns the path of a page that tells of what was done. */
export function toldOn(path: string, { once, action }: Done): string {
  return action === null ? path : `${path}?did=${once}`
}

/** Returns what this person has just done, as the address says. Null: nothing, or it wasn't what `isAbout` says. */
export async function justDone(
  { db, clock }: { db: Database; clock: Clock },
  request: Request,
  response: Response,
  isAbout: (action: ApiAction) => boolean,
): Promise<ApiAction | null> {
  const { did } = request.query
  if (typeof did !== 'string' || !isId(did)) return null
  const action = await findActionOnce({ db }, did)
  if (action === null || !isAbout(action)) return null
  const { tokenId, name } = principalOf(response)
  const isTheirs = action.by.tokenId === tokenId && action.by.name === name
  return isTheirs && clock.now().getTime() - Date.parse(action.at) < newsForMs ? action : null
}

const texts: Partial<Record<ActionVerb, string>> = {
  'import.poll': 'The next poll is due now.',
  'import.stop': 'Polling has been stopped. The provider isn’t told, and its job goes on.',
  'import.resume': 'The import is tracked again.',
  'import.delete': 'The import is deleted, with everything that was stored of it.',
  'connection.put': 'The connection is made. Try its credentials, then register an import.',
  'connection.change': 'The changes are saved.',
  'connection.resume': 'It is asked again.',
  'connection.delete': 'The connection is deleted. Its imports and their history stay.',
  'endpoint.enable': 'It is tried again at once.',
  'endpoint.disable': 'Nothing is sent to it any more.',
  'endpoint.change': 'The changes are saved.',
  'endpoint.delete': 'The endpoint is deleted. The log of its deliveries stays.',
  'delivery.redeliver': 'It is sent once more.',
}

/** Null: there is nothing to say, or the page says it otherwise. */
export function notice(action: ApiAction | null): Html | null {
  const text = action === null ? undefined : texts[action.verb]
  return text === undefined ? null : goodNotice(text)
}

export function goodNotice(text: string): Html {
  return html`<p class="notice good" role="status">${text}</p>`
}
