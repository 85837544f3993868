// Owns writing down what callers do to an endpoint.
import { type Actor, writeAction } from '../../actions/write.ts'
import type { Transaction } from '../../db/client.ts'
import { shownUrl } from './shown-url.ts'

interface Done {
  at: Date
  verb: `endpoint.${'create' | 'change' | 'rotate_secret' | 'test' | 'enable' | 'disable' | 'recover' | 'replay' | 'delete'}`
  details?: Record<string, unknown>
}

export function writeEndpointAction(
  tx: Transaction,
  by: Actor,
  { id, url }: { id: string; url: string },
  done: Done,
): Promise<void> {
  return writeAction(tx, by, { ...done, subject: { id, name: shownUrl(url) }, endpointId: id })
}
