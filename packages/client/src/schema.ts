// Made by `npm run generate:client` from the API's document.

import type { CallOptions, Pages } from './pages.ts'

type Words0 = "unmapped_status" | "forbidden" | "outcome_incomplete" | "budget" | "stalled" | "overdue"
type Words1 = "pending" | "queued" | "running" | "succeeded" | "partial" | "failed" | "canceled" | "lost" | "stopped"
type Words2 = "import.queued" | "import.running" | "import.succeeded" | "import.partial" | "import.failed" | "import.canceled" | "import.lost" | "import.stopped" | "import.resumed" | "import.rows_collected" | "import.rows_incomplete" | "import.attention" | "import.stalled" | "import.overdue" | "connection.paused" | "connection.resumed" | "endpoint.failing" | "endpoint.recovered" | "endpoint.disabled" | "delivery.exhausted"
type Words3 = "invalid_request" | "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "payload_too_large" | "unsupported_media_type" | "too_many_requests" | "internal" | "unavailable"
type Words4 = "delivered" | "http_error" | "invalid_http" | "redirect" | "timeout" | "dns_error" | "connect_error" | "tls_error" | "blocked_address" | "in_flight"
type Words5 = "blocked_address" | "name_not_found" | "dns_timeout" | "dns_failed" | "connection_refused" | "host_unreachable" | "connect_timeout" | "connection_failed" | "certificate_expired" | "certificate_wrong_host" | "certificate_untrusted" | "tls_failed" | "connection_reset" | "answer_timeout" | "headers_too_large" | "malformed_http" | "undecipherable_secret"
type Words6 = "import.queued" | "import.running" | "import.succeeded" | "import.partial" | "import.failed" | "import.canceled" | "import.lost" | "import.stopped" | "import.resumed" | "import.rows_collected" | "import.rows_incomplete" | "import.attention" | "import.stalled" | "import.overdue"

