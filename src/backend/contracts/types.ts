/** A contract: how to ask one kind of application, and how it answers. All functions are pure. */
import type { AppAsk, AppSaid } from '../../flow/engine/index.ts'
import type { EndReason } from '../../ussd/index.ts'

/** One question to an application. */
export interface Asked extends AppAsk {
  /** The id of the dialogue for the application: our epoch. */
  epoch: string
  msisdn: string
  line: string
  /** The operator in the words of the contract. Default: the line's name. */
  network: string
  /** The name of the account at the aggregator, for contracts that send it. */
  account?: string
  language: string
  /** The same for each repetition of the same question. */
  intention: string
  nowMs: number
}

/** The end of a dialogue, as it is reported to an application. */
export interface Closing extends Asked {
  reason: EndReason
  turns: number
  durationMs: number
  /** The newest screen of the application; '' if it never answered. */
  lastText: string
  lastEnd: boolean
}

/** An HTTP request, before it has an origin. */
export interface Outgoing {
  method: 'GET' | 'POST'
  /** Appended to the path of the configured URL; '' or with a slash. */
  path: string
  /** Without `?`; '' for none. */
  query: string
  headers: Record<string, string>
  /** '' for none. */
  body: string
}

/** An HTTP answer; header names in lower case. */
export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

export interface Contract {
  readonly name: string
  /** Identifies this version of the contract: part of the revision of its flows. */
  readonly mark: string
  /** The public pages that describe it, with the day of reading. Empty: there are none. */
  readonly sources: readonly { url: string; read: string }[]
  ask(asked: Asked): Outgoing
  /** Throws Nonsense. */
  understand(answer: HttpAnswer, asked: Asked): AppSaid
  /** What the application is told at the end. Null: nothing for this reason. */
  close(closing: Closing): Outgoing | null
  /** The application answers with a request of its own, which repeats this id in this field. */
  readonly later?: { field: string; id(asked: Asked): string; receipt: { status: number; body: string } }
  /**
   * Where the report of the end goes: to the application itself, or to a separate address that the settings may give.
   */
  readonly closeTo: 'app' | 'events'
}
