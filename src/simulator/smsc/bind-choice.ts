/** Chooses the bind on which a delivery is sent. */
import type { DeliverRequest } from '../network/index.ts'
import type { Peer } from './peer.ts'

/** round-robin over the binds that may receive, the last one used, or a choice of the test. */
export type BindChoice = 'round-robin' | 'sticky' | ((candidates: Peer[], delivery: DeliverRequest) => Peer | undefined)

export interface BindChooser {
  /** Undefined: none with its system id may receive now. */
  choose(delivery: DeliverRequest, notThis?: Peer): Peer | undefined
  used(delivery: DeliverRequest, peer: Peer): void
}

export function bindChooser(choice: BindChoice, peers: () => Iterable<Peer>): BindChooser {
  const lastUsed = new Map<string, string>()
  let turn = 0
  return {
    choose(delivery, notThis) {
      const able: Peer[] = []
      for (const peer of peers()) {
        const isIts = delivery.systemId === '' || peer.systemId === delivery.systemId
        if (isIts && peer.canReceive && peer !== notThis) able.push(peer)
      }
      if (typeof choice === 'function') return choice(able, delivery)
      const last = choice === 'sticky' ? able.find((peer) => peer.id === lastUsed.get(delivery.msisdn)) : undefined
      return last ?? able[turn++ % Math.max(able.length, 1)]
    },
    used(delivery, peer) {
      if (choice === 'sticky') lastUsed.set(delivery.msisdn, peer.id)
    },
  }
}
