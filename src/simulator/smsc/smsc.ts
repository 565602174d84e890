/** A simulated SMSC and USSD gateway: ESMEs bind to it, phones dial through it, and it misbehaves on request. */
import type { Chance, Clock } from '../../ussd/index.ts'
import { chaos as newChaos, type Chaos } from './chaos.ts'
import { deliveries as newDeliveries, type Deliveries, type DeliverySettings } from './deliveries.ts'
import { esmeRequests } from './esme-requests.ts'
import { smscEvents, type SimBindRow, type SmscEvent } from './events.ts'
import { bindRowOf, listenAt, smscLinks, type Listen, type ListenOptions } from './links.ts'
import { messages as newMessages, RECEIPTS, type ReceiptSettings } from './messages.ts'
import { network as newNetwork, type Network, standardCoding, type NetworkCoding } from '../network/index.ts'
import type { Peer } from './peer.ts'
import { phoneBook } from './phone-book.ts'
import type { Phone } from '../phone/index.ts'
import { createTrace as newTrace, type Traced } from './trace.ts'

/** Where it listens. Default: 127.0.0.1 and a free port. */
export interface SmscOptions extends ListenOptions {
  clock: Clock
  chance: Chance
  /** How this network codes USSD. Default: the standard reading. */
  coding?: NetworkCoding
  /** Who may bind. Absent: everybody. */
  accounts?: { systemId: string; password?: string }[] | undefined
  /** How many binds one system id may have; a further one is refused with ESME_RALYBND. Default: no limit. */
  bindsMax?: number
  /** The system_id in bind responses. */
  name?: string
  deliveries?: Partial<DeliverySettings>
  receipts?: Partial<ReceiptSettings>
  /** The interval of enquire_link; two without an answer close the link. Default 0: never. */
  enquireMs?: number
  /** How long a phone waits for a screen or an SMS. Default 10 000. */
  screenMs?: number
  /** How many SMS a phone keeps. Default 500. */
  inboxMax?: number
  /** How many lines of its story a phone keeps. Default 300. */
  storyMax?: number
  /** How long the ESME may take for an answer; then the network ends the dialogue. Default 0: for ever. */
  applicationMs?: number
  /** The network's number of the first dialogue. Default 1. */
  firstNumber?: number
  /** How many PDUs are kept. Default 2 000; 0: none. */
  traceMax?: number
  /** Where connections come from. Default: TCP or TLS, at `host` and `port`. */
  listen?: Listen
}

export interface Smsc {
  readonly port: number
  readonly chaos: Chaos
  /** May be changed while it runs. */
  readonly receipts: ReceiptSettings
  readonly deliveries: Deliveries
  readonly network: Network
  readonly coding: NetworkCoding
  /** The same phone for the same MSISDN, created at its first use. `source`: how the network writes the number. */
  phone(msisdn: string, source?: [number, number, string]): Phone
  phones(): Phone[]
  /** The bound connections, oldest first. */
  binds(): SimBindRow[]
  /** Every open connection, for closing, cutting, unbinding and raw octets: `write(Buffer.from(hex, 'hex'))`. */
  peers(): Peer[]
  /** Resolves when this many binds are up. */
  bound(count: number, withinMs?: number): Promise<void>
  watch(listener: (event: SmscEvent) => void): () => void
  trace(): Traced[]
  /** Gets whole frames before they are decoded. True: handled. For load runs, where decoding costs too much. */
  readonly hook: { onFrame: ((peer: Peer, frame: Buffer) => boolean) | null }
  /** Responses to no open request. */
  readonly strays: { count: number }
  stop(): Promise<void>
}

const DELIVERIES: DeliverySettings = {
  choose: 'round-robin',
  responseMs: 30_000,
  attemptsMax: 5,
  heldMax: 10_000,
  temporaryMs: 0,
}

export async function startSmsc(options: SmscOptions): Promise<Smsc> {
  const { clock, chance, applicationMs = 0, firstNumber = 1, screenMs = 10_000, inboxMax, storyMax } = options
  const events = smscEvents()
  const { emit, watch } = events
  const coding = options.coding ?? standardCoding()
  const receipts: ReceiptSettings = { ...RECEIPTS, ...options.receipts }
  const strays = { count: 0 }
  const hook: Smsc['hook'] = { onFrame: null }
  const traced = newTrace(options.traceMax ?? 2_000, clock, (one) => emit({ is: 'pdu', traced: one }))
  const links = smscLinks({
    clock,
    events,
    hooks: {
      onRequest: (peer, pdu) => onRequest(peer, pdu),
      onFrame: (peer, frame) => hook.onFrame !== null && hook.onFrame(peer, frame),
      tap: traced.record,
      onStray: () => void strays.count++,
    },
  })
  const { peers } = links
  const chaos = newChaos(chance, () => emit({ is: 'fault' }))
  const deliverySettings = { ...DELIVERIES, ...options.deliveries }
  const deliveries = newDeliveries(deliverySettings, { clock, chance, chaos, peers: () => peers })
  const network = newNetwork({ coding, applicationMs, firstNumber }, { clock, deliveries })
  const phones = phoneBook({ clock, screenMs, inboxMax, storyMax, network, deliveries, emit })
  const onRequest = esmeRequests({
    options,
    chaos,
    deliveries,
    network,
    coding,
    receipts,
    messages: newMessages(123_456_789),
    peers,
    clock,
    phoneOf: phones.byNumber,
    onBind: (peer) => emit({ is: 'bind', bind: bindRowOf(peer) }),
  })
  return {
    port: await links.open(options.listen ?? listenAt(options), options.enquireMs ?? 0),
    chaos,
    receipts,
    deliveries,
    network,
    coding,
    strays,
    hook,
    phone: phones.get,
    phones: phones.all,
    binds: links.binds,
    peers: () => [...peers],
    bound: (count, withinMs = 10_000) => links.bound(count, withinMs),
    watch,
    trace: traced.all,
    stop: links.close,
  }
}
