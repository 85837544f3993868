// Keys for going through a page, as the dialog of pages/layout.ts lists them. No key works while the reader types.
const base = new URL('..', import.meta.url).href
const sections = { o: '', i: 'imports', c: 'connections', w: 'webhooks' }
// A dialog that was just closed holds the focus until the next frame.
const typing = 'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable], dialog[open]'
const dialog = document.querySelector('#keys')
let isGoing = false

const actions = {
  '/': () => document.querySelector('main input[type="search"]')?.focus(),
  '?': () => dialog?.showModal(),
  g: () => {
    isGoing = true
    setTimeout(() => {
      isGoing = false
    }, 1_500)
  },
  j: () => move(1),
  k: () => move(-1),
  x: () => document.activeElement.closest('tr')?.querySelector('input[type="checkbox"]')?.click(),
}

document.querySelector('button[data-keys]')?.addEventListener('click', actions['?'])
document.addEventListener('keydown', (event) => {
  const { key, target } = event
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.closest(typing)) return
  if (isGoing && key in sections) location.href = base + sections[key]
  else if (key in actions) actions[key](event.preventDefault())
})

/** Moves to the link of the next row, which the browser shows, and opens by Enter. */
function move(by) {
  const links = Array.from(document.querySelectorAll('main tbody tr'), (row) => row.querySelector('a[href]')).filter(
    (link) => link?.checkVisibility(),
  )
  const row = document.activeElement.closest('tr')
  const at = links.findIndex((link) => row?.contains(link))
  links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus()
}
