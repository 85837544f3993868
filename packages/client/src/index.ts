// Owns what the package offers.
export {
  type Client,
  type ClientOptions,
  createClient,
  type FollowOptions,
  type ImportFilter,
  type PutConnection,
  type WaitOptions,
} from './client.ts'
export type { CallOptions, Page, Pages } from './pages.ts'
export { type FieldError, type ProblemCode, ProblemError } from './problem-error.ts'
export type * as Schemas from './schema.ts'
export * from './webhooks/verify.ts'
