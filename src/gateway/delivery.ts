/**
 * Step 7 of the gateway: sends a reply to the SMSC, and updates the dialogue when the SMSC accepted it, refused it, or
 * it was given up.
 */
import { nameOfKey, type DialogueRecord, type DialogueStore } from '../dialogue/index.ts'
import {
  dialogueInLog,
  failpoint,
  failpointOnceWritten,
  type Log,
  type Metrics,
  tellsDebug,
  RecentMap,
} from '../base/index.ts'
import { REPLY_MS_MIN, type GatewayLimits, type GuardStore, type Send } from './steps.ts'
import { countReply, isUnsettled, sendReply, writeReply, type ReplyToSend, type Sent } from './reply.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Leaving, Line, MayLeave, SubmitOutcome } from '../smpp/index.ts'
import type { Chance, Clock, EndReason, ReturnPath, UssdReply } from '../ussd/index.ts'

export interface DeliveryDeps {
  dialogues: Pick<DialogueStore, 'find' | 'confirm'>
  guarded: GuardStore
  line(name: string): Line | undefined
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
  limits: Pick<GatewayLimits, 'turnMs' | 'totalMs'>
  /** Ends a dialogue whose screen was refused. */
  drop(record: DialogueRecord, reason: EndReason): Promise<void>
}

export interface Delivery {
  /** Sends the stored reply of a turn for the first time. */
  deliver(record: DialogueRecord, line: Line, send: Send): Promise<unknown>
  /** Sends the stored reply again. */
  resend(record: DialogueRecord, link: string | undefined): Promise<Resent>
  /** Sends a reply outside any dialogue: nothing is stored. */
  say(reply: UssdReply, path: ReturnPath, line: Line, link: string | undefined, leaving?: Leaving): Promise<Sent>
  /** The dialogue that a new dial replaced. If its screen was throttled until then, it ended as `refused`. */
  replaced(previous: DialogueRecord): DialogueRecord
}

/**
 * sent: as far as it can be · later: it was lost with its link, or the store does not say whether it is still wanted ·
 * over: the dialogue has ended or gone on, so nothing was sent.
 */
export type Resent = 'sent' | 'later' | 'over'

interface Sending {
  isWanted(): Promise<boolean | null>
  mayLeave?: MayLeave
  /** The dialogue that the screen belongs to. */
  record?: DialogueRecord
  /** The sweep will send it once more, so it is not given up yet. */
  isSentAgain?: boolean
  /** The first write has been made. */
  first?: { outcome: SubmitOutcome; startedMs: number }
}

/** A screen that was handed to its line. */
interface FirstWrite {
  written: Promise<SubmitOutcome>
  mayLeave: MayLeave
  known: Known
  nowMs: number
}

/** What is known of a screen that is sent. */
interface Known {
  /** When the dialogue was last known to be at this turn. Wall-clock milliseconds. */
  knownMs: number
  /** It has not been sent before. */
  isFirst: boolean
}

const REMEDY =
  'ask the operator for more submit_sm a second; set submits.perSecond of the line to what the SMSC takes, or lower sms.perSecond'
/**
 * How long a text outside any dialogue is tried: when dials are refused, the SMSC should get only a few further writes
 * for them.
 */
const TEXT_TRY_MS = 4_500

export function createDelivery(deps: DeliveryDeps): Delivery {
  return new ReplyDelivery(deps)
}

class ReplyDelivery implements Delivery {
  readonly #deps: DeliveryDeps
  /** Epochs of the dialogues whose screen is throttled now; each of them is a running turn. */
  readonly #throttled = new Set<string>()

