// Made by `npm run generate:client` from the API's document.

import type { CallOptions, Pages } from './pages.ts'

export type ImportFilterAttention = "unmapped_status" | "forbidden" | "outcome_incomplete" | "budget" | "stalled" | "overdue"
export type ImportState = "pending" | "queued" | "running" | "succeeded" | "partial" | "failed" | "canceled" | "lost" | "stopped"
export type ListEventsQueryType = ImportWebhookType | "connection.paused" | "connection.resumed" | "endpoint.failing" | "endpoint.recovered" | "endpoint.disabled" | "delivery.exhausted"
export type ProblemCode = "invalid_request" | "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "payload_too_large" | "unsupported_media_type" | "too_many_requests" | "internal" | "unavailable"
export type DeliveryAttemptOutcome = "delivered" | "http_error" | "invalid_http" | "redirect" | "timeout" | "dns_error" | "connect_error" | "tls_error" | "blocked_address" | "in_flight"
export type DeliveryAttemptErrorCode = "blocked_address" | "name_not_found" | "dns_timeout" | "dns_failed" | "connection_refused" | "host_unreachable" | "connect_timeout" | "connection_failed" | "certificate_expired" | "certificate_wrong_host" | "certificate_untrusted" | "tls_failed" | "connection_reset" | "answer_timeout" | "headers_too_large" | "malformed_http" | "undecipherable_secret"
export type ActionVerb = "import.poll" | "import.stop" | "import.resume" | "import.change" | "import.delete" | "connection.put" | "connection.change" | "connection.resume" | "connection.test" | "connection.delete" | "endpoint.create" | "endpoint.change" | "endpoint.rotate_secret" | "endpoint.test" | "endpoint.enable" | "endpoint.disable" | "endpoint.recover" | "endpoint.replay" | "endpoint.delete" | "delivery.redeliver" | "provider.put" | "provider.delete" | "token.create" | "token.delete"
export type ActionKind = "import" | "connection" | "endpoint" | "delivery" | "provider" | "token"
export type ImportWebhookType = "import.queued" | "import.running" | "import.succeeded" | "import.partial" | "import.failed" | "import.canceled" | "import.lost" | "import.stopped" | "import.resumed" | "import.rows_collected" | "import.rows_incomplete" | "import.attention" | "import.stalled" | "import.overdue"
export type RegisterImport = {
  /** The name of a connection. */
  connection: string
  jobId?: string | null
  /** Your own data. */
  metadata?: Record<string, unknown>
  /** How long to poll at most. */
  deadlineMs?: number
  result?: Record<string, unknown>
}
export type RegisterImports = { imports: RegisterImport[] }
export type PatchImport = {
  /** Replaces all metadata. */
  metadata?: Record<string, unknown>
  deadlineMs?: number
}
export type ImportAction = {
  filter: ImportFilter
  action: "poll" | "stop" | "resume"
  /** Only counts them. */
  dryRun?: boolean
}
export type ImportFilter = {
  ids?: string[]
  /** The name of their connection. */
  connection?: string
  /** The name of their provider. */
  provider?: string
  /** The provider’s id of the job. */
  jobId?: string
  jobIdPrefix?: string
  attention?: ImportFilterAttention
  state?: ImportState[]
  metadata?: Record<string, string | number | boolean | null>
  /** Registered at this moment or later. */
  registeredAfter?: string
  /** Registered before this moment. */
  registeredBefore?: string
  /** Seen to be over at this moment or later. */
  finishedAfter?: string
  /** Seen to be over before this moment. */
  finishedBefore?: string
}
export type ResumeImport = { force?: boolean }
export type PutConnection = PutOwnConnection | PutUploadedConnection
export type PutOwnConnection = PutCdqConnection | PutMicroConnection | PutZilliantConnection | PutFullstoryConnection | PutAip151Connection | PutAlgoliaConnection | PutAuth0Connection | PutAzureConnection | PutBigqueryConnection | PutContentfulConnection | PutElasticsearchConnection | PutHubspotConnection | PutIntercomConnection | PutKlaviyoConnection | PutMailchimpConnection | PutMarketoConnection | PutSalesforceConnection | PutSendgridConnection | PutShopifyConnection | PutZendeskConnection
export type PutCdqConnection = PutOwnConnectionFields & {
  provider: "cdq"
  /** The base URL of its API. */
  baseUrl?: string
  credentials: { apiKey: string }
  settings?: Record<string, never>
}
/** Limits on requests to the provider. */
export type Limits = {
  /** At an even pace. */
  requestsPerSecond?: number
  requestsPerMinute?: number
  /** Of a day in UTC. */
  requestsPerDay?: number
  /** Of a month in UTC. */
  requestsPerMonth?: number
  maxInFlight?: number
  minIntervalMs?: number
  maxIntervalMs?: number
  deadlineMs?: number
}
export type PutMicroConnection = PutOwnConnectionFields & {
  provider: "micro"
  baseUrl?: string
  credentials: { apiKey: string }
  settings: { teamId: string }
}
export type PutZilliantConnection = PutOwnConnectionFields & {
  provider: "zilliant"
  /** The base URL of its API. */
  baseUrl: string
  credentials: { tokenResponse: string }
  settings?: { forwardedHost?: string }
}
export type PutFullstoryConnection = PutOwnConnectionFields & {
  provider: "fullstory"
  baseUrl?: string
  credentials: { apiKey: string }
  settings?: { resource?: "events" | "users" }
}
export type PutAip151Connection = PutOwnConnectionFields & {
  provider: "aip151"
  baseUrl: string
  credentials: {
    /** OAuth 2.0 access token */
    accessToken: string
  } | {
    serviceAccountJson: string
  }
  settings?: {
    version?: string
    progressPercent?: string
    /** Where the number of rows is */
    total?: string
    /** Where the number of processed rows is */
    processed?: string
    /** Where the number of imported rows is */
    succeeded?: string
    /** Where the number of failed rows is */
    failed?: string
  }
}
export type PutAlgoliaConnection = PutOwnConnectionFields & {
  provider: "algolia"
  baseUrl: string
  credentials: {
    /** Application ID */
    appId: string
    apiKey: string
  }
  settings: {
    /** The index's name */
    index: string
  }
}
export type PutAuth0Connection = PutOwnConnectionFields & {
  provider: "auth0"
  baseUrl: string
  credentials: {
    clientId: string
    /** Client secret */
    clientSecret: string
  } | {
    accessToken: string
  }
  settings?: Record<string, never>
}
export type PutAzureConnection = PutOwnConnectionFields & {
  provider: "azure"
  baseUrl?: string
  credentials: {
    /** Directory (tenant) ID */
    tenantId: string
    /** Application (client) ID */
    clientId: string
    clientSecret: string
    scope: string
  } | {
    /** Entra ID access token */
    accessToken: string
  }
  settings?: { runningStatuses?: string[] }
}
export type PutBigqueryConnection = PutOwnConnectionFields & {
  provider: "bigquery"
  baseUrl?: string
  credentials: { serviceAccountJson: string } | { accessToken: string }
  settings: {
    /** The project's id */
    projectId: string
    location?: string
  }
}
export type PutContentfulConnection = PutOwnConnectionFields & {
  provider: "contentful"
  baseUrl?: string
  credentials: {
    /** Content management token */
    accessToken: string
  }
  settings: {
    /** The space's id */
    space: string
    /** The environment's id Absent: master. */
    environment?: string
    resource?: "bulk_actions/actions" | "bulk_operations"
  }
}
export type PutElasticsearchConnection = PutOwnConnectionFields & {
  provider: "elasticsearch"
  baseUrl: string
  credentials: { apiKey: string } | { username: string; password: string }
  settings?: { path?: "/_tasks" | "/_reindex" }
}
export type PutHubspotConnection = PutOwnConnectionFields & {
  provider: "hubspot"
  baseUrl?: string
  credentials: { accessToken: string } | {
    /** Client ID of the OAuth app */
    clientId: string
    clientSecret: string
    /** Refresh token */
    refreshToken: string
  }
  settings?: { apiPath?: string }
}
export type PutIntercomConnection = PutOwnConnectionFields & {
  provider: "intercom"
  baseUrl?: string
  credentials: {
    /** Access token */
    accessToken: string
  }
  settings?: {
    /** What the job imports Absent: contacts. */
    resource?: "contacts" | "companies"
    /** The API version Absent: Preview. */
    version?: string
  }
}
export type PutKlaviyoConnection = PutOwnConnectionFields & {
  provider: "klaviyo"
  baseUrl?: string
  credentials: { apiKey: string } | {
    clientId: string
    clientSecret: string
    /** Refresh token: The newest one is kept */
    refreshToken: string
  }
  settings?: {
    jobType?: "profile-bulk-import-jobs" | "profile-suppression-bulk-create-jobs" | "profile-suppression-bulk-delete-jobs" | "catalog-item-bulk-create-jobs" | "catalog-item-bulk-update-jobs" | "catalog-item-bulk-delete-jobs" | "catalog-variant-bulk-create-jobs" | "catalog-variant-bulk-update-jobs" | "catalog-variant-bulk-delete-jobs" | "catalog-category-bulk-create-jobs" | "catalog-category-bulk-update-jobs" | "catalog-category-bulk-delete-jobs" | "coupon-code-bulk-create-jobs"
    /** The API revision Absent: 2026-07-15. */
    revision?: string
  }
}
export type PutMailchimpConnection = PutOwnConnectionFields & {
  provider: "mailchimp"
  baseUrl: string
  credentials: { apiKey: string }
  settings?: Record<string, never>
}
export type PutMarketoConnection = PutOwnConnectionFields & {
  provider: "marketo"
  baseUrl: string
  credentials: { clientId: string; clientSecret: string }
  settings?: { resource?: string }
}
export type PutSalesforceConnection = PutOwnConnectionFields & {
  provider: "salesforce"
  baseUrl: string
  credentials: {
    clientId: string
    /** Consumer secret */
    clientSecret: string
  } | {
    clientId: string
    clientSecret: string
    refreshToken: string
  } | { accessToken: string }
  settings?: {
    /** The API version Absent: 66.0. */
    apiVersion?: string
  }
}
export type PutSendgridConnection = PutOwnConnectionFields & {
  provider: "sendgrid"
  baseUrl?: string
  credentials: {
    /** API key: Settings, API Keys */
    apiKey: string
  }
  settings?: Record<string, never>
}
export type PutShopifyConnection = PutOwnConnectionFields & {
  provider: "shopify"
  baseUrl: string
  credentials: {
    /** Admin API access token */
    accessToken: string
  } | {
    /** Client ID of the app */
    clientId: string
    clientSecret: string
    refreshToken: string
  } | { clientId: string; clientSecret: string }
  settings?: { apiVersion?: string }
}
export type PutZendeskConnection = PutOwnConnectionFields & {
  provider: "zendesk"
  baseUrl: string
  credentials: ZendeskCredentials
  settings?: Record<string, never>
}
/** The credentials for zendesk. */
export type ZendeskCredentials = {
  /** The agent's email */
  email: string
  apiToken: string
} | {
  /** OAuth access token */
  accessToken: string
} | {
  /** Client ID of the OAuth client */
  clientId: string
  clientSecret: string
  refreshToken: string
} | {
  clientId: string
  clientSecret: string
}
export type PutUploadedConnection = PutOwnConnectionFields & {
  /** The name of an uploaded document. */
  provider: string
  baseUrl?: string
  credentials: Record<string, string>
  settings?: Record<string, unknown>
}
export type PatchConnection = {
  provider?: string
  /** Replaces all credentials. */
  credentials?: Record<string, unknown>
  /** Replaces all settings. */
  settings?: Record<string, unknown>
  /** Null: the provider’s default. */
  baseUrl?: string | null
  limits?: {
    requestsPerSecond?: number | null
    requestsPerMinute?: number | null
    requestsPerDay?: number | null
    requestsPerMonth?: number | null
    maxInFlight?: number | null
    minIntervalMs?: number | null
    maxIntervalMs?: number | null
    deadlineMs?: number | null
  }
  volatileFields?: string[]
  baselineBy?: string[]
}
/** A provider as a document, `format` 1. */
export type ProviderDocument = Record<string, unknown>
export type TryProvider = {
  /** A document to try. */
  document?: Record<string, unknown>
  /** An answer of the vendor. */
  answer?: {
    /** The HTTP status. */
    status?: number
    headers?: Record<string, string>
    /** JSON. */
    body?: unknown
  }
  /** What the answer is to. */
  of?: "status" | "summary" | "details"
  /** A connection’s settings, for `answer`. */
  settings?: Record<string, unknown>
  connection?: string
  /** The job to ask about with `connection`. */
  jobId?: string
}
export type CreateWebhookEndpoint = {
  url: string
  /** The event types to send. */
  types?: ListEventsQueryType[]
  /** Sends only events of these connections. */
  connections?: string[] | null
  /** Sends only events of these providers. */
  providers?: string[] | null
  metadata?: Record<string, string | number | boolean> | null
  headers?: Record<string, string>
}
export type PatchWebhookEndpoint = {
  url?: string
  types?: ListEventsQueryType[]
  connections?: string[] | null
  providers?: string[] | null
  metadata?: Record<string, string | number | boolean> | null
  /** Replaces all headers. */
  headers?: Record<string, string>
  enabled?: boolean
}
export type RotateSecret = {
  /** How long older secrets go on signing. */
  overlapHours?: number
}
export type ResendWindow = {
  /** From this time on. */
  since?: string
  /** Before this time. */
  until?: string
  dryRun?: boolean
}
export type CreateToken = {
  /** What the token is for. */
  name: string
  scope: "read" | "write" | "admin"
}
export type Import = {
  id: string
  connection: string
  provider: string
  /** The provider’s id of the job. */
  jobId: string
  state: ImportState
  lostReason: ("not_found" | "expired" | "unauthorized" | "deadline" | "archived") | null
  /** Why a person should look at the import. */
  attention: string | null
  /** The provider’s own word for the state. */
  providerStatus: string | null
  /** The provider’s text for people. */
  message: string | null
  progress: number | null
  rows: Rows
  details: {
    state: "none" | "pending" | "collecting" | "complete" | "incomplete"
    skippedLines: number
    rowResults: number
    /** Why no rows come. */
    lastError: LastError | null
  }
  providerCreatedAt: string | null
  providerStartedAt: string | null
  providerFinishedAt: string | null
  registeredAt: string
  firstPolledAt: string | null
  lastPolledAt: string | null
  /** When the next poll is due. */
  nextPollAt: string | null
  finishedAt: string | null
  polls: number
  lastError: LastError | null
  metadata: Record<string, unknown>
  eta: { at: string; earliest: string; latest: string } | null
  usualDurationMs: number | null
  detectionGapMs: number | null
  /** Its page, for people. */
  url: string | null
}
export type Rows = {
  total: number | null
  processed: number | null
  succeeded: number | null
  failed: number | null
  inserted: number | null
  updated: number | null
  skipped: number | null
}
/** The error of the last call. */
export type LastError = { code: string; message: string; at: string }
/** A problem document (RFC 9457). */
export type Problem = {
  type: "about:blank"
  /** The status in words. */
  title: string
  status: number
  /** The kind of problem, for programs. */
  code: ProblemCode
  /** The problem in words, for people. */
  detail: string
  requestId: string
  /** The wrong fields. */
  errors: { field: string; message: string }[]
}
export type ImportActionResult = {
  count: number
  /** How many of them the action was done to. */
  done: number
  skipped: number
  more: boolean
  dryRun: boolean
}
export type Snapshot = {
  state: ImportState
  providerStatus: string | null
  progress: number | null
  message: string | null
  rows: Rows
  body: unknown
  firstSeenAt: string
  lastSeenAt: string
  /** How many polls saw this report. */
  polls: number
}
export type SkippedLine = { line: number | null; column: number | null; page: number }
export type RowResult = {
  /** From 0, in the provider’s order. */
  row: number
  line: number | null
  column: number | null
  recordId: string | null
  created: boolean | null
  existing: boolean | null
  error: { code: string | null; message: string | null } | null
}
/** An account at a provider. */
export type Connection = {
  name: string
  provider: string
  providerRevision: number | null
  /** Null: the provider’s default. */
  baseUrl: string | null
  settings: Record<string, unknown>
  limits: {
    requestsPerSecond?: number | null
    requestsPerMinute?: number | null
    requestsPerDay?: number | null
    requestsPerMonth?: number | null
    maxInFlight?: number
    minIntervalMs?: number
    maxIntervalMs?: number
    deadlineMs?: number
  }
  effectiveLimits: {
    requestsPerSecond: number | null
    requestsPerMinute: number | null
    requestsPerDay: number | null
    requestsPerMonth: number | null
    maxInFlight: number
    minIntervalMs: number
    maxIntervalMs: number
    deadlineMs: number
  }
  volatileFields: string[]
  baselineBy: string[]
  pausedAt: string | null
  pauseReason: ("unauthorized" | "forbidden") | null
  blockedUntil: string | null
  usage: {
    /** The month in UTC, as `2026-11`. */
    month: string
    used: number
    /** Null: the month has no limit. */
    left: number | null
    runsOutAt: string | null
  }
  /** The median duration of its imports. */
  usualDurationMs: number | null
  createdAt: string
  updatedAt: string
}
export type ConnectionTest = {
  ok: boolean
  /** `accepted`, or the reason why not. */
  code: string
  /** The code in words, for people. */
  message: string
}
export type Provider = ProviderSummary & {
  /** Null: it is part of the service. */
  document: Record<string, unknown> | null
}
export type ProviderSummary = {
  name: string
  title: string
  /** `builtin`: a part of the service. */
  source: "builtin" | "shipped" | "uploaded"
  /** Of an uploaded document, from 1. */
  revision: number | null
  /** Null: each connection has its own. */
  baseUrl: string | null
  /** When this revision was uploaded. */
  createdAt: string | null
}
export type TriedProvider = {
  report: TriedReport | null
  details: {
    skippedLines: unknown[]
    rowResults: unknown[]
    next: string | null
    announced?: number | null
  } | null
  error: { code: string; message: string } | null
}
export type TriedReport = {
  state: string
  providerStatus: string | null
  message: string | null
  progress: number | null
  rows: Rows
  createdAt: string | null
  startedAt: string | null
  finishedAt: string | null
  expiresAt: string | null
  /** What a success lacks. */
  missing: string | null
  body: unknown
}
export type WebhookEndpointWithSecret = WebhookEndpoint & {
  /** Signs the webhooks. */
  secret: string
}
export type WebhookEndpoint = {
  id: string
  url: string
  types: ListEventsQueryType[]
  /** Null: events of all connections. */
  connections: string[] | null
  /** Null: events of all providers. */
  providers: string[] | null
  metadata: Record<string, string | number | boolean> | null
  /** Its own headers by name. */
  headers: Record<string, string>
  enabled: boolean
  /** `gone`: the receiver answered 410. */
  disabledReason: ("manual" | "gone" | "failing") | null
  failingSince: string | null
  nextProbeAt: string | null
  blockedUntil: string | null
  /** To the minute. */
  lastSuccessAt: string | null
  createdAt: string
  updatedAt: string
}
export type Delivery = {
  id: string
  /** The `webhook-id` of every attempt. */
  eventId: string
  endpointId: string
  type: string
  createdAt: string
  state: "pending" | "delivered" | "exhausted" | "skipped"
  attempts: number
  nextAttemptAt: string | null
  deliveredAt: string | null
}
export type Resent = {
  /** How many are due now, or would be. */
  count: number
  /** True: there are more, so call again. */
  more: boolean
  dryRun: boolean
}
/** Something that happened. */
export type Event = ImportEvent | ConnectionEvent | EndpointEvent | DeliveryEvent
export type ImportEvent = ImportWebhook & {
  /** Equals the `webhook-id` of its webhooks. */
  id: string
  importId: string
}
export type ConnectionEvent = ConnectionWebhook & {
  id: string
  /** Null: the event isn’t of an import. */
  importId: string | null
}
export type EndpointEvent = EndpointWebhook & { id: string; importId: string | null }
export type DeliveryEvent = DeliveryWebhook & { id: string; importId: string | null }
export type ExhaustedDelivery = Delivery & { endpoint: WebhookEndpoint }
export type WholeDelivery = Delivery & { payload: string; headers: Record<string, string> }
export type DeliveryAttempt = {
  number: number
  /** A caller asked for it. */
  manual: boolean
  startedAt: string
  durationMs: number | null
  outcome: DeliveryAttemptOutcome
  status: number | null
  /** Why there was no answer. */
  errorCode: DeliveryAttemptErrorCode | null
  /** The first 4 KiB of the answer. */
  responseSnippet: string | null
}
/** What the holder of a token did. */
export type Action = {
  id: string
  at: string
  /** The token, as it was then. */
  by: {
    name: string
    scope: string
    /** Null: the bootstrap token. */
    tokenId: string | null
  }
  verb: ActionVerb
  subject: {
    kind: ActionKind
    /** Null: many imports at once. */
    id: string | null
    name: string | null
  }
  details: Record<string, unknown> | null
}
/** The holder of a token. */
export type Me = { name: string; scope: "read" | "write" | "admin" }
export type NewToken = Token & {
  /** Shown only this once. */
  token: string
}
export type Token = Me & { id: string; createdAt: string }
export type Webhook = ImportWebhook | ConnectionWebhook | EndpointWebhook | DeliveryWebhook | TestWebhook
export type ImportWebhook = {
  type: ImportWebhookType
  /** When it happened. */
  timestamp: string
  sequence: number | null
  data: Import
  omitted?: string[]
}
export type ConnectionWebhook = {
  type: "connection.paused" | "connection.resumed"
  timestamp: string
  sequence: number | null
  data: Connection
  omitted?: string[]
}
export type EndpointWebhook = {
  type: "endpoint.failing" | "endpoint.recovered" | "endpoint.disabled"
  timestamp: string
  sequence: number | null
  data: WebhookEndpoint
  omitted?: string[]
}
export type DeliveryWebhook = {
  type: "delivery.exhausted"
  timestamp: string
  sequence: number | null
  data: ExhaustedDelivery
  omitted?: string[]
}
export type TestWebhook = {
  /** A caller tests the endpoint. */
  type: "webhook.test"
  timestamp: string
  sequence: number | null
  data: WebhookEndpoint
  omitted?: string[]
}
export type PutOwnConnectionFields = { limits?: Limits; volatileFields?: string[]; baselineBy?: string[] }
export type ListImportsQuery = PageQuery & {
  connection?: string
  provider?: string
  jobId?: string
  jobIdPrefix?: string
  attention?: ImportFilterAttention
  registeredAfter?: string
  registeredBefore?: string
  finishedAfter?: string
  finishedBefore?: string
  state?: string
  /** By the time of registration. */
  order?: "newest" | "oldest"
}
export type RegisterImportsAnswer = {
  data: ({ status: number; import: Import } | { status: number; problem: Problem })[]
}
export type GetImportQuery = { waitMs?: number }
export type PageQuery = {
  limit?: number
  /** `next` of the page before. */
  after?: string
}
export type ListSkippedLinesQuery = PageQuery & { bom?: boolean }
export type ListEventsQuery = PageQuery & {
  /** Only events of this type. */
  type?: ListEventsQueryType
  connection?: string
  waitMs?: number
}
export type ListDeliveriesQuery = PageQuery & {
  endpointId?: string
  eventId?: string
  importId?: string
  state?: "pending" | "delivered" | "exhausted" | "skipped"
  /** The type of their event. */
  type?: ListEventsQueryType
  status?: "2xx" | "3xx" | "4xx" | "5xx" | "none"
  createdAfter?: string
  createdBefore?: string
}
export type ListActionsQuery = PageQuery & {
  importId?: string
  connection?: string
  endpointId?: string
  /** The name of the token. */
  by?: string
  verb?: ActionVerb
}

