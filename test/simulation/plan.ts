/**
 * What goes wrong in one history, and when: small values, made from a seed, written in JSON, and tried with some left
 * out.
 */
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import { COUNTINGS, type Counting } from '../campaigns/staging/counters.ts'
import type { Weather } from './wire.ts'

/** `atMs`: virtual time. `daemon`: which of them, from 0. */
export type Fault = { atMs: number } &
  /**
   * Dies before an event of its own that is `at` (a call of a store, or octets: `net`), or `steps` events later;
   * another takes its place after `downMs`.
   */
  (
    | { is: 'crash'; daemon: number; at: CrashPoint; steps: number; downMs: number }
    /** Its connections break. deaf: and nobody hears of it. */
    | { is: 'cut' | 'deaf'; daemon: number }
    /** Nothing passes on its connections for so long. */
    | { is: 'clog'; daemon: number; forMs: number }
    /** Octets take up to `ms` longer. */
    | { is: 'slow'; daemon: number; ms: number; forMs: number }
    /** The SMSC is down. */
    | { is: 'smsc'; forMs: number }
    /** The wall clock of one daemon jumps. */
    | { is: 'step'; daemon: number; ms: number }
    | { is: 'kv' | 'sql'; weather: Exclude<Weather, 'up'>; forMs: number }
    /**
     * The next so many deliveries of USSD come twice, on this bind or another; or once more, late, if they open a
     * dialogue.
     */
    | { is: 'double'; on: 'same' | 'other'; times: number }
    | { is: 'late'; ms: number; times: number }
    /** Nothing is said to the next so many submits of that lane; they are done. unanswered: not even done. */
    | { is: 'mute'; lane: 'ussd' | 'sms'; times: number }
    /** They are refused with ESME_RTHROTTLED. */
    | { is: 'throttle'; times: number }
  )

/** What every message passes, and every SMS: where it hurts to die. */
export const CRASH_POINTS = [
  'net',
  'read',
  'write',
  'settle',
  'touch',
  'dental-hold',
  'dental-book',
  'sms-claim',
  'sms-settle',
  'commit',
  'receipt-part',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

export interface Plan {
  seed: number
  daemons: number
  walkers: number
  /** For so long subscribers dial; the faults fall into it. */
  walkMs: number
  faults: Fault[]
  /** How the network counts the turns. Absent: it says the step of our last reply. */
  counting?: Counting
}

/** There, a second decides (`sameKeyMs`): while a clock is set back it is longer, and a screen is shown again. */
const STALLING: ReadonlySet<Counting> = new Set(['stalls', 'stands-still'])

const DAEMONS_MAX = 2
const STEPS = [0, 6] as const
const FAULTS = [2, 9] as const
const WALK_MS = [10_000, 30_000] as const

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const chance = seededChance(seed * 2_654_435_761)
  const daemons = 1 + Math.floor(chance() * DAEMONS_MAX)
  const walkMs = whole(chance, WALK_MS)
  const count = whole(chance, FAULTS)
  const faults = Array.from({ length: count }, () => faultOf(chance, { daemons, walkMs }))
  const walkers = whole(chance, [2, 5])
  const counting = pick(chance, COUNTINGS)
  const borne = faults.filter(({ is }) => is !== 'step' || !STALLING.has(counting))
  return { seed, daemons, walkers, walkMs, faults: borne.toSorted((a, b) => a.atMs - b.atMs), counting }
}

const KINDS = [
  'crash',
  'crash',
  'crash',
  'crash',
  'cut',
  'cut',
  'deaf',
  'clog',
  'clog',
  'slow',
  'smsc',
  'step',
  'kv',
  'kv',
  'sql',
  'sql',
  'double',
  'double',
  'late',
  'mute',
  'throttle',
] as const

function faultOf(chance: Chance, { daemons, walkMs }: { daemons: number; walkMs: number }): Fault {
  const atMs = whole(chance, [500, walkMs])
  const daemon = Math.floor(chance() * daemons)
  const is = pick(chance, KINDS)
  const forMs = whole(chance, [200, 3_000])
  switch (is) {
    case 'crash': {
      return {
        atMs,
        is,
        daemon,
        at: pick(chance, CRASH_POINTS),
        steps: whole(chance, STEPS),
        downMs: whole(chance, [50, 2_000]),
      }
    }
    case 'cut':
    case 'deaf':
      return { atMs, is, daemon }
    case 'clog':
      return { atMs, is, daemon, forMs }
    case 'slow':
      return { atMs, is, daemon, ms: whole(chance, [20, 800]), forMs }
    case 'smsc':
      return { atMs, is, forMs }
    case 'step':
      return { atMs, is, daemon, ms: whole(chance, [-5_000, 5_000]) }
    case 'kv':
    case 'sql':
      return { atMs, is, weather: pick(chance, ['down', 'slow', 'unanswered'] as const), forMs }
    case 'double':
      return { atMs, is, on: pick(chance, ['same', 'other'] as const), times: whole(chance, [1, 12]) }
    case 'late':
      return { atMs, is, ms: whole(chance, [50, 5_000]), times: whole(chance, [1, 4]) }
    case 'mute':
      return { atMs, is, lane: pick(chance, ['ussd', 'sms'] as const), times: whole(chance, [1, 3]) }
    case 'throttle':
      return { atMs, is, times: whole(chance, [1, 5]) }
  }
}

function whole(chance: Chance, [least, most]: readonly [number, number]): number {
  return least + Math.floor(chance() * (most - least + 1))
}

function pick<T>(chance: Chance, all: readonly T[]): T {
  return all[Math.floor(chance() * all.length)]!
}

/** A fault in one line. */
export function sayFault({ atMs, is, ...rest }: Fault): string {
  return `${(atMs / 1000).toFixed(3)} s ${is} ${Object.entries(rest)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`
}
