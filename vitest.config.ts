import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/services.ts'],
    setupFiles: ['test/support/patience.ts'],
    // Each file has a database of its own, and Postgres, Redis and servers of its own beside it.
    // More than cores: most of their time they wait for each other.
    maxWorkers: 3,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // As long as test/support/patience.ts waits for a condition.
    expect: { poll: { timeout: 150_000 } },
  },
})
