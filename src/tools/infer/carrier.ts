/**
 * Where the network keeps its number of a dialogue: a value that stays the same within a dialogue and differs between
 * dialogues.
 */
import type { DialectProfile, DialectPlace } from '../../smpp/dialect/index.ts'
import type { Draft } from './draft.ts'
import { and, placeName, placesOf, stableBits, placeValues, type Values } from './places.ts'
import { TAG, type RecordedDialogue, type PduRecording } from './recorded.ts'

interface Candidate {
  place: DialectPlace
  values: Values[]
  /** Bits that stay the same throughout every dialogue, in messages and in echoes. Only for values of one width. */
  stable: Buffer | undefined
  /** The stable bits that differ between dialogues. */
  telling: Buffer
  isEchoed: boolean
  /** Two dialogues of one subscriber had different values, so it does not identify the subscriber. */
  isProven: boolean
  worth: number
}

/** inbound.session and outbound.session.mode. */
export function learnCarrier(recording: PduRecording, draft: Draft): void {
  const profile = draft.profile()
  const dialogues = recording.dialogues.filter((it) => it.turns.length > 0)
  const skip = new Set([recording.opTag, TAG.payload])
  const all = placesOf(dialogues, profile)
    .filter((place) => place.tlv === undefined || !skip.has(place.tlv))
    .flatMap((place) => candidateAt(place, dialogues, profile) ?? [])
  const [best, second] = all.toSorted((a, b) => b.worth - a.worth)
  if (best === undefined) return learnNone(recording, draft)
  const seen = `the same throughout each of ${dialogues.length} dialogues, different between them`
  const why = doubtOf(best, second, dialogues)
  const put = why === undefined ? draft.sure : draft.doubtful
  put('inbound.session.from', [best.place], why ?? seen)
  learnDecoding(best, draft)
  learnEcho(best, draft)
}

function doubtOf(
  best: Candidate,
  second: Candidate | undefined,
  dialogues: readonly RecordedDialogue[],
): string | undefined {
  if (dialogues.length < 2) return 'only one dialogue was seen'
  if (second !== undefined && second.worth === best.worth) return `${placeName(second.place)} would work too`
  if (!best.isEchoed && !best.isProven) return 'no reply has it; it may be a number of the subscriber'
  return undefined
}

function candidateAt(
  place: DialectPlace,
  dialogues: readonly RecordedDialogue[],
  profile: DialectProfile,
): Candidate | undefined {
  const values = dialogues.map((it) => placeValues(place, it, profile))
  if (values.some(({ delivers }) => delivers[0]?.length === 0)) return undefined
  const isEchoed =
    values.every(({ replies }) => replies.every(({ reply }) => reply.length > 0)) &&
    values.some(({ replies }) => replies.length > 0)
  const own = values.map(({ delivers, replies }) => [
    ...delivers.filter((it) => it.length > 0),
    ...(isEchoed ? replies.map((it) => it.reply) : []),
  ])
  const isText = own.every((list) => list.every((it) => it.equals(list[0] as Buffer)))
  const masks = own.map(stableBits)
  if (!isText && masks.some((mask) => mask === undefined)) return undefined
  const width = own[0]?.[0]?.length ?? 0
  const sameWidth = own.every((list) => list.every((it) => it.length === width))
  const all = () => masks.reduce<Buffer>((sum, mask) => and(sum, mask as Buffer), Buffer.alloc(width, 0xff))
  const stable = sameWidth ? readable(all()) : undefined
  if ((!isText && stable === undefined) || stable === null) return undefined
  const names = own.map((list) => nameOf(list[0] as Buffer, stable))
  const telling = stable ? differing(own.map((list) => and(list[0] as Buffer, stable))) : Buffer.of(1)
  const differs = names.length > 1 && new Set(names).size > 1
  const pairs = dialogues.flatMap((a, i) =>
    dialogues.flatMap((b, j) => (i < j && a.msisdn === b.msisdn ? [[i, j] as const] : [])),
  )
  const isProven = pairs.some(([i, j]) => names[i] !== names[j])
  const isSubscribers = pairs.length > 0 && !isProven
  const isOne = dialogues.length === 1 && isEchoed && width >= 2 && names.some((it) => !/^0*$/.test(it))
  if (isOne ? false : !differs || (isSubscribers && !isEchoed)) return undefined
  const worth =
    (isEchoed ? 8 : 0) +
    (isProven ? 4 : 0) +
    (place.tlv === TAG.carrier ? 1 : 0) +
    (new Set(names).size === names.length ? 2 : 0)
  return { place, values, stable, telling, isEchoed, isProven, worth }
}

/** The stable bits that a profile can read: all of them, all but the end bit, or octet 1. Null: none. */
function readable(stable: Buffer): Buffer | null {
  const isWhole = stable.every((octet) => octet === 0xff)
  if (isWhole || stable.equals(Buffer.of(0xff, 0xfe))) return stable
  if (stable[0] !== 0xff || stable.length < 2) return null
  return Buffer.from(stable.map((_, i) => (i === 0 ? 0xff : 0)))
}

