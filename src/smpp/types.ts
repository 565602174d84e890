/** What the SMPP layer exchanges with the other rooms: decoded PDUs, links, lines, dialects. */
import type { DialectProfile } from './dialect/index.ts'
import type { PageLimit, StatusPolicy, UssdMessage, UssdReply, ReturnPath } from '../ussd/index.ts'

/** One optional parameter, raw. (SMPP v3.4 §3.2.4) */
export interface Tlv {
  tag: number
  value: Buffer
}

/**
 * A decoded PDU. `body` holds the mandatory parameters under the names of the specification (`source_addr`,
 * `short_message` …): C-strings as latin1 strings without their NUL, integers as numbers, `short_message` as raw
 * octets, times as the strings that were sent. `tlvs` keeps order and repetition. Nothing is interpreted here.
 */
export interface Pdu {
  /** 'deliver_sm', 'submit_sm_resp' …; `unknown_0x00010200` for a command that is not in the table. */
  command: string
  status: number
  sequence: number
  body: PduBody
  tlvs: Tlv[]
}

export type PduBody = Record<string, string | number | Buffer | undefined>

/** One of our requests, before it has a sequence number. */
export interface OutgoingPdu {
  command: 'submit_sm' | 'data_sm' | 'query_sm' | 'cancel_sm' | 'replace_sm'
  body: PduBody
  tlvs: Tlv[]
}

/** What became of one of our requests. Only `unsent` is certain not to have left. */
export type SubmitOutcome =
  | { kind: 'ok'; messageId: string; pdu: Pdu }
  /** Answered with a status other than ESME_ROK, or by generic_nack. */
  | { kind: 'refused'; status: number }
  /** Written, but no response within the deadline. The SMSC may have accepted it. */
  | { kind: 'timeout' }
  /** Written, but the link closed before the response. The SMSC may have accepted it. */
  | { kind: 'lost' }
  /**
   * Certainly never written: no bind is up, the line was stopped, the lane is full, the deadline passed while it
   * waited, the PDU cannot be coded, or `mayLeave` said no.
   */
  | { kind: 'unsent'; why: 'no-bind' | 'stopped' | 'queue-full' | 'expired' | 'uncodable' | 'stale' | 'unsure' }

/**
 * A USSD answer has seconds, an SMS has hours: the window always takes USSD first and reserves its last slots for it.
 */
export type Lane = 'ussd' | 'sms'

/** The live SMPP connection of one bind, as the handler of its requests sees it. */
export interface LinkPort {
  /**
   * Unique for ever: `digicel/0#<instance>.<n>`. Stored with a reply: it tells a repeat on a new link from one on the
   * same link.
   */
  readonly id: string
  readonly line: string
  /** The port of the SMSC. Absent: the connection has none. */
  readonly port?: number
  /**
   * Answers a request of the SMSC with the request's sequence number. Idempotent; does nothing once the link is closed.
   * `as` says that the request was a repeat: the counters keep those apart.
   */
  respond(request: Pdu, status: number, as?: 'duplicate'): void
}

export interface SubmitOptions {
  lane: Lane
  /** Wall-clock milliseconds. After this the request is not written, and its response is no longer awaited. */
  deadline: number
  /** Send on this link if it is still bound (reply affinity), otherwise on any link of the line that may submit. */
  link?: string
  /** The caller's name of the request. It is reported again if the response comes after the deadline. */
  key?: string
  /** Asked at the moment of writing, however long the request waited for it. Absent: always. */
  mayLeave?: MayLeave
  /**
   * How often the caller has tried before. It counts itself what is never sent: a line would count the tries. Absent:
   * the caller tries once.
   */
  tries?: number
  /** Something may be said only when the request is on its way. */
  leaving?: Leaving
  /** Of SMS that wait: the lowest leaves first. Absent: the last. */
  urgency?: number
  /** What it is, for counting on a line with a cap. Default: the lane. */
  kind?: string
}

/** What depends on a request being on its way. */
export interface Leaving {
  /** The request is not written after this. Wall-clock milliseconds. */
  byMs: number
  /** It is about to be written to this link. What is written to that link now leaves before it, in the same write. */
  leaves(link: string): void
  /** The system has its octets: they leave even if this process dies. */
  left(): void
}

/** yes · stale: it must not be written any more · unsure: the caller has to find out first. */
export type MayLeave = () => 'yes' | 'stale' | 'unsure'

