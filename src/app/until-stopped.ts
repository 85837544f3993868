// Owns how a serving command ends: gracefully by SIGINT or SIGTERM, and at once by a second signal.
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'

export interface Running {
  stop(): Promise<void>
  /** Resolves if it ends by itself. Absent: it never does. */
  ended?: Promise<End>
}

interface End {
  because: string
  failed: boolean
}

const stopWithinMs = 30_000
/** Ctrl-C under npm arrives twice at once: from the terminal, and passed on by npm. */
const sameSignalMs = 500

/**
 * Starts something, and stops it when the process gets a signal, even during the start, or when it ends by itself. Then
 * ends the process: at once if a stop takes longer than 30 s, or a second signal comes.
 * @param startWithinMs how long a start may go on after a signal.
 */
export async function untilStopped<Started extends Running>(
  log: Log,
  start: () => Promise<Started>,
  announce: (started: Started) => void,
  startWithinMs = 10_000,
): Promise<void> {
  const told = stopRequest(log)
  const started = await startUnlessTold(start, told, startWithinMs)
  announce(started)
  const { because, failed } = await Promise.race(started.ended ? [told, started.ended] : [told])
  if (failed) log.error({ because }, 'stopping, since it can’t go on')
  const startedAt = performance.now()
  const inTime = await Promise.race([started.stop().then(() => true), delay(stopWithinMs, false, { ref: false })])
  log.info({ because, inTime, durationMs: Math.round(performance.now() - startedAt) }, 'stopped')
  await flushed(log)
  process.exit(inTime && !failed ? 0 : 1) // open handles must not hold up the end
}

/** At the exit, pino would write what is left to a broken pipe again and again, and so hold up the end for ever. */
async function flushed(log: Log): Promise<void> {
  const written = new Promise<void>((resolve) => log.flush(() => resolve()))
  await Promise.race([written, delay(1_000, undefined, { ref: false })])
}

/** Runs the start. A start that hangs, for instance on an unreachable Redis, ends the process soon after a signal. */
async function startUnlessTold<Started>(start: () => Promise<Started>, told: Promise<End>, withinMs: number) {
  let isStarted = false
  void told
    .then(() => delay(withinMs, undefined, { ref: false }))
    .then(() => {
      if (!isStarted) process.exit(1)
    })
  const started = await start()
  isStarted = true
  return started
}

function stopRequest(log: Log): Promise<End> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    const onSignal = (signal: NodeJS.Signals) => {
      if (firstAt !== undefined && performance.now() - firstAt > sameSignalMs) process.exit(1)
      firstAt ??= performance.now()
      resolve({ because: signal, failed: false })
    }
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
    process.on('uncaughtException', (error) => {
      log.fatal({ err: error }, 'unexpected error')
      resolve({ because: 'unexpected error', failed: true })
    })
  })
}
