/**
 * SMS to send: rows of the outbox, written in the transaction of their subject. due → submitting → accepted →
 * delivered; else failed, expired, cancelled, or ambiguous (sent, no response).
 */
import type { SqlRunner } from '../../base/index.ts'
import type { SmsReplied, SmsReply } from '../../plugin/index.ts'

export type { SmsReplied, SmsReply }

/** The message id of each part of an SMS, in order; null: not accepted now (perhaps before). */
export type PartIds = readonly (string | null)[]

/** The result of one SMS on the SMPP side: the outbox never sees a PDU. */
export type SmsOutcome =
  | { is: 'accepted'; messageIds: PartIds; /** Which line took it; that of the SMS if absent. */ line?: string }
  /** Try again later: throttled, queue full, temporary. `pause` asks for a pause of the whole line. */
  | ({
      is: 'later'
      status: number
      pause: boolean
      /** Only this subscriber's queue is full. */ destination?: boolean
    } & Partly)
  /** Never: refused for good. */
  | ({ is: 'failed'; status: number } & Partly)
  /** Written, response unknown. */
  | ({ is: 'ambiguous' } & Partly)
  /** Certainly not sent (no bind, lane full): try again; this does not count as an attempt. */
  | ({ is: 'unsent' } & Partly)

/** For an SMS of several parts: the parts before the one that failed. They are never sent again. */
export interface Partly {
  partly?: { messageIds: PartIds; line: string }
}

/** How the outbox sends SMS; the gateway provides it. */
export type SmsSubmit = (sms: SmsToSend, beforePart?: BeforePart) => Promise<SmsOutcome>

/** Of an SMS of several parts: before one leaves, what the SMSC called those that it has taken now. Never rejects. */
export type BeforePart = (taken: { messageIds: PartIds; line: string }) => Promise<void>

/** An SMS to cancel at the SMSC, by the message ids of its open parts. */
export interface SmsToRecall {
  msisdn: string
  line: string
  messageIds: readonly string[]
}

/** gone: all parts cancelled · kept: the SMSC has none, or refuses · unsent: try again · off: not on this line. */
export type RecallOutcome = 'gone' | 'kept' | 'unsent' | 'off'

/** Another text for an SMS of one part that the SMSC holds; `before` is what it says now. */
export interface SmsToReplace {
  msisdn: string
  line: string
  messageId: string
  before: string
  text: string
}

/**
 * refused: the SMSC no longer has it, or cannot · unfit: the new text needs another coding, or several parts · unknown:
 * no response.
 */
export type ReplaceOutcome = 'replaced' | 'refused' | 'unfit' | 'unsent' | 'unknown' | 'off'

export type SmsReplace = (sms: SmsToReplace) => Promise<ReplaceOutcome>

/** What an SMSC answers about one message. */
export type QueryOutcome =
  | { is: 'said'; state: Receipt['state']; error: string }
  /** It has no such message (any more). */
  | { is: 'unknown' }
  /** It does not know query_sm, or does not answer. */
  | { is: 'unsupported' }
  /** Not now. */
  | { is: 'later' }
  | { is: 'unsent' }

export type SmsQuery = (sms: { msisdn: string; line: string; messageId: string }) => Promise<QueryOutcome>

export interface SmsToSend {
  id: string
  msisdn: string
  text: string
  line: string
  expiresMs: number
  /** 16 bits, for user_message_reference and the reference of a long SMS. */
  reference: number
  /** Parts that an SMSC has already, from 1. Absent: none. */
  taken?: readonly number[]
  /** How many there were then. */
  parts?: number
  kind: string
}

/** A delivery receipt, read from a PDU, ids as given. */
export interface Receipt {
  line: string
  messageId: string
  state: 'enroute' | 'delivered' | 'expired' | 'deleted' | 'undeliverable' | 'accepted' | 'unknown' | 'rejected'
  error: string
  from: string
  doneMs: number | null
  /** The 16-bit user_message_reference where the SMSC echoes it. */
  reference: number | null
}

/** The kind of an SMS that a subscriber just asked for: it also goes to subscribers who opted out. */
export const ANSWER = 'answer'

/** A service that sends SMS: the first word of the `subject` of a row names it (`dental:17`). */
export interface SmsSubject {
  readonly name: string
  /**
   * What a subscriber's words do to the thing that a reminder was about; null: nothing, they are no answer to it. May
   * run twice with the same intention. Inside the transaction that notes the SMS.
   */
  reply(trx: SqlRunner, about: SmsReply): Promise<SmsReplied | null>
  /** Of a subscriber that the service knows. */
  languageOf(sql: SqlRunner, msisdn: string): Promise<string | null>
}
