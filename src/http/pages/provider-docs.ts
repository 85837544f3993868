// Owns the pages of the documentation of the providers that come with the service.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IRouter } from 'express'
import { notFound } from '../../api/refusal.ts'
import { noStore } from '../security-headers.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { html, lines } from './html.ts'
import { page } from './layout.ts'

const folder = fileURLToPath(new URL('../../../docs/providers/', import.meta.url))

/** As they were written, by the name of their provider. Only a checkout has them: the package holds no documents. */
const documentation: ReadonlyMap<string, string> = new Map(
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => file.endsWith('.md'))
    .map((file) => [basename(file, '.md'), readFileSync(folder + file, 'utf8')]),
)

/** Returns the path of a provider's page. Null: it has none. */
export function providerDocsPath(basePath: string, name: string): string | null {
  return documentation.has(name) ? `${basePath}/docs/providers/${name}` : null
}

export function mountProviderDocs(app: IRouter, deps: PageGuardDeps): void {
  const { basePath } = deps
  app.get('/docs/providers/:name', noStore, requireSignIn(deps, 'read'), (request, response) => {
    const text = documentation.get(String(request.params.name))
    if (text === undefined) throw notFound('documentation')
    const [title = '', ...rest] = text.split('\n')
    const body = html`<h1>${title.replace(/^#+ /, '')}</h1><section class="card"><pre class="prose" tabindex="0">${lines(rest.join('\n').trim())}</pre></section>`
    response
      .type('html')
      .send(page({ title: title.replace(/^#+ /, ''), body, basePath, viewer: principalOf(response) }))
  })
}
