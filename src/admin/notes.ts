/** Reasons that operators give. They are kept for years, and a subscriber could not be erased from them. */
import { maskMsisdn } from '../base/index.ts'

/** Eight digits or more, also in groups: an MSISDN. A date with hyphens is not one, and no part of a revision is. */
const NUMBER = /(?<![\w@.,-])\+?\d(?: ?\d){7,}(?![\w-])/g

export function withoutNumbers(note: string): string {
  return note.replace(NUMBER, (digits) => maskMsisdn(digits.replaceAll(/\D/g, '')))
}
