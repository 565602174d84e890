/**
 * One SMS that is owed, as a statechart. Its state is one word in a column; nothing lives here between two steps.
 * The octets leave between `submitting` and what the SMSC says: a crash there is `ambiguous`, never forgotten.
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
  /** The SMSC asks for patience; `mayRetry` while there are tries left. */
  | { type: 'LATER'; mayRetry: boolean }
  /** The SMSC will never take it. */
  | { type: 'REFUSED' }
  /** Written (or perhaps written) and not answered. */
  | { type: 'LOST' }
  /** No receipt has told what became of a lost one; `mayRetry` once. */
  | { type: 'GRACE_OVER'; mayRetry: boolean }
  /** A receipt says that the handset has it. */
  | { type: 'DELIVERED' }
  /** A receipt says that the handset will never have it. */
  | { type: 'UNDELIVERED' }
  /** What it speaks of is off, or the subscriber wants no SMS. */
  | { type: 'CANCEL' }
  /** The SMSC has thrown it away at our wish. */
  | { type: 'RECALLED' }
  /** Too late to be of use. */
  | { type: 'EXPIRE' }

/** What a receipt, or a response that comes late, can still do to an SMS that left. */
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
      },
    },
    accepted: { on: { DELIVERED: 'delivered', UNDELIVERED: 'failed', RECALLED: 'cancelled' } },
    delivered: {},
    failed: {},
    expired: {},
    cancelled: {},
  },
})

type Snapshot = SnapshotFrom<typeof reminderMachine>

/** Where one event leads. The same state back: the event means nothing there. Pure. */
export function nextState(state: ReminderState, event: ReminderEvent): ReminderState {
  const from: Snapshot = reminderMachine.resolveState({ value: state, context: {} })
  const [to] = transition(reminderMachine, from, event)
  return to.value as ReminderState
}

/** The states in which an event means something. */
export function statesHearing(event: ReminderEvent): ReminderState[] {
  const all = Object.keys(reminderMachine.states) as ReminderState[]
  return all.filter((state) => nextState(state, event) !== state)
}
