// Owns what a release goes by: the tag, the versions of both packages, the changelog, and workflows that can be read.
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { notesOf, versionOf } from '../.github/release-notes.ts'

const changelog = `# Changelog

## Unreleased

### Added
- What is not out yet.

## [0.2.0] - 2026-12-01

### Added
- A thing.

### Changed
- Another one.

## 0.1.0 - 2026-11-01

- The first.
`

test.each([
  ['0.2.0', '### Added\n- A thing.\n\n### Changed\n- Another one.'],
  ['0.1.0', '- The first.'],
])('the notes of %s are its part of the changelog', (version, notes) => {
  expect(notesOf(changelog, version)).toBe(notes)
})

test.each(['0.2', '0.3.0', '2.0'])('there are none of %s', (version) => {
  expect(() => notesOf(changelog, version)).toThrow(`CHANGELOG.md has nothing about ${version}`)
})

test('a tag is the version of both packages', () => {
  const service = { name: 'service', version: '0.2.0' }
  expect(versionOf('v0.2.0', [service, { name: 'client', version: '0.2.0' }])).toBe('0.2.0')
  expect(() => versionOf('v0.2.0', [service, { name: 'client', version: '0.1.9' }])).toThrow(
    'client has the version 0.1.9',
  )
})

const folder = new URL('../.github/workflows/', import.meta.url)

test.each(await readdir(folder))('%s is YAML, gives few rights, and pins what it uses', async (name) => {
  const workflow = parse(await readFile(new URL(name, folder), 'utf8')) as {
    permissions: unknown
    jobs: Record<string, { needs?: string[]; uses?: string; steps?: { uses?: string; run?: string }[] }>
  }
  expect(workflow.permissions).toEqual({ contents: 'read' })
  for (const { needs = [], uses, steps } of Object.values(workflow.jobs)) {
    for (const need of needs) expect(Object.keys(workflow.jobs)).toContain(need)
    expect(uses !== undefined || (steps?.length ?? 0) > 0).toBe(true)
    for (const step of steps ?? [])
      expect(step.run ?? step.uses).toMatch(step.run === undefined ? /^[\w-]+\/[\w-]+@v\d+$/ : /./)
  }
})
