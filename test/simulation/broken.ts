/** Cores with one defect each, of those that such gateways have had: the simulation is worth what it finds of them. */
import type { Breach } from '../campaigns/checker.ts'
import type { Sabotage } from './history.ts'
import type { Fault } from './plan.ts'
import { execute } from './sql-model.ts'
import { put } from './sql-outbox.ts'

export interface Defect {
  what: string
  /** Broken by it, whatever else is. */
  invariants: readonly Breach['invariant'][]
  /** The seed from 1 that last found it: a test looks from there on, to spare time. */
  near: number
  /** Those that it needs, in place of a plan's own, where they are rare in one. */
  faults?: readonly Fault[]
  sabotage(): Sabotage
}

export const DEFECTS: readonly Defect[] = [
  {
    what: 'deliver_sm is acknowledged before the store has it',
    invariants: ['I1'],
    near: 1,
    // It harms who dies between the two, which is a matter of milliseconds.
    faults: [3, 6, 9].map((s) => ({ atMs: s * 1_000, is: 'crash', daemon: 0, at: 'write', steps: 0, downMs: 500 })),
    sabotage: () => ({ onRequest: (pdu, link) => link.respond(pdu, 0) }),
  },
  {
    what: 'a late copy of the opening PDU is taken for a redial',
    invariants: ['I1', 'I5'],
    near: 2,
    sabotage: () => ({
      dialogues: (store) => ({
        ...store,
        async open(taking) {
          await store.erase(taking.key.msisdn)
          return store.open(taking)
        },
      }),
    }),
  },
  {
    what: 'a turn that is played again books under a new key',
    invariants: ['I2', 'I3'],
    near: 92,
    sabotage() {
      let n = 0
      return {
        model: {
          'dental-book': (database, given) =>
            execute(database, 'dental-book', { ...given, intention: `${given.intention}#${++n}` }),
        },
      }
    },
  },
  {
    what: 'nobody takes over the turns of a dead daemon',
    invariants: ['I1', 'I5'],
    near: 1,
    sabotage: () => ({ dialogues: (store) => ({ ...store, overdue: async () => [] }) }),
  },
  {
    what: 'an SMS that was written and not answered is due again, as if it had not been',
    invariants: ['I4'],
    near: 3,
    sabotage: () => ({
      model: {
        'sms-lose': ({ tables }, { now }) =>
          [...tables.sms.values()]
            .filter((row) => row.state === 'submitting' && row.wake_at <= (now as Date))
            .map((row) => put(tables, row, { state: 'due', lease: null })),
      },
    }),
  },
]
