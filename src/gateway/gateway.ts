/**
 * START HERE: one deliver_sm, from the SMSC's octets to our answer.
 *
 *   1 line.dialect.read(pdu)          pure   not USSD: a receipt, an SMS, or nothing for us
 *   2 dialogues.open / take           reads the record, decides what the message is to it, and
 *       plays the turn at once where it awaits nothing, and writes answer and outcome together; or
 *       writes the answer alone, where a back end, a language or an old revision must be awaited
 *   3 link.respond(pdu, ROK)          only now: what is acknowledged is durable
 *   4 playTurn(record)                only what was not played at once; the outcome is written by dialogues.rest
 *   5 line.dialect.write(reply)       pure
 *   6 line.submit(pdu, 'ussd')        before any SMS, on the same link where that still stands (delivery.ts)
 *   7 dialogues.confirm(…)            once the SMSC accepted it; the next key confirms as well
 */
import type { Backend } from '../backend/index.ts'
import type { DialogueKey, DialogueRecord, DialogueStore, PlayAtOnce, TakeResult, Taking } from '../dialogue/index.ts'
import { failpoint, failpointOnceWritten, type Log, type Metrics } from '../base/index.ts'
import type { DeferredAnswers } from '../deferred/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import { replyIn } from '../push/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Line, LinkPort, Pdu } from '../smpp/index.ts'
import type { Recorder } from '../tools/recorder/index.ts'
import type { Chance, Clock, EndReason, UssdMessage } from '../ussd/index.ts'
import { Admission, type Overload } from './admission.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { createEnding } from './ending.ts'
import type { Sent } from './reply.ts'
import {
  dialogueKeyOf,
  guardStore,
  heardAs,
  isEarly,
  mayBeSeen,
  refusalOf,
  responseStatus,
  takingOf,
  type From,
  type GatewayLimits,
  type GuardStore,
  type Service,
  type TurnedAway,
} from './steps.ts'
import { createSweep } from './sweep.ts'
import { Turns, type Spoken } from './turns.ts'
import { createUnopened, type Unopened } from './unopened.ts'

export interface GatewayDeps {
  dialogues: DialogueStore
  flows: FlowRegistry
  services: readonly Service[]
  backend(name: string): Backend | undefined
  chosenLanguage?(msisdn: string): Promise<string | null>
  line(name: string): Line | undefined
  /** Told of what a message was, as far as it may be shown: see `Heard`. */
  heard?: Recorder['heard']
  /** A delivery receipt or an SMS: resolves once it is durable. */
  onReceipt(pdu: Pdu, line: Line): Promise<void>
  onSms(pdu: Pdu, line: Line): Promise<void>
  clock: Clock
  chance: Chance
  mint: { epoch(): string; token(): string }
  log: Log
  metrics: Metrics
  limits: GatewayLimits
  overload: Overload
  late: Pick<DeferredAnswers, 'mayHold' | 'hold'>
  texts: Record<'busy' | 'expired' | 'unknownCode' | 'overload' | 'oldPhone', string>
}

export interface Gateway {
  onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void>
  /**
   * Deals with what is due: turns of dead daemons, replies that nobody took, dialogues without an answer. For a daemon
   * that is bound.
   */
  sweep(): Promise<void>
  /** Ends a dialogue with a text, whatever it is at. Null: none was open. */
  end(key: DialogueKey): Promise<DialogueRecord | null>
  /** No new dialogues from now on. */
  drain(): void
  turnsUnderWay(): number
}

/** The gateway of a daemon. */
export function createGateway(deps: GatewayDeps): Gateway {
  const gateway = new UssdGateway(deps)
  // Handed out one by one.
  return {
    onRequest: (pdu, line, link) => gateway.onRequest(pdu, line, link),
    sweep: gateway.sweep,
    end: (key) => gateway.end(key),
    drain: () => gateway.admission.drain(),
    turnsUnderWay: () => gateway.turns.underWay(),
  }
}

