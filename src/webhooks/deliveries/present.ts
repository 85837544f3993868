// Owns how deliveries and their attempts are shown.
import { z } from 'zod'
import type { deliveries, deliveryAttempts } from '../../db/schema/index.ts'
import { type ErrorCode, errorCodes } from '../../egress/error-codes.ts'
import { attemptOutcomes } from '../outcome.ts'

/**
 * - `pending`: an attempt is due, under way or will be.
 * - `delivered`: an attempt was answered with 2xx.
 * - `exhausted`: the last attempt failed; there are no more unless somebody asks.
 * - `skipped`: the endpoint was disabled or deleted before it was delivered.
 */
export const deliveryStates = ['pending', 'delivered', 'exhausted', 'skipped'] as const

export const deliverySchema = z
  .object({
    id: z.uuid(),
    eventId: z.uuid().describe('The `webhook-id` of every attempt.'),
    endpointId: z.uuid(),
    type: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.number().int().describe('Requests made so far, those that somebody asked for included.'),
    nextAttemptAt: z.iso.datetime().nullable(),
    deliveredAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Delivery' })

export type ApiDelivery = z.infer<typeof deliverySchema>

const listed = Object.entries(errorCodes)
  .map(([code, meaning]) => `\`${code}\`: ${meaning}.`)
  .join(' ')

export const attemptSchema = z
  .object({
    number: z.number().int(),
    manual: z.boolean().describe('Somebody asked for it; it is no part of the retry schedule.'),
    startedAt: z.iso.datetime(),
    durationMs: z.number().int().nullable(),
    outcome: z.enum(attemptOutcomes).describe('`in_flight` that stays: the worker was stopped meanwhile.'),
    status: z.number().int().nullable(),
    errorCode: z
      .enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]])
      .nullable()
      .describe(`Why there was no answer; null: there was one. ${listed}`),
    responseSnippet: z.string().nullable().describe('The first 4 KiB of the answer.'),
  })
  .meta({ id: 'DeliveryAttempt' })

export type ApiAttempt = z.infer<typeof attemptSchema>

/** @param row with the type of its event. */
export function presentDelivery(row: typeof deliveries.$inferSelect & { type: string }): ApiDelivery {
  return {
    id: row.id,
    eventId: row.eventId,
    endpointId: row.endpointId,
    type: row.type,
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
