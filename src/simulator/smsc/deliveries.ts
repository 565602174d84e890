/**
 * What the SMSC has to deliver to its ESMEs. A request that was not answered before its link died, or in time, is
 * delivered again under a new sequence number, on whatever bind of that system id there is then. (SMPP v3.4 §2.8)
 */
import type { Chance, Clock } from '../../ussd/index.ts'
import type { Act, Chaos } from './chaos.ts'
import type { RequestOutcome, Peer } from './peer.ts'
import type { DeliverRequest } from '../network/index.ts'

/** round-robin over the binds that may receive, the last one used, or a choice of the test's. */
export type BindChoice = 'round-robin' | 'sticky' | ((candidates: Peer[], delivery: DeliverRequest) => Peer | undefined)

export interface DeliverySettings {
  choose: BindChoice
  /** How long deliver_sm_resp is waited for. */
  responseMs: number
  /** How often one delivery is sent at most. */
  attemptsMax: number
  /** What is kept for a bind to come; over it the oldest is thrown away and counted. */
  heldMax: number
  /** A temporary refusal (0x08, 0x14, 0x58, 0x64) is tried again after this; 0: never. */
  temporaryMs: number
}

export interface DeliveriesDeps {
  clock: Clock
  chance: Chance
  chaos: Chaos
  peers(): Iterable<Peer>
}

export interface Deliveries {
  /** Sends, or holds until something is bound that may receive. */
  send(delivery: DeliverRequest): void
  /** To be called when a bind came up. */
  flush(): void
  held(): number
  /** Keys of one subscriber that are held, or that no answer has come to yet, copies among them. */
  underWay(msisdn: string): number
  counts: { sent: number; redelivered: number; putOff: number; doubled: number; late: number; thrownAway: number }
}

const TEMPORARY = new Set([0x08, 0x14, 0x58, 0x64])

export function deliveries(settings: DeliverySettings, deps: DeliveriesDeps): Deliveries {
  const held: DeliverRequest[] = []
  const counts = { sent: 0, redelivered: 0, putOff: 0, doubled: 0, late: 0, thrownAway: 0 }
  const lastUsed = new Map<string, string>()
  const unanswered = new Map<string, number>()
  let turn = 0

  function choose(delivery: DeliverRequest, notThis?: Peer): Peer | undefined {
    const able: Peer[] = []
    for (const peer of deps.peers()) {
      const isIts = delivery.systemId === '' || peer.systemId === delivery.systemId
      if (isIts && peer.canReceive && peer !== notThis) able.push(peer)
    }
    if (typeof settings.choose === 'function') return settings.choose(able, delivery)
    const last =
      settings.choose === 'sticky' ? able.find((peer) => peer.id === lastUsed.get(delivery.msisdn)) : undefined
    return last ?? able[turn++ % Math.max(able.length, 1)]
  }

  function hold(delivery: DeliverRequest): void {
    held.push(delivery)
    if (held.length <= settings.heldMax) return
    counts.thrownAway++
    held.shift()!.done({ kind: 'given-up', why: 'too many deliveries are waiting for a bind' })
  }

  function send(delivery: DeliverRequest): void {
    // What came first goes first: nothing of a subscriber's overtakes what is still held for him.
    const mustWait = held.some((other) => other.msisdn === delivery.msisdn)
    const peer = mustWait ? undefined : choose(delivery)
    if (!peer) return hold(delivery)
    strike(delivery, peer, deps.chaos.pick({ on: delivery.command, ...delivery }))
  }

  function strike(delivery: DeliverRequest, peer: Peer, act: Act | undefined): void {
    switch (act?.is) {
      case 'ignore':
        return
      case 'delay':
        return void deps.clock.after(act.ms, () => sendNow(delivery))
      case 'double': {
        counts.doubled++
        const other = act.on === 'other' ? (choose(delivery, peer) ?? peer) : peer
        write(delivery, peer)
        return write({ ...delivery, done: () => undefined }, other)
      }
      case 'late':
        deps.clock.after(act.ms, () => {
          counts.late++
          sendNow({ ...delivery, attempts: 0, done: () => undefined })
        })
        break
      case 'close':
        if (act.when === 'after') write(delivery, peer)
        else hold(delivery)
        return process.nextTick(() => process.nextTick(() => peer.close()))
      case 'half-open':
        peer.halfOpen()
        break
      case 'unbind':
        write(delivery, peer)
        return peer.unbind(settings.responseMs)
      default:
    }
    write(delivery, peer, act)
  }

  /** Sends without asking chaos again. */
  function sendNow(delivery: DeliverRequest): void {
    const peer = choose(delivery)
    if (peer) write(delivery, peer)
    else hold(delivery)
  }

  function wait({ lane, msisdn }: DeliverRequest, more: 1 | -1): void {
    if (lane !== 'ussd') return
    const now = (unanswered.get(msisdn) ?? 0) + more
    if (now > 0) unanswered.set(msisdn, now)
    else unanswered.delete(msisdn)
  }

  function write(delivery: DeliverRequest, peer: Peer, act?: Act): void {
    counts.sent++
    wait(delivery, 1)
    if (delivery.attempts++ > 0) counts.redelivered++
    if (settings.choose === 'sticky') lastUsed.set(delivery.msisdn, peer.id)
    peer.request(delivery, settings.responseMs, (outcome) => settle(delivery, outcome), act)
  }

  function settle(delivery: DeliverRequest, outcome: RequestOutcome): void {
    wait(delivery, -1)
    if (outcome.kind === 'answered') {
      const again =
        settings.temporaryMs > 0 && TEMPORARY.has(outcome.status) && delivery.attempts < settings.attemptsMax
      if (!again) return delivery.done({ kind: 'answered', status: outcome.status })
      counts.putOff++
      return void deps.clock.after(settings.temporaryMs, () => sendNow(delivery))
    }
    if (delivery.attempts >= settings.attemptsMax) {
      return delivery.done({ kind: 'given-up', why: `not answered after ${delivery.attempts} attempts` })
    }
    sendNow(delivery)
  }

  return {
    send,
    flush() {
      for (const delivery of held.splice(0)) sendNow(delivery)
    },
    held: () => held.length,
    underWay: (msisdn) =>
      (unanswered.get(msisdn) ?? 0) + held.filter((one) => one.lane === 'ussd' && one.msisdn === msisdn).length,
    counts,
  }
}
