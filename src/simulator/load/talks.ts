/**
 * Talks as load: many phones play written conversations at a given rate, in any dialect, and compare their screens with
 * the written ones. Turns become due by a schedule, and latency counts from the moment when a turn became due
 * (rate.ts).
 */
import { type Chance, type Clock, undirected } from '../../ussd/index.ts'
import { PhoneError, type Phone } from '../phone/index.ts'
import type { Smsc } from '../smsc/index.ts'
import { histogram, type Bucket, type Latencies } from './histogram.ts'
import { openLoop, type Rate } from './rate.ts'

/** What a subscriber does, and the screens that follow. */
export interface TalkTurn {
  does: 'dial' | 'type'
  text: string
  /** The screens of the answer: more than one if notifications come first. */
  screens: TalkScreen[]
  /** How the talk leaves the dialogue: the subscriber hangs up, or the network drops it. */
  leaves?: 'hang-up' | 'lost'
}

export interface TalkScreen {
  /** Absent: any text is right. */
  text?: string
  /** The screen ends the dialogue. */
  isEnd?: boolean
  /** The place in the talk, for messages. */
  where: string
}

export interface PlayedTalk {
  title: string
  /** The first turn dials. */
  turns: TalkTurn[]
}

export interface TalkLoadOptions {
  smsc: Smsc
  clock: Clock
  /** At least one. */
  talks: readonly PlayedTalk[]
  phones: number
  /** The number of the first phone; each other phone has the next one. */
  firstMsisdn: number
  /** Turns per second. */
  perSecond: number
  /** Turns become due at random, as subscribers dial. Absent: evenly. */
  chance?: Chance
  seconds: number
  /** A turn without a screen within this time is lost, and the phone goes on with the next talk. */
  answerMs: number
  /** How a screen is compared with the written one. */
  check: ScreenCheck
  /** Ends the run early. */
  signal?: AbortSignal
}

export type ScreenCheck = 'whole' | 'first-line' | 'none'

export interface WrongScreen {
  title: string
  where: string
  expected: string
  got: string
}

export interface TalkLoadResult {
  turns: number
  dialogues: number
  seconds: number
  perSecond: number
  /** From the moment when a turn became due to its first screen, in milliseconds. */
  latency: Latencies
  buckets: Bucket[]
  /** From the moment when a turn became due until a phone sent it, in milliseconds. The latency includes it. */
  lag: Latencies
  /** Turns that became due and never found a free phone. `latency` includes the time that each waited. */
  unsent: number
  /** Turns without a screen in time. `latency` includes the time that each waited. */
  lost: number
  /** Turns that the ESME answered with a status other than 0. */
  refused: number
  /** Screens that differ from the talk. */
  wrong: number
  /** The first wrong screens. */
  examples: WrongScreen[]
}

interface Caller {
  phone: Phone
  talk: number
  turn: number
  /** Counts the dialogues of this phone. Their network numbers are computed from it. */
  number: number
}

const EXAMPLES_MAX = 5
/**
 * The network numbers that a phone may use per second. The next run begins after them, so that the daemon sees no
 * number again too soon.
 */
const NUMBERS_A_SECOND = 16

/** Resolves when the time is over and every turn has its screen or is lost. */
export function loadTalks(options: TalkLoadOptions): Promise<TalkLoadResult> {
  return new Promise((done) => new TalkRun(options, done).start())
}

class TalkRun {
  private readonly options: TalkLoadOptions
  private readonly done: (result: TalkLoadResult) => void
  private readonly callers: Caller[]
  private readonly rate: Rate
  private readonly latencies = histogram()
  private readonly lags = histogram()
  private readonly result = { turns: 0, dialogues: 0, unsent: 0, lost: 0, refused: 0, wrong: 0 }
  private readonly examples: WrongScreen[] = []
  private isTimeUp = false
  private startMs = 0
  private overMs = 0
  private awaited = 0
  private stops: (() => void)[] = []

  constructor(options: TalkLoadOptions, done: (result: TalkLoadResult) => void) {
    const { smsc, clock, talks, phones, firstMsisdn, perSecond, chance } = options
    this.options = options
    this.done = done
    const number = Math.floor(clock.now() / 1_000) * NUMBERS_A_SECOND
    this.callers = Array.from({ length: phones }, (_, i) => {
      const phone = smsc.phone(String(firstMsisdn + i))
      phone.skipRepeats = true
      return { phone, talk: i % talks.length, turn: 0, number }
    })
    this.rate = openLoop(
      { perSecond, chance, phones },
      {
        clock,
        nowMs: () => performance.now(),
        say: (index, dueMs) => void this.play(index, dueMs),
        isOver: () => this.isTimeUp,
      },
    )
  }

