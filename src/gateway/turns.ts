/**
 * Turns: plays them, writes their replies for the line, stores and sends them; also those that a dead daemon left
 * behind.
 */
import type { Backend } from '../backend/index.ts'
import {
  playAtOnce,
  playTurn,
  turned,
  type Begun,
  type DialogueRecord,
  type DialogueStore,
  type TurnOutcome,
  type Played,
  type Turned,
} from '../dialogue/index.ts'
import { dialogueInLog, failpoint, type Log, type Metrics, tellsDebug } from '../base/index.ts'
import type { DeferredAnswers } from '../deferred/index.ts'
import type { FlowRegistry, FlowSnapshot } from '../flow/engine/index.ts'
import { replyIn } from '../push/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Clock, EndReason, UssdReply } from '../ussd/index.ts'
import type { Delivery } from './delivery.ts'
import { resumable } from './ending.ts'
import {
  apology,
  beginOf,
  createLeases,
  gone,
  type From,
  type GatewayLimits,
  type GuardStore,
  type Service,
  type Turning,
} from './steps.ts'
import { createUnrested, type Unrested } from './unrested.ts'

export interface TurnsDeps {
  dialogues: Pick<DialogueStore, 'find' | 'rest' | 'renew' | 'drop'>
  flows: FlowRegistry
  services: readonly Service[]
  backend(name: string): Backend | undefined
  chosenLanguage?(msisdn: string): Promise<string | null>
  line(name: string): Line | undefined
  clock: Clock
  log: Log
  metrics: Metrics
  limits: GatewayLimits
  deferred: Pick<DeferredAnswers, 'mayHold' | 'hold'>
  texts: Record<'busy' | 'oldPhone', string>
  guarded: GuardStore
  delivery: Pick<Delivery, 'deliver' | 'say' | 'replaced'>
  /** Exact texts are kept for support. Absent: they are not. */
  keepsTexts?: boolean | undefined
  /** Called for every dialogue that has ended. */
  finish(record: DialogueRecord): void
}

/** A played turn, and its reply in the line's dialect. */
export interface Spoken {
  flow: string
  reply: UssdReply
  written: ReturnType<Line['dialect']['write']>
  outcome: TurnOutcome
  startedMs: number
}

type HowOnLine = Parameters<typeof playAtOnce>[2]

export class Turns {
  readonly #deps: TurnsDeps
  readonly #unrested: Unrested
  readonly #leases: ReturnType<typeof createLeases>
  readonly #how = new WeakMap<Line, HowOnLine>()
  #underWay = 0

  constructor(deps: TurnsDeps) {
    this.#deps = deps
    this.#unrested = createUnrested({ ...deps, apologise: (...of) => this.#apologise(...of) })
    this.#leases = createLeases(deps.limits.leaseMs, deps.clock)
  }

  underWay(): number {
    return this.#underWay
  }

