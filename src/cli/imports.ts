// Owns the commands `imports …`.
import { type Command, Option } from 'commander'
import type { Import, Schemas } from '../../packages/client/src/index.ts'
import { ProblemError } from '../../packages/client/src/problem-error.ts'
import { defined } from '../base/defined.ts'
import { wholePercent } from '../base/percent.ts'
import { visibleText } from '../base/visible-text.ts'
import { attentions, states } from '../model/import-state.ts'
import { type AtService, atService, problemLines } from './at-service.ts'
import { exitCodes } from './exit-code.ts'
import {
  type Metadata,
  readDuration,
  readId,
  readIds,
  readJsonFile,
  readMetadata,
  readMoment,
  readPairs,
  readWords,
} from './given.ts'
import { asList, type ListOptions, printDeleted, printList, printOne, timeText } from './list.ts'
import type { Column } from './table.ts'
import type { WatchOptions } from './watch.ts'

export function addImports(program: Command): void {
  const imports = program.command('imports').description('register imports, watch them, and steer them')
  addRegister(imports)
  addReading(imports)
  addSteering(imports)
}

interface RegisterOptions extends WatchOptions {
  connection: string
  jobId?: string
  metadata?: Metadata
  deadline?: number
  result?: string
  watch?: true
}

function addRegister(imports: Command): void {
  const register = imports
    .command('register')
    .description('register an import; one that is registered already is shown as it is')
    .requiredOption('--connection <name>', 'the connection', readId)
    .option('--job-id <id>', 'the provider’s id of the job', readId)
    .option('--result <file>', 'the job’s result as JSON, for vendors that answer at once; - is stdin')
    .option('--metadata <key=value>', 'your own data; may be repeated', readMetadata)
    .option('--deadline <duration>', 'how long to poll at most, such as 6h', readDuration)
    .option('--watch', 'watch it until it is over; the status tells how it ended')
  atService(withTimeout(register).option('--json', 'print JSON'), async (service, options: RegisterOptions) => {
    const { connection, jobId, metadata, deadline } = options
    const result = options.result === undefined ? undefined : await readJsonFile(options.result)
    const one = await service.tracker.imports.register(
      {
        connection,
        ...(jobId !== undefined && { jobId }),
        ...(metadata !== undefined && { metadata }),
        ...(deadline !== undefined && { deadlineMs: deadline }),
        ...(result !== undefined && { result }),
      },
      { signal: service.signal },
    )
    if (options.watch) return watch(service, [one.id], options)
    return printOne(one, options)
  })
}

interface Filter extends ListOptions {
  profile?: string
  state?: Import['state'][]
  connection?: string
  provider?: string
  jobId?: string
  jobIdPrefix?: string
  attention?: NonNullable<Schemas.ListImportsQuery['attention']>
  metadata?: Record<string, string>
  registeredAfter?: string
  registeredBefore?: string
  finishedAfter?: string
  finishedBefore?: string
  order?: 'newest' | 'oldest'
}

function addReading(imports: Command): void {
  const list = imports
    .command('list')
    .description('list imports, the newest first')
    .option('--state <states>', `only these: ${states.join(', ')}`, readWords(states))
    .option('--connection <name>', 'only of this connection', readId)
    .option('--provider <name>', 'only of this provider', readId)
    .option('--job-id <id>', 'only with the provider’s id of the job', readId)
    .option('--job-id-prefix <text>', 'only where that id begins so', readId)
    .addOption(new Option('--attention <reason>', 'only what asks for attention by this reason').choices(attentions))
    .option('--metadata <key=value>', 'only with this metadata; may be repeated', readPairs)
    .option('--registered-after <moment>', 'only what was registered at this moment or later', readMoment)
    .option('--registered-before <moment>', 'only what was registered before this moment', readMoment)
    .option('--finished-after <moment>', 'only what was over at this moment or later', readMoment)
    .option('--finished-before <moment>', 'only what was over before this moment', readMoment)
    .addOption(new Option('--order <order>', 'by when they were registered').choices(['newest', 'oldest']))
  atService(asList(list), ({ tracker, signal }, options: Filter) => {
    const { json: _json, limit: _limit, all: _all, time: _time, profile: _profile, ...given } = options
    const filter = defined(given)
    return printList((limit) => tracker.imports.list({ ...filter, limit, signal }), importColumns(options), options)
  })

  const get = imports.command('get').description('show an import').argument('<id>', 'its id', readId)
  atService(get.option('--json', 'print JSON'), async ({ tracker, signal }, id: string, options: { json?: true }) =>
    printOne(await tracker.imports.get(id, { signal }), options),
  )

  const rows = imports
    .command('rows')
    .description('list the results of an import’s rows, or the lines that the provider skipped')
    .argument('<id>', 'the id of the import', readId)
    .option('--skipped', 'the skipped lines')
  atService(asList(rows), ({ tracker, signal }, id: string, options: ListOptions & { skipped?: true }) =>
    options.skipped
      ? printList((limit) => tracker.imports.skippedLines(id, { limit, signal }), skippedColumns, options)
      : printList((limit) => tracker.imports.rowResults(id, { limit, signal }), rowColumns, options),
  )

  const watching = imports
    .command('watch')
    .description('watch imports until they are over; the status tells how they ended')
    .argument('<ids...>', 'their ids', readIds)
    .addHelpText(
      'after',
      '\nStatus: 0 succeeded, 3 partial, 4 failed, 5 canceled, 6 lost, 7 stopped, 124 the time is over,\n' +
        '8 not signed in, 2 wrong usage, 1 anything else. Of several: the first of 4, 6, 5, 3, 7, 0 that occurs.',
    )
  atService(
    withTimeout(watching).option('--json', 'print each change as JSON, a line each'),
    (service, ids: string[], options: WatchOptions) => watch(service, ids, options),
  )
}

