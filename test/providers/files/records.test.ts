// Whatever pieces the bytes of a file come in, the same records are read, and none twice.
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { FileError } from '../../../src/providers/files/file-error.ts'
import { type FileFormat, readRecords } from '../../../src/providers/files/records.ts'

const csv = (more: Partial<Extract<FileFormat, { kind: 'csv' }>> = {}): FileFormat => ({
  kind: 'csv',
  delimiters: [','],
  header: true,
  needs: [],
  ...more,
})

/** Reads a file that comes in pieces of these lengths, again and again. */
function read(format: FileFormat, file: string | Buffer, lengths: readonly number[], maxRecordBytes = 10_000) {
  const bytes = Buffer.from(file as string)
  const reader = readRecords(format, { maxRecordBytes, from: null })
  const records: unknown[] = []
  const consumed: Buffer[] = []
  const keep = (some: ReturnType<typeof reader.read>) => {
    records.push(...(some?.records ?? []))
    consumed.push(...(some?.bytes ?? []))
  }
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length] ?? bytes.length
    keep(reader.read(bytes.subarray(at, at + length)))
    at += length
  }
  keep(reader.end())
  return { records, consumed: Buffer.concat(consumed), headBytes: reader.headBytes() }
}

const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })
const cell = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('"', 'a,b', 'a\nb', '\r\n', 'é€😀', ''))
const table = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 12 })

describe('any pieces give the same records', () => {
  it('of CSV, with every delimiter and line ending', () => {
    fc.assert(
      fc.property(
        table,
        pieces,
        fc.constantFrom(',', ';', '\t', '|', '^', '`'),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (rows, lengths, delimiter, recordDelimiter, endsWithLine) => {
          const header = ['id', 'Näme', 'a b']
          const text = stringify([header, ...rows], { delimiter, record_delimiter: recordDelimiter, quoted: true })
          const file = endsWithLine ? text : text.slice(0, -recordDelimiter.length)
          const found = read(csv({ delimiters: [delimiter] }), file, lengths)
          expect(found.records).toEqual(
            rows.map((row) => Object.fromEntries(header.map((name, at) => [name, row[at]]))),
          )
          expect(found.consumed.toString()).toBe(file)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('of JSON lines', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 12 }), pieces, (values, lengths) => {
        const file = values.map((one) => `${JSON.stringify(one)}\r\n\n`).join('')
        const found = read({ kind: 'jsonl' }, file, lengths)
        expect(JSON.stringify(found.records)).toBe(JSON.stringify(values))
        expect(found.consumed.toString()).toBe(file)
      }),
      { numRuns: 500 },
    )
  })

  it('of a JSON list, however it is written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 12 }),
        pieces,
        fc.constantFrom(undefined, 1, '\t'),
        (values, lengths, indent) => {
          const file = ` \uFEFF${JSON.stringify(values, null, indent)}\n`.trimStart()
          const found = read({ kind: 'json' }, file, lengths)
          expect(JSON.stringify(found.records)).toBe(JSON.stringify(values))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('of a JSON object, which is one record', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), pieces, (value, lengths) => {
        const found = read({ kind: 'json' }, JSON.stringify(value), lengths)
        expect(JSON.stringify(found.records)).toBe(JSON.stringify([value]))
      }),
      { numRuns: 300 },
    )
  })
})

describe('CSV', () => {
  it('takes the delimiter by which the header has what is needed', () => {
    const format = csv({ delimiters: [',', '\t', ';'], needs: ['Import Failure Reason'] })
    const file = 'email;name, given;Import Failure Reason\na@b;Ann;missing.dedupe.fields\n'
    expect(read(format, file, [7]).records).toEqual([
      { email: 'a@b', 'name, given': 'Ann', 'Import Failure Reason': 'missing.dedupe.fields' },
    ])
  })

  it('needs one of several columns, by which it also takes the delimiter', () => {
    const format = csv({ delimiters: [',', ';'], needs: [['Import Warning Reason', 'Import Failure Reason']] })
    for (const name of ['Import Warning Reason', 'Import Failure Reason'])
      expect(read(format, `email;${name}\na@b;cut, short\n`, [7]).records).toEqual([
        { email: 'a@b', [name]: 'cut, short' },
      ])
    expect(() => read(format, 'email;name\na@b;Ann\n', [7])).toThrow(
      'The file has no column "Import Warning Reason" or "Import Failure Reason".',
    )
  })

  it('tells how long the header is, also behind empty lines', () => {
    const found = read(csv(), '\n"a\n1",b\n1,2\n', [3])
    expect(found).toMatchObject({ records: [{ 'a\n1': '1', b: '2' }], headBytes: 9 })
  })

  it.each([
    ['a byte order mark', '\uFEFF"a",b\n1,2\n'],
    ['blank lines', '\n \na,b\n\n1,2\n  \n\r\n'],
    ['no line end at the end', 'a,b\n1,2'],
    ['carriage returns alone', 'a,b\r1,2\r'],
    ['a carriage return alone, and no end', 'a,b\r1,2'],
    ['line ends of both kinds', 'a,b\r\n1,2\n'],
    ['a separator behind each line', 'a,b,\n1,2,\n'],
    ['a separator behind the rows', 'a,b\n1,2,\n'],
    ['a separator behind the header', 'a,b,\n1,2\n'],
    ['blanks around names', ' a , b\n1,2\n'],
    ['blanks around quotes', 'a, "b" \n "1" ,"2" \n'],
  ])('reads %s as it is meant', (_what, file) => {
    for (const length of [1, 2, 3, 100])
      expect(read(csv({ needs: ['a', 'b'] }), file, [length])).toMatchObject({
        records: [{ a: '1', b: '2' }],
        consumed: Buffer.from(file),
      })
  })

  it('takes a quote within an unquoted value as it is, whatever follows', () => {
    const file = 'a,b\n5" pipe,"x ""y"" z"\nBob "Bobby", "3, 4"\n"one\n, two",it\'s\n'
    for (const length of [1, 2, 5, 100])
      expect(read(csv(), file, [length]).records).toEqual([
        { a: '5" pipe', b: 'x "y" z' },
        { a: 'Bob "Bobby"', b: '3, 4' },
        { a: 'one\n, two', b: "it's" },
      ])
  })

  it('takes line feeds within a value of a file whose lines carriage returns end', () => {
    expect(read(csv(), 'a,b\r"1\n2",3\r4,5\r', [2]).records).toEqual([
      { a: '1\n2', b: '3' },
      { a: '4', b: '5' },
    ])
  })

  it('reads a quote that a candidate for the delimiter would leave open', () => {
    const format = csv({ delimiters: [',', ';'], needs: ['b'] })
    expect(read(format, '"a";"b"\n"1,";2\n', [4]).records).toEqual([{ a: '1,', b: '2' }])
  })

  it('means the first column of a name, and keeps one of any name', () => {
    const [record] = read(csv(), 'sf__Error,__proto__,sf__Error,constructor\nours,1,uploaded,2\n', [5]).records
    expect(Object.entries(record as object)).toEqual([
      ['sf__Error', 'ours'],
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
  })

  it('without a header has lists', () => {
    expect(read(csv({ header: false }), 'a,b\n1,2', [2]).records).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ])
  })

  it('may be empty, or have a header alone', () => {
    expect(read(csv(), '', [1]).records).toEqual([])
    expect(read(csv({ needs: ['a'] }), 'a,b\n', [1]).records).toEqual([])
  })
})

