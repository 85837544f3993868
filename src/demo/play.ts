// Owns the course of the demo: set the stage, begin the imports, follow them, report the result.
import { createClient } from '../../packages/client/src/index.ts'
import type { Service } from '../app/service.ts'
import type { Sandbox } from '../sandbox/server.ts'
import { follow } from './follow.ts'
import type { Receiver } from './receiver.ts'
import { prepare, registerAll } from './register.ts'
import { scenarios } from './scenarios.ts'
import type { Screen } from './screen.ts'
import { renderSummary } from './summary.ts'
import { problemsOf } from './verdict.ts'
import type { Workplace } from './workplace.ts'

export interface Play {
  workplace: Workplace
  service: Service
  sandbox: Sandbox
  receiver: Receiver
  screen: Screen
  exit: boolean
  signal: AbortSignal
}

/** Counted from the process's start. An import that isn't over by then isn't as expected. */
const overWithinMs = 85_000

export async function play(stage: Play): Promise<'as expected' | 'not as expected' | 'stopped'> {
  const { service, sandbox, receiver, screen, signal } = stage
  const tracker = createClient({ url: service.url, token: service.adminToken ?? '' })
  print(whereItIs(stage))
  const endpointId = await prepare({ tracker, sandbox, receiver })
  if (signal.aborted) return 'stopped'
  const followed = await registerAll({ tracker, sandbox }, scenarios)
  const beganAt = performance.now()
  const show = () => {
    const lines = followed.map((one) => ({ title: one.scenario.title, import: one.import }))
    screen.show(lines, { elapsedMs: performance.now() - beganAt, webhooks: receiver.events().size })
  }
  const deliveries = await follow({ tracker, show, signal }, followed, { endpointId, untilMs: overWithinMs })
  screen.end()
  if (signal.aborted) return 'stopped'

  const events = receiver.events()
  const refused = receiver.refused()
  const problems = problemsOf({ followed, deliveries, events, refused })
  if (performance.now() > overWithinMs) problems.push(`it took more than ${overWithinMs / 1_000} s`)
  print(renderSummary({ followed, events, refused, problems, elapsedMs: performance.now() - beganAt }, screen.paint))
  if (!stage.exit) print(whatToTry(stage))
  return problems.length === 0 ? 'as expected' : 'not as expected'
}

function whereItIs({ workplace: { directory, temporary, logFile }, service, sandbox }: Play): string[] {
  return [
    '',
    ...addresses(service),
    `Sandbox      ${sandbox.url}`,
    `Log          ${logFile}`,
    `Data         ${directory}`,
    `             (${temporary ? 'removed at the end, unless you give a DATA_DIR' : 'your DATA_DIR, kept at the end'})`,
  ]
}

function whatToTry({ service, screen: { paint } }: Play): string[] {
  return [
    '',
    ...addresses(service),
    '',
    'What was lost, and why:',
    `curl -H 'Authorization: Bearer ${service.adminToken}' \\`,
    `  '${service.url}/v1/imports?state=lost'`,
    '',
    paint('strong', 'The service goes on until Ctrl-C.'),
  ]
}

function addresses({ url, adminToken }: Service): string[] {
  return [
    `Dashboard    ${url}/`,
    `API docs     ${url}/docs`,
    `Bull Board   ${url}/queues`,
    `Admin token  ${adminToken}`,
  ]
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line)
}
