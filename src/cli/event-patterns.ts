// Owns patterns of event types, such as `import.*`.
import { InvalidArgumentError } from 'commander'
import { eventTypes } from '../model/event-types.ts'

type Type = (typeof eventTypes)[number]

/** For any number of patterns, also joined by commas. `*` is any text. Returns the types that one of them matches. */
export function readTypes(text: string, before: readonly Type[] = []): Type[] {
  const patterns = text.split(',').map((pattern) => pattern.trim())
  const found = patterns.flatMap((pattern) => {
    const types = eventTypes.filter((type) => matches(type, pattern))
    if (types.length === 0) throw new InvalidArgumentError(`"${pattern}" matches none of ${eventTypes.join(', ')}.`)
    return types
  })
  return [...new Set([...before, ...found])]
}

function matches(type: string, pattern: string): boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${source}$`).test(type)
}
