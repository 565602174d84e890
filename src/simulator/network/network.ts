/** The network's side of USSD: one transaction per subscriber (3GPP TS 24.090), from dialling to the last text. */
import type { Clock } from '../../ussd/index.ts'
import type { Tlv } from '../../smpp/index.ts'
import { isOver, nameOfStatus, COMMAND_STATUS } from '../codec/index.ts'
import { transactions, type Transaction, type Transactions } from './transactions.ts'
import type { DecodedSubmit, NetworkDialogue, NetworkEvent, NetworkCoding, NetworkRequest } from './coding.ts'

/** What a handset shows. */
export interface HandsetScreen {
  text: string
  /** The handset waits for an answer. */
  open: boolean
  action: DecodedSubmit['action']
  alphabet: string
  /** Septets, UCS-2 units or octets of the text. */
  units: number
  /** Longer than a network carries: 182 septets, 80 UCS-2 units. A real network would cut or refuse it. */
  over: boolean
  dataCoding: number
  /** The network's name of the dialogue that the reply gave. Null: none. */
  id: string | null
  /** The session carrier of the reply, hex. */
  carrier: string
  /** The same text and carrier as the screen before: it was sent again. */
  repeat: boolean
}

/** How a handset takes part in its dialogue. */
export interface Handset {
  msisdn: string
  /** How the network writes the subscriber's number: [ton, npi, digits]. */
  source: [number, number, string]
  /** Whether the handset confirms a USSN by itself, as handsets do. */
  confirms: boolean
  isOff: boolean
  show(screen: HandsetScreen): void
  fail(why: string): void
}

/** A request to deliver to an ESME. */
export interface DeliverRequest extends NetworkRequest {
  /** '': any bound system id. */
  systemId: string
  msisdn: string
  lane: 'ussd' | 'sms'
  /** begin, input … or sms, receipt. */
  event: string
  /** How often it was sent. */
  attempts: number
  /** Called at the end: answered, given up or thrown away. */
  done(outcome: DeliveryOutcome): void
}

export type DeliveryOutcome = { kind: 'answered'; status: number } | { kind: 'given-up'; why: string }

export interface NetworkSettings {
  coding: NetworkCoding
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
  /** Ends the dialogue from the subscriber's or the network's side, and tells the ESME as the dialect does. */
  release(handset: Handset, event: 'abort' | 'timeout' | 'end'): void
  receive(systemId: string, submit: DecodedSubmit, handset: Handset, respond: (status: number) => void): SubmitVerdict
  open(msisdn: string): NetworkDialogue | undefined
  count(): number
}

export interface NetworkDeps {
  clock: Clock
  deliveries: { send(delivery: DeliverRequest): void }
}

export function network(settings: NetworkSettings, deps: NetworkDeps): Network {
  const { coding } = settings
  const live = transactions(coding, settings.firstNumber)
  const { say, release } = speaker(settings, deps, live)
  return {
    dial(handset, code, options = {}) {
      const before = live.of(handset.msisdn)
      if (before) live.close(before) // the network gives up the old dialogue and does not tell the ESME (24.090)
      const dialogue = coding.open({
        msisdn: handset.msisdn,
        source: handset.source,
        number: options.number ?? live.nextNumber(),
        code,
        by: 'subscriber',
        beginOp: options.beginOp ?? 1,
      })
      say(live.open(dialogue, options.systemId ?? ''), handset, 'begin')
    },
    answer(handset, text) {
      const transaction = live.of(handset.msisdn)
      if (!transaction) return
      transaction.withheld?.(0)
      transaction.withheld = undefined
      say(transaction, handset, 'input', text)
    },
    release,
    receive: listener(coding, live, say),
    open: (msisdn) => live.of(msisdn)?.dialogue,
    count: live.count,
  }
}

type Say = (transaction: Transaction, handset: Handset, event: NetworkEvent, typed?: string) => void

