// Owns what changes of progress say about the time that remains. Pure.

/** A change of progress: when polling first saw it (epoch ms), and the progress, 0 to 1. */
export type ProgressChange = [at: number, progress: number]

/** The speed is that of the last few changes. */
const changesOfSpeed = 6
/** More are kept, so that an end teaches how far off each of them was. */
const keptChanges = 24
/** At 100 % this share of the time so far is foretold to remain, until the vendor's own is learnt. */
const restAtFull = 0.03
/** Progress that hardly moves would foretell no end at all. */
const longestRestMs = 1e12
/** The error of what progress foretells is learnt for each part of the way: these are the parts' ends. */
export const partsOfTheWay: readonly number[] = [0.25, 0.5, 0.75, 0.9, 0.999, Number.POSITIVE_INFINITY]

export interface Pace {
  /** When the last change was seen. */
  at: number
  /** The foretold rest at the last change. */
  remainingMs: number
  tickMs: number
  full: boolean
  part: number
}

/**
 * Returns the changes of progress with a new observation. Only the last few are kept, and they start afresh if progress
 * goes backwards.
 */
export function trackProgress(
  changes: readonly ProgressChange[],
  now: number,
  progress: number | null,
): ProgressChange[] {
  if (progress === null) return [...changes]
  const last = changes.at(-1)
  if (last && last[1] === progress) return [...changes]
  if (last && progress < last[1]) return [[now, progress]]
  return [...changes, [now, progress] satisfies ProgressChange].slice(-keptChanges)
}

/** Returns null if there are fewer than two changes. */
export function readPace(all: readonly ProgressChange[], startedAt: number): Pace | null {
  const changes = all.slice(-changesOfSpeed)
  const first = changes[0]
  const last = changes.at(-1)
  if (!first || !last || changes.length < 2 || !(last[0] > first[0]) || !(last[1] > first[1])) return null
  const [at, progress] = last
  const part = partsOfTheWay.findIndex((upTo) => progress < upTo)
  const tickMs = (at - first[0]) / (changes.length - 1)
  const full = progress >= 1
  const speed = (progress - first[1]) / (at - first[0])
  const remainingMs = full ? restAtFull * Math.max(at - startedAt, 1_000) : (1 - progress) / speed
  return { at, remainingMs: Math.min(Math.max(remainingMs, 1), longestRestMs), tickMs, full, part }
}
