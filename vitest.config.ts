import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/services.ts'],
    setupFiles: ['test/support/patience.ts'],
    // Each file has a database of its own, and starts its own servers and processes. No module keeps what a test does,
    // so files share a worker's modules: loading them anew for each file takes as long as many a file's tests.
    isolate: false,
    // More than cores: most of their time they wait for each other.
    maxWorkers: 4,
    // So long that a busy machine never needs it; what has to be quick says so by an assertion. A condition that never
    // comes true ends a test sooner: see test/support/patience.ts, which waits as long as polls here do.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 150_000 } },
  },
})
