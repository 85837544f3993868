export * from './connections.ts'
export * from './imports.ts'
export * from './tokens.ts'
export * from './webhooks.ts'
