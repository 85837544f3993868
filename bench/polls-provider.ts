// The provider of the benchmark, in a process of its own: always the same answer, as cheaply as Node can give it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './polls-answer.ts'

const body = JSON.stringify(answer)
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }

const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
