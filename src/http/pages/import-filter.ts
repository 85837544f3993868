// Owns the form of the filter of imports.
import { after } from '../../base/clock.ts'
import { attentions, states } from '../../model/import-state.ts'
import { stateBadge, words } from './format.ts'
import { exact, Html, html } from './html.ts'
import { linkWith, metadataText } from './query.ts'

const presets = [
  ['last hour', 3_600_000],
  ['last 24 h', 86_400_000],
  ['last 7 days', 7 * 86_400_000],
] as const

export interface FilterFormContent {
  path: string
  query: URLSearchParams
  /** The names of the connections and the providers. */
  /** Null: there are too many to choose from. */
  connections: readonly string[] | null
  providers: readonly string[]
  now: Date
}

export function filterForm({ path, query, connections, providers, now }: FilterFormContent): Html {
  const value = (name: string) => query.get(name) ?? ''
  const chosen = new Set(value('state').split(','))
  const isOpen = [...query.keys()].some((name) => !['state', 'order', 'after', 'limit', 'jobIdPrefix'].includes(name))
  return html`<form class="card filter" method="get" action="${path}">
<div class="fields">
<label class="wide">Job id begins with <input type="search" name="jobIdPrefix" value="${exact(value('jobIdPrefix'))}" autocomplete="off" spellcheck="false"></label>
<label>Connection ${
    connections === null
      ? html`<input name="connection" value="${exact(value('connection'))}" autocomplete="off" spellcheck="false">`
      : select('connection', connections, value('connection'))
  }</label>
<label>Order ${select('order', ['newest', 'oldest'], value('order'), { any: null })}</label>
</div>
<fieldset class="choices"><legend>State</legend>${states.map(
    (state) =>
      html`<label class="choice"><input type="checkbox" name="state" value="${state}" ${flag('checked', chosen.has(state))}>${stateBadge(state)}</label>`,
  )}</fieldset>
<details ${flag('open', isOpen)}><summary>More filters</summary>
<div class="fields">
<label>Provider ${select('provider', providers, value('provider'))}</label>
<label>Attention ${select('attention', attentions, value('attention'), { write: words })}</label>
<label>Job id, exactly <input name="jobId" value="${exact(value('jobId'))}" autocomplete="off" spellcheck="false"></label>
<label class="wide">Metadata, such as <code>team=sales, run=42</code> <input name="metadata" value="${exact(metadataText(query))}" autocomplete="off" spellcheck="false"></label>
${range({ path, query, now }, 'registered', 'Registered')}
${range({ path, query, now }, 'finished', 'Ended')}
</div>
</details>
<div class="actions"><button class="primary">Filter</button>${query.size > 0 ? html`<a class="button" href="${path}">Clear</a>` : null}</div>
</form>`
}

function range(
  { path, query, now }: Pick<FilterFormContent, 'path' | 'query' | 'now'>,
  name: 'registered' | 'finished',
  title: string,
): Html {
  const field = (end: 'After' | 'Before', text: string) =>
    html`<label>${text} <input type="datetime-local" step="1" name="${name}${end}" value="${local(query.get(`${name}${end}`))}"></label>`
  const links = presets.map(([text, ms]) => {
    const from = after(now, -ms)
    from.setUTCMilliseconds(0)
    const changes = { [`${name}After`]: from.toISOString(), [`${name}Before`]: null, after: null }
    return html`<a href="${linkWith(path, query, changes)}">${text}</a>`
  })
  return html`<fieldset class="range"><legend>${title} <small>UTC</small></legend>${field('After', 'from')}${field('Before', 'until')}<span class="presets">${links}</span></fieldset>`
}

/** As a field of a form has it: without its zone. */
function local(iso: string | null): string {
  const time = iso === null ? Number.NaN : Date.parse(iso)
  return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 19)
}

function select(
  name: string,
  options: readonly string[],
  chosen: string,
  { any = 'any', write = String }: { any?: string | null; write?: (option: string) => string } = {},
): Html {
  const known = chosen === '' || options.includes(chosen) ? options : [chosen, ...options]
  return html`<select name="${name}">${any === null ? null : html`<option value="">${any}</option>`}${known.map(
    (option) => html`<option value="${option}" ${flag('selected', option === chosen)}>${write(option)}</option>`,
  )}</select>`
}

function flag(name: 'checked' | 'selected' | 'open', isSet: boolean): Html | null {
  return isSet ? new Html(name) : null
}
