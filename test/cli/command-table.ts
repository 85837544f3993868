// Owns finding all commands that there are, as a person would: by the help.
import { expect } from 'vitest'
import type { RunningCli } from './run.ts'

/** Returns all commands, such as `imports list`, sorted. */
export async function commandTable(start: (args: readonly string[]) => RunningCli): Promise<string[]> {
  const below = async (path: readonly string[]): Promise<string[]> => {
    const help = start([...path, '--help'])
    expect({ path, code: await help.exited }).toEqual({ path, code: 0 })
    const [, list] = /^Commands:\n((?: .*\n)+)/m.exec(help.output().stdout) ?? []
    if (list === undefined) return [path.join(' ')]
    const commands = [...list.matchAll(/^ {2}([a-z-]+)(.*)/gm)].filter(([, name]) => name !== 'help')
    // What takes options or arguments has no commands below it.
    const found = commands.map(([, name = '', rest = '']) =>
      /^ [[<]/.test(rest) ? [[...path, name].join(' ')] : below([...path, name]),
    )
    return (await Promise.all(found)).flat()
  }
  return (await below([])).sort()
}
