// What the provider of the ingest benchmark answers: rows as these vendors publish them, a page an answer.

export interface Pages {
  /** `csv`: a file of failed rows at another origin. */
  vendor: 'cdq' | 'fullstory' | 'micro' | 'csv'
  rows: number
  pageSize: number
}

/** The answers by page; a page but the last names the next one, by its number. */
export function answers({ vendor, rows, pageSize }: Pages): string[] {
  if (vendor === 'csv') return []
  const pages = Math.ceil(rows / pageSize)
  return Array.from({ length: pages }, (_, page) => {
    const numbers = Array.from({ length: Math.min(pageSize, rows - page * pageSize) }, (_row, n) => page * pageSize + n)
    return JSON.stringify(answerOf[vendor](numbers, page + 1 < pages ? String(page + 1) : undefined))
  })
}

/** Blocks of the lines of a CSV file of failed rows, as Salesforce writes them. */
export function* csvBlocks({ rows, pageSize }: Pages): Generator<string> {
  yield '"sf__Id","sf__Error",Name,Email\n'
  for (let from = 0; from < rows; from += pageSize) {
    const size = Math.min(pageSize, rows - from)
    yield Array.from({ length: size }, (_, n) => csvLine(from + n)).join('')
  }
}

function csvLine(number: number): string {
  const error = `INVALID_EMAIL_ADDRESS:Email: invalid email address: a${number}@:Email --`
  return `"001${number.toString(36).padStart(12, '0')}AAA","${error}","Name ${number}","a${number}@"\n`
}

/** The provider of such a file. */
export const csvDocument = {
  format: 1,
  name: 'bench-csv',
  title: 'A file of failed rows',
  baseUrl: null,
  credentials: { apiKey: {} },
  auth: { kind: 'bearer', token: '{credentials.apiKey}' },
  status: { request: { path: '/jobs/{job}' }, state: { from: '/status', map: { done: 'partial' } } },
  details: [
    {
      kind: 'file',
      url: '/url',
      hosts: ['localhost'],
      format: { kind: 'csv', needs: ['sf__Error'] },
      row: { recordId: '/sf__Id', code: { before: ['/sf__Error', ':'] }, message: '/sf__Error' },
    },
  ],
}

const answerOf: Record<Exclude<Pages['vendor'], 'csv'>, (numbers: number[], next: string | undefined) => object> = {
  cdq: (numbers, next) => ({
    id: '35f23c03-1c22-45fe-9484-3ffe769325de',
    name: 'Process vendor data.',
    createdAt: '2026-06-03T12:58:32Z',
    progress: 100,
    status: 'FINISHED',
    result: {
      statistics: {
        numberOfInserts: 10,
        numberOfFailed: 0,
        skipped: numbers.map((number) => ({ line: number * 7 + 3, column: number % 40 })),
        skippedNextStartAfter: next,
      },
    },
  }),
  fullstory: (numbers, next) => ({
    results: numbers.map((number) => ({
      message: `The field properties.price of item ${number} must be a number.`,
      code: 'invalid_field',
      event: {
        user: { uid: `user-${number % 997}` },
        name: 'Order Completed',
        timestamp: '2026-06-03T12:58:32Z',
        properties: { orderId: number, price: 'ten', currency: 'EUR', items: ['a', 'b'] },
      },
    })),
    total_records: String(numbers.length),
    next_page_token: next,
  }),
  micro: (numbers) => ({
    job_id: '35f23c03-1c22-45fe-9484-3ffe769325de',
    status: 'complete',
    total: numbers.length,
    processed: numbers.length,
    succeeded: numbers.filter((number) => number % 10 > 0).length,
    failed: numbers.filter((number) => number % 10 === 0).length,
    created_at: '2026-06-03T12:58:32Z',
    results: numbers.map((number) => ({
      id: `rec_${number.toString(36).padStart(8, '0')}`,
      created: number % 10 > 0,
      existing: false,
      error: number % 10 > 0 ? null : { code: 'validation_failed', message: `Row ${number} has no name.` },
    })),
  }),
}
