/**
 * What can be asked of a running daemon, and done to it: the port behind the admin routes. Nothing here holds a text.
 */

export interface AdminService {
  /** The dialogues of one MSISDN, one a line group at most; open ones and tombstones. */
  dialogues(msisdn: string): Promise<DialogueSummary[]>
  /** Ends it with a text. Null: nothing was open. */
  endDialogue(group: string, msisdn: string): Promise<DialogueSummary | null>
  lines(): LineRow[]
  /** Unbinds a line, or binds it again. False: there is none of that name. */
  haltLine(name: string): boolean
  resumeLine(name: string): boolean
  /**
   * Reads the settings again and makes the lines theirs. Answers when it is known of each changed one whether it was
   * taken.
   */
  reload(): Promise<LinesReloaded | { problem: string }>
  /** What passed on a line lately. Null: there is no such line. */
  trace(line: string, asked: TraceQuery): TraceTold | null
  /** The SMS that are kept. */
  readonly sms: SmsService
  /** Shows a flow's first screen, or a text, to a subscriber who has not dialled. */
  push(asked: PushAsked): Promise<PushTold>
}

export interface SmsService {
  /** The newest of one subscriber. */
  of(msisdn: string): Promise<SmsSummary[]>
  /** Another text for one of them; answers what came of it (docs/SMS.md). */
  replace(id: string, text: string): Promise<string>
}

export interface SmsSummary {
  id: string
  kind: string
  state: string
  /** '': any. */
  line: string
  parts: number
  dueAt: string
  /** Null: it has not been sent. */
  submittedAt: string | null
}

/** `clear`: with numbers and texts as they were; else masked. */
export interface TraceQuery {
  last?: number | undefined
  msisdn?: string | undefined
  clear: boolean
}

export interface TraceTold {
  pdus: number
  /** As a capture file; as a listing. */
  pcap(): Buffer
  text(): string
}

/** One of `flow` and `text`. */
export interface PushAsked {
  msisdn: string
  line?: string | undefined
  flow?: string | undefined
  language?: string | undefined
  text?: string | undefined
  ttlMs: number
  /** Owed as an SMS if it is not shown. */
  sms?: string | undefined
}

/** `is`: shown, busy, absent, unsent, unknown, no-flow (docs/SMS.md). */
export interface PushTold {
  is: string
  status?: number
  epoch?: string
  sms: boolean
}

export interface DialogueSummary {
  group: string
  /** Masked. */
  msisdn: string
  line: string
  epoch: string
  status: string
  /** `dental@9f2c01ab77de`; '' during the first turn. */
  flow: string
  turn: number
  openedMs: number
  touchedMs: number
  /** Why it ended; null: it has not. */
  ended: string | null
}

export interface LineRow {
  name: string
  group: string
  dialect: string
  /** By an operator; until it is started, or the daemon is. */
  stopped: boolean
  binds: BindStands[]
}

export interface BindStands {
  bind: string
  state: string
  /** Bound since then; not bound: since when it is not. */
  since: string
  /** host:port */
  peer: string
  /** Why it is not bound, in a word; as the system or the SMSC said it; what to do; how often it was tried. */
  why?: string
  detail?: string
  remedy?: string
  tries?: number
}

/** Names of lines; and the other settings that differ from what is in force. */
export interface LinesReloaded {
  added: string[]
  changed: string[]
  removed: string[]
  kept: string[]
  needRestart: string[]
  /** Changed in the file; they could not be bound so, and serve on as before. */
  refused: { line: string; peer: string; why: string; detail: string; remedy: string }[]
}
