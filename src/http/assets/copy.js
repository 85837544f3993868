// Copies what a button names in `data-copy`. Over plain http there is no clipboard, so the text is selected instead, and
// copied as browsers did before. Without this script the buttons stay hidden.
document.documentElement.dataset.scripts = ''
document.addEventListener('click', async ({ target }) => {
  const button = target.closest('button[data-copy]')
  if (button === null || 'own' in button.dataset) return
  const label = button.textContent
  button.dataset.own = ''
  await copy(button.dataset.copy)
  button.focus()
  button.textContent = 'Copied'
  setTimeout(() => {
    button.textContent = label
    delete button.dataset.own
  }, 1_500)
})

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    field.className = 'off-screen'
    document.body.append(field)
    field.select()
    document.execCommand('copy')
    field.remove()
  }
}
