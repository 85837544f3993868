// Owns how the API shows deliveries and their attempts.
import { z } from 'zod'
import type { deliveries, deliveryAttempts } from '../../db/schema/index.ts'
import { type ErrorCode, errorCodes } from '../../egress/error-codes.ts'
import { attemptOutcomes } from '../outcome.ts'

/**
 * - `pending`: an attempt is due, under way, or will be due.
 * - `delivered`: the receiver answered an attempt with 2xx.
 * - `exhausted`: the last attempt failed. There are no more unless a caller asks for one.
 * - `skipped`: the endpoint was disabled or deleted before the delivery succeeded.
 */
export const deliveryStates = ['pending', 'delivered', 'exhausted', 'skipped'] as const
export type DeliveryState = (typeof deliveryStates)[number]

export const deliverySchema = z
  .object({
    id: z.uuid(),
    eventId: z.uuid().describe('The `webhook-id` of every attempt.'),
    endpointId: z.uuid(),
    type: z.string(),
    createdAt: z.iso.datetime(),
    state: z.enum(deliveryStates),
    attempts: z.number().int().describe('Requests made so far, including those that a caller asked for.'),
    nextAttemptAt: z.iso.datetime().nullable(),
    deliveredAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Delivery' })

export type ApiDelivery = z.infer<typeof deliverySchema>

/** A delivery with what its attempts send. */
export const wholeDeliverySchema = deliverySchema
  .extend({
    payload: z.string().describe('The body, byte for byte: what the signature covers.'),
    headers: z
      .record(z.string(), z.string())
      .describe(
        'The headers of the last attempt, with the signature by the secrets of now, and the values of the endpoint’s own headers masked. Before the first attempt there is no signature.',
      ),
  })
  .meta({ id: 'WholeDelivery' })

export type ApiWholeDelivery = z.infer<typeof wholeDeliverySchema>

const listed = Object.entries(errorCodes)
  .map(([code, meaning]) => `\`${code}\`: ${meaning}.`)
  .join(' ')

export const attemptSchema = z
  .object({
    number: z.number().int(),
    manual: z.boolean().describe('A caller asked for it. It doesn’t count for the retry schedule.'),
    startedAt: z.iso.datetime(),
    durationMs: z.number().int().nullable(),
    outcome: z.enum(attemptOutcomes).describe('An `in_flight` that stays means that the worker died meanwhile.'),
    status: z.number().int().nullable(),
    errorCode: z
      .enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]])
      .nullable()
      .describe(`Why there was no answer. Null: there was one. ${listed}`),
    responseSnippet: z.string().nullable().describe('The first 4 KiB of the answer.'),
  })
  .meta({ id: 'DeliveryAttempt' })

export type ApiAttempt = z.infer<typeof attemptSchema>

/** @param row a delivery with the type of its event. */
export function presentDelivery(row: Omit<typeof deliveries.$inferSelect, 'type'> & { type: string }): ApiDelivery {
  return {
    id: row.id,
    eventId: row.eventId,
    endpointId: row.endpointId,
    type: row.type,
    createdAt: row.createdAt.toISOString(),
    state: row.state as ApiDelivery['state'],
    attempts: row.attempts + row.manualAttempts + row.earlierAttempts,
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
  }
}

export function presentAttempt(row: typeof deliveryAttempts.$inferSelect): ApiAttempt {
  return {
    number: row.number,
    manual: row.manual,
    startedAt: row.startedAt.toISOString(),
    durationMs: row.durationMs,
    outcome: row.outcome as ApiAttempt['outcome'],
    status: row.status,
    errorCode: row.errorCode as ErrorCode | null,
    responseSnippet: row.responseSnippet,
  }
}
