// Owns looking into the memory of a process that a test has started with `--import` of this file: at SIGUSR2 it collects
// all garbage and says what is left, in bytes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

process.on('SIGUSR2', () => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  console.log(`In use: ${heapUsed + external} bytes.`)
})
