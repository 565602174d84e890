/** What a line's settings say of the numbers of its country. */
import type { ConfiguredLine } from './schema.ts'
import type { Numbering } from '../ussd/index.ts'

/** Without a line only international numbers are readable. */
export function numberingOf(line: Pick<ConfiguredLine, 'msisdn'> | undefined): Numbering {
  const { countryCode, trunkPrefix, nationalDigits } = line?.msisdn ?? {}
  return {
    ...(countryCode === undefined ? {} : { countryCode }),
    ...(trunkPrefix === undefined ? {} : { trunkPrefix }),
    ...(nationalDigits === undefined ? {} : { nationalDigits }),
  }
}
