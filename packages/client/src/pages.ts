// Owns lists: one page of them, or all of their items in turn. And the options of every call.
import { ProblemError } from './problem-error.ts'

export interface CallOptions {
  /** Ends the call, and what it waits for. */
  signal?: AbortSignal | undefined
}

export interface Page<Item> {
  data: Item[]
  /** What `after` takes for the next page. Null: this was the last one. */
  next: string | null
}

/** A list. `for await` gives all of its items, page after page; `page` gives one page. */
export interface Pages<Item> extends AsyncIterable<Item> {
  page(): Promise<Page<Item>>
}

/** @throws {ProblemError} if another service answered. @internal */
export function readPage(answer: unknown): Page<unknown> {
  if (Array.isArray((answer as Partial<Page<unknown>>).data)) return answer as Page<unknown>
  throw new ProblemError('unexpected_answer', 'The answer was no list.')
}

/** @param read reads the page after this cursor. Undefined: the page that the caller asked for. @internal */
export function createPages<Item>(read: (after: string | undefined) => Promise<Page<Item>>): Pages<Item> {
  return {
    page: () => read(undefined),
    async *[Symbol.asyncIterator]() {
      for (let after: string | undefined; ; ) {
        const { data, next } = await read(after)
        yield* data
        if (next === null) return
        after = next
      }
    },
  }
}
