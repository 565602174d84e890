/** The service code of a begin, put together from the places where the gateway writes it. */
import { readCode, type ServiceCode } from '../../ussd/index.ts'
import type { DialectProfile } from './schema.ts'
import { placeTextReader, type PduView } from './carrier.ts'
import { matcher } from './regex.ts'

/** A destination address with more plain digits is the number of a subscriber or of a VLR. */
const PLAIN_CODE_DIGITS_MAX = 8

/** The dialled code, normalised; '' if the PDU has none. */
export function compileCode(profile: DialectProfile): (view: PduView) => string {
  const { from, pick, prefix, suffix, re } = profile.inbound.code
  const match = re === undefined ? (text: string) => text : matcher(re)
  const places = from.map(placeTextReader)
  return (view) => {
    const values = places.map((read) => read(view))
    const written = pick === 'join' ? [values.join('')] : values
    const codes = written.map((value) => {
      const found = value === '' ? null : match(value)
      return found === null ? null : { written: found, code: readCode(`${prefix}${found}${suffix}`) }
    })
    const known = codes.filter((it): it is Candidate => it !== null && it.code !== null)
    return (pick === 'longest' ? longest(known) : known[0])?.code.code ?? ''
  }
}

interface Candidate {
  written: string
  code: ServiceCode
}

/**
 * Returns the first code, with two exceptions. A later code wins if it continues the first one (`3322`, then
 * `*3322*0#`), or if it has a star and the first is a plain number: a dialled code has its star. A plain number that is
 * too long is not a code.
 */
function longest(known: Candidate[]): Candidate | undefined {
  const [first, ...others] = known
  if (!first) return undefined
  const isPlain = /^\d+$/.test(first.written)
  const better = others.find((it) => goesOn(it.code, first.code) || (isPlain && isStarred(it)))
  return better ?? (isPlain && first.written.length > PLAIN_CODE_DIGITS_MAX ? undefined : first)
}

function isStarred(candidate: Candidate): boolean {
  return /^[*#].*#$/.test(candidate.written)
}

function goesOn(code: ServiceCode, start: ServiceCode): boolean {
  return code.parts.length > start.parts.length && start.parts.every((part, i) => part === code.parts[i])
}
