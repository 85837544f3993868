import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { readDuration, readIdOrMoment, readIds, readMetadata, readMoment, readWords } from '../../src/cli/given.ts'

test.each([
  ['run=42', { run: 42 }],
  ['rate=-1.5e3', { rate: -1500 }],
  ['live=true', { live: true }],
  ['live=false', { live: false }],
  ['none=null', { none: null }],
  ['team=data', { team: 'data' }],
  ['zip=01234', { zip: '01234' }],
  ['quoted="42"', { quoted: '"42"' }],
  ['list=[1]', { list: '[1]' }],
  ['empty=', { empty: '' }],
  ['query=a=b', { query: 'a=b' }],
  ['long=12345678901234567890', { long: '12345678901234567890' }],
  ['huge=1e999', { huge: '1e999' }],
  ['__proto__=1', JSON.parse('{"__proto__": 1}')],
])('metadata %s', (text, metadata) => {
  expect(readMetadata(text)).toEqual(metadata)
  expect(Object.keys(readMetadata(text))).toEqual(Object.keys(metadata))
})

test('metadata is collected, and the last of a key counts', () => {
  expect(readMetadata('run=2', readMetadata('team=data', readMetadata('run=1')))).toEqual({ run: 2, team: 'data' })
})

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['2d', 172_800_000],
  ['0', 0],
])('the duration %s', (text, ms) => {
  expect(readDuration(text)).toBe(ms)
})

test.each<[string, () => unknown]>([
  ['metadata without a value', () => readMetadata('run')],
  ['metadata without a key', () => readMetadata('=1')],
  ['a duration of another unit', () => readDuration('3w')],
  ['a negative duration', () => readDuration('-1')],
  ['no duration', () => readDuration('')],
  ['an empty id', () => readIds('')],
  ['an unknown word', () => readWords(['failed', 'lost'])('failed,gone')],
  ['no moment', () => readMoment('soon')],
  ['a number, which would be a month', () => readMoment('7')],
])('%s is refused', (_what, read) => {
  expect(read).toThrow(InvalidArgumentError)
})

test('each id counts once, and words may be joined', () => {
  expect(readIds('a', readIds('b', readIds('a')))).toEqual(['a', 'b'])
  expect(readWords(['failed', 'lost'])('failed, lost')).toEqual(['failed', 'lost'])
})

test('an event is named by its id, or a moment before it', () => {
  expect(readIdOrMoment('019abc00-0000-7000-8000-000000000001')).toBe('019abc00-0000-7000-8000-000000000001')
  expect(readIdOrMoment('2026-11-26T08:00:00Z')).toEqual(new Date('2026-11-26T08:00:00Z'))
  expect(() => readIdOrMoment('2026-99')).toThrow(InvalidArgumentError)
})
