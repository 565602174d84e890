/** What a flow may call: a named back end, reached over HTTP or in the daemon itself. */
import type { Json, JsonObject, EndReason } from '../ussd/index.ts'
import type { KeepDirective } from './cache-control.ts'

/** All that a back end is told besides the arguments. */
export interface CallContext {
  /** `epoch:turn:call`: the same for every repetition of the same call. Do the thing once a key. */
  intention: string
  /** Of the dialogue; where it goes on in one that we pushed, of the first. */
  epoch: string
  /** With the epoch '' in a read whose answer is the same for everybody. */
  msisdn: string
  language: string
  line: string
  /** The calendar's milliseconds (may be frozen): what "today" means. */
  todayMs: number
  /** Aborted at the turn's deadline, or when the time that the flow gives the call is over. */
  signal: AbortSignal
  /** When that will be, in wall-clock milliseconds; absent: nobody knows. */
  deadlineMs?: number
  /** What the flow gives this call, in place of the back end's own time-out. */
  timeoutMs?: number
  /** It changes something. */
  once?: boolean
  /** An argument is secret: the answer may be too. */
  isSecret?: boolean
}

export type CallResult =
  /** `keep`: what the back end says of keeping it. */
  | { is: 'data'; data: Json; keep?: KeepDirective }
  /** An expected refusal, named: the flow routes it with `refused: { slot-taken: screen }`. */
  | { is: 'refused'; refusal: string; data?: Json }
  /** No usable answer. `detail` is for the log, never for the subscriber. */
  | { is: 'failed'; why: 'late' | 'down' | 'nonsense' | 'refused-call'; detail: string }

/** What is known of a dialogue at its end. */
export interface EndedDialogue {
  msisdn: string
  line: string
  turns: number
  openedMs: number
  endedMs: number
  /** At its last rest; null if it never rested. */
  snapshot: JsonObject | null
}

/**
 * How long a back end is waited for beyond the screen: the dialogue ends with a holding text, and the answer comes
 * later.
 */
export interface Patience {
  /** From the beginning of the turn. */
  afterMs: number
  /** From then on: the call is given up at the end of it. */
  waitMs: number
}

export interface Backend {
  readonly name: string
  /** Absent: an answer that is not here within the turn is none. */
  readonly patience?: Patience
  /** Never rejects: what goes wrong is a `failed` result. */
  call(operation: string, args: JsonObject, context: CallContext): Promise<CallResult>
  /** A dialogue that called this back end has ended: release what it held. Best effort; must be idempotent. */
  ended?(epoch: string, reason: EndReason, about?: EndedDialogue): Promise<void>
  close?(): Promise<void>
}

/** A module back end: operations by name. What throws becomes `failed`, so only throw for faults. */
export interface BackendModule {
  operations: Record<string, (args: JsonObject, context: CallContext) => Promise<Json | Refusal>>
  ended?(epoch: string, reason: EndReason): Promise<void>
}

/** Returned by an operation to refuse by name. */
export class Refusal {
  readonly refusal: string
  readonly data: Json
  constructor(refusal: string, data: Json = null) {
    this.refusal = refusal
    this.data = data
  }
}
