// Owns the commands `tokens …`.
import { type Command, Option } from 'commander'
import type { Schemas } from '../../packages/client/src/index.ts'
import { atService } from './at-service.ts'
import { readId } from './given.ts'
import { asList, type ListOptions, printDeleted, printList, printOne, timeText } from './list.ts'
import type { Column } from './table.ts'

type Scope = Schemas.Me['scope']

const scopes: readonly Scope[] = ['read', 'write', 'admin']

export function addTokens(program: Command): void {
  const tokens = program.command('tokens').description('who may use the API')
  const create = tokens
    .command('create')
    .description('create a token, which is printed this once')
    .argument('<name>', 'what it is for', readId)
    .addOption(new Option('--scope <scope>', 'what it may do').choices(scopes).makeOptionMandatory())
    .option('--json', 'print JSON')
  atService(create, async ({ tracker, signal }, name: string, options: { scope: Scope; json?: true }) =>
    printOne(await tracker.tokens.create({ name, scope: options.scope }, { signal }), options),
  )
  const list = tokens.command('list').description('list tokens, the oldest first')
  atService(asList(list), ({ tracker, signal }, options: ListOptions) =>
    printList((limit) => tracker.tokens.list({ limit, signal }), columns(options), options),
  )
  const remove = tokens.command('delete').description('revoke a token').argument('<id>', 'its id', readId)
  atService(
    remove.option('--json', 'print JSON'),
    async ({ tracker, signal }, id: string, options: { json?: true }) => {
      await tracker.tokens.delete(id, { signal })
      printDeleted({ id }, options, 'revoked')
      return undefined
    },
  )
}

function columns({ time }: ListOptions): Column<Schemas.Token>[] {
  const when = timeText(time, new Date())
  return [
    { title: 'ID', text: ({ id }) => id },
    { title: 'NAME', text: ({ name }) => name, canShrink: true },
    { title: 'SCOPE', text: ({ scope }) => scope },
    { title: 'AGE', text: ({ createdAt }) => when(createdAt) },
  ]
}
