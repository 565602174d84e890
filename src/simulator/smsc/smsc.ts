/** A simulated SMSC and USSD gateway: ESMEs bind to it, phones dial through it, and it misbehaves on request. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Chance, Clock } from '../../ussd/index.ts'
import { chaos as newChaos, type Chaos } from './chaos.ts'
import { deliveries as newDeliveries, type Deliveries, type DeliverySettings } from './deliveries.ts'
import { esmeRequests } from './esme-requests.ts'
import { messages as newMessages, RECEIPTS, type ReceiptSettings } from './messages.ts'
import {
  network as newNetwork,
  type Handset,
  type Network,
  standardCoding,
  type NetworkCoding,
} from '../network/index.ts'
import { Peer } from './peer.ts'
import { phone as newPhone, type Phone } from '../phone/index.ts'
import { writeTyped } from '../codec/index.ts'
import { createTrace as newTrace, type Traced } from './trace.ts'

export interface SmscOptions {
  clock: Clock
  chance: Chance
  /** Default 127.0.0.1, and a port that is free. */
  host?: string
  port?: number
  tls?: { key: string | Buffer; cert: string | Buffer }
  /** How this network speaks USSD. Default: the standard reading. */
  voice?: NetworkCoding
  /** Who may bind; anybody if not given. */
  accounts?: { systemId: string; password?: string }[] | undefined
  /** Binds of one system id; one more is refused with ESME_RALYBND. Default: no limit. */
  bindsMax?: number
  /** system_id in bind responses. */
  name?: string
  deliveries?: Partial<DeliverySettings>
  receipts?: Partial<ReceiptSettings>
  /** Sends enquire_link that often; two without an answer close the link. Default 0: never. */
  enquireMs?: number
  /** How long a phone waits for a screen or an SMS. Default 10 000. */
  screenMs?: number
  /** SMS that a phone keeps. Default 500. */
  inboxMax?: number
  /** How long the ESME may take for an answer before the network ends the dialogue. Default 0: for ever. */
  applicationMs?: number
  /** The network number of the first dialogue. Default 1. */
  firstNumber?: number
  /** PDUs that are remembered. Default 2 000; 0: none. */
  traceMax?: number
  /** Where connections come from. Default: TCP, or TLS, at `host` and `port`. */
  listen?: (accept: (socket: Socket) => void) => Promise<Listening>
}

export interface Listening {
  port: number
  close(): Promise<void>
}

export type SmscEvent =
  | { is: 'bind'; bind: SimBindRow }
  | { is: 'phone'; what: 'screen' | 'sms' | 'failed' | 'typed'; msisdn: string }
  | { is: 'pdu'; traced: Traced }
  /** A fault struck. */
  | { is: 'fault' }

export interface SimBindRow {
  id: string
  systemId: string
  mode: string
  state: string
  sinceMs: number
  unanswered: number
}

export interface Smsc {
  readonly port: number
  readonly chaos: Chaos
  /** May be changed while it runs. */
  readonly receipts: ReceiptSettings
  readonly deliveries: Deliveries
  readonly network: Network
  readonly voice: NetworkCoding
  /** The same phone for the same MSISDN, made at first use. `source`: how the network writes the subscriber. */
  phone(msisdn: string, source?: [number, number, string]): Phone
  phones(): Phone[]
  /** Connections that are bound, oldest first. */
  binds(): SimBindRow[]
  /** Every live connection, for closing, cutting, unbinding, and raw octets: `write(Buffer.from(hex, 'hex'))`. */
  peers(): Peer[]
  /** Resolves when that many binds are up. */
  bound(count: number, withinMs?: number): Promise<void>
  watch(listener: (event: SmscEvent) => void): () => void
  trace(): Traced[]
  /** Sees whole frames before they are decoded; true: dealt with. For load, which cannot afford to decode. */
  readonly hook: { onFrame: ((peer: Peer, frame: Buffer) => boolean) | null }
  /** Responses that no request waited for. */
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
  const { clock } = options
  const peers = new Set<Peer>()
  const watchers = new Set<(event: SmscEvent) => void>()
  const emit = (event: SmscEvent): void => {
    for (const watcher of watchers) watcher(event)
  }
  const chaos = newChaos(options.chance, () => emit({ is: 'fault' }))
  const deliveries = newDeliveries(
    { ...DELIVERIES, ...options.deliveries },
    { clock, chance: options.chance, chaos, peers: () => peers },
  )
  const voice = options.voice ?? standardCoding()
  const network = newNetwork(
    { voice, applicationMs: options.applicationMs ?? 0, firstNumber: options.firstNumber ?? 1 },
    { clock, deliveries },
  )
  const receipts: ReceiptSettings = { ...RECEIPTS, ...options.receipts }
  const messages = newMessages(123_456_789)
  const traced = newTrace(options.traceMax ?? 2_000, clock, (one) => emit({ is: 'pdu', traced: one }))
  const strays = { count: 0 }
  const hook: Smsc['hook'] = { onFrame: null }
  const phones = phoneBook({ options, network, deliveries, emit })

  const onRequest = esmeRequests({
    options,
    chaos,
    deliveries,
    network,
    voice,
    receipts,
    messages,
    peers,
    clock,
    phoneOf: phones.byNumber,
    onBind: (peer) => emit({ is: 'bind', bind: rowOf(peer) }),
  })
  let serial = 0
  function accept(socket: Socket): void {
    const peer = new Peer(`link-${++serial}`, socket, clock, {
      onRequest,
      onFrame: (from, frame) => hook.onFrame !== null && hook.onFrame(from, frame),
      onClosed(closed) {
        peers.delete(closed)
        emit({ is: 'bind', bind: rowOf(closed) })
      },
      tap: traced.record,
      onStray: () => void strays.count++,
    })
    peers.add(peer)
  }
  const listening = await (options.listen ?? listenAt(options))(accept)
  const stopEnquiries = enquire(options, peers)

