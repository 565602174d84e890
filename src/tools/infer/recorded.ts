/** The dialogues of a recording: which message began each, which reply answers which message, and who ended it. */
import { readCode } from '../../ussd/index.ts'
import { payloadOf, tlvOf, ESM_TYPE_MASK, readEnvelope, decodeText } from '../../smpp/dialect/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import type { Captured } from '../capture/index.ts'
import { groupBy } from './group.ts'

export interface Turn {
  deliver: Captured
  reply?: Captured
}

export interface RecordedDialogue {
  msisdn: string
  turns: Turn[]
  /** open: the recording, or the subscriber's patience, ended before the dialogue did. */
  overBy: 'esme' | 'network' | 'open'
}

export interface PduRecording {
  pdus: readonly Captured[]
  dialogues: RecordedDialogue[]
  /** The tag of ussd_service_op, if the network has one. */
  opTag: number | undefined
  /** How many messages and submits belong to no dialogue: SMS, receipts. */
  others: number
}

export const TAG = { op: 0x0501, payload: 0x0424, carrier: 0x1383 }
const RECEIPT = /\bid:\S+.*\bstat:/s
/** After this silence a subscriber has no dialogue any more. */
const IDLE_MS = 600_000

/** What the network sent, grouped by subscriber. */
type BySubscriber = readonly (readonly Captured[])[]

/** Groups by subscriber and time: the network's own dialogue number is not known yet. */
export function recordDialogues(pdus: readonly Captured[]): PduRecording {
  const messages = pdus.filter(
    (it) => it.pdu.command === 'deliver_sm' || it.pdu.command === 'data_sm' || it.pdu.command === 'submit_sm',
  )
  const bare = bareOnes(messages.filter((it) => it.from === 'smsc'))
  const bareReplies = bareOnes(messages.filter((it) => it.from === 'esme'))
  const used = messages.filter((it) => !bare.has(it) && !bareReplies.has(it) && !isReceipt(it.pdu))
  const bySubscriber = groupBy(used, subscriberOf)
  const sent = [...bySubscriber.values()]
    .map((list) => list.filter((it) => it.from === 'smsc'))
    .filter((list) => list.length > 0)
  const opTag = opTagOf(sent)
  const isBegin = beginTest(sent, opTag)
  const isRefused = refusedOnes(pdus)
  const began = sent.flat().some(isBegin)
    ? (list: readonly Captured[]) => fromBegin(list, isBegin)
    : (list: readonly Captured[]) => list
  const dialogues = [...bySubscriber].flatMap(([msisdn, list]) =>
    split({ msisdn, list: began(list), isBegin, isRefused }),
  )
  const inside = dialogues.reduce((sum, it) => sum + it.turns.length + it.turns.filter((turn) => turn.reply).length, 0)
  decideEnds(dialogues, opTag)
  return { pdus, dialogues, opTag, others: messages.length - inside }
}

/** The subscriber's number as the network writes it, without a plus. */
function subscriberOf({ pdu, from }: Captured): string {
  return String(pdu.body[from === 'smsc' ? 'source_addr' : 'destination_addr'] ?? '').replace(/^\+/, '')
}

function isReceipt(pdu: Pdu): boolean {
  const esmType = Number(pdu.body.esm_class ?? 0) & ESM_TYPE_MASK
  return esmType !== 0 && tlvOf(pdu.tlvs, TAG.op).length === 0 && RECEIPT.test(payloadOf(pdu).toString('latin1'))
}

/** Messages without optional parameters and service type, if most messages have one of them: SMS. */
function bareOnes(list: readonly Captured[]): Set<Captured> {
  const isBare = ({ pdu }: Captured) =>
    String(pdu.body.service_type ?? '') === '' && pdu.tlvs.every((tlv) => tlv.tag === TAG.payload)
  const bare = list.filter(isBare)
  return new Set(bare.length * 2 < list.length ? bare : [])
}

