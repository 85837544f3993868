// Owns connections in tests, as they are stored.
import { and, eq, isNull } from 'drizzle-orm'
import { newId } from '../../../src/base/ids.ts'
import { connections } from '../../../src/db/schema/index.ts'
import { only } from '../only.ts'
import { type Ground, unique } from './ground.ts'

export type ConnectionColumns = Partial<typeof connections.$inferInsert>
export type ConnectionRow = typeof connections.$inferSelect

export function connectionsIn(ground: Ground) {
  return {
    async connection(columns: ConnectionColumns = {}): Promise<ConnectionRow> {
      const now = ground.clock.now()
      const required = { provider: 'cdq', credentials: '', settings: {}, limits: {}, createdAt: now, updatedAt: now }
      const row = { ...required, id: newId(), name: unique('connection'), ...columns }
      return only(await ground.db.insert(connections).values(row).returning())
    },
    async connectionNamed(name: string): Promise<ConnectionRow> {
      const named = and(eq(connections.name, name), isNull(connections.deletedAt))
      return only(await ground.db.select().from(connections).where(named))
    },
    async connectionRow(id: string): Promise<ConnectionRow> {
      return only(await ground.db.select().from(connections).where(eq(connections.id, id)))
    },
  }
}
