// Owns the choice of a benchmark: `npm run bench -- polls`.
const benches: Record<string, () => Promise<{ run(options: string[]): Promise<void> }>> = {
  history: () => import('./history.ts'),
  ingest: () => import('./ingest.ts'),
  peers: () => import('./peers.ts'),
  pages: () => import('./pages.ts'),
  policy: () => import('./policy.ts'),
  polls: () => import('./polls.ts'),
  webhooks: () => import('./webhooks.ts'),
}

const [name = '', ...options] = process.argv.slice(2)
const load = benches[name]
if (!load) {
  console.error(`Which one? npm run bench -- ${Object.keys(benches).join(' | ')}`)
  process.exit(1)
}
await (await load()).run(options)
process.exit(0)
