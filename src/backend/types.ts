/** What a flow may call: a named back end, over HTTP or in the daemon itself. */
import type { Json, JsonObject, EndReason } from '../ussd/index.ts'
import type { CallContext } from '../plugin/index.ts'
import type { KeepDirective } from './cache-control.ts'

export { type BackendModule, type CallContext, Refusal } from '../plugin/index.ts'

export type CallResult =
  /** `keep`: what the back end says about keeping it. */
  | { is: 'data'; data: Json; keep?: KeepDirective }
  /** An expected refusal, named: the flow routes it with `refused: { slot-taken: screen }`. */
  | { is: 'refused'; refusal: string; data?: Json }
  /** No usable answer. `detail` is for the log, never for the subscriber. */
  | { is: 'failed'; why: 'late' | 'down' | 'nonsense' | 'refused-call'; detail: string }

/** What is known about a dialogue at its end. */
export interface EndedDialogue {
  msisdn: string
  line: string
  turns: number
  openedMs: number
  endedMs: number
  /** Of its last rest. Null if it never rested. */
  snapshot: JsonObject | null
}

/** How long to wait for a back end after the dialogue ended with a holding text; the answer comes later. */
export interface Patience {
  /** From the beginning of the turn. */
  afterMs: number
  /** How much longer to wait; then the call is given up. */
  waitMs: number
}

export interface Backend {
  readonly name: string
  /** Absent: an answer must arrive within the turn. */
  readonly patience?: Patience
  /** Never rejects: an error is a `failed` result. */
  call(operation: string, args: JsonObject, context: CallContext): Promise<CallResult>
  /** A dialogue that called this back end has ended: release what it held. Best effort; must be idempotent. */
  ended?(epoch: string, reason: EndReason, about?: EndedDialogue): Promise<void>
  /** Removes what is in memory about this subscriber. Absent: nothing is. */
  forget?(msisdn: string): void
  close?(): Promise<void>
}
