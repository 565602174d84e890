/** A simulated handset: dials, reads, answers, hangs up, and gets SMS. */
import type { Clock } from '../../ussd/index.ts'
import { inbox, type Inbox, type Sms } from './inbox.ts'
import { mailbox, type Mailbox } from './mailbox.ts'
import type { Handset, Network, HandsetScreen } from '../network/index.ts'

export interface Phone extends Handset {
  /** Dials and resolves with the first screen. Rejects, with the story so far, if none comes in time. */
  dial(code: string, options?: DialOptions): Promise<HandsetScreen>
  /** Types an answer and resolves with the next screen. */
  answer(text: string, options?: { withinMs?: number | undefined }): Promise<HandsetScreen>
  /** Cancels: the ESME is told as the dialect does. */
  hangUp(): void
  /** The network's own timer fires. */
  timeOut(): void
  /** Types without waiting for anything. */
  type(text: string): void
  /** The next screen that no caller has read: a push, a repeat, or what an earlier call did not wait for. */
  next(withinMs?: number): Promise<HandsetScreen>
  /** The next SMS that no caller has read. */
  sms(withinMs?: number): Promise<Sms>
  /** Sends an SMS to a service; resolves with the status of the ESME's acknowledgement. */
  send(to: string, text: string): Promise<number>
  /** Removes a message that needs no answer. */
  dismiss(): void
  /** Something was typed or dialled, and nothing has come back yet. */
  readonly waiting: boolean
  /** Why the last dial or answer failed. Null after the next success. */
  readonly failed: string | null
  /** How its last dialogue was left, if it did not end by itself. */
  readonly left: 'hang-up' | 'lost' | null
  /** What the display shows. */
  readonly screen: HandsetScreen | null
  readonly inbox: readonly Sms[]
  /** Everything that happened to this phone, in words: the last few hundred lines. */
  readonly story: readonly string[]
  /** How many screens came a second time. */
  readonly repeats: number
  /** dial, answer and next skip repeated screens. Default false. */
  skipRepeats: boolean
  /** Takes an SMS part; returns the message that it completes. */
  receive(sms: Parameters<Inbox['take']>[0], id: string): Sms | undefined
}

export interface DialOptions {
  withinMs?: number | undefined
  /** 0: a phase 1 handset (PSSD). Default 1. */
  beginOp?: number | undefined
  /** The network's number of the dialogue. Default: the next one. */
  number?: number | undefined
  systemId?: string | undefined
}

export interface PhoneDeps {
  clock: Clock
  network: Network
  withinMs: number
  /** How many SMS it keeps. Default 500. */
  inboxMax?: number | undefined
  /** How many lines of its story the phone keeps. Default 300. */
  storyMax?: number | undefined
  /** Tells observers. */
  onChange(what: 'screen' | 'sms' | 'failed' | 'typed'): void
  sendSms(handset: Handset, to: string, text: string): Promise<number>
}

const STORY_MAX = 300

/** A request to a phone failed. The message has the whole story, for tests and logs; `why` is for people. */
export class PhoneError extends Error {
  readonly why: string
  constructor(why: string, story: readonly string[]) {
    super(`${why}. The phone so far:\n  ${story.join('\n  ')}`)
    this.why = why
  }
}

export function phone(handset: Omit<Handset, 'show' | 'fail'>, deps: PhoneDeps): Phone {
  return new SimulatedPhone(handset, deps)
}

class SimulatedPhone implements Phone {
  readonly msisdn: string
  source: Handset['source']
  confirms: boolean
  isOff: boolean
  skipRepeats = false
  screen: HandsetScreen | null = null
  waiting = false
  failed: string | null = null
  left: Phone['left'] = null
  repeats = 0
  readonly story: string[] = []
  private readonly deps: PhoneDeps
  private readonly box: Inbox
  private readonly screens: Mailbox<HandsetScreen>
  private readonly messages: Mailbox<Sms>

