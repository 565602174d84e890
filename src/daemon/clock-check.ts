/**
 * Compares the clock of this machine with the clocks of the stores. All daemons write and read the same deadlines of
 * dialogues and the same times of SMS. If the clock of one daemon were an hour fast, it would end everybody's dialogues
 * and let every due SMS expire. So a daemon with a wrong clock takes no turns, sweeps nothing, sends no SMS, and
 * reports it.
 */
import type { Log, Metrics, WallClock } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

/** From this difference on, a clock is wrong. Networks, and machines without NTP, cause some 100 ms. */
const CLOCK_OFF_MS = 1_000
/** How often the stores are asked. */
const ASK_MS = 5_000
/** How often the stores are asked until all have answered. */
const FIRST_MS = 500
/** If the wall clock moved this much against the monotonic clock, somebody set it: the stores are asked at once. */
const SET_MS = 500

/** A store may refuse to tell its time (an ACL without TIME): after this many questions the clock is trusted. */
const ASKED_MAX = 10

export interface ClockCheckDeps {
  wall: WallClock
  /** The time of each store's clock. Rejects while the store is unreachable. */
  stores: Record<string, () => Promise<number>>
  clock: Pick<Clock, 'after'>
  log: Log
  metrics: Pick<Metrics, 'gauges'>
}

export interface ClockCheck {
  /** False: the clock is wrong, or it was set and not compared since. */
  isRight(): boolean
  /** Also false until a store has answered for the first time. */
  isKnown(): boolean
  /** For /ready: how far this machine is ahead of each store, in milliseconds. */
  state(): { ok: boolean; aheadMs: Record<string, number> }
  start(): Promise<void>
  stop(): void
}

const REMEDY = 'synchronise the clocks of all machines (NTP, chrony); this daemon serves again by itself'

export function createClockCheck(deps: ClockCheckDeps): ClockCheck {
  return new StoreClocks(deps)
}

/** For embedded stores, and for tests with their own time: clocks are not compared. */
export const trustedClock: ClockCheck = {
  isRight: () => true,
  isKnown: () => true,
  state: () => ({ ok: true, aheadMs: {} }),
  start: async () => undefined,
  stop: () => undefined,
}

class StoreClocks implements ClockCheck {
  readonly #deps: ClockCheckDeps
  readonly #ahead = new Map<string, number>()
  /** The wall clock minus the monotonic clock, when the stores were asked last. */
  #base: number
  #asking: Promise<void> | undefined
  #wasRight = true
  #wereApart = false
  #cancel: (() => void) | undefined
  #stopped = false
  /** How often the stores were asked. */
  #asked = 0

  constructor(deps: ClockCheckDeps) {
    this.#deps = deps
    this.#base = this.#drift()
    deps.metrics.gauges(
      'clock_ahead_seconds',
      "How far this machine's clock is ahead of that of a store; over 1 or under -1 the daemon takes no turns",
      ['store'],
      () => [...this.#ahead].map(([store, ms]) => ({ labels: { store }, value: ms / 1_000 })),
    )
  }

  isRight(): boolean {
    if (Math.abs(this.#drift() - this.#base) < SET_MS) return this.#wasRight
    void this.#ask()
    return false
  }

  isKnown(): boolean {
    const isAsked = this.#ahead.size > 0 || this.#asked >= ASKED_MAX
    return isAsked && this.isRight()
  }

  state(): { ok: boolean; aheadMs: Record<string, number> } {
    return { ok: this.isRight(), aheadMs: Object.fromEntries(this.#ahead) }
  }

  async start(): Promise<void> {
    await this.#ask()
    this.#again()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #drift(): number {
    const { wall } = this.#deps
    return wall.now() - wall.steady()
  }

  #again(): void {
    if (this.#stopped) return
    const ms = this.#ahead.size === Object.keys(this.#deps.stores).length ? ASK_MS : FIRST_MS
    this.#cancel = this.#deps.clock.after(ms, () => void this.#ask().then(() => this.#again()))
  }

  /** If a store is unreachable, its last known difference still counts, corrected if our own clock was set since. */
  #ask(): Promise<void> {
    this.#asking ??= this.#askAll().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #askAll(): Promise<void> {
    const base = this.#drift()
    const moved = base - this.#base
    const asked = Object.entries(this.#deps.stores).map(async ([store, time]) => {
      const ahead = await this.#aheadOf(time).catch(() => undefined)
      const known = this.#ahead.get(store)
      if (ahead !== undefined) this.#ahead.set(store, ahead)
      else if (known !== undefined) this.#ahead.set(store, known + moved)
    })
    await Promise.all(asked)
    this.#asked++
    this.#base = base
    this.#judge()
  }

  /**
   * The store read its clock about half of the round trip ago. The round trip is not exact, so it counts in our favour.
   */
  async #aheadOf(time: () => Promise<number>): Promise<number> {
    const { wall } = this.#deps
    const [beganMs, began] = [wall.now(), wall.steady()]
    const theirs = await time()
    const tookMs = wall.steady() - began
    const ahead = beganMs + tookMs / 2 - theirs
    return Math.sign(ahead) * Math.round(Math.max(0, Math.abs(ahead) - tookMs / 2))
  }

  #judge(): void {
    const { log } = this.#deps
    const all = [...this.#ahead]
    const wrong = all.filter(([, ms]) => Math.abs(ms) > CLOCK_OFF_MS)
    const isRight = wrong.length === 0
    if (!isRight && this.#wasRight)
      log.error(
        { aheadMs: Object.fromEntries(wrong), remedy: REMEDY },
        'the clock of this machine is wrong: no turns, no SMS',
      )
    if (isRight && !this.#wasRight) log.info({}, 'the clock of this machine is right again')
    this.#wasRight = isRight
    if (isRight && all.length > 0) this.#deps.wall.wasRight?.(this.#base)
    const ms = all.map(([, ahead]) => ahead)
    const areApart = ms.length > 1 && Math.max(...ms) - Math.min(...ms) > CLOCK_OFF_MS
    if (areApart && !this.#wereApart)
      log.warn({ aheadMs: Object.fromEntries(all), remedy: REMEDY }, 'the clocks of Redis and Postgres differ')
    this.#wereApart = areApart
  }
}
