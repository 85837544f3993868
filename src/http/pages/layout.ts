// Owns the frame of our own pages.
import type { Principal } from '../../tokens/authenticate.ts'
import { type Html, html } from './html.ts'

export interface PageContent {
  title: string
  body: Html
  /** What every path of this site begins with. */
  basePath: string
  /** Who is signed in. Null: nobody is. */
  viewer: Principal | null
  /** How often the browser reloads the page. */
  refreshSeconds?: number
}

export function page({ title, body, basePath, viewer, refreshSeconds }: PageContent): string {
  const refresh = refreshSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${refreshSeconds}">`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Import Tracker</title>
<link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${basePath}/assets/style.css">
${refresh}
</head>
<body>
<header>
<a class="brand" href="${basePath}/">Import Tracker</a>
<nav><a href="${basePath}/docs">API</a><a href="${basePath}/queues">Queues</a><a href="${basePath}/metrics">Metrics</a></nav>
${viewer === null ? null : html`<form method="post" action="${basePath}/logout"><span>${viewer.name}</span><button>Sign out</button></form>`}
</header>
<main>${body}</main>
</body>
</html>
`.text
}
