/**
 * What the SMSC sends often is handled together: fewer turns of the event loop, one command to Redis and one write to
 * the SMSC for more of it, and code that is warm. See docs/WHY.md, "What comes often is handled together".
 */
import type { Clock } from '../../ussd/index.ts'
import type { LineLimits } from './settings.ts'

export interface TogetherDeps {
  clock: Pick<Clock, 'after'>
  limits: Pick<LineLimits, 'togetherMs' | 'togetherOctetsMax'>
  count(name: 'smpp_together', labels: { how: 'waited' | 'hindered' }): void
}

/** Of one line: what its links have read waits here, so that all of it is handled in one turn of the event loop. */
export class Together {
  readonly #deps: TogetherDeps
  readonly #handles = new Set<() => void>()
  #octets = 0
  #cancel: (() => void) | undefined

  constructor(deps: TogetherDeps) {
    this.#deps = deps
  }

  /** Whether what a link has read should wait is found by trial, for each link. `nowMs` is monotonic. */
  trial(nowMs: number): WaitTrial {
    return new WaitTrial(nowMs, () => this.#deps.count('smpp_together', { how: 'hindered' }))
  }

  /** Runs `handle` after `togetherMs` at most, or when there is enough. Given twice meanwhile, it runs once. */
  add(handle: () => void, octets: number): void {
    const { clock, limits } = this.#deps
    this.#handles.add(handle)
    this.#octets += octets
    if (this.#octets >= limits.togetherOctetsMax) this.#run()
    else this.#cancel ??= clock.after(limits.togetherMs, () => this.#run())
  }

  #run(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#octets = 0
    this.#deps.count('smpp_together', { how: 'waited' })
    const handles = [...this.#handles]
    this.#handles.clear()
    for (const handle of handles) handle()
  }
}

/** PDUs in a millisecond from which on it pays to wait: below, hardly another one comes. */
const OFTEN = 1
/**
 * A peer that sends its next request only after our answer is held up by each wait. Two trials in a row find it: if
 * fewer PDUs come while they wait than before, by a twentieth and by more than chance, it is left alone for a while. By
 * chance a count of N differs from another by 2 / √N: PDUs come in pairs, a request and the response to our answer.
 */
const FEWER = { by: 0.05, chances: 1.5 }
const TRIALS = 2
/** A trial is over sooner if far fewer come: a peer with one request open sends a third of them. */
const CLEARLY = { ms: 50, fewer: 0.5 }
/** How long each lasts, in milliseconds. One in twenty of the waits is given up to find such a peer within seconds. */
const LASTS = { apart: 250, trial: 250, together: 5_000, hindered: 20_000 }
type Phase = keyof typeof LASTS

/** Whether what comes on one link waits. */
export class WaitTrial {
  readonly #onHindered: () => void
  #phase: Phase = 'apart'
  #sinceMs: number
  /** PDUs before this phase. */
  #before = 0
  /** PDUs while none waited: in a millisecond, and how many in all. */
  #apart = { rate: 0, count: 0 }
  /** Trials in a row in which fewer came. */
  #fewer = 0

  constructor(nowMs: number, onHindered: () => void) {
    this.#sinceMs = nowMs
    this.#onHindered = onHindered
  }

  /** Asked when octets have come. `nowMs` is monotonic; `pdus`: how many the link has handled so far. */
  waits(nowMs: number, pdus: number): boolean {
    const ms = nowMs - this.#sinceMs
    const count = pdus - this.#before
    if (ms >= LASTS[this.#phase] || this.#isClear(ms, count / ms)) {
      // A stretch that was over long ago says nothing of a rate: less came since.
      this.#phase = ms < 2 * LASTS[this.#phase] ? this.#next(count / ms, count) : 'apart'
      this.#sinceMs = nowMs
      this.#before = pdus
    }
    return this.#phase === 'trial' || this.#phase === 'together'
  }

  #isClear(ms: number, rate: number): boolean {
    return this.#phase === 'trial' && ms >= CLEARLY.ms && rate < CLEARLY.fewer * this.#apart.rate
  }

  #next(rate: number, count: number): Phase {
    if (this.#phase === 'apart' && rate >= OFTEN) {
      this.#apart = { rate, count }
      return 'trial'
    }
    if (this.#phase !== 'trial') return 'apart'
    const chance = 2 / Math.sqrt(this.#apart.count)
    const isFewer = rate < this.#apart.rate * (1 - FEWER.by - FEWER.chances * chance)
    this.#fewer = isFewer ? this.#fewer + 1 : 0
    if (this.#fewer === 0) return 'together'
    if (this.#fewer < TRIALS) return 'apart'
    this.#fewer = 0
    this.#onHindered()
    return 'hindered'
  }
}
