// Owns how long a test waits for a condition. A busy machine is many times slower than a quiet one, so a condition gets
// more time than any test needs; one that never comes true fails all the same, only later.
import { vi } from 'vitest'

const patienceMs = 150_000

type Options = number | { timeout?: number; interval?: number } | undefined

/** The options with at least this much patience. */
function patiently(options: Options) {
  const given = typeof options === 'number' ? { timeout: options } : (options ?? {})
  return { ...given, timeout: Math.max(given.timeout ?? 0, patienceMs) }
}

const { waitFor, waitUntil } = vi
Object.assign(vi, {
  waitFor: (check: Parameters<typeof waitFor>[0], options?: Parameters<typeof waitFor>[1]) =>
    waitFor(check, patiently(options)),
  waitUntil: (check: Parameters<typeof waitUntil>[0], options?: Parameters<typeof waitUntil>[1]) =>
    waitUntil(check, patiently(options)),
})
