/** Handles the requests of ESMEs: binds, submits, queries. */
import type { Clock } from '../../ussd/index.ts'
import type { Pdu, Tlv } from '../../smpp/index.ts'
import type { Act, Chaos } from './chaos.ts'
import { integerField, octetsOfText, textField, tlv8, COMMAND_STATUS } from '../codec/index.ts'
import type { Deliveries } from './deliveries.ts'
import {
  absoluteTime,
  MESSAGE_STATES,
  receiptFor,
  wantsReceipt,
  type Messages,
  type MessageState,
  type ReceiptSettings,
  type StoredMessage,
} from './messages.ts'
import type { Network, DecodedSubmit, NetworkCoding } from '../network/index.ts'
import type { BindMode, Peer } from './peer.ts'
import type { Phone } from '../phone/index.ts'
import type { SmscOptions } from './smsc.ts'

export interface EsmeRequestsDeps {
  options: SmscOptions
  clock: Clock
  chaos: Chaos
  deliveries: Deliveries
  network: Network
  coding: NetworkCoding
  receipts: ReceiptSettings
  messages: Messages
  peers: ReadonlySet<Peer>
  phoneOf(digits: string): Phone
  onBind(peer: Peer): void
}

/** Returns a handler of requests. */
export function esmeRequests(deps: EsmeRequestsDeps): (peer: Peer, request: Pdu) => void {
  return (peer, request) => {
    const submit = decode(deps, request)
    const act = deps.chaos.pick(subjectOf(request, submit))
    if (act && spoils(peer, request, act)) return
    if (request.command.startsWith('bind_')) return bind(deps, peer, request, act)
    if (request.command === 'enquire_link') return peer.respond(request, {}, act)
    if (request.command === 'unbind') {
      peer.respond(request, {}, act)
      peer.to('unbinding')
      return peer.end()
    }
    const maySubmit = peer.state === 'bound' && peer.mode !== 'receiver'
    if (!maySubmit) return refuse(peer, request, COMMAND_STATUS.ESME_RINVBNDSTS)
    if (submit) return submitUssd({ parts: deps, peer, request, act }, submit)
    switch (request.command) {
      case 'submit_sm':
      case 'data_sm':
        return submitSms({ parts: deps, peer, request, act })
      case 'query_sm':
        return query(deps, peer, request)
      case 'cancel_sm':
        return cancel(deps, peer, request)
      case 'replace_sm':
        return replace(deps, peer, request)
      default:
        return peer.nack(request.sequence, COMMAND_STATUS.ESME_RINVCMDID)
    }
  }
}

function decode(deps: EsmeRequestsDeps, request: Pdu): DecodedSubmit | null {
  if (request.command !== 'submit_sm' && request.command !== 'data_sm') return null
  const destination = textField(request.body, 'destination_addr')
  const by = destination === '' ? null : (deps.network.open(deps.phoneOf(destination).msisdn)?.by ?? null)
  return deps.coding.decode(request, by)
}

interface Errand {
  parts: EsmeRequestsDeps
  peer: Peer
  request: Pdu
  act: Act | undefined
}

function subjectOf(request: Pdu, submit: DecodedSubmit | null): { on: string; msisdn?: string; lane?: 'ussd' | 'sms' } {
  if (request.command !== 'submit_sm' && request.command !== 'data_sm') return { on: request.command }
  const msisdn = textField(request.body, 'destination_addr').replace(/^\+/, '')
  return { on: request.command, msisdn, lane: submit ? 'ussd' : 'sms' }
}

/** Applies faults that prevent a request from being processed. */
function spoils(peer: Peer, request: Pdu, act: Act): boolean {
  switch (act.is) {
    case 'refuse':
      refuse(peer, request, act.status)
      return true
    case 'nack':
      peer.nack(request.sequence, act.status)
      return true
    case 'ignore':
      return true
    case 'close':
      if (act.when === 'before') peer.close()
      return act.when === 'before'
    case 'half-open':
      peer.halfOpen()
      return true
    default:
      return false
  }
}

function refuse(peer: Peer, request: Pdu, status: number): void {
  const hasBody = request.command === 'submit_sm' || request.command === 'data_sm'
  peer.respond(request, hasBody ? { status, body: {} } : { status })
}

function bind(deps: EsmeRequestsDeps, peer: Peer, request: Pdu, act: Act | undefined): void {
  const status = mayBind(deps, peer, request)
  if (status !== 0) {
    peer.respond(request, { status }, act)
    return peer.end()
  }
  peer.systemId = textField(request.body, 'system_id')
  peer.mode = request.command.slice('bind_'.length) as BindMode
  peer.to('bound')
  const name = deps.options.name ?? 'SIMULATOR'
  peer.respond(request, { body: { system_id: name }, tlvs: [tlv8(0x0210, 0x34)] }, act)
  deps.onBind(peer)
  if (peer.canReceive) deps.deliveries.flush()
}

function mayBind(deps: EsmeRequestsDeps, peer: Peer, request: Pdu): number {
  const { accounts, bindsMax } = deps.options
  const systemId = textField(request.body, 'system_id')
  if (peer.state !== 'open') return COMMAND_STATUS.ESME_RALYBND
  const account = accounts?.find((one) => one.systemId === systemId)
  if (accounts && !account) return COMMAND_STATUS.ESME_RINVSYSID
  const isWrong = account?.password !== undefined && account.password !== textField(request.body, 'password')
  if (isWrong) return COMMAND_STATUS.ESME_RINVPASWD
  const others = [...deps.peers].filter((one) => one.state === 'bound' && one.systemId === systemId).length
  return bindsMax !== undefined && others >= bindsMax ? COMMAND_STATUS.ESME_RALYBND : COMMAND_STATUS.ESME_ROK
}

