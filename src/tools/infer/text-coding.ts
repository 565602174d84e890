/** The alphabet of the octets: tries every coding; the one whose text looks most like language wins. */
import { payloadOf, readEnvelope, decodeText, type TextCoding } from '../../smpp/dialect/index.ts'
import type { Draft } from './draft.ts'
import { groupBy } from './group.ts'
import { isStarred, type PduRecording } from './recorded.ts'

/** The simplest ones first: with equal results, the first wins. */
const CODINGS: readonly TextCoding[] = ['gsm7', 'latin1', 'utf8', 'ucs2be', 'gsm7packed', 'dcs11', 'dcs10', 'ascii']
const CLEAR = 0.2

/** How much of a text looks like writing: 0 to 1, below 0 for garbage. */
function sense(text: string): number {
  const chars = Array.from(text)
  if (chars.length === 0) return 0
  const worth = (char: string) => {
    if (/[\p{Script=Latin}\p{Nd} *#.,:;!?'"()\-/+\n\r@$%&=_[\]<>€£¥|{}~^\\]/u.test(char) && char <= '\u024f') {
      return /[A-Za-z0-9 *#.,:!?()\-\n'\r]/.test(char) ? 1 : 0.6
    }
    if (/[\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Greek}]/u.test(char)) return 0.9
    if (/\p{L}/u.test(char)) return 0.4
    return char === '\ufffd' || /\p{Cc}/u.test(char) ? -1 : 0
  }
  return chars.reduce((sum, char) => sum + worth(char), 0) / chars.length
}

export interface Guess {
  coding: TextCoding
  /** A coding with another text that looks nearly as good. */
  rival: TextCoding | undefined
  /** Codings that read the same text. */
  same: TextCoding[]
}

/** `usual` wins ties: the usual coding of this data_coding. */
export function guessCoding(samples: readonly Buffer[], usual: TextCoding): Guess {
  const order = [usual, ...CODINGS.filter((it) => it !== usual)]
  const rated = order.map((coding) => {
    const texts = samples.map((octets) => (fits(octets, coding) ? decodeText(octets, coding) : '\ufffd'))
    const starred = texts.filter(isStarred).length * 0.5
    const worth = texts.reduce((sum, text) => sum + sense(text), starred) / Math.max(1, texts.length)
    return { coding, texts: texts.join('\u0001'), worth }
  })
  const best = rated.toSorted((a, b) => b.worth - a.worth)[0] as (typeof rated)[number]
  const others = rated.filter((it) => it.coding !== best.coding)
  return {
    coding: best.coding,
    rival: others.find((it) => it.texts !== best.texts && it.worth > best.worth - CLEAR && it.worth > 0.5)?.coding,
    same: others.filter((it) => it.texts === best.texts).map((it) => it.coding),
  }
}

function fits(octets: Buffer, coding: TextCoding): boolean {
  if (coding === 'ucs2be') return octets.length % 2 === 0
  // Its first two letters, when packed, form no letter of a common script.
  if (coding === 'dcs11') {
    return octets.length % 2 === 0 && octets.length > 2 && sense(decodeText(octets.subarray(0, 2), 'ucs2be')) < 0.5
  }
  if (coding === 'dcs10') return octets.length > 3 && octets[2] === 0x0d
  if (coding === 'gsm7') return octets.every((octet) => octet < 0x80)
  return true
}

export type Wrapping = 'comviva' | 'asciiHex' | undefined

/** The wrapping of the texts: an envelope, hex digits, or neither. */
export function wrappingOf(samples: readonly Buffer[]): Wrapping {
  const texts = samples.map((octets) => octets.toString('latin1')).filter((text) => text !== '')
  if (texts.length === 0) return undefined
  if (texts.every((text) => readEnvelope(text) !== null)) return 'comviva'
  if (!texts.every((text) => /^(?:[0-9a-f]{2})+$/i.test(text))) return undefined
  const inner = texts.map((text) => Buffer.from(text, 'hex').toString('latin1'))
  const isText = inner.every((text) => sense(text) > 0.9)
  const isMore = inner.some(isStarred) || inner.some((text) => /[A-Za-z]{2}/.test(text))
  return isText && isMore ? 'asciiHex' : undefined
}

/** inbound.text: the wrapping, the envelope's parameters, and the meaning of each data_coding. */
export function learnTextIn(recording: PduRecording, draft: Draft): void {
  const delivers = recording.dialogues.flatMap((it) => it.turns.map((turn) => turn.deliver.pdu))
  const replies = recording.dialogues.flatMap((it) => it.turns.flatMap((turn) => turn.reply?.pdu ?? []))
  const filled = delivers.filter((pdu) => payloadOf(pdu).length > 0)
  const samples = filled.map(payloadOf)
  if (samples.length === 0) return draft.untold('inbound.text', 'no message had a text')
  const isHexBack = wrappingOf(replies.map(payloadOf)) === 'asciiHex'
  const allHex = samples.every((octets) => /^(?:3[0-9]|[2-7][0-9a-f])+$/i.test(octets.toString('latin1')))
  const wrapping = isHexBack && allHex ? 'asciiHex' : wrappingOf(samples)
  const seen = `seen ${samples.length} of ${delivers.length}`
  if (wrapping === 'comviva') return learnEnvelope(recording, draft, seen)
  if (wrapping === 'asciiHex') draft.sure('inbound.text.unwrap', 'asciiHex', seen)
  const { byDcs, fallback } = draft.profile().inbound.text
  const open = (octets: Buffer) => (wrapping ? Buffer.from(octets.toString('latin1'), 'hex') : octets)
  for (const [dcs, list] of groupBy(filled, (pdu) => Number(pdu.body.data_coding ?? 0))) {
    const inner = list.map((pdu) => open(payloadOf(pdu)))
    const guess = guessCoding(inner, byDcs[String(dcs)] ?? fallback)
    const path = `inbound.text.byDcs.${dcs}`
    if (guess.rival) draft.doubtful(path, guess.coding, `${guess.rival} reads another text that is just as likely`)
    else if (inner.every((octets) => octets.length < 2)) {
      draft.doubtful(path, guess.coding, `only single characters have it`)
    } else draft.sure(path, guess.coding, sameNote(list.length, guess.same))
  }
}

function sameNote(count: number, same: readonly TextCoding[]): string {
  return `seen ${count} times${same.length > 0 ? `; ${same.join(', ')} would read the same text text` : ''}`
}

/** Finds the parameter with the code and the typed text, not the one with the subscriber's number. */
function learnEnvelope(recording: PduRecording, draft: Draft, seen: string): void {
  const views = recording.dialogues.flatMap((dialogue) =>
    dialogue.turns.map((turn, at) => ({
      at,
      msisdn: dialogue.msisdn,
      envelope: readEnvelope(payloadOf(turn.deliver.pdu).toString('latin1')),
    })),
  )
  const names = [...new Set(views.flatMap(({ envelope }) => [...(envelope?.params.keys() ?? [])]))]
  const varied = names.filter((name) => {
    const values = views.map(({ envelope }) => envelope?.params.get(name) ?? '')
    return (
      values.some((value, i) => views[i]?.at === 0 && isStarred(value)) ||
      (new Set(values).size > 2 && !views.some(({ msisdn }, i) => values[i] === msisdn))
    )
  })
  const isNumber = (name: string) =>
    recording.dialogues.every(({ turns }) => {
      const own = turns.map((turn) => readEnvelope(payloadOf(turn.deliver.pdu).toString('latin1'))?.params.get(name))
      return new Set(own).size === 1
    })
  const texts = varied.filter((name) => !isNumber(name)).map(Number)
  draft.sure('inbound.text.unwrap', 'comviva', seen)
  const type = views.find(({ envelope }) => envelope)?.envelope?.type ?? '2'
  if (texts.length === 0) {
    return draft.doubtful('inbound.text.envelope', { type, text: [109, 112] }, 'no parameter looks like a text')
  }
  draft.sure('inbound.text.envelope', { type, text: texts }, seen)
}
