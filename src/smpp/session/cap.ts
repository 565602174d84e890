/**
 * The cap of a whole line: how many requests a second may be written on it, USSD and SMS together. Daemons that serve
 * the line divide the cap: each has a share, in force for some seconds. Within its share nothing is asked.
 *
 * In any second, wherever it begins, no more is written than the share. USSD goes first, and as soon as the share
 * allows. SMS are spread over the second, and leave the last of the share (`kept`) to USSD.
 */
import { monotonicClock } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Lane } from '../types.ts'
import { COUNTED_MS, Lately } from './lately.ts'
import type { SmppCounter } from './counters.ts'

export interface CapSettings {
  /** What the SMSC takes a second on the whole line. */
  perSecond: number
  /** The share of it that SMS leave to USSD. */
  ussdShare: number
}

/** What this daemon may write a second. */
export interface LineShare {
  total: number
  /** Of `total`: the last ones, that SMS may not take. */
  kept: number
}

/** What a daemon says when it asks for its share of the next seconds. */
export interface ShareAsk {
  line: string
  /** Of each daemon and line: a later ask has a higher one. */
  serial: number
  cap: number
  /** Of the cap: for USSD alone. */
  kept: number
  /** It may have written so much within the last second, and may do so until it has the answer. */
  hold: number
  /** What it could use a second. Null: it gives its share back, and asks again when it has something to send. */
  wants: { ussd: number; sms: number } | null
}

export interface ShareGrant extends LineShare {
  /** The smallest cap that any daemon has. */
  cap: number
  /** What a daemon is given at once. */
  floor: number
  /** How many daemons share. */
  daemons: number
}

/** Where daemons divide the caps of their lines. */
export interface LineShares {
  /** Asks for all lines at once. Never rejects. Null: the store did not answer for that line. */
  ask(asks: readonly ShareAsk[]): Promise<readonly (ShareGrant | null)[]>
}

/** What waits for a cap: a window. */
export interface CapWaiter {
  /** How many of this lane wait in it. */
  waiting(lane: Lane): number
  /** It is time to try again. */
  pump(): void
}

export interface CapDeps {
  clock: Clock
  count(name: SmppCounter, labels: Record<string, string>, by?: number): void
  /** Something is to be sent, and no share is in force. Absent: the whole cap is this daemon's. */
  wanted?: (() => void) | undefined
}

/** A share is in force for so long after it was asked for: a second less than it is kept for this daemon (SHARE_MS). */
const IN_FORCE_MS = 2_000
/** After the last request a share is given back: a subscriber who reads has pressed the next key by then. */
const REST_MS = 10_000
/** SMS that may go at once, because timers are not finer than that: of a second's, and at least. */
const AT_ONCE = 0.1
const AT_ONCE_MIN = 2

export class LineCap {
  readonly #deps: CapDeps
  readonly #now: () => number
  readonly #all = new Lately()
  readonly #sms = new Lately()
  readonly #waiting: Record<Lane, Set<CapWaiter>> = { ussd: new Set(), sms: new Set() }
  #settings: CapSettings
  #share: LineShare | undefined
  /** The share that is being given back. */
  #leaving: LineShare | undefined
  #untilMs = -Infinity
  /** What is used if the store is unreachable and this daemon has no share. */
  #floor: number
  /** Requests that the present share was too small for. */
  #short: Record<Lane, boolean> = { ussd: false, sms: false }
  #usedMs = -Infinity
  #tokens = 1
  #filledMs: number
  #timer: { atMs: number; cancel: () => void } | undefined

  constructor(settings: CapSettings, deps: CapDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
    this.#filledMs = this.#now()
    this.#floor = Math.max(1, Math.floor(keptOf(settings, 2) / 2))
    if (!deps.wanted) this.#take(wholeOf(settings), Infinity)
  }

  perSecond(): number {
    return this.#settings.perSecond
  }

