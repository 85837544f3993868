// Owns the command `events tail`.
import { type Command, Option } from 'commander'
import type { Schemas } from '../../packages/client/src/index.ts'
import { importEventTypes } from '../model/import-state.ts'
import { atService } from './at-service.ts'
import { eventLine } from './event-line.ts'
import { readId } from './given.ts'

type Type = Schemas.Event['type']

const otherTypes = [
  ...['connection.paused', 'connection.resumed', 'endpoint.failing', 'endpoint.recovered', 'endpoint.disabled'],
  'delivery.exhausted',
]

interface TailOptions {
  after?: string
  type?: Type
  connection?: string
  json?: true
}

export function addEvents(program: Command): void {
  const tail = program
    .command('events')
    .description('what happened')
    .command('tail')
    .description('print events as they come, until Ctrl-C')
    .option('--after <id>', 'begin after this event (now)', readId)
    .addOption(new Option('--type <type>', 'only of this type').choices([...importEventTypes, ...otherTypes]))
    .option('--connection <name>', 'only of this connection and its imports', readId)
    .option('--json', 'print JSON, a line each')
  atService(tail, async ({ tracker, signal }, { after, type, connection, json }: TailOptions) => {
    await tracker.me.get({ signal }) // fails for a wrong URL; following would go on for ever, because it outlives restarts
    const from = { after: after ?? new Date(), type, connection, signal }
    for await (const event of tracker.events.follow(from))
      console.log(json ? JSON.stringify(event) : eventLine(event, new Date(event.timestamp)))
    return undefined
  })
}
