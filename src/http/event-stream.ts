// Owns server-sent events (WHATWG HTML, "Server-sent events"): one `import` event a change, until it is over.
import type { ApiImport } from '../imports/present.ts'
import type { Streamed } from './operation.ts'

export const eventStream = 'text/event-stream'

/** Proxies cut connections that stay silent; a comment is not an event. */
const heartbeatMs = 15_000

export function streamChanges(changes: AsyncGenerator<ApiImport, void>): Streamed {
  return {
    async stream(response) {
      const first = await changes.next() // before the headers: there may be no such import
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
