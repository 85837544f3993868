// Owns the store of the queues: Redis if there is one, otherwise Postgres. The queues only wake workers. Losing all
// their data loses nothing, because due work is in our own tables.
import { setTimeout as delay } from 'node:timers/promises'
import { createPostgresBackend, type Job, type PostgresConnectionOptions, Queue, Worker, withBackend } from 'bullmq'
import { Pool } from 'pg'
import { demanding } from '../config/requirement.ts'
import { endPool, endSilentConnections, keepAlive, silenceMs } from '../db/silence.ts'
import { withPlainSslMode } from '../db/ssl-mode.ts'
import { type Payload, payloads, type QueueName, queueNames, storedName } from './jobs.ts'
import { queueSchema } from './migrate.ts'
import { requireSessions } from './postgres.ts'
import { openQueueRedis } from './redis.ts'
import { type Trial, tryOut } from './try-out.ts'

export type Processor<Name extends QueueName> = (payload: Payload<Name>, signal: AbortSignal) => Promise<void>

export interface Queues {
  store: 'redis' | 'postgres'
  all: Record<QueueName, Queue>
  /** Starts a worker. `abort` aborts the signal of its jobs. */
  work<Name extends QueueName>(name: Name, processor: Processor<Name>, options: WorkOptions): RunningWorker
  /** @throws if the store doesn't answer. */
  ping(): Promise<void>
  /** Tries everything that the service will need of the store. @throws {ConfigError} if the store doesn't allow it. */
  tryOut(): Promise<void>
  close(): Promise<void>
}

export interface WorkOptions {
  /** How many jobs run at once in this process. */
  concurrency: number
}

export interface RunningWorker {
  /** Takes no new jobs, and resolves when the running ones have ended. */
  drain(): Promise<void>
  /** Tells the running jobs to end now. */
  abort(): void
}

export interface QueueOptions {
  /** Null: the queues are in Postgres, at `databaseUrl`. */
  redisUrl: string | null
  databaseUrl: string
  /** Begins the keys in Redis, which other installations may share. */
  installationId: string
  /** False: this process only enqueues, and needs fewer connections. */
  works?: boolean
  /** When a dead worker's job is given up, in milliseconds. Absent: some 45 s. */
  stalling?: Stalling
  onError(error: Error): void
}

interface Stalling {
  lockDuration: number
  stalledInterval: number
}

const jobDefaults = { removeOnComplete: true, removeOnFail: true }
/**
 * The queue doesn't run the job of a dead worker again: it drops the job, and the work is due again when its lease
 * ends. So there is one way of recovery, and work never runs twice at once.
 */
const maxStalledCount = 0
const defaultStalling: Stalling = { lockDuration: 30_000, stalledInterval: 15_000 }

export function openQueues(options: QueueOptions): Queues {
  const { redisUrl, databaseUrl, installationId, works = true, stalling = defaultStalling } = options
  const store = redisUrl === null ? openPostgresStore(databaseUrl, works) : openRedisStore(redisUrl, installationId)
  store.onError(options.onError)
  const all = Object.fromEntries(queueNames.map((name) => [name, store.queue(storedName(name))])) as Record<
    QueueName,
    Queue
  >
  const workers: Worker[] = []
  for (const queue of Object.values(all)) queue.on('error', options.onError)

  return {
    store: store.name,
    all,
    work(name, processor, { concurrency }) {
      const hurry = new AbortController()
      const run = async (job: Job) => processor(payloads[name].parse(job.data) as Payload<typeof name>, hurry.signal)
      const worker = store.worker(storedName(name), run, { concurrency, maxStalledCount, ...stalling })
      worker.on('error', options.onError)
      worker.on('failed', (_job, error) => options.onError(error))
      workers.push(worker)
      return {
        drain: () => worker.close(),
        abort: () => hurry.abort(),
      }
    },
    ping: store.ping,
    async tryOut() {
      await store.check()
      const worker: Trial['worker'] = (name, run) =>
        store.worker(name, run, { concurrency: 1, maxStalledCount, ...stalling })
      await demanding(store.demand, () => tryOut({ queue: store.queue, worker }))
    },
    async close() {
      // An unreachable store doesn't answer a goodbye.
      await settled(Promise.all(workers.map((worker) => worker.close())))
      await settled(Promise.all(Object.values(all).map((queue) => queue.close())))
      await settled(store.close())
    },
  }
}

