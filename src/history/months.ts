// Owns the months of history: calendar months in UTC, as ranges of UUIDv7, whose first 48 bits are milliseconds. Pure.

/** Returns the first moment of the month that holds `moment`, or of the month `later` months after it. */
export function monthOf(moment: Date, later = 0): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + later))
}

/** Returns the moment at which an id (UUIDv7) was made. */
export function madeAt(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
}

/** Returns the smallest id of a month. */
export function leastId(month: Date): string {
  const hex = month.getTime().toString(16).padStart(12, '0').padEnd(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Returns the name of a month: `2026_11`. */
export function nameOf(month: Date): string {
  return month.toISOString().slice(0, 7).replace('-', '_')
}

/** Returns the month with this name. */
export function monthNamed(name: string): Date {
  const [year, month] = name.split('_').map(Number)
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1))
}
