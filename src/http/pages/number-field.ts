// Owns how forms read numbers: digits alone, since a comma or a point may be meant either way.
import { invalid } from '../../api/refusal.ts'

/** Returns the number. Null: the field is blank. @throws {AppError} `invalid_request` naming `field`. */
export function numberOf(text: string, field: string, { whole }: { whole: boolean }): number | null {
  const given = text.trim()
  if (given === '') return null
  if (/^\d{16,}/.test(given)) throw invalid(field, 'must have at most 15 digits')
  if (whole && !/^\d{1,15}$/.test(given))
    throw invalid(field, 'must be a whole number of digits alone, such as 1000: no separators, signs or exponents')
  if (!/^\d{1,15}(\.\d{1,20})?$/.test(given))
    throw invalid(field, 'must be a number of digits alone, such as 1000 or 0.5: no separators, signs or exponents')
  if (/\.\d*000$/.test(given)) throw invalid(field, 'may be meant in two ways: write it without the zeros at its end')
  return Number(given)
}
