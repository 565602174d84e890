/** The values at every place where a gateway may keep something: parameters, fields, parameters of an envelope. */
import {
  readPlace,
  type DialectProfile,
  type DialectPlace,
  viewOf,
  payloadOf,
  readEnvelope,
} from '../../smpp/dialect/index.ts'
import type { Captured } from '../capture/index.ts'
import type { RecordedDialogue } from './recorded.ts'

/** The octets at a place, for each message and each reply of one dialogue. */
export interface Values {
  delivers: Buffer[]
  /** Beside the message that each reply answers. */
  replies: { deliver: Buffer; reply: Buffer; isLast: boolean; ends: boolean }[]
}

const FIELDS = ['validity_period', 'schedule_delivery_time'] as const

/** Every place where some message of the dialogues has a value. */
export function placesOf(dialogues: readonly RecordedDialogue[], profile: DialectProfile): DialectPlace[] {
  const views = dialogues.flatMap((it) => it.turns.map((turn) => viewOf(profile, turn.deliver.pdu)))
  const tags = new Set(views.flatMap((view) => view.tlvs.map((tlv) => tlv.tag)))
  const params = new Set(views.flatMap((view) => [...(view.envelope?.params.keys() ?? [])]))
  const places: DialectPlace[] = [
    ...[...tags].map((tlv) => ({ tlv })),
    ...FIELDS.map((field) => ({ field })),
    ...[...params].map((param) => ({ envelope: Number(param) })),
  ]
  return places.filter((place) => views.some((view) => readPlace(place, view).length > 0))
}

/** A reply's envelope has our form and a message's has the network's; both are opened in the same way. */
function octetsAt(place: DialectPlace, it: Captured, profile: DialectProfile): Buffer {
  if (place.envelope === undefined) return readPlace(place, viewOf(profile, it.pdu))
  const envelope = readEnvelope(payloadOf(it.pdu).toString('latin1'))
  return Buffer.from(envelope?.params.get(String(place.envelope)) ?? '', 'utf8')
}

export function placeValues(place: DialectPlace, dialogue: RecordedDialogue, profile: DialectProfile): Values {
  const delivers = dialogue.turns.map((turn) => octetsAt(place, turn.deliver, profile))
  const replies = dialogue.turns.flatMap((turn, at) =>
    turn.reply === undefined
      ? []
      : [
          {
            deliver: delivers[at] as Buffer,
            reply: octetsAt(place, turn.reply, profile),
            isLast: at === dialogue.turns.length - 1,
            ends: at === dialogue.turns.length - 1 && dialogue.overBy === 'esme',
          },
        ],
  )
  return { delivers, replies }
}

/** Bits that are the same in all values (1), over the shortest. Undefined if a value is empty. */
export function stableBits(values: readonly Buffer[]): Buffer | undefined {
  const [first, ...rest] = values
  if (first === undefined || values.some((it) => it.length !== first.length)) return undefined
  const mask = Buffer.alloc(first.length, 0xff)
  for (const other of rest) {
    for (let i = 0; i < mask.length; i++) mask[i]! &= ~((first[i] as number) ^ (other[i] as number))
  }
  return mask
}

export function and(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((octet, i) => octet & (b[i] ?? 0)))
}

export function placeName(place: DialectPlace): string {
  if (place.tlv !== undefined) return `parameter 0x${place.tlv.toString(16).padStart(4, '0')}`
  return place.envelope === undefined ? String(place.field) : `envelope ${place.envelope}`
}
