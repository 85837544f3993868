// Owns the sandbox's own HTTP interface: its description, adding scripts, listing requests, outages.
import type { z } from 'zod'
import { isProviderName, rotateCredentials, shownCredentials } from './accounts.ts'
import { faultSchema } from './faults.ts'
import { scriptSchema, type VendorName, vendorNames } from './script.ts'
import { vendors, type World } from './world.ts'

export interface ControlRequest {
  method: string
  segments: readonly string[]
  /** The origin by which the client reached the sandbox, for URLs in answers. */
  origin: string
  /** Returns the body's text. Returns null if it was too large. */
  readBody(): Promise<string | null>
}

/** A body of null sends none. */
export interface ControlAnswer {
  status: number
  body: unknown
}

/** How many scripts and requests a list shows, the newest ones. */
const listLimit = 1_000

export async function control(world: World, request: ControlRequest): Promise<ControlAnswer> {
  const { method, segments, origin } = request
  const provider = segments[1]
  const route = isProviderName(provider) ? segments.with(1, '{provider}') : segments
  switch (`${method} /${route.join('/')}`) {
    case 'GET /':
      return { status: 200, body: describe(world, origin) }
    case 'POST /scripts':
      return withBody(request, scriptSchema, (script) => {
        const job = world.add(script)
        if (job === null) return problem(409, 'conflict', [{ field: 'jobId', message: 'is one of another script' }])
        const { provider } = job
        const baseUrl = `${origin}/${provider}`
        const jobId = vendors[provider].shownJobId?.(job.jobId, baseUrl) ?? job.jobId
        return { status: 201, body: { provider, jobId, baseUrl } }
      })
    case 'GET /scripts':
      return { status: 200, body: { data: world.jobs().slice(-listLimit) } }
    case 'GET /requests':
      return { status: 200, body: { data: world.requests().slice(-listLimit) } }
  }
  return isProviderName(provider)
    ? controlVendor(world, request, provider, `${method} /${route.join('/')}`)
    : unknownCall
}

async function controlVendor(world: World, request: ControlRequest, provider: VendorName, route: string) {
  const account = world.accounts[provider]
  switch (route) {
    case 'PUT /outages/{provider}':
      return withBody(request, faultSchema, (fault) => {
        account.outage = fault
        return { status: 200, body: fault }
      })
    case 'DELETE /outages/{provider}':
      account.outage = null
      return { status: 204, body: null }
    case 'POST /accounts/{provider}/rotate':
      return {
        status: 200,
        body: { credentials: shownCredentials(rotateCredentials(world.accounts, provider), request.origin) },
      }
    default:
      return unknownCall
  }
}

async function withBody<Schema extends z.ZodType>(
  request: ControlRequest,
  schema: Schema,
  then: (body: z.output<Schema>) => ControlAnswer,
): Promise<ControlAnswer> {
  const text = await request.readBody()
  if (text === null) return problem(413, 'payload_too_large')
  const parsed = schema.safeParse(parseJson(text))
  if (parsed.success) return then(parsed.data)
  return problem(
    400,
    'invalid_request',
    parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not a known field' }))
        : [{ field: issue.path.join('.'), message: issue.message }],
    ),
  )
}

/** Returns undefined, which no schema accepts, if the text isn't JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function problem(status: number, code: string, errors: readonly { field: string; message: string }[] = []) {
  return { status, body: { status, code, errors } }
}

const unknownCall = problem(404, 'not_found')

function describe(world: World, origin: string) {
  return {
    about: 'The status APIs of the vendors that the service knows, scriptable. Nothing here leaves this machine.',
    providers: Object.fromEntries(vendorNames.map((provider) => [provider, describeAccount(world, provider, origin)])),
    calls: {
      'POST /scripts':
        'Add an import: {"provider": "cdq", "durationMs": 20000, "outcome": "partial", …}, or word for word: ' +
        '{"provider": "cdq", "answers": [{"body": {"status": "RUNNING"}}, {"request": "3-", "status": 404}]}',
      'GET /scripts': 'The imports that were added, and how often each was asked for.',
      'GET /requests': 'The last requests at the vendors.',
      'PUT /outages/{provider}': 'Make every request of a vendor fail: {"kind": "rate_limited", "retryAfterS": 5}',
      'DELETE /outages/{provider}': 'End that.',
      'POST /accounts/{provider}/rotate': 'Accept new credentials only, and show them.',
    },
  }
}

function describeAccount(world: World, provider: VendorName, origin: string) {
  const { credentials, settings, outage } = world.accounts[provider]
  return { baseUrl: `${origin}/${provider}`, credentials: shownCredentials(credentials, origin), settings, outage }
}
