/**
 * What the SMPP layer exchanges with the rest: decoded PDUs, links, lines, dialects.
 */
import type { DialectProfile } from './dialect/index.ts'
import type { PageLimit, UssdMessage, UssdReply, ReturnPath } from '../ussd/index.ts'

/** One optional parameter, raw. (SMPP v3.4 §3.2.4) */
export interface Tlv {
  tag: number
  value: Buffer
}

/**
 * A PDU, decoded. `body` holds the mandatory parameters under the specification's names (`source_addr`,
 * `short_message` …): C-strings as latin1 strings without their NUL, integers as numbers, `short_message` as raw
 * octets. Times stay the strings they were. `tlvs` keeps order and repetition; nothing is interpreted here.
 */
export interface Pdu {
  /** 'deliver_sm', 'submit_sm_resp' …; `unknown_0x00010200` for a command the table does not have. */
  command: string
  status: number
  sequence: number
  body: PduBody
  tlvs: Tlv[]
}

export type PduBody = Record<string, string | number | Buffer | undefined>

/** A request of ours before it has a sequence number. */
export interface OutgoingPdu {
  command: 'submit_sm' | 'data_sm' | 'query_sm' | 'cancel_sm' | 'replace_sm'
  body: PduBody
  tlvs: Tlv[]
}

/** What became of a request of ours. Only `unsent` is certain not to have left. */
export type SubmitOutcome =
  | { kind: 'ok'; messageId: string; pdu: Pdu }
  /** Answered with a status other than ESME_ROK, or by generic_nack. */
  | { kind: 'refused'; status: number }
  /** Written; no response within the deadline. It may have been accepted. */
  | { kind: 'timeout' }
  /** Written; the link closed before the response. It may have been accepted. */
  | { kind: 'lost' }
  /**
   * Certainly never written: nothing bound, lane full, deadline passed while waiting, or the PDU could not be coded.
   */
  | { kind: 'unsent'; why: 'no-bind' | 'queue-full' | 'expired' | 'uncodable' }

/** USSD answers have seconds, SMS have hours: the window always takes USSD first and keeps its last slots for it. */
export type Lane = 'ussd' | 'sms'

/** The live SMPP connection of one bind, as seen by a handler of its requests. */
export interface LinkPort {
  /**
   * Unique for ever: `digicel/0#<instance>.<n>`. Kept with a reply to tell a repeat on a new link from one on the same.
   */
  readonly id: string
  readonly line: string
  /** The SMSC's end of the connection. Absent: it has none. */
  readonly port?: number
  /**
   * Answers a request of the SMSC's with its own sequence number. Idempotent; a no-op once the link is closed.
   * `as` says that it was a repeat: the books keep those apart.
   */
  respond(request: Pdu, status: number, as?: 'duplicate'): void
}

export interface SubmitOptions {
  lane: Lane
  /** Wall-clock milliseconds: not written after this, and no longer waited for. */
  deadline: number
  /** Send on this link if it is still bound (reply affinity), else on any link of the line that may submit. */
  link?: string
  /** What the caller knows the request by: named again if the response comes after the deadline. */
  key?: string
}

/** How one bind stands. */
export interface BindRow {
  /** `digicel/0` */
  bind: string
  /** Those of the statechart; `standby` also while it tries from there. */
  state: string
  /** When it was bound; not bound: when that began, not when it was last tried. */
  since: number
  /** host:port that it is bound to, or that was tried last. */
  peer: string
  /** Why it is not bound, once that is known. */
  down?: BindDown
}

export interface BindDown {
  /** One of the words in trouble.ts. */
  why: string
  /** As the system or the SMSC said it. */
  detail: string
  remedy: string
  /** That failed, since then. */
  tries: number
}

/** One configured connection to one SMSC. */
export interface Line {
  readonly name: string
  /**
   * Lines of one group share dialogues and duplicates: the same SMSC behind several lines. Default: the line's name.
   */
  readonly group: string
  readonly dialect: Dialect
  readonly sms: { source: string; sourceTon: number; sourceNpi: number }
  submit(pdu: OutgoingPdu, options: SubmitOptions): Promise<SubmitOutcome>
  /** True while at least one link may submit. */
  bound(): boolean
  /** Whether it was a link of this line, in this daemon, and is closed. */
  isGone(link: string): boolean
  /** For /ready, metrics and people: one row a bind. */
  states(): BindRow[]
  start(): void
  /** Unbinds in good order once the window is empty or `untilMs` (wall clock) has come, then closes. */
  stop(untilMs: number): Promise<void>
}

/** What a dialect makes of an incoming PDU. */
export type Incoming =
  | { is: 'ussd'; message: UssdMessage }
  | { is: 'receipt' }
  | { is: 'sms' }
  /** Understood and to be acknowledged, but nothing to do (`why` is a metrics label). */
  | { is: 'ignore'; why: string }
  /** Not acceptable: answer with this status. */
  | { is: 'reject'; status: number; why: string }

/** One operator's way of putting USSD into SMPP: pure functions, compiled from a profile. */
export interface Dialect {
  readonly name: string
  readonly page: PageLimit
  /** Reads deliver_sm or data_sm. Pure. */
  read(pdu: Pdu): Incoming
  /**
   * Writes one reply. Pure. Throws nothing: text that cannot be carried is transliterated, then replaced by '?';
   * text over the page limit is cut at a character (layout should have prevented it; `cut` says that it happened).
   */
  write(reply: UssdReply, path: ReturnPath): { pdu: OutgoingPdu; cut: boolean; step?: number }
  /**
   * Where a dialogue that we open goes: the first write of it is push-begin, or notify. `n` numbers our dialogues,
   * where that is for us to do; never as in the carrier `not` (hex): to the network that would be a late screen of that
   * dialogue. Pure. Absent: nothing can be begun here.
   */
  push?(to: { msisdn: string; source: string; n: number; not?: string | undefined }): ReturnPath
  /** What a status other than ESME_ROK in the response to a reply means for the dialogue. retry-once: not now. */
  meaning(status: number): 'dialogue-gone' | 'retry-once' | 'dialect-wrong'
  /** Response and push behaviour that is not in one PDU. */
  readonly habits: DialectHabits
}

/** As `responses` of the profile has them: a field more there is one here, too. */
export type DialectHabits = Omit<DialectProfile['responses'], 'statusMeaning' | 'deliverRespBody'> & {
  /**
   * Numbers of dialogues come round: for so long after a begin, another of its number is a copy. Absent: they do not.
   */
  copyMs?: number
}
