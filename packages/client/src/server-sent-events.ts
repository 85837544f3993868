// Owns reading server-sent events (WHATWG HTML, "Server-sent events"), as far as the service uses them.

import { unlessAborted } from './pause.ts'

/** Yields the data of each event. Ends with the stream. `onBytes` is called for every piece, heartbeats too. */
export async function* eventData(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
  signal?: AbortSignal,
): AsyncGenerator<string, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let data: string[] = []
  try {
    for (;;) {
      const { done, value } = await unlessAborted(reader.read(), signal)
      if (done) return
      onBytes()
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n/)
      rest = lines.pop() ?? ''
      for (const line of lines)
        if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
        else if (line === '' && data.length > 0) {
          yield data.join('\n')
          data = []
        }
    }
  } finally {
    reader.cancel().catch(() => {}) // the stream may have failed, and nobody waits for its end
  }
}
