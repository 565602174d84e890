/** What the bench's phones type, and what they must see: a walk through each bench flow from dial to goodbye. */
import type { LoadStep } from '../src/simulator/load/index.ts'

export interface Walk {
  flow: string
  code: string
  steps: LoadStep[]
}

export const WALKS: readonly Walk[] = [
  {
    flow: 'walk',
    code: '*384*1#',
    steps: [
      { say: '*384*1#', expect: '1. Book a visit' },
      { say: '1', expect: 'Choose a clinic:' },
      { say: '2', expect: 'Choose a day at Waigani:' },
      { say: '3', expect: "patient's name" },
      { say: 'Mary Kila', expect: 'Book Mary Kila at Waigani, Fri?' },
      { say: '1', expect: 'Booked: Mary Kila' },
    ],
  },
  {
    flow: 'lookup',
    code: '*384*2#',
    steps: [
      { say: '*384*2#', expect: 'Balance: PGK 50' },
      { say: '1', expect: 'Bundles for you:' },
      { say: '2', expect: 'Buy 3 days 1 GB' },
      { say: '1', expect: 'Your balance is PGK 44' },
    ],
  },
]
