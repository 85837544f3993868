// Owns starting the server again after it died: by a crash, a kill or a full disk.
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import { PortTakenError } from './error.ts'
import type { Ownership } from './owner.ts'

export interface KeptRunning {
  /** Returns the session that holds the server's lock now. */
  ownership(): Ownership
  /** Resolves when the server can't run again as long as this process lives. */
  lost: Promise<PortTakenError>
  /** Starts nothing any more. Resolves when a start that is under way has ended. */
  stop(): Promise<void>
}

const firstPauseMs = 500
const maxPauseMs = 10_000

/**
 * Watches the session that holds the lock, which ends with the server. Then it starts the server until that succeeds,
 * with growing pauses. It gives up if another program keeps the server's port.
 * @param own starts the server or waits for it, and takes its lock.
 * @param options.giveUpPortAfterMs how long another program may hold the port; a program may use it for a moment only.
 */
export function keepRunning(
  first: Ownership,
  own: (signal: AbortSignal) => Promise<Ownership>,
  { log, giveUpPortAfterMs = 30_000 }: { log?: Log; giveUpPortAfterMs?: number },
): KeptRunning {
  const stopping = new AbortController()
  const { signal } = stopping
  const lost = Promise.withResolvers<PortTakenError>()
  let ownership = first

  async function restart(): Promise<void> {
    const since = performance.now()
    let takenSince: number | undefined
    for (let failures = 0; !signal.aborted; failures++)
      try {
        ownership = await own(signal)
        log?.warn({ durationMs: Math.round(performance.now() - since) }, 'embedded PostgreSQL runs again')
        return
      } catch (error) {
        if (signal.aborted) return
        log?.error({ err: error }, 'embedded PostgreSQL does not start; it is tried again')
        takenSince = error instanceof PortTakenError ? (takenSince ?? performance.now()) : undefined
        if (error instanceof PortTakenError && performance.now() - Number(takenSince) >= giveUpPortAfterMs)
          lost.resolve(error)
        const pauseMs = Math.min(firstPauseMs * 2 ** failures, maxPauseMs)
        await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
      }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const aborted = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => aborted.resolve(), { once: true })
      await Promise.race([ownership.lost, aborted.promise])
      if (signal.aborted) return
      log?.error('embedded PostgreSQL has ended; it is started again')
      await restart()
    }
  }

  const running = run()
  return {
    ownership: () => ownership,
    lost: lost.promise,
    async stop() {
      stopping.abort()
      await running
    },
  }
}
