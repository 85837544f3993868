// Owns server-sent events (WHATWG HTML, "Server-sent events"): writing them as fast as the client reads, and the stream
// of an import, with one `import` event a change until the import is over.
import { once } from 'node:events'
import type { Response } from 'express'
import type { ApiImport } from '../imports/present.ts'
import type { Streamed } from './operation.ts'

export const eventStream = 'text/event-stream'

/** Proxies cut silent connections. A comment keeps them open without being an event. */
const heartbeatMs = 15_000
/** After how long a client connects again, in milliseconds. */
const retryMs = 1_000

export interface EventWriter extends Disposable {
  /** Resolves when the client has room for more, or is gone. */
  send(event: { name: string; id: string; data: string }): Promise<void>
}

/** Begins a stream of events. Disposing of the writer ends it. */
export function openEventStream(response: Response): EventWriter {
  response.setHeader('content-type', eventStream)
  response.setHeader('x-accel-buffering', 'no')
  response.write(`retry: ${retryMs}\n\n`)
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': still here\n\n')
  }, heartbeatMs)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return {
    async send({ name, id, data }) {
      if (response.write(`id: ${id}\nevent: ${name}\ndata: ${data}\n\n`) || response.closed) return
      await once(response, 'drain', { signal: gone.signal }).catch(() => {}) // gone: the caller's signal says so
    },
    [Symbol.dispose]() {
      clearInterval(heartbeat)
      response.end()
    },
  }
}

export function streamChanges(changes: AsyncGenerator<ApiImport, void>): Streamed {
  return {
    async stream(response) {
      const first = await changes.next() // before the headers, because the import may not exist
      if (response.req.method === 'HEAD') {
        await changes.return()
        response.setHeader('content-type', eventStream)
        response.end()
        return
      }
      using events = openEventStream(response)
      let sent = 0
      const send = (change: ApiImport) =>
        events.send({ name: 'import', id: `${change.id}.${++sent}`, data: JSON.stringify(change) })
      if (!first.done) await send(first.value)
      for await (const change of changes) await send(change)
    },
  }
}
