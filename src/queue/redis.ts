// Owns connections to Redis: checking the one of REDIS_URL, and opening those of BullMQ.
import { Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../base/log.ts'
import { ConfigError } from '../config/config.ts'
import { demanding } from '../config/requirement.ts'

const oldest = { major: 6, minor: 2 }

/**
 * Asks Redis for its version and policy once, before anything waits for it. It only warns of a Redis that may drop
 * keys: losing jobs loses nothing, but due work then waits for the next tick.
 * @throws {ConfigError} if Redis can't be reached, refuses the credentials or is too old.
 */
export async function checkRedis(url: string, log: Log, answerWithinMs = 10_000): Promise<void> {
  const info = await demanding('REDIS_URL must lead to a Redis that lets this service in', () =>
    askInfo(url, answerWithinMs),
  )
  const [, version = '', major, minor] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(info) ?? []
  if (Number(major) < oldest.major || (Number(major) === oldest.major && Number(minor) < oldest.minor))
    throw new ConfigError(`REDIS_URL must lead to Redis ${oldest.major}.${oldest.minor} or newer: it is ${version}.`)
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  if (policy !== 'noeviction')
    log.warn({ policy }, 'Redis may drop jobs when its memory is full: its maxmemory-policy should be noeviction')
}

async function askInfo(url: string, answerWithinMs: number): Promise<string> {
  // No ready check, because it turns refused credentials into endless reconnecting.
  const redis = new Redis(url, { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null })
  let trouble: Error | undefined
  redis.on('error', (error: Error) => {
    trouble ??= error
  })
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${answerWithinMs / 1_000} s`)), answerWithinMs)
  try {
    const info = await Promise.race([redis.info(), late.promise])
    if (trouble) throw trouble
    return info
  } catch (error) {
    throw trouble ?? error // the command itself only says that the connection was closed
  } finally {
    clearTimeout(timer)
    redis.disconnect()
  }
}

/**
 * Opens a connection that BullMQ may use and duplicate. It hides the eviction policy from BullMQ, which would print a
 * warning to standard output for each connection, between our lines of JSON.
 */
export function openQueueRedis(
  url: string,
  options: Pick<RedisOptions, 'maxRetriesPerRequest' | 'commandTimeout' | 'socketTimeout'>,
): Redis {
  return withoutPolicy(new Redis(url, options))
}

function withoutPolicy(redis: Redis): Redis {
  const info = redis.info.bind(redis) as (...sections: string[]) => Promise<string>
  const duplicate = redis.duplicate.bind(redis)
  return Object.assign(redis, {
    info: async (...sections: string[]) => (await info(...sections)).replace(/^maxmemory_policy:.*$/m, ''),
    duplicate: (changes?: Partial<RedisOptions>) => withoutPolicy(duplicate(changes) as Redis),
  }) as Redis
}