export interface Schemas {
  RegisterImport: {
    /** The name of a connection. */
    connection: string;
    jobId?: string | null;
    /** Your own data. */
    metadata?: {
      [key: string]: unknown;
    };
    /** How long to poll at most. */
    deadlineMs?: number;
    result?: {
      [key: string]: unknown;
    };
  };
  RegisterImports: {
    imports: Schemas["RegisterImport"][];
  };
  PatchImport: {
    /** Replaces all metadata. */
    metadata?: {
      [key: string]: unknown;
    };
    deadlineMs?: number;
  };
  ImportAction: {
    filter: Schemas["ImportFilter"];
    action: "poll" | "stop" | "resume";
    /** Only counts them. */
    dryRun?: boolean;
  };
  ImportFilter: {
    ids?: string[];
    /** The name of their connection. */
    connection?: string;
    /** The name of their provider. */
    provider?: string;
    /** The provider’s id of the job. */
    jobId?: string;
    /** What the provider’s id of the job begins with. */
    jobIdPrefix?: string;
    attention?: Words0;
    state?: (Words1)[];
    metadata?: {
      [key: string]: string | number | boolean | null;
    };
    /** Registered at this moment or later. */
    registeredAfter?: string;
    /** Registered before this moment. */
    registeredBefore?: string;
    /** Seen to be over at this moment or later. */
    finishedAfter?: string;
    /** Seen to be over before this moment. */
    finishedBefore?: string;
  };
  ResumeImport: {
    force?: boolean;
  };
  PutConnection: Schemas["PutOwnConnection"] | Schemas["PutUploadedConnection"];
  PutOwnConnection: Schemas["PutCdqConnection"] | Schemas["PutMicroConnection"] | Schemas["PutZilliantConnection"] | Schemas["PutFullstoryConnection"] | Schemas["PutAip151Connection"] | Schemas["PutAlgoliaConnection"] | Schemas["PutAuth0Connection"] | Schemas["PutAzureConnection"] | Schemas["PutContentfulConnection"] | Schemas["PutElasticsearchConnection"] | Schemas["PutHubspotConnection"] | Schemas["PutIntercomConnection"] | Schemas["PutKlaviyoConnection"] | Schemas["PutMailchimpConnection"] | Schemas["PutSalesforceConnection"] | Schemas["PutSendgridConnection"] | Schemas["PutShopifyConnection"] | Schemas["PutZendeskConnection"];
  PutCdqConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "cdq";
    /** The base URL of its API. */
    baseUrl?: string;
    credentials: Schemas["CdqCredentials"];
    settings?: Schemas["CdqSettings"];
  };
  /** The credentials for cdq. */
  CdqCredentials: {
    apiKey: string;
  };
  CdqSettings: Record<string, never>;
  /** Limits on requests to the provider. */
  Limits: {
    /** At an even pace. */
    requestsPerSecond?: number;
    /** At an even pace, so that no 60 seconds see more. */
    requestsPerMinute?: number;
    /** Of a day in UTC. */
    requestsPerDay?: number;
    /** Of a month in UTC. */
    requestsPerMonth?: number;
    maxInFlight?: number;
    minIntervalMs?: number;
    maxIntervalMs?: number;
    deadlineMs?: number;
  };
  PutMicroConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "micro";
    baseUrl?: string;
    credentials: Schemas["MicroCredentials"];
    settings: Schemas["MicroSettings"];
  };
  /** The credentials for micro. */
  MicroCredentials: {
    apiKey: string;
  };
  MicroSettings: {
    teamId: string;
  };
  PutZilliantConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "zilliant";
    /** The base URL of its API. */
    baseUrl: string;
    credentials: Schemas["ZilliantCredentials"];
    settings?: Schemas["ZilliantSettings"];
  };
  /** The credentials for zilliant. */
  ZilliantCredentials: {
    tokenResponse: string;
  };
  ZilliantSettings: {
    forwardedHost?: string;
  };
  PutFullstoryConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "fullstory";
    baseUrl?: string;
    credentials: Schemas["FullstoryCredentials"];
    settings?: Schemas["FullstorySettings"];
  };
  /** The credentials for fullstory. */
  FullstoryCredentials: {
    apiKey: string;
  };
  FullstorySettings: {
    resource?: "events" | "users";
  };
  PutAip151Connection: Schemas["PutOwnConnectionFields"] & {
    provider: "aip151";
    baseUrl: string;
    credentials: Schemas["Aip151Credentials"];
    settings?: Schemas["Aip151Settings"];
  };
  /** The credentials for aip151. */
  Aip151Credentials: {
    /** OAuth 2.0 access token */
    accessToken: string;
  };
  Aip151Settings: {
    /** The API's version, as in its path Absent: v1. */
    version?: string;
    progressPercent?: string;
    /** Where the number of rows is */
    total?: string;
    /** Where the number of processed rows is */
    processed?: string;
    /** Where the number of imported rows is */
    succeeded?: string;
    /** Where the number of failed rows is */
    failed?: string;
  };
  PutAlgoliaConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "algolia";
    baseUrl: string;
    credentials: Schemas["AlgoliaCredentials"];
    settings: Schemas["AlgoliaSettings"];
  };
  /** The credentials for algolia. */
  AlgoliaCredentials: {
    /** Application ID */
    appId: string;
    /** API key: Of the index; any right is enough */
    apiKey: string;
  };
  AlgoliaSettings: {
    /** The index's name */
    index: string;
  };
  PutAuth0Connection: Schemas["PutOwnConnectionFields"] & {
    provider: "auth0";
    baseUrl: string;
    credentials: Schemas["Auth0Credentials"];
    settings?: Schemas["Auth0Settings"];
  };
  /** The credentials for auth0. */
  Auth0Credentials: {
    clientId: string;
    /** Client secret */
    clientSecret: string;
  } | {
    /** Management API token: It works for 24 hours */
    accessToken: string;
  };
  Auth0Settings: Record<string, never>;
  PutAzureConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "azure";
    baseUrl?: string;
    credentials: Schemas["AzureCredentials"];
    settings?: Schemas["AzureSettings"];
  };
  /** The credentials for azure. */
  AzureCredentials: {
    /** Directory (tenant) ID */
    tenantId: string;
    /** Application (client) ID */
    clientId: string;
    clientSecret: string;
    scope: string;
  } | {
    /** Entra ID access token */
    accessToken: string;
  };
  AzureSettings: {
    runningStatuses?: string[];
  };
  PutContentfulConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "contentful";
    baseUrl?: string;
    credentials: Schemas["ContentfulCredentials"];
    settings: Schemas["ContentfulSettings"];
  };
  /** The credentials for contentful. */
  ContentfulCredentials: {
    /** Content management token */
    accessToken: string;
  };
  ContentfulSettings: {
    /** The space's id */
    space: string;
    /** The environment's id Absent: master. */
    environment?: string;
  };
  PutElasticsearchConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "elasticsearch";
    baseUrl: string;
    credentials: Schemas["ElasticsearchCredentials"];
    settings?: Schemas["ElasticsearchSettings"];
  };
  /** The credentials for elasticsearch. */
  ElasticsearchCredentials: {
    apiKey: string;
  } | {
    username: string;
    password: string;
  };
  ElasticsearchSettings: {
    path?: "/_tasks" | "/_reindex";
  };
  PutHubspotConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "hubspot";
    baseUrl?: string;
    credentials: Schemas["HubspotCredentials"];
    settings?: Schemas["HubspotSettings"];
  };
  /** The credentials for hubspot. */
  HubspotCredentials: {
    accessToken: string;
  } | {
    /** Client ID of the OAuth app */
    clientId: string;
    clientSecret: string;
    /** Refresh token */
    refreshToken: string;
  };
  HubspotSettings: {
    apiPath?: string;
  };
  PutIntercomConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "intercom";
    baseUrl?: string;
    credentials: Schemas["IntercomCredentials"];
    settings?: Schemas["IntercomSettings"];
  };
  /** The credentials for intercom. */
  IntercomCredentials: {
    /** Access token */
    accessToken: string;
  };
  IntercomSettings: {
    /** What the job imports Absent: contacts. */
    resource?: "contacts" | "companies";
    /** The API version Absent: Preview. */
    version?: string;
  };
  PutKlaviyoConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "klaviyo";
    baseUrl?: string;
    credentials: Schemas["KlaviyoCredentials"];
    settings?: Schemas["KlaviyoSettings"];
  };
  /** The credentials for klaviyo. */
  KlaviyoCredentials: {
    /** Private API key: Account, Settings, API keys. */
    apiKey: string;
  };
  KlaviyoSettings: {
    jobType?: "profile-bulk-import-jobs" | "profile-suppression-bulk-create-jobs" | "profile-suppression-bulk-delete-jobs" | "catalog-item-bulk-create-jobs" | "catalog-item-bulk-update-jobs" | "catalog-item-bulk-delete-jobs" | "catalog-variant-bulk-create-jobs" | "catalog-variant-bulk-update-jobs" | "catalog-variant-bulk-delete-jobs" | "catalog-category-bulk-create-jobs" | "catalog-category-bulk-update-jobs" | "catalog-category-bulk-delete-jobs" | "coupon-code-bulk-create-jobs";
    /** The API revision Absent: 2026-07-15. */
    revision?: string;
  };
  PutMailchimpConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "mailchimp";
    baseUrl: string;
    credentials: Schemas["MailchimpCredentials"];
    settings?: Schemas["MailchimpSettings"];
  };
  /** The credentials for mailchimp. */
  MailchimpCredentials: {
    apiKey: string;
  };
  MailchimpSettings: Record<string, never>;
  PutSalesforceConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "salesforce";
    baseUrl: string;
    credentials: Schemas["SalesforceCredentials"];
    settings?: Schemas["SalesforceSettings"];
  };
  /** The credentials for salesforce. */
  SalesforceCredentials: {
    clientId: string;
    /** Consumer secret */
    clientSecret: string;
  } | {
    clientId: string;
    clientSecret: string;
    refreshToken: string;
  } | {
    accessToken: string;
  };
  SalesforceSettings: {
    /** The API version Absent: 66.0. */
    apiVersion?: string;
  };
  PutSendgridConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "sendgrid";
    baseUrl?: string;
    credentials: Schemas["SendgridCredentials"];
    settings?: Schemas["SendgridSettings"];
  };
  /** The credentials for sendgrid. */
  SendgridCredentials: {
    /** API key: Settings, API Keys */
    apiKey: string;
  };
  SendgridSettings: Record<string, never>;
  PutShopifyConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "shopify";
    baseUrl: string;
    credentials: Schemas["ShopifyCredentials"];
    settings?: Schemas["ShopifySettings"];
  };
  /** The credentials for shopify. */
  ShopifyCredentials: {
    /** Admin API access token */
    accessToken: string;
  };
  ShopifySettings: {
    apiVersion?: string;
  };
  PutZendeskConnection: Schemas["PutOwnConnectionFields"] & {
    provider: "zendesk";
    baseUrl: string;
    credentials: Schemas["ZendeskCredentials"];
    settings?: Schemas["ZendeskSettings"];
  };
  /** The credentials for zendesk. */
  ZendeskCredentials: {
    /** The agent's email */
    email: string;
    apiToken: string;
  } | {
    /** OAuth access token */
    accessToken: string;
  };
  ZendeskSettings: Record<string, never>;
  PutUploadedConnection: Schemas["PutOwnConnectionFields"] & {
    /** The name of an uploaded document. */
    provider: string;
    baseUrl?: string;
    credentials: {
      [key: string]: string;
    };
    settings?: {
      [key: string]: unknown;
    };
  };
  PatchConnection: {
    provider?: string;
    /** Replaces all credentials. */
    credentials?: Schemas["CdqCredentials"] | Schemas["MicroCredentials"] | Schemas["ZilliantCredentials"] | Schemas["FullstoryCredentials"] | Schemas["Aip151Credentials"] | Schemas["AlgoliaCredentials"] | Schemas["Auth0Credentials"] | Schemas["AzureCredentials"] | Schemas["ContentfulCredentials"] | Schemas["ElasticsearchCredentials"] | Schemas["HubspotCredentials"] | Schemas["IntercomCredentials"] | Schemas["KlaviyoCredentials"] | Schemas["MailchimpCredentials"] | Schemas["SalesforceCredentials"] | Schemas["SendgridCredentials"] | Schemas["ShopifyCredentials"] | Schemas["ZendeskCredentials"] | {
      [key: string]: unknown;
    };
    /** Replaces all settings. */
    settings?: Schemas["CdqSettings"] | Schemas["MicroSettings"] | Schemas["ZilliantSettings"] | Schemas["FullstorySettings"] | Schemas["Aip151Settings"] | Schemas["AlgoliaSettings"] | Schemas["Auth0Settings"] | Schemas["AzureSettings"] | Schemas["ContentfulSettings"] | Schemas["ElasticsearchSettings"] | Schemas["HubspotSettings"] | Schemas["IntercomSettings"] | Schemas["KlaviyoSettings"] | Schemas["MailchimpSettings"] | Schemas["SalesforceSettings"] | Schemas["SendgridSettings"] | Schemas["ShopifySettings"] | Schemas["ZendeskSettings"] | {
      [key: string]: unknown;
    };
    /** Null: the provider’s default. */
    baseUrl?: string | null;
    limits?: Schemas["ChangedLimits"];
    volatileFields?: string[];
    baselineBy?: string[];
  };
  ChangedLimits: {
    requestsPerSecond?: number | null;
    requestsPerMinute?: number | null;
    requestsPerDay?: number | null;
    requestsPerMonth?: number | null;
    maxInFlight?: number | null;
    minIntervalMs?: number | null;
    maxIntervalMs?: number | null;
    deadlineMs?: number | null;
  };
  /** A provider as a document, `format` 1. */
  ProviderDocument: {
    [key: string]: unknown;
  };
  TryProvider: {
    /** A document to try. */
    document?: {
      [key: string]: unknown;
    };
    /** An answer of the vendor. */
    answer?: {
      /** The HTTP status. */
      status?: number;
      headers?: {
        [key: string]: string;
      };
      /** JSON. */
      body?: unknown;
    };
    /** What the answer is to. */
    of?: "status" | "summary" | "details";
    /** A connection’s settings, for `answer`. */
    settings?: {
      [key: string]: unknown;
    };
    /** A connection to ask with, instead of `answer`. */
    connection?: string;
    /** The job to ask about with `connection`. */
    jobId?: string;
  };
  CreateWebhookEndpoint: {
    /** The receiver’s URL: https, and a public host. */
    url: string;
    /** The event types to send. */
    types?: (Words2)[];
    /** Sends only events of these connections. */
    connections?: string[] | null;
    /** Sends only events of these providers. */
    providers?: string[] | null;
    metadata?: {
      [key: string]: string | number | boolean;
    } | null;
    headers?: {
      [key: string]: string;
    };
  };
  PatchWebhookEndpoint: {
    /** The receiver’s URL: https, and a public host. */
    url?: string;
    types?: (Words2)[];
    connections?: string[] | null;
    providers?: string[] | null;
    metadata?: {
      [key: string]: string | number | boolean;
    } | null;
    /** Replaces all headers. */
    headers?: {
      [key: string]: string;
    };
    enabled?: boolean;
  };
  RotateSecret: {
    /** How long older secrets go on signing. */
    overlapHours?: number;
  };
  ResendWindow: {
    /** From this time on. */
    since?: string;
    /** Before this time. */
    until?: string;
    dryRun?: boolean;
  };
  CreateToken: {
    /** What the token is for. */
    name: string;
    scope: "read" | "write" | "admin";
  };
  Import: {
    id: string;
    connection: string;
    provider: string;
    /** The provider’s id of the job. */
    jobId: string;
    /** `lost`: nobody can know how the import ended. */
    state: Words1;
    lostReason: ("not_found" | "expired" | "unauthorized" | "deadline" | "archived") | null;
    /** Why a person should look at the import. */
    attention: string | null;
    /** The provider’s own word for the state. */
    providerStatus: string | null;
    /** The provider’s text for people. */
    message: string | null;
    progress: number | null;
    rows: Schemas["Rows"];
    details: Schemas["Details"];
    providerCreatedAt: string | null;
    providerStartedAt: string | null;
    providerFinishedAt: string | null;
    registeredAt: string;
    firstPolledAt: string | null;
    lastPolledAt: string | null;
    /** When the next poll is due. */
    nextPollAt: string | null;
    /** When the tracker saw that the import is over. */
    finishedAt: string | null;
    polls: number;
    lastError: Schemas["LastError"] | null;
    metadata: {
      [key: string]: unknown;
    };
    eta: Schemas["Eta"] | null;
    usualDurationMs: number | null;
    detectionGapMs: number | null;
    /** Its page, for people. */
    url: string | null;
  };
  /** Counts of rows as the provider reports them. */
  Rows: {
    total: number | null;
    processed: number | null;
    succeeded: number | null;
    failed: number | null;
    inserted: number | null;
    updated: number | null;
    skipped: number | null;
  };
  Details: {
    state: "none" | "pending" | "collecting" | "complete" | "incomplete";
    skippedLines: number;
    rowResults: number;
    /** Why no rows come. */
    lastError: Schemas["LastError"] | null;
  };
  /** The error of the last call. */
  LastError: {
    code: string;
    message: string;
    at: string;
  };
  Eta: {
    at: string;
    earliest: string;
    latest: string;
  };
  /** A problem document (RFC 9457). */
  Problem: {
    type: "about:blank";
    /** The status in words. */
    title: string;
    status: number;
    /** The kind of problem, for programs. */
    code: Words3;
    /** The problem in words, for people. */
    detail: string;
    requestId: string;
    /** The wrong fields. */
    errors: {
      field: string;
      message: string;
    }[];
  };
  ImportActionResult: {
    count: number;
    /** How many of them the action was done to. */
    done: number;
    skipped: number;
    more: boolean;
    dryRun: boolean;
  };
  /** A report, and how long it stayed the same. */
  Snapshot: {
    state: Words1;
    providerStatus: string | null;
    progress: number | null;
    message: string | null;
    rows: Schemas["Rows"];
    /** The provider’s answer without its row lists. */
    body: unknown;
    firstSeenAt: string;
    lastSeenAt: string;
    /** How many polls saw this report. */
    polls: number;
  };
  SkippedLine: {
    line: number | null;
    column: number | null;
    page: number;
  };
  RowResult: {
    /** From 0, in the provider’s order. */
    row: number;
    line: number | null;
    column: number | null;
    recordId: string | null;
    created: boolean | null;
    existing: boolean | null;
    error: {
      code: string | null;
      message: string | null;
    } | null;
  };
  /** An account at a provider. */
  Connection: {
    name: string;
    provider: string;
    providerRevision: number | null;
    /** Null: the provider’s default. */
    baseUrl: string | null;
    settings: {
      [key: string]: unknown;
    };
    limits: Schemas["OwnLimits"];
    effectiveLimits: Schemas["EffectiveLimits"];
    volatileFields: string[];
    baselineBy: string[];
    pausedAt: string | null;
    pauseReason: ("unauthorized" | "forbidden") | null;
    blockedUntil: string | null;
    usage: Schemas["Usage"];
    /** The median duration of its imports. */
    usualDurationMs: number | null;
    createdAt: string;
    updatedAt: string;
  };
  /** The limits as a caller set them. */
  OwnLimits: {
    requestsPerSecond?: number | null;
    requestsPerMinute?: number | null;
    requestsPerDay?: number | null;
    requestsPerMonth?: number | null;
    maxInFlight?: number;
    minIntervalMs?: number;
    maxIntervalMs?: number;
    deadlineMs?: number;
  };
  EffectiveLimits: {
    requestsPerSecond: number | null;
    requestsPerMinute: number | null;
    requestsPerDay: number | null;
    requestsPerMonth: number | null;
    maxInFlight: number;
    minIntervalMs: number;
    maxIntervalMs: number;
    deadlineMs: number;
  };
  Usage: {
    /** The month in UTC, as `2026-11`. */
    month: string;
    used: number;
    /** Null: the month has no limit. */
    left: number | null;
    runsOutAt: string | null;
  };
  ConnectionTest: {
    ok: boolean;
    /** `accepted`, or the reason why not. */
    code: string;
    /** The code in words, for people. */
    message: string;
  };
  Provider: Schemas["ProviderSummary"] & {
    /** Null: it is part of the service. */
    document: {
      [key: string]: unknown;
    } | null;
  };
  ProviderSummary: {
    name: string;
    title: string;
    /** `builtin`: a part of the service. */
    source: "builtin" | "shipped" | "uploaded";
    /** Of an uploaded document, from 1. */
    revision: number | null;
    /** Null: each connection has its own. */
    baseUrl: string | null;
    /** When this revision was uploaded. */
    createdAt: string | null;
  };
  TriedProvider: {
    report: Schemas["TriedReport"] | null;
    details: Schemas["TriedDetails"] | null;
    error: {
      code: string;
      message: string;
    } | null;
  };
  TriedReport: {
    state: string;
    providerStatus: string | null;
    message: string | null;
    progress: number | null;
    rows: Schemas["Rows"];
    createdAt: string | null;
    startedAt: string | null;
    finishedAt: string | null;
    expiresAt: string | null;
    /** What a success lacks. */
    missing: string | null;
    body: unknown;
  };
  TriedDetails: {
    skippedLines: unknown[];
    rowResults: unknown[];
    next: string | null;
    announced?: number | null;
  };
  WebhookEndpointWithSecret: Schemas["WebhookEndpoint"] & {
    /** Signs the webhooks. */
    secret: string;
  };
  WebhookEndpoint: {
    id: string;
    url: string;
    types: (Words2)[];
    /** Null: events of all connections. */
    connections: string[] | null;
    /** Null: events of all providers. */
    providers: string[] | null;
    /** Null: events of imports with any metadata. */
    metadata: {
      [key: string]: string | number | boolean;
    } | null;
    /** Its own headers by name. */
    headers: {
      [key: string]: string;
    };
    enabled: boolean;
    /** `gone`: the receiver answered 410. */
    disabledReason: ("manual" | "gone" | "failing") | null;
    failingSince: string | null;
    nextProbeAt: string | null;
    blockedUntil: string | null;
    /** To the minute. */
    lastSuccessAt: string | null;
    createdAt: string;
    updatedAt: string;
  };
  Delivery: {
    id: string;
    /** The `webhook-id` of every attempt. */
    eventId: string;
    endpointId: string;
    type: string;
    createdAt: string;
    state: "pending" | "delivered" | "exhausted" | "skipped";
    attempts: number;
    nextAttemptAt: string | null;
    deliveredAt: string | null;
  };
  Resent: {
    /** How many are due now, or would be. */
    count: number;
    /** True: there are more, so call again. */
    more: boolean;
    dryRun: boolean;
  };
  /** Something that happened. */
  Event: Schemas["ImportEvent"] | Schemas["ConnectionEvent"] | Schemas["EndpointEvent"] | Schemas["DeliveryEvent"];
  ImportEvent: Schemas["ImportWebhook"] & {
    /** Equals the `webhook-id` of its webhooks. */
    id: string;
    importId: string;
  };
  ConnectionEvent: Schemas["ConnectionWebhook"] & {
    id: string;
    /** Null: the event isn’t of an import. */
    importId: string | null;
  };
  EndpointEvent: Schemas["EndpointWebhook"] & {
    id: string;
    importId: string | null;
  };
  DeliveryEvent: Schemas["DeliveryWebhook"] & {
    id: string;
    importId: string | null;
  };
  ExhaustedDelivery: Schemas["Delivery"] & {
    endpoint: Schemas["WebhookEndpoint"];
  };
  WholeDelivery: Schemas["Delivery"] & {
    payload: string;
    headers: {
      [key: string]: string;
    };
  };
  DeliveryAttempt: {
    number: number;
    /** A caller asked for it. */
    manual: boolean;
    startedAt: string;
    durationMs: number | null;
    outcome: Words4;
    status: number | null;
    /** Why there was no answer. */
    errorCode: (Words5) | null;
    /** The first 4 KiB of the answer. */
    responseSnippet: string | null;
  };
  /** The holder of a token. */
  Me: {
    name: string;
    scope: "read" | "write" | "admin";
  };
  NewToken: Schemas["Token"] & {
    /** Shown only this once. */
    token: string;
  };
  Token: Schemas["Me"] & {
    id: string;
    createdAt: string;
  };
  Webhook: Schemas["ImportWebhook"] | Schemas["ConnectionWebhook"] | Schemas["EndpointWebhook"] | Schemas["DeliveryWebhook"] | Schemas["TestWebhook"];
  ImportWebhook: {
    type: Words6;
    /** When it happened. */
    timestamp: string;
    sequence: number | null;
    data: Schemas["Import"];
    omitted?: string[];
  };
  ConnectionWebhook: {
    type: "connection.paused" | "connection.resumed";
    timestamp: string;
    /** Null: only the events of an import are numbered. */
    sequence: number | null;
    data: Schemas["Connection"];
    omitted?: string[];
  };
  EndpointWebhook: {
    type: "endpoint.failing" | "endpoint.recovered" | "endpoint.disabled";
    timestamp: string;
    sequence: number | null;
    data: Schemas["WebhookEndpoint"];
    omitted?: string[];
  };
  DeliveryWebhook: {
    /** The last automatic attempt at a delivery failed. */
    type: "delivery.exhausted";
    timestamp: string;
    sequence: number | null;
    data: Schemas["ExhaustedDelivery"];
    omitted?: string[];
  };
  TestWebhook: {
    /** A caller tests the endpoint. */
    type: "webhook.test";
    timestamp: string;
    sequence: number | null;
    data: Schemas["WebhookEndpoint"];
    omitted?: string[];
  };
  PutOwnConnectionFields: {
    limits?: Schemas["Limits"];
    volatileFields?: string[];
    baselineBy?: string[];
  };
  ListImportsQuery: Schemas["PageQuery"] & {
    connection?: string;
    provider?: string;
    jobId?: string;
    jobIdPrefix?: string;
    attention?: Words0;
    registeredAfter?: string;
    registeredBefore?: string;
    finishedAfter?: string;
    finishedBefore?: string;
    state?: string;
    /** By the time of registration. */
    order?: "newest" | "oldest";
  };
  RegisterImportsAnswer: {
    data: ({
      status: number;
      import: Schemas["Import"];
    } | {
      status: number;
      problem: Schemas["Problem"];
    })[];
  };
  GetImportQuery: {
    waitMs?: number;
  };
  PageQuery: {
    limit?: number;
    /** `next` of the page before. */
    after?: string;
  };
  ListSkippedLinesQuery: Schemas["PageQuery"] & {
    bom?: boolean;
  };
  ListEventsQuery: Schemas["PageQuery"] & {
    /** Only events of this type. */
    type?: Words2;
    connection?: string;
    waitMs?: number;
  };
  ListDeliveriesQuery: Schemas["PageQuery"] & {
    endpointId?: string;
    eventId?: string;
    importId?: string;
    state?: "pending" | "delivered" | "exhausted" | "skipped";
    /** The type of their event. */
    type?: Words2;
    status?: "2xx" | "3xx" | "4xx" | "5xx" | "none";
    createdAfter?: string;
    createdBefore?: string;
  };
}

