/** The bit that says that a dialogue is over: set (or cleared) in our last replies and in the network's ends. */
import { tlvOf } from '../../smpp/dialect/index.ts'
import type { Captured } from '../capture/index.ts'
import type { Draft } from './draft.ts'
import { TAG, type PduRecording } from './recorded.ts'

interface Spot {
  tlv: number
  octet: number
  bit: number
}

interface Reading extends Spot {
  use: 'honour' | 'inverted'
  /** It is in our replies (strong evidence), or in messages only. */
  isOurs: boolean
  seen: number
}

/** The most octets of a parameter that may hold such a bit. */
const OCTETS_MAX = 8

/** inbound.endBit, outbound.session.bare and the endBit of the actions. */
export function learnEndBit(recording: PduRecording, draft: Draft): void {
  const groups = groupsOf(recording)
  const from = draft.profile().inbound.session.from[0]?.tlv
  const spots = spotsOf(recording, from)
  const bare = spots.find((spot) => spot.tlv !== from && isBare(spot.tlv, recording))
  const found = spots
    .flatMap((spot) => readingOf(spot, groups) ?? [])
    .toSorted((a, b) => rank(b, from) - rank(a, from))[0]
  const place = found ?? (bare && { ...bare, octet: bare.octet })
  if (place) {
    for (const key of ['tlv', 'octet', 'bit'] as const) {
      draft.sure(`inbound.endBit.${key}`, place[key], 'in the message where it was seen')
    }
  }
  if (place && place.tlv !== from) {
    const inReplies = groups.asked.concat(groups.ended).some((it) => tlvOf(it.pdu.tlvs, place.tlv).length > 0)
    draft.sure(
      'outbound.session.bare',
      inReplies,
      inReplies ? 'the parameter is in the replies too' : 'the replies lack it',
    )
  }
  if (found === undefined) return learnIgnored(draft, groups, bare !== undefined)
  const { use } = found
  draft.sure(
    'inbound.endBit.use',
    use,
    `${use === 'honour' ? 'set' : 'cleared'} in ${found.seen} of ${found.seen} ends`,
  )
  if (found.isOurs) {
    draft.sure('outbound.actions.continue.endBit', 0, `seen ${groups.asked.length} of ${groups.asked.length}`)
    draft.sure('outbound.actions.end.endBit', 1, `seen ${groups.ended.length} of ${groups.ended.length}`)
    return
  }
  if (groups.ended.length === 0) return draft.doubtful('outbound.actions.end.endBit', 1, 'we sent no last reply')
  draft.sure('outbound.actions.continue.endBit', null, 'our replies send it back as it came')
  draft.sure('outbound.actions.end.endBit', null, 'our replies send it back as it came')
}

interface Groups {
  /** Replies that ask, and replies that end. */
  asked: Captured[]
  ended: Captured[]
  /** Messages that continue, and messages that end. */
  going: Captured[]
  gone: Captured[]
}

function groupsOf({ dialogues }: PduRecording): Groups {
  const groups: Groups = { asked: [], ended: [], going: [], gone: [] }
  for (const { turns, overBy } of dialogues) {
    for (const [at, { deliver, reply }] of turns.entries()) {
      const isLast = at === turns.length - 1
      groups[isLast && overBy === 'network' ? 'gone' : 'going'].push(deliver)
      if (reply) groups[isLast && overBy === 'esme' ? 'ended' : 'asked'].push(reply)
    }
  }
  return groups
}

/** Every bit of every short parameter of the messages, except the operation and the text. */
function spotsOf({ dialogues, opTag }: PduRecording, from: number | undefined): Spot[] {
  const widths = new Map<number, number>()
  for (const { deliver } of dialogues.flatMap((it) => it.turns)) {
    for (const { tag, value } of deliver.pdu.tlvs) {
      const isOther = tag === opTag || tag === TAG.payload || value.length > OCTETS_MAX || value.length === 0
      if (!isOther) widths.set(tag, Math.max(widths.get(tag) ?? 0, value.length))
    }
  }
  return [...widths]
    .flatMap(([tlv, octets]) =>
      Array.from({ length: octets * 8 }, (_, i) => ({
        tlv,
        octet: octets - 1 - (i >> 3),
        bit: i & 7,
      })),
    )
    .toSorted((a, b) => Number(b.tlv === from) - Number(a.tlv === from))
}

function bitAt({ tlv, octet, bit }: Spot, it: Captured): number | undefined {
  const value = tlvOf(it.pdu.tlvs, tlv)[octet]
  return value === undefined ? undefined : (value >> bit) & 1
}

function readingOf(spot: Spot, { asked, ended, going, gone }: Groups): Reading | undefined {
  const all = (list: readonly Captured[], bit: 0 | 1) => list.length > 0 && list.every((it) => bitAt(spot, it) === bit)
  const never = (list: readonly Captured[], bit: 0 | 1) => list.every((it) => bitAt(spot, it) !== bit)
  for (const [use, set] of [
    ['honour', 1],
    ['inverted', 0],
  ] as const) {
    const clear = set === 1 ? 0 : 1
    const ours = all(ended, set) && never(asked, set) && all(asked, clear)
    const theirs = all(gone, set) && all(going, clear)
    const contradicts = going.length > 0 && all(going, set) && gone.length > 0 && all(gone, clear)
    if (ours && !contradicts) return { ...spot, use, isOurs: true, seen: ended.length + (theirs ? gone.length : 0) }
    if (theirs && ended.length === 0) return { ...spot, use, isOurs: false, seen: gone.length }
    if (theirs && bitsKept(spot, [...asked, ...ended])) return { ...spot, use, isOurs: false, seen: gone.length }
  }
  return undefined
}

/** Whether all our replies have the same bit: our side says nothing with it then. */
function bitsKept(spot: Spot, replies: readonly Captured[]): boolean {
  return new Set(replies.map((it) => bitAt(spot, it))).size <= 1
}

/** Ranks highest the lowest bit of octet 2 in the parameter of the number: that is the conventional place. */
function rank({ tlv, octet, bit, isOurs, seen }: Reading, from: number | undefined): number {
  return (isOurs ? 8 : 0) + (bit === 0 ? 4 : 0) + (octet === 1 ? 2 : 0) + (tlv === from ? 1 : 0) + seen / 1000
}

/** A parameter of zeros in both directions, with at most one bit set: it exists for the end bit only. */
function isBare(tlv: number, { dialogues }: PduRecording): boolean {
  const replies = dialogues.flatMap((it) => it.turns.flatMap((turn) => turn.reply ?? []))
  const values = replies.map((it) => tlvOf(it.pdu.tlvs, tlv))
  return values.length > 0 && values.every((value) => value.length > 0 && value.every((octet) => (octet & 0xfe) === 0))
}

function learnIgnored(draft: Draft, groups: Groups, isBareSeen: boolean): void {
  const isShown = groups.ended.length > 0 && groups.asked.length > 0
  const note = isShown ? `no bit distinguishes ${groups.ended.length} ends from ${groups.asked.length} questions` : ''
  if (isShown) draft.sure('inbound.endBit.use', 'ignore', note)
  else draft.doubtful('inbound.endBit.use', 'ignore', 'too few replies to find one')
  if (isBareSeen) return
  draft.sure('outbound.session.bare', false, 'the replies have no such parameter')
}
