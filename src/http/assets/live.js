// Keeps an open page up to date. A stream says when something has changed; then the page is asked for again, and put in
// place part by part. Tabs of one browser share one stream: who holds the lock has it, and tells the others.
import './copy.js'
import './keys.js'
import { morph } from './morph.js'
import { showTimes } from './times.js'

const base = new URL('..', import.meta.url).href
const main = document.querySelector('main[data-live]')
const status = document.querySelector('[data-live-status]')
const told = document.querySelector('[data-live-told]')
const others = new BroadcastChannel(base)
/** What is to be said, the weightiest first. */
const news = { paused: '', page: '', stream: '' }
const signedOut = 'Signed out: reload to sign in'
let isDue = false
let isBusy = false
let renewedAt = performance.now()
let leave = () => {}

if (main) {
  others.onmessage = ({ data }) => hear(data)
  for (const name of ['selectionchange', 'change', 'click']) document.addEventListener(name, renew)
  document.addEventListener('visibilitychange', attend)
  addEventListener('pagehide', () => leave())
  addEventListener('pageshow', attend)
}

/** While the page is seen it takes part. When it comes back it may have missed something. */
function attend() {
  leave()
  leave = () => {}
  if (document.hidden) return say({ paused: 'Paused while hidden' })
  const over = new AbortController()
  leave = () => over.abort()
  const turn = () => new Promise((end) => listen(over.signal, end))
  // Over plain http there are no locks, and each tab has a stream of its own.
  if (navigator.locks) navigator.locks.request(base, { signal: over.signal }, turn).catch(() => {})
  else turn()
  hear({ stream: '', changed: true })
}

function listen(over, end) {
  let source
  let patience
  /** Why there is no stream. It is said until there is one, and not taken back at each attempt. */
  let refusal = ''
  const tell = (message) => {
    hear(message)
    others.postMessage(message)
  }
  const open = () => {
    source?.close()
    if (over.aborted) return end()
    source = new EventSource(new URL('pages/stream', base))
    source.onerror = () => {
      if (over.aborted) return
      setTimeout(() => over.aborted || source.readyState === EventSource.OPEN || tell({ stream: whyNone() }), 500)
      if (source.readyState === EventSource.CLOSED) setTimeout(refused, 1_000)
    }
    source.addEventListener('changed', () => {
      refusal = ''
      tell({ stream: '', changed: true })
      clearTimeout(patience)
      patience = setTimeout(open, 40_000) // the connection is dead, and nobody has said so
    })
  }
  /** Only a refused event source is closed; another one tries again by itself. */
  const whyNone = () => (source.readyState === EventSource.CLOSED && refusal) || 'Reconnecting …'
  /** An event source doesn't say why it was refused, so the stream is asked for once more. */
  const refused = async () => {
    const asked = new AbortController()
    const response = await fetch(new URL('pages/stream', base), { signal: asked.signal }).catch(() => null)
    if (response?.status === 401) return tell({ stream: signedOut })
    refusal = response?.status === 429 ? `Not live: ${(await response.json()).detail}` : ''
    if (!response?.ok) tell({ stream: whyNone() })
    asked.abort()
    setTimeout(open, 2_000)
  }
  over.addEventListener('abort', open)
  open()
}

function hear({ changed = false, ...said }) {
  say(said)
  isDue ||= changed
  renew()
}

async function renew() {
  const reason = document.hidden ? 'while hidden' : isSelecting()
  say({ paused: reason ? `Paused ${reason}` : '' })
  if (!isDue || isBusy || reason) return
  const waitMs = renewedAt + Number(main.dataset.live) * 1_000 - performance.now()
  if (waitMs > 0) return void setTimeout(renew, waitMs)
  isDue = false
  isBusy = true
  try {
    const headers = { accept: 'text/html' }
    const response = await fetch(location.href, { headers, signal: AbortSignal.timeout(10_000) })
    if (new URL(response.url).pathname !== location.pathname) return say({ page: signedOut })
    const next = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main')
    if (!response.ok && response.status !== 404) throw new Error(`status ${response.status}`)
    if (isSelecting()) isDue = true
    else put(next)
    renewedAt = performance.now() // a failure isn't one: the page is late, and is asked for again within a second
    say({ page: '' })
  } catch {
    say({ page: 'Reconnecting …' })
    isDue = true
  } finally {
    isBusy = false
    if (isDue) setTimeout(renew, 1_000)
  }
}

/** A change of what a page marks as its state is said to those who don't see it. */
function put(next) {
  const [before, after] = [main, next].map((part) => part.querySelector('[data-told]')?.textContent)
  morph(main, next)
  showTimes()
  if (before !== after) told.textContent = after
}

function isSelecting() {
  if (main.querySelector('tbody input[type="checkbox"]:checked')) return 'while rows are selected'
  return document.getSelection()?.isCollapsed === false && 'while a text is selected'
}

function say(said) {
  Object.assign(news, said)
  const text = news.paused || news.page || news.stream
  if (status.textContent !== text) status.textContent = text
}
