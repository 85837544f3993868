// Owns where the next poll goes, if the provider says it with its answer. The credentials go there, so it has to lie
// below the base URL.
import { urlPathBelow } from './job-id.ts'

/** Status URLs of 4 KB are published. */
const maxLength = 8_192

export interface NextPoll {
  /** Absolute. Null: as before. */
  pollUrl: string | null
  /** Why it doesn't go where the provider said, for people. Null: it does, or nothing was said. */
  pollUrlProblem: string | null
}

/** A relative URL is one to what was asked: the URL of the last poll, or a job's id. */
export function nextPollUrl(named: string | null, { asked, baseUrl }: { asked: string; baseUrl: string }): NextPoll {
  if (named === null) return { pollUrl: null, pollUrlProblem: null }
  const url = named.length > maxLength ? null : URL.parse(named, URL.canParse(asked) ? asked : baseUrl)
  if (url === null) return refused('is no URL')
  if (url.origin !== new URL(baseUrl).origin) return refused(`leads to ${url.host || 'no host'}`)
  if (urlPathBelow(url.href, baseUrl) === null) return refused('isn’t below the base URL')
  return { pollUrl: url.href === asked ? null : url.href, pollUrlProblem: null }
}

function refused(why: string): NextPoll {
  const problem = `The provider named an address for the next poll that ${why}, so the one before is asked again.`
  return { pollUrl: null, pollUrlProblem: problem }
}
