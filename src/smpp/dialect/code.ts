/** The service code of a begin, put together from where the gateway wrote it. */
import { readCode, type ServiceCode } from '../../ussd/index.ts'
import type { DialectProfile } from './schema.ts'
import { readPlaceText, type PduView } from './carrier.ts'
import { matcher } from './regex.ts'

/** A destination address of more plain digits is a subscriber's or a VLR's number. */
const PLAIN_CODE_DIGITS_MAX = 8

/** The normalised code that was dialled, or '' where the PDU has none. */
export function compileCode(profile: DialectProfile): (view: PduView) => string {
  const { from, pick, prefix, suffix, re } = profile.inbound.code
  const match = re === undefined ? (text: string) => text : matcher(re)
  return (view) => {
    const values = from.map((place) => readPlaceText(place, view))
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
 * The first code, unless a later one goes on where it ends (`3322` and then `*3322*0#`), or is starred where the
 * first is a plain number: what was dialled has its star. A plain number too long to be a code is none.
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
