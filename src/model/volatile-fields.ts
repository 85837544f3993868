// Owns which fields of an answer's body don't count as a change: those of the provider and those of the connection.

/** Returns JSON Pointers. */
export function volatileFieldsOf(provider: { volatileFields: readonly string[] }, own: readonly string[]): string[] {
  return [...provider.volatileFields, ...own]
}
