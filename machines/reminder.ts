/**
 * One owed SMS, as a statechart. Its state is one word in a column; nothing lives here between two steps. The octets
 * are sent between `submitting` and the SMSC's answer: a crash then makes it `ambiguous`, never forgotten.
 */
import { setup, transition, type SnapshotFrom } from 'xstate'

export type ReminderState =
  | 'due'
  | 'submitting'
  | 'ambiguous'
  | 'accepted'
  | 'delivered'
  | 'failed'
  | 'expired'
  | 'cancelled'

export type ReminderEvent =
  /** About to be written to a socket. */
  | { type: 'SUBMIT' }
  /** Certainly not written. */
  | { type: 'UNSENT' }
  /** The SMSC has it. */
  | { type: 'ACCEPTED' }
  /** The SMSC asks to wait; `mayRetry` while there are tries left. */
  | { type: 'LATER'; mayRetry: boolean }
  /** The SMSC will never accept it. */
  | { type: 'REFUSED' }
  /** Written (or perhaps written), but not answered. */
  | { type: 'LOST' }
  /** No receipt has explained a lost SMS; `mayRetry` once. */
  | { type: 'GRACE_OVER'; mayRetry: boolean }
  /** A receipt says that the handset has received it. */
  | { type: 'DELIVERED' }
  /** A receipt says that the handset will never receive it. */
  | { type: 'UNDELIVERED' }
  /** The thing that it is about was cancelled, or the subscriber wants no SMS. */
  | { type: 'CANCEL' }
  /** The SMSC has discarded it at our request. */
  | { type: 'RECALLED' }
  /** It is too late to be of use. */
  | { type: 'EXPIRE' }
  /** An operator has it sent again. */
  | { type: 'RETRY' }

/** What a receipt or a late response can still change for an SMS that was sent. */
const AFTERMATH = { ACCEPTED: 'accepted', DELIVERED: 'delivered', UNDELIVERED: 'failed', REFUSED: 'failed' } as const

export const reminderMachine = setup({
  types: { events: {} as ReminderEvent },
  guards: { mayRetry: ({ event }) => 'mayRetry' in event && event.mayRetry },
}).createMachine({
  id: 'reminder',
  initial: 'due',
  options: { maxIterations: 10 },
  states: {
    due: { on: { SUBMIT: 'submitting', CANCEL: 'cancelled', EXPIRE: 'expired' } },
    submitting: {
      on: {
        ...AFTERMATH,
        UNSENT: 'due',
        LATER: [{ guard: 'mayRetry', target: 'due' }, { target: 'failed' }],
        LOST: 'ambiguous',
      },
    },
    ambiguous: {
      on: {
        ...AFTERMATH,
        UNSENT: 'due',
        LATER: [{ guard: 'mayRetry', target: 'due' }, { target: 'failed' }],
        GRACE_OVER: [{ guard: 'mayRetry', target: 'due' }, { target: 'failed' }],
        CANCEL: 'cancelled',
        EXPIRE: 'expired',
        RETRY: 'due',
      },
    },
    accepted: { on: { DELIVERED: 'delivered', UNDELIVERED: 'failed', RECALLED: 'cancelled' } },
    delivered: {},
    failed: { on: { RETRY: 'due' } },
    expired: { on: { RETRY: 'due' } },
    cancelled: {},
  },
})

type Snapshot = SnapshotFrom<typeof reminderMachine>

/** What nextState has found: every SMS asks it, and there are a few dozen answers. */
const KNOWN = new Map<string, ReminderState>()

/** Where one event leads. The same state: the event has no meaning there. Pure. */
export function nextState(state: ReminderState, event: ReminderEvent): ReminderState {
  const asked = `${state} ${event.type} ${'mayRetry' in event && event.mayRetry}`
  const known = KNOWN.get(asked)
  if (known) return known
  const from: Snapshot = reminderMachine.resolveState({ value: state, context: {} })
  const [to] = transition(reminderMachine, from, event)
  KNOWN.set(asked, to.value as ReminderState)
  return to.value as ReminderState
}

/** The states in which an event has a meaning. */
export function statesHearing(event: ReminderEvent): ReminderState[] {
  const all = Object.keys(reminderMachine.states) as ReminderState[]
  return all.filter((state) => nextState(state, event) !== state)
}
