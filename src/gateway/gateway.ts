/**
 * START HERE: one deliver_sm, from the SMSC's octets to our answer.
 *
 *   1 line.dialect.read(pdu)          pure   not USSD: a receipt, an SMS, or nothing for us
 *   2 dialogues.open / take           recalls or reads the record, and decides what the message is. If the turn awaits
 *       nothing, plays it at once, and writes answer and outcome together. If it awaits a back end,
 *       a language or an old revision, writes only the answer
 *   3 link.respond(pdu, ROK)          only now: what is acknowledged is durable
 *   4 playTurn(record)                only what was not played at once; dialogues.rest writes the outcome
 *   5 line.dialect.write(reply)       pure
 *   6 line.submit(pdu, 'ussd')        before any SMS, on the same link if it is still bound (delivery.ts)
 *   7 dialogues.confirm(…)            when the SMSC has accepted it; the next key confirms it too
 */
import type { Backend } from '../backend/index.ts'
import {
  nameOfKey,
  type DialogueKey,
  type DialogueRecord,
  type DialogueStore,
  type PlayAtOnce,
  type TakeResult,
  type Taking,
} from '../dialogue/index.ts'
import {
  failpoint,
  failpointOnceWritten,
  monotonicClock,
  tellsDebug,
  type Log,
  type Metrics,
  type Standstill,
} from '../base/index.ts'
import type { DeferredAnswers } from '../deferred/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import { replyIn } from '../push/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Incoming, Line, LinkPort, Pdu } from '../smpp/index.ts'
import type { Recorder } from '../tools/recorder/index.ts'
import type { Chance, Clock, EndReason, UssdMessage } from '../ussd/index.ts'
import { Admission, type Overload } from './admission.ts'
import { ArrivalOrder } from './arrival-order.ts'
import { Backlog } from './backlog.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { createEnding } from './ending.ts'
import { createIntake, type Intake } from './intake.ts'
import {
  dialogueKeyOf,
  guardStore,
  seenAs,
  isEarly,
  mayBeSeen,
  refusalOf,
  responseStatus,
  isBegin,
  takingOf,
  type From,
  type GatewayLimits,
  type GuardStore,
  storeFailed,
  type Service,
  type StoreFailed,
  type TurnedAway,
} from './steps.ts'
import { createSweep } from './sweep.ts'
import { createTexts, type Said, type Texts } from './texts.ts'
import { Turns, type Spoken } from './turns.ts'
import { createUnopened, type Unopened } from './unopened.ts'

export interface GatewayDeps {
  dialogues: DialogueStore
  flows: FlowRegistry
  services: readonly Service[]
  backend(name: string): Backend | undefined
  chosenLanguage?(msisdn: string): Promise<string | null>
  /** Exact texts are kept for support. Absent: they are not. */
  keepsTexts?: boolean | undefined
  line(name: string): Line | undefined
  /** Gets what a message was, so that the recorder knows what may be shown: see `SeenMessage`. */
  mark?: Recorder['mark']
  /** A delivery receipt or an SMS: resolves when it is durable. */
  onReceipt(pdu: Pdu, line: Line): Promise<void>
  onSms(pdu: Pdu, line: Line): Promise<void>
  clock: Clock
  /** When this process stood still, if what is read now may have waited since. Absent: it never does. */
  stoodStill?(): Standstill | undefined
  /**
   * Whether a turn may have killed the process before this one, by when its dialogue was last written (null: it is a
   * dial). Such a turn is stored before it is evaluated, so that its attempts count. Absent: none.
   */
  isSuspect?(writtenMs: number | null): boolean
  /** A dial was answered with a text outside any dialogue. */
  onTurnedAway?(dial: { msisdn: string; code: string; line: string; why: string }): void
  chance: Chance
  mint: { epoch(): string; token(): string }
  log: Log
  metrics: Metrics
  limits: GatewayLimits
  overload: Overload
  /** What new dials on a held line get; a null text: `texts.busy`. Absent: no line is held. */
  heldLine?(line: string): { text: string | null } | undefined
  deferred: Pick<DeferredAnswers, 'mayHold' | 'hold'>
  texts: Record<'busy' | 'expired' | 'unknownCode' | 'overload' | 'oldPhone', string>
  /** Absent: each request begins when it arrives. */
  intake?: Intake
  /** How long the event loop has worked since the start, in milliseconds. Absent: its time is not scarce. */
  activeMs?(): number
}