  /** By dialogue: the newest screen that this daemon sends or sent. */
  readonly #newest = new RecentMap<string, Pick<DialogueRecord, 'epoch' | 'turn'> & Pick<Known, 'knownMs'>>(NEWEST_MAX)

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
  }

  deliver(record: DialogueRecord, line: Line, how: Send): Promise<unknown> {
    return this.#deliver(record, line, how, { knownMs: record.touchedMs, isFirst: true })
  }

  async resend(record: DialogueRecord, link: string | undefined): Promise<Resent> {
    const line = this.#deps.line(record.line)
    // The first copy may have been shown and answered since. An old screen over a new one would be answered like the
    // new one.
    const known = { knownMs: 0, isFirst: false }
    const current = await this.#isCurrent(record, known)
    if (current === null) return 'later'
    if (!line || !record.reply || !current) return 'over'
    this.#deps.metrics.count('dialogue_takeovers_total', { kind: 'resent' })
    const { pdu } = line.dialect.write(record.reply, record.returnPath)
    const sent = await this.#deliver(record, line, { pdu, action: record.reply.action, link }, known)
    return sent === 'lost' ? 'later' : 'sent'
  }

  async say(
    reply: UssdReply,
    path: ReturnPath,
    line: Line,
    link: string | undefined,
    leaving?: Leaving,
  ): Promise<Sent> {
    const { clock, limits } = this.#deps
    const { pdu } = line.dialect.write(reply, path)
    const nowMs = clock.now()
    const deadline = nowMs + limits.turnMs
    const tryUntil = Math.min(deadline, nowMs + TEXT_TRY_MS)
    const { action } = reply
    return this.#send({ pdu, action, line, link, deadline, tryUntil, leaving }, { isWanted: async () => true })
  }

  replaced(previous: DialogueRecord): DialogueRecord {
    const isRefused = previous.ended === 'superseded' && this.#throttled.has(previous.epoch)
    return isRefused ? { ...previous, ended: 'refused' } : previous
  }

  /** Resolves with what is known at that moment. */
  #deliver(record: DialogueRecord, line: Line, how: Send, known: Known): Promise<Sent> {
    const { clock, limits, log } = this.#deps
    const withheld = line.dialect.habits.submitResp === 'withheld'
    const nowMs = clock.now()
    const tryUntil = Math.max(record.touchedMs + limits.turnMs, nowMs + REPLY_MS_MIN)
    const deadline = withheld ? Math.max(tryUntil, nowMs + limits.totalMs) : tryUntil
    this.#note(record, known)
    failpoint('before-submit')
    const link = how.link ?? how.from?.link.id
    const reply: ReplyToSend = { pdu: how.pdu, action: how.action, line, deadline, tryUntil, link }
    const mayLeave = () => this.#mayLeave(record, known)
    const written = writeReply(reply, 0, mayLeave)
    if (how.from && line.dialect.habits.deliverResp === 'after-submit')
      how.from.link.respond(how.from.pdu, STATUS.ESME_ROK)
    failpointOnceWritten('after-submit')
    const settled = this.#settled(record, reply, { written, mayLeave, known, nowMs })
    if (!withheld) return settled
    // The response comes when the subscriber answers: nothing can wait for that.
    const whose = dialogueInLog(record)
    settled.catch((error: unknown) => log.error({ err: error, ...whose }, 'withheld response not sent'))
    return Promise.resolve('open')
  }

  #note({ key, epoch, turn }: DialogueRecord, { knownMs }: Known): void {
    const name = nameOfKey(key)
    const last = this.#newest.get(name)
    const isOlder = last && (last.epoch === epoch ? last.turn > turn : this.#isNewer(last, knownMs))
    // It outlives many turns: a new one for each would move to the old heap.
    if (last && !isOlder) {
      last.epoch = epoch
      last.turn = turn
      last.knownMs = knownMs
    }
    this.#newest.set(name, last ?? { epoch, turn, knownMs })
  }

  /**
   * Whether the screen may be written now. It may have waited for the store, for a slot of the window or for the
   * socket. Meanwhile, this daemon or another one may have sent a later screen.
   */
  #mayLeave({ key, epoch, turn }: DialogueRecord, { knownMs }: Known): ReturnType<MayLeave> {
    const last = this.#newest.get(nameOfKey(key))
    if (last?.epoch === epoch && last.turn > turn) return 'stale'
    const isOvertaken = last !== undefined && last.epoch !== epoch && this.#isNewer(last, knownMs)
    return isOvertaken || this.#deps.clock.now() - knownMs >= BELIEVED_MS ? 'unsure' : 'yes'
  }

  /** What is known from a time to come was noted before the clock was set back: it says nothing. */
  #isNewer(last: Pick<Known, 'knownMs'>, knownMs: number): boolean {
    return last.knownMs > knownMs && last.knownMs <= this.#deps.clock.now()
  }

  /** What becomes of the first write; nearly always the SMSC accepts it. */
  #settled(record: DialogueRecord, reply: ReplyToSend, first: FirstWrite): Promise<Sent> {
    const { dialogues, metrics } = this.#deps
    return first.written.then((outcome) => {
      this.#tell(record, reply, outcome)
      if (outcome.kind !== 'ok') return this.#goOn(record, reply, first, outcome)
      countReply(metrics, reply, outcome.kind)
      failpoint('after-response')
      dialogues.confirm(record)
      return 'ok'
    })
  }

  #tell(record: DialogueRecord, { action }: ReplyToSend, outcome: SubmitOutcome): void {
    if (!tellsDebug(this.#deps.log)) return
    const status = 'status' in outcome ? { status: outcome.status } : {}
    const { turn } = record
    this.#deps.log.debug({ ...dialogueInLog(record), turn, action, is: outcome.kind, ...status }, 'screen sent')
  }

  async #goOn(
    record: DialogueRecord,
    reply: ReplyToSend,
    { mayLeave, known, nowMs }: FirstWrite,
    outcome: SubmitOutcome,
  ): Promise<Sent> {
    const { dialogues, drop } = this.#deps
    try {
      const sent = await this.#send(reply, {
        isWanted: () => this.#isCurrent(record, known),
        mayLeave,
        record,
        // A last screen gets another round: what it says has happened, and no answer of the subscriber can ask for it
        // again.
        isSentAgain: known.isFirst && record.ended !== null,
        first: { outcome, startedMs: nowMs },
      })
      failpoint('after-response')
      if ((sent === 'gone' || sent === 'throttled') && !record.ended) await drop(record, 'refused')
      else if (!isUnsettled(sent)) dialogues.confirm(record)
      return sent
    } finally {
      this.#throttled.delete(record.epoch)
    }
  }

  /** Sends. If it is given up, that is logged and counted. */
  async #send(reply: ReplyToSend, sending: Sending): Promise<Sent> {
    const { clock, chance, metrics, log } = this.#deps
    const { isWanted, mayLeave, record, isSentAgain = false, first } = sending
    const startedMs = first?.startedMs ?? clock.now()
    let tries = 0
    const throttled = () => {
      tries++
      if (record) this.#throttled.add(record.epoch)
    }
    const sent = await sendReply(reply, { clock, chance, metrics, isWanted, mayLeave, throttled }, first?.outcome)
    if (sent === 'throttled' && isSentAgain) return 'open'
    if (sent !== 'throttled' && (sent !== 'stale' || tries === 0)) return sent
    const { name: line } = reply.line
    const why = sent === 'throttled' ? 'throttled' : 'gone-on'
    metrics.count('ussd_given_up_total', { line, why })
    const ms = clock.now() - startedMs
    const whose = record ? dialogueInLog(record) : { line }
    log.warn({ ...whose, why, tries, ms, remedy: REMEDY }, 'screen given up: the SMSC throttles us')
    return sent
  }

  /** Whether the dialogue is still at this turn: nothing has come in since. Null: the store does not say. */
  async #isCurrent(record: DialogueRecord, known: Known): Promise<boolean | null> {
    const { guarded, dialogues, clock } = this.#deps
    for (let tries = 0; tries < LOOKS_MAX; tries++) {
      const askedMs = clock.now()
      const now = await guarded('find', () => dialogues.find(record.key), record)
      if (now === undefined) return null
      if (clock.now() - askedMs >= BELIEVED_MS) continue
      known.knownMs = askedMs
      return stands(record, now)
    }
    return null
  }
}

/**
 * How long an answer of the store counts as current: this process may have stood still, or the store may be slow.
 * Within this time no other daemon sends what this one has to send.
 */
const BELIEVED_MS = 1_000
const LOOKS_MAX = 3
/** Dialogues: those of the last seconds of a busy daemon, some 100 octets each. */
const NEWEST_MAX = 10_000

function stands(record: DialogueRecord, now: DialogueRecord | null): boolean {
  const isEnded = now?.status === 'ended'
  // A dialogue that has ended since was hung up, or ended by an operator: nobody would see its question.
  return (
    now?.epoch === record.epoch &&
    now.turn === record.turn &&
    now.status !== 'taken' &&
    isEnded === Boolean(record.ended)
  )
}
