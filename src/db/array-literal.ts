// Owns writing long arrays as the literals that Postgres reads, several times as fast as the driver does it value by value.

/** A literal of numbers or booleans, for a cast such as `::bigint[]`. */
export function arrayLiteral(values: readonly (number | boolean | null)[]): string {
  return `{${values.map(String).join(',')}}`
}

/** A literal for `::text[]`. */
export function textArrayLiteral(values: readonly (string | null)[]): string {
  return `{${values.map(quoted).join(',')}}`
}

function quoted(value: string | null): string {
  if (value === null) return 'null'
  return `"${special.test(value) ? value.replace(allSpecial, '\\$&') : value}"`
}

const special = /["\\]/
const allSpecial = /["\\]/g
