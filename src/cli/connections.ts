// Owns the commands `connections …`.
import type { Command } from 'commander'
import type { Schemas } from '../../packages/client/src/index.ts'
import { atService } from './at-service.ts'
import { readId, readJsonFile } from './given.ts'
import { asList, type ListOptions, printDeleted, printList, printOne } from './list.ts'
import type { Column } from './table.ts'

export function addConnections(program: Command): void {
  const connections = program.command('connections').description('the accounts at providers')
  const one = (name: string, what: string) =>
    connections.command(name).description(what).argument('<name>', 'its name', readId)

  const list = connections.command('list').description('list connections by name')
  atService(asList(list), ({ tracker, signal }, options: ListOptions) =>
    printList((limit) => tracker.connections.list({ limit, signal }), columns, options),
  )
  atService(
    one('get', 'show a connection').option('--json', 'print JSON'),
    async ({ tracker, signal }, name: string, options: { json?: true }) =>
      printOne(await tracker.connections.get(name, { signal }), options),
  )
  atService(
    one('put', 'create or replace a connection')
      .option('--file <file>', 'its JSON, with the credentials; - is stdin', '-')
      .option('--json', 'print JSON'),
    async ({ tracker, signal }, name: string, options: { file: string; json?: true }) => {
      const body = (await readJsonFile(options.file)) as Schemas.PutUploadedConnection
      return printOne(await tracker.connections.put(name, body, { signal }), options)
    },
  )
  atService(
    one('resume', 'ask the provider again with a paused connection').option('--json', 'print JSON'),
    async ({ tracker, signal }, name: string, options: { json?: true }) =>
      printOne(await tracker.connections.resume(name, { signal }), options),
  )
  atService(
    one('delete', 'delete a connection').option('--json', 'print JSON'),
    async ({ tracker, signal }, name: string, options: { json?: true }) => {
      await tracker.connections.delete(name, { signal })
      printDeleted({ name }, options)
      return undefined
    },
  )
}

const columns: Column<Schemas.Connection>[] = [
  { title: 'NAME', text: ({ name }) => name, canShrink: true },
  { title: 'PROVIDER', text: ({ provider }) => provider, canShrink: true },
  { title: 'STATE', text: stateText },
  { title: 'USED', text: ({ usage }) => String(usage.used) },
  { title: 'LEFT', text: ({ usage }) => (usage.left === null ? '' : String(usage.left)) },
]

function stateText({ pausedAt, pauseReason, blockedUntil }: Schemas.Connection): string {
  if (pausedAt !== null) return pauseReason === null ? 'paused' : `paused: ${pauseReason}`
  return blockedUntil === null ? 'asking' : 'waiting'
}
