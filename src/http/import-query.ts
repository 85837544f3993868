// Owns how a filter of imports is written: as a query string, and as JSON.
import { z } from 'zod'
import { isRawNumber } from '../base/json.ts'
import { providerNameSchema } from '../catalog/present.ts'
import type { ImportFilter } from '../imports/filter.ts'
import { type ImportOrder, orders } from '../imports/find.ts'
import { attentions, type ImportState, states } from '../model/import-state.ts'
import { longestJobId } from '../providers/job-id.ts'
import { pageQuery, timeParam } from './parameters.ts'

const metadataPrefix = 'metadata.'
const maxNameLength = 100
const jobIdPrefixText = 'What the provider’s id of the job begins with.'

/** What the query and the JSON have in common. */
const common = {
  connection: z.string().max(maxNameLength).optional().describe('The name of their connection.'),
  provider: providerNameSchema.optional().describe('The name of their provider.'),
  jobId: z.string().max(longestJobId).optional().describe('The provider’s id of the job.'),
  jobIdPrefix: z.string().max(longestJobId).optional().describe(jobIdPrefixText),
  attention: z.enum(attentions).optional(),
}

const times = {
  registeredAfter: timeParam('Registered at this moment or later.').optional(),
  registeredBefore: timeParam('Registered before this moment.').optional(),
  finishedAfter: timeParam('Seen to be over at this moment or later.').optional(),
  finishedBefore: timeParam('Seen to be over before this moment.').optional(),
}

const stateParam = z
  .string()
  .transform((text, context): ImportState[] => {
    const given = text.split(',').map((state) => state.trim())
    if (!given.every(isState)) {
      context.addIssue({ code: 'custom', message: `must be one of ${states.join(', ')}, or several, comma-separated` })
      return z.NEVER
    }
    return given
  })
  .meta({
    description: `One or several, comma-separated, of ${states.join(', ')}.`,
    override: { type: 'string' },
  })

const shape = {
  ...pageQuery.shape,
  ...common,
  ...times,
  state: stateParam.optional(),
  order: z.enum(orders).optional().describe('By the time of registration. Absent: newest.'),
}

/**
 * The query of a list of imports. Any `metadata.KEY=VALUE` belongs to it. A strict object can't say so, so what is
 * unknown is found by a check.
 */
export const importQuery = z
  .object(shape)
  .catchall(z.unknown())
  .superRefine((query, context) => {
    const others = Object.keys(query).filter((name) => !Object.hasOwn(shape, name))
    const keys = others.filter((name) => !name.startsWith(metadataPrefix))
    if (keys.length > 0) context.addIssue({ code: 'unrecognized_keys', keys, input: query })
    for (const name of others)
      if (name.startsWith(metadataPrefix) && typeof query[name] !== 'string')
        context.addIssue({ code: 'custom', path: [name], message: 'must be given once' })
  })

export interface ImportListQuery {
  limit: number
  after?: string | undefined
  order?: ImportOrder | undefined
}

/** Returns the filter of a query, with the metadata in one. */
export function filterOf(query: z.output<typeof importQuery>): ImportListQuery & ImportFilter {
  const known = Object.fromEntries(Object.entries(query).filter(([name]) => Object.hasOwn(shape, name)))
  const metadata = Object.entries(query).flatMap(([name, value]) =>
    name.startsWith(metadataPrefix) ? [[name.slice(metadataPrefix.length), String(value)] as const] : [],
  )
  return {
    ...(known as unknown as ImportListQuery & ImportFilter),
    ...(metadata.length > 0 && { metadata: Object.fromEntries(metadata) }),
  }
}

const scalar = z
  .custom<string | number | boolean | null>(
    (value) => value === null || ['string', 'number', 'boolean'].includes(typeof value) || isRawNumber(value),
    'must be a string, a number, true, false or null',
  )
  .meta({ override: { type: ['string', 'number', 'boolean', 'null'] } })
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)))

/** How many ids a filter may name. */
export const maxIds = 1_000

/** A filter as JSON. It must narrow something down, so that nobody means all imports by accident. */
export const importFilterSchema = z
  .strictObject({
    ids: z.array(z.uuid()).max(maxIds).optional(),
    ...common,
    jobIdPrefix: z.string().min(1, 'must not be empty').max(longestJobId).optional().describe(jobIdPrefixText),
    state: z.array(z.enum(states)).min(1).optional(),
    metadata: z
      .record(z.string(), scalar)
      .refine((metadata) => Object.keys(metadata).length > 0, { error: 'must have at least one key' })
      .optional(),
    ...times,
  })
  .refine((filter) => Object.values(filter).some((value) => value !== undefined), {
    error: 'must have at least one key',
  })
  .meta({ id: 'ImportFilter' })

function isState(text: string): text is ImportState {
  return (states as readonly string[]).includes(text)
}