/** What the network tells the ESME: events, and at the end that the dialogue is over. */
function speaker({ coding, applicationMs }: NetworkSettings, { clock, deliveries }: NetworkDeps, live: Transactions) {
  const say: Say = (transaction, handset, event, typed = '') => {
    const exchange = ++transaction.exchange
    const awaits = event === 'begin' || event === 'input'
    transaction.callOff()
    if (awaits && applicationMs > 0) {
      transaction.callOff = clock.after(applicationMs, () => {
        release(handset, 'timeout')
        handset.fail(`the ESME did not answer within ${applicationMs} ms`)
      })
    }
    const done = (outcome: DeliveryOutcome): void => {
      const isGood = outcome.kind === 'answered' && outcome.status === 0
      const isOld = transaction.exchange !== exchange || live.of(handset.msisdn) !== transaction
      if (isGood || !awaits || isOld) return
      live.close(transaction)
      handset.fail(
        outcome.kind === 'answered'
          ? `the ESME refused the ${event}: ${nameOfStatus(outcome.status)}`
          : `the ${event} was not delivered: ${outcome.why}`,
      )
    }
    const spoken = coding.say(event, transaction.dialogue, typed)
    if (!spoken) return
    const { systemId } = transaction
    deliveries.send({ ...spoken, systemId, msisdn: handset.msisdn, lane: 'ussd', event, attempts: 0, done })
  }

  const release: Network['release'] = (handset, event) => {
    const transaction = live.of(handset.msisdn)
    if (!transaction) return
    say(transaction, handset, event)
    live.close(transaction)
  }

  return { say, release }
}

/** Handles what the ESME sends: for the open transaction, or a push that opens one. */
function listener(coding: NetworkCoding, live: Transactions, say: Say): Network['receive'] {
  /** A question or a notification that the ESME sends to a subscriber without a dialogue. */
  function pushed(systemId: string, submit: DecodedSubmit, handset: Handset): Transaction | undefined {
    const isLate = submit.id !== null && live.hasEnded(handset.msisdn, submit.id)
    if (submit.action === 'end' || submit.action === 'abort' || isLate) return undefined
    const dialogue = coding.open({
      msisdn: handset.msisdn,
      source: handset.source,
      number: live.nextNumber(),
      code: '',
      by: 'esme',
      beginOp: 2,
    })
    const named = submit.id === null ? {} : { id: submit.id, carrier: submit.carrier }
    return live.open({ ...dialogue, ...named, service: submit.service, serviceType: submit.serviceType }, systemId)
  }

  return (systemId, submit, handset, respond) => {
    if (handset.isOff) return { status: coding.goneStatus }
    const known = live.of(handset.msisdn)
    if (submit.action === 'unknown') return { status: COMMAND_STATUS.ESME_RINVOPTPARAMVAL }
    const isOther = known && submit.id !== null && known.dialogue.id !== '' && submit.id !== known.dialogue.id
    if (isOther) return { status: coding.goneStatus }
    const transaction = known ?? pushed(systemId, submit, handset)
    if (!transaction) return { status: coding.goneStatus }
    transaction.systemId = systemId
    if (submit.id !== null) transaction.dialogue.carrier = submit.carrier
    transaction.callOff()
    if (submit.action === 'end' || submit.action === 'abort') live.close(transaction, 0)
    handset.show(screenOf(transaction, submit))
    // After the submit_sm_resp: handsets are slower than gateways.
    if (submit.action === 'notify' && handset.confirms) queueMicrotask(() => say(transaction, handset, 'notify-ack'))
    const isOneShot = !known && submit.action === 'notify'
    if (isOneShot) live.close(transaction)
    if (submit.action !== 'ask' || coding.submitResp === 'prompt' || !live.of(handset.msisdn)) {
      return { status: 0, tlvs: known ? [] : coding.grant(transaction.dialogue) }
    }
    transaction.withheld = respond
    return { withheld: true }
  }
}

function screenOf(transaction: Transaction, submit: DecodedSubmit): HandsetScreen {
  const carrier = submit.carrier.toString('hex')
  const { text, alphabet, units } = submit.decoding
  const repeat = transaction.last?.text === text && transaction.last.carrier === carrier
  transaction.last = { text, carrier }
  return {
    text,
    alphabet,
    units,
    over: isOver(submit.decoding),
    open: submit.action === 'ask',
    action: submit.action,
    dataCoding: submit.dataCoding,
    id: submit.id,
    carrier,
    repeat,
  }
}