function submitUssd({ parts, peer, request, act }: Errand, submit: DecodedSubmit): void {
  const respond = (status: number, tlvs: Tlv[] = []): void => {
    const body = status === 0 ? { message_id: `u${request.sequence}` } : {}
    peer.respond(request, { status, body, tlvs }, act)
  }
  const verdict = parts.network.receive(peer.systemId, submit, parts.phoneOf(submit.msisdn), respond)
  if ('status' in verdict) respond(verdict.status, verdict.tlvs)
}

function submitSms(errand: Errand): void {
  const { parts, peer, request, act } = errand
  const destination = textField(request.body, 'destination_addr')
  if (destination === '') return refuse(peer, request, COMMAND_STATUS.ESME_RINVDSTADR)
  const short = request.body['short_message']
  if (Buffer.isBuffer(short) && short.length > 254) return refuse(peer, request, COMMAND_STATUS.ESME_RINVMSGLEN)
  const message = parts.messages.store(peer.systemId, kept(request), parts.clock.now(), parts.receipts.idForms.response)
  const isEarly = parts.receipts.order === 'before-response'
  if (isEarly) conclude(parts, message)
  peer.respond(request, { body: { message_id: message.id } }, act)
  if (!isEarly) conclude(parts, message)
  if (parts.receipts.delayMs <= 0) arrive(parts, message)
}

/** The handset gets the message if it is on. */
function arrive(deps: EsmeRequestsDeps, message: StoredMessage): void {
  const phone = deps.phoneOf(textField(message.submitted.body, 'destination_addr'))
  if (!phone.isOff && octetsOfText(message.submitted).length) phone.receive(message.submitted, message.id)
}

/** A frame is a slice of what the socket read, so what outlives the request is copied. */
function kept(request: Pdu): Pdu {
  const short = request.body['short_message']
  return {
    ...request,
    body: { ...request.body, short_message: Buffer.isBuffer(short) ? Buffer.from(short) : undefined },
    tlvs: request.tlvs.map(({ tag, value }) => ({ tag, value: Buffer.from(value) })),
  }
}

/** The message reaches its final state, and the ESME is told if it asked. */
function conclude(deps: EsmeRequestsDeps, message: StoredMessage): void {
  const { receipts, clock } = deps
  const isOff = deps.phoneOf(textField(message.submitted.body, 'destination_addr')).isOff
  const state = isOff ? 'UNDELIV' : receipts.state
  if (receipts.intermediate) tell(deps, message, 'ENROUTE')
  const settle = (): void => {
    if (message.state === 'DELETED') return
    // Until then a waiting message may be cancelled or replaced.
    if (receipts.delayMs > 0) arrive(deps, message)
    message.state = state
    message.finalMs = clock.now()
    for (let i = 0; i < receipts.times; i++) tell(deps, message, state)
  }
  if (receipts.delayMs > 0) clock.after(receipts.delayMs, settle)
  else settle()
}

function tell(deps: EsmeRequestsDeps, message: StoredMessage, state: MessageState): void {
  if (!deps.receipts.send || !wantsReceipt(message.submitted, state)) return
  deps.deliveries.send({
    ...receiptFor(message, state, deps.receipts),
    systemId: message.systemId,
    msisdn: textField(message.submitted.body, 'destination_addr'),
    lane: 'sms',
    event: 'receipt',
    attempts: 0,
    done: () => undefined,
  })
}

function query(deps: EsmeRequestsDeps, peer: Peer, request: Pdu): void {
  const message = deps.messages.find(textField(request.body, 'message_id'))
  if (!message) return refuse(peer, request, COMMAND_STATUS.ESME_RQUERYFAIL)
  const error_code = message.state === 'DELIVRD' ? 0 : Number.parseInt(deps.receipts.error, 10) || 0
  const body = {
    message_id: message.id,
    final_date: absoluteTime(message.finalMs),
    message_state: MESSAGE_STATES[message.state],
    error_code,
  }
  peer.respond(request, { body })
}

/**
 * Replaces the text only: its coding and header stay. A message with a header, or with its text in a parameter, is
 * refused. (SMPP v3.4 §4.10)
 */
function replace(deps: EsmeRequestsDeps, peer: Peer, request: Pdu): void {
  const message = deps.messages.find(textField(request.body, 'message_id'))
  const isSame = message && textField(message.submitted.body, 'source_addr') === textField(request.body, 'source_addr')
  const hasHeader = message && (integerField(message.submitted.body, 'esm_class') & 0x40) !== 0
  const isPlain = message && !hasHeader && message.submitted.tlvs.every((it) => it.tag !== 0x0424)
  if (!isSame || !isPlain || message.state !== 'ENROUTE') return refuse(peer, request, COMMAND_STATUS.ESME_RREPLACEFAIL)
  const { short_message } = kept(request).body
  message.submitted = { ...message.submitted, body: { ...message.submitted.body, short_message } }
  peer.respond(request, {})
}

function cancel(deps: EsmeRequestsDeps, peer: Peer, request: Pdu): void {
  const message = deps.messages.find(textField(request.body, 'message_id'))
  if (!message || message.state !== 'ENROUTE') return refuse(peer, request, COMMAND_STATUS.ESME_RCANCELFAIL)
  message.state = 'DELETED'
  message.finalMs = deps.clock.now()
  peer.respond(request, {})
}
