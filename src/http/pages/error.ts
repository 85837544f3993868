// Owns the page that a browser gets in place of a problem document.
import type { Request, Response } from 'express'
import type { Problem } from '../problem.ts'
import type { Viewer } from './guard.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { cameFrom, preferencesOf } from './preferences.ts'

/** Returns null if this request is no browser's that wants a page. */
export function errorPage(basePath: string, request: Request, response: Response, problem: Problem): string | null {
  const path = request.originalUrl.split('?')[0] ?? ''
  if (path === `${basePath}/v1` || path.startsWith(`${basePath}/v1/`)) return null
  if (request.accepts(['json', 'html']) !== 'html') return null
  const viewer = (response.locals.principal as Viewer | undefined) ?? null
  const from = request.method === 'GET' ? `${basePath}/` : cameFrom(request, basePath)
  const back = from === `${basePath}/` ? null : html`<a href="${from}">Back</a> · `
  const body = html`<section class="card narrow">
<h1>${headings[problem.status] ?? problem.title}</h1>
<p>${problem.detail}</p>
${
  viewer === null
    ? html`<p><a href="${basePath}/login">Sign in</a></p>`
    : html`<p>${back}<a href="${basePath}/">Overview</a> · <a href="${basePath}/imports">Imports</a></p>`
}
<p><small>Request ${problem.requestId}</small></p>
</section>`
  return page({
    title: headings[problem.status] ?? problem.title,
    body,
    basePath,
    viewer,
    preferences: preferencesOf(request),
    isAnswer: request.method !== 'GET',
  })
}

const headings: Record<number, string> = {
  400: 'That can’t be read',
  401: 'Please sign in',
  403: 'That is not allowed',
  404: 'There is nothing here',
  409: 'That can’t be done now',
  413: 'That is too long',
  429: 'Too many requests',
  500: 'Something went wrong',
  503: 'The database is away',
}
