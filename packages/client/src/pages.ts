// Owns lists: one page of them, or all of their items in turn. And the options of every call.

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
