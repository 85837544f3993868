// Owns choosing the demo's port: the usual one if it is free.
import { createServer } from 'node:net'

/** Returns the wanted port, or 0 (any free one) if another program has it. */
export function freePortOr0(host: string, wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(0))
    server.listen(wanted, host, () => server.close(() => resolve(wanted)))
  })
}