/** The client's methods. */
export interface Methods {
  imports: {
    /** Register an import. */
    register(body: RegisterImport, options?: CallOptions): Promise<Import>
    /** List imports by their registration, the newest first. */
    list(options?: ListImportsQuery & CallOptions): Pages<Import>
    /** Register up to 1,000 imports. */
    registerMany(body: RegisterImports, options?: CallOptions): Promise<RegisterImportsAnswer>
    /** Get an import, now or once it is over. */
    get(id: string, options?: GetImportQuery & CallOptions): Promise<Import>
    /** Delete an import. */
    delete(id: string, options?: CallOptions): Promise<void>
    /** Change the metadata or the deadline of an import. */
    patch(id: string, body: PatchImport, options?: CallOptions): Promise<Import>
    /** Follow an import by server-sent events. */
    stream(id: string, options?: CallOptions): Promise<Import>
    /** Poll, stop or resume all imports of a filter. */
    actions(body: ImportAction, options?: CallOptions): Promise<ImportActionResult>
    /** Poll the provider now. */
    poll(id: string, options?: CallOptions): Promise<Import>
    /** Stop polling an import. */
    stop(id: string, options?: CallOptions): Promise<Import>
    /** Resume an import that is over. */
    resume(id: string, body?: ResumeImport, options?: CallOptions): Promise<Import>
    /** List the provider’s reports over time, the oldest first. */
    snapshots(id: string, options?: PageQuery & CallOptions): Pages<Snapshot>
    /** List the lines that the provider skipped. */
    skippedLines(id: string, options?: ListSkippedLinesQuery & CallOptions): Pages<SkippedLine>
    /** List the results of the rows. */
    rowResults(id: string, options?: ListSkippedLinesQuery & CallOptions): Pages<RowResult>
    /** List the events of an import, the oldest first. */
    events(id: string, options?: PageQuery & CallOptions): Pages<Event>
  }
  connections: {
    /** Create or replace a connection. */
    put(name: string, body: PutConnection, options?: CallOptions): Promise<Connection>
    /** Change a connection. */
    patch(name: string, body: PatchConnection, options?: CallOptions): Promise<Connection>
    /** Get a connection. */
    get(name: string, options?: CallOptions): Promise<Connection>
    /** Delete a connection. */
    delete(name: string, options?: CallOptions): Promise<void>
    /** List connections by name. */
    list(options?: PageQuery & CallOptions): Pages<Connection>
    /** Try a connection. */
    test(name: string, options?: CallOptions): Promise<ConnectionTest>
    /** Resume a paused connection. */
    resume(name: string, options?: CallOptions): Promise<Connection>
  }
  providers: {
    /** Upload a provider as a document. */
    put(name: string, body: ProviderDocument, options?: CallOptions): Promise<Provider>
    /** Get a provider and its document. */
    get(name: string, options?: CallOptions): Promise<Provider>
    /** Delete an uploaded document. */
    delete(name: string, options?: CallOptions): Promise<void>
    /** List providers by name. */
    list(options?: PageQuery & CallOptions): Pages<ProviderSummary>
    /** Try what a document makes of an answer. */
    try(name: string, body: TryProvider, options?: CallOptions): Promise<TriedProvider>
  }
  endpoints: {
    /** Create a webhook endpoint. */
    create(body: CreateWebhookEndpoint, options?: CallOptions): Promise<WebhookEndpointWithSecret>
    /** List webhook endpoints, the oldest first. */
    list(options?: PageQuery & CallOptions): Pages<WebhookEndpoint>
    /** Get a webhook endpoint. */
    get(id: string, options?: CallOptions): Promise<WebhookEndpoint>
    /** Change a webhook endpoint. */
    patch(id: string, body: PatchWebhookEndpoint, options?: CallOptions): Promise<WebhookEndpoint>
    /** Delete a webhook endpoint. */
    delete(id: string, options?: CallOptions): Promise<void>
    /** Give a webhook endpoint a new secret. */
    rotateSecret(id: string, body?: RotateSecret, options?: CallOptions): Promise<WebhookEndpointWithSecret>
    /** Send a test event to a webhook endpoint. */
    test(id: string, options?: CallOptions): Promise<Delivery>
    /** Send failed deliveries of a span of time again. */
    recover(id: string, body?: ResendWindow, options?: CallOptions): Promise<Resent>
    /** Send the events that a webhook endpoint never received. */
    replay(id: string, body?: ResendWindow, options?: CallOptions): Promise<Resent>
    /** Enable a disabled webhook endpoint. */
    enable(id: string, options?: CallOptions): Promise<WebhookEndpoint>
  }
  events: {
    /** List the events of the last 30 days, in the order in which they came. */
    list(options?: ListEventsQuery & CallOptions): Pages<Event>
    /** Get an event. */
    get(id: string, options?: CallOptions): Promise<Event>
  }
  deliveries: {
    /** List deliveries, the newest first. */
    list(options?: ListDeliveriesQuery & CallOptions): Pages<Delivery>
    /** Get a delivery with what it sends. */
    get(id: string, options?: CallOptions): Promise<WholeDelivery>
    /** List the attempts at a delivery, the oldest first. */
    attempts(id: string, options?: PageQuery & CallOptions): Pages<DeliveryAttempt>
    /** Deliver once more. */
    redeliver(id: string, options?: CallOptions): Promise<Delivery>
  }
  actions: {
    /** List who did what, the newest first. */
    list(options?: ListActionsQuery & CallOptions): Pages<Action>
  }
  me: {
    /** Say whose token this is. */
    get(options?: CallOptions): Promise<Me>
  }
  tokens: {
    /** Create a token. */
    create(body: CreateToken, options?: CallOptions): Promise<NewToken>
    /** List tokens, the oldest first. */
    list(options?: PageQuery & CallOptions): Pages<Token>
    /** Revoke a token. */
    delete(id: string, options?: CallOptions): Promise<void>
  }
}
