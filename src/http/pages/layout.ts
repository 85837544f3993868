// Owns the frame of our own pages.
import { type Html, html } from './html.ts'

export interface PageContent {
  title: string
  body: Html
  /** The name of the signed-in user. Null: nobody is signed in. */
  user: string | null
  /** How often the browser reloads the page. */
  refreshSeconds?: number
}

export function page({ title, body, user, refreshSeconds }: PageContent): string {
  const refresh = refreshSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${refreshSeconds}">`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Import Tracker</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
${refresh}
</head>
<body>
<header>
<a class="brand" href="/">Import Tracker</a>
<nav><a href="/docs">API</a><a href="/queues">Queues</a><a href="/metrics">Metrics</a></nav>
${user === null ? null : html`<form method="post" action="/logout"><span>${user}</span><button>Sign out</button></form>`}
</header>
<main>${body}</main>
</body>
</html>
`.text
}
