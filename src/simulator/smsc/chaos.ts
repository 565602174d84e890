/** Misbehaviour on request: a list of faults, each saying what it strikes, how often, and what then goes wrong. */
import type { Chance } from '../../ussd/index.ts'

/** What goes wrong. On a request of the ESME's, on a response of ours, or on a delivery of ours. */
export type Act =
  /** Not processed; answered with this status. On a bind: refused. */
  | { is: 'refuse'; status: number }
  /** Not processed; answered by generic_nack. */
  | { is: 'nack'; status: number }
  /** Neither processed nor answered. A delivery: never sent. */
  | { is: 'ignore' }
  /** Processed, never answered. */
  | { is: 'drop-response' }
  /** Processed at once, answered that much later. A delivery: sent that much later. */
  | { is: 'delay'; ms: number }
  | { is: 'answer-twice' }
  /** The response carries another sequence number. */
  | { is: 'wrong-sequence' }
  /** The response carries another command (enquire_link_resp). */
  | { is: 'wrong-command' }
  /** Delivered twice at once. */
  | { is: 'double'; on: 'same' | 'other' }
  /** Delivered, and once more that much later, under a new sequence number, on whatever bind there is then. */
  | { is: 'late'; ms: number }
  /** Only the first `at` octets of the response or delivery leave; then the connection dies. */
  | { is: 'cut'; at: number }
  /** The connection dies: before processing, or after it and before the response. */
  | { is: 'close'; when: 'before' | 'after' }
  /** From now on nothing is read or answered on that connection, which stays open. */
  | { is: 'half-open' }
  /** Processed and answered; then unbind is sent. */
  | { is: 'unbind' }

export interface Fault {
  /**
   * A command name; 'bind' is any of the three binds, 'any' is all. Ours (deliver_sm) or theirs (submit_sm,
   * enquire_link …).
   */
  on: string
  msisdn?: string
  lane?: 'ussd' | 'sms'
  /** Of a delivery: begin, input, notify-ack, end, abort, timeout, sms, receipt. */
  event?: string
  /** How many times it strikes; unlimited if not given. */
  times?: number
  /** How likely it strikes when it could, [0, 1]. Default 1. */
  chance?: number
  act: Act
}

/** What is about to happen, so that a fault may strike it. */
export interface Subject {
  on: string
  msisdn?: string
  lane?: 'ussd' | 'sms'
  event?: string
}

export interface Chaos {
  /** Answers how to call it off. */
  add(fault: Fault): () => void
  clear(): void
  list(): (Fault & { id: number; struck: number })[]
  remove(id: number): boolean
  /** The first fault that strikes, or undefined. */
  pick(subject: Subject): Act | undefined
}

/** Two runs with the same chance and the same subjects go wrong in the same way. */
export function chaos(chance: Chance, onStrike: () => void = () => undefined): Chaos {
  let faults: (Fault & { id: number; struck: number })[] = []
  let serial = 0
  const remove = (id: number): boolean => {
    const before = faults.length
    faults = faults.filter((fault) => fault.id !== id)
    return faults.length < before
  }
  return {
    add(fault) {
      const id = ++serial
      faults.push({ ...fault, id, struck: 0 })
      return () => void remove(id)
    },
    clear: () => void (faults = []),
    list: () => faults.map((fault) => ({ ...fault })),
    remove,
    pick(subject) {
      if (!faults.length) return undefined
      for (const fault of faults) {
        if (!strikes(fault, subject)) continue
        if (fault.chance !== undefined && chance() >= fault.chance) continue
        fault.struck++
        if (fault.times !== undefined && fault.struck >= fault.times) remove(fault.id)
        onStrike()
        return fault.act
      }
      return undefined
    },
  }
}

function strikes(fault: Fault, subject: Subject): boolean {
  const matchesCommand =
    fault.on === 'any' || fault.on === subject.on || (fault.on === 'bind' && subject.on.startsWith('bind_'))
  return (
    matchesCommand &&
    (fault.msisdn === undefined || fault.msisdn === subject.msisdn) &&
    (fault.lane === undefined || fault.lane === subject.lane) &&
    (fault.event === undefined || fault.event === subject.event)
  )
}

/** Chance that repeats itself for a seed: mulberry32. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