function refusal(format: FileFormat, file: string, maxRecordBytes?: number): FileError {
  try {
    read(format, file, [11], maxRecordBytes)
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
  throw new TypeError('The file was read.')
}

test.each<[string, FileFormat, string, FileError['kind'], RegExp]>([
  ['a header without a column', csv({ needs: ['sf__Error'] }), 'a,b\n1,2\n', 'malformed', /no column "sf__Error"/],
  ['nothing at all', csv({ needs: ['sf__Error'] }), '', 'malformed', /no column "sf__Error"/],
  ['empty lines alone', csv({ needs: ['sf__Error'] }), '\n\r\n', 'malformed', /no column "sf__Error"/],
  ['a page of HTML', csv(), '\n<!DOCTYPE html>\n<html>\n', 'malformed', /HTML or XML, not CSV/],
  [
    'a refusal in XML',
    csv(),
    '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    'malformed',
    /HTML or XML/,
  ],
  ['another document', csv({ needs: ['sf__Error'] }), '{error:1}\n', 'malformed', /no column "sf__Error"/],
  ['a row with too few columns', csv(), 'a,b\n1,2\n3\n', 'malformed', /Line 3 of the file has 1 column instead of 2/],
  ['a row with too many columns', csv(), 'a,b\n"1\n",2\n\n3,4,5\n', 'malformed', /Line 5 of the file has 3 columns/],
  [
    'text behind a quote',
    csv(),
    'a,b\n1,2\n"x"y,2\n',
    'malformed',
    /Line 3 of the file goes on behind a closing quote/,
  ],
  [
    'a quote that isn’t closed',
    csv(),
    'a,b\n1,2\n"x,2\n',
    'malformed',
    /Line 3 of the file has a quote that isn’t closed/,
  ],
  ['a line that isn’t JSON', { kind: 'jsonl' }, '{}\n\n{"a":\n', 'malformed', /Line 3 of the file isn't JSON/],
  ['a comma alone', { kind: 'json' }, '[,]', 'malformed', /comma too many/],
  ['a comma at the end', { kind: 'json' }, '[{},]', 'malformed', /comma too many/],
  ['two commas', { kind: 'json' }, '[1,,2]', 'malformed', /comma too many/],
  ['records without a comma', { kind: 'json' }, '[{} {}]', 'malformed', /Record 1 of the file has no comma/],
  ['no JSON, but nothing', { kind: 'json' }, ' \n', 'malformed', /is empty/],
  ['a list that ends too early', { kind: 'json' }, '[{"a":1},{"b"', 'malformed', /ends within its JSON/],
  ['a list that goes on', { kind: 'json' }, '[{}]{}', 'malformed', /goes on behind the end/],
  ['no JSON at all', { kind: 'json' }, '<?xml version="1.0"?>', 'malformed', /neither a JSON list nor an object/],
])('refuses %s', (_what, format, file, kind, message) => {
  expect(refusal(format, file)).toMatchObject({ kind, message: expect.stringMatching(message) })
})

test.each<[FileFormat, string]>([
  [csv(), `a,b\n1,"${'x'.repeat(1_000_000)}`],
  [{ kind: 'jsonl' }, `{}\n"${'x'.repeat(1_000_000)}"\n`],
  [{ kind: 'json' }, `[1,"${'x'.repeat(1_000_000)}"]`],
])('refuses a record of a million characters where it is too long, and otherwise reads it', (format, file) => {
  expect(refusal(format, file, 900_000)).toMatchObject({ kind: 'too_large', message: expect.stringMatching(/900000/) })
  if (format.kind !== 'csv') expect(read(format, file, [65_536], 1_100_000).records).toHaveLength(2)
})
