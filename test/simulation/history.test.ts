import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { play, type Told } from './history.ts'
import { CRASH_POINTS, planOf, type Fault } from './plan.ts'
import { packageRoot } from '../../src/base/package-root.ts'

const SEEDS = 30
/** The seed that last came to a dial that nobody could write down, and for how many more it is looked for. */
const NEAR = 26
const SEEDS_MAX = 120

describe('histories under a virtual clock', () => {
  it(`${SEEDS} of them, each with its faults, break no invariant`, async function () {
    this.timeout(120_000)
    const sums = { dialogues: 0, bookings: 0, sms: 0 }
    const kinds = new Set<Fault['is']>()
    const counters = { counted: 0, stalled: 0, back: 0, copies: 0, lateCopies: 0 }
    for (let seed = 1; seed <= SEEDS; seed++) {
      const plan = planOf(seed)
      const told = await play(plan)
      assert.deepEqual(told.breaches, [], `seed ${seed}: npm run faults -- --only simulation --seed ${seed} --seeds 1`)
      for (const { is } of plan.faults) kinds.add(is)
      for (const name of ['dialogues', 'bookings', 'sms'] as const) sums[name] += told[name]
      for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] += told.counters[name]
    }
    assert.ok(Math.min(...Object.values(counters)) > SEEDS, JSON.stringify(counters))
    assert.ok(kinds.size >= 12, `only ${[...kinds].join(', ')} happened`)
    assert.ok(sums.dialogues > SEEDS * 5 && sums.bookings > SEEDS * 3 && sums.sms > sums.bookings, JSON.stringify(sums))
  })

  it('are the same for the same plan, in one process and in another, and others for another seed', async function () {
    this.timeout(60_000)
    const plan = planOf(7)
    const [first, second, other] = [await play(plan), await play(plan), await play({ ...plan, seed: 8 })]
    assert.equal(first.hash, second.hash)
    assert.notEqual(first.hash, other.hash)
    const script = `import { play } from './test/simulation/history.ts'
      import { planOf } from './test/simulation/plan.ts'
      play(planOf(7)).then((told) => process.stdout.write(told.hash))`
    const elsewhere = execFileSync(process.execPath, ['--import', 'tsx', '--input-type', 'module', '-e', script], {
      cwd: packageRoot,
      encoding: 'utf8',
    })
    assert.equal(elsewhere, first.hash)
  })

  it('are the same on a machine that takes its time: nothing in them waits for a file, a thread or a clock', async function () {
    this.timeout(60_000)
    // Three daemons come up while subscribers walk.
    const deaths = [2_000, 5_000, 8_000].map((atMs): Fault => ({
      atMs,
      is: 'crash',
      daemon: 0,
      at: 'net',
      steps: 0,
      downMs: 500,
    }))
    const plan = { ...planOf(7), faults: deaths }
    const between = async () => {
      for (let i = 0; i < 4; i++) await readFile(join(packageRoot, 'package-lock.json'))
    }
    const slow = await play(plan, { between })
    assert.equal(slow.hash, (await play(plan)).hash)
  })

  it('tell apart the screen of whose dial nobody could write down, and excuse nothing else', async function () {
    const faults: Fault[] = [
      { atMs: 7_000, is: 'late', ms: 4_216, times: 4 },
      { atMs: 7_000, is: 'kv', weather: 'down', forMs: 1_796 },
      { atMs: 8_600, is: 'crash', daemon: 0, at: 'net', steps: 0, downMs: 1_000 },
    ]
    // It is a matter of milliseconds: whether it comes to that differs from seed to seed.
    let told: Told
    let seed = NEAR
    do {
      assert.ok(seed < NEAR + SEEDS_MAX, 'no history came to it')
      told = await play({ seed: seed++, daemons: 1, walkers: 3, walkMs: 12_097, faults })
      assert.deepEqual(told.breaches, [])
    } while (told.excused.length === 0)
    assert.deepEqual(
      told.excused.map(({ invariant }) => invariant),
      ['I1'],
    )
  })
})

describe('plans', () => {
  it('are the same for the same seed, and every kind of fault and crash comes in a few hundred', () => {
    assert.deepEqual(planOf(5), planOf(5))
    const faults = Array.from({ length: 300 }, (_, seed) => planOf(seed).faults).flat()
    assert.equal(new Set(faults.map((fault) => fault.is)).size, 13)
    const points = new Set(faults.flatMap((fault) => (fault.is === 'crash' ? [fault.at] : [])))
    assert.deepEqual([...points].toSorted(), [...CRASH_POINTS].toSorted())
  })
})