class UssdGateway {
  readonly turns: Turns
  readonly admission: Admission
  readonly sweep: () => Promise<void>
  readonly #deps: GatewayDeps
  readonly #guarded: GuardStore
  readonly #delivery: Delivery
  readonly #unopened: Unopened
  readonly #finish: (record: DialogueRecord) => void

  constructor(deps: GatewayDeps) {
    const guarded = guardStore(deps)
    const ending = createEnding(deps)
    const finish = (record: DialogueRecord) => {
      this.admission.ended()
      ending(record)
    }
    const delivery = createDelivery({ ...deps, guarded, drop: (record, reason) => this.turns.drop(record, reason) })
    const unopened = createUnopened({ ...deps, guarded })
    this.#deps = deps
    this.#guarded = guarded
    this.#delivery = delivery
    this.#unopened = unopened
    this.#finish = finish
    this.turns = new Turns({ ...deps, guarded, delivery, finish })
    this.admission = new Admission({ ...deps, underWay: () => this.turns.underWay() })
    const counted = (open: number) => this.admission.counted(open)
    this.sweep = createSweep({ ...deps, guarded, turns: this.turns, delivery, unopened, counted, finish })
  }

  async onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void> {
    const { heard, onReceipt, onSms, log } = this.#deps
    const incoming = line.dialect.read(pdu)
    const seen = heardAs(incoming)
    if (seen) heard?.(pdu, link, seen)
    if (incoming.is === 'ussd') return this.#onUssd(incoming.message, { pdu, line, link })
    if (incoming.is === 'receipt') await onReceipt(pdu, line)
    if (incoming.is === 'sms') await onSms(pdu, line)
    if (incoming.is === 'reject') log.warn({ line: line.name, ...refusalOf(incoming.why) }, 'PDU refused')
    link.respond(pdu, responseStatus(incoming))
  }

