// Owns the addresses of the pages of connections.
import type { Request } from 'express'
import { storableText } from '../../base/storable-text.ts'

/** Returns the path of a connection's page. One that is called `new` is told apart from the form by its encoding. */
export function connectionPath(basePath: string, name: string): string {
  return `${basePath}/connections/${name === 'new' ? '%6Eew' : encodeURIComponent(name)}`
}

export function nameOf({ params }: Request): string {
  return storableText(String(params.name))
}
