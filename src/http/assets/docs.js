// Starts the API reference on the page of pages/docs.ts.
window.Scalar.createApiReference('#app', {
  url: new URL('../openapi.json', document.currentScript.src).href,
  agent: { disabled: true },
  documentDownloadType: 'direct',
  hideClientButton: true,
  hideModels: false,
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
})
