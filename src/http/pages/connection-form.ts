// Owns the form of a connection: the fields that its provider asks for, and those that all have.
import type { ApiProviderSummary } from '../../catalog/present.ts'
import type { Provider } from '../../providers/contract.ts'
import { chosenAlternative, chosenField, rates, secretName, spanLabels, spans } from './connection-input.ts'
import { durationText } from './duration-field.ts'
import { linesField, refusalNotice, secretField, seenField, selectField, textField } from './fields.ts'
import type { Form } from './form.ts'
import { number } from './format.ts'
import { Html, html } from './html.ts'
import { keyField } from './posted.ts'
import { type AskedField, askedCredentials, askedSettings } from './provider-fields.ts'

export interface ConnectionFormContent {
  form: Form
  provider: Provider
  /** Where it is posted to, and where it leads back to. */
  action: string
  back: string
  /** The names of the credentials that are stored. Null: it is a new connection. */
  stored: readonly string[] | null
  /** Where its provider is documented. Null: nowhere. */
  docs: string | null
  /** What the form is rendered from. Null: it is a new connection. */
  seen: string | null
}

export function connectionForm({ form, provider, action, back, stored, docs, seen }: ConnectionFormContent): Html {
  const settings = askedSettings(provider)
  const isNew = stored === null
  return html`<form class="card form" method="post" action="${action}">${keyField(form)}${seen === null ? null : seenField(seen)}
${refusalNotice(form, namesIn(provider), isNew ? 'The connection wasn’t made.' : 'Nothing was changed.')}
${isNew ? html`<input type="hidden" name="provider" value="${provider.name}">` : null}
<div class="fields">
${isNew ? textField(form, { name: 'name', label: 'Name', required: true, hint: 'How imports and events call it: letters, digits, “.”, “_”, “~” and “-”.' }) : null}
${textField(form, {
  name: 'baseUrl',
  label: 'Base URL',
  required: provider.defaultBaseUrl === null,
  placeholder: 'https://',
  hint: provider.defaultBaseUrl === null ? 'Each customer has an own one.' : `Left blank: ${provider.defaultBaseUrl}`,
})}
</div>
<h2>Credentials</h2>
<p><small>Stored encrypted, and never shown again.</small>${docs === null ? null : html` <a href="${docs}">Where to find them</a>`}</p>
${credentialFields(form, provider, stored ?? [])}
${settings.length === 0 ? null : html`<h2>Settings</h2><div class="fields">${settings.map((asked) => settingField(form, asked))}</div>`}
${moreFields(form, provider)}
<div class="actions"><button class="primary">${isNew ? 'Make the connection' : 'Save the changes'}</button><a class="button" href="${back}">Cancel</a></div>
</form>`
}

/** The fields that show their own complaints. */
function namesIn(provider: Provider): string[] {
  const credentials = askedCredentials(provider).flatMap(({ fields }, index) =>
    fields.map(({ name }) => secretName(index, name)),
  )
  const settings = askedSettings(provider).map(({ name }) => `settings.${name}`)
  const limits = [...rates, 'maxInFlight', ...spans].map((name) => `limits.${name}`)
  return ['name', 'baseUrl', 'volatileFields', 'baselineBy', ...credentials, ...settings, ...limits]
}

/** Of several alternatives the chosen one is open, which needs no script. */
function credentialFields(form: Form, provider: Provider, stored: readonly string[]): Html {
  const alternatives = askedCredentials(provider)
  const chosen = chosenAlternative(form, provider)
  return html`${alternatives.map(({ fields }, index) => {
    const isStored = fields.every(({ name }) => stored.includes(name)) && fields.length === stored.length
    const shown = html`<div class="fields">${fields.map(({ name, hint, isRequired, kind }) =>
      secretField(form, {
        name: secretName(index, name),
        label: name,
        hint,
        stored: stored.includes(name),
        lines: kind === 'lines',
        required: isRequired && alternatives.length === 1,
        // If they were required, a browser would demand the fields of alternatives that aren't chosen.
        alternative: alternatives.length > 1,
      }),
    )}</div>`
    if (alternatives.length === 1) return shown
    return html`<fieldset class="alternative"><legend><label class="choice"><input type="radio" name="${chosenField}" value="${index}"${index === chosen ? new Html(' checked') : null}>${fields.map(({ name }) => name).join(', ')}${isStored ? html` <small>stored</small>` : null}</label></legend>${shown}</fieldset>`
  })}`
}

function settingField(form: Form, { name, hint, isRequired, kind, options }: AskedField): Html {
  const field = { name: `settings.${name}`, label: name, hint, required: isRequired }
  if (kind === 'choice')
    return selectField(form, { ...field, options: [['', isRequired ? 'choose one …' : 'the default'], ...options] })
  return kind === 'list' ? linesField(form, { ...field, hint: hint ?? 'One on each line.' }) : textField(form, field)
}

function moreFields(form: Form, provider: Provider): Html {
  const { defaultLimits: defaults } = provider
  const rate = (name: (typeof rates)[number], label: string) =>
    textField(form, {
      name: `limits.${name}`,
      label,
      placeholder: defaults[name] === null ? 'no limit' : number(defaults[name]),
    })
  const span = (name: (typeof spans)[number]) =>
    textField(form, { name: `limits.${name}`, label: spanLabels[name], placeholder: durationText(defaults[name]) })
  const names = [...rates, 'maxInFlight', ...spans].map((name) => `limits.${name}`)
  const isOpen = [...names, 'volatileFields', 'baselineBy'].some(
    (name) => form.value(name) !== '' || form.refusal?.errors.some(({ field }) => field.startsWith(name)),
  )
  return html`<details${isOpen ? new Html(' open') : null}><summary>Limits, and what is usual</summary>
<p><small>What is left blank is the provider’s default, which the field shows.</small></p>
<div class="fields">
${rate('requestsPerSecond', 'Requests a second')}${rate('requestsPerMinute', 'Requests a minute')}${rate('requestsPerDay', 'Requests a day')}${rate('requestsPerMonth', 'Requests a month')}
${textField(form, { name: 'limits.maxInFlight', label: 'Requests at once', placeholder: number(defaults.maxInFlight) })}
${spans.map(span)}
${textField(form, { name: 'baselineBy', label: 'Told apart by', hint: 'Keys of the metadata, separated by commas: imports with equal values are expected to take equally long.' })}
${linesField(form, { name: 'volatileFields', label: 'Volatile fields', placeholder: '/result/generatedAt', hint: 'JSON Pointers, one on each line, of fields that change with time alone.' })}
</div></details>`
}

/** What a new connection begins with: the choice of a provider. */
export function providerChoice(providers: readonly ApiProviderSummary[], path: string): Html {
  return html`<section class="card" aria-labelledby="providers"><h2 id="providers">Which provider?</h2>
<ul class="choice-list">${providers.map(
    ({ name, title, source }) =>
      html`<li><a href="${path}?${new URLSearchParams({ provider: name }).toString()}">${title}</a> <small>${[...(title === name ? [] : [name]), ...(source === 'uploaded' ? ['uploaded'] : [])].join(', ')}</small></li>`,
  )}</ul>
<p><small>Another one is described by a document of its own, which <code>PUT /v1/providers/{name}</code> uploads.</small></p></section>`
}
