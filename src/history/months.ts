// Owns what a month of history is: calendar months in UTC, as ranges of UUIDv7, whose first 48 bits are milliseconds. Pure.

/** The first moment of the month that a moment is in, or of one so many months later. */
export function monthOf(moment: Date, later = 0): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + later))
}

/** The moment that an id (UUIDv7) was made at. */
export function madeAt(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
}

/** The least id that can be of a month. */
export function leastId(month: Date): string {
  const hex = month.getTime().toString(16).padStart(12, '0').padEnd(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** How a month is named: `2026_11`. */
export function nameOf(month: Date): string {
  return month.toISOString().slice(0, 7).replace('-', '_')
}

/** The month of such a name. */
export function monthNamed(name: string): Date {
  const [year, month] = name.split('_').map(Number)
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1))
}
