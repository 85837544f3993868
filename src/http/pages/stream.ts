// Owns the stream that tells open pages when to renew themselves. It says no more than that something has changed, so
// one stream serves every page of a browser.
import type { IRouter } from 'express'
import type { CommitWatch } from '../../db/commits.ts'
import { eventStream, openEventStream } from '../event-stream.ts'
import { noStore } from '../security-headers.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'

/** Pages show times and counts that no commit changes, so they are renewed now and then without one. */
const quietMs = 15_000
/** After a change it is sooner, because counts are remembered for five seconds. */
const settledMs = 6_000
/** Then the browser connects again, and has to be signed in still. */
const longestMs = 600_000

interface Deps extends PageGuardDeps {
  commits: CommitWatch
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

export function mountPageStream(app: IRouter, deps: Deps): void {
  app.get('/pages/stream', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    if (request.method === 'HEAD') return void response.setHeader('content-type', eventStream).end()
    using place = deps.limits.takePlace('stream', principalOf(response))
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const over = AbortSignal.any([deps.stopping, gone.signal, place.revoked, AbortSignal.timeout(longestMs)])
    using events = openEventStream(response)
    let mark: string | null = null
    let waitMs = quietMs
    while (!over.aborted) {
      const found: string | null = await deps.commits.after(mark, AbortSignal.any([over, AbortSignal.timeout(waitMs)]))
      if (over.aborted) return
      waitMs = found === mark ? quietMs : settledMs
      mark = found
      await events.send({ name: 'changed', id: mark ?? '', data: '{}' })
    }
  })
}
