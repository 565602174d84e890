/**
 * Whether an inferred profile behaves as the dialect that was spoken: it reads every message as the same, and writes
 * every reply as the same octets. Where it does not, the field that is to blame must have been marked doubtful.
 */
import { isDoubted, type Draft } from '../../../src/tools/infer/draft.ts'
import { compileDialect, payloadOf } from '../../../src/smpp/dialect/dialect.ts'
import { tlvOf } from '../../../src/smpp/dialect/carrier.ts'
import type { DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { decode, encode } from '../../../src/smpp/pdu/codec.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import type { UssdReply } from '../../../src/ussd/vocabulary.ts'
import type { Spoken } from './spoken.ts'

export interface Difference {
  /** The field that is to blame. */
  path: string
  what: string
  doubted: boolean
}

export function judge(spoken: Spoken, draft: Draft): Difference[] {
  const dialect = compileDialect(draft.profile())
  const differences = new Map<string, Difference>()
  const say = (path: string, what: string) => differences.set(path, { path, what, doubted: isDoubted(draft, path) })
  const names = new Map<string, string>()
  for (const { deliver, message, reply, submit } of spoken.dialogues.flat()) {
    const read = dialect.read(deliver)
    if (read.is !== 'ussd') {
      say('inbound.classify', `a ${message.kind} is read as ${read.is}`)
      continue
    }
    const own = read.message
    if (closing(own.kind) !== closing(message.kind)) say('inbound.classify', `a ${message.kind} is read as ${own.kind}`)
    if (own.code !== message.code) say('inbound.code', `${message.code} is read as ${own.code}`)
    if (own.text !== message.text)
      say('inbound.text', `${JSON.stringify(message.text)} is read as ${JSON.stringify(own.text)}`)
    if (own.step !== message.step) say('inbound.session.step', `${message.step} is read as ${own.step}`)
    if ((own.network === '') !== (message.network === ''))
      say('inbound.session.from', `'${message.network}' is read as '${own.network}'`)
    if ((names.get(own.network) ?? message.network) !== message.network)
      say('inbound.session', 'two dialogues have one name')
    names.set(own.network, message.network)
    if (!reply || !submit) continue
    const written = encode({ ...dialect.write(reply, own.returnPath).pdu, sequence: submit.sequence })
    if ('fault' in written) say('outbound', written.fault)
    else compare(submit, decode(written.octets).pdu, { reply, profile: spoken.profile, inferred: draft.profile(), say })
  }
  const given = new Set(names.values())
  if (given.size !== names.size) say('inbound.session', 'one dialogue has two names')
  const { responses } = draft.profile()
  for (const habit of ['deliverResp', 'submitResp'] as const) {
    const truth = spoken.profile.responses[habit]
    if (responses[habit] !== truth) say(`responses.${habit}`, `${truth} is taken for ${responses[habit]}`)
  }
  return [...differences.values()]
}

/** Whether the network or the subscriber ended it is not in the octets. */
function closing(kind: string): string {
  return kind === 'abort' || kind === 'end' || kind === 'timeout' ? 'over' : kind
}

interface Deps {
  reply: UssdReply
  profile: DialectProfile
  inferred: DialectProfile
  say(path: string, what: string): void
}

/** Names the field of the profile that made each difference between the two PDUs. */
function compare(truth: Pdu, own: Pdu, { reply, profile, inferred, say }: Deps): void {
  if (truth.command !== own.command) say('outbound.pdu', `${truth.command} is written as ${own.command}`)
  const fields: Record<string, string> = {
    service_type: profile.outbound.actions[reply.action].serviceType
      ? `outbound.actions.${reply.action}.serviceType`
      : 'outbound.serviceType',
    source_addr_ton: 'outbound.addr.sourceTon',
    source_addr_npi: 'outbound.addr.sourceNpi',
    source_addr: 'outbound.addr.source',
    dest_addr_ton: 'outbound.addr.destTon',
    dest_addr_npi: 'outbound.addr.destNpi',
    destination_addr: 'outbound.addr.swap',
    esm_class: 'outbound.esmClass',
    registered_delivery: 'outbound.registeredDelivery',
    validity_period: 'outbound.validity',
    data_coding: isWide(reply.text) ? 'outbound.text.ucs2' : 'outbound.text.gsm7',
  }
  for (const [field, path] of Object.entries(fields)) {
    if (String(truth.body[field]) !== String(own.body[field]))
      say(path, `${field} ${truth.body[field]} is written as ${own.body[field]}`)
  }
  const [a, b] = [payloadOf(truth), payloadOf(own)]
  if (!a.equals(b)) {
    const path = isWide(reply.text)
      ? 'outbound.text.ucs2'
      : reply.text.includes('\n')
        ? 'outbound.text.newline'
        : 'outbound.text.gsm7'
    say(path, `${a.toString('hex').slice(0, 60)} is written as ${b.toString('hex').slice(0, 60)}`)
  }
  const inPayload = (pdu: Pdu) => tlvOf(pdu.tlvs, 0x0424).length > 0
  if (inPayload(truth) !== inPayload(own)) say('outbound.payload', 'the other place of the text')
  const isRandom = profile.outbound.session.randomSeq && inferred.outbound.session.randomSeq
  const sessionTag = profile.inbound.session.from[0]?.tlv
  const opTag = profile.inbound.op.from?.tlv ?? 0x0501
  const tags = new Set([...truth.tlvs, ...own.tlvs].map((tlv) => tlv.tag))
  for (const tag of tags) {
    const [x, y] = [tlvOf(truth.tlvs, tag), tlvOf(own.tlvs, tag)].map((value) =>
      isRandom && tag === sessionTag ? value.subarray(0, 1) : value,
    )
    if (tag === 0x0424 || x!.equals(y!)) continue
    const path =
      tag === opTag
        ? `outbound.actions.${reply.action}.op`
        : tag === sessionTag
          ? 'outbound.session'
          : tag === profile.inbound.endBit.tlv
            ? 'outbound.session.bare'
            : `outbound.actions.${reply.action}.tlvs`
    say(path, `0x${tag.toString(16)} ${x!.toString('hex')} is written as ${y!.toString('hex')}`)
  }
  const order = (pdu: Pdu) => pdu.tlvs.map((tlv) => tlv.tag).join()
  if (order(truth) !== order(own)) say('outbound.tlvOrder', `${order(truth)} is written as ${order(own)}`)
}

function isWide(text: string): boolean {
  return /[^\x00-\x7f]/.test(text)
}
