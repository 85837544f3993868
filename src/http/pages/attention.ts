// Owns what needs a person's attention, the worst first, each with a link to where it is mended.
import { maxPageSize, type Page, type PageQuery } from '../../api/paging.ts'
import { after, type Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import { listConnections } from '../../connections/read.ts'
import type { Database } from '../../db/client.ts'
import { countNeedingAttention } from '../../imports/need-attention.ts'
import type { Attention } from '../../model/import-state.ts'
import { countExhausted } from '../../webhooks/deliveries/read.ts'
import { listEndpoints } from '../../webhooks/endpoints/read.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { connectionPath } from './connection-path.ts'
import { badge, counted, duration, number, stamp } from './format.ts'
import { type Html, html } from './html.ts'

const dayMs = 86_400_000
/** A delivery is tried for some four days, and then there is time to see that it failed. */
const exhaustedDays = 7
const shownItems = 20

interface Item {
  kind: 'bad' | 'warn'
  text: string
  /** What to do, and where, below the base path. */
  verb: string
  path: string
  /** Where an admin mends it at once. */
  forAdmins?: { verb: string; path: string }
}

export interface NeedsAttention {
  items: Item[]
  lookedAt: string
}

interface Deps {
  db: Database
  clock: Clock
  encryption: Encryption
}

export async function findAttention(deps: Deps): Promise<NeedsAttention> {
  const now = deps.clock.now()
  const since = after(now, -dayMs)
  since.setUTCMilliseconds(0)
  const exhaustedSince = after(since, (1 - exhaustedDays) * dayMs)
  const [connections, endpoints, imports, exhausted] = await Promise.all([
    all((page) => listConnections(deps, page)),
    all((page) => listEndpoints(deps, page)),
    countNeedingAttention(deps, since),
    countExhausted(deps, exhaustedSince),
  ])
  const items: Item[] = []
  const failing: Item[] = []
  const byHand: Item[] = []
  for (const { name, pausedAt, pauseReason } of connections)
    if (pausedAt !== null)
      items.push({
        kind: 'bad',
        text: `The connection ${name} is paused: ${pauseReason === 'forbidden' ? 'its imports are refused' : 'its credentials are refused'}.`,
        verb: 'Mend it',
        path: connectionPath('', name),
      })
  for (const { id, url, enabled, disabledReason, failingSince } of endpoints) {
    const path = `/webhooks/${id}`
    const of = `The endpoint ${shownUrl(url)}`
    if (!enabled && disabledReason === 'manual')
      byHand.push({ kind: 'warn', text: `${of} is disabled by hand: nothing is sent to it.`, verb: 'Enable it', path })
    else if (!enabled)
      items.push({ kind: 'bad', text: `${of} is disabled: it was given up.`, verb: 'Look at it', path })
    else if (failingSince !== null)
      failing.push({
        kind: 'bad',
        text: `${of} has been failing for ${duration(now.getTime() - Date.parse(failingSince))}.`,
        verb: 'Look at it',
        path,
      })
  }
  items.push(...failing)
  items.push(...countedAs(graveAttentions, imports.byAttention))
  if (imports.lost > 0)
    items.push({
      kind: 'warn',
      text: `${counted(imports.lost, 'import')} lost in the last day: nobody can know how they ended.`,
      verb: 'See why',
      path: `/imports?${new URLSearchParams({ finishedAfter: since.toISOString(), state: 'lost' })}`,
    })
  const urls = new Map(endpoints.map(({ id, url }) => [id, shownUrl(url)]))
  for (const [id, count] of exhausted)
    if (urls.has(id))
      items.push({
        kind: 'warn',
        text: `${counted(count, 'delivery', 'deliveries')} to ${urls.get(id)} failed for good, of those of the last ${exhaustedDays} days.`,
        verb: 'See which',
        path: `/webhooks/${id}?${new URLSearchParams({ createdAfter: exhaustedSince.toISOString(), state: 'exhausted' })}`,
        forAdmins: {
          verb: 'Recover them',
          path: `/webhooks/${id}/recover?${new URLSearchParams({ since: exhaustedSince.toISOString() })}`,
        },
      })
  items.push(...countedAs(slowAttentions, imports.byAttention), ...byHand)
  return { items, lookedAt: now.toISOString() }
}

/** Nothing that needs attention may be left out, however many there are. */
async function all<One>(list: (page: PageQuery) => Promise<Page<One>>): Promise<One[]> {
  const found: One[] = []
  for (let after: string | undefined; ; ) {
    const { data, next } = await list({ limit: maxPageSize, after })
    found.push(...data)
    if (next === null) return found
    after = next
  }
}

type AttentionText = readonly [Attention, text: string, verb: string]

/** The service can't learn how these imports end unless a person acts. */
const graveAttentions: readonly AttentionText[] = [
  ['unmapped_status', 'with a status that nobody has mapped', 'Look at the answers'],
  ['forbidden', 'refused by the provider', 'See which'],
]
/** These may still end by themselves. */
const slowAttentions: readonly AttentionText[] = [
  ['outcome_incomplete', 'said to be done without what shows it', 'See which'],
  ['stalled', 'whose progress hasn’t moved for long', 'See which'],
  ['overdue', 'taking much longer than usual', 'See which'],
  ['budget', 'polled less often than they should be, for want of requests', 'See the limits'],
]

function countedAs(texts: readonly AttentionText[], counts: ReadonlyMap<Attention, number>): Item[] {
  return texts.flatMap(([attention, text, verb]) => {
    const count = counts.get(attention) ?? 0
    const path = `/imports?attention=${attention}`
    return count === 0 ? [] : [{ kind: 'warn' as const, text: `${counted(count, 'import')} ${text}.`, verb, path }]
  })
}

export function attentionCard(
  { items, lookedAt }: NeedsAttention,
  { basePath, isAdmin }: { basePath: string; isAdmin: boolean },
): Html {
  const looked = html`<small>looked ${stamp(lookedAt)}</small>`
  if (items.length === 0)
    return html`<section class="card" aria-label="Needs attention"><p>${badge('good', '✓', 'All is well')} ${looked}</p></section>`
  const link = ({ verb, path }: Pick<Item, 'verb' | 'path'>) => html` <a href="${basePath}${path}">${verb}</a>`
  const list = (some: readonly Item[]) =>
    html`<ul class="attention">${some.map(
      (item) =>
        html`<li>${badge(item.kind, item.kind === 'bad' ? '✕' : '◐', '')}<span>${item.text}</span>${link(item)}${isAdmin && item.forAdmins ? link(item.forAdmins) : null}</li>`,
    )}</ul>`
  const rest = items.slice(shownItems)
  return html`<section class="card" aria-labelledby="attention"><h2 id="attention">Needs attention ${looked}</h2>
${list(items.slice(0, shownItems))}${
  rest.length === 0 ? null : html`<details><summary>and ${number(rest.length)} more</summary>${list(rest)}</details>`
}</section>`
}
