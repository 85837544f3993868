// Owns where the next poll goes, if the provider says it with its answer. The credentials go there, so it has to lie
// below the base URL.
import { pathBelow } from './client.ts'
import type { ProviderRequest } from './contract.ts'
import { urlPathBelow } from './job-id.ts'

/** Status URLs of 4 KB are published. */
const maxLength = 8_192

export interface NextPoll {
  /** Absolute. Null: as before. */
  pollUrl: string | null
  /** Why it doesn't go where the provider said, for people. Null: it does, or nothing was said. */
  pollUrlProblem: string | null
}

/** A relative URL is one to the request that was answered, below its base URL. */
export function nextPollUrl(
  named: string,
  { request, baseUrl }: { request: Pick<ProviderRequest, 'path' | 'query'>; baseUrl: string },
): NextPoll {
  const base = new URL(baseUrl)
  const asked = `${base.origin}${pathBelow(base, request)}`
  const url = named.length > maxLength ? null : URL.parse(named, asked)
  if (url === null) return refused('is no URL')
  if (url.origin !== base.origin) return refused(`leads to ${url.host || 'no host'}`)
  if (urlPathBelow(url.href, baseUrl) === null) return refused('isn’t below the base URL')
  return { pollUrl: url.href === asked ? null : url.href, pollUrlProblem: null }
}

function refused(why: string): NextPoll {
  const problem = `The provider named an address for the next poll that ${why}, so the one before is asked again.`
  return { pollUrl: null, pollUrlProblem: problem }
}
