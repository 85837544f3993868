// Owns an endpoint's health in words.
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { countedDue } from '../../webhooks/endpoints/read.ts'
import { badge, duration, joined, number, when } from './format.ts'
import { type Html, html } from './html.ts'

/** `failing for 12 min · next try in 40 s · 214 waiting` */
export function endpointHealth(one: ApiEndpoint, waiting: number, now: Date): Html {
  const rest =
    waiting === 0
      ? null
      : html`<span class="number">${number(waiting)}${waiting < countedDue ? '' : ' or more'} waiting</span>`
  if (!one.enabled)
    return joined([badge('bad', '■', 'disabled'), html`${disabled[one.disabledReason ?? 'manual'] ?? ''}`, rest])
  if (one.failingSince !== null)
    return joined([
      badge('bad', '✕', `failing for ${duration(now.getTime() - Date.parse(one.failingSince))}`),
      one.nextProbeAt === null ? null : html`next try ${when(one.nextProbeAt, now)}`,
      rest,
    ])
  if (one.blockedUntil !== null && Date.parse(one.blockedUntil) > now.getTime())
    return joined([
      badge('warn', '◔', 'waiting'),
      html`the receiver asked for it, until ${when(one.blockedUntil, now)}`,
      rest,
    ])
  return joined([
    badge('good', '✓', 'healthy'),
    one.lastSuccessAt === null ? html`nothing sent yet` : html`last success ${when(one.lastSuccessAt, now)}`,
    rest,
  ])
}

const disabled: Record<string, string> = {
  manual: 'by a person',
  gone: 'the receiver answered 410',
  failing: 'nothing succeeded for five days',
}
