// Owns drawing the progress of an import as a bar of a given width.
import type { Import } from '../../packages/client/src/index.ts'
import { isOver } from '../model/import-state.ts'
import { type Paint, styleOf } from './paint.ts'

const done = '━'
const half = '╸'
const left = '─'

/** @param tick moves the piece that shows life if the vendor reports no progress. */
export function bar(
  { state, progress }: Pick<Import, 'state' | 'progress'>,
  width: number,
  tick: number,
  paint: Paint,
): string {
  const isComplete = state === 'succeeded' || state === 'partial'
  if (state === 'running' && progress === null) return wandering(width, tick, paint)
  const halves = Math.round((isComplete ? 1 : (progress ?? 0)) * width * 2)
  const filled = done.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? half : '')
  return paint(isOver(state) ? styleOf(state) : 'busy', filled) + paint('quiet', left.repeat(width - filled.length))
}

function wandering(width: number, tick: number, paint: Paint): string {
  const length = Math.min(3, width)
  const way = width - length
  const at = way === 0 ? 0 : way - Math.abs((tick % (2 * way)) - way)
  return paint('quiet', left.repeat(at)) + paint('busy', done.repeat(length)) + paint('quiet', left.repeat(way - at))
}
