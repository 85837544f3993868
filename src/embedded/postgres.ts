// Owns the default without services: a private PostgreSQL under DATA_DIR, started and stopped with the service. Its
// server process has a session of its own, so Ctrl-C doesn't reach it. It outlives a killed service, whose next start
// takes it over. A server that dies is started again at the same port.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import { findBinaries } from './binaries.ts'
import { claim, findClaimant, giveUpClaim } from './claim.ts'
import { type Cluster, openCluster, superuser } from './cluster.ts'
import { openDirectory } from './directory.ts'
import { EmbeddedError, PortTakenError } from './error.ts'
import { keepRunning } from './keep-running.ts'
import { type Ownership, takeOwnership } from './owner.ts'
import { findPostmaster, isPortFree, startPostmaster, stopPostmaster, wake } from './postmaster.ts'

export interface EmbeddedPostgres {
  /** The URL of the service's database, with its password. */
  url: string
  /** Resolves when the server has died and can't run again as long as this process lives. */
  lost: Promise<Error>
  /** Ends every open session and the server. A second call does nothing more. */
  stop(): Promise<void>
}

const database = 'import_tracker'
const startAttempts = 3
const readyWithinMs = 60_000
const lookAgainMs = 50
/** How long a running start may take to end while stopping. */
const startEndsWithinMs = 3_000
/** A killed owner's session ends within milliseconds. */
const takenForMs = 2_000

/**
 * @param input.directory DATA_DIR; made if it is missing.
 * @param input.settings server parameters, for tests.
 * @param input.giveUpPortAfterMs how long another program may hold the port of a server that died.
 * @throws {EmbeddedError} if PostgreSQL can't run here, or another process uses the directory.
 */
export async function startEmbeddedPostgres(input: {
  directory: string
  log?: Log
  settings?: Readonly<Record<string, string>>
  giveUpPortAfterMs?: number
}): Promise<EmbeddedPostgres> {
  const startedAt = performance.now()
  const directory = await openDirectory(input.directory)
  const binaries = await findBinaries()
  const home = join(directory, 'postgres')
  const cluster = await openCluster(binaries, home)

  const place: Place = {
    directory,
    home,
    cluster,
    start: (port) => startPostmaster(binaries, cluster, input.settings ?? {}, port),
  }
  const { ownership, port } = await own(place, null)
  await claim(home)
  await createDatabase(ownership)
  const kept = keepRunning(ownership, async (signal) => (await own(place, port, signal)).ownership, input)
  input.log?.info(
    { directory, port, durationMs: Math.round(performance.now() - startedAt) },
    'embedded PostgreSQL runs',
  )

  let stopped: Promise<void> | undefined
  return {
    url: urlOf(cluster, port, database),
    lost: kept.lost,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }

  /** Releases the claim and the lock last, so that no process takes over a server that is stopping. */
  async function stop(): Promise<void> {
    try {
      const restarted = kept.stop()
      await stopPostmaster(binaries, cluster)
      await Promise.race([restarted, delay(startEndsWithinMs, undefined, { ref: false })])
      await stopPostmaster(binaries, cluster) // stops a server that a running start has left behind
    } finally {
      await giveUpClaim(home)
      await kept.ownership().release()
    }
  }
}

/** The server's files, and how to start it there. */
interface Place {
  /** DATA_DIR, and the cluster's directory in it. */
  directory: string
  home: string
  cluster: Cluster
  /** @returns null if it runs; otherwise its last words. */
  start(port: number | null): Promise<string | null>
}

/**
 * Starts the server or takes over the running one. Returns when the server is ready and this process owns it.
 * @param port where the server has to be; null: anywhere.
 * @throws {PortTakenError} if another program is there.
 */
async function own(
  { directory, home, cluster, start }: Place,
  port: number | null,
  signal?: AbortSignal,
): Promise<{ ownership: Ownership; port: number }> {
  const since = performance.now()
  let failures = 0
  let takenSince: number | undefined
  for (; performance.now() - since < readyWithinMs && !signal?.aborted; await delay(lookAgainMs)) {
    const isClaimed = (await findClaimant(home)) !== null
    const running = await findPostmaster(cluster.data)
    if (!running && !isClaimed) {
      if (port !== null && !(await isPortFree(port))) throw new PortTakenError(port)
      const failure = await start(port)
      // A start that another process won is no failure.
      if (failure !== null && !(await findPostmaster(cluster.data)) && ++failures === startAttempts)
        throw new EmbeddedError(`PostgreSQL doesn't start in ${directory}: ${failure}`)
      continue
    }
    const owned = running?.isReady ? await takeOwnership(urlOf(cluster, running.port, 'postgres')) : null
    if (owned?.kind === 'owned') {
      if (!isClaimed && (port ?? running?.port) === running?.port)
        return { ownership: owned.ownership, port: running?.port ?? 0 }
      await owned.ownership.release()
    }
    if (running && owned?.kind === 'not_ready') wake(running)
    if (isClaimed || owned?.kind === 'taken') takenSince ??= performance.now()
    if (takenSince !== undefined && performance.now() - takenSince > takenForMs)
      throw new EmbeddedError(`Another Import Tracker uses ${directory}: stop it, or choose another DATA_DIR.`)
  }
  throw new EmbeddedError(
    `PostgreSQL in ${directory} isn't ready after ${readyWithinMs / 1000} s: see ${cluster.logFile}.`,
  )
}

async function createDatabase(ownership: Ownership): Promise<void> {
  const found = await ownership.query(`SELECT 1 FROM pg_database WHERE datname = '${database}'`)
  if (found.length === 0) await ownership.query(`CREATE DATABASE ${database}`)
}

function urlOf(cluster: Cluster, port: number, name: string): string {
  return `postgres://${superuser}:${cluster.password}@127.0.0.1:${port}/${name}`
}
