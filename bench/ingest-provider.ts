// The provider of the ingest benchmark, in a process of its own: pages that were prepared, as cheaply as Node can send
// them, or a status and a file at another origin.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answers, csvBlocks, type Pages } from './ingest-rows.ts'

const given = JSON.parse(process.argv[2] ?? '{}') as Pages
const pages = answers(given).map((page) => Buffer.from(page))

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const body = pages[Number(/[?&](?:skippedStartAfter|page_token)=(\d+)/.exec(request.url ?? '')?.[1] ?? 0)]
  response.writeHead(body ? 200 : 404, { 'content-type': 'application/json', 'content-length': body?.length ?? 0 })
  response.end(body)
})

if (given.vendor === 'csv') await serveFile()
const port = await listen(server)
process.send?.(port)
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))

async function serveFile(): Promise<void> {
  const file = Buffer.concat([...csvBlocks(given)].map((block) => Buffer.from(block)))
  const storage = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/csv', 'content-length': file.length, etag: '"bench"' })
    response.end(file)
  })
  const port = await listen(storage)
  pages.push(Buffer.from(JSON.stringify({ status: 'done', url: `http://localhost:${port}/failed.csv` })))
}

async function listen(one: Server): Promise<number> {
  await new Promise<void>((resolve) => one.listen(0, resolve))
  return (one.address() as AddressInfo).port
}
