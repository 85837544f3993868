// Owns the addresses of the pages of connections.
import type { Request } from 'express'
import { storableText } from '../../base/storable-text.ts'

/**
 * Returns the path of a connection's page. One that is called `new`, in any case, is told apart from the form by its
 * encoding.
 */
export function connectionPath(basePath: string, name: string): string {
  const first = name.toLowerCase() === 'new' ? `%${name.charCodeAt(0).toString(16).toUpperCase()}` : ''
  return `${basePath}/connections/${first === '' ? encodeURIComponent(name) : first + name.slice(1)}`
}

export function nameOf({ params }: Request): string {
  return storableText(String(params.name))
}
