// Loaded before the service in a process of its own (`node --import`): it kills the process, as a crash would, at a
// step of a delivery or a poll. The steps are told by the statements that the service sends; nothing in it is replaced.
import pg from 'pg'

const claim = /INSERT INTO leases/
const transition = /INSERT INTO deliveries/

/** When the process dies: before the statement goes out, or as soon as its answer is there. */
interface Step {
  when: 'before' | 'after'
  statement: RegExp
  /** What the statement's transaction did before; absent: no matter what. */
  having?: RegExp
  /** One of the statement's values; absent: no matter which. */
  with?: string
}

const steps: Record<string, Step> = {
  'after the claim': { when: 'after', statement: claim, with: 'deliver' },
  'after the attempt row': { when: 'after', statement: /^commit$/i, having: /INSERT INTO delivery_attempts/ },
  'after the request': { when: 'before', statement: /UPDATE delivery_attempts a SET\s+duration_ms/ },
  'before the commit': { when: 'before', statement: /^commit$/i, having: transition },
}

const step = steps[process.env.KILL_AT ?? '']
/** Which one of the step's statements it is. */
let left = Number(process.env.KILL_AFTER ?? '1')

type Query = (this: object, ...args: unknown[]) => unknown

if (step) {
  const query = pg.Client.prototype.query as Query
  const having = new WeakSet<object>()
  pg.Client.prototype.query = function (this: object, ...args: unknown[]) {
    const text = textOf(args[0])
    if (/^begin/i.test(text)) having.delete(this)
    if (step.having?.test(text)) having.add(this)
    const isIt =
      step.statement.test(text) &&
      (!step.having || having.has(this)) &&
      (step.with === undefined || valuesOf(args).includes(step.with)) &&
      --left <= 0
    if (isIt && step.when === 'before') die()
    if (!isIt) return query.apply(this, args)
    // The pool asks with a callback, everybody else gets a promise.
    const callback = args.at(-1)
    if (typeof callback === 'function') return query.apply(this, [...args.slice(0, -1), die])
    return (query.apply(this, args) as Promise<unknown>).then(die, die)
  } as typeof pg.Client.prototype.query
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function valuesOf([query, values]: unknown[]): unknown[] {
  const given = typeof query === 'object' && query !== null && 'values' in query ? query.values : values
  return Array.isArray(given) ? given : []
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  return typeof query === 'object' && query !== null && 'text' in query ? String(query.text) : ''
}
