// Owns a network between a test and one of its servers, which the test can cut.

import type { AddressInfo } from 'node:net'
import { createServer, connect as dial, type Socket } from 'node:net'

export interface Cable {
  /** The server's URL, through the cable. */
  url: string
  /** Breaks every connection, and lets nobody connect again. */
  cut(): Promise<void>
  /** Breaks every connection; new ones go to this server, as after its restart. */
  plug(to: string): void
  /**
   * Nothing goes through any more, and nothing is closed, as behind a firewall that has forgotten its connections. New
   * ones work, unless `forAll`: these are accepted, and hear nothing either.
   */
  freeze(options?: { forAll?: boolean }): void
  /** New connections work again; frozen ones stay so. */
  thaw(): void
}

export async function startCable(to: string): Promise<Cable> {
  let target = new URL(to)
  const sockets = new Set<Socket>()
  let isFrozen = false
  const server = createServer((near) => {
    if (isFrozen) {
      sockets.add(near.on('error', () => {}))
      return
    }
    const far = dial(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(to)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    async cut() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    plug(other) {
      target = new URL(other)
      for (const socket of sockets) socket.destroy()
    },
    freeze({ forAll = false } = {}) {
      isFrozen = forAll
      for (const socket of sockets) socket.unpipe().pause()
    },
    thaw() {
      isFrozen = false
    },
  }
}
