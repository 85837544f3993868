// What the service is compared with, in a process of its own: a bare undici loop that sends, reads, and does nothing
// else. What a request costs depends on how many are under way at once, so it runs at a given rate, or as fast as it can.
import { Pool } from 'undici'

const { port, connections, perSecond, request } = JSON.parse(process.argv[2] ?? '{}') as {
  port: number
  connections: number
  /** Null: as fast as it can. */
  perSecond: number | null
  request: { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string }
}
const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
let requests = 0

async function send(): Promise<void> {
  const { body, statusCode } = await pool.request(request)
  if (statusCode === 200) await body.json()
  else await body.dump()
  requests++
}

async function loop(): Promise<never> {
  for (;;) await send()
}

function pace(rate: number): void {
  const startedAt = performance.now()
  let sent = 0
  setInterval(() => {
    for (const due = ((performance.now() - startedAt) / 1_000) * rate; sent < due; sent++) void send()
  }, 1)
}

process.on('message', () => process.send?.({ count: requests, cpu: process.cpuUsage() }))
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
if (perSecond !== null) pace(perSecond)
else for (let n = 0; n < connections; n++) void loop()
process.send?.('ready')
