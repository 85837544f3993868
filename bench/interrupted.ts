// Owns that a benchmark which is interrupted, by Ctrl-C or SIGTERM, leaves nothing behind.
const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** Calls `close` before the process ends by a signal. Returns how to stop doing so. */
export function closeWhenInterrupted(close: () => Promise<void>): () => void {
  const handlers = Object.entries(signals).map(([signal, code]) => {
    const end = () => {
      // What is under way fails now, and nobody needs to hear of it.
      process.on('uncaughtException', () => {})
      process.on('unhandledRejection', () => {})
      void close().finally(() => process.exit(code))
    }
    process.once(signal, end)
    return () => process.off(signal, end)
  })
  return () => {
    for (const remove of handlers) remove()
  }
}
