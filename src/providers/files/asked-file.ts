// Owns the answers with one file: asking for it or a part of it, its bytes as they come, and by which version the server
// knows it. A server that sends hardly anything holds up nobody for long.
import { discard, type Response, streamBody } from '../../egress/body.ts'
import { FileError } from './file-error.ts'

/** Asks for the file. Returns an answer of 200, 206 or 416. */
export type OpenFile = (headers: Record<string, string>) => Promise<Response>

/** How long so many bytes may be waited for. */
export interface Pace {
  bytes: number
  ms: number
}

export const defaultPace: Pace = { bytes: 32_768, ms: 30_000 }

export interface AskedFile {
  ask(headers?: Record<string, string>): Promise<Response>
  /** The bytes of an answer, decoded, up to the limit. @throws {FileError} `slow` */
  bytesOf(response: Response, options: { limitBytes: number }): AsyncGenerator<Buffer>
  /** True: the server has said that it can give parts. */
  givesParts(): boolean
  /** Ends the answer that came last. */
  discard(): void
}

export function createAskedFile(open: OpenFile, pace: Pace): AskedFile {
  let last: Response | null = null
  let givesParts = false
  return {
    async ask(headers = {}) {
      last = await open(headers)
      if (last.statusCode === 206 || last.headers['accept-ranges'] === 'bytes') givesParts = true
      return last
    },
    givesParts: () => givesParts,
    bytesOf: (response, options) => paced(streamBody(response, options), pace, () => discard(response.body)),
    discard() {
      if (last) discard(last.body)
    },
  }
}

/** Only the time counts that the server is waited for, not how long its bytes take here. */
async function* paced(source: AsyncGenerator<Buffer>, pace: Pace, stop: () => void): AsyncGenerator<Buffer> {
  let waitedMs = 0
  let bytes = 0
  try {
    for (;;) {
      const askedAt = performance.now()
      const next = await within(source.next(), Math.max(pace.ms - waitedMs, 0))
      if (next === null) {
        stop()
        throw new FileError('slow', `The file came more slowly than ${pace.bytes} bytes in ${pace.ms} ms.`)
      }
      if (next.done) return
      waitedMs += performance.now() - askedAt
      bytes += next.value.length
      if (bytes >= pace.bytes) [waitedMs, bytes] = [0, 0]
      yield next.value
    }
  } finally {
    source.return(undefined).catch(() => {}) // a body that ended early
  }
}

/** Returns null if it takes longer. */
async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  promise.catch(() => {}) // nobody may be left to hear of it
  const { promise: late, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(() => resolve(null), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const maxValidatorLength = 200

/** Returns what `If-Range` may name: a strong entity tag, else the time of the last change. */
export function validatorOf({ headers }: Response): string | null {
  const { etag, 'last-modified': changedAt } = headers
  const validator = typeof etag === 'string' && etag.startsWith('"') ? etag : changedAt
  return typeof validator === 'string' && validator.length <= maxValidatorLength ? validator : null
}
