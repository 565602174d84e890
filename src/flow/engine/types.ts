/**
 * What a compiled flow is to the rest: something that steps purely and says what it wants.
 */
import type { CallOutcome } from './advance.ts'
import type { EndReason, Json, JsonObject, PageLimit } from '../../ussd/index.ts'

/** What a dialogue tells its machine. */
export type FlowEvent =
  /** The subscriber answered the screen shown. */
  | { type: 'ANSWER'; text: string }
  /** The network acknowledged a notify. */
  | { type: 'ACK' }
  /** A back end answered the call that the machine wants. */
  | { type: 'RESULT'; data: Json }
  /** A back end refused by name: an expected outcome such as 'slot-taken'. */
  | { type: 'REFUSED'; refusal: string; data: Json }
  /** No usable answer: down, late, breaker open, nonsense. */
  | { type: 'FAILED'; why: 'late' | 'down' | 'nonsense' | 'refused-call' }

/** Why a flow ends a dialogue by itself. */
export type FlowEnd = Extract<EndReason, 'completed' | 'exit' | 'backend-failed' | 'too-many-wrong' | 'recalled'>

/** What a settled snapshot asks of the world. Read off the state it rests in, never off the transition. */
export type Want =
  /** `secret`: what is typed is a PIN or the like. */
  | { do: 'ask'; text: string; screen: string; secret?: true }
  | { do: 'notify'; text: string; screen: string }
  | { do: 'end'; text: string; screen: string; reason: FlowEnd }
  | {
      do: 'call'
      screen: string
      backend: string
      operation: string
      args: JsonObject
      /** It changes something. */
      once: boolean
      /** Arguments that are secret: never to be shown or logged. */
      hidden?: string[]
      timeoutMs?: number
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
  /** When it is dialled, ISO 8601: what `today` is. */
  now?: string
  /** A lost dialogue that can be offered again: its snapshot, on the same revision. */
  resume?: JsonObject
}

/** The least that persists: state value and context. Survives JSON. */
export type FlowSnapshot = { value: string; context: JsonObject }

export interface CompiledFlow {
  readonly name: string
  /** `dental@9f2c01ab77de` */
  readonly revision: string
  readonly languages: readonly string[]
  /** Back ends that it names. */
  readonly backends: readonly string[]
  /** Pure. */
  begin(input: FlowInput): FlowSnapshot
  /**
   * Pure; the very same snapshot back means that the event meant nothing here. Throws FlowFault on a snapshot that this
   * revision does not know.
   */
  step(snapshot: FlowSnapshot, event: FlowEvent): FlowSnapshot
  /** Pure. */
  want(snapshot: FlowSnapshot): Want
  /**
   * Why what was answered to the call that it wants is no use to it: a refusal that leads nowhere, fields that are
   * expected and not there. Undefined: it is of use, or there was no answer. Pure.
   */
  useless?(snapshot: FlowSnapshot, outcome: CallOutcome): { refusal?: string; lacks?: string[] } | undefined
  /** A text of the flow's own for things outside a screen: busy, expired, overload … in that language. */
  text(key: 'busy' | 'expired' | 'overload' | 'goodbye' | 'holding', language: string): string
  /** Whether a dialogue lost here may be offered for resume (not on the first screen, not ended). */
  resumable(snapshot: FlowSnapshot): boolean
}

/** Where flows come from. */
export interface FlowRegistry {
  /**
   * What new dials get, of that subscriber if there is a trial; undefined if there is no such flow that ever loaded
   * well.
   */
  current(name: string, msisdn?: string): CompiledFlow | undefined
  /** A revision that a dialogue began with; looked up in the archive if it is no longer loaded. */
  pinned(revision: string): Promise<CompiledFlow | undefined>
  /** The same, if it is in memory: nothing is to be awaited. */
  loaded?(revision: string): CompiledFlow | undefined
  /** Whether any flow in force calls that back end. */
  calls?(backend: string): boolean
}

/** Keeps the sources of all revisions that ever served: a dialogue finishes on its own. Postgres, or a folder. */
export interface FlowArchive {
  /** `serves` false: it is stored to be tried, and serves nobody yet. Default true. */
  put(
    revision: string,
    name: string,
    source: string,
    how?: { serves?: boolean; by?: string; note?: string },
  ): Promise<void>
  get(revision: string): Promise<string | undefined>
}
