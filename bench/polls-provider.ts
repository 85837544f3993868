// The provider of the benchmark, in a process of its own: CDQ's answer to a running job, as cheaply as Node can give it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const body = JSON.stringify({
  id: '35f23c03-1c22-45fe-9484-3ffe769325de',
  name: 'Process vendor data.',
  createdAt: '2026-06-03T12:58:32Z',
  progress: 77,
  status: 'RUNNING',
  storageId: '72d6900fce6b326088f5d9d91049e3e6',
  dataSource: '648824a691d8d2503d65103e',
  result: { statistics: { numberOfInserts: 10, numberOfUpdates: 10, numberOfFailed: 0 } },
})
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }

const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
