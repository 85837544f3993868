// Owns the zero-service default: a private PostgreSQL under DATA_DIR, started with the service and stopped with it.
// Its server process is in a session of its own: Ctrl-C doesn't reach it, and it outlives a killed service,
// whose next start takes it over.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { findBinaries } from './binaries.ts'
import { type Cluster, openCluster, superuser } from './cluster.ts'
import { openDirectory } from './directory.ts'
import { EmbeddedError } from './error.ts'
import { type Ownership, takeOwnership } from './owner.ts'
import { findPostmaster, startPostmaster, stopPostmaster } from './postmaster.ts'

export interface EmbeddedPostgres {
  /** The database of the service, with its password. */
  url: string
  /** Ends every open session and the server. May be called twice. */
  stop(): Promise<void>
}

const database = 'import_tracker'
const startAttempts = 3
const readyWithinMs = 60_000
/** A killed owner's session is gone after some milliseconds. */
const takenForMs = 2_000

/**
 * @param input.directory DATA_DIR; made where it is missing.
 * @param input.settings server parameters, for tests.
 * @throws {EmbeddedError} where it can't run here, or another process uses the directory.
 */
export async function startEmbeddedPostgres(input: {
  directory: string
  log?: Log
  settings?: Readonly<Record<string, string>>
}): Promise<EmbeddedPostgres> {
  const startedAt = performance.now()
  const directory = await openDirectory(input.directory)
  const binaries = await findBinaries()
  const cluster = await openCluster(binaries, join(directory, 'postgres'))

  const start = () => startPostmaster(binaries, cluster, input.settings ?? {})
  const { ownership, port } = await own(cluster, start, directory)
  await createDatabase(ownership)
  input.log?.info(
    { directory, port, durationMs: Math.round(performance.now() - startedAt) },
    'embedded PostgreSQL runs',
  )

  let stopped: Promise<void> | undefined
  return {
    url: urlOf(cluster, port, database),
    stop() {
      // The lock goes last, so that nobody takes over a server that is being stopped.
      stopped ??= stopPostmaster(binaries, cluster).finally(() => ownership.release())
      return stopped
    },
  }
}

/** Starts the server or takes over the one that runs, until it is ready and ours. */
async function own(
  cluster: Cluster,
  start: () => Promise<string | null>,
  directory: string,
): Promise<{ ownership: Ownership; port: number }> {
  const since = performance.now()
  let failures = 0
  let takenSince: number | undefined
  while (performance.now() - since < readyWithinMs) {
    const running = await findPostmaster(cluster.data)
    if (!running) {
      const failure = await start()
      // A new port each time. Another process that has just started it is no failure.
      if (failure !== null && !(await findPostmaster(cluster.data)) && ++failures === startAttempts)
        throw new EmbeddedError(`PostgreSQL doesn't start in ${directory}: ${failure}`)
      continue
    }
    if (running.isReady) {
      const owned = await takeOwnership(urlOf(cluster, running.port, 'postgres'))
      if (owned.kind === 'owned') return { ownership: owned.ownership, port: running.port }
      if (owned.kind === 'taken') takenSince ??= performance.now()
      if (takenSince !== undefined && performance.now() - takenSince > takenForMs)
        throw new EmbeddedError(`Another Import Tracker uses ${directory}: stop it, or choose another DATA_DIR.`)
    }
    await delay(50)
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
