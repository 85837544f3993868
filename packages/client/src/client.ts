// Owns the client: a method for each operation of the API, made from the table of calls, and what goes on for long.
import { calls } from './calls.ts'
import { type FollowOptions, followEvents, type WaitOptions, waitForImport, watchImport } from './follow.ts'
import { type CallOptions, createPages, type Page, type Pages, readPage } from './pages.ts'
import type * as Schemas from './schema.ts'
import { segment } from './segment.ts'
import { createTransport, type Transport, type TransportOptions } from './transport.ts'

export type { FollowOptions, WaitOptions } from './follow.ts'

export type ClientOptions = TransportOptions

export interface Client extends Omit<Schemas.Methods, 'imports' | 'connections' | 'events'> {
  imports: Omit<Schemas.Methods['imports'], 'list' | 'stream'> & {
    /** Lists imports, the newest first. */
    list(filter?: ImportFilter & CallOptions): Pages<Schemas.Import>
    /** Returns the import once it is over. Outlives restarts of the service. */
    wait(id: string, options?: WaitOptions): Promise<Schemas.Import>
    /** Yields the import as it is, and then at each change, until it is over. Outlives restarts of the service. */
    stream(id: string, options?: CallOptions): AsyncGenerator<Schemas.Import, void>
  }
  connections: Omit<Schemas.Methods['connections'], 'put'> & {
    /** Creates or replaces a connection. Its provider says which credentials and settings it takes. */
    put<Provider extends string>(
      name: string,
      body: { provider: Provider } & PutConnection<Provider>,
      options?: CallOptions,
    ): Promise<Schemas.Connection>
  }
  events: Schemas.Methods['events'] & {
    /** Yields events for ever. The id of each is the cursor to go on from. Outlives restarts of the service. */
    follow(options?: FollowOptions): AsyncGenerator<Schemas.Event, never>
  }
  /**
   * Sends any request with the token, once, such as one for a download. The answer is the caller's to judge.
   * @param path from `/v1` on.
   */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** Several states, and keys of metadata with their values. */
export type ImportFilter = Omit<Schemas.ListImportsQuery, 'state' | 'metadata'> & {
  state?: OneOrMany<Schemas.Import['state']> | undefined
  metadata?: Readonly<Record<string, string | number | boolean>> | undefined
}
/** The connection of a provider that is part of the service, or of one that was uploaded. */
export type PutConnection<Provider extends string> = Provider extends Schemas.PutOwnConnection['provider']
  ? Extract<Schemas.PutOwnConnection, { provider: Provider }>
  : Schemas.PutUploadedConnection
type OneOrMany<Item> = Item | readonly Item[]

/** Makes a client of the service at `url`. Its calls throw a {@link ProblemError}, or the reason of an abort. */
export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options)
  const groups = Object.fromEntries(
    Object.entries(calls).map(([name, group]) => [name, groupOf(transport, group)]),
  ) as unknown as Schemas.Methods
  return {
    ...groups,
    imports: {
      ...groups.imports,
      list: groups.imports.list as Client['imports']['list'],
      wait: (id, given = {}) => waitForImport(transport, id, given),
      stream: (id, { signal } = {}) => watchImport(transport, id, signal),
    },
    events: { ...groups.events, follow: (given = {}) => followEvents(transport, given) },
    fetch: transport.fetch,
  }
}

function groupOf(transport: Transport, group: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(group).map(([name, call]) => [name, methodOf(transport, call)]))
}

function methodOf(transport: Transport, call: string) {
  const [method = '', template = '', kind] = call.split(' ')
  return (...args: unknown[]) => {
    const rest = [...args]
    const path = template.replace(/\{\w+\}/, () => segment(rest.shift()))
    const body = kind === 'body' ? { body: rest.shift() } : {}
    const { signal, ...query } = (rest.shift() ?? {}) as CallOptions & Record<string, unknown>
    const sending = { method, path, ...body, signal }
    if (kind !== 'list') return transport.call({ ...sending, query })
    const read = async (after = query.after) =>
      readPage(await transport.call({ ...sending, query: { ...query, after } }))
    return createPages(read as (after: string | undefined) => Promise<Page<unknown>>)
  }
}
