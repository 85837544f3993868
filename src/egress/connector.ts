// Owns making a connection: to checked addresses only, within a time limit, with errors by kind.
import { connect as connectTcp, isIP, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { buildConnector } from 'undici'
import { EgressError } from './errors.ts'
import { hostOf } from './guard.ts'
import { type AddressCheck, resolveChecked } from './resolve.ts'

const maxAddresses = 8

/**
 * Returns the function by which undici connects to one origin. It also checks literal IP addresses, which `lookup`
 * alone would miss.
 */
export function createConnector(check: AddressCheck, connectMs: number): buildConnector.connector {
  let session: Buffer | undefined // for TLS resumption; a connector serves one origin

  return (options, callback) => {
    const hostname = hostOf(options)
    resolveChecked(check, hostname)
      .then((addresses) => open(options, hostname, addresses))
      .then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
  }

  function open(options: buildConnector.Options, hostname: string, addresses: readonly string[]): Promise<Socket> {
    const isTls = options.protocol === 'https:'
    const tried = addresses.slice(0, maxAddresses)
    const target: TcpNetConnectOpts = {
      host: hostname,
      port: Number(options.port || (isTls ? 443 : 80)),
      lookup: pinned(tried),
      noDelay: true,
      keepAlive: true,
      autoSelectFamily: true, // one address after the other (RFC 8305), each with its share of the time
      autoSelectFamilyAttemptTimeout: Math.max(10, Math.floor(connectMs / tried.length)),
    }
    const socket = isTls
      ? connectTls({
          ...target,
          servername: isIP(hostname) ? '' : hostname,
          ALPNProtocols: ['http/1.1'],
          ...(session && { session }),
        })
      : connectTcp(target)
    socket.on('session', (fresh: Buffer) => {
      session = fresh
    })
    return settle(socket, isTls, connectMs)
  }
}

/** Returns a `lookup` that answers with the checked addresses, whatever DNS says by now. */
function pinned(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_hostname, options, callback) => {
    if (options.all) callback(null, answers)
    else callback(null, answers[0]?.address ?? '', answers[0]?.family)
  }
}

function settle(socket: Socket, isTls: boolean, timeoutMs: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  let isReached = false
  const timer = setTimeout(() => {
    reject(new EgressError('timeout', 'The host did not take the connection in time.', { code: 'connect_timeout' }))
    socket.destroy()
  }, timeoutMs)

  socket.once('connect', () => {
    isReached = true
  })
  socket.once(isTls ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer)
    socket.off('error', fail)
    resolve(socket)
  })
  socket.once('error', fail)
  return promise

  function fail(cause: Error) {
    clearTimeout(timer)
    socket.destroy()
    socket.on('error', () => {}) // the caller has the first error; a later one of the same socket has no reader
    reject(
      isTls && isReached
        ? new EgressError('tls_error', 'The TLS handshake failed.', { cause })
        : new EgressError('connect_error', 'The host did not take the connection.', { cause }),
    )
  }
}
