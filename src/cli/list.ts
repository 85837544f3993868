// Owns printing what the service answered: a list as a table or NDJSON, so many or all; one thing, a field a line.
import { type Command, Option } from 'commander'
import type { Pages } from '../../packages/client/src/index.ts'
import { visibleText } from '../base/visible-text.ts'
import { readCount } from './given.ts'
import type { Column } from './table.ts'

export interface ListOptions {
  json?: true
  limit: number
  all?: true
  time: 'relative' | 'iso'
}

const pageSize = 1_000
/** The width without a terminal. */
const usualWidth = 80

/** The options that every list has. */
export function asList(command: Command): Command {
  return command
    .option('--json', 'print JSON, a line each')
    .option('--limit <number>', 'how many at most', readCount, 50)
    .option('--all', 'print all of them')
    .addOption(new Option('--time <form>', 'how times are shown').choices(['relative', 'iso']).default('relative'))
}

/** @param read lists them, so many a page. */
export async function printList<Item>(
  read: (limit: number) => Pages<Item>,
  columns: readonly Column<Item>[],
  { json, limit, all }: ListOptions,
): Promise<undefined> {
  const most = all ? Number.POSITIVE_INFINITY : limit
  const table = json ? null : await tableOf(columns)
  let count = 0
  for await (const item of read(Math.min(most + 1, pageSize))) {
    if (++count > most) break
    if (table) table.add(item)
    else console.log(JSON.stringify(item))
  }
  table?.end()
  if (json) return
  if (count === 0) console.error('There are none.')
  if (count > most) console.error(`These are the first ${most}; --all prints the others, too.`)
}

/** A line a field, or JSON. */
export async function printOne(one: object, { json }: { json?: true }): Promise<undefined> {
  const { fieldLines } = await import('./table.ts')
  if (json) console.log(JSON.stringify(one))
  else for (const line of fieldLines(one)) console.log(line)
}

/** For what is gone: words, or JSON with the name that it was asked for by. */
export function printDeleted(
  named: { id: string } | { name: string },
  { json }: { json?: true },
  word = 'deleted',
): void {
  const [name = ''] = Object.values(named)
  console.log(json ? JSON.stringify({ ...named, deleted: true }) : visibleText(`${name} is ${word}.`))
}

/** Prints page by page, in the widths of the first page, so that a long list needs little memory. */
async function tableOf<Item>(columns: readonly Column<Item>[]) {
  const { row, widthsFor } = await import('./table.ts')
  let items: Item[] = []
  let widths: number[] | undefined
  const print = () => {
    if (items.length === 0) return
    if (widths === undefined) {
      widths = widthsFor(columns, items, process.stdout.columns || usualWidth)
      console.log(
        row(
          columns.map(({ title }) => title),
          widths,
        ),
      )
    }
    for (const item of items)
      console.log(
        row(
          columns.map(({ text }) => text(item)),
          widths,
        ),
      )
    items = []
  }
  return {
    add(item: Item) {
      items.push(item)
      if (items.length === pageSize) print()
    },
    end: print,
  }
}

/** Returns how to write a moment: as it is, to the second, or how far it is from now. */
export function timeText(form: ListOptions['time'], now: Date): (moment: string | null) => string {
  return (moment) => {
    if (moment === null) return ''
    if (form === 'iso') return `${new Date(moment).toISOString().slice(0, 19)}Z`
    const ms = now.getTime() - Date.parse(moment)
    return ms < -1_000 ? `in ${spanText(-ms)}` : spanText(Math.max(0, ms))
  }
}

function spanText(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 100) return `${seconds}s`
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)}m`
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)}h`
  return `${Math.round(seconds / 86_400)}d`
}
