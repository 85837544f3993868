// Owns the command `actions list`: who did what.
import { type Command, Option } from 'commander'
import type { Schemas } from '../../packages/client/src/index.ts'
import { actionVerbs } from '../actions/verbs.ts'
import { defined } from '../base/defined.ts'
import { atService } from './at-service.ts'
import { readId } from './given.ts'
import { asList, type ListOptions, printList, timeText } from './list.ts'
import type { Column } from './table.ts'

interface Filter extends ListOptions {
  import?: string
  connection?: string
  endpoint?: string
  by?: string
  verb?: Schemas.Action['verb']
}

export function addActions(program: Command): void {
  const list = program
    .command('actions')
    .description('who did what')
    .command('list')
    .description('list what the holders of tokens did, the newest first')
    .option('--import <id>', 'only what was done to this import, by itself or with others', readId)
    .option('--connection <name>', 'only changes of this connection itself', readId)
    .option('--endpoint <id>', 'only what was done to this endpoint, or to a delivery to it', readId)
    .option('--by <name>', 'only by the token of this name', readId)
    .addOption(new Option('--verb <verb>', 'only this').choices(actionVerbs))
  atService(asList(list), ({ tracker, signal }, options: Filter) => {
    const { import: importId, connection, endpoint, by, verb } = options
    const given = { importId, connection, endpointId: endpoint, by, verb }
    const filter = defined(given)
    return printList((limit) => tracker.actions.list({ ...filter, limit, signal }), columns(options), options)
  })
}

/** The ids are left to `--json`: no command takes them. */
function columns({ time }: ListOptions): Column<Schemas.Action>[] {
  const when = timeText(time, new Date())
  return [
    { title: 'BY', text: ({ by }) => by.name, canShrink: true },
    { title: 'VERB', text: ({ verb }) => verb },
    { title: 'OF', text: subjectText, canShrink: true },
    { title: 'AGE', text: ({ at }) => when(at) },
  ]
}

/** Of many imports at once, how many were done. */
function subjectText({ subject, details }: Schemas.Action): string {
  const name = subject.name ?? subject.id
  if (name !== null) return name
  const done = details?.done
  return typeof done === 'number' ? `${done} ${done === 1 ? 'import' : 'imports'}` : 'imports'
}
