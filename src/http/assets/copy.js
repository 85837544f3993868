// Copies what a button names in `data-copy`. Over plain http there is no clipboard, so the text is selected instead, and
// copied as browsers did before. Without this script the buttons stay hidden.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const label = button.textContent
  button.hidden = false
  button.addEventListener('click', async () => {
    await copy(button.dataset.copy)
    button.focus()
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = label
    }, 1_500)
  })
}

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
