// Owns what a run costs the whole machine, part by part, as the kernel counts it (proc(5)): CPU of processes with their
// children, and memory. On Linux alone.
import { readFileSync } from 'node:fs'

/** Clock ticks a second in which the kernel says CPU times (`getconf CLK_TCK`; 100 on every Linux of today). */
const ticksPerSecond = 100

/** Microseconds of CPU that a process and its children have used so far, children that have ended included. */
export function cpuUsOf(pid: number): number {
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = statOf(pid).slice(11, 15).map(Number)
  const own = ((user + system + childrenUser + childrenSystem) / ticksPerSecond) * 1_000_000
  return childrenOf(pid).reduce((sum, child) => sum + cpuUsOf(child), own)
}

/** Bytes of a process that are in memory. */
export function residentBytesOf(pid: number): number {
  const [, kibibytes = 0] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1_024
}

export function parentOf(pid: number): number {
  return Number(statOf(pid)[1])
}

/** The fields behind the process's name, which may hold blanks: [state, parent, …]. Empty: it has ended. */
function statOf(pid: number): string[] {
  const text = readOrNull(`/proc/${pid}/stat`) ?? ''
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function childrenOf(pid: number): number[] {
  const text = readOrNull(`/proc/${pid}/task/${pid}/children`) ?? ''
  return text.split(' ').filter(Boolean).map(Number)
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // it has ended meanwhile
  }
}
