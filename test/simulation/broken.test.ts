import assert from 'node:assert/strict'
import { DEFECTS, planFor, type Defect } from './broken.ts'
import { play } from './history.ts'
import { planOf, sayFault, type Plan } from './plan.ts'
import { shrink } from './shrink.ts'

const SEEDS_MAX = 60
const FAULTS_MAX = 3

const isFoundBy =
  (defect: Defect) =>
  async (plan: Plan): Promise<boolean> => {
    const { breaches } = await play(plan, { sabotage: defect.sabotage() })
    return breaches.some((one) => defect.invariants.includes(one.invariant))
  }

describe('a core with a defect', () => {
  for (const defect of DEFECTS) {
    it(`is caught and its plan shrunk: ${defect.what}`, async function () {
      this.timeout(120_000)
      const isFound = isFoundBy(defect)
      let seed = defect.near
      while (seed < defect.near + SEEDS_MAX && !(await isFound(planFor(defect, seed)))) seed++
      assert.ok(seed < defect.near + SEEDS_MAX, `not caught in ${SEEDS_MAX} seeds`)
      const { plan } = await shrink(planFor(defect, seed), isFound)
      assert.ok(
        plan.faults.length <= FAULTS_MAX,
        `still ${plan.faults.length} faults: ${plan.faults.map(sayFault).join('; ')}`,
      )
      assert.equal(await isFound(plan), true)
      assert.deepEqual((await play(plan)).breaches, [], 'the same plan does no harm to the core as it is')
    })
  }
})

describe('shrinking', () => {
  it('leaves the faults that matter, fewer subscribers and a shorter walk', async () => {
    const given: Plan = {
      ...planOf(3),
      daemons: 1,
      walkers: 4,
      walkMs: 30_000,
      faults: [
        { atMs: 1_000, is: 'cut', daemon: 0 },
        { atMs: 2_000, is: 'smsc', forMs: 500 },
        { atMs: 3_000, is: 'double', on: 'same', times: 9 },
        { atMs: 4_000, is: 'deaf', daemon: 0 },
        { atMs: 5_000, is: 'throttle', times: 2 },
      ],
    }
    const fails = async (plan: Plan) =>
      ['smsc', 'double'].every((is) => plan.faults.some((fault) => fault.is === is)) && plan.walkers >= 2
    const { plan, tries } = await shrink(given, fails)
    assert.deepEqual(plan.faults, [
      { atMs: 2_000, is: 'smsc', forMs: 500 },
      { atMs: 3_000, is: 'double', on: 'same', times: 1 },
    ])
    assert.equal(plan.walkers, 2)
    assert.equal(plan.walkMs, 5_000)
    assert.ok(tries < 40, `${tries} tries`)
  })
})
