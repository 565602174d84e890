/**
 * What the SMSC must deliver to its ESMEs. If a request was not answered in time, or before its link died, it is
 * delivered again with a new sequence number, on any bind of that system id. (SMPP v3.4 §2.8)
 */
import { isBusyStatus, type Chance, type Clock } from '../../ussd/index.ts'
import { bindChooser, type BindChoice } from './bind-choice.ts'
import type { Act, Chaos } from './chaos.ts'
import { strikeDelivery } from './delivery-faults.ts'
import type { RequestOutcome, Peer } from './peer.ts'
import type { DeliverRequest } from '../network/index.ts'

export interface DeliverySettings {
  choose: BindChoice
  /** How long to wait for deliver_sm_resp. */
  responseMs: number
  /** How often one delivery is sent at most. */
  attemptsMax: number
  /** How many deliveries wait for a bind. Above this the oldest is dropped and counted. */
  heldMax: number
  /** After a temporary refusal (0x08, 0x14, 0x58, 0x64, 0x102) it is sent again after this time. 0: never. */
  temporaryMs: number
}

export interface DeliveriesDeps {
  clock: Clock
  chance: Chance
  chaos: Chaos
  peers(): Iterable<Peer>
}

export interface Deliveries {
  /** Sends, or holds until a bind may receive. */
  send(delivery: DeliverRequest): void
  /** Call it when a bind has come up. */
  flush(): void
  held(): number
  /** How many keys of one subscriber are held or not answered yet, including copies. */
  underWay(msisdn: string): number
  counts: { sent: number; redelivered: number; putOff: number; doubled: number; late: number; thrownAway: number }
}

export function deliveries(settings: DeliverySettings, deps: DeliveriesDeps): Deliveries {
  const counts = { sent: 0, redelivered: 0, putOff: 0, doubled: 0, late: 0, thrownAway: 0 }
  const binds = bindChooser(settings.choose, deps.peers)
  const held = heldForBinds(settings.heldMax, () => counts.thrownAway++)
  const keys = keysUnderWay()
  const after = (ms: number, run: () => void): void => void deps.clock.after(ms, run)
  const { choose } = binds
  const hands = { choose, write, hold: held.put, sendNow, after, counts, responseMs: settings.responseMs }

  function send(delivery: DeliverRequest): void {
    // Deliveries of a subscriber stay in order: none overtakes one that is still held.
    const mustWait = held.all().some((other) => other.msisdn === delivery.msisdn)
    const peer = mustWait ? undefined : choose(delivery)
    if (!peer) return held.put(delivery)
    if (delivery.once) return write(delivery, peer)
    strikeDelivery(deps.chaos.pick({ on: delivery.command, ...delivery }), delivery, peer, hands)
  }

  /** Sends without a further fault. */
  function sendNow(delivery: DeliverRequest): void {
    const peer = choose(delivery)
    if (peer) write(delivery, peer)
    else held.put(delivery)
  }

  function write(delivery: DeliverRequest, peer: Peer, act?: Act): void {
    counts.sent++
    keys.add(delivery, 1)
    if (delivery.attempts++ > 0) counts.redelivered++
    binds.used(delivery, peer)
    peer.request(delivery, settings.responseMs, (outcome) => settle(delivery, outcome), act)
  }

  function settle(delivery: DeliverRequest, outcome: RequestOutcome): void {
    keys.add(delivery, -1)
    const isLast = delivery.once === true || delivery.attempts >= settings.attemptsMax
    if (outcome.kind === 'answered') {
      const again = settings.temporaryMs > 0 && isBusyStatus(outcome.status) && !isLast
      if (!again) return delivery.done({ kind: 'answered', status: outcome.status })
      counts.putOff++
      return after(settings.temporaryMs, () => sendNow(delivery))
    }
    if (isLast) return delivery.done({ kind: 'given-up', why: `not answered after ${delivery.attempts} attempts` })
    sendNow(delivery)
  }

  return {
    send,
    flush() {
      for (const delivery of held.takeAll()) sendNow(delivery)
    },
    held: () => held.all().length,
    underWay: (msisdn) =>
      keys.of(msisdn) + held.all().filter((one) => one.lane === 'ussd' && one.msisdn === msisdn).length,
    counts,
  }
}

/** Deliveries that wait for a bind. Above `max` the oldest is dropped. */
function heldForBinds(max: number, onThrown: () => void) {
  const held: DeliverRequest[] = []
  return {
    all: (): readonly DeliverRequest[] => held,
    takeAll: () => held.splice(0),
    put(delivery: DeliverRequest): void {
      held.push(delivery)
      if (held.length <= max) return
      onThrown()
      held.shift()!.done({ kind: 'given-up', why: 'too many deliveries are waiting for a bind' })
    },
  }
}

/** The keys of each subscriber that were sent and not answered yet. */
function keysUnderWay(): { add(delivery: DeliverRequest, more: 1 | -1): void; of(msisdn: string): number } {
  const unanswered = new Map<string, number>()
  return {
    add({ lane, msisdn }, more) {
      if (lane !== 'ussd') return
      const now = (unanswered.get(msisdn) ?? 0) + more
      if (now > 0) unanswered.set(msisdn, now)
      else unanswered.delete(msisdn)
    },
    of: (msisdn) => unanswered.get(msisdn) ?? 0,
  }
}
