// The provider of the ingest benchmark, in a process of its own: pages that were prepared, as cheaply as Node can send them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answers, type Pages } from './ingest-rows.ts'

const pages = answers(JSON.parse(process.argv[2] ?? '{}') as Pages).map((page) => Buffer.from(page))

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const body = pages[Number(/[?&](?:skippedStartAfter|page_token)=(\d+)/.exec(request.url ?? '')?.[1] ?? 0)]
  response.writeHead(body ? 200 : 404, { 'content-type': 'application/json', 'content-length': body?.length ?? 0 })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