  start(): void {
    const { clock, seconds, signal } = this.options
    const over = () => this.timeUp()
    this.startMs = performance.now()
    this.callers.forEach((_, index) => this.rate.free(index))
    this.stops = [
      this.rate.start(this.startMs),
      clock.after(seconds * 1_000, over),
      () => signal?.removeEventListener('abort', over),
    ]
    signal?.addEventListener('abort', over, { once: true })
    if (signal?.aborted) over()
  }

  /** No new turns begin; the turns in flight are still awaited. */
  private timeUp(): void {
    if (this.isTimeUp) return
    this.isTimeUp = true
    for (const stop of this.stops) stop()
    this.overMs = performance.now()
    this.rate.leave(this.overMs, (dueMs) => {
      this.result.unsent++
      this.latencies.add(this.overMs - dueMs)
    })
    this.settle()
  }

  private settle(): void {
    if (!this.isTimeUp || this.awaited > 0) return
    // Nobody is left in the middle of a dialogue.
    for (const { phone } of this.callers) hangUp(phone)
    const seconds = Math.max(1, this.overMs - this.startMs) / 1_000
    this.done({
      ...this.result,
      seconds,
      perSecond: this.result.turns / seconds,
      latency: this.latencies.read(),
      buckets: this.latencies.buckets(),
      lag: this.lags.read(),
      examples: this.examples,
    })
  }

  /** Plays one turn of one phone, whatever its result. */
  private async play(index: number, dueMs: number): Promise<void> {
    const caller = this.callers[index]!
    const { title, turns } = this.options.talks[caller.talk]!
    const turn = turns[caller.turn]!
    this.awaited++
    this.lags.add(performance.now() - dueMs)
    const isRight = await this.exchange(caller, turn, { title, dueMs }).catch((error: Error) =>
      this.failed(error, dueMs),
    )
    caller.turn++
    if (isRight && turn.leaves === 'lost') caller.phone.timeOut()
    else if (turn.leaves === 'hang-up') hangUp(caller.phone)
    if (!isRight || caller.turn >= turns.length) this.nextTalk(caller)
    this.awaited--
    this.rate.free(index)
    this.settle()
  }

  /** Returns false if a screen differs from the talk. Rejects with PhoneError. */
  private async exchange(
    caller: Caller,
    turn: TalkTurn,
    { title, dueMs }: { title: string; dueMs: number },
  ): Promise<boolean> {
    const withinMs = this.options.answerMs
    let screen = await this.say(caller, turn)
    this.overMs = performance.now()
    this.latencies.add(this.overMs - dueMs)
    this.result.turns++
    for (const [n, written] of turn.screens.entries()) {
      if (n > 0) screen = await caller.phone.next(withinMs)
      if (!this.isRight(title, written, screen)) return false
    }
    return true
  }

  private say(caller: Caller, { does, text }: TalkTurn): ReturnType<Phone['dial']> {
    const { smsc, answerMs: withinMs } = this.options
    if (does === 'type') return caller.phone.answer(text, { withinMs })
    this.result.dialogues++
    // With the number of the dialogue before, the ESME would take a dial for a copy. No dialogue has number 0.
    caller.number++
    return caller.phone.dial(text, { number: (caller.number % (smsc.coding.numbers - 1)) + 1, withinMs })
  }

  private failed(error: Error, dueMs: number): false {
    this.latencies.add(performance.now() - dueMs)
    if (error instanceof PhoneError && error.why.startsWith('the ESME refused')) this.result.refused++
    else this.result.lost++
    return false
  }

  private nextTalk(caller: Caller): void {
    hangUp(caller.phone)
    caller.talk = (caller.talk + 1) % this.options.talks.length
    caller.turn = 0
  }

  private isRight(title: string, { text, isEnd, where }: TalkScreen, screen: { text: string; open: boolean }): boolean {
    const { check } = this.options
    const isOther = text !== undefined && seen(screen.text, check) !== seen(text, check)
    const isOpen = isEnd === true && screen.open
    if (!isOther && !isOpen) return true
    this.result.wrong++
    if (this.examples.length < EXAMPLES_MAX) {
      const expected = isOther ? text : '(the dialogue ends)'
      this.examples.push({ title, where, expected, got: screen.text })
    }
    return false
  }
}

function hangUp(phone: Phone): void {
  if (phone.screen?.open) phone.hangUp()
}

/** Blanks at the end of a line are not compared: nobody sees them. */
function seen(text: string, check: ScreenCheck): string {
  const lines = check === 'none' ? '' : undirected(text).replace(/[^\S\n]+$/gm, '')
  return check === 'first-line' ? lines.split('\n', 1)[0]! : lines
}
