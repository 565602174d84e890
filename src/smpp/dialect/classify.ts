/** Which event a PDU is: the conditions of a profile, compiled. */
import type { DialectCondition, DialectEvent, DialectProfile } from './schema.ts'
import { readPlace, uint, type Carrier, type PduView } from './carrier.ts'
import { matcher } from './regex.ts'

/** What conditions look at. */
export interface Facts {
  command: string
  view: PduView
  /** ussd_service_op; undefined where it is absent or has no octets. */
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

/** The first rule that holds; none: an SMS. */
export function compileClassifier(profile: DialectProfile): (facts: Facts) => PduClass {
  const rules = profile.inbound.classify.map((rule) => ({
    tests: testsOf(rule.when),
    verdict: { is: rule.is, why: rule.why ?? rule.is },
  }))
  const otherwise: PduClass = { is: 'sms', why: 'no-rule' }
  return (facts) => rules.find((rule) => rule.tests.every((test) => test(facts)))?.verdict ?? otherwise
}

/** ussd_service_op of a PDU, decoded; undefined where there is none. Any width is taken. */
export function operationOf(profile: DialectProfile, view: PduView): number | undefined {
  const { from, decode, alias } = profile.inbound.op
  const raw = from === undefined ? Buffer.alloc(0) : readPlace(from, view)
  if (raw.length === 0) return undefined
  const op = decodeOperation(raw, decode)
  return op === undefined ? undefined : (alias[String(op)] ?? op)
}

function decodeOperation(raw: Buffer, decode: 'uint' | 'hexString' | 'bcd'): number | undefined {
  if (decode === 'uint') return Number(uint(raw) & 0xffffn)
  // Digits of text ("18", "12"), or two decimal digits in one octet (0x18).
  const digits = decode === 'bcd' ? raw.toString('hex') : raw.toString('latin1').replaceAll('\0', '').trim()
  const op = Number.parseInt(digits, decode === 'bcd' ? DECIMAL : HEX)
  return Number.isNaN(op) ? undefined : op & 0xffff
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
  const { serviceType, serviceTypeRe, esmType, dest, fieldPresent } = when
  if (serviceType) tests.push(({ view }) => serviceType.includes(String(view.body.service_type ?? '')))
  if (serviceTypeRe !== undefined) {
    const match = matcher(serviceTypeRe)
    tests.push(({ view }) => match(String(view.body.service_type ?? '')) !== null)
  }
  if (esmType) tests.push(({ view }) => esmType.includes(esmTypeOf(Number(view.body.esm_class ?? 0))))
  if (dest) tests.push(({ view }) => dest.includes(String(view.body.destination_addr ?? '')))
  if (fieldPresent) {
    tests.push(({ view }) => fieldPresent.every((field) => readPlace({ field }, view).length > 0))
  }
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

/** An intermediate notification is bit 5, whatever the others. (SMPP v3.4 §5.2.12) */
function esmTypeOf(esmClass: number): number {
  return (esmClass & INTERMEDIATE) !== 0 ? INTERMEDIATE : esmClass & ESM_TYPE_MASK
}
