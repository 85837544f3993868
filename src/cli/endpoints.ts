// Owns the commands `endpoints …`, of webhooks.
import type { Command } from 'commander'
import type { Client, Schemas } from '../../packages/client/src/index.ts'
import { atService } from './at-service.ts'
import { readTypes } from './event-patterns.ts'
import { readId, readMetadata, readMoment, readWhole } from './given.ts'
import { asList, type ListOptions, printDeleted, printList, printOne } from './list.ts'
import type { Column } from './table.ts'

type Types = NonNullable<Schemas.CreateWebhookEndpoint['types']>

export function addEndpoints(program: Command): void {
  const endpoints = program.command('endpoints').description('the receivers of webhooks')
  const one = (name: string, what: string) =>
    endpoints.command(name).description(what).argument('<id>', 'its id', readId).option('--json', 'print JSON')

  const list = endpoints.command('list').description('list endpoints, the oldest first')
  atService(asList(list), ({ tracker, signal }, options: ListOptions) =>
    printList((limit) => tracker.endpoints.list({ limit, signal }), columns, options),
  )
  atService(one('get', 'show an endpoint'), async ({ tracker, signal }, id: string, options: { json?: true }) =>
    printOne(await tracker.endpoints.get(id, { signal }), options),
  )
  const create = endpoints
    .command('create')
    .description('create an endpoint; its secret is printed this once')
    .requiredOption('--url <url>', 'where to send webhooks', readId)
    .option('--types <patterns...>', "the types of events, such as 'import.*' (all ends of imports)", readTypes)
    .option('--connections <names...>', 'only events of these connections')
    .option('--providers <names...>', 'only events of these providers')
    .option('--metadata <key=value>', 'only events of imports with this metadata; may be repeated', readMetadata)
    .option('--json', 'print JSON')
  atService(create, async ({ tracker, signal }, options: CreateOptions) => {
    const { url, types, connections, providers, metadata } = options
    const filter = {
      ...(connections && { connections }),
      ...(providers && { providers }),
      ...(metadata && { metadata }),
    }
    const body = { url, ...(types && { types }), ...filter }
    return printOne(await tracker.endpoints.create(body, { signal }), options)
  })
  atService(one('test', 'send a test event'), async ({ tracker, signal }, id: string, options: { json?: true }) =>
    printOne(await tracker.endpoints.test(id, { signal }), options),
  )
  resending(
    one('recover', 'send failed deliveries again'),
    (tracker) => (id, window, options) => tracker.endpoints.recover(id, window, options),
  )
  resending(
    one('replay', 'send the events that it never received'),
    (tracker) => (id, window, options) => tracker.endpoints.replay(id, window, options),
  )
  atService(
    one('rotate', 'give it a new secret, which is printed this once').option(
      '--overlap-hours <hours>',
      'how long older secrets go on signing',
      readWhole,
    ),
    async ({ tracker, signal }, id: string, options: { overlapHours?: number; json?: true }) => {
      const body = options.overlapHours === undefined ? {} : { overlapHours: options.overlapHours }
      return printOne(await tracker.endpoints.rotateSecret(id, body, { signal }), options)
    },
  )
  atService(
    one('delete', 'delete an endpoint; what was sent to it stays listed'),
    async ({ tracker, signal }, id: string, options: { json?: true }) => {
      await tracker.endpoints.delete(id, { signal })
      printDeleted({ id }, options)
      return undefined
    },
  )
}

interface CreateOptions {
  url: string
  types?: Types
  connections?: string[]
  providers?: string[]
  metadata?: NonNullable<Schemas.CreateWebhookEndpoint['metadata']>
  json?: true
}

interface ResendOptions {
  since?: string
  until?: string
  dryRun?: true
  json?: true
}

function resending(command: Command, act: (tracker: Client) => Client['endpoints']['recover']): void {
  const withWindow = command
    .option('--since <moment>', 'from this moment on', readMoment)
    .option('--until <moment>', 'before this moment', readMoment)
    .option('--dry-run', 'only count them')
  atService(withWindow, async ({ tracker, signal }, id: string, options: ResendOptions) => {
    const { since, until, dryRun } = options
    const window = { ...(since && { since }), ...(until && { until }), ...(dryRun && { dryRun }) }
    return printOne(await act(tracker)(id, window, { signal }), options)
  })
}

const columns: Column<Schemas.WebhookEndpoint>[] = [
  { title: 'ID', text: ({ id }) => id },
  { title: 'URL', text: ({ url }) => url, canShrink: true },
  { title: 'STATE', text: stateText },
]

function stateText({ enabled, disabledReason, failingSince }: Schemas.WebhookEndpoint): string {
  if (!enabled) return disabledReason === null ? 'disabled' : `disabled: ${disabledReason}`
  return failingSince === null ? 'enabled' : 'failing'
}
