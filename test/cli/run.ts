// Owns running the command line in tests, as a person would: `node src/main.ts …` in a clean environment.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface RunningCli {
  child: ChildProcess
  /** The first match in what it has printed, as soon as there is one; rejects where it ends without. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  /** The same, on stderr. */
  told(pattern: RegExp): Promise<RegExpExecArray>
  /** Its exit code; null: a signal ended it. */
  exited: Promise<number | null>
  output(): { stdout: string; stderr: string }
}

export function startCli(args: readonly string[], environment: Record<string, string>, input?: string): RunningCli {
  return startCommand([process.execPath, main, ...args], environment, { input })
}

/** Starts a command in a process group of its own, like a terminal's job. */
export function startCommand(
  [command = '', ...args]: readonly string[],
  environment: Record<string, string>,
  { input = '', cwd }: { input?: string | undefined; cwd?: string } = {},
): RunningCli {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    cwd,
  })
  child.stdin.on('error', () => {}).end(input) // it may end without reading
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))

  return {
    child,
    exited,
    output: () => ({ stdout, stderr }),
    said: (pattern) => firstMatch(child.stdout, pattern, () => stdout),
    told: (pattern) => firstMatch(child.stderr, pattern, () => stderr),
  }

  function firstMatch(stream: Readable, pattern: RegExp, text: () => string): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(text())
        if (found) resolve(found)
      }
      stream.on('data', look)
      exited.then(() => reject(new Error(`It ended without saying ${pattern}:\n${stdout}${stderr}`)))
      look()
    })
  }
}

/** Runs it to its end. */
export async function runCli(
  args: readonly string[],
  environment: Record<string, string>,
  input?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = startCli(args, environment, input)
  const code = await running.exited
  return { code, ...running.output() }
}
