// Owns completing the command line: what may come next, from the commands themselves, and names from the service.
import tab, { type Complete, RootCommand } from '@bomb.sh/tab'
import type { Command, Option } from 'commander'
import { createClient } from '../../packages/client/src/index.ts'
import { eventTypes } from '../model/event-types.ts'
import { states } from '../model/import-state.ts'
import { findAccount } from './account.ts'

/** How long a person may wait for a key. */
const limitMs = 1_000

/** What bash's script needs of bash-completion, for a machine that has none. */
const withoutBashCompletion = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
  _get_comp_words_by_ref() {
    words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  }
fi`

/** Prints the script that the shell reads. */
export function printScript(name: string, shell: string): void {
  tab.setup(name, name, shell)
  if (shell === 'bash') console.log(withoutBashCompletion)
}

/** Prints what may come next, a line each, as the script reads it. */
export async function printCompletions(program: Command, words: readonly string[]): Promise<void> {
  const names = await namesFor(words)
  const root = new RootCommand()
  describe(root, program, '', names)
  root.parse([...words])
}

interface Names {
  connections: readonly string[]
  imports: readonly { id: string; text: string }[]
}

function describe(root: RootCommand, command: Command, path: string, names: Names): void {
  const own = path === '' ? root : root.command(path, command.description())
  for (const option of command.createHelp().visibleOptions(command)) {
    const { long, short, description, required, optional } = option
    if (!long) continue
    const alias = short?.slice(1)
    if (required || optional) own.option(long.slice(2), description, offering(valuesOf(command, option, names)), alias)
    else own.option(long.slice(2), description, alias)
  }
  for (const argument of command.registeredArguments) {
    const values = argument.argChoices ?? argumentsOf(path, names)
    own.argument(argument.name(), offering(values), argument.variadic)
  }
  for (const child of command.createHelp().visibleCommands(command))
    describe(root, child, `${path} ${child.name()}`.trim(), names)
}

type Offered = readonly (string | { id: string; text: string })[]

function offering(values: Offered): (complete: Complete) => void {
  return (complete) => {
    for (const value of values) typeof value === 'string' ? complete(value, '') : complete(value.id, value.text)
  }
}

function valuesOf(command: Command, { long, argChoices }: Option, names: Names): Offered {
  if (argChoices) return argChoices
  if (long === '--connection' || long === '--connections') return names.connections
  if (long === '--state') return states
  if (long === '--types') return command.name() === 'listen' ? ['import.*', ...eventTypes] : eventTypes
  return []
}

function argumentsOf(path: string, names: Names): Offered {
  if (/^connections /.test(path)) return names.connections
  return /^imports /.test(path) ? names.imports : []
}

/** Asks the service for what the word may be. Whatever fails offers none: a completion has no place for problems. */
async function namesFor(words: readonly string[]): Promise<Names> {
  const none: Names = { connections: [], imports: [] }
  const before = words.at(-2) ?? ''
  const wantsConnections = /^--connections?$/.test(before) || /^--connections?=/.test(words.at(-1) ?? '')
  const isId = words[0] === 'imports' && words.length > 2 && !before.startsWith('--')
  if (!wantsConnections && !isId && !(words[0] === 'connections' && words.length > 2)) return none
  try {
    const tracker = createClient(await findAccount(process.env, profileOf(words)))
    const signal = AbortSignal.timeout(limitMs)
    if (!wantsConnections && isId) {
      const { data } = await tracker.imports.list({ limit: 50, signal }).page()
      return {
        ...none,
        imports: data.map(({ id, connection, jobId, state }) => ({ id, text: `${connection}/${jobId} ${state}` })),
      }
    }
    const { data } = await tracker.connections.list({ limit: 1_000, signal }).page()
    return { ...none, connections: data.map(({ name }) => name) }
  } catch {
    return none
  }
}

function profileOf(words: readonly string[]): string | undefined {
  const at = words.indexOf('--profile')
  return at < 0 ? undefined : words[at + 1]
}