export interface Gateway {
  onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void>
  /**
   * Handles what is due: turns of dead daemons, replies that were not accepted, dialogues without an answer. For a
   * daemon with a bind.
   */
  sweep(): Promise<void>
  /** Ends a dialogue with a text, whatever its state. Null: none was open. */
  end(key: DialogueKey): Promise<DialogueRecord | null>
  /** The limit for which a begin on this line would be turned away now. Null: none. */
  overload(line: Line): string | null
  /** No new dialogues from now on. */
  drain(): void
  turnsUnderWay(): number
  /** From the arrival of a request until nothing more is done for it. */
  requestsUnderWay(): number
}

/** How many dials are turned away in one turn of the event loop: some 5 ms of work. */
const TURNED_AWAY_A_TURN = { least: 20, most: 60 }

/** Creates the gateway of a daemon. */
export function createGateway(deps: GatewayDeps): Gateway {
  const gateway = new UssdGateway(deps)
  // The functions may be passed on one by one.
  return {
    onRequest: (pdu, line, link) => gateway.onRequest(pdu, line, link),
    sweep: gateway.sweep,
    end: (key) => gateway.end(key),
    overload: (line) => gateway.overload(line),
    drain: () => gateway.admission.drain(),
    turnsUnderWay: () => gateway.turns.underWay(),
    requestsUnderWay: () => gateway.underWay(),
  }
}

class UssdGateway {
  readonly turns: Turns
  readonly admission: Admission
  readonly sweep: () => Promise<void>
  readonly #deps: GatewayDeps
  readonly #failed: StoreFailed
  readonly #guarded: GuardStore
  readonly #delivery: Delivery
  readonly #texts: Texts
  readonly #unopened: Unopened
  readonly #finish: (record: DialogueRecord) => void
  readonly #backlog = new Backlog()
  readonly #order = new ArrivalOrder()
  /** Turning away is quick, but thousands at once would hold the event loop. */
  readonly #aside: Intake
  /** Requests that were turned away when they arrived, and wait for their text to leave. */
  #turnedAway = 0
  readonly #now: () => number

  constructor(deps: GatewayDeps) {
    const failed = storeFailed(deps)
    const guarded = guardStore(failed)
    const ending = createEnding(deps)
    const finish = (record: DialogueRecord) => {
      this.admission.ended()
      ending(record)
    }
    const delivery = createDelivery({ ...deps, guarded, drop: (record, reason) => this.turns.drop(record, reason) })
    const unopened = createUnopened({ ...deps, guarded })
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
    this.#aside = createIntake({ now: this.#now, perTurn: TURNED_AWAY_A_TURN })
    this.#failed = failed
    this.#guarded = guarded
    this.#delivery = delivery
    this.#texts = createTexts({ ...deps, delivery })
    this.#unopened = unopened
    this.#finish = finish
    this.turns = new Turns({ ...deps, guarded, delivery, finish })
    this.admission = new Admission({
      ...deps,
      underWay: () => this.turns.underWay(),
      isCapped: (line) => this.#backlog.isCapped(line),
    })
    const counted = (open: number) => this.admission.counted(open)
    this.sweep = createSweep({ ...deps, guarded, turns: this.turns, delivery, unopened, counted, finish })
  }

