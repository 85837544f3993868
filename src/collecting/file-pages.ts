// Owns reading files of rows as the pages of one turn: a page is a piece of a file, and its cursor the place where the
// piece begins. So a walk stores pieces of files as it stores pages.
import { ZodError } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { ConnectionAccess } from '../connections/access.ts'
import { countRequest, reserveRequest } from '../connections/reserve.ts'
import type { Database } from '../db/client.ts'
import { askFiles, openFile } from '../providers/ask.ts'
import { startCall } from '../providers/call.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import type { DetailPage, FileSource } from '../providers/contract.ts'
import { withoutBody } from '../providers/error.ts'
import { networkError } from '../providers/failure.ts'
import type { Pace } from '../providers/files/asked-file.ts'
import { FileError } from '../providers/files/file-error.ts'
import { isElsewhere } from '../providers/files/file-url.ts'
import { cursorOf, type Position, placeOf } from '../providers/files/position.ts'
import { type FileReading, readFile } from '../providers/files/read-file.ts'
import type { Hold } from '../work/kind.ts'
import type { ListTroubleKind } from './judge.ts'
import { type Asked, type AskedPage, createPages, type Pages, turnMs } from './pages.ts'

/** A piece has this many records or bytes at least, if the file has them. */
const pieceRecords = 1_000
const pieceBytes = 1_048_576
/** A piece takes no longer, whatever comes of it. */
const pieceMs = 10 * 60_000
/** How long a turn lasts if the server can't give the rest of a file, so that the next one reads the beginning again. */
const longTurnMs = 10 * 60_000

interface FileDeps {
  db: Database
  clock: Clock
  client: ProviderClient
  /** How slowly a file may come. Absent: the usual. */
  filePace?: Pace
}

interface OpenedFile {
  file: number
  source: FileSource
  reading: FileReading
  /** The cursor of the next piece. Null: the file is over. */
  cursor: string | null
  at: Position | null
  /** Why its next piece isn't waited for. Null: it is. */
  late: FileError | null
}

export function createFilePages(
  { db, clock, client, filePace }: FileDeps,
  access: ConnectionAccess,
  { jobId, pollUrl }: Asked,
  hold: Hold,
): Pages {
  return createPages(hold, clock.now(), ({ signal, isOver }) => {
    let sources: FileSource[] | null = null
    let opened: OpenedFile | null = null
    let isFirst = true

    async function fetchPiece(cursor: string): Promise<AskedPage> {
      const mayStartAt = await startOf(cursor)
      if (mayStartAt > clock.now() || isTurnOver()) return { kind: 'postponed', until: mayStartAt }
      let elsewhere = false
      try {
        if (opened?.late) throw opened.late
        if (opened?.cursor !== cursor) {
          await opened?.reading[Symbol.asyncDispose]()
          opened = await open(cursor)
        }
        elsewhere = isElsewhere(opened.source.url, access.baseUrl)
        return { kind: 'page', details: await readPiece(opened) }
      } catch (error) {
        return failed(error, elsewhere)
      }
    }

    /** Returns when the piece may be read. What is open already costs no request. */
    async function startOf(cursor: string): Promise<Date> {
      const now = clock.now()
      // The pass that began this turn has counted its first request.
      if (isFirst || opened?.cursor === cursor) {
        isFirst = false
        return now
      }
      return reserveRequest(db, access, now)
    }

    function isTurnOver(): boolean {
      return isOver(clock.now(), opened?.reading.canPause() || !opened ? turnMs : longTurnMs)
    }

    async function open(cursor: string): Promise<OpenedFile> {
      const { file, at } = placeOf(cursor)
      let requests = 0
      const target = {
        ...access,
        onRequest: () => {
          requests += 1
        },
      }
      // Their URLs may hold for minutes alone.
      if (file === 0 || sources === null || at !== null)
        sources = await askFiles(client, access.provider, target, jobId, { signal, at: pollUrl })
      const source = sources[file]
      if (!source) throw new ProviderError('not_found', 'The provider names no file of rows any more.')
      const reading = readFile(
        source,
        at,
        async (headers) => {
          const before = requests
          const response = await openFile(client, access.provider, target, jobId, source, { headers, signal })
          if (requests > before) await countRequest(db, access, clock.now())
          return response
        },
        filePace,
      )
      return { file, source, reading, cursor, at, late: null }
    }

    async function readPiece(from: OpenedFile): Promise<DetailPage> {
      const records: unknown[] = []
      const startBytes = from.at?.bytes ?? 0
      let isEnd = false
      const limit = startCall(signal, pieceMs)
      try {
        while (records.length < pieceRecords && (from.at?.bytes ?? 0) - startBytes < pieceBytes) {
          if (records.length > 0 && isTurnOver()) break
          const block = await limit.unlessOver(from.reading.next())
          if (block === null) {
            isEnd = true
            break
          }
          for (const record of block.records) records.push(record)
          from.at = block.position
        }
      } catch (error) {
        const late = limit.reason()?.kind === 'timeout' ? tooLate() : error
        // What came is stored, and the next piece is asked for in another turn.
        if (records.length === 0 || !(late instanceof FileError) || late.kind !== 'slow') throw late
        from.late = late
      } finally {
        limit.end()
      }
      const next = isEnd
        ? from.file + 1 < (sources?.length ?? 0)
          ? cursorOf({ file: from.file + 1, at: null })
          : null
        : cursorOf({ file: from.file, at: from.at })
      // Another file is opened anew.
      from.cursor = isEnd ? null : next
      return { ...from.source.read(records), next, announced: announcedBy(sources ?? []) }
    }

    return {
      fetch: fetchPiece,
      async close() {
        await opened?.reading[Symbol.asyncDispose]()
      },
    }
  })
}

function tooLate(): FileError {
  return new FileError('slow', `The file gave no record within ${pieceMs} ms.`)
}

function announcedBy(sources: readonly FileSource[]): number | null {
  const known = sources.flatMap(({ announced }) => announced ?? [])
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0)
}

const kinds = {
  malformed: 'invalid_response',
  too_large: 'response_too_large',
  slow: 'timeout',
  changed: 'invalid_response',
} as const

const troubles: Partial<Record<FileError['kind'], ListTroubleKind>> = { slow: 'file_slow', changed: 'file_changed' }

/** @throws the error itself if it is a bug. */
function failed(error: unknown, isElsewhere: boolean): AskedPage {
  if (error instanceof ZodError) {
    const message = `A record of the file isn't of the published form (${error.issues[0]?.message}).`
    const told = new ProviderError('invalid_response', message, { cause: error })
    return { kind: 'failed', error: told, trouble: told.kind, isElsewhere }
  }
  if (error instanceof FileError) {
    const kind = kinds[error.kind]
    const trouble = troubles[error.kind] ?? kind
    return { kind: 'failed', error: new ProviderError(kind, error.message, { cause: error }), trouble, isElsewhere }
  }
  const known = error instanceof ProviderError ? error : networkError(error)
  // The beginning came, so that asking again may end at the same byte.
  const cut = known.kind === 'connection_reset' && !(error instanceof ProviderError)
  const told = cut
    ? new ProviderError('invalid_response', 'The file broke off before its end.', { cause: error })
    : known
  // What another server says of a signed URL may hold the signature.
  return { kind: 'failed', error: isElsewhere ? withoutBody(told) : told, trouble: told.kind, isElsewhere }
}
