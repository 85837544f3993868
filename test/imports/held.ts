// Owns imports whose outcome was told and isn't whole, as the tests of their ends want them.
import { after } from '../../src/base/clock.ts'
import type { StoredHeldOutcome } from '../../src/db/schema/index.ts'
import type { ImportWorld, Tracked } from './world.ts'

export const minute = 60_000

export function heldIn(world: ImportWorld) {
  const ago = (ms: number) => after(world.clock.now(), -ms)
  return {
    ago,
    heldFor: (ms: number, outcome: Partial<StoredHeldOutcome> = {}): StoredHeldOutcome => ({
      state: 'succeeded',
      since: ago(ms).toISOString(),
      asked: 1,
      hasDetails: false,
      ...outcome,
    }),
    /** An import whose outcome isn't whole, on a connection that is as `columns` say. */
    async held(
      heldOutcome: StoredHeldOutcome,
      columns: Parameters<ImportWorld['connection']>[0] = {},
      more: Parameters<ImportWorld['tracked']>[0] = {},
    ): Promise<Tracked> {
      const { id: connectionId } = await world.connection(columns)
      const shown = { state: 'running', attention: 'outcome_incomplete', progress: 0.5, heldOutcome }
      return world.tracked({ connectionId, ...shown, nextPollAt: ago(2 * minute), ...more })
    },
  }
}

/** What an import shows that ended as it was told. */
export const settled = {
  state: 'succeeded',
  lostReason: null,
  attention: null,
  heldOutcome: null,
  progress: 1,
  nextPollAt: null,
  lastError: { code: 'outcome_incomplete' },
}
