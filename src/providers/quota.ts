// Owns recognising that a 403 means too many requests: some vendors say so with a code of their own.
import { isObject } from './fields.ts'

/** Deeper than any vendor's error. */
const maxDepth = 6

/** `REQUEST_LIMIT_EXCEEDED`, `userRateLimitExceeded`, `quotaExceeded`, `THROTTLED`, …, however they are spelled. */
const quotaCode =
  /ratelimit|requestlimit|apilimit|(daily|hourly|usage|calls?)limit|quota|throttl|toomany(request|call)|slowdown/
/** One word, as codes are. Sentences are for people, and decide nothing. */
const word = /^[\w.-]{1,100}$/

/** Returns true if any code in an error's body names a quota or a rate limit. */
export function saysQuota(body: unknown, depth = maxDepth): boolean {
  if (typeof body === 'string') return word.test(body) && quotaCode.test(body.replace(/[^a-z]/gi, '').toLowerCase())
  if (depth === 0) return false
  if (Array.isArray(body)) return body.some((inner) => saysQuota(inner, depth - 1))
  return isObject(body) && Object.values(body).some((inner) => saysQuota(inner, depth - 1))
}
