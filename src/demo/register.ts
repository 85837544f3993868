// Owns setting the stage through the API: connections, the webhook endpoint, and imports that begin at the vendors and
// are registered at the same moment.
import { randomUUID } from 'node:crypto'
import type { Client } from '../../packages/client/src/index.ts'
import type { ApiImport } from '../imports/present.ts'
import { importEventTypes } from '../model/import-state.ts'
import type { Sandbox } from '../sandbox/server.ts'
import { type ConnectionName, connectionBody, connections } from './connections.ts'
import { type Receiver, receiverPath } from './receiver.ts'
import { endsAfterMs, type Scenario } from './scenarios.ts'

/** A scenario, and its import as the API last showed it. */
export interface Followed {
  scenario: Scenario
  import: ApiImport
  /** When the import ends at the vendor, which only the sandbox knows. Null: it never does. */
  trueEnd: Date | null
  /** Every `attention` that the import has shown so far. */
  attentions: Set<string>
}

interface Stage {
  tracker: Client
  sandbox: Sandbox
  receiver: Receiver
}

/** Returns the id of the endpoint. */
export async function prepare({ tracker, sandbox, receiver }: Stage): Promise<string> {
  for (const name of Object.keys(connections) as ConnectionName[])
    await tracker.connections.put<string>(name, connectionBody(name, sandbox))
  await removeOldEndpoints(tracker)
  const endpoint = await tracker.endpoints.create({ url: receiver.url, types: [...importEventTypes] })
  receiver.setSecret(endpoint.secret)
  return endpoint.id
}

/** Removes the endpoints of earlier runs on the same data, whose receivers are gone. */
async function removeOldEndpoints(tracker: Client): Promise<void> {
  for await (const { id, url } of tracker.endpoints.list())
    if (url.endsWith(receiverPath)) await tracker.endpoints.delete(id)
}

/** Registers all scenarios in one batch. */
export async function registerAll(
  { tracker, sandbox }: Pick<Stage, 'tracker' | 'sandbox'>,
  scenarios: readonly Scenario[],
): Promise<Followed[]> {
  const begun = scenarios.map((scenario) => begin(sandbox, scenario))
  const imports = begun.map(({ scenario: { connection, title, deadlineMs, result }, jobId }) => ({
    connection,
    metadata: { title },
    ...(result === undefined ? { jobId } : { result }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  }))
  const { data } = await tracker.imports.registerMany({ imports })
  return begun.map(({ scenario, trueEnd }, index) => {
    const answer = data[index]
    const registered = answer && 'import' in answer ? answer.import : undefined
    if (!registered) throw new Error(`"${scenario.title}" was not registered: ${JSON.stringify(data[index])}`)
    return { scenario, trueEnd, import: registered, attentions: new Set() }
  })
}

function begin(sandbox: Sandbox, scenario: Scenario): { scenario: Scenario; jobId: string; trueEnd: Date | null } {
  const { script, connection } = scenario
  if (script === null) return { scenario, jobId: randomUUID(), trueEnd: null }
  const { jobId, createdAt } = sandbox.add({ ...script, provider: connections[connection].provider })
  const endMs = endsAfterMs(scenario)
  return { scenario, jobId, trueEnd: endMs === null ? null : new Date(createdAt.getTime() + endMs) }
}
