/**
 * SMS to send: rows of the outbox, written in the transaction of their subject. due → submitting → accepted →
 * delivered; otherwise failed, expired, cancelled, or ambiguous (sent, no response).
 */
import type { SqlRunner } from '../../base/index.ts'
import type { SmsReplied, SmsReply } from '../../plugin/index.ts'

export type { SmsReplied, SmsReply }

/** The message id of each part of an SMS, in order. Null: not accepted now (perhaps before). */
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
  /** Never: refused for good, or not sent at all. `why`: stored; default: `refused`. */
  | ({ is: 'failed'; status: number; why?: string } & Partly)
  /** Written; the response is unknown. */
  | ({ is: 'ambiguous' } & Partly)
  /** Certainly not sent (no bind, lane full): try again; this does not count as an attempt. */
  | ({ is: 'unsent' } & Partly)

/** For an SMS of several parts: the parts before the failed one. They are never sent again. */
export interface Partly {
  partly?: { messageIds: PartIds; line: string }
}

/** How the outbox sends SMS; the gateway provides it. */
export type SmsSubmit = (sms: SmsToSend, beforePart?: BeforePart) => Promise<SmsOutcome>

/**
 * For an SMS of several parts: called before a part is sent, with the SMSC's ids of the parts accepted so far. Never
 * rejects.
 */
export type BeforePart = (taken: { messageIds: PartIds; line: string }) => Promise<void>

/** An SMS to cancel at the SMSC, by the message ids of its open parts. */
export interface SmsToRecall {
  msisdn: string
  /** Who asked for it: its service may have a sender of its own. */
  owner?: string
  line: string
  messageIds: readonly string[]
}

/** gone: all parts cancelled · kept: the SMSC has none, or refuses · unsent: try again · off: not on this line. */
export type RecallOutcome = 'gone' | 'kept' | 'unsent' | 'off'

/** A new text for an SMS of one part that the SMSC holds. `before` is its current text. */
export interface SmsToReplace {
  msisdn: string
  /** Who asked for it: its service may have a sender of its own. */
  owner?: string
  line: string
  messageId: string
  before: string
  text: string
}

/**
 * refused: the SMSC no longer has it, or cannot do it · unfit: the new text needs another coding, or several parts ·
 * unknown: no response.
 */
export type ReplaceOutcome = 'replaced' | 'refused' | 'unfit' | 'unsent' | 'unknown' | 'off'

export type SmsReplace = (sms: SmsToReplace) => Promise<ReplaceOutcome>

/** What an SMSC answers about one message. */
export type QueryOutcome =
  | { is: 'said'; state: Receipt['state']; error: string }
  /** The SMSC does not have this message (any more). */
  | { is: 'unknown' }
  /** The SMSC does not know query_sm, or does not answer it. */
  | { is: 'unsupported' }
  /** Not now; ask later. */
  | { is: 'later' }
  | { is: 'unsent' }

export type SmsQuery = (sms: {
  msisdn: string
  line: string
  messageId: string
  owner?: string
}) => Promise<QueryOutcome>

export interface SmsToSend {
  id: string
  msisdn: string
  text: string
  line: string
  expiresMs: number
  /** 16 bits, for user_message_reference and for the reference of a long SMS. */
  reference: number
  /** Parts that an SMSC already has, from 1. Absent: none. */
  taken?: readonly number[] | undefined
  /** How many parts there were then. */
  parts?: number | undefined
  kind: string
  /** Who asked for it. */
  owner?: string
  /** The registered template that the request named. */
  template?: string | undefined
  /** The parameters that the request named, by tag, as JSON. */
  tlvs?: string | undefined
}

/** A delivery receipt, read from a PDU, with ids as given. */
export interface Receipt {
  line: string
  messageId: string
  state: 'enroute' | 'delivered' | 'expired' | 'deleted' | 'undeliverable' | 'accepted' | 'unknown' | 'rejected'
  error: string
  from: string
  doneMs: number | null
  /** The 16-bit user_message_reference, if the SMSC echoes it. */
  reference: number | null
}

/** The kind of an SMS that a subscriber just asked for: it also goes to subscribers who opted out. */
export const ANSWER = 'answer'

/** The same, shown on the screen by a USSD push where the network can. */
export const ANSWER_ON_SCREEN = 'answer-screen'

/** A service that sends SMS: the first word of the `subject` of a row names it (`dental:17`). */
export interface SmsSubject {
  readonly name: string
  /**
   * What a subscriber's words do to the thing that a reminder was about. Null: nothing; they do not answer it. It may
   * run twice with the same intention. It runs in the transaction that records the SMS.
   */
  reply(trx: SqlRunner, about: SmsReply): Promise<SmsReplied | null>
  /** The language of a subscriber whom the service knows. */
  languageOf(sql: SqlRunner, msisdn: string): Promise<string | null>
}
