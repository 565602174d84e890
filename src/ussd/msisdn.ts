/**
 * The canonical MSISDN: international digits, no `+`. One subscriber is one string, however the SMSC wrote
 * it.
 */

/** What a line knows of the numbering of its country; without it only international numbers are readable. */
export interface Numbering {
  /** `675`. Needed to read national numbers. */
  countryCode?: string
  /** What is dialled before a national number. Default `0`. */
  trunkPrefix?: string
  /** What is dialled before an international number. Default `00`. */
  internationalPrefix?: string
  /** How many digits a national number has, e.g. [8]: tells `70000001` from an international number. */
  nationalDigits?: readonly number[]
}

/** An address as SMPP carries it. (SMPP v3.4 §5.2.5, §5.2.6) */
export interface NumberAddress {
  ton: number
  npi: number
  digits: string
}

export type MsisdnFault = 'empty' | 'alphanumeric' | 'too-long' | 'too-short' | 'no-country-code'

/** E.164 §6: at most 15 digits. */
export const MSISDN_DIGITS_MAX = 15
/** Shorter ones are service numbers. */
export const MSISDN_DIGITS_MIN = 5

const TON = { international: 1, national: 2 }

/** The canonical MSISDN of an address, or why there is none. The fault never contains the address. */
export function readMsisdn(
  address: NumberAddress, numbering: Numbering = {},
): { msisdn: string } | { fault: MsisdnFault } {
  const written = address.digits.slice(0, 64).replace(/[\s().-]/g, '')
  if (written === '') return { fault: 'empty' }
  if (!/^\+?\d+$/.test(written)) return { fault: 'alphanumeric' }
  const digits = international({ ...address, digits: written }, numbering)
  if (digits === null) return { fault: 'no-country-code' }
  if (digits.length > MSISDN_DIGITS_MAX) return { fault: 'too-long' }
  return digits.length < MSISDN_DIGITS_MIN ? { fault: 'too-short' } : { msisdn: digits }
}

/** The same for a number that a person wrote: `+675 7000 0001`, `0067570000001`, `67570000001`. */
export function msisdnOf(written: string, numbering: Numbering = {}): string | null {
  const read = readMsisdn({ ton: 0, npi: 1, digits: written }, numbering)
  return 'msisdn' in read ? read.msisdn : null
}

function international(address: NumberAddress, numbering: Numbering): string | null {
  const { countryCode = '', trunkPrefix = '0', internationalPrefix = '00' } = numbering
  const { digits, ton } = address
  if (digits.startsWith('+')) return digits.slice(1).replace(/^0+/, '')
  if (internationalPrefix && digits.startsWith(internationalPrefix)) {
    return digits.slice(internationalPrefix.length).replace(/^0+/, '')
  }
  const national = nationalPart(digits, { ton, trunkPrefix, numbering })
  if (national !== null) return countryCode ? countryCode + national : null
  // No country's code begins with 0.
  return digits.startsWith('0') ? null : digits
}

interface NationalHints {
  ton: number
  trunkPrefix: string
  numbering: Numbering
}

/** The digits after the country code if this is a national number, else null. */
function nationalPart(digits: string, hints: NationalHints): string | null {
  const { ton, trunkPrefix, numbering } = hints
  const { countryCode = '', nationalDigits } = numbering
  const isLength = (length: number) => nationalDigits?.includes(length) ?? false
  const rest = trunkPrefix && digits.startsWith(trunkPrefix) ? digits.slice(trunkPrefix.length) : null
  // No country's code begins with 0, so a trunk 0 is certain; another trunk digit needs the length to tell.
  if (rest !== null && (trunkPrefix === '0' || isLength(rest.length))) return rest
  if (ton === TON.international) return null
  const saysCountry = countryCode !== '' && digits.startsWith(countryCode)
  if (saysCountry && isLength(digits.length - countryCode.length)) return null
  if (ton === TON.national) return digits
  return isLength(digits.length) ? digits : null
}
