// Owns what the page of an import says first: its state, its progress, its times and its metadata.
import { isOver } from '../../model/import-state.ts'
import { connectionPath } from './connection-path.ts'
import { whyPaused } from './connection-table.ts'
import { at, counted, joined, number, progressBar, stateBadge, when, words } from './format.ts'
import { type Html, html } from './html.ts'
import type { About } from './import-about.ts'
import { skippedOf } from './import-table.ts'
import { remaining, timing } from './import-timing.ts'

export function importFacts(about: About): Html {
  const { one, now, basePath } = about
  const connection = connectionPath(basePath, one.connection)
  return html`<section class="card" aria-label="What is known">
<p class="lead"><span data-told>${stateBadge(one.state)}</span>${one.lostReason === null ? null : html` <span>${words(one.lostReason)}</span>`}${one.progress === null ? null : html` ${progressBar(one.progress)}`} <span>${timing(about)}</span>${remaining(about)}</p>
${paused(about)}
${one.attention === null ? null : html`<p class="notice warn"><b>Needs attention:</b> ${words(one.attention)}. ${attentionTexts[one.attention] ?? null}</p>`}
${one.lastError === null ? null : html`<p class="notice bad"><b>Last error:</b> ${words(one.lastError.code)}, ${when(one.lastError.at, now)}. ${one.lastError.message}</p>`}
${one.details.lastError === null ? null : html`<p class="notice warn"><b>Rows:</b> ${words(one.details.lastError.code)}, ${when(one.details.lastError.at, now)}. ${one.details.lastError.message}</p>`}
${shortfall(about)}
<div class="columns">
<dl class="facts">
<dt>Connection</dt><dd><a href="${connection}">${one.connection}</a> <small>${one.provider}</small></dd>
<dt>Provider says</dt><dd>${one.providerStatus === null ? '–' : html`<code>${one.providerStatus}</code>`}${one.message === null ? null : html` ${one.message}`}</dd>
<dt>Registered</dt><dd>${at(one.registeredAt, now)}</dd>
<dt>Started</dt><dd>${at(one.providerStartedAt, now)}</dd>
<dt>${isOver(one.state) ? (one.state === 'stopped' ? 'Stopped' : 'Seen to be over') : 'Next poll'}</dt><dd>${isOver(one.state) ? at(one.finishedAt, now) : nextPoll(about)}</dd>
<dt>Last poll</dt><dd>${at(one.lastPolledAt, now)}</dd>
<dt>Polls</dt><dd class="number">${number(one.polls)}</dd>
</dl>
${rowFacts(about)}
</div>
${metadata(about)}
<p><small>Id <code>${one.id}</code></small></p>
</section>`
}

/** Why it is partial: what is missing of it, with links to where that is listed. Null: it isn't partial. */
function shortfall({ one, one: { state, rows, details } }: About): Html | null {
  if (state !== 'partial') return null
  const part = (count: number | null, text: string, id: string | null) =>
    count === null || count === 0 ? null : id === null ? html`${text}` : html`<a href="#${id}">${text}</a>`
  const skipped = skippedOf(one)
  const parts = [
    part(rows.failed, `${counted(rows.failed ?? 0, 'row')} failed`, details.rowResults > 0 ? 'row-results' : null),
    part(skipped, `${counted(skipped ?? 0, 'line')} skipped`, details.skippedLines > 0 ? 'skipped-lines' : null),
  ].filter((one) => one !== null)
  const why = parts.length === 0 ? html`The provider says so, and gives no counts` : joined(parts, ', ')
  return html`<p class="notice warn"><b>Why partial:</b> ${why}.</p>`
}

/** Says that it waits for its connection. Null: it doesn't. */
function paused({ one, pause, now, basePath }: About): Html | null {
  if (pause === null) return null
  const connection = html`<a href="${connectionPath(basePath, one.connection)}">${one.connection}</a>`
  return html`<p class="notice bad"><b>Waiting:</b> its connection ${connection} is paused ${when(pause.pausedAt, now)}, because the provider ${whyPaused(pause.pauseReason)}.</p>`
}

/** A poll that is due is made as soon as a worker and the connection’s limits have room for it. */
function nextPoll({ one: { nextPollAt }, pause, now }: About): Html {
  if (pause !== null) return html`once its connection is asked again`
  if (nextPollAt !== null && Date.parse(nextPollAt) <= now.getTime()) return html`due ${at(nextPollAt, now)}`
  return at(nextPollAt, now)
}

function rowFacts({ one: { rows, details }, one }: About): Html {
  const counts: [string, number | null][] = [
    ['Rows', rows.total],
    ['Processed', rows.processed],
    ['Succeeded', rows.succeeded],
    ['Failed', rows.failed],
    ['Inserted', rows.inserted],
    ['Updated', rows.updated],
    ['Skipped', skippedOf(one)],
  ]
  return html`<dl class="facts numbers">${counts.map(([name, count]) => html`<dt>${name}</dt><dd>${number(count)}</dd>`)}
<dt>Details</dt><dd>${words(details.state)}</dd></dl>`
}

function metadata({ one, basePath }: About): Html | null {
  const entries = Object.entries(one.metadata)
  if (entries.length === 0) return null
  return html`<dl class="facts metadata" aria-label="Metadata">${entries.map(([key, value]) => {
    const isScalar = value === null || typeof value !== 'object' || 'rawJSON' in value
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const query = new URLSearchParams({ [`metadata.${key}`]: text })
    const shown = html`<code>${text}</code>`
    return html`<dt>${key}</dt><dd>${isScalar ? html`<a href="${basePath}/imports?${query.toString()}">${shown}</a>` : shown}</dd>`
  })}</dl>`
}

const attentionTexts: Record<string, string> = {
  unmapped_status: 'The provider reports a status that nobody has mapped; its raw answer is in the timeline.',
  forbidden: 'The provider refuses calls about this import.',
  outcome_incomplete: 'The provider says that it is done, but what shows its outcome is missing.',
  budget: 'The connection’s request budget is too small to poll it as often as it should be.',
  stalled: 'Its progress hasn’t moved for a long time.',
  overdue: 'It takes much longer than is usual for its connection.',
}
