// Owns finding characters that a reader doesn't see: line breaks, other control characters, and marks that change the
// direction of text. Such marks make one name look like another.

const unseen = /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

export function isVisibleText(text: string): boolean {
  return text.search(unseen) < 0
}

/** Returns the text with each unseen character written as its number: `⟨U+202E⟩`. */
export function visibleText(text: string): string {
  return text.replace(unseen, (character) => {
    const number = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    return `⟨U+${number}⟩`
  })
}
