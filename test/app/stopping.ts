// A command that serves, for the test of how it ends: `node stopping.ts <hang | fail | never-start | log>`.
import { untilStopped } from '../../src/app/until-stopped.ts'
import { createLog } from '../../src/base/log.ts'

const [, , how] = process.argv
const keepAlive = setInterval(() => {}, 1_000)

const log = createLog(how === 'log' ? 'info' : 'silent')

await untilStopped(
  log,
  async () => {
    if (how === 'never-start') {
      console.log('starting')
      await new Promise(() => {})
    }
    return {
      stop: async () => {
        if (how === 'log') for (const line of ['one', 'two', 'three']) log.info(line)
        else console.log('stopping')
        if (how === 'hang') await new Promise(() => {})
        clearInterval(keepAlive)
      },
    }
  },
  () => {
    console.log('started')
    if (how === 'fail') setImmediate(() => Promise.reject(new Error('nobody catches this')))
  },
  how === 'never-start' ? 50 : undefined,
)