  /** The dialogue before this one, if it may be resumed. */
  lostOf(previous: DialogueRecord | null): DialogueRecord | null {
    return resumable(previous, this.#deps.clock.now(), this.#deps.limits.resumeMs)
  }

  /** Whether the answer of this turn leads to something that changes the world, with no question before it. */
  mayChange({ revision, snapshot, answer }: DialogueRecord): boolean {
    const flow = this.#deps.flows.loaded?.(revision)
    if (!flow || !snapshot) return true
    try {
      const next = flow.step(snapshot as FlowSnapshot, { type: 'ANSWER', text: answer.text })
      return flow.changes(next.value)
    } catch {
      return false
    }
  }

  /**
   * Null: the turn must await something, or it failed; it then fails again when it is played. `begun`: how far it was
   * played.
   */
  speakAtOnce(record: DialogueRecord, previous: DialogueRecord | null, from: From): Spoken | { begun: Begun } | null {
    const { services, delivery } = this.#deps
    const { line } = from
    try {
      const lost = this.lostOf(previous && delivery.replaced(previous))
      const begin = record.snapshot ? null : beginOf(record, services, lost)
      const played = playAtOnce(record, begin, this.#howOn(line))
      if (!played) return null
      return 'event' in played ? { begun: played } : this.#speak(record, this.#said(record, played), line, from)
    } catch {
      return null
    }
  }

  /** Plays a taken turn whose answer is stored; stores its outcome, and sends its reply. */
  async play(record: DialogueRecord, how: Turning): Promise<void> {
    const { dialogues, clock, deferred, texts, limits, guarded } = this.#deps
    const line = this.#deps.line(record.line)
    if (!line) return this.drop(record, 'bind-lost')
    const { key, epoch } = record
    const { token, held, from } = how
    const stopRenewing = this.#leases.keep(
      () => void guarded('renew', () => dialogues.renew(key, epoch, token, clock.now() + limits.leaseMs), record),
    )
    const startedMs = clock.now()
    await this.#whileUnderWay(record, line, from, async () => {
      const said = how.isLate ? apology(record, texts.busy) : await this.#played(record, line, how)
      const spoken = this.#speak(record, said, line, from)
      const holding = said.held && (await deferred.hold(record, said, said.held))
      failpoint('before-rest')
      const { nowMs, revision, snapshot, ended, step, reply } = spoken.outcome
      const resting = { nowMs, revision, snapshot, ended, step, reply, key, epoch, token, held }
      const rested = await dialogues.rest(resting)
      failpoint('after-rest')
      stopRenewing() // a resting dialogue has no lease, however long its reply takes
      await holding?.rested(rested)
      if (!rested) return this.#unrested.refused(record, spoken.reply.action, line, from)
      await this.#show(record, { ...spoken, startedMs }, line, how)
    }).finally(stopRenewing)
  }

  /** Sends the reply of a turn that was played at once and is durable. */
  show(record: DialogueRecord, spoken: Spoken, from: From): Promise<unknown> {
    // The current line: the one on which the message came may have been replaced.
    const line = this.#deps.line(record.line) ?? from.line
    return this.#whileUnderWay(record, line, from, () => this.#show(record, spoken, line, { from }))
  }

  async drop(record: DialogueRecord, reason: EndReason): Promise<void> {
    const { dialogues, clock, guarded, finish } = this.#deps
    const { key, epoch } = record
    const ended = await guarded('drop', () => dialogues.drop(key, { epoch }, reason, clock.now()), record)
    if (ended) finish(ended)
  }

  async #whileUnderWay(record: DialogueRecord, line: Line, from: From | undefined, run: () => Promise<unknown>) {
    this.#underWay++
    try {
      await run()
    } catch (error) {
      await this.#unrested.failed(error, record, line, from)
    } finally {
      from?.link.respond(from.pdu, STATUS.ESME_ROK) // in any case, even if the dialect wants it last
      this.#underWay--
    }
  }

  /** Ends the dialogue, if the turn is the last, and sends the reply. */
  #show(record: DialogueRecord, spoken: Spoken, line: Line, how: Pick<Turning, 'from'>): Promise<unknown> {
    const { metrics, clock, log, finish, delivery } = this.#deps
    const { flow, reply, written, outcome, startedMs } = spoken
    const { revision, snapshot, ended, nowMs } = outcome
    if (tellsDebug(log)) {
      const at = { ...dialogueInLog(record), turn: record.turn, flow: revision, screen: snapshot?.value ?? null }
      log.debug({ ...at, ended, ms: clock.now() - startedMs }, 'turn played')
    }
    if (written.cut) metrics.count('ussd_cut_total', { line: line.name, flow })
    metrics.turn((clock.now() - startedMs) / 1000, flow, revision)
    const now = { ...record, revision, snapshot, ended, reply: outcome.reply, touchedMs: nowMs }
    if (ended) finish(now)
    return delivery.deliver(now, line, { pdu: written.pdu, action: reply.action, from: how.from })
  }

  /** The reply of a turn in the line's dialect. */
  #speak(record: DialogueRecord, said: Turned, line: Line, from: From | undefined): Spoken {
    const nowMs = this.#deps.clock.now()
    const reply = replyIn(record, said.reply)
    const written = line.dialect.write(reply, record.returnPath)
    const { flow, revision, snapshot, ended, step } = said
    const { action, text } = reply
    const stored = { action, text, step: written.step ?? null, link: from?.link.id ?? '' }
    return {
      flow,
      reply,
      written,
      startedMs: nowMs,
      outcome: { nowMs, revision, snapshot, ended, step, reply: stored },
    }
  }

  async #played(record: DialogueRecord, line: Line, { lost, begun }: Turning): Promise<Turned> {
    const { services, limits, texts } = this.#deps
    const begin = record.snapshot ? null : beginOf(record, services, lost)
    const time = { deadlineMs: record.touchedMs + limits.turnMs, begun }
    const played = await playTurn(record, begin, time, this.#howOn(line))
    if (played) return this.#said(record, played)
    return { ...gone(record, begin), reply: { action: 'end', text: texts.busy }, ended: 'flow-gone' }
  }

  /** A phone of phase 1 cannot answer: it can only show a text. (3GPP TS 24.090 §6) */
  #said(record: DialogueRecord, played: Played): Turned {
    if (played.ended || record.returnPath.beginOp !== 0) return turned(played)
    return { ...turned(played), reply: { action: 'end', text: this.#deps.texts.oldPhone }, ended: 'completed' }
  }

  /** The dependencies that all turns on one line share. */
  #howOn(line: Line): HowOnLine {
    const known = this.#how.get(line)
    const { page } = line.dialect
    if (known?.page === page) return known
    const { limits, deferred, flows, backend, clock, log, chosenLanguage } = this.#deps
    const { keepsTexts } = this.#deps
    const how = { flows, backend, clock, log, page, language: limits.language, mayHold: deferred.mayHold, keepsTexts }
    const made = chosenLanguage ? { ...how, chosenLanguage } : how
    this.#how.set(line, made)
    return made
  }

  async #apologise(record: DialogueRecord, reason: EndReason, line: Line, from: From | undefined): Promise<void> {
    const { delivery, texts, clock, limits } = this.#deps
    const reply = replyIn(record, { action: 'end', text: texts.busy })
    // Send first: a daemon that takes over an ended dialogue sends nothing.
    let said: Promise<unknown> | undefined
    await new Promise<void>((left) => {
      const leaving = { byMs: clock.now() + limits.turnMs, leaves: () => undefined, left }
      said = delivery.say(reply, record.returnPath, line, from?.link.id, leaving).finally(left)
    })
    await Promise.all([said, this.drop(record, reason)])
  }
}
