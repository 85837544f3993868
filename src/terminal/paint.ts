// Owns the terminal's few colours, and their absence: NO_COLOR, pipes, tests.
import { styleText } from 'node:util'
import type { ImportState } from '../model/import-state.ts'

export type Style = 'strong' | 'quiet' | 'good' | 'warn' | 'bad' | 'busy'
export type Paint = (style: Style | null, text: string) => string

const formats = { strong: 'bold', quiet: 'dim', good: 'green', warn: 'yellow', bad: 'red', busy: 'cyan' } as const

/** Returns a paint with as many colours as the stream and the environment (NO_COLOR, FORCE_COLOR) allow. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (style, text) => (style === null ? text : styleText(formats[style], text, { stream }))
}

export const plain: Paint = (_style, text) => text

export function styleOf(state: ImportState): Style | null {
  return styles[state] ?? null
}

const styles: Partial<Record<ImportState, Style>> = {
  pending: 'quiet',
  queued: 'quiet',
  running: 'busy',
  succeeded: 'good',
  partial: 'warn',
  failed: 'bad',
  lost: 'bad',
}
