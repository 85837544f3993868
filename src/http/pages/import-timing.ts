// Owns the words for how long an import has run, how that compares, and when it is likely to end.
import { isOver } from '../../model/import-state.ts'
import { duration, when } from './format.ts'
import { type Html, html } from './html.ts'
import type { About } from './import-about.ts'

/** `for 6 min, usually 5 min 22 s: now 1.1 times that`. Empty: the known times don't tell. */
export function timing({ one, resumedAt, now }: Pick<About, 'one' | 'resumedAt' | 'now'>): string {
  const over = isOver(one.state)
  const { ms, isResumed } = over ? ranFor(one, resumedAt) : runningFor(one, resumedAt, now)
  if (!(ms >= 0)) return ''
  const live = `for ${ms < 1_000 ? 'less than 1 s' : duration(ms)}${isResumed ? ' since it was resumed' : ''}`
  const text = over ? `took ${duration(ms)}` : live
  if (one.usualDurationMs === null || one.usualDurationMs <= 0) return text
  const usual = `${text}, usually ${duration(one.usualDurationMs)}`
  const times = (ms / one.usualDurationMs).toFixed(1)
  return times === '0.0' ? usual : `${usual}: ${over ? '' : 'now '}${times} times that`
}

interface Ran {
  /** NaN: the known times don't tell. */
  ms: number
  isResumed: boolean
}

/** A reader of a resumed import waits since the resume, however long ago the job began. Polling counts so, too. */
function runningFor(one: About['one'], resumedAt: string | null, now: Date): Ran {
  const began = Date.parse(one.providerStartedAt ?? one.registeredAt)
  const resumed = resumedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(resumedAt)
  return { ms: now.getTime() - Math.max(began, resumed), isResumed: resumed > began }
}

/**
 * The service polled nothing between the stop and the resume, and the import may have ended then. So only the provider's
 * own times tell how long a resumed import took.
 */
function ranFor(one: About['one'], resumedAt: string | null): Ran {
  const { providerStartedAt, providerFinishedAt, registeredAt, finishedAt } = one
  const isTold = providerStartedAt !== null && providerFinishedAt !== null
  const end = providerFinishedAt ?? finishedAt
  if (end === null || (resumedAt !== null && !isTold)) return { ms: Number.NaN, isResumed: false }
  return { ms: Date.parse(end) - Date.parse(providerStartedAt ?? registeredAt), isResumed: false }
}

/** The foreseen moments may have passed by now: all three, or the earlier ones. */
export function remaining({ one, now, pause }: Pick<About, 'one' | 'now' | 'pause'>): Html | null {
  if (one.eta === null || pause !== null) return null
  const [likely = 0, from = 0, to = 0] = [one.eta.at, one.eta.earliest, one.eta.latest].map(
    (moment) => (Date.parse(moment) - now.getTime()) / 1_000,
  )
  if (to <= 0) return html` <span>may end at any moment: it was expected to be over by now</span>`
  const latest = duration(Math.ceil(to) * 1_000)
  const span =
    from < 1 ? `at most ${latest} from now` : `between ${duration(Math.floor(from) * 1_000)} and ${latest} from now`
  return html` <span>${likely < 1 ? 'may end at any moment' : html`ends ${when(one.eta.at, now)}`} <small>${span}</small></span>`
}
