/**
 * How our replies are written: the command, its addresses and fields, and what marks a reply as a question or an end.
 */
import { tlvOf, readEnvelope, payloadOf } from '../../smpp/dialect/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import type { Draft } from './draft.ts'
import { commonest, only } from './group.ts'
import { TAG, type PduRecording } from './recorded.ts'

export interface ReplyPair {
  deliver: Pdu
  reply: Pdu
  ends: boolean
}

/** Every answered message, with its answer. */
export function answered({ dialogues }: PduRecording): ReplyPair[] {
  return dialogues.flatMap(({ turns, overBy }) =>
    turns.flatMap(({ deliver, reply }, at) =>
      reply === undefined
        ? []
        : [
            {
              deliver: deliver.pdu,
              reply: reply.pdu,
              ends: at === turns.length - 1 && overBy === 'esme',
            },
          ],
    ),
  )
}

/** outbound, except its texts and its dialogue number. */
export function learnReplies(recording: PduRecording, draft: Draft): void {
  const pairs = answered(recording)
  if (pairs.length === 0) return draft.untold('outbound', 'no reply was seen')
  const seen = `seen ${pairs.length} of ${pairs.length}`
  const command = commonest(pairs.map(({ reply }) => reply.command))
  if (command?.count === pairs.length) draft.sure('outbound.pdu', command.value, seen)
  else draft.doubtful('outbound.pdu', command?.value, 'both were seen')
  learnPayload(pairs, draft)
  learnAddresses(pairs, draft)
  learnFields(pairs, draft, seen)
  learnActions(recording, pairs, draft)
  learnOrder(pairs, draft)
}

function learnPayload(pairs: readonly ReplyPair[], draft: Draft): void {
  const filled = pairs.filter(({ reply }) => payloadOf(reply).length > 0)
  const inPayload = filled.filter(({ reply }) => tlvOf(reply.tlvs, TAG.payload).length > 0).length
  if (filled.length === 0) return draft.untold('outbound.payload', 'no reply had a text')
  const value = inPayload > filled.length / 2 ? 'message_payload' : 'short_message'
  const long = value === 'short_message' && inPayload > 0
  if (filled[0]?.reply.command === 'data_sm')
    return draft.untold('outbound.payload', 'data_sm has no other field for it')
  draft.sure(
    'outbound.payload',
    value,
    long ? 'only long texts are in message_payload' : `seen ${filled.length} of ${filled.length}`,
  )
}

const number = (pdu: Pdu, field: string) => Number(pdu.body[field] ?? 0)
const string = (pdu: Pdu, field: string) => String(pdu.body[field] ?? '')

/** Each part of an address is either the other address of the message, or constant. */
function learnAddresses(pairs: readonly ReplyPair[], draft: Draft): void {
  const parts = [
    ['sourceTon', 'source_addr_ton', 'dest_addr_ton'],
    ['sourceNpi', 'source_addr_npi', 'dest_addr_npi'],
    ['destTon', 'dest_addr_ton', 'source_addr_ton'],
    ['destNpi', 'dest_addr_npi', 'source_addr_npi'],
  ] as const
  for (const [key, ours, theirs] of parts) {
    if (pairs.every(({ deliver, reply }) => number(reply, ours) === number(deliver, theirs))) continue
    const fixed = commonest(pairs.map(({ reply }) => number(reply, ours)))
    const path = `outbound.addr.${key}`
    if (fixed?.count === pairs.length) draft.sure(path, fixed.value, `seen ${pairs.length} of ${pairs.length}`)
    else draft.doubtful(path, fixed?.value, 'not that of the message, and not always the same')
  }
  const swapped = pairs.filter(
    ({ deliver, reply }) => string(reply, 'source_addr') === string(deliver, 'destination_addr'),
  )
  draft.sure('outbound.addr.swap', true, 'the reply goes to the source address of the message')
  if (swapped.length === pairs.length) return
  const fixed = commonest(pairs.map(({ reply }) => string(reply, 'source_addr')))
  if (fixed?.count === pairs.length)
    draft.sure('outbound.addr.source', fixed.value, `seen ${pairs.length} of ${pairs.length}`)
  else
    draft.doubtful('outbound.addr.source', fixed?.value, 'not the destination of the message, and not always the same')
}