/** The parameter of one octet (or two hex digits) that is the same in every begin and different in what follows. */
function opTagOf(sent: BySubscriber): number | undefined {
  const all = sent.flat()
  if (all.some(({ pdu }) => tlvOf(pdu.tlvs, TAG.op).length > 0)) return TAG.op
  const tags = new Set(all.flatMap(({ pdu }) => pdu.tlvs.map((tlv) => tlv.tag)))
  return [...tags].find((tag) => {
    const hex = (it: Captured) => tlvOf(it.pdu.tlvs, tag).toString('hex')
    const lists = alike(sent, hex)
    const began = hex(lists[0]?.[0] as Captured)
    const seconds = lists.flatMap((list) => list.slice(1, 2))
    const isShort = all.every((it) => /^(..|3.(3.|4[1-6]|6[1-6]))?$/.test(hex(it)))
    return (
      isShort &&
      began !== '' &&
      lists.length * 2 > sent.length &&
      seconds.length > 0 &&
      seconds.every((it) => hex(it) !== began) &&
      new Set(seconds.map(hex)).size <= 2
    )
  })
}

/** The possible texts of the octets, in any coding. */
function sketches(pdu: Pdu): string[] {
  const octets = payloadOf(pdu)
  const latin = octets.toString('latin1')
  const hex = /^(?:[0-9a-f]{2})+$/i.test(latin) ? [Buffer.from(latin, 'hex').toString('latin1')] : []
  const inside = [...(readEnvelope(latin)?.params.values() ?? [])]
  return [latin, ...hex, ...inside, decodeText(octets, 'gsm7packed'), decodeText(octets, 'ucs2be')]
}

