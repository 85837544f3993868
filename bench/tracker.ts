// The service of a benchmark, in a process of its own, so that the CPU it uses is its own.
import { startService } from '../src/app/service.ts'
import { systemClock } from '../src/base/clock.ts'
import { createLog } from '../src/base/log.ts'
import { readConfig } from '../src/config/config.ts'

const config = readConfig(JSON.parse(process.argv[2] ?? '{}'))
const service = await startService(config, { clock: systemClock, log: createLog(config.logLevel) })
process.on('message', () => process.send?.(process.cpuUsage()))
process.on('SIGTERM', () => void service.stop().then(() => process.exit(0)))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
