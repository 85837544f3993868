// Owns server-sent events (WHATWG HTML, "Server-sent events"): one `import` event a change, until the import is over.
import type { ApiImport } from '../imports/present.ts'
import type { Streamed } from './operation.ts'

export const eventStream = 'text/event-stream'

/** Proxies cut silent connections. A comment keeps them open without being an event. */
const heartbeatMs = 15_000

export function streamChanges(changes: AsyncGenerator<ApiImport, void>): Streamed {
  return {
    async stream(response) {
      const first = await changes.next() // before the headers, because the import may not exist
      response.setHeader('content-type', eventStream)
      response.setHeader('x-accel-buffering', 'no')
      if (response.req.method === 'HEAD') {
        await changes.return()
        response.end()
        return
      }
      const send = (change: ApiImport) => response.write(`event: import\ndata: ${JSON.stringify(change)}\n\n`)
      const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs)
      try {
        if (!first.done) send(first.value)
        for await (const change of changes) send(change)
      } finally {
        clearInterval(heartbeat)
        response.end()
      }
    },
  }
}
