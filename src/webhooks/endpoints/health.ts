// Owns an endpoint's health as its attempts show it: when its breaker opens, when it is probed, and when it is given
// up. Pure.
import { after } from '../../base/clock.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** How many failures in a row open the breaker. */
const failuresToOpen = 5
const firstProbeMs = minute
export const maxProbeMs = 30 * minute
/** An endpoint is given up after failing this long, and this often, without a success. */
const giveUpMs = 5 * day
const giveUpFailures = 10

/** The stored results of an endpoint's attempts, including attempts that a caller asked for. */
export interface Health {
  /** How many attempts have failed since the last success. */
  failures: number
  firstFailureAt: Date | null
  /**
   * Since when the breaker is open. Then one delivery is tried at a time. The others wait, which uses up no attempts.
   */
  failingSince: Date | null
  nextProbeAt: Date | null
  failedProbes: number
}

const closed = { failingSince: null, nextProbeAt: null, failedProbes: 0 }

/** The health after a success. */
export const healthy: Health = { failures: 0, firstFailureAt: null, ...closed }

export interface Failure {
  startedAt: Date
  endedAt: Date
  /** The answer said how long to wait (429, 503). A receiver that says so isn't dead, so its breaker doesn't open. */
  asksToWait: boolean
}

/** Returns the health after a failure. A failure whose attempt began before the breaker opened is no probe. */
export function afterFailure(health: Health, { startedAt, endedAt, asksToWait }: Failure): Health {
  const failures = health.failures + 1
  const firstFailureAt = health.firstFailureAt ?? endedAt
  const { failingSince, failedProbes, nextProbeAt } = health
  if (failingSince === null)
    return { failures, firstFailureAt, ...(failures < failuresToOpen || asksToWait ? closed : openedAt(endedAt)) }
  if (startedAt <= failingSince) return { failures, firstFailureAt, failingSince, failedProbes, nextProbeAt }
  const waitMs = Math.min(firstProbeMs * 2 ** (failedProbes + 1), maxProbeMs)
  const next = { failedProbes: failedProbes + 1, nextProbeAt: after(endedAt, waitMs) }
  return { failures, firstFailureAt, failingSince, ...next }
}

/**
 * Returns true if nothing more should be sent: five days without a success, and at least ten failures. The days count
 * from the first failure, so that an endpoint without events isn't given up.
 */
export function isGivenUp({ failures, firstFailureAt }: Health, now: Date): boolean {
  return failures >= giveUpFailures && firstFailureAt !== null && firstFailureAt <= after(now, -giveUpMs)
}

/** Returns true if the breaker lets nothing through now, except what a caller asks for. */
export function isHeldBack({ failingSince, nextProbeAt }: Health, now: Date): boolean {
  return failingSince !== null && nextProbeAt !== null && nextProbeAt > now
}

function openedAt(now: Date) {
  return { failingSince: now, nextProbeAt: after(now, firstProbeMs), failedProbes: 0 }
}
