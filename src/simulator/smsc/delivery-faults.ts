/** What a fault does to a delivery that is about to be sent. */
import type { DeliverRequest } from '../network/index.ts'
import type { Act } from './chaos.ts'
import type { Peer } from './peer.ts'

/** What can be done with a delivery. */
export interface DeliveryHands {
  choose(delivery: DeliverRequest, notThis: Peer): Peer | undefined
  /** `act` may change it. */
  write(delivery: DeliverRequest, peer: Peer, act?: Act): void
  /** Until a bind comes up. */
  hold(delivery: DeliverRequest): void
  /** On any bind; no further fault strikes it. */
  sendNow(delivery: DeliverRequest): void
  after(ms: number, run: () => void): void
  counts: { doubled: number; late: number }
  /** How long to wait for the response to an unbind. */
  responseMs: number
}

export function strikeDelivery(
  act: Act | undefined,
  delivery: DeliverRequest,
  peer: Peer,
  { choose, write, hold, sendNow, after, counts, responseMs }: DeliveryHands,
): void {
  switch (act?.is) {
    case 'ignore':
      return
    case 'delay':
      return after(act.ms, () => sendNow(delivery))
    case 'double': {
      counts.doubled++
      const other = act.on === 'other' ? (choose(delivery, peer) ?? peer) : peer
      write(delivery, peer)
      return write({ ...delivery, done: () => undefined }, other)
    }
    case 'late':
      after(act.ms, () => {
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
      return peer.unbind(responseMs)
    default:
  }
  write(delivery, peer, act)
}
