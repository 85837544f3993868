// What the polls are compared with, in a process of its own: a bare undici loop that asks and parses, and nothing else.
import { Pool } from 'undici'

const { port, connections } = JSON.parse(process.argv[2] ?? '{}') as { port: number; connections: number }
const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
let requests = 0
let stopped = false

async function loop(): Promise<void> {
  while (!stopped) {
    const { body } = await pool.request({
      method: 'GET',
      path: `/jobs/importjobs/${requests}`,
      headers: { 'x-api-key': 'key' },
    })
    await body.json()
    requests++
  }
}

process.on('message', () => process.send?.({ ...process.cpuUsage(), requests }))
process.on('SIGTERM', () => {
  stopped = true
  process.exit(0)
})
process.on('disconnect', () => process.exit(0))
for (let n = 0; n < connections; n++) void loop()
process.send?.('ready')
