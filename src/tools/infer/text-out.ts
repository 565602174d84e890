/** The alphabet, the data_coding and the line ends of our replies. */
import { readEnvelope, payloadOf, decodeText } from '../../smpp/dialect/index.ts'
import type { Draft } from './draft.ts'
import { commonest, groupBy, only } from './group.ts'
import type { PduRecording } from './recorded.ts'
import { answered, learnEnvelopeOut, type ReplyPair } from './replies.ts'
import { guessCoding, wrappingOf } from './text-coding.ts'
import { uncodableAt } from '../../ussd/index.ts'

/** At least this many replies that use UCS-2 without need are a pattern. */
const ALWAYS_MIN = 2

interface Said extends ReplyPair {
  octets: Buffer
  incoming: number
  outgoing: number
}

/** outbound.text. */
export function learnTextOut(recording: PduRecording, draft: Draft): void {
  const pairs = answered(recording).filter(({ reply }) => payloadOf(reply).length > 0)
  if (pairs.length === 0) return draft.untold('outbound.text', 'no reply had a text')
  const wrapping = wrappingOf(pairs.map(({ reply }) => payloadOf(reply)))
  const said = pairs.map((pair): Said => ({
    ...pair,
    octets: opened(payloadOf(pair.reply), wrapping === 'asciiHex'),
    incoming: Number(pair.deliver.body.data_coding ?? 0),
    outgoing: Number(pair.reply.body.data_coding ?? 0),
  }))
  if (wrapping === 'asciiHex') draft.sure('outbound.text.wrap', 'asciiHex', `seen ${pairs.length} of ${pairs.length}`)
  if (wrapping === 'comviva') {
    learnEnvelopeOut(recording, draft)
    learnCodings('gsm7', said, draft)
    const param = draft.profile().outbound.text.envelope?.text
    const texts = said.map(({ octets }) => readEnvelope(octets.toString('latin1'))?.params.get(String(param)) ?? '')
    learnNewline(texts, draft)
    learnNoWide(texts, draft)
    return
  }
  const isWide = ({ octets }: Said) => ['ucs2be', 'dcs11'].includes(guessCoding([octets], 'gsm7').coding)
  const wide = said.filter(isWide)
  const narrow = said.filter((it) => !isWide(it))
  if (narrow.length > 0) learnNarrow(narrow, draft)
  else draft.untold('outbound.text.gsm7', 'every reply was in UCS-2')
  if (wide.length > 0) learnWide(wide, draft)
  if (narrow.length === 0) learnAlways(textsOf([], wide, draft), draft)
  if (wide.length === 0) learnNoWide(textsOf(narrow, [], draft), draft)
  learnNewline(textsOf(narrow, wide, draft), draft)
}

function opened(octets: Buffer, isHex: boolean): Buffer {
  return isHex ? Buffer.from(octets.toString('latin1'), 'hex') : octets
}

function learnNarrow(narrow: readonly Said[], draft: Draft): void {
  const { coding } = guessCoding(
    narrow.map((it) => it.octets),
    'gsm7',
  )
  draft.sure('outbound.text.gsm7.packed', coding === 'gsm7packed', `seen ${narrow.length} of ${narrow.length}`)
  learnCodings('gsm7', narrow, draft)
}

/** One data_coding for every message; or the data_coding of the message, if it is one of some values. */
function learnCodings(alphabet: 'gsm7' | 'ucs2', said: readonly Said[], draft: Draft): void {
  const other = said.filter(({ incoming, outgoing }) => incoming !== outgoing)
  const usual = commonest((other.length > 0 ? other : said).map((it) => it.outgoing))?.value ?? 0
  const echo = [
    ...new Set(said.filter((it) => it.incoming === it.outgoing && it.outgoing !== usual).map((it) => it.outgoing)),
  ]
  const fits = said.every(({ incoming, outgoing }) => outgoing === (echo.includes(incoming) ? incoming : usual))
  const note = `seen ${said.length} of ${said.length}`
  if (fits) draft.sure(`outbound.text.${alphabet}.dcs`, usual, note)
  else draft.doubtful(`outbound.text.${alphabet}.dcs`, usual, 'it changes, but not with the message')
  draft.sure(`outbound.text.${alphabet}.echo`, echo, note)
}

function learnWide(wide: readonly Said[], draft: Draft): void {
  const { coding } = guessCoding(
    wide.map((it) => it.octets),
    'ucs2be',
  )
  learnCodings('ucs2', wide, draft)
  if (coding !== 'dcs11') return
  // Two letters, packed: seven bits of the first, then seven of the second. (3GPP TS 23.038 §6.1.2.1)
  const letters = wide.map((it) => decodeText(it.octets.subarray(0, 2), 'gsm7packed').slice(0, 2).toLowerCase())
  const lang = only(letters)
  const seen = `seen ${wide.length} of ${wide.length}`
  if (lang !== undefined && /^[a-z]{2}$/.test(lang)) draft.sure('outbound.text.ucs2.langPrefix', lang, seen)
  else draft.doubtful('outbound.text.ucs2.langPrefix', 'en', 'the language differs')
}

/** UCS-2 without need is how the application always writes. */
function learnAlways(texts: readonly string[], draft: Draft): void {
  const spare = texts.filter((text) => uncodableAt(text) < 0).length
  const said = `${spare} of ${texts.length} replies would fit GSM 7-bit, but all use UCS-2`
  if (spare >= ALWAYS_MIN) draft.sure('outbound.text.ucs2.always', true, said)
  else if (spare > 0) draft.doubtful('outbound.text.ucs2.always', true, said)
}

/** Rows of question marks are letters that the gateway's alphabet lacks. */
function learnNoWide(texts: readonly string[], draft: Draft): void {
  const lost = texts.filter((text) => /\?{3}/.test(text)).length
  if (lost > 0) draft.doubtful('outbound.text.ucs2', false, `${lost} replies have question marks in place of letters`)
  else draft.untold('outbound.text.ucs2', 'no reply needed more than GSM 7-bit')
}

function textsOf(narrow: readonly Said[], wide: readonly Said[], draft: Draft): string[] {
  const isPacked = draft.profile().outbound.text.gsm7.packed
  const prefix = draft.findings().some((it) => it.path.endsWith('langPrefix')) ? 2 : 0
  return [
    ...narrow.map((it) => decodeText(it.octets, isPacked ? 'gsm7packed' : 'gsm7')),
    ...wide.map((it) => decodeText(it.octets.subarray(prefix), 'ucs2be')),
  ]
}

function learnNewline(texts: readonly string[], draft: Draft): void {
  const breaks = texts.flatMap((text) => text.trimEnd().match(/\r\n|\r|\n/g) ?? [])
  if (breaks.length === 0) return draft.untold('outbound.text.newline', 'no reply had two lines')
  const [best] = [...groupBy(breaks, (it) => it)].toSorted((a, b) => b[1].length - a[1].length)
  const note = `seen ${best?.[1].length} of ${breaks.length}`
  if (best?.[1].length === breaks.length) draft.sure('outbound.text.newline', best[0], note)
  else draft.doubtful('outbound.text.newline', best?.[0], note)
}