const goodbyeMs = 2_000

async function settled(closing: Promise<unknown>): Promise<void> {
  await Promise.race([closing, delay(goodbyeMs, undefined, { ref: false })])
}

type WorkerOptions = Stalling & { concurrency: number; maxStalledCount: number }

interface Store {
  name: 'redis' | 'postgres'
  /** What the variable that names the store must be, for the operator. */
  demand: string
  /** Tries what BullMQ silently relies on. @throws {ConfigError} */
  check(): Promise<void>
  queue(name: string): Queue
  worker(name: string, run: (job: Job) => Promise<void>, options: WorkerOptions): Worker
  onError(listener: (error: Error) => void): void
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * How long Redis may take to answer, and how long a worker waits for a job: Redis answers that wait after at most 10 s.
 */
const answerMs = 5_000
const blockingAnswerMs = 13_000

function openRedisStore(url: string, installationId: string): Store {
  // The braces put all keys into one hash slot of a cluster.
  const prefix = `{import-tracker-${installationId}}`
  // Producers fail at once if Redis is unreachable, because a request is waiting. Workers wait until it is back. Either
  // closes a silent connection and opens a new one.
  const producer = openQueueRedis(url, { maxRetriesPerRequest: 1, commandTimeout: answerMs, socketTimeout: answerMs })
  const consumer = openQueueRedis(url, { maxRetriesPerRequest: null, socketTimeout: blockingAnswerMs })
  return {
    name: 'redis',
    demand: `REDIS_URL must lead to a Redis where this service may run scripts, write, wait and delete under ${prefix}:*`,
    check: async () => {},
    queue: (name) => new Queue(name, { connection: producer, prefix, defaultJobOptions: jobDefaults }),
    worker: (name, run, options) => new Worker(name, run, { connection: consumer, prefix, ...options }),
    onError(listener) {
      producer.on('error', listener)
      consumer.on('error', listener)
    },
    async ping() {
      await producer.ping()
    },
    async close() {
      producer.disconnect()
      consumer.disconnect()
    },
  }
}

/** Returns how many connections the queue in Postgres opens at most. */
export function maxQueueConnections(works: boolean): number {
  return works ? queueNames.length * 3 : 4
}

/** How long to wait for a connection of a busy pool. BullMQ's workers can only try again. */
const waitForConnectionMs = 10_000

function openPostgresStore(url: string, works: boolean): Store {
  const backend = withBackend(createPostgresBackend)
  // Every worker keeps one connection of the pool for LISTEN.
  const pool = new Pool({
    connectionString: withPlainSslMode(url),
    options: `-c search_path=${queueSchema}`,
    max: maxQueueConnections(works),
    connectionTimeoutMillis: waitForConnectionMs,
    ...keepAlive,
    application_name: 'import-tracker-queue',
  })
  const connections = endSilentConnections(pool, silenceMs)
  pool.setMaxListeners(0) // every queue and every worker listens to its errors
  // If a connection breaks while it is used, the statement reports it. An error without a listener would end the
  // process.
  pool.on('connect', (client) => client.on('error', () => {}))
  // BullMQ describes pg's pool by a smaller interface of its own, which doesn't match under strict optional properties.
  const connection = pool as unknown as PostgresConnectionOptions
  return {
    name: 'postgres',
    demand:
      'DATABASE_URL must lead to a database where this user may run the queue, as docs/operating.md lists the grants',
    check: () => requireSessions(pool),
    queue: (name) => new backend.Queue(name, { connection, defaultJobOptions: jobDefaults }) as unknown as Queue,
    worker: (name, run, options) => new backend.Worker(name, run, { connection, ...options }) as unknown as Worker,
    onError: (listener) => void pool.on('error', listener),
    async ping() {
      await pool.query('SELECT 1')
    },
    close: () => endPool(pool, connections),
  }
}