/** The state of one bind. */
export interface BindRow {
  /** `digicel/0` */
  bind: string
  /** A state of the statechart. `standby` also while the bind tries from there. */
  state: string
  /** When it was bound. If it is not bound: when the outage began, not when it was last tried. */
  since: number
  /** The host:port of the bind, or the one that was tried last. */
  peer: string
  /** Why it is not bound, once the reason is known. */
  down?: BindDown
  /** When it will be tried next. Absent: it is bound, or being tried now. */
  nextMs?: number
}

/** What an outage of a bind tells. `up` also ends the first wait after a start, which has no reason. */
export interface OutageTold {
  bind: string
  is: 'down' | 'up' | 'closed'
  peer: string
  why: string | undefined
  /** As the system or the SMSC reported it. */
  detail: string | undefined
  /** When the outage began; of `closed`: when it was bound. */
  sinceMs: number
  /** Tries that failed. */
  tries: number
}

export interface BindDown {
  /** One of the words in trouble.ts. */
  why: string
  /** As the system or the SMSC reported it. */
  detail: string
  remedy: string
  /** How many tries have failed since then. */
  tries: number
}

/** How busy a line is, for people. */
export interface LineLoad {
  /** Of the windows of all bound links. */
  slots: number
  taken: number
  /** How long the SMSC took for its answers since the start, in the buckets of `percentileMs`. */
  answers: Uint32Array
}

/** One configured connection to one SMSC. */
export interface Line {
  readonly name: string
  /** Lines of one group share dialogues and duplicates: they lead to the same SMSC. Default: the line's name. */
  readonly group: string
  readonly dialect: Dialect
  readonly sms: { source: string; sourceTon: number; sourceNpi: number }
  submit(pdu: OutgoingPdu, options: SubmitOptions): Promise<SubmitOutcome>
  /** True while at least one link may submit. */
  bound(): boolean
  /**
   * How long a reply would wait: for a slot, by what slots took lately and by how long the SMSC has answered nothing,
   * or for the cap of the line. `ahead`: how many will want to leave before it. 0: not known, or nothing holds it back.
   */
  waitMs(ahead: number): number
  /** Of that, for the cap. Absent: it has none. */
  capWaitMs?(ahead: number): number
  /**
   * How many SMS may be open at once: the slots that all bound links leave to SMS, but no more than may be written
   * within a second, by the rate of SMS and by the cap. 0: no link may submit.
   */
  smsRoom(): number
  /** True if this was a link of this line in this daemon, and is closed. */
  isGone(link: string): boolean
  /** Absent: it has no window. */
  load?(): LineLoad
  /** For /ready, for metrics and for people: one row per bind. */
  states(): BindRow[]
  start(): void
  /**
   * Unbinds in good order when the window is empty or at `untilMs`, then closes: with the response of the SMSC, at the
   * latest at `goneMs`. Both are wall-clock milliseconds. Absent: unbind has its usual time.
   */
  stop(untilMs: number, goneMs?: number): Promise<void>
}

/** What a dialect makes of an incoming PDU. */
export type Incoming =
  | { is: 'ussd'; message: UssdMessage }
  | { is: 'receipt' }
  | { is: 'sms' }
  /** Understood and to be acknowledged, but there is nothing to do (`why` is a metrics label). */
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
   * Writes one reply. Pure. Never throws: text that cannot be coded is transliterated, then replaced by '?'. Text over
   * the page limit is cut at a character (layout should prevent that; `cut` reports it).
   */
  write(reply: UssdReply, path: ReturnPath): { pdu: OutgoingPdu; cut: boolean; step?: number }
  /**
   * Where a dialogue that we open goes. The first write to it is push-begin or notify. `n` is the number of the
   * dialogue, if we choose it. It must not be the number in the carrier `not` (hex): the network would take that for a
   * late screen of that dialogue. Pure. Absent: this dialect cannot open dialogues.
   */
  push?(to: { msisdn: string; source: string; n: number; not?: string | undefined }): ReturnPath
  /** What a status other than ESME_ROK in a response means. */
  policy(status: number): StatusPolicy
  /** How responses and push behave, beyond a single PDU. */
  readonly habits: DialectHabits
}

/** The keys are those of `responses` in the profile: a new field there appears here, too. */
export type DialectHabits = Omit<DialectProfile['responses'], 'statusMeaning' | 'deliverRespBody'> & {
  /**
   * Numbers of dialogues are reused: for this long after a begin, another begin with its number is a copy. Absent: they
   * are not reused.
   */
  copyMs?: number
  /** Without a counter: the last key again within this time after its screen may be a copy. */
  sameKeyMs?: number
}
