// Owns the scopes of tokens.

export const scopes = ['read', 'write', 'admin'] as const

/** `read` sees everything but tokens. `write` also registers and steers imports. `admin` may do everything. */
export type Scope = (typeof scopes)[number]

/** Returns true if a token of scope `held` may do what needs `needed`. Each scope includes the ones before it. */
export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed)
}
