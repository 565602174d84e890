/** The network's side of USSD: one transaction a subscriber (3GPP TS 24.090), from dialling to the last text. */
import type { Clock } from '../../ussd/index.ts'
import type { Tlv } from '../../smpp/index.ts'
import { isOver, nameOfStatus, STATUS } from '../codec/index.ts'
import type { DecodedSubmit, NetworkDialogue, NetworkEvent, NetworkCoding, NetworkRequest } from './coding.ts'

/** What a handset shows. */
export interface HandsetScreen {
  text: string
  /** An answer is awaited. */
  open: boolean
  action: DecodedSubmit['action']
  alphabet: string
  /** Septets, UCS-2 units or octets of the text. */
  units: number
  /** Longer than the air carries: 182 septets, 80 UCS-2 units. A real network would cut or refuse it. */
  over: boolean
  dataCoding: number
  /** The network's name of the dialogue that the reply gave; null: none. */
  id: string | null
  /** The session carrier that came with it, hex. */
  carrier: string
  /** The same text and carrier as the screen before: sent again. */
  repeat: boolean
}

/** What becomes of one subscriber's dialogue. */
export interface Handset {
  msisdn: string
  /** How the network writes the subscriber: [ton, npi, digits]. */
  source: [number, number, string]
  /** Whether a USSN is confirmed by itself, as handsets do. */
  confirms: boolean
  isOff: boolean
  show(screen: HandsetScreen): void
  fail(why: string): void
}

/** What is to be delivered to an ESME. */
export interface DeliverRequest extends NetworkRequest {
  /** '' : any system id that is bound. */
  systemId: string
  msisdn: string
  lane: 'ussd' | 'sms'
  /** begin, input … or sms, receipt. */
  event: string
  /** Times it went out. */
  attempts: number
  /** Called when it is over: answered, given up or thrown away. */
  done(outcome: DeliveryOutcome): void
}

export type DeliveryOutcome = { kind: 'answered'; status: number } | { kind: 'given-up'; why: string }

export interface NetworkSettings {
  voice: NetworkCoding
  /** How long the ESME may take for an answer; then the network ends the dialogue. 0: for ever. */
  applicationMs: number
  firstNumber: number
}

/** The answer to a submit. withheld: it comes later. */
export type SubmitVerdict = { status: number; tlvs?: Tlv[] } | { withheld: true }

export interface Network {
  dial(
    handset: Handset,
    code: string,
    options?: { beginOp?: number | undefined; number?: number | undefined; systemId?: string | undefined },
  ): void
  answer(handset: Handset, text: string): void
  /** Ends the dialogue from the subscriber's or the network's side and tells the ESME in the dialect's way. */
  release(handset: Handset, event: 'abort' | 'timeout' | 'end'): void
  hear(systemId: string, heard: DecodedSubmit, handset: Handset, respond: (status: number) => void): SubmitVerdict
  open(msisdn: string): NetworkDialogue | undefined
  count(): number
}

interface Entry {
  dialogue: NetworkDialogue
  systemId: string
  asked: boolean
  /** Counts what was said to the ESME, so that a late outcome does not end what has gone on. */
  exchange: number
  callOff: () => void
  withheld: ((status: number) => void) | undefined
  last: { text: string; carrier: string } | undefined
}

/** A submit for one of a subscriber's last few dialogues is late, not a push. */
const ENDED_MAX = 4
/** Subscribers whose last dialogues are remembered. */
const SUBSCRIBERS_MAX = 100_000

