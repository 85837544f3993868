// A process that owns an embedded Postgres: `node owner.ts <directory>` says its URL and holds it until it is killed.
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'

const { url } = await startEmbeddedPostgres({ directory: process.argv[2] ?? '' })
process.on('SIGINT', () => console.log('SIGINT'))
console.log(url)
