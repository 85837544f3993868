// Owns how a reader wants pages to look: light or dark, and times in which zone. Two cookies remember it, so that the
// server writes a page the right way at once.
import { parseCookie, stringifySetCookie } from 'cookie'
import type { IRouter, Request } from 'express'
import { z } from 'zod'
import { parse } from '../../api/validation.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { readForm } from './form.ts'
import { type Html, html } from './html.ts'

export const themes = ['system', 'light', 'dark'] as const
/** Only a script knows the reader's zone, so `local` is UTC where none runs. */
export const zones = ['utc', 'local'] as const

export interface Preferences {
  theme: (typeof themes)[number]
  zone: (typeof zones)[number]
}

const schema = z.strictObject({ theme: z.enum(themes).optional(), zone: z.enum(zones).optional() })
const lifetimeS = 365 * 86_400

export function preferencesOf(request: Request): Preferences {
  const cookies = parseCookie(request.headers.cookie ?? '')
  return {
    theme: themes.find((theme) => theme === cookies.import_tracker_theme) ?? 'system',
    zone: zones.find((zone) => zone === cookies.import_tracker_zone) ?? 'utc',
  }
}

/** Also for who isn't signed in. */
export function mountPreferences(app: IRouter, { basePath }: { basePath: string }): void {
  app.post('/preferences', noStore, requireSameOrigin, readForm, (request, response) => {
    const given = parse(schema, request.body ?? {}, 'form')
    response.setHeader(
      'set-cookie',
      Object.entries(given).map(([name, value]) =>
        stringifySetCookie({
          name: `import_tracker_${name}`,
          value,
          path: basePath === '' ? '/' : basePath,
          httpOnly: true,
          sameSite: 'lax',
          maxAge: lifetimeS,
        }),
      ),
    )
    response.redirect(303, cameFrom(request, basePath))
  })
}

/** The page of this site that the form was on. The overview, if the browser doesn’t say. */
export function cameFrom(request: Request, basePath: string): string {
  const url = URL.parse(request.headers.referer ?? '')
  const isOurs = url?.host === request.headers.host && `${url?.pathname}`.startsWith(`${basePath}/`)
  return url !== null && isOurs && !url.pathname.startsWith('//') ? url.pathname + url.search : `${basePath}/`
}

export function preferenceForm({ theme, zone }: Preferences, basePath: string): Html {
  const choices = (name: keyof Preferences, title: string, options: readonly string[], chosen: string) =>
    html`<fieldset><legend>${title}</legend>${options.map(
      (option) =>
        html`<button class="small" name="${name}" value="${option}" aria-pressed="${option === chosen ? 'true' : 'false'}">${words[option] ?? option}</button>`,
    )}</fieldset>`
  return html`<form class="preferences" method="post" action="${basePath}/preferences">${choices('theme', 'Colours', themes, theme)}${choices('zone', 'Times', zones, zone)}</form>`
}

const words: Record<string, string> = { utc: 'UTC' }
