/**
 * The SMS side of the lines: sends what the outbox owes, over the same binds as USSD and always behind it; takes
 * delivery receipts and what subscribers write.
 */
import type { Knex } from 'knex'
import type { LineSettings, Settings } from './config/schema.ts'
import type { Log } from './log-port.ts'
import type { Metrics } from './metrics.ts'
import { reminders, type Reminders } from './reminders/dispatch.ts'
import type { SmsOutcome, SmsSubmit, SmsToSend } from './reminders/types.ts'
import { failpointOnceWritten } from './failpoints.ts'
import { readReceipt } from './smpp/receipt.ts'
import { relativeTime, smsPdu, splitSms, type SmsPart } from './smpp/segments.ts'
import { STATUS } from './smpp/status.ts'
import type { Line, Pdu, SubmitOutcome } from './smpp/types.ts'
import type { Chance, Clock } from './ussd/types.ts'

export interface SmsSide {
  onReceipt(pdu: Pdu, line: Line): Promise<void>
  onSms(pdu: Pdu, line: Line): Promise<void>
  start(): void
  stop(): Promise<void>
}

export interface SmsParts {
  settings: Settings
  knex: Knex
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
}

/**
 * Statuses that pass by themselves (SMPP v3.4 §5.1.3): the SMSC's own trouble, a full queue, throttling, a temporary
 * fault; 0x102 is ESME_RSERVICEOUT of v5.0, and 4 says that the bind is gone. Vendors' own (0x400…) and the two vague
 * failures are tried again as well: they are as often passing as not.
 */
const PASSING: ReadonlySet<number> = new Set([
  STATUS.ESME_RSYSERR, STATUS.ESME_RMSGQFUL, STATUS.ESME_RTHROTTLED, STATUS.ESME_RX_T_APPN, 0x102,
  STATUS.ESME_RINVBNDSTS, STATUS.ESME_RSUBMITFAIL, STATUS.ESME_RDELIVERYFAILURE, STATUS.ESME_RUNKNOWNERR,
])

export function createSmsSide(parts: SmsParts): SmsSide {
  const { settings, knex, lines, clock, chance, log, metrics } = parts
  const set = new Map(settings.lines.map((line) => [line.name, line]))
  const outbox: Reminders = reminders({
    knex, clock, chance, log, counters: metrics, submit: smsSubmit(parts),
    settings: {
      quietHours: settings.reminders.quietHours, pollMs: settings.reminders.pollMs,
      ambiguousGraceMs: settings.reminders.ambiguousGraceMs,
    },
    messageIds: (name) => {
      const habits = lines.get(name)?.dialect.habits
      return habits?.messageIdUseless ? null : habits?.messageIdBases ?? null
    },
  })
  return {
    async onReceipt(pdu, line) {
      const numbering = set.get(line.name)?.msisdn
      const receipt = readReceipt(pdu, line.name, numbering?.countryCode ? { numbering: { countryCode: numbering.countryCode } } : {})
      if (!receipt) return metrics.count('sms_receipts_total', { line: line.name, state: 'unknown', result: 'unreadable' })
      const result = await outbox.applyReceipt(receipt)
      metrics.count('sms_receipts_total', { line: line.name, state: receipt.state, result })
    },
    async onSms(pdu, line) {
      metrics.count('sms_incoming_total', { line: line.name, result: 'ignored' })
      log.info({ line: line.name, msisdn: String(pdu.body.source_addr ?? ''), octets: octetsOf(pdu) }, 'SMS from a subscriber')
    },
    start: () => outbox.start(),
    stop: () => outbox.stop(),
  }
}

/** How the outbox sends: each part in order, and nothing more once one part is not taken. */
export function smsSubmit(parts: Pick<SmsParts, 'settings' | 'lines' | 'clock' | 'metrics'>): SmsSubmit {
  const set = new Map(parts.settings.lines.map((line) => [line.name, line]))
  return async (sms) => {
    const line = lineFor(sms, parts.lines, set)
    const how = line && set.get(line.name)
    if (!line || !how?.sms) return { is: 'unsent' }
    const { parts: pieces, cut } = splitSms(sms.text, { concatenation: how.sms.long, translit: true }, sms.reference)
    if (cut) parts.metrics.count('limits_total', { limit: 'sms_parts_max' })
    return sendParts(pieces, { sms, line, how, clock: parts.clock })
  }
}

interface Sending {
  sms: SmsToSend
  line: Line
  how: LineSettings
  clock: Clock
}

async function sendParts(pieces: SmsPart[], { sms, line, how, clock }: Sending): Promise<SmsOutcome> {
  const messageIds: string[] = []
  for (const piece of pieces) {
    const pdu = smsPdu(piece, {
      ...line.sms, msisdn: sms.msisdn, registeredDelivery: how.sms?.receipts ? 1 : 0, userMessageReference: sms.reference,
      validityPeriod: relativeTime(Math.max(60_000, sms.expiresMs - clock.now())),
    })
    const submitting = line.submit(pdu, { lane: 'sms', deadline: clock.now() + how.timers.responseMs, key: sms.id })
    failpointOnceWritten('sms-after-octets')
    const outcome = await submitting
    if (outcome.kind !== 'ok') return fate(outcome, messageIds.length > 0)
    messageIds.push(outcome.messageId)
  }
  return { is: 'accepted', messageIds, line: line.name }
}

/** Once a first part was taken the whole is never sent again: half an SMS twice is worse than half of it once. */
function fate(outcome: Exclude<SubmitOutcome, { kind: 'ok' }>, partly: boolean): SmsOutcome {
  if (partly) return outcome.kind === 'refused' ? { is: 'failed', status: outcome.status } : { is: 'ambiguous' }
  if (outcome.kind === 'unsent') return outcome.why === 'uncodable' ? { is: 'failed', status: STATUS.ESME_RSUBMITFAIL } : { is: 'unsent' }
  if (outcome.kind !== 'refused') return { is: 'ambiguous' }
  const passing = PASSING.has(outcome.status) || (outcome.status >= 0x400 && outcome.status <= 0x4ff)
  if (!passing) return { is: 'failed', status: outcome.status }
  return { is: 'later', status: outcome.status, pause: outcome.status === STATUS.ESME_RTHROTTLED }
}

/** The line that the SMS names, else the first bound one that may send SMS. */
function lineFor(sms: SmsToSend, lines: SmsParts['lines'], set: ReadonlyMap<string, LineSettings>): Line | undefined {
  const named = sms.line ? lines.get(sms.line) : undefined
  if (named && set.get(named.name)?.sms) return named
  return lines.all.find((line) => line.bound() && set.get(line.name)?.sms)
}

function octetsOf(pdu: Pdu): number {
  const text = pdu.body.short_message
  return Buffer.isBuffer(text) ? text.length : 0
}
