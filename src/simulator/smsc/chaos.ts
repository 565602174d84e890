/** Misbehaviour on request: a list of faults. Each says what it hits, how often, and what goes wrong. */
import type { Chance } from '../../ussd/index.ts'

/** What goes wrong: with a request of the ESME, a response of ours, or a delivery of ours. */
export type Act =
  /** Not processed; answered with this status. A bind: refused. */
  | { is: 'refuse'; status: number }
  /** Not processed; answered with generic_nack. */
  | { is: 'nack'; status: number }
  /** Neither processed nor answered. A delivery: never sent. */
  | { is: 'ignore' }
  /** Processed, never answered. */
  | { is: 'drop-response' }
  /** Processed at once, answered after `ms`. A delivery: sent after `ms`. */
  | { is: 'delay'; ms: number }
  | { is: 'answer-twice' }
  /** The response has another sequence number. */
  | { is: 'wrong-sequence' }
  /** The response has another command (enquire_link_resp). */
  | { is: 'wrong-command' }
  /** Delivered twice at once. */
  | { is: 'double'; on: 'same' | 'other' }
  /** Delivered, and delivered again after `ms`, with a new sequence number, on any bind of that moment. */
  | { is: 'late'; ms: number }
  /** Only the first `at` octets of the response or delivery are sent; then the connection closes. */
  | { is: 'cut'; at: number }
  /** The connection closes: before processing, or after it but before the response. */
  | { is: 'close'; when: 'before' | 'after' }
  /** From now on nothing is read or answered on this connection, which stays open. */
  | { is: 'half-open' }
  /** Processed and answered; then unbind is sent. */
  | { is: 'unbind' }

export interface Fault {
  /**
   * A command name; 'bind' is any of the three binds, 'any' is all commands. Ours (deliver_sm) or theirs (submit_sm,
   * enquire_link …).
   */
  on: string
  msisdn?: string
  lane?: 'ussd' | 'sms'
  /** For a delivery: begin, input, notify-ack, end, abort, timeout, sms, receipt. */
  event?: string
  /** How often it strikes. Absent: without limit. */
  times?: number
  /** The probability that it strikes, [0, 1]. Default 1. */
  chance?: number
  act: Act
}

/** What is about to happen: a fault may strike it. */
export interface Subject {
  on: string
  msisdn?: string
  lane?: 'ussd' | 'sms'
  event?: string
}

export interface Chaos {
  /** Returns a function that removes the fault. */
  add(fault: Fault): () => void
  clear(): void
  list(): (Fault & { id: number; struck: number })[]
  remove(id: number): boolean
  /** The first fault that strikes, or undefined. */
  pick(subject: Subject): Act | undefined
}

/** Two runs with the same chance and the same subjects fail in the same way. */
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

/** A random generator that repeats for the same seed: mulberry32. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
