/**
 * The phones of a load run. No two dialogues of a simulator share both subscriber and number, even over several runs:
 * when the numbers of a phone are used up, it gets another SIM.
 */
import type { Smsc } from '../smsc/index.ts'
import type { Skimmed } from './octets.ts'

export interface Subscriber {
  step: number
  /** The index of its MSISDN. It changes when the numbers are used up. */
  sim: number
  number: number
  carrier: number
  /** When the turn was sent or became due. 0: no screen is awaited. */
  sinceMs: number
  sequence: number
  /** The ESME has refused the turn: its screen will never come. */
  isRefused: boolean
}

export interface Crowd {
  /** The index of a phone is its position. */
  readonly phones: readonly Subscriber[]
  /** Gives the phone the number of its next dialogue. */
  beginDialogue(index: number): void
  /** The phone that waits for this screen. Undefined: none does. */
  awaiting(seen: Skimmed): number | undefined
  /** Ends the run: the next run of this simulator uses only what this one did not. */
  over(): void
}

/** The network's dialogue numbers are one octet; 0 means none. */
const NUMBER_MAX = 0xff
/** How many MSISDNs the runs of a simulator have used. */
const simsUsed = new WeakMap<Smsc, number>()

export function crowd(smsc: Smsc, size: number): Crowd {
  const firstSim = simsUsed.get(smsc) ?? 0
  /** SIM → phone, from the first SIM of the run. */
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
