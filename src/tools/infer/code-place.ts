/** Where the dialled code is in a begin. */
import { readCode } from '../../ussd/index.ts'
import { readPlaceText, type PduView, compileCode, type DialectPlace, viewOf } from '../../smpp/dialect/index.ts'
import type { Draft } from './draft.ts'
import { placesOf } from './places.ts'
import { isStarred, TAG, type PduRecording } from './recorded.ts'

/** Longer plain numbers belong to a subscriber or a VLR. */
const PLAIN_CODE_DIGITS_MAX = 8
const TEXT: DialectPlace = { field: 'short_message' }
const DESTINATION: DialectPlace = { field: 'destination_addr' }

/** inbound.code. */
export function learnCode(recording: PduRecording, draft: Draft): void {
  const profile = draft.profile()
  const begins = recording.dialogues.flatMap(({ turns }) =>
    turns.slice(0, 1).map((turn) => viewOf(profile, turn.deliver.pdu)),
  )
  const ways = [TEXT, DESTINATION].map((place) => ({
    place,
    hits: begins.filter((view) => isStarred(readPlaceText(place, view))).length,
  }))
  const plain = begins.filter((view) => isPlainCode(readPlaceText(DESTINATION, view))).length
  const star = starPlace(begins, [...placesOf(recording.dialogues, profile)])
  const seen = (hits: number) => `seen ${hits} of ${begins.length} begins`
  const [text = 0, destination = 0] = ways.map((way) => way.hits)
  if (text > 0 && plain > 0)
    put([TEXT, DESTINATION], 'first', `the whole code is in the text, a number in destination_addr: ${seen(text)}`)
  else if (text > 0 && destination > 0)
    put([TEXT, DESTINATION], 'first', `in the text ${seen(text)}, in destination_addr ${destination}`)
  else if (text > 0) put([TEXT, DESTINATION], 'first', `in the text: ${seen(text)}`)
  else if (destination > 0) put([DESTINATION, TEXT], 'longest', `in destination_addr: ${seen(destination)}`)
  else if (star) {
    put(
      [{ tlv: star.tlv, skip: star.skip }, DESTINATION],
      'join',
      `the star and the digits are in different places: ${seen(plain)}`,
    )
    draft.sure('inbound.code.suffix', '#', 'the dialled text ends with it')
  } else learnElsewhere(recording, draft, begins, plain)

  function put(from: DialectPlace[], pick: string, note: string): void {
    draft.sure('inbound.code.from', from, note)
    draft.sure('inbound.code.pick', pick, note)
    const read = compileCode(draft.profile())
    const none = begins.filter((view) => read(view) === '').length
    if (none > 0) draft.doubtful('inbound.code.from', from, `${none} of ${begins.length} begins have no code there`)
  }
}

function isPlainCode(text: string): boolean {
  return /^\d+(?:\*\d+)*#?$/.test(text) && text.split('*')[0]!.length <= PLAIN_CODE_DIGITS_MAX
}

/** A parameter with a type octet and a star, the same in every begin: a subaddress. */
function starPlace(
  begins: readonly PduView[],
  places: readonly DialectPlace[],
): { tlv: number; skip: number } | undefined {
  for (const { tlv } of places) {
    if (tlv === undefined || tlv === TAG.payload) continue
    const values = begins.map((view) => view.tlvs.find((it) => it.tag === tlv)?.value.toString('latin1') ?? '')
    const skip = values[0]?.search(/[*#]+$/) ?? -1
    if (skip >= 0 && skip <= 4 && values.every((value) => value.slice(skip) === values[0]?.slice(skip))) {
      return { tlv, skip }
    }
  }
  return undefined
}

function learnElsewhere(recording: PduRecording, draft: Draft, begins: readonly PduView[], plain: number): void {
  const places = placesOf(recording.dialogues, draft.profile()).filter(
    (place) => place.tlv !== TAG.payload && begins.every((view) => readCode(readPlaceText(place, view)) !== null),
  )
  const starred = places.find((place) => begins.every((view) => isStarred(readPlaceText(place, view))))
  if (starred) {
    return draft.sure('inbound.code.from', [starred], `seen in ${begins.length} of ${begins.length} begins`)
  }
  if (plain === 0) return draft.untold('inbound.code', 'no field of a begin looks like a service code')
  draft.sure(
    'inbound.code.from',
    [DESTINATION, TEXT],
    `a number in destination_addr: seen ${plain} of ${begins.length} begins`,
  )
}
