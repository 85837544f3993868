// Owns signing a browser in with a token: an encrypted cookie holds the token's hash for twelve hours. Each request
// looks the token up, so revoking it ends the session. Signing out ends it, too.
import { parseCookie, stringifySetCookie } from 'cookie'
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import { newId } from '../base/ids.ts'
import type { Database } from '../db/client.ts'
import type { Authenticator, Principal } from '../tokens/authenticate.ts'
import { endSession, isSessionEnded } from '../tokens/ended-sessions.ts'
import { hashToken } from '../tokens/hash.ts'

export interface Sessions {
  /** Sets the cookie. Returns null, and sets none, if the token isn't valid. */
  signIn(request: Request, response: Response, token: string): Promise<Principal | null>
  /** Ends the session. Copies of its cookie are worthless then. */
  signOut(request: Request, response: Response): Promise<void>
  /** Returns who is signed in. Returns null if nobody is. */
  principal(request: Request): Promise<Principal | null>
}

const cookieName = 'import_tracker_session'
const context = 'session'
const lifetimeMs = 12 * 3_600_000
const sessionSchema = z.object({ id: z.uuid(), hash: z.string(), expiresAt: z.number() })

export function createSessions({
  db,
  clock,
  encryption,
  authenticator,
  basePath,
}: {
  db: Database
  clock: Clock
  encryption: Encryption
  authenticator: Authenticator
  basePath: string
}): Sessions {
  return {
    async signIn(request, response, token) {
      const principal = await authenticator.authenticate(token)
      if (principal === null) return null
      const session = { id: newId(), hash: hashToken(token), expiresAt: clock.now().getTime() + lifetimeMs }
      setCookie(request, response, {
        value: encryption.encrypt(JSON.stringify(session), context),
        maxAgeMs: lifetimeMs,
      })
      return principal
    },

    async signOut(request, response) {
      const session = read(request)
      setCookie(request, response, { value: '', maxAgeMs: 0 })
      if (session !== null) await endSession({ db, clock }, { id: session.id, expiresAt: new Date(session.expiresAt) })
    },

    async principal(request) {
      const session = read(request)
      if (session === null || session.expiresAt <= clock.now().getTime()) return null
      if (await isSessionEnded({ db }, session.id)) return null
      return authenticator.authenticateHash(session.hash)
    },
  }

  function setCookie(request: Request, response: Response, { value, maxAgeMs }: { value: string; maxAgeMs: number }) {
    const cookie = stringifySetCookie({
      name: cookieName,
      value,
      path: basePath === '' ? '/' : basePath,
      httpOnly: true,
      sameSite: 'lax', // so that a link from a chat opens signed in
      secure: isSecure(request),
      maxAge: maxAgeMs / 1_000,
    })
    response.setHeader('set-cookie', cookie)
  }

  function read(request: Request) {
    const value = parseCookie(request.headers.cookie ?? '')[cookieName]
    if (!value) return null
    try {
      // A cookie of another form is older than a change of this one.
      return sessionSchema.safeParse(JSON.parse(encryption.decrypt(value, context))).data ?? null
    } catch (error) {
      if (error instanceof DecryptionError) return null // not ours, or made with a key that was removed
      throw error
    }
  }
}

/** A proxy that ends TLS says so in a header. A client that forges it only loses a cookie. */
function isSecure(request: Request): boolean {
  const forwarded = request.headers['x-forwarded-proto']
  return request.secure || String(forwarded).split(',')[0]?.trim() === 'https'
}