  constructor({ msisdn, source, confirms, isOff }: Omit<Handset, 'show' | 'fail'>, deps: PhoneDeps) {
    this.msisdn = msisdn
    this.source = source
    this.confirms = confirms
    this.isOff = isOff
    this.deps = deps
    this.box = inbox(deps.inboxMax)
    const errorOf = (why: string): Error => this.errorOf(why)
    this.screens = mailbox(deps.clock, errorOf)
    this.messages = mailbox(deps.clock, errorOf)
  }

  get inbox(): readonly Sms[] {
    return this.box.all
  }

  // The subscriber's actions.

  dial(code: string, options: DialOptions = {}): Promise<HandsetScreen> {
    this.screens.forget()
    this.tell(`dials ${code}`)
    this.left = null
    const wait = this.awaited(options.withinMs)
    this.waits()
    this.deps.network.dial(this, code, options)
    return wait
  }

  answer(text: string, options: { withinMs?: number | undefined } = {}): Promise<HandsetScreen> {
    if (!this.deps.network.open(this.msisdn)) return Promise.reject(this.noDialogue())
    this.screens.forget()
    const wait = this.awaited(options.withinMs)
    this.type(text)
    return wait
  }

  type(text: string): void {
    if (!this.deps.network.open(this.msisdn)) throw this.noDialogue()
    this.tell(`answers ${JSON.stringify(text)}`)
    this.waits()
    this.deps.network.answer(this, text)
  }

  hangUp(): void {
    this.leave('abort', 'hangs up')
  }

  timeOut(): void {
    this.leave('timeout', 'the network times out')
  }

  dismiss(): void {
    if (this.screen?.open) return
    this.rests(null)
    this.deps.onChange('screen')
  }

  next(withinMs = this.deps.withinMs): Promise<HandsetScreen> {
    return this.screens.next(withinMs, 'a screen')
  }

  sms(withinMs = this.deps.withinMs): Promise<Sms> {
    return this.messages.next(withinMs, 'an SMS')
  }

  send(to: string, text: string): Promise<number> {
    return this.deps.sendSms(this, to, text)
  }

  // What arrives at the handset.

  show(shown: HandsetScreen): void {
    this.rests(shown)
    this.tell(`sees (${shown.action}) ${JSON.stringify(shown.text)}`)
    if (shown.repeat) this.repeats++
    if (!shown.repeat || !this.skipRepeats) this.screens.put(shown)
    this.deps.onChange('screen')
  }

  fail(why: string): void {
    this.rests(null, why)
    this.tell(`fails: ${why}`)
    this.screens.fail(why)
    this.deps.onChange('failed')
  }

  receive(submitted: Parameters<Inbox['take']>[0], id: string): Sms | undefined {
    const sms = this.box.take(submitted, id, this.deps.clock.now())
    if (!sms) return undefined
    this.tell(`gets an SMS from ${sms.from}: ${JSON.stringify(sms.text)}`)
    this.messages.put(sms)
    this.deps.onChange('sms')
    return sms
  }

  private leave(event: 'abort' | 'timeout', line: string): void {
    this.tell(line)
    this.rests(null)
    this.left = event === 'abort' ? 'hang-up' : 'lost'
    this.deps.network.release(this, event)
    this.screens.fail(`the phone ${line}`)
    this.deps.onChange('screen')
  }

  /** The next screen. If none comes, the phone records why. */
  private awaited(withinMs = this.deps.withinMs): Promise<HandsetScreen> {
    return this.screens.next(withinMs, 'a screen', (why) => {
      this.rests(null, why)
      this.deps.onChange('failed')
    })
  }

  private waits(): void {
    this.waiting = true
    this.failed = null
    this.screen = null
    this.deps.onChange('typed')
  }

  private rests(shown: HandsetScreen | null, why: string | null = null): void {
    this.waiting = false
    this.failed = why
    this.screen = shown
  }

  private tell(line: string): void {
    this.story.push(line)
    if (this.story.length > (this.deps.storyMax ?? STORY_MAX)) this.story.shift()
  }

  private errorOf(why: string): Error {
    return new PhoneError(why, this.story)
  }

  private noDialogue(): Error {
    return this.errorOf('no dialogue is open on this phone: dial first')
  }
}
