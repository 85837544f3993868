// Owns a provider of CDQ's form that takes its time, and counts the requests that are under way for each job.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface SlowProvider {
  baseUrl: string
  /** By job: how often it was asked about, and by how many at once at the most. */
  jobs: Map<string, { asked: number; underWay: number; most: number }>
  close(): Promise<void>
}

/** Every answer differs from the one before; jobs never end. */
export async function startSlowProvider(answerMs: number): Promise<SlowProvider> {
  const jobs: SlowProvider['jobs'] = new Map()
  const server = createServer(async (request, response) => {
    const jobId = request.url?.split('/').at(-1) ?? ''
    const job = jobs.get(jobId) ?? { asked: 0, underWay: 0, most: 0 }
    jobs.set(jobId, job)
    job.asked++
    job.underWay++
    job.most = Math.max(job.most, job.underWay)
    await delay(answerMs * Math.random() * 2)
    job.underWay--
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: jobId, status: 'RUNNING', statusMessage: `Asked ${job.asked} times.` }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    jobs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
