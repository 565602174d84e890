/** A simulated handset: dials, reads, answers, hangs up, and gets SMS. */
import type { Clock } from '../../ussd/index.ts'
import { inbox, type Inbox, type Sms } from './inbox.ts'
import type { Handset, Network, HandsetScreen } from '../network/index.ts'

export interface Phone extends Handset {
  /** Dials and answers the first screen. Rejects, with the story so far, if none comes in time. */
  dial(code: string, options?: DialOptions): Promise<HandsetScreen>
  /** Types an answer and answers the next screen. */
  answer(text: string, options?: { withinMs?: number | undefined }): Promise<HandsetScreen>
  /** Cancels: the ESME is told in the dialect's way. */
  hangUp(): void
  /** The network's own timer fires. */
  timeOut(): void
  /** Types without waiting for anything. */
  type(text: string): void
  /** The next screen nobody has looked at: a push, a repeat, or what an earlier call did not wait for. */
  next(withinMs?: number): Promise<HandsetScreen>
  /** The next SMS nobody has looked at. */
  sms(withinMs?: number): Promise<Sms>
  /** Sends an SMS to a service; resolves with the status that the ESME acknowledged it with. */
  send(to: string, text: string): Promise<number>
  /** Puts a message away that needs no answer. */
  dismiss(): void
  /** Something was typed or dialled and nothing has come back yet. */
  readonly waiting: boolean
  /** Why the last dial or answer came to nothing; null once something works again. */
  readonly failed: string | null
  /** How its last dialogue was left, if it did not end by itself. */
  readonly left: 'hang-up' | 'lost' | null
  /** What stands on the display. */
  readonly screen: HandsetScreen | null
  readonly inbox: readonly Sms[]
  /** Everything that happened to this phone, in words; the last few hundred lines. */
  readonly story: readonly string[]
  /** Screens that came a second time. */
  readonly repeats: number
  /** dial, answer and next pass over repeated screens. Default false. */
  skipRepeats: boolean
  /** Takes an SMS part; answers the message that it completes. */
  receive(sms: Parameters<Inbox['take']>[0], id: string): Sms | undefined
}

export interface DialOptions {
  withinMs?: number | undefined
  /** 0: a phase-1 handset (PSSD). Default 1. */
  beginOp?: number | undefined
  /** The network number of the dialogue. Default: the next one. */
  number?: number | undefined
  systemId?: string | undefined
}

export interface PhoneDeps {
  clock: Clock
  network: Network
  withinMs: number
  /** SMS that it keeps. Default 500. */
  inboxMax?: number | undefined
  /** Tells whoever watches. */
  onChange(what: 'screen' | 'sms' | 'failed' | 'typed'): void
  sendSms(handset: Handset, to: string, text: string): Promise<number>
}

const STORY_MAX = 300

/**
 * What a phone was asked for came to nothing. The message tells the whole story, for tests and logs; `why` is for
 * people.
 */
export class PhoneError extends Error {
  readonly why: string
  constructor(why: string, story: readonly string[]) {
    super(`${why}. The phone so far:\n  ${story.join('\n  ')}`)
    this.why = why
  }
}

