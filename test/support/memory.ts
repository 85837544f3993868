// Owns how much memory something takes: at its peak, and what is left of it afterwards.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

export interface MemoryUse {
  /** The most that was in use at a time beyond what was before, in bytes, garbage included. */
  peak: number
  /** What is still in use, in bytes. */
  left: number
}

export async function memoryOf(work: () => Promise<void>): Promise<MemoryUse> {
  collectGarbage()
  const before = inUse()
  let peak = before
  const sampling = setInterval(() => {
    peak = Math.max(peak, inUse())
  }, 5)
  try {
    await work()
  } finally {
    clearInterval(sampling)
  }
  peak = Math.max(peak, inUse())
  collectGarbage()
  return { peak: peak - before, left: inUse() - before }
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage() // external has the buffers
  return heapUsed + external
}
