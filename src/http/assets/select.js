// Selects rows for doing something to many: a box for the whole page, ranges by shift, and how many there are. And lets
// an action on very many go on, a thousand at a time. Without this script the boxes and the button do the same.
let last = null

document.addEventListener('click', ({ target, shiftKey }) => {
  if (!(target instanceof HTMLInputElement) || target.type !== 'checkbox') return
  const boxes = boxesOf(target)
  if (target.matches('[data-select-page] input') || (target.name === 'all' && target.checked))
    for (const box of boxes) box.checked = target.checked
  else if (target.name === 'ids') {
    if (shiftKey && boxes.includes(last)) selectRange(boxes, target)
    last = target
  }
})
document.addEventListener('change', ({ target }) => {
  const form = target.closest?.('form.many')
  if (form) tell(form)
})
for (const form of document.querySelectorAll('form.many')) tell(form)

const action = document.querySelector('form[data-go-on]')
if (action) goOn(action)

function boxesOf(one) {
  return [...(one.closest('form.many')?.querySelectorAll('input[name=ids]') ?? [])]
}

function selectRange(boxes, target) {
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(target)].sort((a, b) => a - b)
  for (const box of boxes.slice(from, to + 1)) box.checked = target.checked
}

function tell(form) {
  const boxes = [...form.querySelectorAll('input[name=ids]')]
  const count = boxes.filter(({ checked }) => checked).length
  const isWhole = count === boxes.length
  const [page, all] = ['[data-select-page] input', '[name=all]'].map((selector) => form.querySelector(selector))
  Object.assign(page, { checked: isWhole, indeterminate: count > 0 && !isWhole })
  if (all && !isWhole) all.checked = false
  form.querySelector('[data-selected]').textContent =
    count === 0 ? '' : all?.checked ? 'All selected' : `${count} selected`
}

async function goOn(form) {
  const response = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) })
  if (!response.ok) return // the button goes on
  const next = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main')
  document.querySelector('main').replaceChildren(...next.children)
  const rest = document.querySelector('form[data-go-on]')
  if (rest) goOn(rest)
}
