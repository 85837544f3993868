// Owns what makes two reports equal: all that they say, but for what moves with the time alone.
import { hash } from 'node:crypto'
import type { Provider, Report } from '../providers/contract.ts'

export function fingerprintOf(report: Report, { volatileFields }: Pick<Provider, 'volatileFields'>): string {
  const { body, ...said } = report
  const lasting = Object.fromEntries(Object.entries(body).filter(([field]) => !volatileFields.includes(field)))
  return hash('sha1', JSON.stringify([said, lasting]), 'base64')
}
