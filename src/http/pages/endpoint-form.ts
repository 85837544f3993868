// Owns the form of a webhook endpoint, for making and for changing one.
import { AppError, type FieldError } from '../../api/refusal.ts'
import { defaultEventTypes, eventTypes } from '../../model/event-types.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import {
  checkField,
  complaint,
  isTypedAndRefused,
  linesField,
  refusalNotice,
  seenField,
  textField,
  typeAgain,
} from './fields.ts'
import { type Form, formOf, itemsOf, pairsOf, textOf, textOfField } from './form.ts'
import { exact, Html, html } from './html.ts'
import { keyField } from './posted.ts'

const mostHeaders = 10
const blankHeaders = 2

export interface EndpointInput {
  url: string
  types: string[]
  connections: string[] | null
  providers: string[] | null
  metadata: Record<string, unknown> | null
  /** New values. */
  headers: Record<string, string>
  /** The names of stored headers whose values stay. */
  keptHeaders: string[]
  /** What can be said of the form before the API reads it. */
  errors: FieldError[]
}

/** @param old what the endpoint was. Null: it is a new one. */
export function endpointInput(form: Form, old: Pick<ApiEndpoint, 'headers' | 'metadata'> | null): EndpointInput {
  const stored = Object.keys(old?.headers ?? {})
  const errors: FieldError[] = []
  const listOf = (name: string) => {
    const items = itemsOf(form.value(name))
    return items.length === 0 ? null : items
  }
  let metadata: EndpointInput['metadata'] = null
  const isUntouched = old !== null && textOfField(form.value('metadata')) === metadataText(old.metadata)
  if (isUntouched) metadata = old.metadata
  else
    try {
      const pairs = pairsOf(form.value('metadata'), 'metadata')
      metadata = Object.keys(pairs).length === 0 ? null : typed(pairs, old?.metadata ?? {})
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      errors.push(...error.errors)
    }
  const headers = new Map<string, string>()
  const keptHeaders: string[] = []
  const values = form.values('headerValue')
  const seen = new Set<string>()
  const refuse = (message: string) => errors.push({ field: 'headers', message })
  for (const [index, given] of form.values('headerName').entries()) {
    const name = given.trim()
    const value = (values[index] ?? '').trim()
    const kept = stored.find((one) => one.toLowerCase() === name.toLowerCase())
    if (name === '' && value === '') continue
    if (name === '') refuse('must have a name for each value')
    else if (name === '__proto__') refuse('must not be called __proto__, which can’t be kept')
    else if (seen.has(name.toLowerCase())) refuse(`must have each name once, in whatever case; ${name} is there twice`)
    else if (value !== '') headers.set(name, value)
    else if (kept !== undefined) keptHeaders.push(kept)
    else refuse(`must have a value for ${name}`)
    seen.add(name.toLowerCase())
  }
  return {
    url: form.value('url').trim(),
    types: form.values('types').filter((type) => type !== ''),
    connections: listOf('connections'),
    providers: listOf('providers'),
    metadata,
    headers: Object.fromEntries(headers),
    keptHeaders,
    errors,
  }
}

/** What is left as it was stays a number, or true or false. */
function typed(pairs: Record<string, string>, old: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(pairs)
  return Object.fromEntries(given.map(([key, text]) => [key, text === textOf(old[key]) ? old[key] : text]))
}

/** What can't be written a line each, such as a key with `=`, stays as long as nobody changes this text. */
function metadataText(metadata: ApiEndpoint['metadata']): string {
  return Object.entries(metadata ?? {})
    .map(([key, value]) => `${key}=${textOf(value)}`)
    .join('\n')
}

export function newEndpointForm(): Form {
  return formOf({ types: defaultEventTypes })
}

export function formOfEndpoint(one: ApiEndpoint): Form {
  return formOf({
    url: one.url,
    types: one.types,
    connections: one.connections?.join(', ') ?? '',
    providers: one.providers?.join(', ') ?? '',
    metadata: metadataText(one.metadata),
    headerName: Object.keys(one.headers),
  })
}

export interface EndpointFormContent {
  action: string
  back: string | null
  /** The names of the headers whose values are stored. Null: it is a new endpoint. */
  stored: readonly string[] | null
  /** What the form is rendered from. Null: it is a new endpoint. */
  seen: string | null
}

export function endpointForm(form: Form, { action, back, stored, seen }: EndpointFormContent): Html {
  const isNew = stored === null
  const names = ['url', 'types', 'connections', 'providers', 'metadata', 'headers']
  const isNarrow = ['connections', 'providers', 'metadata', 'headerName'].some((name) => form.value(name) !== '')
  return html`<form method="post" action="${action}" class="form">${keyField(form)}${seen === null ? null : seenField(seen)}
${refusalNotice(form, names, isNew ? 'The endpoint wasn’t made.' : 'Nothing was changed.')}
<div class="fields">${textField(form, { name: 'url', label: 'URL', type: 'url', required: true, wide: true, placeholder: 'https://example.com/hooks' })}</div>
<fieldset class="choices"><legend>Event types</legend>${eventTypes.map((type) =>
    checkField(form, { name: 'types', label: type, value: type }),
  )}${complaint(form, 'types')}</fieldset>
<details${isNarrow || form.refusal !== null ? new Html(' open') : null}><summary>Only some imports, and headers of your own</summary><div class="fields">
${textField(form, { name: 'connections', label: 'Connections', placeholder: 'all', hint: 'Names, separated by commas.' })}
${textField(form, { name: 'providers', label: 'Providers', placeholder: 'all', hint: 'Names, separated by commas.' })}
${linesField(form, { name: 'metadata', label: 'Metadata', placeholder: 'team=sales', hint: 'A key and a value on each line. Only imports that have all of them.' })}
</div>${headerFields(form, stored ?? [])}</details>
<div class="actions"><button class="primary">${isNew ? 'Create the endpoint' : 'Save the changes'}</button>${back === null ? null : html`<a class="button" href="${back}">Cancel</a>`}</div>
</form>`
}

/** Values go in, and never out: a blank one of a stored header stays, and one without its name goes. */
function headerFields(form: Form, stored: readonly string[]): Html {
  const names = form.values('headerName').filter((name) => name.trim() !== '')
  const rows = [...names, ...Array.from({ length: Math.min(blankHeaders, mostHeaders - names.length) }, () => '')]
  const values = form
    .values('headerName')
    .flatMap((name, index) => (name.trim() === '' ? [] : [form.values('headerValue')[index] ?? '']))
  return html`<fieldset class="headers"><legend>Headers to send with each webhook, such as Authorization</legend>${complaint(form, 'headers')}
${rows.map((name, index) => {
  const isStored = stored.some((one) => one.toLowerCase() === name.trim().toLowerCase())
  const isLost = isTypedAndRefused(form, values[index] ?? '')
  return html`<div class="header"><input name="headerName" value="${exact(name)}" aria-label="Name of header ${index + 1}" placeholder="Name" autocomplete="off" spellcheck="false"><input type="password" name="headerValue" aria-label="Value of header ${index + 1}" placeholder="${isLost ? typeAgain : isStored ? 'stored: leave it blank to keep it' : 'Value'}"${isLost ? new Html(' required') : null} autocomplete="new-password"></div>`
})}</fieldset>`
}
