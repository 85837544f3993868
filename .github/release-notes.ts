// Owns the notes of a release: prints the changelog's part of a tag such as v0.2.0. Fails unless both packages have the
// tag's version.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/**
 * Returns the part of the changelog (Keep a Changelog 1.1.0) below this version's heading.
 * @throws {Error} if there is none, or if it is empty.
 */
export function notesOf(changelog: string, version: string): string {
  const part = changelog.split(/^## /m).find((text) => text.split(/[\s\]]/, 1)[0]?.replace('[', '') === version)
  const notes = part?.slice(part.indexOf('\n')).trim()
  if (!notes) throw new Error(`CHANGELOG.md has nothing about ${version}: name its heading "## ${version} - <day>".`)
  return notes
}

/** @throws {Error} if a package has another version than the tag. */
export function versionOf(tag: string, manifests: readonly { name: string; version: string }[]): string {
  const version = tag.replace(/^v/, '')
  for (const manifest of manifests)
    if (manifest.version !== version)
      throw new Error(`The tag is ${tag}, and ${manifest.name} has the version ${manifest.version}.`)
  return version
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [tag = ''] = process.argv.slice(2)
  const manifests = ['package.json', 'packages/client/package.json'].map((file) =>
    JSON.parse(readFileSync(file, 'utf8')),
  )
  process.stdout.write(`${notesOf(readFileSync('CHANGELOG.md', 'utf8'), versionOf(tag, manifests))}\n`)
}
