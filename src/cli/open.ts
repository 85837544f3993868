// Owns the command `open`: a page of the service in the browser.
import { spawn } from 'node:child_process'
import { Argument, type Command } from 'commander'
import type { Client } from '../../packages/client/src/index.ts'
import type { Environment } from './account.ts'
import { atService } from './at-service.ts'
import { readId } from './given.ts'

type Kind = 'import' | 'connection' | 'endpoint'

export function addOpen(program: Command): void {
  const open = program
    .command('open')
    .description('open a page of the service in the browser')
    .addArgument(new Argument('[kind]', 'of what (the dashboard)').choices(['import', 'connection', 'endpoint']))
    .argument('[id]', 'its id, or the name of a connection', readId)
    .option('--print', 'only print its URL')
  atService(
    open,
    async (
      { tracker, account, signal },
      kind: Kind | undefined,
      id: string | undefined,
      { print }: { print?: true },
    ) => {
      if (kind !== undefined && id === undefined) open.error(`error: missing the ${nameOf[kind]}`)
      const url = pageUrl(await pageOf({ tracker, url: account.url, signal }, kind, id))
      if (print || !(await openInBrowser(url, process.platform, process.env))) console.log(url)
      else console.error(`It opens ${url}.`)
      return undefined
    },
  )
}

const nameOf: Record<Kind, string> = {
  import: 'id of the import',
  connection: 'name of the connection',
  endpoint: 'id of the endpoint',
}

/** @throws {ProblemError} if there is no such thing. */
async function pageOf(
  { tracker, url, signal }: { tracker: Client; url: string; signal: AbortSignal },
  kind: Kind | undefined,
  id = '',
): Promise<string> {
  switch (kind) {
    case 'import':
      return (await tracker.imports.get(id, { signal })).url ?? `${url}/imports/${encodeURIComponent(id)}`
    case 'connection':
      return `${url}/connections/${encodeURIComponent((await tracker.connections.get(id, { signal })).name)}`
    case 'endpoint':
      return `${url}/webhooks/${(await tracker.endpoints.get(id, { signal })).id}`
    default:
      return `${url}/`
  }
}

/**
 * The URL may come from the service, and what opens it would start a program for another scheme.
 * @throws {Error} if it isn't a URL of HTTP.
 */
function pageUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error('The service gave no http(s):// URL of a page.')
  return url.href
}

/** Returns false if the platform has nothing to open a URL with, or nowhere to show it. */
export function openInBrowser(url: string, platform: NodeJS.Platform, environment: Environment): Promise<boolean> {
  const opener = openerOf(platform, environment)
  if (opener === null) return Promise.resolve(false)
  const [command, ...args] = opener
  return new Promise((resolve) => {
    const child = spawn(command, [...args, url], { stdio: 'ignore', env: environment as NodeJS.ProcessEnv })
    child.once('error', () => resolve(false)).once('exit', (code) => resolve(code === 0))
  })
}

function openerOf(platform: NodeJS.Platform, environment: Environment): [command: string, ...args: string[]] | null {
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  // Without a display xdg-open would take over the terminal by a browser for texts.
  const { DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME } = environment
  return DISPLAY || WAYLAND_DISPLAY || WSL_DISTRO_NAME ? ['xdg-open'] : null
}