function nameOf(octets: Buffer, stable: Buffer | undefined): string {
  return (stable ? and(octets, stable) : octets).toString('hex')
}

function differing(values: readonly Buffer[]): Buffer {
  const same = stableBits(values)
  return same === undefined ? Buffer.alloc(0) : Buffer.from(same.map((octet) => ~octet & 0xff))
}

function learnNone(recording: PduRecording, draft: Draft): void {
  const many = recording.dialogues.length > 1
  const note = many
    ? `only the MSISDN tells the ${recording.dialogues.length} dialogues apart`
    : 'only one dialogue: a second one would show what differs'
  const put = many ? draft.sure : draft.doubtful
  put('inbound.session.from', [], note)
  draft.sure('inbound.session.step', 'none', 'there is no number to count in')
  draft.sure('outbound.session.mode', 'omit', 'there is no number to send back')
}

/** How the octets are read as a number. If two ways read every possible value alike, either will do. */
function learnDecoding(best: Candidate, draft: Draft): void {
  const all = best.values
    .flatMap(({ delivers, replies }) => [...delivers, ...replies.map((it) => it.reply)])
    .filter((it) => it.length > 0)
  const say = (decode: string, note: string, more: Record<string, unknown> = {}) => {
    draft.sure('inbound.session.decode', decode, note)
    for (const [key, value] of Object.entries(more)) draft.sure(`inbound.session.${key}`, value, note)
    if (more.step === undefined) draft.sure('inbound.session.step', 'none', 'no octet counts the turns')
  }
  const texts = all.map((it) => it.toString('latin1').replace(/\0$/, ''))
  const isFixed = best.stable === undefined || best.stable.every((octet) => octet === 0xff)
  if (isFixed && texts.every((it) => /^[\x21-\x7e]{2,}$/.test(it))) {
    const isNumber = texts.every((it) => /^\d{1,20}$/.test(it)) && best.place.tlv === undefined
    return say(isNumber ? 'dec' : 'ascii', 'printable characters')
  }
  const { stable } = best
  const width = all[0]?.length ?? 0
  if (stable === undefined) return say('hex', 'octets of several widths')
  const isWhole = stable.every((octet) => octet === 0xff)
  if (width === 2 && (isWhole || stable.equals(Buffer.of(0xff, 0xfe)))) {
    const low = ((best.telling[1] ?? 0) & 1) === 1
    if (low) return say('uint', 'two octets; the lowest bit differs between dialogues', { octets: 2 })
    return say(
      'opaque16',
      isWhole ? 'both octets are stable; the lowest bit never differed' : 'everything is stable except the lowest bit',
      {
        mask: 0xfffe,
      },
    )
  }
  if (isWhole) return say('uint', `${width} stable octets`, { octets: Math.min(8, width) })
  say('octet1', 'octet 1 is stable, the rest changes', { step: countsUp(best) ? 'octet2' : 'none' })
}

/** The upper seven bits of octet 2 never decrease, and ours are one more than those of the message. */
function countsUp({ values }: Candidate): boolean {
  return values.every(
    ({ replies, delivers }) =>
      replies.every(({ deliver, reply }) => stepOf(reply) === (stepOf(deliver) + 1) % 128) &&
      delivers.every((it, i) => i === 0 || stepOf(it) >= stepOf(delivers[i - 1] as Buffer) || stepOf(it) < 4),
  )
}

function stepOf(raw: Buffer): number {
  return (raw[1] ?? 0) >> 1
}

function learnEcho(best: Candidate, draft: Draft): void {
  const pairs = best.values.flatMap((it) => it.replies)
  const put = (mode: string, note: string, randomSeq = false) => {
    draft.sure('outbound.session.mode', mode, note)
    draft.sure('outbound.session.randomSeq', randomSeq, note)
  }
  if (pairs.length === 0) return draft.untold('outbound.session', 'no reply was seen')
  const total = `${pairs.length} of ${pairs.length} replies`
  if (pairs.every(({ reply }) => reply.length === 0)) return put('omit', `absent in ${total}`)
  const without = pairs.filter(({ reply }) => reply.length === 0).length
  if (without > 0) {
    return draft.doubtful('outbound.session.mode', 'echo', `absent in ${without} of ${pairs.length} replies`)
  }
  if (pairs.every(({ deliver, reply }) => reply.equals(deliver))) return put('echo', total)
  const upper = pairs.filter(({ deliver, reply }) => stepOf(reply) !== stepOf(deliver) || reply[0] !== deliver[0])
  if (upper.length === 0) return put('echo', `${total}, except the lowest bit of octet 2`)
  if (pairs.every(({ deliver, reply }) => stepOf(reply) === (stepOf(deliver) + 1) % 128)) {
    return put('increment-seq7', `one more than in the message, in ${total}`)
  }
  if (best.stable?.[0] === 0xff && pairs.every(({ reply }) => reply.length === 2)) {
    return put('increment-seq7', 'octet 2 of a reply is any number', true)
  }
  draft.doubtful('outbound.session.mode', 'echo', 'no mode fits the way in which the replies change it')
}
