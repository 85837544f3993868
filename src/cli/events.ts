// Owns the command `events tail`.
import { type Command, Option } from 'commander'
import type { Schemas } from '../../packages/client/src/index.ts'
import { eventTypes } from '../model/event-types.ts'
import { atService } from './at-service.ts'
import { eventLine } from './event-line.ts'
import { readId, readIdOrMoment } from './given.ts'
import { serviceTime } from './service-time.ts'

type Type = Schemas.Event['type']

interface TailOptions {
  after?: string | Date
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
    .option('--after <id>', 'begin after this event, or at this moment (now)', readIdOrMoment)
    .addOption(new Option('--type <type>', 'only of this type').choices(eventTypes))
    .option('--connection <name>', 'only of this connection and its imports', readId)
    .option('--json', 'print JSON, a line each')
  atService(tail, async ({ tracker, signal }, { after, type, connection, json }: TailOptions) => {
    const now = await serviceTime(tracker, signal)
    const from = { after: after ?? now, type, connection, signal }
    for await (const event of tracker.events.follow(from))
      console.log(json ? JSON.stringify(event) : eventLine(event, new Date(event.timestamp)))
    return undefined
  })
}
