/**
 * The canonical MSISDN: international digits, no `+`. One subscriber is one string, however the SMSC wrote
 * it.
 */

/** What a line knows of the numbering of its country; without it only international numbers are readable. */
export interface Numbering {
  /** `675`. Needed to read national numbers. It stands before no number that may have it already. */
  countryCode?: string
  /** What is dialled before a national number. Default `0`. */
  trunkPrefix?: string
  /** What is dialled before an international number. Default `00`. */
  internationalPrefix?: string
  /** How many digits national numbers have, all lengths, e.g. [8]: tells `70000001` from an international number. */
  nationalDigits?: readonly number[]
}

/** A line whose settings say how numbers are written in its country; what is not set may be undefined. */
export interface NumberedLine {
  msisdn: { [Key in 'countryCode' | 'trunkPrefix' | 'nationalDigits']?: Numbering[Key] | undefined }
}

/** Without a line only international numbers are readable. */
export function numberingOf(line: NumberedLine | undefined): Numbering {
  const { countryCode, trunkPrefix, nationalDigits } = line?.msisdn ?? {}
  return {
    ...(countryCode === undefined ? {} : { countryCode }),
    ...(trunkPrefix === undefined ? {} : { trunkPrefix }),
    ...(nationalDigits === undefined ? {} : { nationalDigits }),
  }
}

/** An address as SMPP carries it. (SMPP v3.4 §5.2.5, §5.2.6) */
export interface NumberAddress {
  ton: number
  npi: number
  digits: string
}

/**
 * ambiguous: said to be national, but as far as lengths are known it may be an international number, or is of no length
 * at all.
 */
export type MsisdnFault = 'empty' | 'alphanumeric' | 'too-long' | 'too-short' | 'no-country-code' | 'ambiguous'

const REMEDIES: Record<MsisdnFault, string> = {
  empty: "ask the operator for the subscriber's number in source_addr",
  alphanumeric: "ask the operator for the subscriber's number, digits only, in source_addr",
  'too-long': 'ask the operator for E.164 numbers: 15 digits at most',
  'too-short': 'ask the operator for the whole MSISDN in source_addr',
  'no-country-code': 'the number is national: set msisdn.countryCode and msisdn.nationalDigits of the line',
  ambiguous:
    'set msisdn.nationalDigits of the line to all lengths of national numbers, such as [8]; ' +
    'if they are right already, ask the operator to send international numbers with source_addr_ton 1',
}

/** What the operator of the daemon can do about a fault, also as it is counted: `source-ambiguous`. Else undefined. */
export function remedyFor(why: string): string | undefined {
  return new Map(Object.entries(REMEDIES)).get(why.replace(/^source-/, ''))
}

/** E.164 §6: at most 15 digits. */
export const MSISDN_DIGITS_MAX = 15
/** Shorter ones are service numbers. */
const MSISDN_DIGITS_MIN = 5

const TON = { international: 1, national: 2 }

/** The canonical MSISDN of an address, or why there is none. The fault never contains the address. */
export function readMsisdn(
  address: NumberAddress,
  numbering: Numbering = {},
): { msisdn: string } | { fault: MsisdnFault } {
  const written = address.digits.slice(0, 64).replace(/[\s().-]/g, '')
  if (written === '') return { fault: 'empty' }
  if (!/^\+?\d+$/.test(written)) return { fault: 'alphanumeric' }
  const read = international({ ...address, digits: written }, numbering)
  if ('fault' in read) return read
  if (read.msisdn.length > MSISDN_DIGITS_MAX) return { fault: 'too-long' }
  return read.msisdn.length < MSISDN_DIGITS_MIN ? { fault: 'too-short' } : read
}

/** The same for a number that a person wrote: `+675 7000 0001`, `0067570000001`, `67570000001`. */
export function msisdnOf(written: string, numbering: Numbering = {}): string | null {
  const read = readMsisdn({ ton: 0, npi: 1, digits: written }, numbering)
  return 'msisdn' in read ? read.msisdn : null
}

type Read = ReturnType<typeof readMsisdn>

function international(address: NumberAddress, numbering: Numbering): Read {
  const { trunkPrefix = '0', internationalPrefix = '00' } = numbering
  const { digits, ton } = address
  if (digits.startsWith('+')) return { msisdn: digits.slice(1).replace(/^0+/, '') }
  if (internationalPrefix && digits.startsWith(internationalPrefix)) {
    return { msisdn: digits.slice(internationalPrefix.length).replace(/^0+/, '') }
  }
  const rest = trunkPrefix && digits.startsWith(trunkPrefix) ? digits.slice(trunkPrefix.length) : null
  // No country's code begins with 0, so a trunk 0 is certain; another trunk digit needs the length to tell.
  const isZero = digits.startsWith('0')
  if (rest !== null && isZero) return national([rest], { isSaid: true, numbering })
  if (ton !== TON.international) {
    return national(rest === null ? [digits] : [digits, rest], { isSaid: ton === TON.national, numbering })
  }
  return isZero ? { fault: 'no-country-code' } : { msisdn: digits }
}

interface NationalHints {
  /** The address says that it is national. */
  isSaid: boolean
  numbering: Numbering
}

/**
 * What is one number under every reading that its length allows: with the country code before it, or as it is where it
 * carries the code already. The first of `written` is the whole; the second is without what may be a trunk prefix.
 */
function national(written: readonly [string, ...string[]], { isSaid, numbering }: NationalHints): Read {
  const { countryCode = '', nationalDigits } = numbering
  const [whole] = written
  const isLength = (length: number) => nationalDigits?.includes(length) ?? false
  const fits = (length: number) => countryCode.length + length <= MSISDN_DIGITS_MAX
  const readings = written.filter(({ length }) => (nationalDigits ? isLength(length) : isSaid && fits(length)))
  if (countryCode === '')
    return isSaid || readings.length || whole.startsWith('0') ? { fault: 'no-country-code' } : { msisdn: whole }
  const isWhole =
    whole.startsWith(countryCode) &&
    (nationalDigits ? isLength(whole.length - countryCode.length) : whole.length >= MSISDN_DIGITS_MIN)
  const numbers = new Set([...readings.map((it) => countryCode + it), ...(isWhole ? [whole] : [])])
  const [only] = numbers
  if (numbers.size === 1) return { msisdn: only! }
  if (numbers.size > 1 || isSaid) return { fault: 'ambiguous' }
  return whole.startsWith('0') ? { fault: 'ambiguous' } : { msisdn: whole }
}