  return {
    port: listening.port,
    chaos,
    receipts,
    deliveries,
    network,
    voice,
    strays,
    hook,
    phone: phones.get,
    phones: phones.all,
    binds: () => [...peers].filter((peer) => peer.state === 'bound').map(rowOf),
    peers: () => [...peers],
    bound: (count, withinMs = 10_000) => whenBound(count, withinMs),
    watch(listener) {
      watchers.add(listener)
      return () => void watchers.delete(listener)
    },
    trace: traced.all,
    async stop() {
      stopEnquiries()
      for (const peer of peers) peer.close()
      await listening.close()
    },
  }

  function whenBound(count: number, withinMs: number): Promise<void> {
    const isThere = (): boolean => [...peers].filter((peer) => peer.state === 'bound').length >= count
    if (isThere()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const look = (event: SmscEvent): void => {
        if (event.is === 'bind' && isThere()) over(resolve)
      }
      const callOff = clock.after(withinMs, () => over(() => reject(new Error(`not ${count} binds in ${withinMs} ms`))))
      const over = (then: () => void): void => {
        watchers.delete(look)
        callOff()
        then()
      }
      watchers.add(look)
    })
  }
}

function rowOf(peer: Peer): SimBindRow {
  return {
    id: peer.id,
    systemId: peer.systemId,
    mode: peer.mode ?? '',
    state: peer.isHalfOpen ? 'half-open' : peer.state,
    sinceMs: peer.sinceMs,
    unanswered: peer.unanswered,
  }
}

function listenAt({ tls, port = 0, host = '127.0.0.1' }: SmscOptions): NonNullable<SmscOptions['listen']> {
  return (accept) =>
    new Promise((done, fail) => {
      const server = tls ? createTlsServer(tls, accept) : createServer(accept)
      server.once('error', fail)
      server.listen(port, host, () => {
        server.removeListener('error', fail)
        server.on('error', () => undefined)
        const close = () => new Promise<void>((closed) => server.close(() => closed()))
        done({ port: (server.address() as AddressInfo).port, close })
      })
    })
}

/** Asks every bind whether it lives; a bind that twice says nothing is closed. (SMPP v3.4 §7.2) */
function enquire(options: SmscOptions, peers: Set<Peer>): () => void {
  const everyMs = options.enquireMs ?? 0
  if (everyMs <= 0) return () => undefined
  const misses = new WeakMap<Peer, number>()
  let callOff = options.clock.after(everyMs, round)
  function round(): void {
    for (const peer of peers) {
      if (peer.state !== 'bound') continue
      peer.request({ command: 'enquire_link' }, everyMs, (outcome) => {
        const missed = outcome.kind === 'answered' ? 0 : (misses.get(peer) ?? 0) + 1
        misses.set(peer, missed)
        if (missed >= 2) peer.close()
      })
    }
    callOff = options.clock.after(everyMs, round)
  }
  return () => callOff()
}

interface PhoneBookDeps {
  options: SmscOptions
  network: Network
  deliveries: Deliveries
  emit(event: SmscEvent): void
}

/** Every phone that anybody asked for or wrote to. */
function phoneBook({ options, network, deliveries, emit }: PhoneBookDeps): {
  get(msisdn: string, source?: [number, number, string]): Phone
  byNumber(digits: string): Phone
  all(): Phone[]
} {
  const phones = new Map<string, Phone>()
  /** How networks write them, where that is not the MSISDN. */
  const written = new Map<string, string>()

  function get(msisdn: string, source?: [number, number, string]): Phone {
    const known = phones.get(msisdn)
    if (known && !source) return known
    const form = source ?? [1, 1, msisdn]
    written.set(form[2].replace(/^\+/, ''), msisdn)
    if (known) {
      known.source = form
      return known
    }
    const made = newPhone(
      { msisdn, source: form, confirms: true, isOff: false },
      {
        clock: options.clock,
        network,
        withinMs: options.screenMs ?? 10_000,
        inboxMax: options.inboxMax,
        onChange: (what) => emit({ is: 'phone', what, msisdn }),
        sendSms: (handset, to, text) => sendSms(deliveries, handset, to, text),
      },
    )
    phones.set(msisdn, made)
    return made
  }

  return {
    get,
    byNumber(digits) {
      const bare = digits.replace(/^\+/, '')
      return get(written.get(bare) ?? bare)
    },
    all: () => [...phones.values()],
  }
}

/** A mobile originated SMS; resolves with the status that it was acknowledged with. */
function sendSms(deliveries: Deliveries, handset: Handset, to: string, text: string): Promise<number> {
  const { octets, dataCoding } = writeTyped(text, { gsm7: 0, ucs2: 8 })
  const [ton, npi, source] = handset.source
  return new Promise((done, fail) => {
    deliveries.send({
      command: 'deliver_sm',
      systemId: '',
      msisdn: handset.msisdn,
      lane: 'sms',
      event: 'sms',
      attempts: 0,
      tlvs: [],
      body: {
        source_addr_ton: ton,
        source_addr_npi: npi,
        source_addr: source,
        dest_addr_ton: 0,
        dest_addr_npi: 1,
        destination_addr: to,
        data_coding: dataCoding,
        short_message: octets,
      },
      done: (outcome) => (outcome.kind === 'answered' ? done(outcome.status) : fail(new Error(outcome.why))),
    })
  })
}
