// Owns chance with a seed: the same seed gives the same numbers.
export interface Random {
  /** Evenly from 0 to 1, neither of them. */
  even(): number
  normal(): number
}

/** Mulberry32: enough for a simulation, and short. */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b9)
  const even = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
  return { even, normal: () => Math.sqrt(-2 * Math.log(even())) * Math.cos(2 * Math.PI * even()) }
}
