// When to ask, simulated: the same imports asked about under every policy, by a vendor that knows when each truly ends.
// `--seeds 2` for a quick run; `--set tune` for the samples that the policy was tuned on; `--write` writes the tables and
// charts under docs/. `--service 120` instead plays so many imports of some families to the service itself, and compares.
// Nothing but the run's length depends on the machine.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { agreementTable, compare, samplesOf } from './policy/agree.ts'
import { families } from './policy/families.ts'
import { measureHistory, measureProgress } from './policy/measure.ts'
import { type Measured, svgOf, tableOf, verdictOf } from './policy/report.ts'
import type { ProgressKind } from './policy/vendor.ts'
import { startDatabase } from './services.ts'

const docs = new URL('../docs/', import.meta.url)
const progressKinds: ProgressKind[] = ['stalling', 'even', 'jumping', 'backwards']
/** Below this mark the document is written anew. */
const mark = '<!-- Written by npm run bench -- policy --write -->'

export async function run(options: string[]): Promise<void> {
  const { values } = parseArgs({
    args: options,
    options: {
      seeds: { type: 'string', default: '10' },
      set: { type: 'string', default: 'judge' },
      write: { type: 'boolean', default: false },
      service: { type: 'string' },
    },
  })
  const { set, write } = values
  if (values.service !== undefined) return compareWithService(Number(values.service))
  if (set !== 'tune' && set !== 'judge') throw new Error('--set must be tune or judge.')
  const count = Number(values.seeds)
  if (!(Number.isInteger(count) && count > 0)) throw new Error('--seeds must be a whole number above 0.')
  const seeds = Array.from({ length: count }, (_, index) => (set === 'tune' ? 1 : 1_000) + 7_919 * (index + 1))
  const all: Measured[] = []
  for (const family of families[set]) {
    const bySeed = seeds.map((seed) => measureHistory(family, seed))
    all.push(show({ name: family.name, sigma: family.sigma, withProgress: false, bySeed }))
  }
  const wide = families[set].filter(({ sigma }) => sigma !== null).at(-1)
  const short = families[set][1]
  if (!wide || !short) throw new Error('There must be log-normal families.')
  for (const [family, kind] of [...progressKinds.map((kind) => [wide, kind] as const), [short, 'stalling'] as const]) {
    const bySeed = seeds.map((seed) => measureProgress(family, kind, seed))
    all.push(show({ name: `progress ${kind}, ${family.name}`, sigma: null, withProgress: true, bySeed }))
  }
  console.log(`\n${verdictOf(all)}`)
  if (write) writeDocs(all)
}

async function compareWithService(count: number): Promise<void> {
  if (!(Number.isInteger(count) && count > 0)) throw new Error('--service must be a whole number above 0.')
  const { database, close } = await startDatabase()
  try {
    const all = []
    for (const [name, played] of samplesOf(count, 8_919)) all.push(await compare(database.db, name, played))
    console.log(agreementTable(all))
  } finally {
    await close()
  }
}

function show(measured: Measured): Measured {
  console.log(`\n${measured.name}\n\n${tableOf(measured)}`)
  return measured
}

function writeDocs(all: readonly Measured[]): void {
  mkdirSync(new URL('policy/', docs), { recursive: true })
  const sections = all.map((measured) => {
    const file = `policy/${slug(measured.name)}.svg`
    writeFileSync(new URL(file, docs), svgOf(measured))
    const title = measured.name.charAt(0).toUpperCase() + measured.name.slice(1)
    return `### ${title}\n\n![Calls against delay](${file})\n\n${tableOf(measured)}\n`
  })
  const document = new URL('benchmarks.md', docs)
  const [said = ''] = readFileSync(document, 'utf8').split(mark)
  writeFileSync(document, [`${said}${mark}`, verdictOf(all), ...sections].join('\n\n'))
}

function slug(name: string): string {
  const plain = name.replaceAll('σ', 'sigma').replaceAll('α', 'alpha').replaceAll('×', 'times').toLowerCase()
  return plain.replace(/[^a-z0-9]+/g, '-')
}
