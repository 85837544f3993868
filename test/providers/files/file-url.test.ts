import { describe, expect, test } from 'vitest'
import { fileUrl } from '../../../src/providers/files/file-url.ts'

const base = 'https://api.example.com/v1'
const hosts = ['files.example.net', '*.storage.example.org', '.cdn.example.org', 'odd.example.net:8443']

describe('a file’s URL', () => {
  test.each([
    'https://api.example.com/rows',
    '/rows',
    'https://files.example.net/rows?signature=x',
    'https://files.example.net:443/rows',
    'https://FILES.example.net/rows',
    'https://eu.storage.example.org/rows',
    'https://a.b.storage.example.org/rows',
    'https://eu.cdn.example.org/rows',
    'https://odd.example.net:8443/rows',
  ])('may be %s', (url) => {
    expect(fileUrl(url, hosts, base).href).toBe(new URL(url, base).href)
  })

  test.each([
    'https://files.example.net:8443/rows',
    'https://files.example.net:22/rows',
    'https://eu.storage.example.org:9200/rows',
    'https://storage.example.org/rows',
    'https://cdn.example.org/rows',
    'https://evilcdn.example.org/rows',
    'https://odd.example.net/rows',
    'https://odd.example.net:443/rows',
    'https://api.example.com:8443/rows',
    'http://files.example.net/rows',
    'http://files.example.net:443/rows',
    'https://files.example.net.evil.example/rows',
    'https://evilfiles.example.net/rows',
    'https://files.example.net@evil.example/rows',
    'https://me:secret@files.example.net/rows',
    'ftp://files.example.net/rows',
    `https://files.example.net/${'x'.repeat(8_200)}`,
  ])('may not be %s', (url) => {
    expect(() => fileUrl(url, hosts, base)).toThrow(/so it wasn’t asked/)
  })

  test('may have any port where the base URL itself has no https, as in tests', () => {
    const url = 'http://files.example.net:3001/rows'
    expect(fileUrl(url, hosts, 'http://127.0.0.1:3000').href).toBe(url)
    expect(() => fileUrl('https://files.example.net:3001/rows', hosts, 'http://127.0.0.1:3000')).toThrow(/leads to/)
    expect(() => fileUrl('http://odd.example.net:3001/rows', hosts, 'http://127.0.0.1:3000')).toThrow(/leads to/)
  })
})
