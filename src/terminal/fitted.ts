// Owns making a text exactly as wide as its cells of the terminal.
import stringWidth from 'string-width'

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Returns the text in exactly as many cells of the terminal. A wide character takes two. What is cut ends with `…`. */
export function fitted(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const rest = width - stringWidth(text)
  if (rest >= 0) return side === 'left' ? text + ' '.repeat(rest) : ' '.repeat(rest) + text
  let cut = ''
  let used = 0
  for (const { segment } of letters.segment(text)) {
    const next = used + stringWidth(segment)
    if (next > width - 1) break
    cut += segment
    used = next
  }
  return width < 1 ? '' : `${cut}…${' '.repeat(width - 1 - used)}`
}
