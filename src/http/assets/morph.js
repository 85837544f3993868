// Makes a part of the page equal to a newer one. Its elements stay, and with them what the reader has typed, checked,
// opened, scrolled and focused.
export function morph(old, next) {
  if (old.isEqualNode(next)) return
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = next.nodeValue
    return
  }
  if ('own' in old.dataset) return // a script of the page has changed it
  for (const { name, value } of next.attributes) if (name !== 'open') old.setAttribute(name, value)
  for (const { name } of [...old.attributes]) if (name !== 'open' && !next.hasAttribute(name)) old.removeAttribute(name)
  const wanted = new Set(Array.from(next.childNodes, kindOf))
  for (const child of [...old.childNodes]) if (!wanted.has(kindOf(child))) child.remove()
  let at = old.firstChild
  for (const child of [...next.childNodes]) {
    let found = at
    while (found && kindOf(found) !== kindOf(child)) found = found.nextSibling
    if (found === null) old.insertBefore(child, at)
    else if (found === at) at = at.nextSibling
    else if (old.moveBefore) old.moveBefore(found, at)
    else old.insertBefore(found, at)
    if (found) morph(found, child)
  }
  while (at) {
    const rest = at.nextSibling
    at.remove()
    at = rest
  }
}

/** What a part has in common with its newer self: its name, and for sections and rows what they are about. */
function kindOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName
  const label = node.matches('section, nav') && (node.getAttribute('aria-labelledby') ?? node.ariaLabel)
  const isRow = node.matches('tbody > tr, ol > li, ul > li')
  const about = isRow && (node.querySelector('a[href]')?.getAttribute('href') ?? node.querySelector('time')?.dateTime)
  return `${node.nodeName} ${node.id || node.dataset.key || label || about || ''}`
}