  async #onUssd(message: UssdMessage, from: From): Promise<void> {
    const { overload, clock, mint, limits, texts } = this.#deps
    if (!overload.inTime(message.msisdn, clock.now())) return this.#tooFast(message, from)
    if (message.kind === 'abort' || message.kind === 'end' || message.kind === 'timeout')
      return this.#onHangUp(message, from)
    const refusal = message.kind === 'begin' ? this.admission.turnedAway(message, from.line) : null
    if (refusal) return void (await this.#sayAndForget(refusal, message, from))
    const taking = takingOf(message, { ...from, mint, nowMs: clock.now(), leaseMs: limits.leaseMs })
    let atOnce: ReturnType<Turns['speakAtOnce']> = null
    failpoint('before-read')
    const taken = await this.#take(taking, ({ record, previous }) => {
      atOnce = this.turns.speakAtOnce(record, previous, from)
      return atOnce && 'outcome' in atOnce ? atOnce.outcome : null
    })
    failpoint('after-write')
    if (taken) return this.#onTaken(taken, atOnce, { message, taking, from })
    const sent = await this.#sayAndForget({ result: 'store-failed', text: texts.busy }, message, from)
    this.#unopened.note(taking, sent)
  }

  /** What the store says of a message; `atOnce`: what was played of it. */
  async #onTaken(
    taken: TakeResult,
    atOnce: ReturnType<Turns['speakAtOnce']>,
    { message, taking, from }: Heard,
  ): Promise<void> {
    if (taken.is === 'crowded') return this.#deliverAgain(message, from)
    if (isEarly(from.line, taken.is)) from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#counted(message, from, taken.is)
    if (mayBeSeen(taken)) this.#deps.heard?.(from.pdu, from.link, 'open')
    if (taken.is === 'unknown') return this.#unknown(message, from)
    if (taken.is === 'repeat' && taken.resend) return void (await this.#delivery.resend(taken.record, from.link.id))
    if (taken.is === 'repeat' || taken.is === 'busy') return undefined
    const previous = taken.is === 'opened' && taken.previous ? this.#delivery.replaced(taken.previous) : null
    if (taken.is === 'opened') this.#opened(taken.previous, previous, taking)
    failpointOnceWritten('after-ack')
    const { record, held } = taken
    if (taken.isOver) return this.turns.show(record, { ...(atOnce as Spoken), startedMs: taking.nowMs }, from)
    const begun = atOnce && 'begun' in atOnce ? atOnce.begun : undefined
    return this.turns.play(record, { token: taking.token, held, begun, from, lost: this.turns.lostOf(previous) })
  }

  #opened(before: DialogueRecord | null, previous: DialogueRecord | null, taking: Taking): void {
    if (before?.ended === 'superseded') this.#finish(previous!)
    this.admission.opened()
    this.#unopened.opened(taking)
  }

  async #take(taking: Taking, atOnce: PlayAtOnce): Promise<TakeResult | undefined> {
    const { dialogues } = this.#deps
    if (taking.answer.kind !== 'begin') return this.#guarded('take', () => dialogues.take(taking, atOnce))
    const isKnown = await this.#unopened.flush(taking)
    return isKnown ? this.#guarded('open', () => dialogues.open(taking, atOnce)) : undefined
  }

  async #onHangUp(message: UssdMessage, from: From): Promise<void> {
    const { dialogues, clock } = this.#deps
    const reason: EndReason = message.kind === 'abort' ? 'subscriber-abort' : 'network-abort'
    const which = message.network ? { network: message.network } : {}
    const ended = await this.#guarded('drop', () =>
      dialogues.drop(dialogueKeyOf(message, from.line), which, reason, clock.now()),
    )
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#counted(message, from, ended ? 'ended' : 'unknown')
    if (ended) this.#finish(ended)
  }

  async #unknown(message: UssdMessage, from: From): Promise<void> {
    const { services, texts } = this.#deps
    if (message.kind === 'notify-ack') return
    if (from.line.dialect.habits.unknownInput === 'begin' && services.length) {
      return this.#onUssd({ ...message, kind: 'begin', code: message.code || services[0]!.code, text: '' }, from)
    }
    await this.#delivery.say({ action: 'end', text: texts.expired }, message.returnPath, from.line, from.link.id)
  }

  /** Nothing of it was taken: by the time that it comes again, the others are done. (SMPP v3.4 §5.1.3) */
  #deliverAgain(message: UssdMessage, from: From): void {
    from.link.respond(from.pdu, STATUS.ESME_RX_T_APPN)
    this.#deps.metrics.count('limits_total', { limit: 'decides_max' })
    this.#counted(message, from, 'crowded')
  }

  #tooFast(message: UssdMessage, from: From): void {
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#deps.metrics.count('limits_total', { limit: 'subscriber_rate' })
    this.#counted(message, from, 'too-fast')
  }

  /** A reply outside any dialogue: nothing is kept. */
  async #sayAndForget(refusal: TurnedAway, message: UssdMessage, from: From): Promise<Sent> {
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    this.#counted(message, from, refusal.result)
    return this.#delivery.say({ action: 'end', text: refusal.text }, message.returnPath, from.line, from.link.id)
  }

  /** Ends a dialogue with a text, whatever it is at. */
  async end(key: DialogueKey): Promise<DialogueRecord | null> {
    const { dialogues, clock, line: lineOf, texts } = this.#deps
    const ended = await dialogues.drop(key, {}, 'operator', clock.now())
    const line = ended && lineOf(ended.line)
    if (ended) this.#finish(ended)
    const reply = ended && replyIn(ended, { action: 'end', text: texts.busy })
    if (line) await this.#delivery.say(reply!, ended.returnPath, line, undefined)
    return ended
  }

  #counted(message: UssdMessage, from: From, result: string): void {
    this.#deps.metrics.count('ussd_messages_total', { line: from.line.name, kind: message.kind, result })
  }
}

/** A message that was asked of the store. */
interface Heard {
  message: UssdMessage
  taking: Taking
  from: From
}