  /** A request arrives. If we have no time for it, a begin is turned away now. Others begin in the order of arrival. */
  onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void> {
    const { intake, activeMs, limits } = this.#deps
    const backlog = this.#backlog
    const from = { pdu, line, link }
    const arrivedMs = this.#now()
    if (activeMs && backlog.isDue(arrivedMs)) backlog.measure(arrivedMs, activeMs())
    const waitMs = backlog.waitMs(line)
    if (waitMs > limits.turnMs && isBegin(line.dialect.read(pdu))) return this.#turnAway(from, waitMs)
    backlog.enter(line)
    if (!intake) return this.#serve(from, waitMs)
    return intake.takeUp(() => this.#serve(from, this.#waitMs(line, arrivedMs)))
  }

  async #serve(from: From, waitMs: number): Promise<void> {
    try {
      await this.#begin(from, waitMs)
    } finally {
      this.#backlog.leave(from.line)
    }
  }

  underWay(): number {
    return this.#backlog.here() + this.#turnedAway
  }

  overload(line: Line): string | null {
    return this.admission.overload(line, this.#backlog.waitMs(line))
  }

  async #turnAway(from: From, waitMs: number): Promise<void> {
    this.#turnedAway++
    try {
      if (this.#deps.intake) await this.#aside.takeUp(() => this.#begin(from, waitMs))
      else await this.#begin(from, waitMs)
    } finally {
      this.#turnedAway--
    }
  }

  /** How long a request that is taken up now has waited, and will wait. */
  #waitMs(line: Line, arrivedMs: number): number {
    const waiting = this.#deps.intake?.waiting() ?? 0
    return this.#now() - arrivedMs + this.#backlog.waitMs(line, waiting + 1)
  }

