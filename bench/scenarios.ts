/** What the bench's phones type, and what they must see: a walk through each flow from dial to goodbye. */
import { join } from 'node:path'
import type { LoadStep } from '../src/simulator/load/index.ts'
import { clearDental, seedDental } from './dental.ts'
import { benchDir, root } from './processes.ts'

export type ScenarioName = 'walk' | 'dental' | 'topup'

export interface Scenario {
  name: ScenarioName
  about: string
  code: string
  steps: LoadStep[]
  /** Where its flow is, and the back ends that it asks; `shop` is the address of bench/shop.mjs. */
  flows: string
  backends(shop: string): object
  /** A back end in a process of its own. */
  hasShop?: boolean
  /** Puts data into the database, once. */
  seed?(postgres: string): Promise<void>
  /** Takes out what the last run left in the middle. */
  clear?(postgres: string): Promise<void>
  /** Phones of an open loop. */
  phones: number
}

/** The screens of `walk`, as whoever else answers it has to show them. */
export const WALK_SCREENS: readonly string[] = [
  'Welcome to Akiba Dental Clinic\n1. Book a visit\n2. Opening hours\n3. Change language\n4. Exit',
  'Choose a clinic:\n1. Boroko\n2. Waigani\n3. Gerehu\n4. Back',
  'Choose a day at Waigani:\n1. Monday\n2. Wednesday\n3. Friday\n4. Back',
  "Enter the patient's name:",
  'Book Mary Kila at Waigani, Fri?\n1. Confirm\n2. Change\n3. Back',
  'Booked: Mary Kila, Waigani, Fri. Thank you.',
]

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'walk',
    about: 'five questions and a goodbye, no back end',
    code: '*384*1#',
    steps: ['*384*1#', '1', '2', '3', 'Mary Kila', '1'].map((say, n) => ({ say, expect: WALK_SCREENS[n]! })),
    flows: join(benchDir, 'flows'),
    backends: () => ({}),
    phones: 1_000,
  },
  {
    name: 'dental',
    about:
      'the sample service on Postgres: each walk books a visit and cancels it; each phone wants another one (`tailored`)',
    code: '*123#',
    steps: [
      { say: '*123#', expect: 'Welcome, Mary' },
      { say: '2', expect: 'Select Appointment Type:' },
      { say: '1', expect: 'Available' },
      { say: '1', expect: 'Book ' },
      { say: '1', expect: 'Appointment confirmed!' },
      { say: '1', expect: 'Welcome, Mary' },
      { say: '3', expect: 'Select Appointment to Cancel:' },
      { say: '1', expect: 'Cancel ' },
      { say: '1', expect: 'Appointment cancelled' },
      { say: '1', expect: 'Welcome, Mary' },
      { say: '4', expect: 'Goodbye' },
    ],
    flows: join(root, 'flows'),
    backends: () => ({ dental: { module: 'dental', settings: { tailored: true } } }),
    seed: seedDental,
    clear: clearDental,
    // As many as there are visits to book: no two phones want the same one.
    phones: 500,
  },
  {
    name: 'topup',
    about: 'the sample flow with a back end over HTTP, in a process of its own: three calls in four turns',
    code: '*675#',
    steps: [
      { say: '*675#', expect: 'Balance: PGK 50' },
      { say: '2', expect: 'Bundles for you:' },
      { say: '2', expect: 'Buy 3 days 1 GB' },
      { say: '1', expect: 'Your balance is PGK 44' },
    ],
    flows: join(root, 'flows'),
    backends: (url) => ({ wallet: { http: { url } } }),
    hasShop: true,
    phones: 1_000,
  },
]
