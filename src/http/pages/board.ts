// Owns Bull Board at /queues, where admins see the queues. Due work is in Postgres, not there. It is read-only: pausing
// or emptying a queue, or removing a tick, would stop work without anybody noticing.
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import type { Express, IRouter, RequestHandler } from 'express'
import { AppError } from '../../api/refusal.ts'
import type { Queues } from '../../queue/queues.ts'
import { applicationSecurity, noStore } from '../security-headers.ts'
import { type PageGuardDeps, requireSignIn } from './guard.ts'
import { wayBack, wayBackStyle } from './way-back.ts'

const path = '/queues'

export function mountBoard(app: IRouter, deps: PageGuardDeps & { queues: Queues['all'] }): void {
  const adapter = new ExpressAdapter().setBasePath(deps.basePath + path)
  createBullBoard({
    queues: Object.values(deps.queues).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Import Tracker',
        hideDocsLink: true,
        boardLogo: { path: `${deps.basePath}/assets/icon.svg`, width: 26, height: 26 },
      },
    },
  })
  const board: Express = adapter.getRouter()
  changePage(board, deps.basePath)
  app.use(path, applicationSecurity, exceptAssets(noStore), requireSignIn(deps, 'admin'), readOnly, board)
}

/** Bull Board hides its buttons. This also refuses actions that a later version may add. */
const readOnly: RequestHandler = (request, _response, next) => {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new AppError('method_not_allowed', 'The queues are only shown here.')
  next()
}

/**
 * Adds the way back to the overview. Takes out fonts that the page loads from Google, because that would reveal visitors,
 * and there may be no internet.
 */
function changePage(board: Express, basePath: string): void {
  const { engines } = board as unknown as { engines: Record<string, Parameters<Express['engine']>[1]> }
  const render = engines['.ejs']
  if (!render) throw new Error('Bull Board has no page to render.')
  const ours = (page: string) =>
    page
      .replace(foreignFonts, '')
      .replace('</head>', (end) => wayBackStyle(basePath).text + end)
      .replace('<div id="root">', (root) => wayBack(basePath).text + root)
  board.engine('ejs', (file, options, done) => {
    render(file, options, (error: unknown, page?: string) => done(error, page && ours(page)))
  })
}

const foreignFonts = /<link[^>]+href="https:\/\/fonts\.googleapis\.com[^>]*>/g

/** Bull Board's scripts are megabytes without any data, so browsers may cache them. */
function exceptAssets(handler: RequestHandler): RequestHandler {
  return (request, response, next) => (request.path.startsWith('/static/') ? next() : handler(request, response, next))
}
