// Owns what time it is, so that nothing else asks the system and tests can say.

export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** The moment `ms` milliseconds after `date`. */
export function after(date: Date, ms: number): Date {
  return new Date(date.getTime() + ms)
}
