// The API's document, by the rules of others and by ours.
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { apiDocument } from '../../src/http/operations.ts'
import { eventTypes } from '../../src/model/event-types.ts'

interface SpectralCore {
  Spectral: new () => {
    setRuleset(ruleset: unknown): void
    run(document: unknown): Promise<{ code: string | number; path: (string | number)[] }[]>
  }
  Ruleset: new (definition: object) => unknown
}
interface Media {
  schema: object
  example?: unknown
}
interface Described {
  operationId: string
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { content?: Record<string, Media> }>
}

const document = JSON.parse(JSON.stringify(apiDocument()))
const operations: Described[] = [...Object.values(document.paths), ...Object.values(document.webhooks)].flatMap(
  (item) => Object.values(item as Record<string, Described>),
)

// Loaded by name, so that nothing but these tests needs them.
const [redocly, spectral, rulesets]: [string, string, string] = [
  '@redocly/openapi-core',
  '@stoplight/spectral-core',
  '@stoplight/spectral-rulesets',
]

test('Redocly’s recommended rules find nothing', async () => {
  const { createConfig, lintFromString } = (await import(redocly)) as {
    createConfig(config: object): Promise<unknown>
    lintFromString(input: object): Promise<{ ruleId: string; message: string; location: { pointer?: string }[] }[]>
  }
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

test('Spectral’s rules for OpenAPI find nothing but the wish for a contact', async () => {
  const { Spectral, Ruleset } = ((await import(spectral)) as { default: SpectralCore }).default
  const { oas } = ((await import(rulesets)) as { default: { oas: object } }).default
  const linter = new Spectral()
  linter.setRuleset(new Ruleset({ extends: oas }))
  const found = await linter.run(document)
  expect(found.map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual(['info-contact info'])
})

test('every example is as its schema says, and every JSON body has one', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'openapi')
  const bodies = operations.flatMap(({ operationId, requestBody, responses }) =>
    [requestBody, ...Object.values(responses)].flatMap((body) => {
      const json = body?.content?.['application/json']
      return json ? [{ operationId, json }] : []
    }),
  )
  expect(bodies.length).toBeGreaterThan(40)
  for (const { operationId, json } of bodies) {
    expect(json, operationId).toHaveProperty('example')
    const schema = JSON.parse(JSON.stringify(json.schema).replaceAll('"#/', '"openapi#/'))
    const validate = ajv.compile(schema)
    expect(validate(json.example) ? [] : validate.errors, operationId).toEqual([])
  }
  const problem = ajv.compile({ $ref: 'openapi#/components/schemas/Problem' })
  expect(problem(document.components.schemas.Problem.examples[0])).toBe(true)
})

describe('events', () => {
  const schemas = document.components.schemas
  const unionOf = (schema: { $ref: string }) => resolve(schema) as unknown as Union
  interface Union {
    oneOf: { $ref: string }[]
    discriminator: { propertyName: string; mapping: Record<string, string> }
  }

  test.each([
    ['as webhooks', 'Webhook', [...eventTypes, 'webhook.test']],
    ['in the feed', 'Event', eventTypes],
  ])('%s are told apart by their type, and each has its data', (_where, name, types) => {
    const { discriminator } = unionOf({ $ref: `#/components/schemas/${name}` })
    expect(discriminator.propertyName).toBe('type')
    expect(Object.keys(discriminator.mapping)).toEqual(types)
    for (const type of types) {
      const one = resolve({ $ref: discriminator.mapping[type] as string }) as unknown as {
        properties: { data: { $ref: string } }
      }
      expect(one.properties.data.$ref, type).toBe(`#/components/schemas/${dataOf(type)}`)
    }
  })

  test('are the body of the webhook', () => {
    expect(document.webhooks.event.post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/Webhook',
    })
  })

  function dataOf(type: string): string {
    if (type.startsWith('import.')) return 'Import'
    if (type.startsWith('connection.')) return 'Connection'
    return type === 'delivery.exhausted' ? 'ExhaustedDelivery' : 'WebhookEndpoint'
  }

  function resolve({ $ref }: { $ref: string }): object {
    return schemas[$ref.slice($ref.lastIndexOf('/') + 1)]
  }
})

test('every operation says how it is refused, as a problem document', () => {
  for (const { operationId, responses } of operations) {
    if (operationId === 'receiveEvent') continue
    const refusals = Object.entries(responses).filter(([status]) => status >= '400')
    expect(refusals.map(([status]) => status)).toEqual(
      expect.arrayContaining(['400', '401', '403', '429', '500', '503']),
    )
    for (const [, { content }] of refusals)
      expect(content?.['application/problem+json']?.schema, operationId).toEqual({
        $ref: '#/components/schemas/Problem',
      })
  }
})

test('streams are described by what comes piece by piece', () => {
  const contentOf = (path: string) => document.paths[path].get.responses[200].content
  expect(contentOf('/v1/imports/{id}/stream')['text/event-stream'].schema).toEqual({
    $ref: '#/components/schemas/Import',
  })
  expect(contentOf('/v1/imports/{id}/row-results')['application/x-ndjson'].schema).toEqual({
    $ref: '#/components/schemas/RowResult',
  })
})
