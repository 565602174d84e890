/** How the network's messages are distinguished: the simplest sign that all messages of a kind have and no others. */
import {
  getSession,
  readPlace,
  tlvOf,
  type PduView,
  ESM_TYPE_MASK,
  operationOf,
  type DialectCondition,
  type DialectProfile,
  viewOf,
} from '../../smpp/dialect/index.ts'
import type { Captured } from '../capture/index.ts'
import type { Draft } from './draft.ts'
import { isStarred, type PduRecording } from './recorded.ts'

type Kind = 'begin' | 'input' | 'abort'

interface Facts {
  kind: Kind
  op: number | 'absent'
  serviceType: string
  esmType: number
  endBit: 0 | 1
  textEmpty: boolean
  starred: boolean
  hasNumber: boolean
  /** Whether the dialect has operations at all. */
  hasOps: boolean
}

const ACKNOWLEDGEMENTS = [0x04, 0x08, 0x10, 0x20]
/** Operations of the standard that were not seen. They stay: the next test call may use them. */
const USUAL: readonly { ops: readonly number[]; is: string }[] = [
  { ops: [19], is: 'notify-ack' },
  { ops: [17, 32], is: 'end' },
  { ops: [33, 129], is: 'abort' },
]

/** inbound.op. */
export function learnOperation({ dialogues, opTag }: PduRecording, draft: Draft): void {
  const delivers = dialogues.flatMap((it) => it.turns.map((turn) => turn.deliver))
  if (opTag === undefined) {
    return draft.sure('inbound.op.from', null, `absent in ${delivers.length} of ${delivers.length} messages`)
  }
  const values = delivers.map((it) => tlvOf(it.pdu.tlvs, opTag)).filter((value) => value.length > 0)
  const seen = `seen ${values.length} of ${delivers.length}`
  draft.sure('inbound.op.from', { tlv: opTag }, seen)
  const isText = values.every((value) => value.length >= 2 && /^[0-9a-f]+\0?$/i.test(value.toString('latin1')))
  if (isText) return draft.sure('inbound.op.decode', 'hexString', seen)
  const codes = new Set(values.map((value) => value.at(-1)))
  const isBcd = [0x18, 0x19].some((code) => codes.has(code)) && ![0x12, 0x13].some((code) => codes.has(code))
  if (isBcd) draft.sure('inbound.op.decode', 'bcd', `an answer is 0x18, decimal digits of 18`)
  else draft.sure('inbound.op.decode', 'uint', seen)
}

/** inbound.classify. */
export function learnWays(recording: PduRecording, draft: Draft): void {
  const profile = draft.profile()
  const all = recording.dialogues.flatMap(({ turns, overBy }) =>
    turns.map(({ deliver }, at) =>
      factsOf(
        deliver,
        profile,
        at === 0 ? 'begin' : overBy === 'network' && at === turns.length - 1 ? 'abort' : 'input',
      ),
    ),
  )
  const of = (kind: Kind) => all.filter((it) => it.kind === kind)
  const doubts: string[] = []
  const rules = (['abort', 'begin', 'input'] as const).flatMap((kind, i, kinds) => {
    const own = of(kind)
    if (own.length === 0) {
      doubts.push(`no ${kind} was seen`)
      return kind === 'abort' ? [] : [usualRule(kind, profile)]
    }
    const later = kinds.slice(i + 1).flatMap(of)
    const when =
      signOf(
        own,
        all.filter((it) => it.kind !== kind),
      ) ?? signOf(own, later)
    if (when === undefined) doubts.push(`nothing distinguishes an ${kind} from the other messages`)
    return when === undefined ? [usualRule(kind, profile)] : [{ when: guarded(when, own), is: isOf(kind, own) }]
  })
  const list = [...receiptRule(rules, profile), ...rules, ...usualRules(rules, all, profile)]
  const counts = (['begin', 'input', 'abort'] as const).map((kind) => `${of(kind).length} ${kind}`).join(', ')
  if (doubts.length > 0) draft.doubtful('inbound.classify', list, doubts.join('; '))
  else draft.sure('inbound.classify', list, `fits ${counts}`)
}

interface Rule {
  when: DialectCondition
  is: string
  why?: string
}

function factsOf(it: Captured, profile: DialectProfile, kind: Kind): Facts {
  const view: PduView = viewOf(profile, it.pdu)
  const carrier = getSession(profile, view)
  const code = readPlace({ field: 'destination_addr' }, view).toString('latin1')
  return {
    kind,
    op: operationOf(profile, view) ?? 'absent',
    serviceType: String(it.pdu.body.service_type ?? ''),
    esmType: Number(it.pdu.body.esm_class ?? 0) & ESM_TYPE_MASK,
    endBit: carrier.end ? 1 : 0,
    textEmpty: view.text === '',
    starred: isStarred(view.text) || (view.text === '' && isStarred(code)),
    hasNumber: carrier.raw.length > 0,
    hasOps: profile.inbound.op.from !== undefined,
  }
}

