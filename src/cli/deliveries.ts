// Owns the commands `deliveries …`.
import { type Command, Option } from 'commander'
import type { Schemas } from '../../packages/client/src/index.ts'
import { defined } from '../base/defined.ts'
import { eventTypes } from '../model/event-types.ts'
import { atService } from './at-service.ts'
import { readId, readMoment } from './given.ts'
import { asList, type ListOptions, printList, printOne, timeText } from './list.ts'
import type { Column } from './table.ts'

type Query = Schemas.ListDeliveriesQuery
type State = NonNullable<Query['state']>
type Status = NonNullable<Query['status']>
interface Filter extends ListOptions {
  endpoint?: string
  import?: string
  event?: string
  state?: State
  type?: NonNullable<Query['type']>
  status?: Status
  createdAfter?: string
  createdBefore?: string
}

const states: readonly State[] = ['pending', 'delivered', 'exhausted', 'skipped']
const statuses: readonly Status[] = ['2xx', '3xx', '4xx', '5xx', 'none']

export function addDeliveries(program: Command): void {
  const deliveries = program.command('deliveries').description('what was sent to endpoints, and what came of it')
  const list = deliveries
    .command('list')
    .description('list deliveries, the newest first')
    .option('--endpoint <id>', 'only to this endpoint', readId)
    .option('--import <id>', 'only of this import', readId)
    .option('--event <id>', 'only of this event', readId)
    .addOption(new Option('--state <state>', 'only in this state').choices(states))
    .addOption(new Option('--type <type>', 'only of events of this type').choices(eventTypes))
    .addOption(new Option('--status <class>', 'only whose last attempt got this answer').choices(statuses))
    .option('--created-after <moment>', 'only what was created at this moment or later', readMoment)
    .option('--created-before <moment>', 'only what was created before this moment', readMoment)
  atService(asList(list), ({ tracker, signal }, options: Filter) => {
    const { endpoint, import: importId, event, state, type, status, createdAfter, createdBefore } = options
    const given = { endpointId: endpoint, importId, eventId: event, state, type, status, createdAfter, createdBefore }
    const filter = defined(given)
    return printList((limit) => tracker.deliveries.list({ ...filter, limit, signal }), columns(options), options)
  })
  const one = (name: string, what: string) =>
    deliveries.command(name).description(what).argument('<id>', 'its id', readId).option('--json', 'print JSON')
  atService(one('get', 'show a delivery'), async ({ tracker, signal }, id: string, options: { json?: true }) =>
    printOne(await tracker.deliveries.get(id, { signal }), options),
  )
  atService(one('redeliver', 'deliver once more'), async ({ tracker, signal }, id: string, options: { json?: true }) =>
    printOne(await tracker.deliveries.redeliver(id, { signal }), options),
  )
}

function columns({ time }: ListOptions): Column<Schemas.Delivery>[] {
  const when = timeText(time, new Date())
  return [
    { title: 'ID', text: ({ id }) => id },
    { title: 'TYPE', text: ({ type }) => type, canShrink: true },
    { title: 'STATE', text: ({ state }) => state, canShrink: true },
    ...(time === 'iso' ? [] : [{ title: 'TRIES', text: ({ attempts }: Schemas.Delivery) => String(attempts) }]),
    { title: 'AGE', text: ({ createdAt }) => when(createdAt) },
  ]
}
