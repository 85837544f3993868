// Owns the endpoints for machines: alive, ready, metrics. They need no token, so that load balancers and scrapers can
// read them. They name nothing but counts and parts.
import { type IRouter, Router } from 'express'
import type { Log } from '../base/log.ts'

export interface HealthDeps {
  log: Log
  /** The checks that must pass before requests are sent to this process, by name. Each throws if it fails. */
  checks: Readonly<Record<string, () => Promise<void>>>
  /** Returns false if something in this process has stopped that only a restart revives. Absent: that can't happen. */
  canRecover?: () => boolean
  /** Returns the metrics in the Prometheus text format. */
  metrics: () => Promise<string>
}

/** Load balancers themselves give up after some seconds. */
const checkTimeoutMs = 2_000

export function mountHealth(app: IRouter, { log, checks, canRecover, metrics }: HealthDeps): void {
  const router = Router()

  router.get('/healthz', (_request, response) => {
    const ok = canRecover?.() ?? true
    response.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'failed' })
  })

  router.get('/readyz', async (_request, response) => {
    const results = await Promise.all(Object.entries(checks).map(([name, check]) => run(name, check, log)))
    const ready = results.every(({ ok }) => ok)
    const parts = Object.fromEntries(results.map(({ name, ok }) => [name, ok ? 'ok' : 'failed']))
    response.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'failed', checks: parts })
  })

  router.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics())
  })

  app.use(router)
}

async function run(name: string, check: () => Promise<void>, log: Log): Promise<{ name: string; ok: boolean }> {
  const timeout = AbortSignal.timeout(checkTimeoutMs)
  const late = new Promise<never>((_resolve, reject) => {
    timeout.addEventListener('abort', () => reject(timeout.reason))
  })
  try {
    await Promise.race([check(), late])
    return { name, ok: true }
  } catch (error) {
    log.warn({ err: error, check: name }, 'not ready')
    return { name, ok: false }
  }
}
