// Owns the commands for documents of providers.
import { describe, expect, test } from 'vitest'
import { checkDocumentFile, newDocument, problemsOf } from '../../src/cli/providers.ts'

describe('a document', () => {
  test('to begin with is right, and so is its example', () => {
    expect(problemsOf(JSON.stringify(newDocument('acme')))).toEqual([])
  })

  test.each([
    ['{', /^It isn't JSON: /],
    ['[]', /^The document must be an object\.$/],
    [JSON.stringify({ ...newDocument('acme'), colour: 'red' }), /^colour is not known\.$/],
    [
      JSON.stringify({ ...newDocument('acme'), examples: [{ answer: { body: {} }, report: { state: 'failed' } }] }),
      /^examples\.0\.report\.state must be "unmapped", as the document reads this answer\.$/,
    ],
  ])('%s says what is wrong where', (text, said) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(said)])
  })

  test.each([
    [import.meta.dirname, `${import.meta.dirname} is a directory: name the file of a document.`],
    ['no-such.json', 'There is no file no-such.json.'],
  ])('in %s is told as missing', async (file, said) => {
    await expect(checkDocumentFile(file)).rejects.toThrow(said)
  })
})
