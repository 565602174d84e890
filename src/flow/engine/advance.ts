/** Plays one event of a dialogue up to the next thing that the subscriber sees, and makes the calls on the way. */
import { FlowFault, stretch } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'
import type { CompiledFlow, FlowEvent, FlowSnapshot, Want } from './types.ts'

/** The most calls of one turn. Each costs a round trip, and the network waits some ten seconds in all. */
export const CALLS_PER_TURN_MAX = 8

export type CallWant = Extract<Want, { do: 'call' }>

/** The outcome of a call. It has the shape of CallResult in src/backend/types.ts, which flows may not import. */
export type CallOutcome = (
  | { is: 'data'; data: Json }
  | { is: 'refused'; refusal: string; data?: Json }
  | { is: 'failed'; why: 'late' | 'down' | 'nonsense' | 'refused-call' }
) & {
  /** The idempotency key of the call, if it was wanted. */
  key?: string
}

export interface Advanced {
  snapshot: FlowSnapshot
  want: Exclude<Want, CallWant>
  /** How many calls were made. */
  calls: number
}

/** The dialogue rests on a call; its answer is awaited elsewhere. */
export interface Waiting {
  snapshot: FlowSnapshot
  want: CallWant
  /** How many calls were made, not counting the one that it rests on. */
  calls: number
}

type Call<Outcome> = (want: CallWant, n: number, at: FlowSnapshot) => Promise<Outcome>

/**
 * Steps until something is shown. `event` null: the snapshot is a fresh one of `begin`, or one whose call must be made
 * (again). `call` gets the number of the call in this turn, from 0; together with the turn it names the intention.
 * Throws FlowFault; `call` must not reject.
 */
export async function advance(
  flow: CompiledFlow,
  from: FlowSnapshot,
  event: FlowEvent | null,
  call: Call<CallOutcome>,
): Promise<Advanced> {
  // This `call` always answers, so the result is never Waiting.
  return (await advanceOrWait(flow, from, event, call)) as Advanced
}

/** Like `advance`, but `call` may answer null: the dialogue then rests on that call. */
export async function advanceOrWait(
  flow: CompiledFlow,
  from: FlowSnapshot,
  event: FlowEvent | null,
  call: Call<CallOutcome | null>,
): Promise<Advanced | Waiting> {
  let snapshot = event ? stretch('flow-step', flow.step, from, event) : from
  for (let calls = 0; ; calls++) {
    const want = stretch('flow-step', flow.want, snapshot)
    if (want.do !== 'call') return { snapshot, want, calls }
    if (calls >= CALLS_PER_TURN_MAX) {
      throw new FlowFault(
        `flow ${flow.name}, screen '${want.screen}': more than ${CALLS_PER_TURN_MAX} calls in one turn`,
      )
    }
    const outcome = await call(want, calls, snapshot)
    if (!outcome) return { snapshot, want, calls }
    snapshot = stretch('flow-step', flow.step, snapshot, outcomeEvent(outcome))
  }
}

/** What the machine is told of the outcome. */
export function outcomeEvent(outcome: CallOutcome): FlowEvent {
  const key = outcome.key === undefined ? {} : { key: outcome.key }
  switch (outcome.is) {
    case 'data':
      return { type: 'RESULT', data: outcome.data, ...key }
    case 'refused':
      return { type: 'REFUSED', refusal: outcome.refusal, data: outcome.data ?? null, ...key }
    case 'failed':
      return { type: 'FAILED', why: outcome.why, ...key }
  }
}
