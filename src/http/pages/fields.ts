// Owns the fields of forms: a label above each, what was typed, a hint, and what the API says of it beside it.
import { AppError, type FieldError } from '../../api/refusal.ts'
import { type Form, textOfField } from './form.ts'
import { exact, Html, html } from './html.ts'

interface Field {
  /** As the API names it, so that its complaints find their place. */
  name: string
  label: string
  hint?: Html | string | null
  required?: boolean
  /** Of an alternative: it is neither required nor said to be optional. */
  alternative?: boolean
  /** Takes the whole width. */
  wide?: boolean
}

export function textField(
  form: Form,
  field: Field & { type?: 'text' | 'url'; placeholder?: string; focus?: boolean },
): Html {
  const { name, type = 'text', placeholder = '', focus = false } = field
  return around(
    form,
    field,
    html`<input type="${type}" ${attributes(form, field)} name="${name}" value="${exact(form.value(name))}" placeholder="${placeholder}" autocomplete="off" spellcheck="false"${focus ? new Html(' autofocus') : null}>`,
  )
}

/** What is typed into it is never shown again, not even when the form is. */
export function secretField(form: Form, field: Field & { stored: boolean; lines?: boolean }): Html {
  const { name, stored, lines = false, required = false } = field
  const isLost = isTypedAndRefused(form, form.value(name))
  const given = { ...field, required: isLost || (required && !stored), ...(isLost && { hint: typeAgain }) }
  const placeholder = stored && !isLost ? 'stored: leave it blank to keep it' : ''
  const shown = attributes(form, given)
  return around(
    form,
    given,
    lines
      ? html`<textarea ${shown} name="${name}" rows="4" placeholder="${placeholder}" autocomplete="off" spellcheck="false"></textarea>`
      : html`<input type="password" ${shown} name="${name}" placeholder="${placeholder}" autocomplete="new-password" spellcheck="false">`,
  )
}

export const typeAgain = 'Type it again: a form that is shown again holds no secrets.'

/** Returns true if a secret was typed into a form that was refused. Left blank, what is stored would stay. */
export function isTypedAndRefused({ refusal }: Form, secret: string): boolean {
  return refusal !== null && secret !== ''
}

export function linesField(form: Form, field: Field & { rows?: number; placeholder?: string }): Html {
  const { name, rows = 3, placeholder = '' } = field
  // A browser drops a first line break, so one more is given.
  return around(
    form,
    field,
    html`<textarea ${attributes(form, field)} name="${name}" rows="${rows}" placeholder="${placeholder}" autocomplete="off" spellcheck="false">
${exact(textOfField(form.value(name)))}</textarea>`,
  )
}

/** @param options values, or pairs of a value and its text. */
export function selectField(
  form: Form,
  field: Field & { options: readonly (string | readonly [value: string, text: string])[] },
): Html {
  const chosen = form.value(field.name)
  return around(
    form,
    field,
    html`<select ${attributes(form, field)} name="${field.name}">${field.options.map((option) => {
      const [value, text] = typeof option === 'string' ? [option, option] : option
      return html`<option value="${value}"${value === chosen ? new Html(' selected') : null}>${text}</option>`
    })}</select>`,
  )
}

export function checkField(form: Form, { name, label, value }: { name: string; label: string; value: string }): Html {
  const isChosen = form.values(name).includes(value)
  return html`<label class="choice"><input type="checkbox" name="${name}" value="${value}"${isChosen ? new Html(' checked') : null}>${label}</label>`
}

/** What the API says of one field, or of parts of it. Null: nothing. */
export function complaint(form: Form, name: string): Html | null {
  const errors = complaintsAbout(form, name)
  if (errors.length === 0) return null
  return html`<span class="complaint" id="${idOf(name)}-error">${errors.map(
    ({ field, message }) => html`<span>${partOf(field, name)}${message}</span> `,
  )}</span>`
}

/** Names the part of a field that is wrong. Items of a list are counted from 1, as people do. */
function partOf(field: string, name: string): string {
  if (field === name) return ''
  const index = /^\d+$/.exec(field.slice(name.length + 1))
  return index === null ? `${field} ` : `No. ${Number(index[0]) + 1} `
}

/** Carries the digest of what the form shows. The verb refuses the save if another person has changed one of these fields since. */
export function seenField(seen: string): Html {
  return html`<input type="hidden" name="seen" value="${seen}" autocomplete="off">`
}

/**
 * Returns the refusal of a stale save, which tells what others have changed each field to. `shown` is a form of what is
 * there now.
 */
export function staleRefusal({ code, errors }: AppError, shown: Form): AppError {
  const told = errors.map(({ field }) => {
    const texts = shown.values(field).filter((text) => text !== '')
    const isKnown = shown.values(field).length > 0 && field !== 'headers'
    const now = texts.length === 0 ? 'blank' : `“${texts.join(', ')}”`
    return { field, message: isKnown ? `was changed meanwhile: it is ${now} now` : 'was changed meanwhile' }
  })
  const kept = 'What you typed is kept: save once more to put it in its place.'
  return new AppError(code, `Somebody else has changed it since this form was opened. ${kept}`, told)
}

/** Says that a form was refused, with what no field of it shows. `names` are the fields that show their own. */
export function refusalNotice(form: Form, names: readonly string[], what: string): Html | null {
  const { refusal } = form
  if (refusal === null) return null
  const others = refusal.errors.filter(({ field }) => !names.some((name) => isAbout(field, name)))
  const said =
    refusal.errors.length === 0 ? [refusal.message] : others.map(({ field, message }) => `${field} ${message}`)
  const beside = refusal.errors.length > others.length ? ' What has to be mended is said beside each field.' : ''
  const why = refusal.code === 'conflict' && refusal.errors.length > 0 ? html` ${refusal.message}` : null
  return html`<div class="notice bad" role="alert"><p><b>${what}</b>${why}${beside}</p>${
    said.length === 0 ? null : html`<ul>${said.map((line) => html`<li>${line}</li>`)}</ul>`
  }</div>`
}

function around(form: Form, field: Field, control: Html): Html {
  const { name, label, hint = null, wide = false, required = false, alternative = false } = field
  const id = idOf(name)
  return html`<div class="field${wide ? ' wide' : ''}"><label for="${id}">${label}${required || alternative ? null : html` <small>optional</small>`}</label>${control}${complaint(form, name)}${
    hint === null || hint === '' ? null : html`<small class="hint" id="${id}-hint">${hint}</small>`
  }</div>`
}

function attributes(form: Form, { name, hint = null, required = false }: Field): Html {
  const id = idOf(name)
  const isWrong = complaintsAbout(form, name).length > 0
  const described = [...(isWrong ? [`${id}-error`] : []), ...(hint === null || hint === '' ? [] : [`${id}-hint`])]
  return html`id="${id}"${described.length > 0 ? html` aria-describedby="${described.join(' ')}"` : null}${isWrong ? new Html(' aria-invalid="true"') : null}${required ? new Html(' required') : null}`
}

function complaintsAbout({ refusal }: Form, name: string): FieldError[] {
  return (refusal?.errors ?? []).filter(({ field }) => isAbout(field, name))
}

function isAbout(field: string, name: string): boolean {
  return field === name || field.startsWith(`${name}.`)
}

function idOf(name: string): string {
  return `field-${name.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`
}
