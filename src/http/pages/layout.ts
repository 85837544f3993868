// Owns the frame of our own pages.
import { allows } from '../../tokens/scope.ts'
import type { Viewer } from './guard.ts'
import { type Html, html } from './html.ts'
import { type Preferences, preferenceForm } from './preferences.ts'

export interface PageContent {
  title: string
  body: Html
  /** What every path of this site begins with. */
  basePath: string
  /** Who is signed in. Null: nobody is. */
  viewer: Viewer | null
  /** Absent: the viewer's, or the defaults. */
  preferences?: Preferences
  /** The path of the section that the page belongs to, below the base path. */
  section?: string
  /**
   * The page is brought up to date while it is open, where scripts run: when something changes, and no more often than
   * every so many seconds. Absent: never, as for the answer to a form.
   */
  refreshSeconds?: number
  /** It answers a form, and nobody can ask for it again: nothing is offered that leads elsewhere and back. */
  isAnswer?: boolean
}

export function page({
  title,
  body,
  basePath,
  viewer,
  section,
  refreshSeconds,
  isAnswer = false,
  ...given
}: PageContent): string {
  const preferences = given.preferences ?? viewer?.preferences ?? defaults
  const live = refreshSeconds === undefined ? null : html` data-live="${refreshSeconds}"`
  return html`<!doctype html>
<html lang="en" data-theme="${preferences.theme}" data-zone="${preferences.zone}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Import Tracker</title>
<link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${basePath}/assets/style.css">
${viewer === null ? null : html`<script type="module" src="${basePath}/assets/live.js"></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="${basePath}/">Import Tracker</a>
<nav aria-label="Main">${viewer === null ? null : links(basePath, viewer, section)}</nav>
${live === null ? null : html`<small aria-live="polite" data-live-status></small><span class="visually-hidden" aria-live="polite" data-live-told></span>`}
${viewer === null ? null : account(basePath, viewer)}
</header>
<main id="main" tabindex="-1"${live}>${body}</main>
<footer>${isAnswer ? null : preferenceForm(preferences, basePath)}${viewer === null ? null : html`<button type="button" class="small" data-keys hidden>Keys</button>`}</footer>
${viewer === null ? null : keys}
</body>
</html>
`.text
}

const defaults: Preferences = { theme: 'system', zone: 'utc' }

/** What assets/keys.js does, told by it at `?`. */
const keys = html`<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
<dl class="facts">
<dt><kbd>/</kbd></dt><dd>search</dd>
<dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next row, previous row</dd>
<dt><kbd>Enter</kbd></dt><dd>open the row</dd>
<dt><kbd>x</kbd></dt><dd>select the row</dd>
<dt><kbd>g</kbd> <kbd>o</kbd></dt><dd>go to the overview</dd>
<dt><kbd>g</kbd> <kbd>i</kbd></dt><dd>go to imports</dd>
<dt><kbd>g</kbd> <kbd>c</kbd></dt><dd>go to connections</dd>
<dt><kbd>g</kbd> <kbd>w</kbd></dt><dd>go to webhooks</dd>
<dt><kbd>?</kbd></dt><dd>this list</dd>
</dl><form method="dialog"><button>Close</button></form></dialog>`

const sections = [
  ['/', 'Overview', 'read'],
  ['/imports', 'Imports', 'read'],
  ['/connections', 'Connections', 'read'],
  ['/webhooks', 'Webhooks', 'read'],
  ['/queues', 'Queues', 'admin'],
  ['/docs', 'API', 'read'],
] as const

function links(basePath: string, viewer: Viewer, section: string | undefined): Html[] {
  return sections
    .filter(([, , scope]) => allows(viewer.scope, scope))
    .map(([path, name]) =>
      path === section
        ? html`<a href="${basePath}${path}" aria-current="page">${name}</a>`
        : html`<a href="${basePath}${path}">${name}</a>`,
    )
}

function account(basePath: string, { name, scope }: Viewer): Html {
  return html`<form class="account" method="post" action="${basePath}/logout"><span>${name} <small>${scope}</small></span><button>Sign out</button></form>`
}
