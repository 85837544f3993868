// Owns how the sandbox's tests reach it: a sandbox with a clock of their own, and calls as each vendor's users make them.
import { onTestFinished } from 'vitest'
import type { FaultInput } from '../../src/sandbox/faults.ts'
import type { ScriptInput, VendorName } from '../../src/sandbox/script.ts'
import { type Sandbox, type SandboxJob, type SandboxOptions, startSandbox } from '../../src/sandbox/server.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'

export interface OpenSandbox {
  sandbox: Sandbox
  clock: ManualClock
}

/** A running sandbox that is closed when the test is over. */
export async function openSandbox(options: Partial<SandboxOptions> = {}): Promise<OpenSandbox> {
  const clock = manualClock()
  const sandbox = await startSandbox({ clock, ...options })
  onTestFinished(() => sandbox.close())
  return { sandbox, clock }
}

/** The headers that the vendor's documentation asks for. */
export function authHeaders(sandbox: Sandbox, provider: VendorName): Record<string, string> {
  switch (provider) {
    case 'cdq':
      return { 'X-API-KEY': sandbox.credentials('cdq').apiKey }
    case 'micro':
      return { 'x-api-key': sandbox.credentials('micro').apiKey }
    case 'zilliant':
      return {
        authorization: `OAuth ${Buffer.from(sandbox.credentials('zilliant').tokenResponse).toString('base64')}`,
        'X-Forwarded-Host': sandbox.settings('zilliant').forwardedHost,
      }
    case 'fullstory':
      return { authorization: `Basic ${sandbox.credentials('fullstory').apiKey}` }
    default:
      throw new TypeError(`Nobody asks ${provider} in these tests.`)
  }
}

/** The path of a job's status below the vendor's base URL. */
export function statusPath(sandbox: Sandbox, provider: VendorName, jobId: string): string {
  const id = encodeURIComponent(jobId)
  switch (provider) {
    case 'cdq':
      return `/jobs/importjobs/${id}`
    case 'micro':
      return `/v2/prism/${sandbox.settings('micro').teamId}/imports/${id}`
    case 'zilliant':
      return `/v1/EntityImport/${id}/status`
    case 'fullstory':
      return `/v2/events/batch/${id}`
    default:
      throw new TypeError(`Nobody asks ${provider} in these tests.`)
  }
}

/** Asks for the status, or for `path` instead, with the right credentials unless other headers are given. */
export function ask(
  sandbox: Sandbox,
  { provider, jobId, baseUrl }: SandboxJob,
  { path = statusPath(sandbox, provider, jobId), headers = authHeaders(sandbox, provider), signal }: AskOptions = {},
): Promise<Response> {
  return fetch(baseUrl + path, { headers, redirect: 'manual', ...(signal === undefined ? {} : { signal }) })
}

export interface AskOptions {
  path?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The answer's JSON. */
export async function askJson(sandbox: Sandbox, job: SandboxJob, options: AskOptions = {}) {
  const response = await ask(sandbox, job, options)
  // What a vendor answers is for the test to say.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  return (await response.json()) as any
}

/** A finished import at CDQ with these faults, or another one, and calls for its status. */
export async function openJob(faults: FaultInput[], script: Partial<ScriptInput> = {}) {
  const open = await openSandbox()
  const job = open.sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines: 3, ...script, faults })
  return {
    ...open,
    job,
    ask: (options?: AskOptions) => ask(open.sandbox, job, options),
    askJson: (options?: AskOptions) => askJson(open.sandbox, job, options),
  }
}
