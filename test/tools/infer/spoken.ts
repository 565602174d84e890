/** Dialogues that a dialect's own network and its own daemon have with each other, as frames of a capture. */
import { compileDialect } from '../../../src/smpp/dialect/dialect.ts'
import type { DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { encode, encodeResponse } from '../../../src/smpp/pdu/codec.ts'
import { decode } from '../../../src/smpp/pdu/codec.ts'
import type { Pdu, PduBody, Tlv } from '../../../src/smpp/types.ts'
import type { Chance, UssdAction, UssdMessage, UssdReply } from '../../../src/ussd/vocabulary.ts'
import { capturedFrames, type Captured, type Frame, type Side } from '../../../src/tools/capture/captured.ts'
import { profileCoding } from '../../../src/simulator/network/profile-encoder.ts'
import type { NetworkDialogue } from '../../../src/simulator/network/coding.ts'

export interface SpokenTurn {
  deliver: Pdu
  message: UssdMessage
  reply?: UssdReply
  submit?: Pdu
}

export interface Spoken {
  profile: DialectProfile
  pdus: Captured[]
  /** One list of turns a dialogue. */
  dialogues: SpokenTurn[][]
}

const MENUS = [
  'Welcome to Akiba\n1. Balance\n2. Buy airtime\n0. Exit',
  'Enter amount (5-20):',
  'Your name, please',
  'Choose a day\n1. Monday 5 May\n2. Tuesday 6 May',
  'Баланс: 120\n1. Далее',
  'PIN @ home_1 [4]?',
]
const ENDS = ['Thank you. Goodbye!', 'Bought. Thank you.\nYour balance is 120.', 'Спасибо!']
const TYPED = ['1', '2', '0', '15', 'John', 'Mary Ann', '*5']

type Plan = { msisdn: string; code: string; turns: number; by: 'esme' | 'subscriber' }

/** null: the network of such a dialect cannot speak it, or does not understand its own daemon. */
export function speak(profile: DialectProfile, chance: Chance): Spoken | null {
  const dialect = compileDialect(profile, { chance })
  const coding = profileCoding(profile)
  const tape = recorder(profile)
  const first = Math.floor(chance() * Math.min(coding.numbers, 60_000))
  const plans = plansOf(chance)
  const noise = noiseOf(chance)
  const dialogues: SpokenTurn[][] = []
  const live = plans.map((plan, i) => {
    const number = (first + i * (1 + Math.floor(chance() * 40))) % coding.numbers || 1
    const source: [number, number, string] = [1, 1, plan.msisdn]
    const dialogue = coding.open({ msisdn: plan.msisdn, source, number, code: plan.code, by: 'subscriber', beginOp: 1 })
    const turns: SpokenTurn[] = []
    dialogues.push(turns)
    return { plan, dialogue, turns, begin: undefined as UssdMessage | undefined }
  })
  // The last dialogue is the first subscriber's second: it begins when all others are over.
  const queue = live.slice(0, -1)
  const later = live.slice(-1)
  while (queue.length > 0 || later.length > 0) {
    if (queue.length === 0) queue.push(...later.splice(0))
    const at = Math.floor(chance() * queue.length)
    const done = turn(queue[at] as Live)
    if (done === null) return null
    if (done) queue.splice(at, 1)
  }
  return { profile, pdus: capturedFrames(tape.frames).pdus, dialogues }

  /** One message and its reply; true: the dialogue is over; null: it cannot be spoken. */
  function turn(it: Live): boolean | null {
    const { plan, dialogue, turns } = it
    const isBegin = turns.length === 0
    const isAbort = plan.by === 'subscriber' && turns.length === plan.turns
    const typed = (turns.length === 1 ? TYPED.slice(0, -1) : TYPED)[Math.floor(chance() * (TYPED.length - 1))] as string
    const said = coding.say(isBegin ? 'begin' : isAbort ? 'abort' : 'input', dialogue, typed)
    // Some networks say nothing of a hang-up.
    if (!said) return isAbort ? true : null
    if (noise.sms && chance() < 0.3) smsBetween(plan.msisdn)
    const deliver = tape.request('smsc', { ...said, tlvs: [...said.tlvs, ...noise.tlvs(plan.msisdn)] })
    const read = deliver && dialect.read(deliver)
    if (!read || read.is !== 'ussd') return null
    const { kind, network, code } = read.message
    if (
      isBegin ? kind !== 'begin' || code !== plan.code : isAbort ? kind !== 'abort' && kind !== 'end' : kind !== 'input'
    )
      return null
    it.begin ??= read.message
    if (network !== it.begin.network) return null
    const entry: SpokenTurn = { deliver, message: read.message }
    turns.push(entry)
    if (isAbort) return tape.abort(deliver) ?? true
    return answer(it, entry)
  }

  /** An SMS of the subscriber's to the same service, or one of ours to him and its receipt. */
  function smsBetween(msisdn: string): void {
    const there = { source_addr: msisdn, destination_addr: '8080', source_addr_ton: 1, source_addr_npi: 1 }
    const back = { source_addr: 'Akiba', destination_addr: msisdn, source_addr_ton: 5, registered_delivery: 1 }
    const said = Buffer.from('STOP')
    if (chance() < 0.5)
      return void tape.request('smsc', { command: 'deliver_sm', body: { ...there, short_message: said }, tlvs: [] })
    tape.request('esme', {
      command: 'submit_sm',
      body: { ...back, short_message: Buffer.from('Tomorrow at 10:00') },
      tlvs: [],
    })
    const receipt = Buffer.from(
      'id:77 sub:001 dlvrd:001 submit date:2505011200 done date:2505011201 stat:DELIVRD err:000 text:',
    )
    tape.request('smsc', { command: 'deliver_sm', body: { ...there, esm_class: 4, short_message: receipt }, tlvs: [] })
  }

  function answer(it: Live, entry: SpokenTurn): boolean | null {
    const { plan, dialogue, turns } = it
    const ends = plan.by === 'esme' && turns.length === plan.turns
    const action: UssdAction = ends ? 'end' : 'continue'
    const pages = ends ? ENDS : MENUS
    const reply = { action, text: pages[Math.floor(chance() * pages.length)] as string }
    const submit = tape.reply(entry.deliver, dialect.write(reply, entry.message.returnPath).pdu, ends)
    const heard = submit && coding.decode(submit, 'subscriber')
    if (!heard || heard.action !== (ends ? 'end' : 'ask') || heard.msisdn !== plan.msisdn) return null
    if (heard.id !== null && dialogue.id !== '' && heard.id !== dialogue.id) return null
    if (heard.id !== null) dialogue.carrier = heard.carrier
    Object.assign(entry, { reply, submit })
    return ends
  }

  type Live = { plan: Plan; dialogue: NetworkDialogue; turns: SpokenTurn[]; begin: UssdMessage | undefined }
}

interface Noise {
  sms: boolean
  tlvs(msisdn: string): Tlv[]
}

/** What has nothing to do with the dialect: the subscriber's IMSI, the cell, a time stamp; SMS on the same bind. */
function noiseOf(chance: Chance): Noise {
  const [imsi, cell, stamp] = [chance() < 0.4, chance() < 0.3, chance() < 0.25]
  return {
    sms: chance() < 0.25,
    tlvs: (msisdn) => [
      ...(imsi ? [{ tag: 0x4201, value: Buffer.from(`53701${msisdn.slice(-10)}`, 'latin1') }] : []),
      ...(cell ? [{ tag: 0x4202, value: Buffer.from('0535f9012c', 'hex') }] : []),
      ...(stamp ? [{ tag: 0x4203, value: Buffer.from([0x67, 0xf3, chance() * 256, chance() * 256]) }] : []),
    ],
  }
}

/** Two subscribers and a second dialogue of the first; one is ended by the daemon, one by the subscriber at least. */
function plansOf(chance: Chance): Plan[] {
  const turns = () => 2 + Math.floor(chance() * 4)
  const msisdns = ['67570000001', '67570000002', '67570000003', '67570000001']
  const bys = (['esme', 'subscriber', chance() < 0.5 ? 'esme' : 'subscriber', 'esme'] as const).slice(0, 3)
  const order = chance() < 0.5 ? [0, 1, 3] : [1, 0, 3]
  return order.map((who, i) => ({
    msisdn: msisdns[who] as string,
    turns: turns(),
    by: bys[i] as 'esme' | 'subscriber',
    code: i === 1 ? '*123*2#' : '*123#',
  }))
}

/** Writes what both sides send, with the responses in the dialect's order. */
function recorder(profile: DialectProfile) {
  const frames: Frame[] = []
  const sequences = { smsc: 100, esme: 1 }
  let atMs = 1_746_054_000_000
  /** What the network owes: the response to a question that it withholds, by subscriber. */
  const withheld = new Map<string, { sequence: number; command: string }>()
  const put = (from: Side, octets: Buffer) => void frames.push({ atMs: (atMs += 40), link: 'a', from, octets })
  const { deliverResp, submitResp } = profile.responses

  function request(from: Side, pdu: { command: string; body: PduBody; tlvs: Tlv[] }): Pdu | null {
    const coded = encode({ ...pdu, sequence: sequences[from]++ })
    if ('fault' in coded) return null
    const { pdu: read } = decode(coded.octets)
    const owed = from === 'smsc' ? withheld.get(String(read.body.source_addr)) : undefined
    if (from === 'smsc') atMs += 3_000
    // The handset has answered: first the response that was owed, then the answer.
    if (owed) put('smsc', encodeResponse(owed.command, 0, owed.sequence))
    put(from, coded.octets)
    if (from === 'smsc') withheld.delete(String(read.body.source_addr))
    return read
  }

  return {
    frames,
    request,
    abort: (deliver: Pdu) => void put('esme', encodeResponse(deliver.command, 0, deliver.sequence)),
    reply(deliver: Pdu, pdu: { command: string; body: PduBody; tlvs: Tlv[] }, ends: boolean): Pdu | null {
      const ack = () => put('esme', encodeResponse(deliver.command, 0, deliver.sequence))
      if (deliverResp === 'immediate') ack()
      const submit = request('esme', pdu)
      if (!submit) return null
      if (deliverResp === 'after-submit') ack()
      if (submitResp === 'withheld' && !ends) {
        withheld.set(String(submit.body.destination_addr), submit)
        if (deliverResp === 'after-submit-resp') ack()
        return submit
      }
      put('smsc', encodeResponse(submit.command, 0, submit.sequence))
      if (deliverResp === 'after-submit-resp') ack()
      return submit
    },
  }
}
