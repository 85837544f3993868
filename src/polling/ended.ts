// Owns what a poll that saw an import over keeps of it: how long it ran, and what that teaches. Pure.
import type { Ended } from '../baselines/keep.ts'
import type { Ran } from '../imports/observation.ts'
import type { Assessment } from './assess.ts'
import type { Poll } from './begin.ts'
import type { Span } from './span.ts'

interface Assessed {
  item: Poll
  assessment: Assessment
  polledAt: Date
}

/** Imports that were canceled, or that nobody can tell about, say nothing about how long others take. */
export function endedOf({ item, assessment }: Assessed): Ended[] {
  const { kind, baseline, connectionBaseline, ownerId, tracked } = item
  const span = spanIn(assessment)
  if (span === null || (assessment.kind === 'changed' && assessment.to === 'canceled')) return []
  const { progressChanges } = tracked
  return [{ ...span, connectionId: ownerId, kind, baseline, connectionBaseline, progressChanges }]
}

/** Returns nulls if the import isn't over. */
export function ranOf({ item, assessment, polledAt }: Assessed): Ran {
  const isOver = assessment.kind === 'settled' || (assessment.kind === 'changed' && assessment.next === null)
  if (!isOver) return { ms: null, detectionGapMs: null }
  const span = spanIn(assessment)
  const { seenAt } = item.tracked
  return {
    ms: span && Math.round(span.endedAt - span.startedAt),
    detectionGapMs: seenAt && Math.max(polledAt.getTime() - seenAt.getTime(), 0),
  }
}

function spanIn(assessment: Assessment): Span | null {
  return assessment.kind === 'changed' || assessment.kind === 'settled' ? assessment.span : null
}
