// Owns the frame of our own pages.
import type { Principal } from '../../tokens/authenticate.ts'
import { allows } from '../../tokens/scope.ts'
import { type Html, html } from './html.ts'

export interface PageContent {
  title: string
  body: Html
  /** What every path of this site begins with. */
  basePath: string
  /** Who is signed in. Null: nobody is. */
  viewer: Principal | null
  /** The path of the section that the page belongs to, below the base path. */
  section?: string
  /** How often the page is brought up to date while it is open, where scripts run. Absent: never. */
  refreshSeconds?: number
}

export function page({ title, body, basePath, viewer, section, refreshSeconds }: PageContent): string {
  const live = refreshSeconds === undefined ? null : html` data-live="${refreshSeconds}"`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Import Tracker</title>
<link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${basePath}/assets/style.css">
<script defer src="${basePath}/assets/copy.js"></script>
${live === null ? null : html`<script defer src="${basePath}/assets/live.js"></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="${basePath}/">Import Tracker</a>
<nav aria-label="Main">${viewer === null ? null : links(basePath, viewer, section)}</nav>
${live === null ? null : html`<small role="status" data-live-status></small>`}
${viewer === null ? null : account(basePath, viewer)}
</header>
<main id="main" tabindex="-1"${live}>${body}</main>
</body>
</html>
`.text
}

const sections = [
  ['/', 'Overview', 'read'],
  ['/imports', 'Imports', 'read'],
  ['/connections', 'Connections', 'read'],
  ['/webhooks', 'Webhooks', 'read'],
  ['/queues', 'Queues', 'admin'],
  ['/docs', 'API', 'read'],
] as const

function links(basePath: string, viewer: Principal, section: string | undefined): Html[] {
  return sections
    .filter(([, , scope]) => allows(viewer.scope, scope))
    .map(([path, name]) =>
      path === section
        ? html`<a href="${basePath}${path}" aria-current="page">${name}</a>`
        : html`<a href="${basePath}${path}">${name}</a>`,
    )
}

function account(basePath: string, { name, scope }: Principal): Html {
  return html`<form class="account" method="post" action="${basePath}/logout"><span>${name} <small>${scope}</small></span><button>Sign out</button></form>`
}
