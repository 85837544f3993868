// Owns what files of rows must do alike, whatever their vendor: their URLs are allowed, only our own requests carry
// credentials, and no record of another form passes for a row.
import { ZodError } from 'zod'
import type { Sample, SampleAccount } from './conformance.ts'
import type { FileSource, Provider } from './contract.ts'
import { ProviderError } from './error.ts'
import { fileUrl } from './files/file-url.ts'

/** Returns what is wrong with the files that a status answer names. */
export function fileProblems(provider: Provider, { body, head }: Sample, account: SampleAccount): string[] {
  const baseUrl = provider.defaultBaseUrl ?? 'https://vendor.example'
  return filesOf(provider, { body, head }).flatMap((source) => [
    ...urlProblems(source, baseUrl),
    ...requestProblems(source, account, baseUrl),
    ...recordProblems(source),
  ])
}

/** An answer that isn't a status has no files; other checks tell about it. */
function filesOf({ files }: Provider, { body, head }: Pick<Sample, 'body' | 'head'>): FileSource[] {
  try {
    return files?.of(body, head) ?? []
  } catch (error) {
    if (error instanceof ZodError) return []
    throw error
  }
}

function urlProblems({ url, hosts }: FileSource, baseUrl: string): string[] {
  if (url === null) return []
  try {
    fileUrl(url, hosts, baseUrl)
    return []
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return [`must have a file that may be asked for. ${error.message}`]
  }
}

function requestProblems(source: FileSource, { credentials, settings }: SampleAccount, baseUrl: string): string[] {
  if (source.url !== null) return []
  const { path, query } = source.request({ jobId: 'job-1', credentials, settings, baseUrl, token: 'access-token' })
  const url = JSON.stringify([path, query])
  return Object.entries({ ...credentials, token: 'access-token' }).flatMap(([name, secret]) =>
    secret.length > 3 && url.includes(secret) ? [`must not have the credential ${name} in the URL of a file`] : [],
  )
}

function recordProblems(source: FileSource): string[] {
  return ['text', 5, null].flatMap((record) => {
    try {
      source.read([record])
      return [`must not take ${JSON.stringify(record)} for a record of a file`]
    } catch (error) {
      return error instanceof ZodError ? [] : [`must refuse ${JSON.stringify(record)} as a record by a ZodError alone`]
    }
  })
}
