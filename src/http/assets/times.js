// Keeps times right while a page is open, and shows them in the reader's zone where that is wanted.
const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]
const isLocal = document.documentElement.dataset.zone === 'local'
const local = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' })
const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
let shownAt = performance.now()

/** Called when the times are as the server wrote them. */
export function showTimes() {
  shownAt = performance.now()
  if (isLocal)
    for (const time of document.querySelectorAll('time[datetime]')) {
      const text = localOf(new Date(time.dateTime))
      if (time.title) time.title = text
      else time.textContent = text
    }
  tick()
}

function localOf(date) {
  const name = zone.formatToParts(date).find(({ type }) => type === 'timeZoneName').value
  return `${local.format(date)} ${name}`
}

/** By the server's clock, which may differ from this one: how far away the time was then, and how long ago that is. */
function tick() {
  for (const time of document.querySelectorAll('time[data-away]')) {
    const ms = Number(time.dataset.away) - (performance.now() - shownAt)
    const [name, length] = units.find(([, unit]) => Math.abs(ms) >= unit) ?? ['s', 1_000]
    const count = Math.floor(Math.abs(ms) / length)
    const text = count === 0 ? 'now' : ms < 0 ? `${count} ${name} ago` : `in ${count} ${name}`
    if (time.textContent !== text) time.textContent = text
  }
}

showTimes()
setInterval(tick, 1_000)
