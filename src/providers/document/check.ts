// Owns how the parts of a document have to fit together: what its placeholders and settings name exists, secrets stay
// in headers, and each path is one that a request can have.
import { settingSchemaOf } from './account.ts'
import type { Problem } from './bounds.ts'
import { alternativesOf, authsOf, type ProviderDocument } from './document.ts'
import type { AuthForm, OAuthForm, SettingForm } from './forms/access.ts'
import type { RequestForm } from './forms/common.ts'
import { type Placeholder, parseTemplate, type Template, wholePlaceholder } from './template.ts'

type Path = Problem['path']

/** Everything that is wrong, with the place where. */
export function checkParts(document: ProviderDocument): Problem[] {
  const requests: [Path, RequestForm, boolean][] = [[['status', 'request'], document.status.request, false]]
  if (document.summary) requests.push([['summary', 'request'], document.summary.request, false])
  for (const [index, details] of document.details.entries())
    if (details.kind !== 'inline' && details.request)
      requests.push([['details', index, 'request'], details.request, details.kind === 'pages'])
  return [
    ...authsOf(document).flatMap((auth, index) =>
      checkAuth(document, Array.isArray(document.auth) ? ['auth', index] : ['auth'], auth),
    ),
    ...checkHeaders(document, ['headers'], document.headers),
    ...requests.flatMap(([path, request, isPaged]) => [
      ...checkRequest(document, path, request, isPaged),
      ...checkJob(path, request),
    ]),
    ...checkAlternatives(document),
    ...checkDetails(document),
    ...checkSettings(document),
    ...namedSettings(document).flatMap(({ path, name }) =>
      Object.hasOwn(document.settings, name)
        ? []
        : [{ path, message: `names a setting that the document doesn’t have` }],
    ),
  ]
}

function checkAuth(document: ProviderDocument, path: Path, auth: AuthForm): Problem[] {
  if (auth.kind === 'oauth2') return checkOAuth(document, path, auth)
  const { kind, ...rest } = auth
  const texts = Object.entries(rest).filter(([key]) => key !== 'name')
  return texts.flatMap(([key, text]) => {
    const at = [...path, key]
    // Basic carries any text.
    const odd = kind === 'basic' ? [] : checkCarried(document, at, text)
    return [...odd, ...checkText(document, at, text, ['credentials', 'settings'])]
  })
}

/** A header carries printable ASCII, which a credential of the kind text need not be. */
function checkCarried(document: ProviderDocument, path: Path, text: string): Problem[] {
  if (!isHeaderText(text)) return [{ path, message: 'must be text that a header can carry' }]
  const odd = (parseTemplate(text) ?? []).find(
    (part) => typeof part !== 'string' && part.kind === 'credentials' && part.at === '' && isAnyText(document, part),
  )
  if (odd === undefined || typeof odd === 'string') return []
  return [{ path, message: `must not contain ${odd.name}, whose kind isn’t headerText` }]
}

function isAnyText(document: ProviderDocument, { name }: Placeholder): boolean {
  return alternativesOf(document).some((fields) => (fields[name]?.kind ?? 'headerText') !== 'headerText')
}

function checkOAuth(document: ProviderDocument, path: Path, auth: OAuthForm): Problem[] {
  type Text = [Path, string | undefined, Placeholder['kind'][]]
  const isList = Array.isArray(auth.tokenUrl)
  const texts: Text[] = [
    ...[auth.tokenUrl].flat().map((text, at): Text => [['tokenUrl', ...(isList ? [at] : [])], text, account]),
    [['clientId'], auth.clientId, account],
    [['clientSecret'], auth.clientSecret, ['credentials']],
    [['refreshToken'], auth.refreshToken, ['credentials']],
    [['jwt', 'key'], auth.jwt?.key, ['credentials']],
    [['jwt', 'keyId'], auth.jwt?.keyId, ['credentials']],
    ...named(['jwt', 'claims'], auth.jwt?.claims),
    ...named(['extra'], auth.extra),
    [['header', 'value'], auth.header.value, ['token']],
  ]
  function named(at: Path, given: Record<string, string> = {}): Text[] {
    return Object.entries(given).map(([name, text]) => [[...at, name], text, [...account, 'baseUrl']])
  }
  return [
    ...texts.flatMap(([at, text, allowed]) =>
      text === undefined ? [] : checkText(document, [...path, ...at], text, allowed),
    ),
    ...checkCarried(document, [...path, 'header', 'value'], auth.header.value),
    ...checkGrant(path, auth),
  ]
}

const account: Placeholder['kind'][] = ['credentials', 'settings']

