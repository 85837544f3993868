// Owns the errors of the embedded mode.

/** The embedded mode can't start here. The message is one sentence for the operator, with what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}

/** Another program listens on the server's port, and the rest of this process expects the server there. */
export class PortTakenError extends EmbeddedError {
  override name = 'PortTakenError'

  constructor(port: number) {
    super(`Another program listens on port ${port} of 127.0.0.1, where PostgreSQL ran until it died.`)
  }
}
