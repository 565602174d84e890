/** SMS from subscribers, starting with the PDU: the sender, the parts of a long SMS, and the effect. */
import { stretch, type Log, type Counters } from '../../base/index.ts'
import { takeSms, type IncomingDeps } from './inbox.ts'
import {
  addPart,
  endText,
  expireTexts,
  type GivenUp,
  type PartLimits,
  type PartShelf,
  type SmsPartIn,
} from './parts.ts'
import { readSmsPart, type PlainText } from '../pdu/index.ts'
import { tlvOf } from '../../smpp/dialect/index.ts'
import type { Line, Pdu } from '../../smpp/index.ts'
import { readMsisdn, remedyFor, type Numbering } from '../../ussd/index.ts'
import type { SmsInSettings } from '../settings/index.ts'

/** The limits of USSD: they hold for SMS as well. */
export interface SenderAccess {
  /** One message of this subscriber, now. False: over the rate. */
  inTime(msisdn: string, nowMs: number): boolean
  /** Whether this subscriber may use this line. */
  mayDial(msisdn: string, line: string): boolean
}

export interface SmsInDeps extends Omit<IncomingDeps, 'settings' | 'counters'> {
  access: SenderAccess
  settings: SmsInSettings
  metrics: Counters
  log: Log
  shelf: PartShelf
  numbering(line: string): Numbering
  /** The meaning of plain text at the line's SMSC. Undefined: GSM 7-bit. */
  plain?(line: string): PlainText | undefined
}

export interface SmsIn {
  /**
   * Takes one deliver_sm that is an SMS. It is durable when this resolves, and so is a part of a long SMS. Rejects if a
   * store is unreachable.
   */
  take(pdu: Pdu, line: Line): Promise<void>
  /** Gives up long SMS with missing parts. Rejects if the store is unreachable. */
  expire(): Promise<void>
}

/** How an SMSC or a handset may identify a message: user_message_reference, receipted_message_id. */
const MARKS = [0x0204, 0x001e]
/** How many subscribers one sweep handles; the rest waits for the next sweep. */
const EXPIRED_MAX = 200

export function smsIn(deps: SmsInDeps): SmsIn {
  const { settings, clock, metrics, log, shelf, access } = deps
  const limits: PartLimits = { ...settings.long, copyMs: settings.copyMs }
  const { long: _, ...whole } = settings
  const incoming: IncomingDeps = {
    ...deps,
    counters: metrics,
    settings: { ...whole, keywords: upper(settings.keywords) },
  }

  const gaveUp = tellGivenUp(deps)

  /** The complete text if this part completes it; otherwise the result to count. */
  async function join(part: SmsPartIn): Promise<{ text: string } | { counted: string }> {
    const { is, text, gaveUp: gone } = await shelf.change(part, (held) => addPart(held, part, clock.now(), limits))
    gaveUp(part.msisdn, part.group, gone)
    if (is === 'whole') return { text }
    if (is === 'too-many') metrics.count('limits_total', { limit: 'sms_parts_in_max' })
    return { counted: is === 'part' ? 'part' : `part-${is}` }
  }

  return {
    async take(pdu, line) {
      const counted = (result: string) => metrics.count('sms_incoming_total', { line: line.name, result })
      const from = senderOf(pdu, deps.numbering(line.name))
      if ('fault' in from) {
        const why = `source-${from.fault}`
        log.warn({ line: line.name, why, remedy: remedyFor(why) }, 'SMS refused: its sender number cannot be read')
        return counted(why)
      }
      const { msisdn } = from
      // Acknowledged and dropped, like USSD over the rate.
      if (!access.inTime(msisdn, clock.now())) {
        metrics.count('limits_total', { limit: 'subscriber_rate' })
        return counted('rate')
      }
      if (!access.mayDial(msisdn, line.name)) return counted('not-allowed')
      const read = stretch('sms-text', readSmsPart, pdu, deps.plain?.(line.name))
      const part: SmsPartIn = { ...read, group: line.group, msisdn }
      const isLong = part.total > 1
      const whole = isLong ? await join(part) : part
      if ('counted' in whole) return counted(whole.counted)
      const mark = isLong ? `${part.reference}/${part.total}/${part.to}` : markOf(pdu)
      const result = await takeSms(incoming, { msisdn, to: part.to, line: line.name, text: whole.text, mark })
      if (isLong) await shelf.change(part, (held) => endText(held, part, clock.now(), limits))
      counted(result)
      log.info({ line: line.name, msisdn, result }, 'SMS from a subscriber')
    },
    async expire() {
      const all = await shelf.changeDue(clock.now(), EXPIRED_MAX, (held) => expireTexts(held, clock.now(), limits))
      for (const { msisdn, group, expired } of all) gaveUp(msisdn, group, { expired, replaced: 0, over: 0, large: 0 })
    },
  }
}

function tellGivenUp({ metrics, log }: Pick<SmsInDeps, 'metrics' | 'log'>) {
  return (msisdn: string, group: string, { expired, replaced, over, large }: GivenUp): void => {
    for (const [why, texts] of Object.entries({ expired, replaced, over, large })) {
      if (texts === 0) continue
      metrics.count('sms_unfinished_total', { group, why }, texts)
      log.info({ msisdn, group, why, texts }, 'long SMS given up: parts are missing')
    }
    if (over) metrics.count('limits_total', { limit: 'sms_texts_max' }, over)
    if (large) metrics.count('limits_total', { limit: 'sms_octets_max' }, large)
  }
}

function senderOf({ body }: Pdu, numbering: Numbering): ReturnType<typeof readMsisdn> {
  const { source_addr_ton: ton, source_addr_npi: npi, source_addr: digits } = body
  return readMsisdn({ ton: Number(ton ?? 0), npi: Number(npi ?? 0), digits: String(digits ?? '') }, numbering)
}

function markOf(pdu: Pdu): string {
  const named = MARKS.map((tag) => tlvOf(pdu.tlvs, tag).toString('hex'))
  return [...named, '0', String(pdu.body.destination_addr ?? '')].join('/')
}

function upper(keywords: SmsInSettings['keywords']): SmsInSettings['keywords'] {
  const each = (words: readonly string[]) => words.map((word) => word.trim().toUpperCase())
  const { stop, start, help, all } = keywords
  return { stop: each(stop), start: each(start), help: each(help), all: each(all) }
}
