// Owns making the client's types and its table of calls from the API's document. Run it with `npm run generate:client`;
// with --check it only says whether the files are as they should be.
import { readFile, writeFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import { apiDocument } from '../../src/http/operations.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  description?: string | undefined
  allOf?: Schema[]
  oneOf?: Schema[]
  discriminator?: unknown
}
interface Parameter {
  in: string
  name: string
  required?: boolean
  description?: string
  schema: Schema
}
interface Operation {
  operationId: string
  summary: string
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

/** In characters. The package is small, and a person reads /docs. */
const longestComment = 40
/** In characters. A type that fits into it is written in one line. */
const widestLine = 110
/** A type that has no more is written where it is used, if that is in one place. */
const mostLines = 12

/** Names that don't follow from the path. */
const names: Record<string, string> = {
  'POST /v1/imports': 'register',
  'POST /v1/imports/batch': 'registerMany',
}
const groups: Record<string, string> = { 'webhook-endpoints': 'endpoints' }

const document = apiDocument()
/** The document's schemas, and those of queries and answers that have no name in it. */
const schemas: Record<string, Schema> = { ...(document.components?.schemas as Record<string, Schema>) }
const methods: { group: string; call: string; signature: string }[] = []

shareFields()
for (const [path, item] of Object.entries(document.paths ?? {}))
  for (const [method, operation] of Object.entries(item as Record<string, Operation>)) describe(method, path, operation)

const made = {
  'src/schema.ts': `// Made by \`npm run generate:client\` from the API's document.

import type { CallOptions, Pages } from './pages.ts'

${(await typesOf(schemas)).trim()}

/** The client's methods. */
export interface Methods {
${groupsOf(({ signature }) => signature).join('\n')}
}
`,
  'src/calls.ts': `// Made by \`npm run generate:client\` from the API's document.

/** By group and method. The last word of a call says that it takes a body, or answers with a page. */
export const calls: Record<string, Record<string, string>> = {
${groupsOf(({ call }) => call, ',').join('\n')}
}
`,
}

for (const [name, text] of Object.entries(made)) {
  const file = new URL(name, import.meta.url)
  if (!process.argv.includes('--check')) await writeFile(file, text)
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`packages/client/${name} isn’t as the API is now: run npm run generate:client.`)
    process.exitCode = 1
  }
}

function describe(method: string, path: string, operation: Operation): void {
  const { operationId, summary, parameters = [], requestBody } = operation
  const route = `${method.toUpperCase()} ${path}`
  const query = parameters.filter((parameter) => parameter.in === 'query')
  const body = requestBody?.content['application/json']?.schema
  const answer = answerOf(operation)
  const item = itemOf(answer)
  const kind = body ? 'body' : item ? 'list' : null
  const [noun = '', ...others] = path.split('/').slice(2)
  const name = names[route] ?? methodName(method, others, item !== undefined)
  const queryName = query.length === 2 && item ? 'PageQuery' : `${operationId}Query`
  const queryType = query.length === 0 ? '' : `${nameOf(queryOf(query), queryName)} & `
  const taken = [
    ...(path.match(/(?<=\{)\w+(?=\})/g) ?? []).map((parameter) => `${parameter}: string`),
    ...(body ? [`body${requestBody?.required ? '' : '?'}: ${nameOf(body, `${operationId}Body`)}`] : []),
    `options?: ${queryType}CallOptions`,
  ]
  const given = item
    ? `Pages<${nameOf(item, `${operationId}Item`)}>`
    : `Promise<${answer ? nameOf(answer, `${operationId}Answer`) : 'void'}>`
  methods.push({
    group: groups[noun] ?? camelCase(noun),
    call: `    ${name}: '${route}${kind ? ` ${kind}` : ''}',`,
    signature: `    /** ${summary}. */\n    ${name}(${taken.join(', ')}): ${given}`,
  })
}

function groupsOf(lineOf: (method: (typeof methods)[number]) => string, end = ''): string[] {
  const byGroup = Map.groupBy(methods, ({ group }) => group)
  return [...byGroup].map(([group, some]) => `  ${group}: {\n${some.map(lineOf).join('\n')}\n  }${end}`)
}

function methodName(method: string, [first, ...others]: string[], isList: boolean): string {
  const verb = (first?.startsWith('{') ? others : [first ?? '', ...others]).join('-')
  if (verb !== '') return camelCase(verb)
  if (method === 'get' && isList) return 'list'
  return method === 'post' ? 'create' : method
}

