// Owns checking a document as a whole: its form, its examples, and what every provider must do alike.
import { fieldErrors, issueText } from '../../api/validation.ts'
import { conformanceProblems, type SampleAccount } from '../conformance.ts'
import type { Provider } from '../contract.ts'
import type { Problem } from './bounds.ts'
import { alternativesOf, type ProviderDocument } from './document.ts'
import { runExamples } from './examples.ts'
import { lowerCased } from './meaning.ts'
import { createDocumentProvider } from './provider.ts'
import { documentSchema } from './read-document.ts'
import { unheldParts } from './unheld.ts'

export interface CheckedDocument {
  /** What is wrong, each with its place. */
  problems: { field: string; message: string }[]
  /** What no example shows, for people. */
  hints: string[]
}

/** Reads a document, runs its examples, and asks of it what is asked of every provider. */
export function checkWholeDocument(given: unknown, now: Date): CheckedDocument {
  const { data: document, error } = documentSchema.safeParse(given, { error: issueText })
  if (error) return { problems: fieldErrors(error), hints: [] }
  const provider = createDocumentProvider(document)
  const problems: Problem[] = [
    ...runExamples(document, provider, now),
    ...conformanceProblems(provider as Provider, {
      samples: samplesOf(document),
      account: accountOf(document),
      wordDecides: document.status.state.map !== undefined,
    }),
  ]
  return {
    problems: problems.map(({ path, message }) => ({ field: path.join('.'), message })),
    hints: problems.length > 0 ? [] : hintsFor(document, given as Record<string, unknown>, now),
  }
}

/** The status answers among the examples. */
export function samplesOf(document: ProviderDocument) {
  return document.examples.flatMap(({ of, answer, settings, report }, index) =>
    of === 'status' && report !== undefined
      ? [
          {
            path: ['examples', index, 'answer'],
            body: answer.body ?? null,
            head: { status: answer.status, headers: lowerCased(answer.headers), settings },
          },
        ]
      : [],
  )
}

/** An account of the document's form that no vendor knows. */
export function accountOf(document: ProviderDocument): SampleAccount {
  const [fields = {}] = alternativesOf(document)
  const credentials = Object.keys(fields).map((name) => [name, `secret-of-${name}`])
  const settings = Object.entries(document.settings).flatMap(([name, { kind, default: given, values }]) => {
    if (given !== undefined || values !== undefined) return [[name, given ?? values?.[0]]]
    return ['text', 'path', 'segments'].includes(kind) ? [[name, kind === 'path' ? `/${name}` : name]] : []
  })
  return {
    credentials: Object.fromEntries(credentials),
    settings: Object.fromEntries(settings),
  }
}

/** @param given The document before its defaults were filled in. */
function hintsFor({ examples }: ProviderDocument, given: Record<string, unknown>, now: Date): string[] {
  const unheld = unheldParts(given, now).map((path) => path.join('.'))
  return [
    ...(examples.some(({ of }) => of === 'status')
      ? []
      : ['There is no example of a status: add an answer of the vendor.']),
    ...(examples.some(({ error }) => error !== undefined) ? [] : ['No example shows an error.']),
    ...(unheld.length > 0 ? [`No example would fail without ${unheld.join(', ')}.`] : []),
  ]
}
