// Owns the directory of the demo's data and log, and removing a temporary one however the demo ends.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pino } from 'pino'
import { createLog, type Log } from '../base/log.ts'
import { type Config, environmentSchema } from '../config/config.ts'

export interface Workplace {
  directory: string
  /** True: the directory is removed at the end. False: the caller gave it, and it is kept. */
  temporary: boolean
  logFile: string
  log: Log
  /** Removes a temporary directory, once the service has stopped. */
  leave(): void
}

/** Opens the workplace. The service's own default directory is never the demo's: to keep the data, set DATA_DIR. */
export function openWorkplace({ dataDir, logLevel }: Pick<Config, 'dataDir' | 'logLevel'>): Workplace {
  const temporary = dataDir === environmentSchema.shape.DATA_DIR.parse(undefined)
  const directory = temporary ? mkdtempSync(join(tmpdir(), 'import-tracker-demo-')) : resolve(dataDir)
  if (temporary)
    chmodSync(directory, 0o755) // as root, another user runs Postgres in it
  else mkdirSync(directory, { recursive: true })

  const logFile = join(directory, 'demo.log')
  const log = createLog(logLevel, pino.destination({ dest: logFile, sync: false }))
  const onExit = () => {
    killPostgres(directory)
    remove(directory)
  }
  if (temporary) process.once('exit', onExit)
  return {
    directory,
    temporary,
    logFile,
    log,
    leave() {
      if (!temporary) return
      remove(directory)
      process.off('exit', onExit)
    },
  }
}

/** A second Ctrl-C doesn't wait for a graceful stop, and no later start would take this Postgres over. */
function killPostgres(directory: string): void {
  try {
    const [pid = ''] = readFileSync(join(directory, 'postgres/data/postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), 'SIGQUIT')
  } catch {
    // none runs
  }
}

/** Postgres may still be writing its last files. Then a removal fails, sometimes silently. */
function remove(directory: string): void {
  for (let attempt = 1; attempt <= 50; attempt++) {
    try {
      rmSync(directory, { recursive: true, force: true })
    } catch {
      // not empty yet
    }
    if (!existsSync(directory)) return
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50) // an exit handler can only block
  }
}
