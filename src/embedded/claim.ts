// Owns which process may start a server on the directory: the claim lasts as long as its process. The lock of owner.ts
// dies with the server. The claim keeps others out until the server runs again.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from './postmaster.ts'

/** Returns the live process that has claimed the cluster's directory. Returns null if none has, or only this one. */
export async function findClaimant(directory: string): Promise<number | null> {
  const [pid = '', startedAt = ''] = (await readFile(fileIn(directory), 'utf8').catch(() => '')).trim().split(' ')
  const claimant = Number(pid)
  if (claimant === process.pid || !isAlive(claimant)) return null
  return (await readStart(claimant)) === startedAt ? claimant : null // otherwise another program has its id by now
}

export async function claim(directory: string): Promise<void> {
  await writeFile(fileIn(directory), `${process.pid} ${await readStart(process.pid)}\n`, { mode: 0o600 })
}

export async function giveUpClaim(directory: string): Promise<void> {
  await rm(fileIn(directory), { force: true })
}

function fileIn(directory: string): string {
  return join(directory, 'claimed-by')
}

/**
 * Returns when the process began, as the system counts it. Returns '' if that isn't known, and for a process that is
 * only waiting to be reaped.
 */
async function readStart(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? '' : (fields[18] ?? '')
}
