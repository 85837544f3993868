// Keeps an open page up to date: asks for it again every few seconds, and puts in place the parts of it that have
// changed. What is typed, opened, selected and scrolled stays. It pauses while nobody looks, or a text is selected.
const main = document.querySelector('main[data-live]')
const status = document.querySelector('[data-live-status]')
const everyMs = Number(main?.dataset.live) * 1_000

if (main) setTimeout(look, everyMs)

async function look() {
  const isSelected = !document.getSelection()?.isCollapsed
  if (document.hidden || isSelected) {
    say(isSelected ? 'Paused while a text is selected' : '')
    return void setTimeout(look, 1_000)
  }
  try {
    const response = await fetch(location.href, {
      headers: { accept: 'text/html' },
      signal: AbortSignal.timeout(10_000),
    })
    if (response.redirected && !response.ok) throw new Error('elsewhere')
    if (new URL(response.url).pathname !== location.pathname) return say('Signed out: reload to sign in')
    if (!response.ok) throw new Error(`status ${response.status}`)
    const next = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main')
    update(next)
    say('')
    if (next.dataset.live) setTimeout(look, everyMs)
  } catch {
    say('Reconnecting …')
    setTimeout(look, 2_000)
  }
}

function say(text) {
  if (status && status.textContent !== text) status.textContent = text
}

/** Replaces what differs, child by child. What was done is said once, so a page may have a part more or less. */
function update(next) {
  const shown = [...main.children].filter((part) => !part.matches('.notice[role="status"]'))
  const fresh = [...next.children].filter((part) => !part.matches('.notice[role="status"]'))
  if (shown.length !== fresh.length) {
    if (!isInUse(main)) main.replaceChildren(...next.children)
    return
  }
  for (const [index, part] of shown.entries()) {
    const other = fresh[index]
    if (part.matches('form, :has(form.form, form.filter)') || isInUse(part) || untouched(part) === other.outerHTML)
      continue
    keepOpened(part, other)
    part.replaceWith(other)
  }
}

function isInUse(part) {
  return part.contains(document.activeElement) && document.activeElement !== main
}

/** As it came: nothing opened. */
function untouched(part) {
  const copy = part.cloneNode(true)
  for (const opened of copy.querySelectorAll('details[open]')) opened.removeAttribute('open')
  for (const button of copy.querySelectorAll('button[data-copy]')) button.hidden = true
  return copy.outerHTML
}

function keepOpened(from, to) {
  for (const selector of ['details', '.scroll', 'pre']) {
    const others = to.querySelectorAll(selector)
    for (const [index, one] of from.querySelectorAll(selector).entries()) {
      const other = others[index]
      if (!other) continue
      if (one.open) other.open = true
      const { scrollTop } = one
      if (scrollTop > 0) requestAnimationFrame(() => other.scrollTo(0, scrollTop))
    }
  }
}
