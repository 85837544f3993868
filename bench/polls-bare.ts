// What the polls are compared with, in a process of its own: a bare undici loop that asks and parses, and nothing else.
// What a request costs depends on how many are under way at once, so it runs at a given rate, or as fast as it can.
import { Pool } from 'undici'

const { port, connections, perSecond } = JSON.parse(process.argv[2] ?? '{}') as {
  port: number
  connections: number
  /** Null: as fast as it can. */
  perSecond: number | null
}
const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
let requests = 0

async function request(): Promise<void> {
  const { body } = await pool.request({ method: 'GET', path: '/jobs/importjobs/1', headers: { 'x-api-key': 'key' } })
  await body.json()
  requests++
}

async function loop(): Promise<never> {
  for (;;) await request()
}

function pace(rate: number): void {
  const startedAt = performance.now()
  let sent = 0
  setInterval(() => {
    for (const due = ((performance.now() - startedAt) / 1_000) * rate; sent < due; sent++) void request()
  }, 1)
}

process.on('message', () => process.send?.({ ...process.cpuUsage(), requests }))
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
if (perSecond !== null) pace(perSecond)
else for (let n = 0; n < connections; n++) void loop()
process.send?.('ready')
