/** SMS from subscribers, from the PDU on: who wrote it, the parts of a long one together, and what it does. */
import type { Settings } from '../config/schema.ts'
import type { Log } from '../log-port.ts'
import type { Counters } from '../metrics.ts'
import { takeSms, type IncomingParts } from '../reminders/incoming.ts'
import { readSms, smsJoiner } from '../smpp/segments-join.ts'
import { tlvOf } from '../smpp/dialect-carrier.ts'
import type { Line, Pdu } from '../smpp/types.ts'
import { readMsisdn, type Numbering } from '../ussd/msisdn.ts'

export interface SmsInParts extends Omit<IncomingParts, 'settings' | 'counters'> {
  settings: Settings['sms']
  metrics: Counters
  log: Log
  numbering(line: string): Numbering
}

/** What an SMSC or handset may name a message by: user_message_reference, receipted_message_id. */
const MARKS = [0x0204, 0x001e]

/**
 * Takes one deliver_sm that is an SMS; durable when it resolves. The parts of a long one wait in memory: those that came
 * before a restart are lost with it, and nothing that a service here understands is that long.
 */
export function smsIn(parts: SmsInParts): (pdu: Pdu, line: Line) => Promise<void> {
  const { settings, clock, metrics, log } = parts
  const joiner = smsJoiner()
  const incoming: IncomingParts = { ...parts, counters: metrics, settings: {
    keywords: upper(settings.keywords), texts: settings.texts, copyMs: settings.copyMs, replyMs: settings.replyMs,
    helpEveryMs: settings.helpEveryMs,
  } }
  return async (pdu, line) => {
    const counted = (result: string) => metrics.count('sms_incoming_total', { line: line.name, result })
    const { source_addr_ton: ton, source_addr_npi: npi, source_addr: digits } = pdu.body
    const from = readMsisdn({ ton: Number(ton ?? 0), npi: Number(npi ?? 0), digits: String(digits ?? '') }, parts.numbering(line.name))
    if ('fault' in from) return counted(`source-${from.fault}`)
    const part = readSms(pdu)
    const text = joiner.add({ ...part, from: from.msisdn }, clock.now())
    if (text === null) return counted('part')
    const result = await takeSms(incoming, { msisdn: from.msisdn, line: line.name, text, mark: markOf(pdu, part.reference) })
    counted(result)
    log.info({ line: line.name, msisdn: from.msisdn, result }, 'SMS from a subscriber')
  }
}

function markOf(pdu: Pdu, reference: number): string {
  const named = MARKS.map((tag) => tlvOf(pdu.tlvs, tag).toString('hex'))
  return [...named, String(reference), String(pdu.body.destination_addr ?? '')].join('/')
}

function upper(keywords: Settings['sms']['keywords']): Settings['sms']['keywords'] {
  const each = (words: readonly string[]) => words.map((word) => word.trim().toUpperCase())
  return { stop: each(keywords.stop), start: each(keywords.start), help: each(keywords.help) }
}