function learnFields(pairs: readonly ReplyPair[], draft: Draft, seen: string): void {
  for (const [key, field] of [
    ['esmClass', 'esm_class'],
    ['registeredDelivery', 'registered_delivery'],
  ] as const) {
    const found = commonest(pairs.map(({ reply }) => number(reply, field)))
    if (found?.count === pairs.length) draft.sure(`outbound.${key}`, found.value, seen)
    else draft.doubtful(`outbound.${key}`, found?.value, 'different values were seen')
  }
  if (pairs[0]?.reply.command === 'data_sm') return draft.untold('outbound.validity', 'data_sm has none')
  if (draft.profile().inbound.session.from[0]?.field === 'validity_period') {
    const why = 'it holds the session number of the dialogue'
    return draft.sure('outbound.validity', 'none', why)
  }
  const times = pairs.map(({ reply }) => string(reply, 'validity_period'))
  const time = only(times)
  if (time !== undefined && time.length <= 16) {
    return draft.sure('outbound.validity', time === '' ? 'none' : time, seen)
  }
  const isEcho = pairs.every(({ deliver }, i) => string(deliver, 'validity_period') === times[i])
  if (isEcho) draft.sure('outbound.validity', 'echo', seen)
  else draft.doubtful('outbound.validity', 'none', 'different values were seen')
}

/** What a question and an end have: operation, service type, further parameters, parameters of the envelope. */
function learnActions(recording: PduRecording, pairs: readonly ReplyPair[], draft: Draft): void {
  const known = new Set([recording.opTag ?? TAG.op, TAG.payload, ...carriers(draft)])
  const isEcho = pairs.every(({ deliver, reply }) => string(reply, 'service_type') === string(deliver, 'service_type'))
  const fixed = only(pairs.map(({ reply }) => string(reply, 'service_type')))
  const seen = `seen ${pairs.length} of ${pairs.length}`
  if (isEcho) draft.sure('outbound.serviceType', 'echo', seen)
  else if (fixed !== undefined) draft.sure('outbound.serviceType', fixed, seen)
  for (const action of ['continue', 'end'] as const) {
    const own = pairs.filter(({ ends }) => ends === (action === 'end')).map(({ reply }) => reply)
    if (own.length === 0) {
      draft.untold(`outbound.actions.${action}`, `no ${action === 'end' ? 'last reply of ours' : 'question'} was seen`)
      if (draft.profile().inbound.op.from === undefined) omitOperation(action, draft)
      continue
    }
    const isTyped = !isEcho && fixed === undefined
    learnAction(`outbound.actions.${action}`, own, { draft, known, opTag: recording.opTag ?? TAG.op, isTyped })
  }
  learnOthers(draft)
}

function omitOperation(action: string, draft: Draft): void {
  draft.doubtful(`outbound.actions.${action}.op`, 'omit', 'none was seen, because the messages have no operation')
}

function carriers(draft: Draft): number[] {
  const { inbound, outbound } = draft.profile()
  const bare = outbound.session.bare ? [inbound.endBit.tlv] : []
  return [...inbound.session.from.flatMap((place) => place.tlv ?? []), ...bare]
}

interface ActionInput {
  draft: Draft
  known: ReadonlySet<number>
  opTag: number
  /** Whether the service type says which action it is. */
  isTyped: boolean
}

function learnAction(path: string, own: readonly Pdu[], { draft, known, opTag, isTyped }: ActionInput): void {
  const seen = `seen ${own.length} of ${own.length}`
  // A profile writes an operation as one octet. If it is longer (as digits, for example), it is an ordinary parameter.
  const isWide = own.some((pdu) => tlvOf(pdu.tlvs, opTag).length > 1)
  const ops = own.map((pdu) => (isWide ? 'omit' : (tlvOf(pdu.tlvs, opTag)[0] ?? 'omit')))
  const op = commonest<number | string>(ops)
  if (op?.count === own.length) draft.sure(`${path}.op`, op.value, seen)
  else draft.doubtful(`${path}.op`, op?.value, `also ${[...new Set(ops)].filter((it) => it !== op?.value).join(', ')}`)
  if (isTyped) {
    const type = commonest(own.map((pdu) => string(pdu, 'service_type')))
    if (type?.count === own.length) draft.sure(`${path}.serviceType`, type.value, seen)
    else draft.doubtful(`${path}.serviceType`, type?.value, 'different values were seen')
  }
  const extra = own.map((pdu) =>
    pdu.tlvs
      .filter(({ tag }) => !known.has(tag) || (isWide && tag === opTag))
      .map(({ tag, value }) => ({ tag, hex: value.toString('hex') })),
  )
  const same = only(extra.map((it) => JSON.stringify(it)))
  if (same !== undefined) draft.sure(`${path}.tlvs`, extra[0], seen)
  else draft.doubtful(`${path}.tlvs`, extra[0], 'they are not always the same')
}

