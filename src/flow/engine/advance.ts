/** One event of a dialogue, to the next thing that the subscriber sees: calls are made on the way. */
import { FlowFault } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'
import type { CompiledFlow, FlowEvent, FlowSnapshot, Want } from './types.ts'

/** Calls that one turn may make: each costs a round trip, and the network waits some ten seconds in all. */
export const CALLS_PER_TURN_MAX = 8

export type CallWant = Extract<Want, { do: 'call' }>

/** What a call came to. The same shape as CallResult in src/backend/types.ts, which flows may not import. */
export type CallOutcome =
  | { is: 'data'; data: Json }
  | { is: 'refused'; refusal: string; data?: Json }
  | { is: 'failed'; why: 'late' | 'down' | 'nonsense' | 'refused-call' }

export interface Advanced {
  snapshot: FlowSnapshot
  want: Exclude<Want, CallWant>
  /** Calls made. */
  calls: number
}

/** It rests on a call whose answer is not waited for here. */
export interface Waiting {
  snapshot: FlowSnapshot
  want: CallWant
  /** Calls made, that one not among them. */
  calls: number
}

type Call<Outcome> = (want: CallWant, n: number, at: FlowSnapshot) => Promise<Outcome>

/**
 * Steps until something is shown. `event` null: the snapshot is a fresh one of `begin`, or one whose call is to be made
 * (again). `call` gets the number of the call in this turn, from 0: together with the turn it names the intention.
 * Throws FlowFault; `call` must not reject.
 */
export async function advance(
  flow: CompiledFlow,
  from: FlowSnapshot,
  event: FlowEvent | null,
  call: Call<CallOutcome>,
): Promise<Advanced> {
  // A call that is answered is never waited for.
  return (await advanceOrWait(flow, from, event, call)) as Advanced
}

/** The same, where `call` may answer null: it goes on elsewhere. */
export async function advanceOrWait(
  flow: CompiledFlow,
  from: FlowSnapshot,
  event: FlowEvent | null,
  call: Call<CallOutcome | null>,
): Promise<Advanced | Waiting> {
  let snapshot = event ? flow.step(from, event) : from
  for (let calls = 0; ; calls++) {
    const want = flow.want(snapshot)
    if (want.do !== 'call') return { snapshot, want, calls }
    if (calls >= CALLS_PER_TURN_MAX) {
      throw new FlowFault(
        `flow ${flow.name}, screen '${want.screen}': more than ${CALLS_PER_TURN_MAX} calls in one turn`,
      )
    }
    const outcome = await call(want, calls, snapshot)
    if (!outcome) return { snapshot, want, calls }
    snapshot = flow.step(snapshot, eventOf(outcome))
  }
}

function eventOf(outcome: CallOutcome): FlowEvent {
  switch (outcome.is) {
    case 'data':
      return { type: 'RESULT', data: outcome.data }
    case 'refused':
      return { type: 'REFUSED', refusal: outcome.refusal, data: outcome.data ?? null }
    case 'failed':
      return { type: 'FAILED', why: outcome.why }
  }
}
