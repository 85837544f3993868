// The vendor of the benchmarks, in a process of its own, as cheap as Node can make it. It counts its requests, and how
// much later than it should have come each one came.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer, lifecycleAnswer, progressAnswer } from './vendor-answer.ts'

export type Mode = 'unchanged' | 'progress' | 'lifecycle'

/** What the vendor has seen since it was asked last. */
export interface Seen {
  requests: number
  /** Milliseconds by which requests for a job came later than `everyMs` after the one before. */
  latenessMs: number[]
  /** Jobs that were asked for at least once since the start. */
  jobs: number
}

const { mode, everyMs = null } = JSON.parse(process.argv[2] ?? '{}') as {
  mode: Mode
  /** Null: nobody wants to know how late requests are. */
  everyMs?: number | null
}

const unchanged = Buffer.from(JSON.stringify(answer))
const jobs = new Map<string, { nth: number; at: number }>()
let requests = 0
let latenessMs: number[] = []

function bodyOf(url: string): Buffer {
  requests++
  if (mode === 'unchanged' && everyMs === null) return unchanged
  const job = jobs.get(url) ?? { nth: 0, at: Number.NaN }
  const now = performance.now()
  if (everyMs !== null && job.nth > 0) latenessMs.push(now - job.at - everyMs)
  jobs.set(url, { nth: job.nth + 1, at: now })
  if (mode === 'unchanged') return unchanged
  return Buffer.from(JSON.stringify(mode === 'progress' ? progressAnswer(job.nth + 1) : lifecycleAnswer(job.nth + 1)))
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const body = bodyOf(request.url ?? '')
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', () => {
  process.send?.({ requests, latenessMs, jobs: jobs.size } satisfies Seen)
  latenessMs = []
})
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
