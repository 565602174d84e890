/**
 * START HERE: one deliver_sm, from the SMSC's octets to our answer.
 *
 *   1 line.dialect.read(pdu)          pure   not USSD: a receipt, an SMS, or nothing for us
 *   2 dialogues.open / take           one round trip: classifies the message and journals the answer
 *   3 link.respond(pdu, ROK)          only now: what is acknowledged is durable
 *   4 playTurn(record)                pure; awaits a back end only where the flow calls one
 *   5 dialogues.rest(…)               compare-and-set; refused: hung up, superseded, or forgotten
 *   6 line.dialect.write(reply)       pure
 *   7 line.submit(pdu, 'ussd')        before any SMS, on the same link where that still stands (delivery.ts)
 */
import type { Backend } from '../backend/index.ts'
import {
  playTurn,
  turned,
  type Turned,
  type DialogueKey,
  type DialogueRecord,
  type DialogueStore,
  type Overdue,
  type TakeResult,
  type Taking,
} from '../dialogue/index.ts'
import { createEnding, resumable } from './ending.ts'
import { failpoint, failpointOnceWritten, type Log, type Metrics } from '../base/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import type { Overload } from './admission.ts'
import { replyIn } from '../push/index.ts'
import { createDelivery } from './delivery.ts'
import type { Recorder } from '../tools/recorder/index.ts'
import type { Sent } from './reply.ts'
import type { DeferredAnswers } from '../deferred/index.ts'
import { createUnopened } from './unopened.ts'
import { createUnrested } from './unrested.ts'
import {
  apology,
  beginOf,
  createLeases,
  gone,
  guardStore,
  heardAs,
  isEarly,
  isGivenUp,
  dialogueKeyOf,
  mayBeSeen,
  refusalOf,
  serviceFor,
  responseStatus,
  takingOf,
  SWEEP_MAX,
  SWEEP_MS,
  type From,
  type GatewayLimits,
  type TurnedAway,
  type Service,
  type Turning,
} from './steps.ts'
import type { Line, LinkPort, Pdu } from '../smpp/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Chance, Clock, EndReason, UssdMessage } from '../ussd/index.ts'

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

