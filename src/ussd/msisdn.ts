/**
 * The canonical MSISDN: international digits, no `+`. Each subscriber has one string, however the SMSC writes the
 * number.
 */

/** What a line knows about the numbering of its country. Without it only international numbers can be read. */
export interface Numbering {
  /** `675`. Needed to read national numbers. It is not added to a number that may have it already. */
  countryCode?: string
  /** What is dialled before a national number. Default `0`. */
  trunkPrefix?: string
  /** What is dialled before an international number. Default `00`. */
  internationalPrefix?: string
  /** All possible lengths of national numbers, e.g. [8]: they distinguish `70000001` from an international number. */
  nationalDigits?: readonly number[]
}

/** A line whose settings say how numbers are written in its country. Settings may be undefined. */
export interface NumberedLine {
  msisdn: { [Key in 'countryCode' | 'trunkPrefix' | 'nationalDigits']?: Numbering[Key] | undefined }
}

/** Without a line only international numbers can be read. */
export function numberingOf(line: NumberedLine | undefined): Numbering {
  const { countryCode, trunkPrefix, nationalDigits } = line?.msisdn ?? {}
  return {
    ...(countryCode === undefined ? {} : { countryCode }),
    ...(trunkPrefix === undefined ? {} : { trunkPrefix }),
    ...(nationalDigits === undefined ? {} : { nationalDigits }),
  }
}

/** An address as in SMPP. (SMPP v3.4 §5.2.5, §5.2.6) */
export interface NumberAddress {
  ton: number
  npi: number
  digits: string
}

/**
 * ambiguous: the address says that it is national; but by the known lengths it may be an international number, or it
 * fits none.
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

/** What the operator can do about a fault; also for a counted fault such as `source-ambiguous`. Otherwise undefined. */
export function remedyFor(why: string): string | undefined {
  return new Map(Object.entries(REMEDIES)).get(why.replace(/^source-/, ''))
}

/** E.164 §6: at most 15 digits. */
export const MSISDN_DIGITS_MAX = 15
/** Shorter numbers are service numbers. */
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
  // No country code begins with 0, so a trunk 0 is certain. Another trunk digit is certain only with a known length.
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
 * The number if all readings that its length allows agree: with the country code added, or as it is if it already has
 * the code. The first of `written` is the whole number; the second is without what may be a trunk prefix.
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

/** Whose name an SMS carries: a source address. (SMPP v3.4 §5.2.5, §5.2.6) */
export interface SmsSender {
  source: string
  sourceTon: number
  sourceNpi: number
}

interface WrittenSender {
  source: string
  sourceTon?: number | undefined
  sourceNpi?: number | undefined
}

/** TON and NPI of an SMS source, as networks expect them: alphanumeric, short code, or international number. */
export function senderOf({ source, sourceTon, sourceNpi }: WrittenSender): SmsSender {
  const digits = /^\d+$/.test(source)
  return {
    source,
    sourceTon: sourceTon ?? (digits ? (source.length <= 6 ? 3 : 1) : 5),
    sourceNpi: sourceNpi ?? (digits ? 1 : 0),
  }
}
