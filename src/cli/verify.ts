// Owns the command `webhooks verify`: what it prints of the checks of a captured request.
import { readFile } from 'node:fs/promises'
import { visibleText } from '../base/visible-text.ts'
import { judge, readCapturedRequest } from './captured-request.ts'
import { eventLine } from './event-line.ts'
import { exitCodes } from './exit-code.ts'
import { readStdinBytes } from './given.ts'
import { readSecret } from './webhook-secret.ts'

export interface VerifyOptions {
  secret: string | undefined
  now: Date
  toleranceMs: number
}

/** Prints what is right on stdout, and what is wrong on stderr. Returns the status. */
export async function verifyFile(file: string, { secret, now, toleranceMs }: VerifyOptions): Promise<number> {
  const judging = { secret: readSecret(secret), now, toleranceS: Math.floor(toleranceMs / 1_000) }
  const text = file === '-' ? await readStdinBytes() : await readFile(file)
  const { checks, event } = judge(readCapturedRequest(text), judging)
  for (const { isRight, text } of checks)
    if (isRight) console.log(`right  ${visibleText(text)}`)
    else console.error(`wrong  ${visibleText(text)}`)
  if (event === null || checks.some(({ isRight }) => !isRight)) return exitCodes.failure
  console.log(eventLine(event, new Date(event.timestamp)))
  return 0
}
