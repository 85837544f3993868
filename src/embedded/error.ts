// Owns the one error of the embedded mode.

/** The embedded mode can't start here: one sentence for whoever started it, saying what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}
