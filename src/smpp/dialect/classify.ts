/** Decides which event a PDU is: the conditions of a profile, compiled. */
import type { DialectCondition, DialectEvent, DialectProfile } from './schema.ts'
import { placeReader, UINT_OCTETS_MAX, type Carrier, type PduView } from './carrier.ts'
import { matcher } from './regex.ts'

/** What the conditions look at. */
export interface Facts {
  command: string
  view: PduView
  /** ussd_service_op; undefined if it is absent or empty. */
  op: number | undefined
  carrier: Carrier
}

export interface PduClass {
  is: DialectEvent
  why: string
}

type Test = (facts: Facts) => boolean

/** Message type bits of esm_class. (SMPP v3.4 §5.2.12) */
export const ESM_TYPE_MASK = 0x3c
const INTERMEDIATE = 0x20
const DECIMAL = 10
const HEX = 16

/** The event of the first rule that matches. If no rule matches, the PDU is an SMS. */
export function compileClassifier(profile: DialectProfile): (facts: Facts) => PduClass {
  const rules = profile.inbound.classify.map((rule) => ({
    matches: all(testsOf(rule.when)),
    verdict: { is: rule.is, why: rule.why ?? rule.is },
  }))
  const otherwise: PduClass = { is: 'sms', why: 'no-rule' }
  return (facts) => {
    for (const rule of rules) if (rule.matches(facts)) return rule.verdict
    return otherwise
  }
}

function all(tests: readonly Test[]): Test {
  return (facts) => {
    for (const test of tests) if (!test(facts)) return false
    return true
  }
}

/** ussd_service_op of a PDU, decoded; undefined if there is none. Any width is accepted. */
export function operationOf(profile: DialectProfile, view: PduView): number | undefined {
  return compileOperation(profile)(view)
}

/** `operationOf` for one profile. */
export function compileOperation(profile: DialectProfile): (view: PduView) => number | undefined {
  const { from, decode, alias } = profile.inbound.op
  if (from === undefined) return () => undefined
  const read = placeReader(from)
  return (view) => {
    const raw = read(view)
    if (raw.length === 0) return undefined
    const op = decodeOperation(raw, decode)
    return op === undefined ? undefined : (alias[op] ?? op)
  }
}

function decodeOperation(raw: Buffer, decode: 'uint' | 'hexString' | 'bcd'): number | undefined {
  if (decode === 'uint') return lowOf(raw)
  // Either digits as text ("18", "12"), or two decimal digits in one octet (0x18).
  const digits = decode === 'bcd' ? raw.toString('hex') : raw.toString('latin1').replaceAll('\0', '').trim()
  const op = Number.parseInt(digits, decode === 'bcd' ? DECIMAL : HEX)
  return Number.isNaN(op) ? undefined : op & 0xffff
}

/** The last two of the octets that count as a number. */
function lowOf(raw: Buffer): number {
  const end = Math.min(raw.length, UINT_OCTETS_MAX)
  const low = raw[end - 1] as number
  return end > 1 ? ((raw[end - 2] as number) << 8) | low : low
}

function testsOf(when: DialectCondition): Test[] {
  return [...operationTests(when), ...fieldTests(when), ...textTests(when)]
}

function operationTests(when: DialectCondition): Test[] {
  const tests: Test[] = []
  const { pdu, op, endBit, tlvPresent, sessionPresent } = when
  if (pdu) tests.push((facts) => pdu.includes(facts.command as 'deliver_sm'))
  if (op) {
    tests.push((facts) => op.includes(facts.op ?? 'absent') || (facts.op !== undefined && op.includes('present')))
  }
  if (endBit !== undefined) tests.push((facts) => facts.carrier.end === (endBit === 1))
  if (tlvPresent) tests.push(({ view }) => tlvPresent.every((tag) => view.tlvs.some((tlv) => tlv.tag === tag)))
  if (sessionPresent !== undefined) tests.push((facts) => facts.carrier.raw.length > 0 === sessionPresent)
  return tests
}

function fieldTests(when: DialectCondition): Test[] {
  const tests: Test[] = []
  const { serviceType, serviceTypeRe, esmType, dest } = when
  const fieldsPresent = when.fieldPresent?.map((field) => placeReader({ field }))
  if (serviceType) tests.push(({ view }) => serviceType.includes(String(view.body.service_type ?? '')))
  if (serviceTypeRe !== undefined) {
    const match = matcher(serviceTypeRe)
    tests.push(({ view }) => match(String(view.body.service_type ?? '')) !== null)
  }
  if (esmType) tests.push(({ view }) => esmType.includes(esmTypeOf(Number(view.body.esm_class ?? 0))))
  if (dest) tests.push(({ view }) => dest.includes(String(view.body.destination_addr ?? '')))
  if (fieldsPresent) tests.push(({ view }) => fieldsPresent.every((read) => read(view).length > 0))
  return tests
}

function textTests(when: DialectCondition): Test[] {
  const tests: Test[] = []
  const { textRe, textEmpty } = when
  if (textRe !== undefined) {
    const match = matcher(textRe)
    tests.push(({ view }) => match(view.text) !== null)
  }
  if (textEmpty !== undefined) tests.push(({ view }) => (view.text === '') === textEmpty)
  return tests
}

/** Bit 5 means an intermediate notification, whatever the other bits say. (SMPP v3.4 §5.2.12) */
function esmTypeOf(esmClass: number): number {
  return (esmClass & INTERMEDIATE) !== 0 ? INTERMEDIATE : esmClass & ESM_TYPE_MASK
}
