// Owns what is stored of a failed call.

import { storableJson } from '../base/storable-text.ts'
import type { StoredPollError } from '../db/schema/index.ts'
import type { ProviderError } from '../providers/error.ts'

export function storedError(error: ProviderError, at: Date): StoredPollError {
  const stored = {
    code: error.kind,
    message: error.message,
    at: at.toISOString(),
    ...(error.body !== null && { body: error.body }),
  }
  return storableJson(stored) as StoredPollError
}
