// Owns the words for what callers do.

export const actionVerbs = [
  'import.poll',
  'import.stop',
  'import.resume',
  'import.change',
  'import.delete',
  'connection.put',
  'connection.change',
  'connection.resume',
  'connection.test',
  'connection.delete',
  'endpoint.create',
  'endpoint.change',
  'endpoint.rotate_secret',
  'endpoint.test',
  'endpoint.enable',
  'endpoint.disable',
  'endpoint.recover',
  'endpoint.replay',
  'endpoint.delete',
  'delivery.redeliver',
  'provider.put',
  'provider.delete',
  'token.create',
  'token.delete',
] as const

/** What was done, and to what kind of thing. */
export type ActionVerb = (typeof actionVerbs)[number]

export const subjectKinds = ['import', 'connection', 'endpoint', 'delivery', 'provider', 'token'] as const
export type SubjectKind = (typeof subjectKinds)[number]

export function subjectKindOf(verb: ActionVerb): SubjectKind {
  return verb.slice(0, verb.indexOf('.')) as SubjectKind
}
