/** What a compiled flow is to other code: it steps purely and says what it wants. */
import type { CallOutcome } from './advance.ts'
import type { EndReason, Json, JsonObject, PageLimit } from '../../ussd/index.ts'

/** What a dialogue tells its machine. */
export type FlowEvent =
  /** The subscriber answered the screen shown. */
  | { type: 'ANSWER'; text: string }
  /** The network acknowledged a notify. */
  | { type: 'ACK' }
  /** A back end answered the call that the machine wants. `key`: that of the call, if the machine wants to know it. */
  | { type: 'RESULT'; data: Json; key?: string }
  /** A back end refused with a name: an expected outcome such as 'slot-taken'. */
  | { type: 'REFUSED'; refusal: string; data: Json; key?: string }
  /** No usable answer: the back end is down or too late, its circuit breaker is open, or the answer is nonsense. */
  | { type: 'FAILED'; why: 'late' | 'down' | 'nonsense' | 'refused-call'; key?: string }

/** Why a flow ends a dialogue by itself. */
export type FlowEnd = Extract<EndReason, 'completed' | 'exit' | 'backend-failed' | 'too-many-wrong' | 'recalled'>

/** What a settled snapshot asks for. It depends on the state in which the dialogue rests, never on the transition. */
export type Want =
  /** `secret`: the subscriber types a PIN or something like it. */
  | { do: 'ask'; text: string; screen: string; secret?: true }
  | { do: 'notify'; text: string; screen: string }
  | { do: 'end'; text: string; screen: string; reason: FlowEnd }
  | {
      do: 'call'
      screen: string
      backend: string
      operation: string
      args: JsonObject
      /** The call changes something. */
      once: boolean
      /** Secret arguments: never show or log them. */
      hidden?: string[]
      timeoutMs?: number
      /** Its answer may be kept so long. */
      cache?: { maxAgeSeconds: number; staleIfErrorSeconds: number }
      /** The machine wants to know the key of this call. */
      keyed?: true
      /** The key of the call whose outcome this one settles. */
      settles?: string
    }

/** What a dialogue knows when it starts. */
export interface FlowInput {
  msisdn: string
  code: string
  line: string
  language: string
  /** Answers dialled behind the code: `*123*2*2#` on code `*123#` gives ['2', '2']. */
  dialled: string[]
  page: PageLimit
  /** The time of the dial, ISO 8601: it defines `today`. */
  now?: string
  /** A lost dialogue that can be offered again: its snapshot, on the same revision. */
  resume?: JsonObject
}

/** The smallest state that is stored: state value and context. Survives JSON. */
export type FlowSnapshot = { value: string; context: JsonObject }

export interface CompiledFlow {
  readonly name: string
  /** `dental@9f2c01ab77de` */
  readonly revision: string
  readonly languages: readonly string[]
  /** The back ends that the flow names. */
  readonly backends: readonly string[]
  /** Pure. */
  begin(input: FlowInput): FlowSnapshot
  /**
   * Pure. If it returns the same snapshot, the event had no meaning here. Throws FlowFault on a snapshot that this
   * revision does not know.
   */
  step(snapshot: FlowSnapshot, event: FlowEvent): FlowSnapshot
  /** Pure. */
  want(snapshot: FlowSnapshot): Want
  /**
   * The key of the choice that this answer is on the screen where the snapshot rests, as it stands there. Undefined:
   * something was typed, or nobody knows it. Pure.
   */
  choice?(snapshot: FlowSnapshot, answer: string): string | undefined
  /**
   * The arguments of the SMS for who leaves the dialogue where the snapshot rests. Undefined: there is none. Pure.
   */
  ifLeft?(snapshot: FlowSnapshot): JsonObject | undefined
  /**
   * Why the flow cannot use the answer to the call that the snapshot wants: a refusal that leads nowhere, or expected
   * fields that are missing. Undefined: it can use it, or there was no answer. Pure.
   */
  useless?(snapshot: FlowSnapshot, outcome: CallOutcome): { refusal?: string; lacks?: string[] } | undefined
  /** A text of the flow for things outside its screens (busy, expired, overload …), in that language. */
  text(key: 'busy' | 'expired' | 'overload' | 'goodbye' | 'holding', language: string): string
  /** Whether a path from this screen leads to a call that changes something before the next question. */
  changes(screen: string): boolean
  /** Whether a dialogue that was lost here may be offered again (not on the first screen, and not after the end). */
  resumable(snapshot: FlowSnapshot): boolean
}

/** Where flows come from. */
export interface FlowRegistry {
  /**
   * The flow that a new dial gets: the one on trial if this subscriber takes part in the trial. Undefined: no flow of
   * this name has ever loaded without errors.
   */
  current(name: string, msisdn?: string): CompiledFlow | undefined
  /** The revision with which a dialogue began. Read from the archive if it is no longer loaded. */
  pinned(revision: string): Promise<CompiledFlow | undefined>
  /** The same revision if it is in memory, without waiting. */
  loaded?(revision: string): CompiledFlow | undefined
  /** Whether any flow in force, or on trial, lets subscribers choose a language that is kept. Absent: one may. */
  mayChooseLanguage?(): boolean
}

/**
 * Keeps the sources of all revisions that ever served: a dialogue finishes on its own revision. In Postgres or in a
 * folder.
 */
export interface FlowArchive {
  /** `serves` false: the revision is stored for a trial and serves nobody yet. Default true. */
  put(
    revision: string,
    name: string,
    source: string,
    how?: { serves?: boolean; by?: string; note?: string },
  ): Promise<void>
  get(revision: string): Promise<string | undefined>
}