export function isStarred(text: string): boolean {
  return /^[*#]\d[\d*#]*$/.test(text.trim()) && readCode(text) !== null
}

/**
 * What distinguishes begins from all other messages: the simplest sign that all first messages have. Or most of them,
 * if the recording begins within dialogues.
 */
function beginTest(sent: BySubscriber, opTag: number | undefined): (it: Captured) => boolean {
  const signs: ((it: Captured) => string)[] = [
    (it) => (opTag === undefined ? '' : tlvOf(it.pdu.tlvs, opTag).toString('hex')),
    (it) => String(it.pdu.body.service_type ?? ''),
    (it) => String(sketches(it.pdu).some(isStarred)),
    (it) => String(isStarred(String(it.pdu.body.destination_addr ?? ''))),
    (it) => String(payloadOf(it.pdu).length === 0),
    (it) =>
      it.pdu.tlvs
        .map((tlv) => tlv.tag)
        .toSorted((a, b) => a - b)
        .join(),
  ]
  const isApart = (began: ReadonlySet<string>, sign: (it: Captured) => string, lists: BySubscriber) => {
    const seconds = lists.flatMap((list) => list.slice(1, 2))
    return began.size <= 2 && seconds.length > 0 && seconds.every((it) => !began.has(sign(it)))
  }
  for (const sign of signs) {
    const began = new Set(sent.flatMap((list) => list.slice(0, 1)).map(sign))
    if (isApart(began, sign, sent)) return (it) => began.has(sign(it))
  }
  for (const sign of signs) {
    const lists = alike(sent, sign)
    const began = new Set(lists.map(([first]) => sign(first as Captured)))
    if (lists.length * 2 > sent.length && isApart(began, sign, lists)) return (it) => began.has(sign(it))
  }
  const isTyped = (it: Captured) => sketches(it.pdu).some(isStarred)
  return sent.flat().some(isTyped) ? isTyped : (it) => isStarred(String(it.pdu.body.destination_addr ?? ''))
}

/** The messages of those subscribers whose first message has the most frequent sign. */
function alike(sent: BySubscriber, sign: (it: Captured) => string): BySubscriber {
  const groups = groupBy(sent, ([first]) => sign(first as Captured))
  return [...groups.values()].toSorted((a, b) => b.length - a.length)[0] ?? []
}

/** Tests whether the SMSC refused a submit. */
function refusedOnes(pdus: readonly Captured[]): (it: Captured) => boolean {
  const keyOf = ({ link, pdu }: Captured, command: string) => [link, command, pdu.sequence].join()
  const bad = pdus.filter(({ from, pdu }) => from === 'smsc' && pdu.status !== 0 && pdu.command.endsWith('_resp'))
  const keys = new Set(bad.map((it) => keyOf(it, it.pdu.command)))
  return (it) => keys.has(keyOf(it, `${it.pdu.command}_resp`))
}

/** Drops the rest of a dialogue that began before the recording. */
function fromBegin(list: readonly Captured[], isBegin: (it: Captured) => boolean): readonly Captured[] {
  const at = list.findIndex((it) => it.from === 'smsc' && isBegin(it))
  return at < 0 ? [] : list.slice(at)
}

interface SplitInput {
  msisdn: string
  list: readonly Captured[]
  isBegin(it: Captured): boolean
  isRefused(it: Captured): boolean
}

function split({ msisdn, list, isBegin, isRefused }: SplitInput): RecordedDialogue[] {
  const dialogues: RecordedDialogue[] = []
  let lastMs = -Infinity
  for (const it of list) {
    const open = dialogues.at(-1)
    const turn = open?.turns.at(-1)
    if (it.from === 'esme') {
      // A refused reply that another reply follows is not an example.
      if (turn && (!turn.reply || isRefused(turn.reply))) turn.reply = it
    } else if (!isRepeat(it, turn?.deliver)) {
      const isLate = it.atMs - lastMs > IDLE_MS
      if (open === undefined || isLate || isBegin(it))
        dialogues.push({ msisdn, turns: [{ deliver: it }], overBy: 'open' })
      else open.turns.push({ deliver: it })
    }
    lastMs = it.atMs
  }
  return dialogues
}

/** The same message again: everything but its sequence number is equal. */
function isRepeat(it: Captured, before: Captured | undefined): boolean {
  return (
    before !== undefined &&
    it.octets.subarray(16).equals(before.octets.subarray(16)) &&
    it.octets.readUInt32BE(4) === before.octets.readUInt32BE(4) &&
    it.pdu.sequence === before.pdu.sequence
  )
}

/** If nobody answers the last message, and it looks unlike all answered ones, the network ended the dialogue. */
function decideEnds(dialogues: readonly RecordedDialogue[], opTag: number | undefined): void {
  const looks = ({ pdu }: Captured) =>
    [
      opTag === undefined ? '' : tlvOf(pdu.tlvs, opTag).toString('hex'),
      pdu.body.service_type,
      pdu.body.esm_class,
      payloadOf(pdu).length === 0,
    ].join()
  const inputs = dialogues.flatMap(({ turns }) =>
    turns
      .slice(1)
      .filter((turn) => turn.reply)
      .map((turn) => looks(turn.deliver)),
  )
  const tells = endTest(dialogues, opTag)
  for (const dialogue of dialogues) {
    const last = dialogue.turns.at(-1) as Turn
    if (last.reply) dialogue.overBy = tells(last.reply) ? 'esme' : 'open'
    else if (dialogue.turns.length > 1 && !inputs.includes(looks(last.deliver))) dialogue.overBy = 'network'
  }
}

/** What the last replies have and the answered replies lack. */
function endTest(dialogues: readonly RecordedDialogue[], opTag: number | undefined): (reply: Captured) => boolean {
  const asked = dialogues.flatMap(({ turns }) => turns.slice(0, -1).flatMap((turn) => turn.reply ?? []))
  const last = dialogues.flatMap(({ turns }) => turns.at(-1)?.reply ?? [])
  if (asked.length === 0) return () => true
  const tags = new Set(last.flatMap(({ pdu }) => pdu.tlvs.map((tlv) => tlv.tag)))
  const tlv = (tag: number) => (it: Captured) => tlvOf(it.pdu.tlvs, tag)
  const bits = [...tags]
    .filter((tag) => tag !== TAG.payload)
    .flatMap((tag) => [1, 0, 2, 3].map((octet) => (it: Captured) => String((tlv(tag)(it)[octet] ?? 0) & 1)))
  const params = [...new Set(last.flatMap((it) => [...(envelopeOf(it)?.params.keys() ?? [])]))]
  const signs: ((it: Captured) => string)[] = [
    (it) => tlv(opTag ?? TAG.op)(it).toString('hex'),
    (it) => String(it.pdu.body.service_type ?? ''),
    ...params.map((param) => (it: Captured) => envelopeOf(it)?.params.get(param) ?? ''),
    ...bits,
  ]
  const sets = signs.map((sign) => {
    const before = new Set(asked.map(sign))
    const tells = (it: Captured) => !before.has(sign(it))
    return { tells, clear: before.size === 1 ? last.filter(tells).length : 0 }
  })
  const best = sets.toSorted((a, b) => b.clear - a.clear)[0]
  return best !== undefined && best.clear > 0 ? best.tells : () => true
}

function envelopeOf({ pdu }: Captured) {
  return readEnvelope(payloadOf(pdu).toString('latin1'))
}
