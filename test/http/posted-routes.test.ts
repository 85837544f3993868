// Owns that every path that takes a form refuses whose token doesn't reach so far, who isn't signed in, and other sites.
import { Router } from 'express'
import { expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { useApi } from '../support/worlds/api.ts'
import { formsOf } from './forms.ts'

/** Taken down while the service mounts them. */
const mounted: string[] = []
const router = Router.prototype as unknown as { post(path: string, ...handlers: unknown[]): unknown }
const post = router.post
router.post = function (path, ...handlers) {
  mounted.push(path)
  return post.call(this, path, ...handlers)
}

const api = useApi()
const { signedIn } = formsOf(api)

/** Also for who isn't signed in. */
const open = ['/login', '/logout', '/preferences']
/** What a token of the scope `write` reaches. All others need `admin`, but leaving the first steps. */
const write =
  /^\/(imports|imports\/actions|imports\/actions\/confirm|imports\/:id\/(poll|stop|resume)|actions\/:id\/go-on|deliveries\/:id\/redeliver)$/

test('all of them are known here', () => {
  const found = paths()
  expect(found).toEqual(expect.arrayContaining([...open, '/imports/actions', '/webhooks/:id/rotate-secret']))
  expect(found.length).toBeGreaterThan(22)
})

test('who may only read is refused, and nothing is done', async () => {
  const as = await signedIn('read')
  const before = await actionsDone()
  for (const path of guarded()) expect((await send(path, { cookie: as, origin: api.url })).status, path).toBe(403)
  expect(await actionsDone()).toBe(before)
})

test('who may write is refused what needs admin', async () => {
  const as = await signedIn('write')
  for (const path of guarded().filter((one) => !write.test(one)))
    expect((await send(path, { cookie: as, origin: api.url })).status, path).toBe(403)
  for (const path of guarded().filter((one) => write.test(one)))
    expect((await send(path, { cookie: as, origin: api.url })).status, path).not.toBe(403)
})

test('nobody adds to a queue, pauses or empties it', async () => {
  const board = [...new Set(mounted)].filter((path) => path.startsWith('/api/queues/'))
  expect(board.length).toBeGreaterThan(0)
  const [reader, admin] = [await signedIn('read'), await signedIn('admin')]
  for (const path of board) {
    const at = `/queues${path.replace(/:\w+/g, 'dispatch')}`
    expect((await send(at, { cookie: reader, origin: api.url })).status, at).toBe(403)
    expect((await send(at, { cookie: admin, origin: api.url })).status, at).toBe(405)
  }
})

test('who isn’t signed in is refused', async () => {
  for (const path of guarded()) {
    expect((await send(path, { origin: api.url })).status, path).toBe(401)
    expect((await send(path, { cookie: 'import_tracker_session=made-up', origin: api.url })).status, path).toBe(401)
    expect((await send(path, { authorization: 'Bearer made-up', origin: api.url })).status, path).toBe(401)
  }
})

test('another site is refused, whoever is signed in', async () => {
  const as = await signedIn('admin')
  const before = await actionsDone()
  for (const path of paths())
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: api.url },
    ]) {
      const answer = await send(path, { cookie: as, ...headers })
      expect(answer.status, `${path} ${JSON.stringify(headers)}`).toBe(403)
      expect(answer.headers.get('set-cookie'), path).toBeNull()
    }
  expect(await actionsDone()).toBe(before)
})

test('a program that sends no Origin is taken by its scope alone', async () => {
  const [reader, admin] = [await signedIn('read'), await signedIn('admin')]
  for (const path of guarded()) {
    expect((await send(path, { cookie: reader })).status, path).toBe(403)
    expect((await send(path, { cookie: admin })).status, path).not.toBe(403)
  }
})

function paths(): string[] {
  // Those of the API have no session, and Bull Board's are below a page that only shows.
  return [...new Set(mounted)].filter((path) => !path.startsWith('/v1') && !path.startsWith('/api/queues/'))
}

function guarded(): string[] {
  return paths().filter((path) => !open.includes(path) && path !== '/first-steps/leave')
}

function send(path: string, headers: Record<string, string>) {
  const url = path.replace(':id', newId()).replace(':name', 'nobody')
  const body = new URLSearchParams({ action: 'stop', filter: '{"jobId":"nobody"}' })
  return api.send(url, { method: 'POST', redirect: 'manual', headers: { accept: 'text/html', ...headers }, body })
}

async function actionsDone(): Promise<number> {
  const { data } = (await api.call('GET /v1/actions', {}, { query: { limit: '1000' } })).body
  return data.length
}
