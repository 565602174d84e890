/** What the doctor checks and what it found: the vocabulary of the acceptance sheet. */

/** fail: the SMSC does not do what the daemon or the specification needs. */
export type CheckVerdict = 'pass' | 'fail' | 'not-supported' | 'not-tested'

/** One PDU as it passed. The password of a bind is masked. */
export interface Taped {
  atMs: number
  /** Its position among the PDUs of all connections: several can pass in one millisecond. */
  order: number
  from: 'esme' | 'smsc'
  octets: Buffer
}

/** Every check, in the order of the sheet. */
export const CHECKS = {
  tcp: ['Connection', 'TCP connection'],
  tls: ['Connection', 'TLS'],
  'bind-transceiver': ['Binds', 'bind_transceiver'],
  'bind-transmitter': ['Binds', 'bind_transmitter'],
  'bind-receiver': ['Binds', 'bind_receiver'],
  'interface-version': ['Binds', 'Content of bind_resp'],
  'bind-v50': ['Binds', 'A bind with version 5.0'],
  'second-bind': ['Binds', 'A second bind of the same account'],
  'wrong-password': ['Binds', 'A wrong password'],
  'enquire-link': ['Link', 'enquire_link, ours'],
  'enquire-link-theirs': ['Link', 'enquire_link from the SMSC'],
  'unknown-command': ['Link', 'An unknown command'],
  unbind: ['Link', 'unbind, ours'],
  'unbind-theirs': ['Link', 'unbind from the SMSC'],
  'dead-peer': ['Link', 'A peer that falls silent'],
  'sms-gsm7': ['SMS', 'GSM 7-bit text, data_coding 0'],
  'sms-ucs2': ['SMS', 'UCS-2 text, data_coding 8'],
  'sms-national': ['SMS', 'National shift table (Turkish)'],
  'long-udh16': ['SMS', 'Long SMS, header with 16-bit reference'],
  'long-udh8': ['SMS', 'Long SMS, header with 8-bit reference'],
  'long-sar': ['SMS', 'Long SMS, sar parameters'],
  'long-payload': ['SMS', 'Long SMS, message_payload'],
  'data-sm': ['SMS', 'data_sm'],
  'validity-relative': ['SMS', 'validity_period, relative'],
  'validity-absolute': ['SMS', 'validity_period, absolute'],
  'schedule-relative': ['SMS', 'schedule_delivery_time, relative'],
  'schedule-absolute': ['SMS', 'schedule_delivery_time, absolute'],
  'query-sm': ['SMS', 'query_sm'],
  'replace-sm': ['SMS', 'replace_sm'],
  'cancel-sm': ['SMS', 'cancel_sm'],
  receipts: ['Receipts', 'Delivery receipts'],
  'receipt-ids': ['Receipts', 'Message ids in receipts'],
  window: ['Load', 'Requests without a response yet'],
  throughput: ['Load', 'SMS a second'],
  'ussd-pull': ['USSD', 'A call from the handset'],
  'ussd-notify': ['USSD', 'A text by USSD push (USSN request)'],
  'ussd-request': ['USSD', 'A question by USSD push (USSR request)'],
  others: ['USSD', 'Traffic of other subscribers'],
} as const satisfies Record<string, readonly [string, string]>

export type CheckId = keyof typeof CHECKS

export interface Finding {
  check: CheckId
  verdict: CheckVerdict
  /** What was observed. */
  said: string
  /** What the operator should do. */
  advice?: string
  /** What a person should look for on the handset and tick. */
  handset?: string
  /** Keys of the line's settings, such as `sms.long`, and their values. */
  settings?: Record<string, string | number | boolean>
  /** Keys of the dialect profile. */
  profile?: Record<string, string>
  evidence: readonly Taped[]
}

/** In the order of CHECKS. A check without a report was not tested. */
export function allFindings(found: readonly Finding[], why = 'not reached'): Finding[] {
  return (Object.keys(CHECKS) as CheckId[]).map(
    (check) => found.find((it) => it.check === check) ?? { check, verdict: 'not-tested', said: why, evidence: [] },
  )
}
