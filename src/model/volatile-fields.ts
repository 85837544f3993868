// Owns what makes no change in the bodies of a connection's answers: its provider's fields and its own.

/** JSON Pointers. */
export function volatileFieldsOf(provider: { volatileFields: readonly string[] }, own: readonly string[]): string[] {
  return [...provider.volatileFields, ...own]
}
