// Owns how long simulated imports take: for each family a way to draw a duration, and its true distribution. Those that
// the policy was tuned on are others than those that judge it.
import { normal } from '../../src/baselines/durations.ts'
import type { Random } from './random.ts'

const second = 1_000
const day = 86_400 * second
const hour = 3_600 * second

export interface Family {
  name: string
  /** A typical duration, ms: spaces the imports out and scales the fixed intervals. */
  typicalMs: number
  /** Of a log-normal, where the target for narrow ones holds. */
  sigma: number | null
  draw(random: Random, startedAt: number): number
  /** The probability that an import that began then takes longer. */
  survival(durationMs: number, startedAt: number): number
  /** Equal for starts whose imports have the same distribution. */
  alike(startedAt: number): number
  /** Where ends are on the clock, how fine the oracle must look. */
  finestMs: number
}

interface Part {
  share: number
  medianMs: number
  sigma: number
}

/** 5 % stragglers take four times as long, give or take. */
function withStragglers(medianMs: number, sigma: number): Part[] {
  return [
    { share: 0.95, medianMs, sigma },
    { share: 0.05, medianMs: 4 * medianMs, sigma: 0.7 },
  ]
}

function mixed(name: string, parts: Part[], sigma: number | null, scaleAt = (_at: number) => 1): Family {
  return {
    name,
    typicalMs: parts[0]?.medianMs ?? 0,
    sigma,
    finestMs: second,
    alike: (startedAt) => (scaleAt(startedAt) === scaleAt(startedAt + day) ? 0 : Math.floor(startedAt / (12 * hour))),
    draw(random, startedAt) {
      let chosen = random.even()
      const part =
        parts.find(({ share }) => {
          chosen -= share
          return chosen < 0
        }) ?? (parts[0] as Part)
      return part.medianMs * scaleAt(startedAt) * Math.exp(part.sigma * random.normal())
    },
    survival: (ms, startedAt) =>
      parts.reduce(
        (sum, { share, medianMs, sigma }) =>
          sum + share * (ms <= 0 ? 1 : 1 - normal(Math.log(ms / medianMs / scaleAt(startedAt)) / sigma)),
        0,
      ),
  }
}

function logNormal(medianS: number, sigma: number): Family {
  return mixed(`log-normal, ${medianS} s, σ ${sigma}`, withStragglers(medianS * second, sigma), sigma)
}

function bimodal(shortS: number, longS: number, sigma: number, share: number): Family {
  const parts = [
    { share, medianMs: shortS * second, sigma },
    { share: 1 - share, medianMs: longS * second, sigma },
  ]
  return mixed(`bimodal, ${shortS} and ${longS} s`, parts, null)
}

function pareto(leastS: number, alpha: number): Family {
  const leastMs = leastS * second
  return {
    name: `Pareto from ${leastS} s, α ${alpha}`,
    typicalMs: leastMs * 2 ** (1 / alpha),
    sigma: null,
    finestMs: second,
    alike: () => 0,
    draw: (random) => Math.min(leastMs * random.even() ** (-1 / alpha), 30 * day),
    survival: (ms) => Math.min((Math.max(ms, 1) / leastMs) ** -alpha, 1),
  }
}

/** Longer or shorter by a factor every week. */
function drifting(medianS: number, sigma: number, aWeek: number): Family {
  const name = `drifting, ${medianS} s × ${aWeek} a week, σ ${sigma}`
  return mixed(name, withStragglers(medianS * second, sigma), null, (at) => aWeek ** (at / (7 * day)))
}

/** Work of some length; it ends with the batch that closes on the next tick of the clock, and a few seconds later. */
function clockAligned(medianS: number, sigma: number, periodS: number, lagS: number): Family {
  const periodMs = periodS * second
  const lagMs = lagS * second
  const lagSigma = 0.4
  const work = (ms: number) => (ms <= 0 ? 0 : normal(Math.log(ms / (medianS * second)) / sigma))
  return {
    name: `on the clock, ${medianS} s, every ${periodS} s`,
    typicalMs: medianS * second + periodMs / 2,
    sigma: null,
    finestMs: lagMs / 4,
    alike: (startedAt) => startedAt,
    draw(random, startedAt) {
      const done = startedAt + medianS * second * Math.exp(sigma * random.normal())
      return Math.ceil(done / periodMs) * periodMs + lagMs * Math.exp(lagSigma * random.normal()) - startedAt
    },
    survival(ms, startedAt) {
      const tick = Math.floor((startedAt + ms) / periodMs) * periodMs - startedAt
      const before = work(tick - periodMs)
      const lag = startedAt + ms - (startedAt + tick)
      return 1 - before - (work(tick) - before) * (lag <= 0 ? 0 : normal(Math.log(lag / lagMs) / lagSigma))
    },
  }
}

export const families: Record<'tune' | 'judge', readonly Family[]> = {
  tune: [
    logNormal(600, 0.12),
    logNormal(60, 0.2),
    logNormal(400, 0.4),
    logNormal(900, 0.9),
    bimodal(120, 1_000, 0.15, 0.5),
    pareto(100, 1.4),
    drifting(500, 0.2, 1.2),
    clockAligned(500, 0.5, 600, 8),
  ],
  judge: [
    logNormal(750, 0.1),
    logNormal(60, 0.25),
    logNormal(300, 0.25),
    logNormal(750, 0.5),
    logNormal(500, 1),
    bimodal(150, 800, 0.2, 0.65),
    pareto(180, 1.8),
    drifting(900, 0.2, 0.85),
    clockAligned(700, 0.4, 300, 6),
    clockAligned(900, 0.6, 900, 12),
  ],
}