/** Each grant has what it needs, and nothing that it would ignore. */
function checkGrant(path: Path, auth: OAuthForm): Problem[] {
  const wanted = { refreshToken: 'refreshToken', jwt: 'jwtBearer' } as const
  const odd = (['refreshToken', 'jwt'] as const).filter(
    (key) => (auth.grant === wanted[key]) !== (auth[key] !== undefined),
  )
  const client = (['clientId', 'clientSecret'] as const).filter(
    (key) => (auth.grant === 'jwtBearer') === (auth[key] !== undefined),
  )
  const rotates = auth.rotates !== undefined && auth.grant !== 'refreshToken'
  return [
    ...(rotates ? [{ path: [...path, 'rotates'], message: 'belongs to the grant refreshToken' }] : []),
    ...odd.map((key) => ({ path: [...path, key], message: `belongs to the grant ${wanted[key]}` })),
    ...client.map((key) => ({
      path: [...path, key],
      message: auth.grant === 'jwtBearer' ? 'is not for the grant jwtBearer' : 'is required',
    })),
  ]
}

function checkHeaders(document: ProviderDocument, path: Path, headers: Record<string, string> | undefined): Problem[] {
  return Object.entries(headers ?? {}).flatMap(([name, text]) => [
    ...checkCarried(document, [...path, name], text),
    ...checkText(document, [...path, name], text, ['credentials', 'settings']),
  ])
}

function isHeaderText(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text)
}

function checkRequest(document: ProviderDocument, path: Path, request: RequestForm, isPaged: boolean): Problem[] {
  const allowed: Placeholder['kind'][] = isPaged ? ['job', 'settings', 'cursor'] : ['job', 'settings']
  return [
    ...(typeof request.path === 'string'
      ? checkPath(document, [...path, 'path'], request.path)
      : request.path.flatMap((one, index) => checkPath(document, [...path, 'path', index, 'path'], one.path))),
    ...Object.entries(request.query ?? {}).flatMap(([name, text]) =>
      checkText(document, [...path, 'query', name], text, allowed),
    ),
    ...checkHeaders(document, [...path, 'headers'], request.headers),
    ...(request.body !== undefined && request.method === 'GET'
      ? [{ path: [...path, 'body'], message: 'belongs to a POST' }]
      : []),
    ...checkBody(document, [...path, 'body'], request.body, allowed),
  ]
}

const pathText = /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/

function checkPath(document: ProviderDocument, path: Path, text: string): Problem[] {
  const template = parseTemplate(text)
  if (template === null) return [{ path, message: unknownPlaceholder }]
  const problems = checkTemplate(document, path, template, ['job', 'settings'])
  if (problems.length > 0) return problems
  if (document.job.kind === 'url' && text === '{job}') return []
  const literal = template
    .map((part) => (typeof part === 'string' ? part : isPathSetting(document, part) ? '/x' : 'x'))
    .join('')
  if (!/^\/(?!\/)/.test(literal)) return [{ path, message: 'must begin with one "/"' }]
  if (!pathText.test(literal) || literal.split('/').some((segment) => /^\.+$/.test(segment)))
    return [{ path, message: 'must be a path, without query, "%" or segments of dots' }]
  if (document.job.kind === 'url' && template.some((part) => typeof part !== 'string' && part.kind === 'job'))
    return [{ path, message: 'must be {job} alone, which is a URL' }]
  const optional = template.find((part) => typeof part !== 'string' && isOptional(document, part))
  return optional === undefined ? [] : [{ path, message: 'must not need a setting that may be absent' }]
}

/** An answer about no job in particular would be taken for that of each. */
function checkJob(path: Path, request: RequestForm): Problem[] {
  const elsewhere = textsOf([request.query, request.body])
  const paths = typeof request.path === 'string' ? [request.path] : request.path.map((one) => one.path)
  const namesJob = (text: string) => text.includes('{job}')
  if (elsewhere.some(namesJob) || paths.every(namesJob)) return []
  return [{ path: [...path, 'path'], message: 'must contain {job}, unless the query or the body does' }]
}

function isPathSetting({ settings }: ProviderDocument, { kind, name }: Placeholder): boolean {
  return kind === 'settings' && settings[name]?.kind === 'path'
}

function isOptional({ settings }: ProviderDocument, { kind, name }: Placeholder): boolean {
  return kind === 'settings' && settings[name]?.optional === true
}

function checkBody(document: ProviderDocument, path: Path, body: unknown, allowed: Placeholder['kind'][]): Problem[] {
  if (typeof body === 'string') {
    const found = wholePlaceholder(body)
    return found ? checkTemplate(document, path, [found], allowed) : []
  }
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(body).flatMap(([key, inner]) => checkBody(document, [...path, key], inner, allowed))
}

const unknownPlaceholder = 'has a placeholder other than {job}, {cursor}, {credentials.NAME} and {settings.NAME}'

