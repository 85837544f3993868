// Owns what a document says of credentials and settings, as the zod schemas that connections are checked by.
import { z } from 'zod'
import { headerText, jsonObjectText } from '../credentials.ts'
import { alternativesOf, authsOf, type ProviderDocument } from './document.ts'
import type { CredentialFields, SettingForm } from './forms/access.ts'
import { pointerProblem } from './pointer.ts'
import { readPrivateKey } from './private-key.ts'
import { filledBy, parseTemplate, type TemplateInput } from './template.ts'

export type Credentials = Readonly<Record<string, unknown>>
export type Settings = Readonly<Record<string, unknown>>

export function credentialsSchemaOf(document: ProviderDocument): z.ZodType<Credentials> {
  const problems = assertionProblems(document)
  const [first, ...others] = alternativesOf(document).map((fields) =>
    alternative(fields).superRefine((given, context) => {
      for (const { path, message } of problems(given)) context.addIssue({ code: 'custom', path, message })
    }),
  )
  if (first === undefined) throw new TypeError('A document has at least one alternative of credentials.')
  return others.length === 0 ? first : z.union([first, ...others])
}

/** Returns what a credential lacks that assertions are made of: a key that can't sign is no use later. */
function assertionProblems(document: ProviderDocument): (given: Credentials) => { path: string[]; message: string }[] {
  const jwts = authsOf(document).flatMap((auth) => (auth.kind === 'oauth2' && auth.jwt ? [auth.jwt] : []))
  const parts = jwts.flatMap(({ key, claims }) =>
    [key, ...Object.values(claims)].flatMap((text) =>
      (parseTemplate(text) ?? []).flatMap((part) =>
        typeof part !== 'string' && part.kind === 'credentials' ? [{ part, isKey: text === key }] : [],
      ),
    ),
  )
  return (given) =>
    parts.flatMap(({ part, isKey }) => {
      if (!Object.hasOwn(given, part.name)) return []
      const text = filledBy(part, { credentials: given } as TemplateInput)
      if (text !== null && (!isKey || readPrivateKey(text) !== null)) return []
      const what = isKey ? 'an RSA private key (PEM) of at least 2048 bits' : 'text'
      return [{ path: [part.name], message: `must have ${what}${part.at === '' ? '' : ` at ${part.at}`}` }]
    })
}

function alternative(fields: CredentialFields): z.ZodType<Credentials> {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(fields).map(([name, { kind, title, description }]) => {
        const schema = { headerText, text: secretText, jsonObject: jsonObjectText }[kind]
        const words = [title, description].filter((word) => word !== undefined).join(': ')
        return [name, words ? schema.describe(words) : schema]
      }),
    ),
  )
}

const secretForm = 'must be 1 to 4096 characters of well-formed text without NUL'
const secretText = z
  .string({ error: secretForm })
  .min(1, secretForm)
  .max(4_096, secretForm)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), secretForm)

/** A setting with a default may be absent: the default isn't stored with the connection. */
export function settingsSchemaOf({ settings }: Pick<ProviderDocument, 'settings'>): z.ZodType<Settings> {
  const fields = Object.entries(settings).map(([name, form]) => {
    const absent = form.default === undefined ? undefined : `Absent: ${form.default}.`
    const words = [[form.title, form.description].filter((word) => word !== undefined).join(': '), absent]
    const said = words.filter(Boolean).join(' ')
    const schema = said === '' ? settingSchemaOf(form) : settingSchemaOf(form).describe(said)
    return [name, form.optional || form.default !== undefined ? schema.optional() : schema]
  })
  return z.strictObject(Object.fromEntries(fields)) as z.ZodType<Settings>
}

export function defaultSettingsOf({ settings }: Pick<ProviderDocument, 'settings'>): Settings {
  const given = Object.entries(settings).flatMap(([name, form]) =>
    form.default === undefined ? [] : [[name, form.default]],
  )
  return Object.fromEntries(given)
}

export function settingSchemaOf({ kind, maxLength, values }: SettingForm): z.ZodType {
  if (values) return z.enum(values, { error: `must be one of ${values.join(', ')}` })
  const text = z
    .string({ error: `must be text of 1 to ${maxLength} characters` })
    .min(1)
    .max(maxLength)
  switch (kind) {
    case 'text':
      // It may stand in a header or be a segment of a path. Servers resolve segments of dots.
      return text.regex(
        /^(?!\.+$)[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
        'must be printable ASCII without blanks at either end, and not only dots',
      )
    case 'path':
      return text.regex(
        /^(?:\/(?!\.+(?:\/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+$/,
        'must be a path such as /crm/v3/imports, without query, "%" or segments of dots',
      )
    case 'segments':
      return text.regex(
        /^(?!\.+(?:\/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+(?:\/(?!\.+(?:\/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)*$/,
        'must be segments of a path such as program/members, without query, "%" or segments of dots',
      )
    case 'pointer':
      return text.refine((pointer) => pointer !== '' && pointerProblem(pointer) === null, {
        error: 'must be a JSON Pointer, such as /metadata/progressPercent',
      })
    case 'list':
      return z.array(text).min(1).max(50)
  }
}