function answerOf({ responses }: Operation): Schema | undefined {
  const [success] = Object.keys(responses).filter((status) => status.startsWith('2'))
  const content = responses[success ?? '']?.content ?? {}
  return (content['application/json'] ?? Object.values(content)[0])?.schema
}

/** Returns what a page holds, if the answer is one. */
function itemOf(answer: Schema | undefined): Schema | undefined {
  return answer?.properties?.next === undefined ? undefined : answer.properties.data?.items
}

function queryOf(parameters: readonly Parameter[]): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(
      parameters.map(({ name, description, schema }) => [name, { ...schema, description }]),
    ),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  }
}

/** Gives a schema that has no name one, and returns its type. Equal ones share it. */
function nameOf(schema: Schema, name: string): string {
  const equal = Object.keys(schemas).find((one) => isDeepStrictEqual(schemas[one], schema))
  const known = schema.$ref?.slice(schema.$ref.lastIndexOf('/') + 1) ?? equal
  const own = known ?? name.charAt(0).toUpperCase() + name.slice(1)
  if (known === undefined) schemas[own] = schema
  return own
}

function camelCase(text: string): string {
  return text.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())
}

/** Returns the types of the schemas, without what openapi-typescript says of an API beside them. */
async function typesOf(schemas: Record<string, Schema>): Promise<string> {
  // Its own types are made of TypeScript 5's, and it works with the classic compiler's API, which ended there.
  registerHooks({
    resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
  })
  const generator: string = 'openapi-typescript'
  const { astToString, default: openapiTs } = (await import(generator)) as {
    default(document: string): Promise<unknown>
    astToString(ast: unknown): string
  }
  const { openapi, info } = document
  const components = { schemas: Object.fromEntries(Object.entries(schemas).map(shortened)) }
  const whole = astToString(await openapiTs(JSON.stringify({ openapi, info, paths: {}, components })))
  const [, inner = ''] = /\n {4}schemas: \{\n([\s\S]*?)\n {4}\};\n/.exec(whole) ?? []
  const lines = inner.split('\n').map((line) => line.replace(/^ {8}/, '').replaceAll('    ', '  '))
  const named = lines.map((line) => line.replace(/^(\w+): /, 'export type $1 = ').replace(/;$/, ''))
  return withoutRepetition(named.join('\n').replace(/components\["schemas"\]\["(\w+)"\]/g, '$1'))
}

/** Gives the fields that all members of a large union have a schema of their own, which `shortened` then finds. */
function shareFields(): void {
  for (const [name, { oneOf = [] }] of Object.entries(schemas)) {
    const members = oneOf.map(({ $ref = '' }) => schemas[$ref.slice($ref.lastIndexOf('/') + 1)])
    const [first] = members
    if (members.length < 10 || first?.properties === undefined) continue
    const shared = Object.entries(first.properties).filter(([field, value]) =>
      members.every((member) => isDeepStrictEqual(member?.properties?.[field], value)),
    )
    schemas[`${name}Fields`] = { type: 'object', properties: Object.fromEntries(shared), required: [] }
  }
}

/** Describes a schema that has all fields of another one as that one and the rest. */
function shortened([name, schema]: [string, Schema]): [string, Schema] {
  const { discriminator: _, ...plain } = schema // a union's types tell themselves apart
  const others = Object.entries(schemas).filter(([other, { properties = {} }]) => {
    const size = Object.keys(properties).length
    return other !== name && size > 1 && size < Object.keys(plain.properties ?? {}).length
  })
  const bases = others.filter(([, base]) =>
    Object.entries(base.properties ?? {}).every(
      ([field, value]) =>
        isDeepStrictEqual(plain.properties?.[field], value) &&
        !!plain.required?.includes(field) === !!base.required?.includes(field),
    ),
  )
  const [base] = bases.sort(([, a], [, b]) => fieldsOf(b).length - fieldsOf(a).length)
  if (base === undefined) return [name, plain]
  const own = Object.entries(plain.properties ?? {}).filter(([field]) => !fieldsOf(base[1]).includes(field))
  const rest = { ...plain, properties: Object.fromEntries(own) }
  rest.required = plain.required?.filter((field) => field in rest.properties) ?? []
  return [name, { allOf: [{ $ref: `#/components/schemas/${base[0]}` }, rest] }]
}

function fieldsOf({ properties = {} }: Schema): string[] {
  return Object.keys(properties)
}

