// Owns the page of one import: what is known of it, and what may be done.
import type { IRouter } from 'express'
import { listActionsBetween } from '../../actions/read.ts'
import { notFound } from '../../api/refusal.ts'
import type { Encryption } from '../../base/encryption.ts'
import { isId } from '../../base/ids.ts'
import { findPause } from '../../connections/read.ts'
import { firstSeenAt, listSnapshotsBackwards } from '../../imports/history.ts'
import { findResumedAt, getImport } from '../../imports/read.ts'
import { isOver } from '../../model/import-state.ts'
import { noStore } from '../security-headers.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { exact, html } from './html.ts'
import { type DownloadDeps, mountImportDownloads } from './import-downloads.ts'
import { importEvents, readImportEvents } from './import-events.ts'
import { importFacts } from './import-facts.ts'
import { registeredNotice } from './import-new.ts'
import { importRows, readImportRows } from './import-rows.ts'
import { importSteering, mountImportSteering, type SteeringDeps } from './import-steering.ts'
import { importTimeline, shownReports, timelineFrom } from './import-timeline.ts'
import { page } from './layout.ts'
import { justDone, notice } from './notice.ts'

const refreshSeconds = 2
/** How many actions a page of the timeline tells of, the newest ones. */
const shownActions = 200

interface Deps extends SteeringDeps, DownloadDeps {
  encryption: Encryption
}

export function mountImport(app: IRouter, deps: Deps): void {
  const { basePath, clock } = deps

  app.get('/imports/:id', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const id = String(request.params.id)
    if (!isId(id)) throw notFound('import')
    const before = typeof request.query.before === 'string' && isId(request.query.before) ? request.query.before : null
    const one = await getImport(deps, id)
    const [pause, resumedAt, reports, rows, events] = await Promise.all([
      isOver(one.state) ? null : findPause(deps, one.connection),
      findResumedAt(deps, id),
      listSnapshotsBackwards(deps, id, { limit: shownReports + 1, beforeId: before }),
      readImportRows(deps, one),
      readImportEvents(deps, id),
    ])
    const actions = await listActionsBetween(deps, id, {
      from: timelineFrom(reports),
      until: before === null ? null : await firstSeenAt(deps, id, before),
      limit: shownActions,
    })
    const now = clock.now()
    const viewer = principalOf(response)
    const done = await justDone(deps, request, response, ({ subject }) => subject.id === id)
    const about = { basePath, now, one, pause, resumedAt }
    const body = html`${notice(done) ?? registeredNotice(deps.encryption, one.id, request.query.registered)}
<h1 class="job"><span>Import</span> <code>${one.jobId}</code> <button type="button" class="small" data-copy="${exact(one.jobId)}" hidden>Copy</button></h1>
${importFacts(about)}
${importSteering(about, viewer)}
${importRows(about, rows)}
${importTimeline(about, { reports, actions, isContinued: before !== null })}
${importEvents(about, events)}`
    response.type('html').send(page({ title: one.jobId, body, basePath, viewer, section: '/imports', refreshSeconds }))
  })

  mountImportSteering(app, deps)
  mountImportDownloads(app, deps)
}
