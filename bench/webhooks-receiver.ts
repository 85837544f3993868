// The receivers of the benchmark, in a process of their own: `/ok` notes when each webhook came, `/hang` never answers.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sharedNow } from './figures.ts'

let arrivals: [id: string, at: number][] = []

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  if (request.url === '/hang') return
  const id = request.headers['webhook-id']
  if (typeof id === 'string') arrivals.push([id, sharedNow()])
  response.writeHead(204).end()
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', () => {
  process.send?.(arrivals)
  arrivals = []
})
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
