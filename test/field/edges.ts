// Owns the cases of answers at the edges of HTTP: large headers, encodings, charsets, connections that break.
import { expect } from 'vitest'
import { endingWell, providers, withFields } from './answers.ts'
import type { Answer, Row } from './play.ts'

const edges: Record<string, Pick<Row, 'script'> & { answer?: Omit<Answer, 'body' | 'raw' | 'on'> }> = {
  '20 KB of headers': { answer: { headers: { 'set-cookie': Array.from({ length: 5 }, () => 'a=<x*4000>') } } },
  '60 KB of headers': { answer: { headers: { 'set-cookie': Array.from({ length: 15 }, () => 'a=<x*4000>') } } },
  'gzip that nobody asked for': { script: { faults: [{ kind: 'compressed', encoding: 'gzip', on: 'any' }] } },
  'brotli that nobody asked for': { script: { faults: [{ kind: 'compressed', encoding: 'br', on: 'any' }] } },
  'a reset behind the answer': { script: { faults: [{ kind: 'reset_after_answer', on: 'any' }] } },
  'a declared iso-8859-1': { script: { faults: [{ kind: 'charset', on: 'any' }] } },
  'a declared utf-16le': { script: { faults: [{ kind: 'charset', charset: 'utf-16le', on: 'any' }] } },
  'no content type': { answer: { headers: { 'content-type': null } } },
  'no date': { answer: { headers: { date: null } } },
}

export const httpRows: readonly Row[] = providers.flatMap((provider) =>
  Object.entries(edges).map(
    ([title, { answer, script }]): Row => ({
      kind: 'the edges of HTTP are read',
      title,
      provider,
      ...(script && { script }),
      answers: endingWell(provider).map((one) => ({
        ...answer,
        ...one,
        body:
          one.on === 'summary'
            ? (one.body ?? null)
            : withFields(provider, one.body as object, { note: 'Müller ungültig' }),
      })),
      expected: { state: 'succeeded', lastError: null },
      told: ['import.running', 'import.succeeded'],
      async check({ sql }) {
        const [first] = await sql(`SELECT body::text AS body FROM snapshots WHERE import_id = $1 ORDER BY id LIMIT 1`)
        expect(first?.body).toContain('Müller ungültig')
      },
    }),
  ),
)
