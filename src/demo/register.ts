// Owns setting the stage through the API: connections, the webhook endpoint, and imports that begin at the vendors and
// are registered at the same moment.
import { randomUUID } from 'node:crypto'
import type { ApiImport } from '../imports/present.ts'
import { importEventTypes } from '../model/import-state.ts'
import type { Sandbox } from '../sandbox/server.ts'
import type { Api } from './api.ts'
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
  api: Api
  sandbox: Sandbox
  receiver: Receiver
}

/** Returns the id of the endpoint. */
export async function prepare({ api, sandbox, receiver }: Stage): Promise<string> {
  for (const name of Object.keys(connections) as ConnectionName[])
    await api.put(`/connections/${name}`, connectionBody(name, sandbox))
  await removeOldEndpoints(api)
  const endpoint = await api.post<{ id: string; secret: string }>('/webhook-endpoints', {
    url: receiver.url,
    types: importEventTypes,
  })
  receiver.setSecret(endpoint.secret)
  return endpoint.id
}

/** Removes the endpoints of earlier runs on the same data, whose receivers are gone. */
async function removeOldEndpoints(api: Api): Promise<void> {
  const { data } = await api.get<{ data: { id: string; url: string }[] }>('/webhook-endpoints?limit=1000')
  for (const { id, url } of data) if (url.endsWith(receiverPath)) await api.delete(`/webhook-endpoints/${id}`)
}

/** Registers all scenarios in one batch. */
export async function registerAll(
  { api, sandbox }: Pick<Stage, 'api' | 'sandbox'>,
  scenarios: readonly Scenario[],
): Promise<Followed[]> {
  const begun = scenarios.map((scenario) => begin(sandbox, scenario))
  const imports = begun.map(({ scenario: { connection, title, deadlineMs, result }, jobId }) => ({
    connection,
    metadata: { title },
    ...(result === undefined ? { jobId } : { result }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  }))
  const { data } = await api.post<{ data: { import?: ApiImport }[] }>('/imports/batch', { imports })
  return begun.map(({ scenario, trueEnd }, index) => {
    const registered = data[index]?.import
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
