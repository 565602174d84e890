/**
 * The phones of a load run. No two dialogues of a simulator have subscriber and number in common, also over several
 * runs: a phone whose numbers have come round gets another SIM.
 */
import type { Smsc } from '../smsc/index.ts'
import type { Skimmed } from './octets.ts'

export interface Subscriber {
  step: number
  /** Whose MSISDN it has: an index that it changes when its numbers have come round. */
  sim: number
  number: number
  carrier: number
  /** When the turn was sent or fell due; 0: no screen is awaited. */
  sinceMs: number
  sequence: number
  /** The ESME has refused the turn: its screen will not come, and the phone waits for it in vain. */
  isRefused: boolean
}

export interface Crowd {
  /** A phone's index is its place. */
  readonly phones: readonly Subscriber[]
  /** Gives the phone the number of its next dialogue. */
  beginDialogue(index: number): void
  /** The phone that awaits this screen; undefined: none does. */
  awaiting(seen: Skimmed): number | undefined
  /** Leaves to the next run of this simulator only what this one did not use. */
  over(): void
}

/** Network numbers of dialogues: an octet, of which 0 is none. */
const NUMBER_MAX = 0xff
/** MSISDNs that the runs of a simulator have used. */
const simsUsed = new WeakMap<Smsc, number>()

export function crowd(smsc: Smsc, size: number): Crowd {
  const firstSim = simsUsed.get(smsc) ?? 0
  /** Which phone has which SIM, from the run's first one. */
  const holders: number[] = []
  const newSim = (index: number): number => firstSim + holders.push(index) - 1
  const phones: Subscriber[] = Array.from({ length: size }, (_, index) => ({
    step: 0,
    sim: newSim(index),
    number: 0,
    carrier: 0,
    sinceMs: 0,
    sequence: 0,
    isRefused: false,
  }))
  return {
    phones,
    beginDialogue(index) {
      const phone = phones[index]!
      if (phone.number === NUMBER_MAX) phone.sim = newSim(index)
      phone.number = (phone.number % NUMBER_MAX) + 1
      phone.carrier = phone.number << 8
    },
    awaiting(seen) {
      const index = holders[seen.subscriber - firstSim]
      const phone = index === undefined ? undefined : phones[index]
      const isIts =
        phone !== undefined &&
        phone.sinceMs !== 0 &&
        phone.sim === seen.subscriber &&
        (seen.carrier < 0 || seen.carrier >> 8 === phone.number)
      return isIts ? index : undefined
    },
    over: () => void simsUsed.set(smsc, firstSim + holders.length),
  }
}