  #begin(from: From, waitMs: number): Promise<unknown> {
    const incoming = from.line.dialect.read(from.pdu)
    const seen = seenAs(incoming)
    if (seen) this.#deps.mark?.(from.pdu, from.link, seen)
    return incoming.is === 'ussd' ? this.#onUssd(incoming.message, from, waitMs) : this.#onOther(incoming, from)
  }

  async #onOther(incoming: Exclude<Incoming, { is: 'ussd' }>, { pdu, line, link }: From): Promise<void> {
    const { onReceipt, onSms, log } = this.#deps
    if (incoming.is === 'receipt') await onReceipt(pdu, line)
    if (incoming.is === 'sms') await onSms(pdu, line)
    if (incoming.is === 'reject') log.warn({ line: line.name, ...refusalOf(incoming.why) }, 'PDU refused')
    link.respond(pdu, responseStatus(incoming))
  }

  #onUssd(message: UssdMessage, from: From, waitMs: number): Promise<unknown> {
    const { overload, clock } = this.#deps
    if (!overload.inTime(message.msisdn, clock.now())) return this.#tooFast(message, from)
    if (message.kind === 'abort' || message.kind === 'end' || message.kind === 'timeout')
      return this.#onHangUp(message, from)
    const refusal = message.kind === 'begin' ? this.admission.turnedAway(message, from.line, waitMs) : null
    return refusal ? this.#sayAndForget(refusal, message, from) : this.#onAdmitted(message, from)
  }

  #onAdmitted(message: UssdMessage, from: From): Promise<unknown> {
    const { clock, mint, limits } = this.#deps
    const still = this.#deps.stoodStill?.()
    const taking = takingOf(message, from, { mint, nowMs: clock.now(), still, leaseMs: limits.leaseMs })
    const received: Received = { message, taking, from, atOnce: null, isShownAgain: false }
    failpoint('before-read')
    return this.#take(received).then(
      (taken) => {
        failpoint('after-write')
        return taken ? this.#onTaken(taken, received) : this.#unstored(received)
      },
      (error: unknown) => {
        this.#failed(message.kind === 'begin' ? 'open' : 'take', error, taking)
        return this.#unstored(received)
      },
    )
  }

  /** Plays the turn of a message, if it awaits nothing: a part of the store's decision about it. */
  #playAtOnce(received: Received, { record, previous, mayBeCopy, writtenMs }: Asked): ReturnType<PlayAtOnce> {
    const isSuspect = this.#deps.isSuspect?.(writtenMs) === true
    received.atOnce = null // it may be decided again, about another record
    if (mayBeCopy && (isSuspect || this.turns.mayChange(record))) {
      received.isShownAgain = true
      return 'show-again'
    }
    received.isShownAgain = false
    if (isSuspect) return null
    const played = this.turns.speakAtOnce(record, previous, received.from)
    received.atOnce = played
    return played && 'outcome' in played ? played.outcome : null
  }

  /** Acts on the store's decision about a message. */
  #onTaken(taken: TakeResult, received: Received): Promise<unknown> | undefined {
    const { message, taking, from, atOnce } = received
    if (taken.is === 'crowded') return void this.#deliverAgain(message, from)
    if (received.isShownAgain) this.#deps.metrics.count('limits_total', { limit: 'same_key_ms' })
    if (taken.is !== 'unknown' && isEarly(from.line, taken.is)) from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#counted(message, from, taken.is)
    if (mayBeSeen(taken)) this.#deps.mark?.(from.pdu, from.link, 'open')
    if (taken.is === 'unknown') return this.#unknown(message, from)
    if (taken.is === 'repeat' && taken.resend) return this.#resend(taken.record, received)
    if (taken.is === 'repeat' || taken.is === 'busy') return undefined
    const previous = taken.is === 'opened' && taken.previous ? this.#delivery.replaced(taken.previous) : null
    if (taken.is === 'opened') this.#opened(taken.previous, previous, taking)
    failpointOnceWritten('after-ack')
    const { record, held } = taken
    if (taken.isOver) return this.turns.show(record, { ...(atOnce as Spoken), startedMs: taking.nowMs }, from)
    const begun = atOnce && 'begun' in atOnce ? atOnce.begun : undefined
    return this.turns.play(record, { token: taking.token, held, begun, from, lost: this.turns.lostOf(previous) })
  }

  async #resend(record: DialogueRecord, received: Received): Promise<void> {
    const { message, taking, from } = received
    const resent = await this.#delivery.resend(record, from.link.id)
    if (resent !== 'over' || message.kind !== 'begin') return
    // A redial was to get the screen of a dialogue that ended meanwhile, through another daemon: now it opens one.
    const taken = await this.#guarded('open', () => this.#take(received), taking)
    await (taken ? this.#onTaken(taken, received) : this.#unstored(received))
  }

  /** The store did not take the message. */
  async #unstored({ message, taking, from }: Received): Promise<void> {
    const said = await this.#sayAndForget({ result: 'store-failed', text: this.#deps.texts.busy }, message, from)
    if (said !== 'again') this.#unopened.note(taking, said)
  }

  #opened(before: DialogueRecord | null, previous: DialogueRecord | null, taking: Taking): void {
    if (before?.ended === 'superseded') this.#finish(previous!)
    this.admission.opened()
    this.#unopened.opened(taking)
  }

  /** Rejects if the store fails. Undefined: it failed for what was to be stored before. */
  #take(received: Received): Promise<TakeResult | undefined> {
    const { dialogues } = this.#deps
    const { taking } = received
    const play: PlayAtOnce = (asked) => this.#playAtOnce(received, asked)
    if (taking.answer.kind !== 'begin') return dialogues.take(taking, play)
    return this.#order.after(nameOfKey(taking.key), () => {
      if (!this.#unopened.waits(taking.key)) return dialogues.open(taking, play)
      return this.#unopened.flush(taking).then((isKnown) => (isKnown ? dialogues.open(taking, play) : undefined))
    })
  }

  async #onHangUp(message: UssdMessage, from: From): Promise<void> {
    const { dialogues, clock } = this.#deps
    const reason: EndReason = message.kind === 'abort' ? 'subscriber-abort' : 'network-abort'
    const which = message.network ? { network: message.network } : {}
    const key = dialogueKeyOf(message, from.line)
    const ended = await this.#order.after(nameOfKey(key), () =>
      this.#guarded('drop', () => dialogues.drop(key, which, reason, clock.now()), { key, line: from.line.name }),
    )
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#counted(message, from, ended ? 'ended' : 'unknown')
    if (ended) this.#finish(ended)
  }

  async #unknown(message: UssdMessage, from: From): Promise<void> {
    const { services, texts } = this.#deps
    if (message.kind === 'notify-ack') return from.link.respond(from.pdu, STATUS.ESME_ROK)
    if (from.line.dialect.habits.unknownInput === 'begin' && services.length) {
      const begin = { ...message, kind: 'begin' as const, code: message.code || services[0]!.code, text: '' }
      await this.#onUssd(begin, from, this.#backlog.waitMs(from.line))
      return
    }
    await this.#texts.say(texts.expired, message, from)
  }

  /**
   * Nothing of this message was stored. Until the SMSC delivers it again, the other writers are done. (SMPP v3.4
   * §5.1.3)
   */
  #deliverAgain(message: UssdMessage, from: From): void {
    from.link.respond(from.pdu, STATUS.ESME_RX_T_APPN)
    this.#deps.metrics.count('limits_total', { limit: 'decides_max' })
    this.#counted(message, from, 'crowded')
  }

  async #tooFast(message: UssdMessage, from: From): Promise<void> {
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#deps.metrics.count('limits_total', { limit: 'subscriber_rate' })
    this.#counted(message, from, 'too-fast')
  }

  /** Answers with a text outside any dialogue, or with a status if the dialect wants that: nothing is stored. */
  async #sayAndForget(refusal: TurnedAway, message: UssdMessage, from: From): Promise<Said> {
    this.#counted(message, from, refusal.result)
    if (refusal.mayBeStatus && from.line.dialect.habits.overload === 'throttled') {
      from.link.respond(from.pdu, STATUS.ESME_RTHROTTLED)
      return 'again'
    }
    const said = await this.#texts.say(refusal.text, message, from)
    if (said !== 'again' && message.kind === 'begin') {
      const { msisdn, code } = message
      this.#deps.onTurnedAway?.({ msisdn, code, line: from.line.name, why: refusal.result })
    }
    return said
  }

  /** Ends a dialogue with a text, whatever its state. */
  async end(key: DialogueKey): Promise<DialogueRecord | null> {
    const { dialogues, clock, line: lineOf, texts } = this.#deps
    const ended = await dialogues.drop(key, {}, 'operator', clock.now())
    const line = ended && lineOf(ended.line)
    if (ended) this.#finish(ended)
    const reply = ended && replyIn(ended, { action: 'end', text: texts.busy })
    if (line) await this.#delivery.say(reply!, ended.returnPath, line, undefined)
    return ended
  }

  #tell({ msisdn, kind, code }: UssdMessage, { line, link }: From, result: string): void {
    const { log } = this.#deps
    if (tellsDebug(log)) log.debug({ msisdn, line: line.name, link: link.id, kind, code, result }, 'message')
  }

  #counted(message: UssdMessage, from: From, result: string): void {
    this.#tell(message, from, result)
    this.#deps.metrics.count('ussd_messages_total', { line: from.line.name, kind: message.kind, result })
  }
}

/** A message for which the store was asked. */
interface Received {
  message: UssdMessage
  taking: Taking
  from: From
  /** The turn that was played for it, if it awaits nothing. */
  atOnce: ReturnType<Turns['speakAtOnce']>
  /** It may be a copy and would change something: its dialogue gets the current screen once more. */
  isShownAgain: boolean
}

type Asked = Parameters<PlayAtOnce>[0]
