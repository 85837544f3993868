// Owns what a token may do.

export const scopes = ['read', 'write', 'admin'] as const

/** `read` sees everything but tokens, `write` also registers and steers imports, `admin` may do all. */
export type Scope = (typeof scopes)[number]

/** Whether a token of scope `held` may do what needs `needed`: each scope includes the ones before it. */
export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed)
}
