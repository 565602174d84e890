/**
 * A verdict that chance has a part in: Wald's sequential test. A trial that misses its limit on a busy machine is no
 * verdict, and one that keeps it is none either; trials go on until the one or the other is certain. Three that are
 * kept out of three, or four that are missed out of four, decide; what is mixed is tried on, to a bound.
 */
import { sleep } from './outcome.ts'

/** What a trial says of a build. */
export interface Odds {
  /** How often a good build keeps its limit. */
  good: number
  /** How often a bad one does. */
  bad: number
  trialsMax: number
  /** What is between good and bad after all trials. */
  doubt: 'kept' | 'missed'
}

/**
 * A promise, on a machine whose neighbours take it now and then: what is between good and bad has missed, for a promise
 * that nobody can be sure of is not kept.
 */
export const PROMISE: Odds = { good: 0.9, bad: 0.2, trialsMax: 20, doubt: 'missed' }
/** A good build is told bad once in a thousand verdicts, a bad one good once in fifty. */
export const RED_BY_LUCK = 0.001
export const GREEN_BY_LUCK = 0.02
const PAUSE_MS = 1_000

const GREEN = Math.log((1 - RED_BY_LUCK) / GREEN_BY_LUCK)
const RED = Math.log(RED_BY_LUCK / (1 - GREEN_BY_LUCK))

export type Certainty = 'open' | 'kept' | 'missed'

/** What so many trials say. */
export function certainty(kept: number, missed: number, odds = PROMISE): Certainty {
  const { good, bad, trialsMax, doubt } = odds
  const evidence = kept * Math.log(good / bad) + missed * Math.log((1 - good) / (1 - bad))
  if (evidence >= GREEN) return 'kept'
  if (evidence <= RED) return 'missed'
  return kept + missed >= trialsMax ? doubt : 'open'
}

/** Figures under one limit, each a trial. */
export interface Series {
  add(figure: number, trial?: Trial): void
  readonly is: Certainty
  /** Kinds that have missed it and are in doubt: to be tried again, and no others need be. */
  readonly doubtful: readonly string[]
  /** The highest, rounded. */
  readonly worst: number
  readonly missed: number
  /** `1234 ms at most`, and how many were too late, if any was. */
  readonly figure: string
}

export interface Trial {
  /**
   * Where trials are of several kinds: what one kind always misses must not be outvoted by the others. Default: one
   * kind.
   */
  kind?: string
  /** Where the limit is not one for all. */
  isKept?: boolean
}

export interface SeriesDeps {
  /** Milliseconds. */
  limit: number
  /** A long run has a quiet machine to itself: there each trial must keep the limit. */
  strict?: boolean
}

export function series({ limit, strict = false }: SeriesDeps): Series {
  const figures: number[] = []
  const kinds = new Map<string, { kept: number; missed: number }>()
  const sum = (what: 'kept' | 'missed') => [...kinds.values()].reduce((all, one) => all + one[what], 0)
  /** A kind that never missed needs no verdict of its own. */
  const ofKinds = () =>
    [...kinds]
      .filter(([, { missed }]) => missed > 0)
      .map(([kind, { kept, missed }]) => ({ kind, is: certainty(kept, missed) }))
  return {
    add(figure, { kind = '', isKept = figure <= limit } = {}) {
      figures.push(figure)
      const one = kinds.get(kind) ?? { kept: 0, missed: 0 }
      kinds.set(kind, { kept: one.kept + Number(isKept), missed: one.missed + Number(!isKept) })
    },
    get is() {
      const found = ofKinds().map(({ is }) => is)
      if (found.includes('missed') || (strict && found.length > 0)) return 'missed'
      return found.includes('open') ? 'open' : certainty(sum('kept'), sum('missed'))
    },
    get doubtful() {
      return ofKinds()
        .filter(({ is }) => is === 'open')
        .map(({ kind }) => kind)
    },
    get worst() {
      return Math.round(Math.max(0, ...figures))
    },
    get missed() {
      return sum('missed')
    },
    get figure() {
      const late = sum('missed') ? ` (${sum('missed')} of ${figures.length} too late)` : ''
      return `${Math.round(Math.max(0, ...figures))} ms at most${late}`
    },
  }
}

/**
 * Plays rounds, `least` of them, and on until each of the series is certain; a verdict of missed ends it. Answers how
 * many.
 */
export async function untilCertain(
  all: readonly Series[],
  least: number,
  play: (round: number) => Promise<void>,
): Promise<number> {
  const bound = least + PROMISE.trialsMax
  let round = 0
  while (
    round < least ||
    (round < bound && all.some((one) => one.is === 'open') && all.every((one) => one.is !== 'missed'))
  )
    await play(round++)
  return round
}

/** Whether each has kept its limit: what is still open has not. */
export function areKept(...all: readonly Series[]): boolean {
  return all.every((one) => one.is === 'kept')
}

/**
 * For harm that is done each time if it is done at all: one trial without any is enough, and one with some is made
 * again until it is certain whether it was the machine's; each time after a longer pause, or all of them would fall into
 * the moment in which the machine stood still. Answers what went wrong, or nothing.
 */
export async function certainHarm(
  run: (trial: number) => Promise<string[]>,
  pause: (ms: number) => Promise<void> = sleep,
): Promise<string[]> {
  let [kept, missed] = [0, 0]
  let harm: string[] = []
  do {
    if (missed > 0) await pause(PAUSE_MS * missed)
    const found = await run(kept + missed)
    if (found.length) [missed, harm] = [missed + 1, found]
    else kept++
  } while (missed > 0 && certainty(kept, missed) === 'open')
  return missed > 0 && certainty(kept, missed) === 'missed' ? harm : []
}
