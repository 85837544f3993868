// Owns the API's documentation: the OpenAPI document, and Scalar to show it. This server serves all of it.
import { fileURLToPath } from 'node:url'
import express, { type IRouter } from 'express'
import type { OpenApiDocument } from '../openapi.ts'
import { applicationSecurity } from '../security-headers.ts'
import { html } from './html.ts'
import { wayBack, wayBackStyle } from './way-back.ts'

const assets = fileURLToPath(new URL('../assets', import.meta.url))
/** Scalar's package for Fastify contains the bundle as a file. */
const scalar = fileURLToPath(new URL('./js/standalone.js', import.meta.resolve('@scalar/fastify-api-reference')))

function docsPage(basePath: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Import Tracker</title>
<link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml">
${wayBackStyle(basePath)}
<script defer src="${basePath}/assets/scalar.js"></script>
<script defer src="${basePath}/assets/docs.js"></script>
</head>
<body>${wayBack(basePath)}<div id="app"></div></body>
</html>
`.text
}

export function mountDocs(app: IRouter, document: () => Promise<OpenApiDocument>, basePath: string): void {
  app.get('/openapi.json', async (_request, response) => {
    response.json(await document())
  })
  app.get('/docs', applicationSecurity, (_request, response) => {
    response.type('html').send(docsPage(basePath))
  })
  app.get('/assets/scalar.js', (_request, response) => response.sendFile(scalar, { maxAge: '1h' }))
  app.use('/assets', express.static(assets, { index: false, maxAge: '1h' }))
}
