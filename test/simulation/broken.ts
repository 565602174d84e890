/** Cores with one defect each, of those that such gateways have had: the simulation is worth what it finds of them. */
import type { Breach } from '../campaigns/judging/checker.ts'
import type { Counting } from '../campaigns/staging/counters.ts'
import type { Sabotage } from './history.ts'
import { planOf, type CrashPoint, type Fault, type Plan } from './plan.ts'
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
  /** The network that it needs. */
  counting?: Counting
  sabotage(): Sabotage
}

/** The plan of a seed, with the faults and the network that the defect needs. */
export function planFor({ faults, counting }: Defect, seed: number): Plan {
  const plan = planOf(seed)
  return { ...plan, faults: [...(faults ?? plan.faults)], ...(counting ? { counting } : {}) }
}

export const DEFECTS: readonly Defect[] = [
  {
    what: 'deliver_sm is acknowledged before the store has it',
    invariants: ['I1'],
    near: 1,
    // It harms who dies between the two, which is a matter of milliseconds.
    faults: crashes('write', 0),
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
    what: 'one step that stalled turns off the recognition of copies for the rest of the dialogue',
    invariants: ['I3', 'I5'],
    near: 1,
    counting: 'stalls',
    faults: [],
    sabotage() {
      const distrusted = new Set<string>()
      return {
        dialogues: (store) => ({
          ...store,
          async take(taking, atOnce) {
            const name = `${taking.key.msisdn} ${taking.network}`
            const step = distrusted.has(name) ? null : taking.answer.step
            const taken = await store.take({ ...taking, answer: { ...taking.answer, step } }, atOnce)
            if (taken.is === 'next' && taken.record.answer.isStalled) distrusted.add(name)
            return taken
          },
        }),
      }
    },
  },
  {
    what: 'a counter that wraps is taken for one that went back',
    invariants: ['I1'],
    near: 1,
    counting: 'wraps',
    faults: [],
    sabotage() {
      const last = new Map<string, number>()
      return {
        dialogues: (store) => ({
          ...store,
          async take(taking, atOnce) {
            const name = `${taking.key.msisdn} ${taking.network}`
            const { step } = taking.answer
            const before = await store.find(taking.key)
            if (step !== null && step < (last.get(name) ?? 0) && before)
              return { is: 'repeat', record: before, resend: false }
            if (step !== null) last.set(name, step)
            return store.take(taking, atOnce)
          },
        }),
      }
    },
  },
  {
    what: 'a turn that is played again books under a new key',
    invariants: ['I2', 'I3'],
    near: 0,
    // It harms who dies between the booking and its outcome: one event later, in nine of ten histories.
    faults: crashes('dental-book', 1),
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
    near: 1,
    // It harms who dies between the octets and the outcome.
    faults: crashes('sms-settle', 0),
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

/** Three deaths of the first daemon, each before such an event, or so many events later. */
function crashes(at: CrashPoint, steps: number): Fault[] {
  return [3, 6, 9].map((s) => ({ atMs: s * 1_000, is: 'crash', daemon: 0, at, steps, downMs: 500 }))
}