type Sign = (own: readonly Facts[]) => DialectCondition | undefined

const values = <T>(own: readonly Facts[], get: (it: Facts) => T): T[] => [...new Set(own.map(get))]
const one = <T>(own: readonly Facts[], get: (it: Facts) => T): T | undefined => {
  const found = values(own, get)
  return found.length === 1 ? found[0] : undefined
}

/** The most reliable first. */
const SIGNS: readonly Sign[] = [
  (own) =>
    values(own, (it) => it.op).length <= 3 && own.some((it) => it.hasOps)
      ? { op: values(own, (it) => it.op) }
      : undefined,
  (own) =>
    values(own, (it) => it.serviceType).length <= 3 ? { serviceType: values(own, (it) => it.serviceType) } : undefined,
  (own) => (one(own, (it) => it.esmType) === undefined ? undefined : { esmType: [(own[0] as Facts).esmType] }),
  (own) => (one(own, (it) => it.endBit) === undefined ? undefined : { endBit: (own[0] as Facts).endBit }),
  (own) => (own.every((it) => it.starred && !it.textEmpty) ? { textRe: '^[*#]\\d[\\d*#]*$' } : undefined),
  (own) => (one(own, (it) => it.textEmpty) === undefined ? undefined : { textEmpty: (own[0] as Facts).textEmpty }),
]

/** One sign, or else two, that all messages of the kind have and no others have. */
function signOf(own: readonly Facts[], others: readonly Facts[]): DialectCondition | undefined {
  const known = SIGNS.flatMap((sign) => sign(own) ?? [])
  const single = known.find((when) => others.every((it) => !holds(when, it)))
  if (single) return single
  const pairs = known.flatMap((a, i) => known.slice(i + 1).map((b) => ({ ...a, ...b })))
  return pairs.find((when) => others.every((it) => !holds(when, it)))
}

function holds(when: DialectCondition, it: Facts): boolean {
  return (
    (when.op?.includes(it.op) ?? true) &&
    (when.serviceType?.includes(it.serviceType) ?? true) &&
    (when.esmType?.includes(it.esmType) ?? true) &&
    (when.endBit === undefined || when.endBit === it.endBit) &&
    (when.textRe === undefined || (it.starred && !it.textEmpty)) &&
    (when.textEmpty === undefined || when.textEmpty === it.textEmpty)
  )
}

/** Adds a second condition to a sign that SMS have too. */
function guarded(when: DialectCondition, own: readonly Facts[]): DialectCondition {
  const op = when.op?.includes(1) && !when.op.includes(0) ? { op: [0, ...when.op] } : {}
  const isStrong =
    when.op?.every((it) => it !== 'absent') === true || when.serviceType?.every((it) => it !== '') === true
  if (isStrong) return { ...when, ...op }
  const types = values(own, (it) => it.serviceType)
  if (own.every((it) => it.op !== 'absent')) return { ...when, ...op, op: when.op ?? ['present'] }
  if (own.every((it) => it.hasNumber)) return { ...when, sessionPresent: true }
  return types.length === 1 && types[0] !== '' ? { ...when, serviceType: types } : when
}

/**
 * Operations 17 and 32 are the network's own end. For others the octets do not show whether it is an end or an abort.
 */
function isOf(kind: Kind, own: readonly Facts[]): string {
  return kind === 'abort' && own.every((it) => it.op === 17 || it.op === 32) ? 'end' : kind
}

function usualRule(kind: Kind, profile: DialectProfile): Rule {
  if (!profile.inbound.op.from) {
    return kind === 'begin'
      ? { when: { textRe: '^[*#]\\d[\\d*#]*$' }, is: kind }
      : { when: { textEmpty: false }, is: kind }
  }
  return { when: { op: kind === 'begin' ? [0, 1] : [2, 18] }, is: kind }
}

function receiptRule(rules: readonly Rule[], profile: DialectProfile): Rule[] {
  const used = new Set(rules.flatMap((rule) => rule.when.esmType ?? []))
  const esmType = ACKNOWLEDGEMENTS.filter((type) => !used.has(type))
  return [{ when: { esmType, ...(profile.inbound.op.from ? { op: ['absent' as const] } : {}) }, is: 'receipt' }]
}

/** The standard's operations that were not seen in use, after those that were. */
function usualRules(rules: readonly Rule[], all: readonly Facts[], profile: DialectProfile): Rule[] {
  if (!profile.inbound.op.from) return []
  const used = new Set([...rules.flatMap((rule) => rule.when.op ?? []), ...all.map((it) => it.op)])
  const more = USUAL.flatMap(({ ops, is }) => {
    const op = ops.filter((it) => !used.has(it))
    return op.length > 0 ? [{ when: { op }, is }] : []
  })
  return [...more, { when: { op: ['present' as const] }, is: 'ignore', why: 'unknown-op' }]
}
