// Owns the form of what an answer says of a job: its state, counts and times, and the summary that refines them.
import { z } from 'zod'
import { byType, condition, oneOrMany, value } from '../expressions.ts'
import { plainPointer, requestSchema, state } from './common.ts'

const stateSchema = z
  .strictObject({
    /** The provider's own word for the state. */
    from: value.optional(),
    /** Words, compared without case and outer blanks. */
    map: z.record(z.string().trim().min(1).max(100), state).optional(),
    /** The service tries these before the map, and takes the first one that holds. */
    rules: z
      .array(z.strictObject({ when: condition, to: state }))
      .min(1)
      .optional(),
    otherwise: state.default('unmapped'),
    /** One after the other, each of the state that the one before left. */
    refine: z
      .array(z.strictObject({ from: z.union([state, z.array(state).min(1)]), to: state, when: condition }))
      .min(1)
      .optional(),
  })
  .refine((given) => given.map !== undefined || given.rules !== undefined, {
    path: ['map'],
    error: 'or rules must be given',
  })
  .refine((given) => given.map === undefined || given.from !== undefined, {
    path: ['from'],
    error: 'must be given: it is the word that the map looks up',
  })
  .refine((given) => isDistinct(Object.keys(given.map ?? {})), {
    path: ['map'],
    error: 'must not have the same word in two spellings',
  })

function isDistinct(given: readonly string[]): boolean {
  return new Set(given.map((word) => word.trim().toLowerCase())).size === given.length
}

/** What a success must have, else it is asked for again: a pointer, where `when` holds. */
const need = byType(plainPointer, () => z.strictObject({ value: plainPointer, when: condition.optional() }))

const reported = {
  rows: z
    .strictObject({
      total: value,
      processed: value,
      succeeded: value,
      failed: value,
      inserted: value,
      updated: value,
      skipped: value,
    })
    .partial()
    .optional(),
  message: value.optional(),
  /** 0 to 1. */
  progress: value.optional(),
  createdAt: value.optional(),
  startedAt: value.optional(),
  finishedAt: value.optional(),
  expiresAt: value.optional(),
  needs: z.array(need).optional(),
}

export const statusSchema = z.strictObject({
  request: requestSchema,
  state: stateSchema,
  ...reported,
  /** Long lists that aren't kept with the answer, besides those that `details` reads. */
  omit: z.array(plainPointer).optional(),
  /** An answer without a body is one, too: its HTTP status says all. */
  emptyBody: z.boolean().default(false),
  /** Where the answer names the address of the next poll, below the base URL. Of a list the first that has a value counts. */
  pollUrl: oneOrMany(z.strictObject({ when: condition.optional(), url: value }), { most: 5 }).optional(),
})
export type StatusForm = z.output<typeof statusSchema>

const refinedState = z.strictObject({
  refine: z.array(z.strictObject({ from: z.union([state, z.array(state).min(1)]), to: state, when: condition })).min(1),
})

export const summarySchema = z.strictObject({
  request: requestSchema,
  /** Of the status answer. Absent: of every job that is over. */
  when: condition.optional(),
  state: refinedState.optional(),
  ...reported,
  omit: z.array(plainPointer).optional(),
})
export type SummaryForm = z.output<typeof summarySchema>

export const outcomeSchema = z.strictObject({ state: refinedState, rows: reported.rows })
export type OutcomeForm = z.output<typeof outcomeSchema>