function checkText(document: ProviderDocument, path: Path, text: string, allowed: Placeholder['kind'][]): Problem[] {
  const template = parseTemplate(text)
  return template === null ? [{ path, message: unknownPlaceholder }] : checkTemplate(document, path, template, allowed)
}

function checkTemplate(
  document: ProviderDocument,
  path: Path,
  template: Template,
  allowed: Placeholder['kind'][],
): Problem[] {
  return template.flatMap((part) => {
    if (typeof part === 'string') return []
    const { kind, name, at } = part
    if (!allowed.includes(kind)) return [{ path, message: `must not contain {${kind}${name && `.${name}`}}` }]
    if (kind === 'credentials' && !alternativesOf(document).some((fields) => Object.hasOwn(fields, name)))
      return [{ path, message: `names the credential ${name}, which the document doesn’t have` }]
    if (at !== '' && !(kind === 'credentials' && isJson(document, name)))
      return [{ path, message: `must not point into ${name}, which is no credential of the kind jsonObject` }]
    if (kind !== 'settings') return []
    if (!Object.hasOwn(document.settings, name))
      return [{ path, message: `names the setting ${name}, which the document doesn’t have` }]
    const isText = ['text', 'path', 'segments'].includes(document.settings[name]?.kind ?? '')
    return isText ? [] : [{ path, message: `must not contain the setting ${name}, which is no text` }]
  })
}

function isJson(document: ProviderDocument, name: string): boolean {
  return alternativesOf(document).every((fields) => (fields[name]?.kind ?? 'jsonObject') === 'jsonObject')
}

/** Each alternative of the credentials has an `auth` that it is enough for. */
function checkAlternatives(document: ProviderDocument): Problem[] {
  const needed = authsOf(document).map((auth) => credentialsIn(auth))
  return alternativesOf(document).flatMap((fields, index) => {
    if (needed.some((names) => names.every((name) => Object.hasOwn(fields, name)))) return []
    const path = Array.isArray(document.credentials) ? ['credentials', index] : ['credentials']
    return [{ path, message: 'must be enough for one auth' }]
  })
}

/** The credentials that a way of signing in needs. */
export function credentialsIn(auth: AuthForm): string[] {
  return textsOf(auth).flatMap((text) =>
    (parseTemplate(text) ?? []).flatMap((part) =>
      typeof part !== 'string' && part.kind === 'credentials' ? [part.name] : [],
    ),
  )
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

function checkDetails({ details }: ProviderDocument): Problem[] {
  const pages = details.flatMap(({ kind }, index) => (kind === 'pages' ? [index] : []))
  const files = details.flatMap(({ kind }, index) => (kind === 'file' ? [index] : []))
  const outcomes = details.flatMap((form, index) => (form.kind === 'file' && form.outcome ? [index] : []))
  return [
    ...outcomes.slice(1).map((index) => ({ path: ['details', index, 'outcome'], message: 'must be the only one' })),
    ...(pages.length > 1 ? pages : []).flatMap((index) =>
      details[index]?.announced === undefined
        ? []
        : [{ path: ['details', index, 'announced'], message: 'must not be given, since several lists have pages' }],
    ),
    ...(pages.length === 0 ? [] : files).map((index) => ({
      path: ['details', index],
      message: 'must not be a file, since there are pages',
    })),
  ]
}

function checkSettings({ settings }: ProviderDocument): Problem[] {
  const problem = (path: Path, form: SettingForm, text: string): Problem[] => {
    const { error } = settingSchemaOf(form).safeParse(text)
    return error ? [{ path, message: error.issues[0]?.message ?? 'is not valid' }] : []
  }
  return Object.entries(settings).flatMap(([name, form]) => {
    const { values, ...free } = form
    return [
      ...(form.default === undefined ? [] : problem(['settings', name, 'default'], form, form.default)),
      ...(values ?? []).flatMap((text, index) => problem(['settings', name, 'values', index], free, text)),
    ]
  })
}

/** Objects whose keys are names that the document chooses. */
const freelyNamed = new Set(['map', 'query', 'headers', 'extra', 'claims', 'credentials'])

/** The settings that conditions and values name. */
function namedSettings(document: ProviderDocument): { path: Path; name: string }[] {
  const { examples: _examples, settings: _settings, ...rest } = document
  const found: { path: Path; name: string }[] = []
  const visit = (value: unknown, path: Path) => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key]
      if (key === 'body' && path.at(-1) === 'request') continue
      if (freelyNamed.has(String(path.at(-1)))) visit(inner, at)
      else if (key === 'setting' && typeof inner === 'string') found.push({ path: at, name: inner })
      else if (key === 'setting' && Array.isArray(inner) && typeof inner[0] === 'string')
        found.push({ path: at, name: inner[0] })
      else visit(inner, at)
    }
  }
  visit(rest, [])
  return found
}