/** Returns the types with each comment once, cut to a sentence, small types in a line, and long lists of words named. */
function withoutRepetition(text: string): string {
  const said = new Set<string>()
  const commented = text.replace(/^( *)\/\*\*[\s\S]*?\*\/\n(.*)/gm, (comment, indent: string, field: string) => {
    const sentence = sentenceOf(comment)
    if (sentence === '' || said.has(sentence + field)) return field
    said.add(sentence + field)
    return `${indent}/** ${sentence} */\n${field}`
  })
  const open = commented.replace(/\{\s+\[key: string\]: ([^{}\n]+)\s+\}/g, 'Record<string, $1>')
  // What may be any object isn't narrowed by others beside it.
  const plain = open.replace(/: (?:\w+ \| )+(?=Record<string, unknown>$)/gm, ': ')
  return withoutSmall(withWords(inLines(plain)))
}

/** Returns the types with a name for each long list of words, of the type and the field that it is the values of. */
function withWords(text: string): string {
  const lists = [...new Set([...text.matchAll(/(?:"[\w.]+" \| ){5,}"[\w.]+"/g)].map(([list]) => list))]
  const words = lists.map((list) => {
    const owners = text.split(/^(?=export type )/m).filter((type) => type.includes(list))
    const found = owners.map((type) => {
      const [, field = ''] = new RegExp(`(\\w+)\\??: \\(?${list.replace(/[.|]/g, '\\$&')}`).exec(type) ?? []
      return `${/^export type (\w+)/.exec(type)?.[1]}${field.charAt(0).toUpperCase()}${field.slice(1)}`
    })
    return { list, name: found.sort((a, b) => a.length - b.length)[0] ?? '' }
  })
  const brief = (type: string, known: typeof words) =>
    known.reduce((all, { list, name }) => all.replaceAll(`(${list})`, list).replaceAll(list, name), type)
  const named = words.map(({ list, name }, index) => {
    const rest = words.filter((other, at) => at !== index && other.list.length < list.length)
    return `export type ${name} = ${brief(list, rest)}\n`
  })
  return named.join('') + brief(text, words)
}

/** Returns the types with each object in one line that fits there and has no comment, the innermost first. */
function inLines(text: string): string {
  const joined = text.replace(
    /^(.*)\{\n((?: +[^\n{}]*[^\n{]\n)+) *\}(.*)$/gm,
    (all, before: string, body: string, after: string) => {
      const fields = body.trim().split(/\n */)
      const line = `${before}{ ${fields.join('; ')} }${after}`
      return body.includes('/**') || line.length > widestLine ? all : line
    },
  )
  return joined === text ? text : inLines(joined)
}

/** Writes a small type where it is used, if that is in one field. */
function withoutSmall(text: string): string {
  const parts = `${text.trim()}\n`.matchAll(/^(?:\/\*\*.*\n)?export type (\w+) = ([\s\S]*?)\n(?=[/e]|$(?![\s\S]))/gm)
  let types = [...parts].map(([definition, name = '', type = '']) => ({ definition, name, type }))
  const signatures = methods.map(({ signature }) => signature).join('\n')
  for (const { name, type } of types) {
    if (!/^(?:\{|Record<)/.test(type) || type.split('\n').length > mostLines) continue
    const others = types.filter((other) => other.name !== name)
    const word = new RegExp(`\\b${name}\\b`, 'g')
    const [use, ...more] = others.filter(({ definition }) => definition.match(word))
    if (use === undefined || more.length > 0 || use.definition.match(word)?.length !== 1 || word.test(signatures))
      continue
    const [, indent] = new RegExp(`^( +)[^/\\n]*: ${name}\\b`, 'm').exec(use.definition) ?? []
    if (indent === undefined) continue
    use.definition = use.definition.replace(word, () => type.replaceAll('\n', `\n${indent}`))
    types = others
  }
  return types.map(({ definition }) => definition).join('')
}

/** Returns the first sentence of a comment's description, unless it is long. */
function sentenceOf(comment: string): string {
  const [, description = ''] = /@description ([\s\S]*?)(?:\n *\* @|\*\/)/.exec(comment) ?? []
  const text = description
    .replace(/\s*\n *\*? */g, ' ')
    .replace(/\s*\(enum property.*/, '')
    .trim()
  const sentence = /^.*?\.(?= |$)/.exec(text)?.[0] ?? text
  return sentence.length > longestComment ? '' : sentence
}
