// Owns the commands for documents of providers.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkDocumentFile, newDocument, problemsOf, writeNewDocument } from '../../src/cli/providers.ts'

describe('a document', () => {
  test('to begin with is right, and so is its example', () => {
    expect(problemsOf(JSON.stringify(newDocument('acme')))).toEqual([])
  })

  test.each([
    ['{', /^It isn't JSON: /],
    ['[]', /^The document must be an object\.$/],
    [JSON.stringify({ ...newDocument('acme'), colour: 'red' }), /^colour is not known\.$/],
    [JSON.stringify(newDocument('fullstory')), /^name must be another: fullstory is a part of the service\.$/],
    [
      JSON.stringify({ ...newDocument('acme'), examples: [{ answer: { body: {} }, report: { state: 'failed' } }] }),
      /^examples\.0\.report\.state must be "unmapped", as the document reads this answer\.$/,
    ],
  ])('%s says what is wrong where', (text, said) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(said)])
  })

  test('that is there already stays as it is, and one of a name of the service is not begun', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'import-tracker-new-'))
    const before = process.cwd()
    try {
      process.chdir(folder)
      await writeFile('acme.json', 'mine')
      await expect(writeNewDocument('acme')).rejects.toThrow(/^acme\.json is there already, and stays as it is\./)
      expect(await readFile('acme.json', 'utf8')).toBe('mine')
      await expect(writeNewDocument('cdq')).rejects.toThrow('The name must be another: cdq is a part of the service.')
      expect(await readdir('.')).toEqual(['acme.json'])
    } finally {
      process.chdir(before)
      await rm(folder, { recursive: true })
    }
  })

  test.each([
    [import.meta.dirname, `${import.meta.dirname} is a directory: name the file of a document.`],
    ['no-such.json', 'There is no file no-such.json.'],
  ])('in %s is told as missing', async (file, said) => {
    await expect(checkDocumentFile(file)).rejects.toThrow(said)
  })
})
