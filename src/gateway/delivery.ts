/** Step 7 of the gateway: a reply to the SMSC, and what the dialogue is once it was taken, refused or given up. */
import type { DialogueRecord, DialogueStore } from '../dialogue/index.ts'
import { failpoint, failpointOnceWritten, type Log, type Metrics } from '../base/index.ts'
import { REPLY_MS_MIN, type GatewayLimits, type GuardStore, type Send } from './steps.ts'
import { isUnsettled, sendReply, type ReplyToSend, type Sent } from './reply.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Line } from '../smpp/index.ts'
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
  /** Ends a dialogue whose screen was not taken. */
  drop(record: DialogueRecord, reason: EndReason): Promise<void>
}

export interface Delivery {
  /** The stored reply of a turn, on its way for the first time. */
  deliver(record: DialogueRecord, line: Line, send: Send): Promise<void>
  /** False: to be sent again. It was lost with its link, or the store does not say whether it is wanted. */
  resend(record: DialogueRecord, link: string | undefined): Promise<boolean>
  /** A reply outside any dialogue: nothing is kept. */
  say(reply: UssdReply, path: ReturnPath, line: Line, link: string | undefined): Promise<Sent>
  /**
   * What a new dial met: of a dialogue that it replaced, `refused` is why it ended where its screen was throttled until
   * then.
   */
  replaced(previous: DialogueRecord): DialogueRecord
}

interface Sending {
  isWanted(): Promise<boolean | null>
  /** Of the dialogue whose screen it is. */
  epoch?: string
  /** The sweep sends it once more, so it is not given up yet. */
  isSentAgain?: boolean
}

const REMEDY = 'ask the operator for more submit_sm a second, or give SMS of this line fewer (sms.perSecond)'
/**
 * A text outside any dialogue is tried no longer: where dials are turned away, the SMSC is to get few writes more for
 * it.
 */
const TEXT_TRY_MS = 4_500

export function createDelivery(deps: DeliveryDeps): Delivery {
  return new ReplyDelivery(deps)
}

class ReplyDelivery implements Delivery {
  readonly #deps: DeliveryDeps
  /** Epochs of the dialogues whose screen is throttled just now; each is a turn under way. */
  readonly #throttled = new Set<string>()

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
  }

  async deliver(record: DialogueRecord, line: Line, how: Send): Promise<void> {
    await this.#deliver(record, line, how)
  }

  async resend(record: DialogueRecord, link: string | undefined): Promise<boolean> {
    const line = this.#deps.line(record.line)
    // The first copy may have been shown and answered since: an old screen over a new one would be answered as the new
    // one.
    const current = await this.#isCurrent(record)
    if (!line || !record.reply || !current) return current !== null
    this.#deps.metrics.count('dialogue_takeovers_total', { kind: 'resent' })
    const { pdu } = line.dialect.write(record.reply, record.returnPath)
    return (await this.#deliver(record, line, { pdu, action: record.reply.action, link }, false)) !== 'lost'
  }

  async say(reply: UssdReply, path: ReturnPath, line: Line, link: string | undefined): Promise<Sent> {
    const { clock, limits } = this.#deps
    const { pdu } = line.dialect.write(reply, path)
    const nowMs = clock.now()
    const deadline = nowMs + limits.turnMs
    const tryUntil = Math.min(deadline, nowMs + TEXT_TRY_MS)
    return this.#send({ pdu, action: reply.action, line, link, deadline, tryUntil }, { isWanted: async () => true })
  }

  replaced(previous: DialogueRecord): DialogueRecord {
    const isRefused = previous.ended === 'superseded' && this.#throttled.has(previous.epoch)
    return isRefused ? { ...previous, ended: 'refused' } : previous
  }

  /** Answers what is known when it returns. */
  async #deliver(record: DialogueRecord, line: Line, how: Send, isFirst = true): Promise<Sent> {
    const { clock, limits, log } = this.#deps
    const withheld = line.dialect.habits.submitResp === 'withheld'
    const tryUntil = Math.max(record.touchedMs + limits.turnMs, clock.now() + REPLY_MS_MIN)
    const deadline = withheld ? Math.max(tryUntil, clock.now() + limits.totalMs) : tryUntil
    failpoint('before-submit')
    const link = how.link ?? how.from?.link.id
    // A last screen gets another round: what it tells has happened, and no answer of the subscriber's can ask for it
    // again.
    const sending = this.#send(
      { ...how, line, deadline, tryUntil, link },
      { isWanted: () => this.#isCurrent(record), epoch: record.epoch, isSentAgain: isFirst && record.ended !== null },
    )
    if (how.from && line.dialect.habits.deliverResp === 'after-submit')
      how.from.link.respond(how.from.pdu, STATUS.ESME_ROK)
    failpointOnceWritten('after-submit')
    const settled = this.#settled(record, sending)
    if (!withheld) return settled
    // The response comes when the subscriber answers: nobody can wait for that.
    settled.catch((error: unknown) => log.error({ err: error, epoch: record.epoch }, 'withheld response not sent'))
    return 'open'
  }

  async #settled(record: DialogueRecord, sending: Promise<Sent>): Promise<Sent> {
    const { dialogues, drop } = this.#deps
    try {
      const sent = await sending
      failpoint('after-response')
      if ((sent === 'gone' || sent === 'throttled') && !record.ended) await drop(record, 'refused')
      else if (!isUnsettled(sent)) dialogues.confirm(record)
      return sent
    } finally {
      this.#throttled.delete(record.epoch)
    }
  }

  /** Sends; what is given up is logged and counted. */
  async #send(reply: ReplyToSend, { isWanted, epoch, isSentAgain = false }: Sending): Promise<Sent> {
    const { clock, chance, metrics, log } = this.#deps
    const startedMs = clock.now()
    let tries = 0
    const noted = () => {
      tries++
      if (epoch !== undefined) this.#throttled.add(epoch)
    }
    const sent = await sendReply(reply, { clock, chance, metrics, isWanted, throttled: noted })
    if (sent === 'throttled' && isSentAgain) return 'open'
    if (sent !== 'throttled' && (sent !== 'stale' || tries === 0)) return sent
    const { name: line } = reply.line
    const why = sent === 'throttled' ? 'throttled' : 'gone-on'
    metrics.count('ussd_given_up_total', { line, why })
    const ms = clock.now() - startedMs
    log.warn({ line, epoch, why, tries, ms, remedy: REMEDY }, 'screen given up: the SMSC throttles us')
    return sent
  }

  /** The dialogue still stands at this turn: nothing has come in since. Null: the store does not say. */
  async #isCurrent(record: DialogueRecord): Promise<boolean | null> {
    const now = await this.#deps.guarded('find', () => this.#deps.dialogues.find(record.key))
    if (now === undefined) return null
    const isEnded = now?.status === 'ended'
    // One that ended since was hung up or ended by an operator: its question would be put to nobody.
    return (
      now?.epoch === record.epoch &&
      now.turn === record.turn &&
      now.status !== 'taken' &&
      isEnded === Boolean(record.ended)
    )
  }
}
