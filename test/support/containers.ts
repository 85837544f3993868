// Owns Postgres and Redis in containers, of the images that docker-compose.yml names.
import { readFile } from 'node:fs/promises'
import type { Service } from './services.ts'

/** Starts what is wanted, where a Docker engine answers. `required`: it is an error where none does. */
export async function startContainers(
  wanted: { postgres: boolean; redis: boolean },
  required: boolean,
): Promise<{ postgres?: Service; redis?: Service }> {
  const started: { postgres?: Service; redis?: Service } = {}
  if (!wanted.postgres && !wanted.redis) return started
  const { getContainerRuntimeClient } = await import('testcontainers')
  try {
    await getContainerRuntimeClient()
  } catch (error) {
    if (required) throw error
    return started
  }
  try {
    if (wanted.postgres) started.postgres = await startPostgres()
    if (wanted.redis) started.redis = await startRedis()
    return started
  } catch (error) {
    await Promise.all([started.postgres?.stop(), started.redis?.stop()])
    if (required) throw error
    console.warn(`No containers, although Docker answers (${(error as Error).message}): local services are used.`)
    return {}
  }
}

async function startPostgres(): Promise<Service> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(await imageOf('postgres'))
    .withEnvironment({ POSTGRES_PASSWORD: 'test' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=300'])
    .withExposedPorts(5432)
    // Over TCP: while the image sets its data up, the server answers on the socket alone.
    .withHealthCheck({ test: ['CMD-SHELL', 'pg_isready -h 127.0.0.1'], interval: 250, timeout: 5_000, retries: 200 })
    .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forHealthCheck()]))
    .start()
  return {
    url: `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    stop: async () => void (await container.stop()),
  }
}

async function startRedis(): Promise<Service> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(await imageOf('redis'))
    .withCommand(['redis-server', '--save', '', '--maxmemory-policy', 'noeviction', '--databases', '256'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    stop: async () => void (await container.stop()),
  }
}

async function imageOf(service: 'postgres' | 'redis'): Promise<string> {
  const compose = await readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
  const image = new RegExp(`image: (${service}:\\S+)`).exec(compose)?.[1]
  if (image === undefined) throw new Error(`docker-compose.yml names no image of ${service}`)
  return image
}
