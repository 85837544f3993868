// Owns writing a share as whole percent.

/**
 * Whole percent of a share from 0 to 1, rounded down: what isn't done is never 100. Binary fractions don't hurt: 0.29
 * times 100 is a little less than 29, and is 29.
 */
export function wholePercent(share: number): number {
  return Math.floor(Number((share * 100).toPrecision(12)))
}
