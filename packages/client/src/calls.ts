// Made by `npm run generate:client` from the API's document.

/** By group and method. The last word of a call says that it takes a body, or answers with a page. */
export const calls: Record<string, Record<string, string>> = {
  imports: {
    register: 'POST /v1/imports body',
    list: 'GET /v1/imports list',
    registerMany: 'POST /v1/imports/batch body',
    get: 'GET /v1/imports/{id}',
    delete: 'DELETE /v1/imports/{id}',
    patch: 'PATCH /v1/imports/{id} body',
    stream: 'GET /v1/imports/{id}/stream',
    actions: 'POST /v1/imports/actions body',
    poll: 'POST /v1/imports/{id}/poll',
    stop: 'POST /v1/imports/{id}/stop',
    resume: 'POST /v1/imports/{id}/resume body',
    snapshots: 'GET /v1/imports/{id}/snapshots list',
    skippedLines: 'GET /v1/imports/{id}/skipped-lines list',
    rowResults: 'GET /v1/imports/{id}/row-results list',
    events: 'GET /v1/imports/{id}/events list',
  },
  connections: {
    put: 'PUT /v1/connections/{name} body',
    patch: 'PATCH /v1/connections/{name} body',
    get: 'GET /v1/connections/{name}',
    delete: 'DELETE /v1/connections/{name}',
    list: 'GET /v1/connections list',
    test: 'POST /v1/connections/{name}/test',
    resume: 'POST /v1/connections/{name}/resume',
  },
  providers: {
    put: 'PUT /v1/providers/{name} body',
    get: 'GET /v1/providers/{name}',
    delete: 'DELETE /v1/providers/{name}',
    list: 'GET /v1/providers list',
    try: 'POST /v1/providers/{name}/try body',
  },
  endpoints: {
    create: 'POST /v1/webhook-endpoints body',
    list: 'GET /v1/webhook-endpoints list',
    get: 'GET /v1/webhook-endpoints/{id}',
    patch: 'PATCH /v1/webhook-endpoints/{id} body',
    delete: 'DELETE /v1/webhook-endpoints/{id}',
    rotateSecret: 'POST /v1/webhook-endpoints/{id}/rotate-secret body',
    test: 'POST /v1/webhook-endpoints/{id}/test',
    recover: 'POST /v1/webhook-endpoints/{id}/recover body',
    replay: 'POST /v1/webhook-endpoints/{id}/replay body',
    enable: 'POST /v1/webhook-endpoints/{id}/enable',
  },
  events: {
    list: 'GET /v1/events list',
    get: 'GET /v1/events/{id}',
  },
  deliveries: {
    list: 'GET /v1/deliveries list',
    get: 'GET /v1/deliveries/{id}',
    attempts: 'GET /v1/deliveries/{id}/attempts list',
    redeliver: 'POST /v1/deliveries/{id}/redeliver',
  },
  actions: {
    list: 'GET /v1/actions list',
  },
  me: {
    get: 'GET /v1/me',
  },
  tokens: {
    create: 'POST /v1/tokens body',
    list: 'GET /v1/tokens list',
    delete: 'DELETE /v1/tokens/{id}',
  },
}
