// Owns what attempts say about the endpoint: when its breaker opens, when it is probed, and when it is given up. Pure.
import { after } from '../../base/clock.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** Failures in a row that open the breaker. */
const failuresToOpen = 5
const firstProbeMs = minute
export const maxProbeMs = 30 * minute
/** An endpoint is given up after failing for this long, and this often, without a success. */
const giveUpMs = 5 * day
const giveUpFailures = 10

/** What is kept of an endpoint's attempts, those that somebody asked for included. */
export interface Health {
  /** Since the last success. */
  failures: number
  firstFailureAt: Date | null
  /** Since when the breaker is open: one delivery is tried at a time, and the others wait without using up attempts. */
  failingSince: Date | null
  nextProbeAt: Date | null
  failedProbes: number
}

const closed = { failingSince: null, nextProbeAt: null, failedProbes: 0 }

/** No failures, as after a success. */
export const healthy: Health = { failures: 0, firstFailureAt: null, ...closed }

export interface Failure {
  startedAt: Date
  endedAt: Date
  /** It was answered with how long to wait (429, 503): whoever says so isn't dead, and is left alone for as long. */
  asksToWait: boolean
}

/** Counts a failure. One that was under way already when the breaker opened is no probe. */
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
 * Whether to send no more: five days without a success, and ten failures or more. The days count from the first of the
 * failures, so that an endpoint isn't given up for having had nothing to do.
 */
export function isGivenUp({ failures, firstFailureAt }: Health, now: Date): boolean {
  return failures >= giveUpFailures && firstFailureAt !== null && firstFailureAt <= after(now, -giveUpMs)
}

/** Whether the breaker lets nothing through at this moment, but what somebody asks for. */
export function isHeldBack({ failingSince, nextProbeAt }: Health, now: Date): boolean {
  return failingSince !== null && nextProbeAt !== null && nextProbeAt > now
}

function openedAt(now: Date) {
  return { failingSince: now, nextProbeAt: after(now, firstProbeMs), failedProbes: 0 }
}