export function phone(handset: Omit<Handset, 'show' | 'fail'>, deps: PhoneDeps): Phone {
  const story: string[] = []
  const errorOf = (why: string): Error => new PhoneError(why, story)
  const noDialogue = (): Error => errorOf('no dialogue is open on this phone: dial first')
  const screens = mailbox<HandsetScreen>(deps.clock, errorOf)
  const messages = mailbox<Sms>(deps.clock, errorOf)
  const box = inbox(deps.inboxMax)
  let screen: HandsetScreen | null = null
  let repeats = 0
  let waiting = false
  let failed: string | null = null
  let left: Phone['left'] = null

  function tell(line: string): void {
    story.push(line)
    if (story.length > STORY_MAX) story.shift()
  }

  function waits(): void {
    waiting = true
    failed = null
    screen = null
    deps.onChange('typed')
  }

  function rests(shown: HandsetScreen | null, why: string | null = null): void {
    waiting = false
    failed = why
    screen = shown
  }

  function leaves(event: 'abort' | 'timeout', line: string): void {
    tell(line)
    rests(null)
    left = event === 'abort' ? 'hang-up' : 'lost'
    deps.network.release(self, event)
    screens.fail(`the phone ${line}`)
    deps.onChange('screen')
  }

  function awaited(withinMs = deps.withinMs): Promise<HandsetScreen> {
    return screens.next(withinMs, 'a screen', (why) => {
      rests(null, why)
      deps.onChange('failed')
    })
  }

  const self: Phone = {
    ...handset,
    skipRepeats: false,
    get screen() {
      return screen
    },
    get inbox() {
      return box.all
    },
    get repeats() {
      return repeats
    },
    get waiting() {
      return waiting
    },
    get failed() {
      return failed
    },
    get left() {
      return left
    },
    story,
    dial(code, options = {}) {
      screens.forget()
      tell(`dials ${code}`)
      left = null
      const wait = awaited(options.withinMs)
      waits()
      deps.network.dial(self, code, options)
      return wait
    },
    answer(text, options = {}) {
      if (!deps.network.open(self.msisdn)) return Promise.reject(noDialogue())
      screens.forget()
      const wait = awaited(options.withinMs)
      self.type(text)
      return wait
    },
    type(text) {
      if (!deps.network.open(self.msisdn)) throw noDialogue()
      tell(`answers ${JSON.stringify(text)}`)
      waits()
      deps.network.answer(self, text)
    },
    hangUp: () => leaves('abort', 'hangs up'),
    timeOut: () => leaves('timeout', 'the network times out'),
    dismiss() {
      if (screen?.open) return
      rests(null)
      deps.onChange('screen')
    },
    next: (withinMs = deps.withinMs) => screens.next(withinMs, 'a screen'),
    sms: (withinMs = deps.withinMs) => messages.next(withinMs, 'an SMS'),
    send: (to, text) => deps.sendSms(self, to, text),
    show(shown) {
      rests(shown)
      tell(`sees (${shown.action}) ${JSON.stringify(shown.text)}`)
      if (shown.repeat) repeats++
      if (!shown.repeat || !self.skipRepeats) screens.put(shown)
      deps.onChange('screen')
    },
    fail(why) {
      rests(null, why)
      tell(`fails: ${why}`)
      screens.fail(why)
      deps.onChange('failed')
    },
    receive(submitted, id) {
      const sms = box.take(submitted, id, deps.clock.now())
      if (!sms) return undefined
      tell(`gets an SMS from ${sms.from}: ${JSON.stringify(sms.text)}`)
      messages.put(sms)
      deps.onChange('sms')
      return sms
    },
  }
  return self
}

interface Mailbox<T> {
  put(thing: T): void
  next(withinMs: number, what: string, onLate?: (why: string) => void): Promise<T>
  forget(): void
  fail(why: string): void
}

/** Things that came, and those who wait for one. What is not taken is kept, the last few. */
function mailbox<T>(clock: Clock, errorOf: (why: string) => Error): Mailbox<T> {
  const kept: T[] = []
  const waiting: { take(thing: T): void; fail(why: string): void }[] = []
  return {
    put(thing) {
      const first = waiting.shift()
      if (first) first.take(thing)
      else if (kept.push(thing) > 100) kept.shift()
    },
    next(withinMs, what, onLate) {
      const had = kept.shift()
      if (had !== undefined) return Promise.resolve(had)
      return new Promise((take, reject) => {
        const fail = (why: string): void => reject(errorOf(why))
        const one = {
          take: (thing: T) => (callOff(), take(thing)),
          fail: (why: string) => (callOff(), fail(why)),
        }
        const callOff = clock.after(withinMs, () => {
          waiting.splice(waiting.indexOf(one), 1)
          const why = `the phone waited ${withinMs} ms for ${what} in vain`
          onLate?.(why)
          fail(why)
        })
        waiting.push(one)
      })
    },
    forget: () => void kept.splice(0),
    fail(why) {
      for (const one of waiting.splice(0)) one.fail(why)
    },
  }
}