/** Actions that were not seen are written like the nearest one that was. */
function learnOthers(draft: Draft): void {
  const { actions } = draft.profile().outbound
  const why = 'not seen; copied from the nearest that was'
  const like = { notify: actions.continue, 'push-begin': actions.continue, 'push-end': actions.end, abort: actions.end }
  for (const [name, { serviceType, endBit, tlvs, envelope, op }] of Object.entries(like)) {
    const usual = name === 'notify' && op !== 'omit' ? 3 : op
    draft.doubtful(
      `outbound.actions.${name}`,
      {
        op: usual,
        ...(serviceType === undefined ? {} : { serviceType }),
        endBit: endBit ?? null,
        tlvs,
        envelope,
      },
      why,
    )
  }
}

/** Parameters in the order in which they were seen. */
function learnOrder(pairs: readonly ReplyPair[], draft: Draft): void {
  const order: number[] = []
  for (const { reply } of pairs.toSorted((a, b) => b.reply.tlvs.length - a.reply.tlvs.length)) {
    const tags = reply.tlvs.map((tlv) => tlv.tag)
    for (const [at, tag] of tags.entries()) {
      if (order.includes(tag)) continue
      const next = tags.slice(at + 1).find((it) => order.includes(it))
      order.splice(next === undefined ? order.length : order.indexOf(next), 0, tag)
    }
  }
  const fits = pairs.filter(({ reply }) => {
    const ranks = reply.tlvs.map((tlv) => order.indexOf(tlv.tag))
    return ranks.every((rank, i) => i === 0 || rank > (ranks[i - 1] as number))
  }).length
  if (fits === pairs.length) draft.sure('outbound.tlvOrder', order, `seen ${fits} of ${fits}`)
  else draft.doubtful('outbound.tlvOrder', order, `only ${fits} of ${pairs.length} have this order`)
}

/** The parameters of our envelope. They come before the actions, which may differ by them. */
export function learnEnvelopeOut(recording: PduRecording, draft: Draft): void {
  const pairs = answered(recording)
  const envelopes = pairs.flatMap(({ reply, ends }) => {
    const envelope = readEnvelope(payloadOf(reply).toString('latin1'))
    return envelope ? [{ ...envelope, ends }] : []
  })
  const names = [...new Set(envelopes.flatMap(({ params }) => [...params.keys()]))]
  const valuesOf = (name: string, ends?: boolean) =>
    envelopes.filter((it) => ends === undefined || it.ends === ends).map(({ params }) => params.get(name) ?? '')
  const session = draft.profile().inbound.session.from[0]?.envelope
  const own = names.filter((name) => Number(name) !== session)
  const longest = own.toSorted((a, b) => valuesOf(b).join('').length - valuesOf(a).join('').length)[0] ?? '121'
  const rest = own.filter((name) => name !== longest)
  const fixed = rest.filter((name) => only(valuesOf(name)) !== undefined)
  const seen = `seen ${envelopes.length} of ${pairs.length}`
  draft.sure('outbound.text.wrap', 'comviva', seen)
  draft.sure(
    'outbound.text.envelope',
    {
      type: envelopes[0]?.type ?? '1',
      text: Number(longest),
      params: Object.fromEntries(fixed.map((name) => [name, valuesOf(name)[0] as string])),
    },
    seen,
  )
  for (const [action, ends] of [
    ['continue', false],
    ['end', true],
  ] as const) {
    const telling = rest.filter((name) => !fixed.includes(name) && only(valuesOf(name, ends)) !== undefined)
    const params = Object.fromEntries(telling.map((name) => [name, valuesOf(name, ends)[0] as string]))
    if (valuesOf(longest, ends).length > 0) draft.sure(`outbound.actions.${action}.envelope`, params, seen)
  }
}