  /** New settings of the line. A smaller cap counts at once. */
  change(settings: CapSettings): void {
    this.#settings = settings
    this.#floor = Math.min(this.#floor, settings.perSecond)
    if (!this.#deps.wanted) return this.#take(wholeOf(settings), Infinity)
    if (this.#share) this.#share = within(this.#share, settings)
  }

  /** Whether one more may be written now. If not, the waiter is called when it may. */
  may(lane: Lane, waiter: CapWaiter): boolean {
    const nowMs = this.#now()
    const waitMs = this.#untilMayMs(lane, nowMs)
    if (waitMs <= 0) return true
    this.#usedMs = nowMs
    this.#short[lane] = true
    this.#waiting[lane].add(waiter)
    this.#wakeIn(waitMs, nowMs)
    if (!this.#isInForce(nowMs)) this.#deps.wanted?.()
    return false
  }

  /** It waits no longer. */
  leave(waiter: CapWaiter): void {
    this.#waiting.ussd.delete(waiter)
    this.#waiting.sms.delete(waiter)
  }

  /** One was written. `waitedMs`: for how long the cap held it back. */
  spend(lane: Lane, kind: string, waitedMs: number): void {
    const nowMs = this.#now()
    this.#usedMs = nowMs
    this.#all.add(nowMs)
    if (lane === 'sms') {
      this.#sms.add(nowMs)
      this.#tokens--
    }
    this.#deps.count('smpp_cap_used', { kind })
    if (waitedMs <= 0) return
    this.#deps.count('smpp_cap_waits', { lane })
    this.#deps.count('smpp_cap_wait_seconds', { lane }, waitedMs / 1_000)
  }

  /** How many SMS may be on their way at once: no more than leave within a second. */
  smsRoom(): number {
    const { total, kept } = this.#lastShare()
    return Math.max(1, total - kept)
  }

  /** How long a reply would wait. `ahead`: how many want to leave before it. */
  waitMs(ahead: number): number {
    const nowMs = this.#now()
    const { total } = this.#lastShare()
    const free = Math.max(0, total - this.#all.count(nowMs))
    const waiting = Math.max(ahead, this.#countWaiting('ussd')) + 1 - free
    return waiting <= 0 ? 0 : (waiting / Math.max(1, total)) * COUNTED_MS
  }

  /** Written within the last second. */
  used(): number {
    return this.#all.count(this.#now())
  }

  waiting(): number {
    return this.#countWaiting('ussd') + this.#countWaiting('sms')
  }

  /** What this daemon may write a second now; 0: it has no share at the moment, and asks when it needs one. */
  share(): number {
    return this.#isInForce(this.#now()) ? this.#share!.total : 0
  }

  /** It has a share, or needs one. */
  isActive(): boolean {
    return this.#share !== undefined || this.waiting() > 0
  }

  /** Nothing was sent for a while. */
  isQuiet(): boolean {
    return this.waiting() === 0 && this.#now() - this.#usedMs > REST_MS
  }

  /** Something waits, and no share is in force. */
  isWanting(): boolean {
    return this.waiting() > 0 && !this.#isInForce(this.#now())
  }

  /** The share was too small since the last ask. */
  isShort(): boolean {
    return this.#short.ussd || this.#short.sms
  }

  /** What to say when a share is asked for now. `isOver`: this daemon leaves. */
  ask(isOver: boolean): Omit<ShareAsk, 'line' | 'serial'> {
    const nowMs = this.#now()
    const used = this.#all.count(nowMs)
    const cap = this.#settings.perSecond
    const base = { cap, kept: keptOf(this.#settings, 2) }
    if (isOver || this.isQuiet()) {
      this.#leaving = this.#share
      this.#share = undefined
      this.#untilMs = -Infinity
      return { ...base, hold: used, wants: null }
    }
    const sms = this.#sms.count(nowMs)
    const wants = { ussd: this.#wish('ussd', used - sms, cap), sms: this.#wish('sms', sms, cap) }
    this.#short = { ussd: false, sms: false }
    return { ...base, hold: Math.max(used, this.share()), wants }
  }

  /** The answer to what was asked at `askedMs` (monotonic, see `now`). */
  granted({ total, kept, floor }: ShareGrant, askedMs: number): void {
    this.#floor = floor
    this.#take(within({ total, kept }, this.#settings), askedMs + IN_FORCE_MS)
  }

  /** The store is unreachable: the last share goes on, never more. Without one: what a daemon is given at once. */
  keep(): void {
    this.#take(this.#share ?? this.#leaving ?? { total: this.#floor, kept: 0 }, Infinity)
  }

  /** The share was given back. */
  rest(): void {
    this.#leaving = undefined
  }

  now(): number {
    return this.#now()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #take(share: LineShare, untilMs: number): void {
    this.#share = share
    this.#leaving = undefined
    this.#untilMs = untilMs
    this.#wake()
  }

  #isInForce(nowMs: number): boolean {
    return this.#share !== undefined && nowMs < this.#untilMs
  }

  #lastShare(): LineShare {
    return this.#share ?? wholeOf(this.#settings)
  }

  #untilMayMs(lane: Lane, nowMs: number): number {
    if (!this.#isInForce(nowMs)) return Infinity
    const { total, kept } = this.#share!
    if (lane === 'ussd') return this.#all.untilBelowMs(total, nowMs)
    // A reply waits, perhaps on another link: what wakes it wakes SMS after it.
    if (this.#waiting.ussd.size > 0) return Infinity
    return Math.max(this.#all.untilBelowMs(total - kept, nowMs), this.#untilTokenMs(total - kept, nowMs))
  }

  /** SMS are spread: a bucket that is filled as fast as the share allows. */
  #untilTokenMs(most: number, nowMs: number): number {
    const perMs = most / COUNTED_MS
    const gained = (nowMs - this.#filledMs) * perMs
    this.#tokens = Math.min(Math.max(AT_ONCE_MIN, most * AT_ONCE), this.#tokens + gained)
    this.#filledMs = nowMs
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / perMs
  }

  /** What it used and a quarter more, or twice that where it was too little, and what waits. */
  #wish(lane: Lane, used: number, cap: number): number {
    const waiting = this.#countWaiting(lane)
    if (used + waiting === 0) return 0
    return Math.min(cap, Math.ceil(used * (this.#short[lane] ? 2 : 1.25)) + waiting + 1)
  }

  #countWaiting(lane: Lane): number {
    let sum = 0
    for (const waiter of this.#waiting[lane]) sum += waiter.waiting(lane)
    return sum
  }

  #wakeIn(ms: number, nowMs: number): void {
    if (ms === Infinity || (this.#timer && this.#timer.atMs <= nowMs + ms)) return
    this.#timer?.cancel()
    const cancel = this.#deps.clock.after(Math.max(1, Math.ceil(ms)), () => {
      this.#timer = undefined
      this.#wake()
    })
    this.#timer = { atMs: nowMs + ms, cancel }
  }

  /** All replies, on all links, before any SMS. */
  #wake(): void {
    for (const lane of ['ussd', 'sms'] as const) {
      // Those that wait again are not for now.
      const waiters = [...this.#waiting[lane]]
      for (const waiter of waiters) {
        if (!this.#waiting[lane].delete(waiter)) continue
        waiter.pump()
      }
    }
  }
}

/**
 * What SMS leave to USSD. `least`: where daemons share, one for each that has a share, and one for one that comes; but
 * never the whole cap.
 */
function keptOf({ perSecond, ussdShare }: CapSettings, least = 1): number {
  if (ussdShare === 0) return 0
  return Math.min(perSecond - 1, Math.max(least, Math.ceil(perSecond * ussdShare)))
}

function wholeOf(settings: CapSettings): LineShare {
  return { total: settings.perSecond, kept: keptOf(settings) }
}

function within({ total, kept }: LineShare, { perSecond }: CapSettings): LineShare {
  const most = Math.min(total, perSecond)
  return { total: most, kept: Math.min(kept, Math.max(0, most - 1)) }
}