export function network(
  settings: NetworkSettings,
  parts: { clock: Clock; deliveries: { send(delivery: DeliverRequest): void } },
): Network {
  const { voice } = settings
  const entries = new Map<string, Entry>()
  const ended = new Map<string, string[]>()
  let number = settings.firstNumber

  function say(entry: Entry, handset: Handset, event: NetworkEvent, typed = ''): void {
    const exchange = ++entry.exchange
    const awaits = event === 'begin' || event === 'input'
    entry.callOff()
    if (awaits && settings.applicationMs > 0) {
      entry.callOff = parts.clock.after(settings.applicationMs, () => {
        release(handset, 'timeout')
        handset.fail(`the ESME gave no answer in ${settings.applicationMs} ms`)
      })
    }
    const done = (outcome: DeliveryOutcome): void => {
      const isGood = outcome.kind === 'answered' && outcome.status === 0
      if (isGood || !awaits || entry.exchange !== exchange || entries.get(handset.msisdn) !== entry) return
      close(entry)
      handset.fail(
        outcome.kind === 'answered'
          ? `the ESME refused the ${event}: ${nameOfStatus(outcome.status)}`
          : `the ${event} was not delivered: ${outcome.why}`,
      )
    }
    const spoken = voice.say(event, entry.dialogue, typed)
    if (!spoken) return
    parts.deliveries.send({
      ...spoken,
      systemId: entry.systemId,
      msisdn: handset.msisdn,
      lane: 'ussd',
      event,
      attempts: 0,
      done,
    })
  }

  function close(entry: Entry, status = voice.goneStatus): void {
    const { msisdn, id } = entry.dialogue
    entry.callOff()
    entry.withheld?.(status)
    entry.withheld = undefined
    if (entries.get(msisdn) === entry) entries.delete(msisdn)
    if (id === '') return
    ended.set(msisdn, [...(ended.get(msisdn) ?? []).filter((other) => other !== id), id].slice(-ENDED_MAX))
    if (ended.size > SUBSCRIBERS_MAX) ended.delete(ended.keys().next().value!)
  }

  function opened(dialogue: NetworkDialogue, systemId: string): Entry {
    const entry: Entry = {
      dialogue,
      systemId,
      asked: false,
      exchange: 0,
      callOff: () => undefined,
      withheld: undefined,
      last: undefined,
    }
    entries.set(dialogue.msisdn, entry)
    const gone = ended.get(dialogue.msisdn)
    if (gone)
      ended.set(
        dialogue.msisdn,
        gone.filter((id) => id !== dialogue.id),
      )
    return entry
  }

  function release(handset: Handset, event: 'abort' | 'timeout' | 'end'): void {
    const entry = entries.get(handset.msisdn)
    if (!entry) return
    say(entry, handset, event)
    close(entry)
  }

  /** A question or a notification of the ESME's own, to a subscriber who has no dialogue. */
  function pushed(systemId: string, heard: DecodedSubmit, handset: Handset): Entry | undefined {
    const isLate = heard.id !== null && (ended.get(handset.msisdn) ?? []).includes(heard.id)
    if (heard.action === 'end' || heard.action === 'abort' || isLate) return undefined
    const dialogue = voice.open({
      msisdn: handset.msisdn,
      source: handset.source,
      number: next(),
      code: '',
      by: 'esme',
      beginOp: 2,
    })
    const named = heard.id === null ? {} : { id: heard.id, carrier: heard.carrier }
    return opened({ ...dialogue, ...named, service: heard.service, serviceType: heard.serviceType }, systemId)
  }

  function next(): number {
    const given = number
    number = (number + 1) % voice.numbers
    return given
  }

  function show(entry: Entry, heard: DecodedSubmit, handset: Handset): void {
    const carrier = heard.carrier.toString('hex')
    const { text, alphabet, units } = heard.decoding
    const repeat = entry.last?.text === text && entry.last.carrier === carrier
    entry.last = { text, carrier }
    handset.show({
      text,
      alphabet,
      units,
      over: isOver(heard.decoding),
      open: heard.action === 'ask',
      action: heard.action,
      dataCoding: heard.dataCoding,
      id: heard.id,
      carrier,
      repeat,
    })
  }

  return {
    dial(handset, code, options = {}) {
      const before = entries.get(handset.msisdn)
      if (before) close(before) // the network has given up the old one; nobody tells the ESME (24.090)
      const dialogue = voice.open({
        msisdn: handset.msisdn,
        source: handset.source,
        number: options.number ?? next(),
        code,
        by: 'subscriber',
        beginOp: options.beginOp ?? 1,
      })
      say(opened(dialogue, options.systemId ?? ''), handset, 'begin')
    },
    answer(handset, text) {
      const entry = entries.get(handset.msisdn)
      if (!entry) return
      entry.asked = false
      entry.withheld?.(0)
      entry.withheld = undefined
      say(entry, handset, 'input', text)
    },
    release,
    hear(systemId, heard, handset, respond) {
      if (handset.isOff) return { status: voice.goneStatus }
      const known = entries.get(handset.msisdn)
      if (heard.action === 'unknown') return { status: STATUS.ESME_RINVOPTPARAMVAL }
      const isOther = known && heard.id !== null && known.dialogue.id !== '' && heard.id !== known.dialogue.id
      if (isOther) return { status: voice.goneStatus }
      const entry = known ?? pushed(systemId, heard, handset)
      if (!entry) return { status: voice.goneStatus }
      entry.systemId = systemId
      if (heard.id !== null) entry.dialogue.carrier = heard.carrier
      entry.callOff()
      const isOneShot = !known && heard.action === 'notify'
      if (heard.action === 'ask') entry.asked = true
      if (heard.action === 'end' || heard.action === 'abort') close(entry, 0)
      show(entry, heard, handset)
      // After the submit_sm_resp, as handsets are slower than gateways.
      if (heard.action === 'notify' && handset.confirms) queueMicrotask(() => say(entry, handset, 'notify-ack'))
      if (isOneShot) close(entry)
      if (heard.action !== 'ask' || voice.submitResp === 'prompt' || !entries.has(handset.msisdn)) {
        return { status: 0, tlvs: known ? [] : voice.grant(entry.dialogue) }
      }
      entry.withheld = respond
      return { withheld: true }
    },
    open: (msisdn) => entries.get(msisdn)?.dialogue,
    count: () => entries.size,
  }
}
