// Owns the errors of the embedded mode.

/** The embedded mode can't start here: one sentence for whoever started it, saying what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}

/** Another program listens where the server has to be, since everything in this process expects it there. */
export class PortTakenError extends EmbeddedError {
  override name = 'PortTakenError'

  constructor(port: number) {
    super(`Another program listens on port ${port} of 127.0.0.1, where PostgreSQL ran until it died.`)
  }
}