export function createGateway(deps: GatewayDeps): Gateway {
  const { dialogues, clock, metrics, log, limits } = deps
  const guarded = guardStore(deps)
  const ending = createEnding(deps)
  const { deliver, resend, say, replaced } = createDelivery({ ...deps, guarded, drop })
  const unopened = createUnopened({ ...deps, guarded })
  const unrested = createUnrested({ ...deps, guarded, apologise })
  const leases = createLeases(limits.leaseMs, clock)
  let draining = false
  /** `open`: of all daemons at the last sweep, and since then what was begun and ended here. */
  let [turns, open] = [0, 0]

  function finish(record: DialogueRecord): void {
    open = Math.max(0, open - 1)
    ending(record)
  }

  async function onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void> {
    const incoming = line.dialect.read(pdu)
    const heard = heardAs(incoming)
    if (heard) deps.heard?.(pdu, link, heard)
    if (incoming.is === 'ussd') return onUssd(incoming.message, { pdu, line, link })
    if (incoming.is === 'receipt') await deps.onReceipt(pdu, line)
    if (incoming.is === 'sms') await deps.onSms(pdu, line)
    if (incoming.is === 'reject') log.warn({ line: line.name, ...refusalOf(incoming.why) }, 'PDU refused')
    link.respond(pdu, responseStatus(incoming))
  }

  async function onUssd(message: UssdMessage, from: From): Promise<void> {
    if (!deps.overload.inTime(message.msisdn, clock.now())) return tooFast(message, from)
    if (message.kind === 'abort' || message.kind === 'end' || message.kind === 'timeout') return onHangUp(message, from)
    const refusal = message.kind === 'begin' ? turnedAway(message, from) : null
    if (refusal) return void (await sayAndForget(refusal, message, from))
    const taking = takingOf(message, { ...from, mint: deps.mint, nowMs: clock.now(), leaseMs: limits.leaseMs })
    failpoint('before-take')
    const taken = await take(taking)
    failpoint('after-take')
    if (!taken)
      return unopened.note(taking, await sayAndForget({ result: 'store-failed', text: deps.texts.busy }, message, from))
    if (isEarly(from.line, taken.is)) from.link.respond(from.pdu, STATUS.ESME_ROK)
    counted(message, from, taken.is)
    if (mayBeSeen(taken)) deps.heard?.(from.pdu, from.link, 'open')
    if (taken.is === 'unknown') return unknown(message, from)
    if (taken.is === 'repeat' && taken.resend) return void (await resend(taken.record, from.link.id))
    if (taken.is === 'repeat' || taken.is === 'busy') return undefined
    const previous = taken.is === 'opened' && taken.previous ? replaced(taken.previous) : null
    if (taken.is === 'opened' && taken.previous?.ended === 'superseded') finish(previous!)
    if (taken.is === 'opened') open++
    if (taken.is === 'opened') unopened.opened(taking)
    failpointOnceWritten('after-ack')
    await turn(taken.record, { token: taking.token, from, lost: resumable(previous, clock.now(), limits.resumeMs) })
  }

  /** Steps 4 to 7. Also plays turns that a dead daemon left behind. */
  async function turn(record: DialogueRecord, how: Turning): Promise<void> {
    const line = deps.line(record.line)
    if (!line) return drop(record, 'bind-lost')
    turns++
    const startedMs = clock.now()
    const stopRenewing = leases.keep(
      () =>
        void guarded('renew', () => dialogues.renew(record.key, record.epoch, how.token, clock.now() + limits.leaseMs)),
    )
    try {
      const said = how.isLate ? apology(record, deps.texts.busy) : await play(record, line, how.lost)
      const played = { ...said, reply: replyIn(record, said.reply) }
      const written = line.dialect.write(played.reply, record.returnPath)
      if (written.cut) metrics.count('ussd_cut_total', { line: line.name, flow: played.flow })
      const holding = played.held && (await deps.late.hold(record, played, played.held))
      failpoint('before-rest')
      const rested = await dialogues.rest({
        key: record.key,
        epoch: record.epoch,
        token: how.token,
        nowMs: clock.now(),
        revision: played.revision,
        ended: played.ended,
        snapshot: played.snapshot,
        reply: { ...played.reply, step: written.step ?? null, link: how.from?.link.id ?? '' },
      })
      failpoint('after-rest')
      stopRenewing() // what rests has no lease, however long its reply is under way
      await holding?.rested(rested)
      if (!rested) return await unrested.refused(record, played.reply.action, line, how.from)
      metrics.turn((clock.now() - startedMs) / 1000, played.flow, played.revision)
      const ended = {
        ...record,
        revision: played.revision,
        snapshot: played.snapshot,
        ended: played.ended,
        touchedMs: clock.now(),
      }
      if (played.ended) finish(ended)
      await deliver(ended, line, { pdu: written.pdu, action: played.reply.action, ...how })
    } catch (error) {
      await unrested.failed(error, record, line, how.from)
    } finally {
      how.from?.link.respond(how.from.pdu, STATUS.ESME_ROK) // in any case, also where the dialect wants it last
      stopRenewing()
      turns--
    }
  }

  async function play(record: DialogueRecord, line: Line, lost: DialogueRecord | null): Promise<Turned> {
    const begin = record.snapshot ? null : beginOf(record, deps.services, lost)
    const deadlineMs = record.touchedMs + limits.turnMs
    const how = { ...deps, language: limits.language, page: line.dialect.page, mayHold: deps.late.mayHold }
    const played = await playTurn(record, begin, deadlineMs, how)
    if (!played) return { ...gone(record, begin), reply: { action: 'end', text: deps.texts.busy }, ended: 'flow-gone' }
    if (!played.ended && record.returnPath.beginOp === 0) {
      return { ...turned(played), reply: { action: 'end', text: deps.texts.oldPhone }, ended: 'completed' }
    }
    return turned(played)
  }

  async function apologise(
    record: DialogueRecord,
    reason: EndReason,
    line: Line,
    from: From | undefined,
  ): Promise<void> {
    // Said first: the store may keep us waiting, and whoever takes over a dialogue that has ended says nothing.
    const said = say(replyIn(record, { action: 'end', text: deps.texts.busy }), record.returnPath, line, from?.link.id)
    await Promise.all([said, drop(record, reason)])
  }

  async function onHangUp(message: UssdMessage, from: From): Promise<void> {
    const reason: EndReason = message.kind === 'abort' ? 'subscriber-abort' : 'network-abort'
    const which = message.network ? { network: message.network } : {}
    const ended = await guarded('drop', () =>
      dialogues.drop(dialogueKeyOf(message, from.line), which, reason, clock.now()),
    )
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    counted(message, from, ended ? 'ended' : 'unknown')
    if (ended) finish(ended)
  }

  async function unknown(message: UssdMessage, from: From): Promise<void> {
    if (message.kind === 'notify-ack') return
    if (from.line.dialect.habits.unknownInput === 'begin' && deps.services.length) {
      return onUssd({ ...message, kind: 'begin', code: message.code || deps.services[0]!.code, text: '' }, from)
    }
    await say({ action: 'end', text: deps.texts.expired }, message.returnPath, from.line, from.link.id)
  }

  function turnedAway(message: UssdMessage, from: From): TurnedAway | null {
    const over =
      turns >= limits.turnsMax ? 'turns_max' : open >= limits.openMax ? 'open_max' : draining ? 'draining' : ''
    if (over) {
      metrics.count('limits_total', { limit: over })
      return { result: 'overload', text: deps.texts.overload }
    }
    if (!deps.overload.mayDial(message.msisdn, from.line.name))
      return { result: 'not-allowed', text: deps.texts.unknownCode }
    const served = serviceFor(deps.services, message.code, from.line.name)
    return served ? null : { result: 'unknown-code', text: deps.texts.unknownCode }
  }

  function tooFast(message: UssdMessage, from: From): void {
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    metrics.count('limits_total', { limit: 'subscriber_rate' })
    counted(message, from, 'too-fast')
  }

  /** A reply outside any dialogue: nothing is kept. */
  async function sayAndForget(refusal: TurnedAway, message: UssdMessage, from: From): Promise<Sent> {
    from.link.respond(from.pdu, STATUS.ESME_ROK)
    counted(message, from, refusal.result)
    return say({ action: 'end', text: refusal.text }, message.returnPath, from.line, from.link.id)
  }

  async function take(taking: Taking): Promise<TakeResult | undefined> {
    if (taking.answer.kind !== 'begin') return guarded('take', () => dialogues.take(taking))
    return (await unopened.flush(taking)) ? guarded('open', () => dialogues.open(taking)) : undefined
  }

  async function drop(record: DialogueRecord, reason: EndReason): Promise<void> {
    const ended = await guarded('drop', () => dialogues.drop(record.key, { epoch: record.epoch }, reason, clock.now()))
    if (ended) finish(ended)
  }

  async function sweep(): Promise<void> {
    open = (await guarded('count', () => dialogues.count())) ?? open
    await unopened.flush()
    const token = deps.mint.token()
    const due = await guarded('overdue', () =>
      dialogues.overdue(clock.now(), SWEEP_MAX, token, clock.now() + limits.leaseMs),
    )
    const dealt = Promise.all(
      (due ?? []).map((item) =>
        overdue(item).catch((error: unknown) => {
          metrics.count('bugs_total', { where: 'sweep' })
          log.error({ err: error, epoch: item.record.epoch }, 'the sweep failed for one dialogue')
        }),
      ),
    )
    // One turn that waits for a back end must not keep the others that fall due from being seen.
    await Promise.race([dealt, new Promise<void>((done) => clock.after(SWEEP_MS, done))])
  }

  async function overdue(item: Overdue): Promise<void> {
    const { record } = item
    if (item.is === 'abandoned') {
      metrics.count('dialogue_takeovers_total', { kind: 'turn' })
      const isLate = isGivenUp(record, clock.now(), deps)
      const lost = resumable(item.previous, clock.now(), limits.resumeMs)
      return turn({ ...record, touchedMs: clock.now() }, { token: item.token, lost, isLate })
    }
    if (item.is === 'unconfirmed') {
      const withheld = deps.line(record.line)?.dialect.habits.submitResp === 'withheld'
      if (!withheld && !(await resend(record, undefined))) return undefined // it is given again
      return dialogues.confirm(record.key, record.epoch, record.turn)
    }
    finish(record)
    const line = deps.line(record.line)
    if (line)
      await say(replyIn(record, { action: 'end', text: deps.texts.expired }), record.returnPath, line, undefined)
  }

  async function end(key: DialogueKey): Promise<DialogueRecord | null> {
    const ended = await dialogues.drop(key, {}, 'operator', clock.now())
    const line = ended && deps.line(ended.line)
    if (ended) finish(ended)
    if (line) await say(replyIn(ended, { action: 'end', text: deps.texts.busy }), ended.returnPath, line, undefined)
    return ended
  }

  function counted(message: UssdMessage, from: From, result: string): void {
    metrics.count('ussd_messages_total', { line: from.line.name, kind: message.kind, result })
  }

  return { onRequest, sweep, end, drain: () => void (draining = true), turnsUnderWay: () => turns }
}
