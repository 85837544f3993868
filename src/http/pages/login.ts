// Owns signing in and out.
import express, { type IRouter, type Request } from 'express'
import type { ApiLimits } from '../limits.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import type { Sessions } from '../session.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { preferencesOf } from './preferences.ts'

export function mountLogin(
  app: IRouter,
  { sessions, limits, basePath }: { sessions: Sessions; limits: Pick<ApiLimits, 'countWrongToken'>; basePath: string },
): void {
  app.use(['/login', '/logout'], noStore)

  app.get('/login', (request, response) => {
    response.type('html').send(loginPage(basePath, request, request.query.next))
  })

  app.post(
    '/login',
    requireSameOrigin,
    express.urlencoded({ extended: false, limit: 16_384 }),
    async (request, response) => {
      const { token, next } = formOf(request)
      const principal = await sessions.signIn(request, response, token.trim())
      if (principal !== null) return response.redirect(303, nextPath(basePath, next))
      limits.countWrongToken(request)
      response
        .status(401)
        .type('html')
        .send(loginPage(basePath, request, next, 'This token is not valid.'))
    },
  )

  app.post('/logout', requireSameOrigin, async (request, response) => {
    await sessions.signOut(request, response)
    response.redirect(303, `${basePath}/login`)
  })
}

/** Returns the path of the login page, which leads back to this request. */
export function loginPath(basePath: string, request: Request): string {
  return `${basePath}/login?next=${encodeURIComponent(request.originalUrl)}`
}

function loginPage(basePath: string, request: Request, next: unknown, complaint = ''): string {
  const body = html`<form class="card login" method="post" action="${basePath}/login">
<h1>Sign in</h1>
<input type="hidden" name="next" value="${nextPath(basePath, next)}">
<label for="token">API token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
${complaint === '' ? null : html`<p class="complaint" role="alert">${complaint}</p>`}
<button>Sign in</button>
</form>`
  return page({ title: 'Sign in', body, basePath, viewer: null, preferences: preferencesOf(request) })
}

function formOf(request: Request): { token: string; next: unknown } {
  const form: Record<string, unknown> = request.body ?? {}
  return { token: typeof form.token === 'string' ? form.token : '', next: form.next }
}

/** Returns a path of this site, never one of another site, however it is spelt. */
function nextPath(basePath: string, next: unknown): string {
  const here = 'http://here'
  const url = typeof next === 'string' && next.startsWith('/') ? URL.parse(next, here) : null
  // `/.//elsewhere` is on this site, but its path alone, `//elsewhere`, would be another site.
  return url?.origin === here && !url.pathname.startsWith('//') ? `${url.pathname}${url.search}` : `${basePath}/`
}
