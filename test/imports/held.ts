// Owns imports whose outcome was told and isn't whole, as the tests of their ends want them.
import { after } from '../../src/base/clock.ts'
import type { StoredHeldOutcome } from '../../src/db/schema/index.ts'
import type { Tracked } from '../support/worlds/imports.ts'
import type { World } from '../support/worlds/world.ts'

export const minute = 60_000

export function heldIn(world: World) {
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
      columns: Parameters<World['connection']>[0] = {},
      more: Parameters<World['import']>[0] = {},
    ): Promise<Tracked> {
      const { id: connectionId } = await world.connection(columns)
      const shown = { state: 'running', attention: 'outcome_incomplete', progress: 0.5, heldOutcome }
      return world.import({ connectionId, ...shown, nextPollAt: ago(2 * minute), ...more })
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