function addSteering(imports: Command): void {
  const each = (name: string, what: string) =>
    imports
      .command(name)
      .description(what)
      .argument('<ids...>', 'their ids', readIds)
      .option('--json', 'print JSON, a line each')

  atService(each('poll', 'poll the provider now'), ({ tracker, signal }, ids: string[], options: { json?: true }) =>
    forEach(ids, async (id) => printState(await tracker.imports.poll(id, { signal }), options)),
  )
  atService(each('stop', 'stop polling'), ({ tracker, signal }, ids: string[], options: { json?: true }) =>
    forEach(ids, async (id) => printState(await tracker.imports.stop(id, { signal }), options)),
  )
  atService(
    each('resume', 'poll again what is over').option('--force', 'also what the provider said is over'),
    ({ tracker, signal }, ids: string[], options: { json?: true; force?: true }) =>
      forEach(ids, async (id) =>
        printState(await tracker.imports.resume(id, { force: options.force ?? false }, { signal }), options),
      ),
  )
  atService(each('delete', 'delete imports'), ({ tracker, signal }, ids: string[], options: { json?: true }) =>
    forEach(ids, async (id) => {
      await tracker.imports.delete(id, { signal })
      printDeleted({ id }, options)
    }),
  )
}

/** Does it to each, also after one of them was refused. Of the others one may not be left undone without a word. */
async function forEach(ids: readonly string[], act: (id: string) => Promise<void>): Promise<number> {
  let status = 0
  for (const id of ids)
    try {
      await act(id)
    } catch (error) {
      if (ids.length === 1 || !isOfOne(error)) throw error
      status = exitCodes.failure
      const [detail = '', ...more] = problemLines(error)
      console.error([visibleText(`${id}: ${detail}`), ...more].join('\n'))
    }
  return status
}

/** Whether the refusal says nothing of other imports. */
function isOfOne(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 400 || error.status === 404 || error.status === 409)
}

function printState(one: Import, { json }: { json?: true }): void {
  console.log(json ? JSON.stringify(one) : visibleText(`${one.id} ${one.connection}/${one.jobId} ${one.state}`))
}

/** Loads the drawing when there is something to draw. */
async function watch(service: AtService, ids: readonly string[], options: WatchOptions): Promise<number> {
  const { watchImports } = await import('./watch.ts')
  return watchImports(service, ids, options)
}

function withTimeout(command: Command): Command {
  return command.option('--timeout <duration>', 'how long to watch at most, such as 30m', readDuration)
}

/** Whole times leave no room for the progress. */
function importColumns({ time }: ListOptions): Column<Import>[] {
  const when = timeText(time, new Date())
  const progress = ({ progress }: Import) => (progress === null ? '' : `${wholePercent(progress)}%`)
  return [
    { title: 'ID', text: ({ id }) => id },
    { title: 'CONNECTION', text: ({ connection }) => connection, canShrink: true },
    { title: 'JOB', text: ({ jobId }) => jobId, canShrink: true },
    { title: 'STATE', text: ({ state }) => state },
    ...(time === 'iso' ? [] : [{ title: 'DONE', text: progress }]),
    { title: 'AGE', text: ({ registeredAt }) => when(registeredAt) },
  ]
}

const numberText = (value: number | null) => (value === null ? '' : String(value))

const rowColumns: Column<Schemas.RowResult>[] = [
  { title: 'ROW', text: (one) => numberText(one.row) },
  { title: 'LINE', text: (one) => numberText(one.line) },
  { title: 'RECORD', text: (one) => one.recordId ?? '', canShrink: true },
  { title: 'RESULT', text: (one) => (one.error ? 'error' : one.created ? 'created' : one.existing ? 'existing' : '') },
  { title: 'ERROR', text: ({ error }) => error?.message ?? error?.code ?? '', canShrink: true },
]

const skippedColumns: Column<Schemas.SkippedLine>[] = [
  { title: 'LINE', text: (one) => numberText(one.line) },
  { title: 'COLUMN', text: (one) => numberText(one.column) },
]