/** The client's methods. */
export interface Methods {
  imports: {
    /** Register an import. */
    register(body: Schemas['RegisterImport'], options?: CallOptions): Promise<Schemas['Import']>
    /** List imports by their registration, the newest first. */
    list(options?: Schemas['ListImportsQuery'] & CallOptions): Pages<Schemas['Import']>
    /** Register up to 1,000 imports. */
    registerMany(body: Schemas['RegisterImports'], options?: CallOptions): Promise<Schemas['RegisterImportsAnswer']>
    /** Get an import, now or once it is over. */
    get(id: string, options?: Schemas['GetImportQuery'] & CallOptions): Promise<Schemas['Import']>
    /** Delete an import. */
    delete(id: string, options?: CallOptions): Promise<void>
    /** Change the metadata or the deadline of an import. */
    patch(id: string, body: Schemas['PatchImport'], options?: CallOptions): Promise<Schemas['Import']>
    /** Follow an import by server-sent events. */
    stream(id: string, options?: CallOptions): Promise<Schemas['Import']>
    /** Poll, stop or resume all imports of a filter. */
    actions(body: Schemas['ImportAction'], options?: CallOptions): Promise<Schemas['ImportActionResult']>
    /** Poll the provider now. */
    poll(id: string, options?: CallOptions): Promise<Schemas['Import']>
    /** Stop polling an import. */
    stop(id: string, options?: CallOptions): Promise<Schemas['Import']>
    /** Resume an import that is over. */
    resume(id: string, body?: Schemas['ResumeImport'], options?: CallOptions): Promise<Schemas['Import']>
    /** List the provider’s reports over time, the oldest first. */
    snapshots(id: string, options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['Snapshot']>
    /** List the lines that the provider skipped. */
    skippedLines(id: string, options?: Schemas['ListSkippedLinesQuery'] & CallOptions): Pages<Schemas['SkippedLine']>
    /** List the results of the rows. */
    rowResults(id: string, options?: Schemas['ListSkippedLinesQuery'] & CallOptions): Pages<Schemas['RowResult']>
    /** List the events of an import, the oldest first. */
    events(id: string, options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['Event']>
  }
  connections: {
    /** Create or replace a connection. */
    put(name: string, body: Schemas['PutConnection'], options?: CallOptions): Promise<Schemas['Connection']>
    /** Change a connection. */
    patch(name: string, body: Schemas['PatchConnection'], options?: CallOptions): Promise<Schemas['Connection']>
    /** Get a connection. */
    get(name: string, options?: CallOptions): Promise<Schemas['Connection']>
    /** Delete a connection. */
    delete(name: string, options?: CallOptions): Promise<void>
    /** List connections by name. */
    list(options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['Connection']>
    /** Try a connection. */
    test(name: string, options?: CallOptions): Promise<Schemas['ConnectionTest']>
    /** Resume a paused connection. */
    resume(name: string, options?: CallOptions): Promise<Schemas['Connection']>
  }
  providers: {
    /** Upload a provider as a document. */
    put(name: string, body: Schemas['ProviderDocument'], options?: CallOptions): Promise<Schemas['Provider']>
    /** Get a provider and its document. */
    get(name: string, options?: CallOptions): Promise<Schemas['Provider']>
    /** Delete an uploaded document. */
    delete(name: string, options?: CallOptions): Promise<void>
    /** List providers by name. */
    list(options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['ProviderSummary']>
    /** Try what a document makes of an answer. */
    try(name: string, body: Schemas['TryProvider'], options?: CallOptions): Promise<Schemas['TriedProvider']>
  }
  endpoints: {
    /** Create a webhook endpoint. */
    create(body: Schemas['CreateWebhookEndpoint'], options?: CallOptions): Promise<Schemas['WebhookEndpointWithSecret']>
    /** List webhook endpoints, the oldest first. */
    list(options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['WebhookEndpoint']>
    /** Get a webhook endpoint. */
    get(id: string, options?: CallOptions): Promise<Schemas['WebhookEndpoint']>
    /** Change a webhook endpoint. */
    patch(id: string, body: Schemas['PatchWebhookEndpoint'], options?: CallOptions): Promise<Schemas['WebhookEndpoint']>
    /** Delete a webhook endpoint. */
    delete(id: string, options?: CallOptions): Promise<void>
    /** Give a webhook endpoint a new secret. */
    rotateSecret(id: string, body?: Schemas['RotateSecret'], options?: CallOptions): Promise<Schemas['WebhookEndpointWithSecret']>
    /** Send a test event to a webhook endpoint. */
    test(id: string, options?: CallOptions): Promise<Schemas['Delivery']>
    /** Send failed deliveries of a span of time again. */
    recover(id: string, body?: Schemas['ResendWindow'], options?: CallOptions): Promise<Schemas['Resent']>
    /** Send the events that a webhook endpoint never received. */
    replay(id: string, body?: Schemas['ResendWindow'], options?: CallOptions): Promise<Schemas['Resent']>
    /** Enable a disabled webhook endpoint. */
    enable(id: string, options?: CallOptions): Promise<Schemas['WebhookEndpoint']>
  }
  events: {
    /** List the events of the last 30 days, in the order in which they came. */
    list(options?: Schemas['ListEventsQuery'] & CallOptions): Pages<Schemas['Event']>
    /** Get an event. */
    get(id: string, options?: CallOptions): Promise<Schemas['Event']>
  }
  deliveries: {
    /** List deliveries, the newest first. */
    list(options?: Schemas['ListDeliveriesQuery'] & CallOptions): Pages<Schemas['Delivery']>
    /** Get a delivery with what it sends. */
    get(id: string, options?: CallOptions): Promise<Schemas['WholeDelivery']>
    /** List the attempts at a delivery, the oldest first. */
    attempts(id: string, options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['DeliveryAttempt']>
    /** Deliver once more. */
    redeliver(id: string, options?: CallOptions): Promise<Schemas['Delivery']>
  }
  me: {
    /** Say whose token this is. */
    get(options?: CallOptions): Promise<Schemas['Me']>
  }
  tokens: {
    /** Create a token. */
    create(body: Schemas['CreateToken'], options?: CallOptions): Promise<Schemas['NewToken']>
    /** List tokens, the oldest first. */
    list(options?: Schemas['PageQuery'] & CallOptions): Pages<Schemas['Token']>
    /** Revoke a token. */
    delete(id: string, options?: CallOptions): Promise<void>
  }
}
