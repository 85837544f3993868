// Owns who may start a server on the directory: the process that has taken it, as long as it lives. The lock of owner.ts
// is the server's and dies with it; this is what keeps others out until the server runs again.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from './postmaster.ts'

/** The live process that has claimed the directory of the cluster; null: none has but this one. */
export async function findClaimant(directory: string): Promise<number | null> {
  const [pid = '', startedAt = ''] = (await readFile(fileIn(directory), 'utf8').catch(() => '')).trim().split(' ')
  const claimant = Number(pid)
  if (claimant === process.pid || !isAlive(claimant)) return null
  return (await readStart(claimant)) === startedAt ? claimant : null // else another program has its id by now
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

/** When the process began, as the system counts it; empty where it doesn't say, and for one that has only to be reaped. */
async function readStart(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? '' : (fields[18] ?? '')
}
