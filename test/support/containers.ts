// Owns Postgres and Redis in containers, of the images that docker-compose.yml names.
import type { Service } from './services.ts'

const images = { postgres: 'postgres:18-alpine', redis: 'redis:8-alpine' }

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
  const container = await new GenericContainer(images.postgres)
    .withEnvironment({ POSTGRES_PASSWORD: 'test' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=300'])
    .withExposedPorts(5432)
    // Twice: the image starts a server once to set it up.
    .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage(/ready to accept connections/, 2)]))
    .start()
  return {
    url: `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    stop: async () => void (await container.stop()),
  }
}

async function startRedis(): Promise<Service> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(images.redis)
    .withCommand(['redis-server', '--save', '', '--maxmemory-policy', 'noeviction', '--databases', '256'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    stop: async () => void (await container.stop()),
  }
}
