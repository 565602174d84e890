import assert from 'node:assert/strict'
import {
  areKept,
  certainHarm,
  certainty,
  GREEN_BY_LUCK,
  PROMISE,
  RED_BY_LUCK,
  series,
  untilCertain,
} from './certain.ts'
import { SCORE } from '../runs/mutants.ts'

/** The exact odds of each verdict where a trial is kept with that chance: all paths, not some drawn. */
function oddsOf(chance: number, of = PROMISE): { kept: number; missed: number } {
  const odds = { kept: 0, missed: 0 }
  let paths = new Map([['0 0', 1]])
  for (let n = 0; paths.size > 0; n++) {
    assert.ok(n <= of.trialsMax, 'a test that does not end')
    const next = new Map<string, number>()
    for (const [path, likely] of paths) {
      const [kept, missed] = path.split(' ').map(Number) as [number, number]
      const is = certainty(kept, missed, of)
      if (is !== 'open') {
        odds[is] += likely
        continue
      }
      for (const [to, share] of [
        [`${kept + 1} ${missed}`, chance],
        [`${kept} ${missed + 1}`, 1 - chance],
      ] as const) {
        next.set(to, (next.get(to) ?? 0) + likely * share)
      }
    }
    paths = next
  }
  return odds
}

describe('a verdict that chance has a part in', () => {
  it('calls a good build bad once in a thousand times at most, and a bad one good once in fifty', () => {
    assert.ok(oddsOf(PROMISE.good).missed <= RED_BY_LUCK, JSON.stringify(oddsOf(PROMISE.good)))
    assert.ok(oddsOf(PROMISE.bad).kept <= GREEN_BY_LUCK, JSON.stringify(oddsOf(PROMISE.bad)))
  })
  it('is never in doubt of what always or never keeps its limit', () => {
    assert.deepEqual(oddsOf(1), { kept: 1, missed: 0 })
    assert.deepEqual(oddsOf(0), { kept: 0, missed: 1 })
  })
  it('is not decided by one trial, nor by two', () => {
    assert.deepEqual([certainty(1, 0), certainty(2, 0), certainty(3, 0)], ['open', 'open', 'kept'])
    assert.deepEqual(
      [certainty(0, 1), certainty(0, 2), certainty(0, 3), certainty(0, 4)],
      ['open', 'open', 'open', 'missed'],
    )
  })
  it('of a share of mutants calls a good build bad once in a hundred times at most, and a bad one good as rarely', () => {
    for (const [name, of] of Object.entries(SCORE)) {
      assert.ok(oddsOf(of.good, of).missed <= 0.01, `${name} ${JSON.stringify(oddsOf(of.good, of))}`)
      assert.ok(oddsOf(of.bad, of).kept <= 0.03, `${name} ${JSON.stringify(oddsOf(of.bad, of))}`)
    }
  })
  it('does not forget what was missed: each miss wants more than one that is kept', () => {
    assert.deepEqual([certainty(3, 1), certainty(4, 1)], ['open', 'kept'])
  })
})

describe('rounds until it is certain', () => {
  async function played(figures: readonly number[], { least = 1, strict = false } = {}) {
    const one = series({ limit: 100, strict })
    const rounds = await untilCertain([one], least, async (round) =>
      one.add(figures[Math.min(round, figures.length - 1)]!),
    )
    return { rounds, is: one.is, kept: areKept(one), figure: one.figure }
  }
  it('ends where the limit is kept, with no more rounds than it takes', async () => {
    assert.deepEqual(await played([90]), { rounds: 3, is: 'kept', kept: true, figure: '90 ms at most' })
    assert.equal((await played([90], { least: 7 })).rounds, 7)
  })
  it('goes on after one that was spoilt, and shows it', async () => {
    assert.deepEqual(await played([150, 90]), {
      rounds: 5,
      is: 'kept',
      kept: true,
      figure: '150 ms at most (1 of 5 too late)',
    })
  })
  it('catches what is always too slow, however often it is asked', async () => {
    const { rounds, is, kept } = await played([150])
    assert.deepEqual({ rounds, is, kept }, { rounds: 4, is: 'missed', kept: false })
  })
  it('catches what is too slow half of the time', async () => {
    const figures = Array.from({ length: 40 }, (_, n) => (n % 2 ? 90 : 150))
    const { is, kept } = await played(figures)
    assert.deepEqual({ is, kept }, { is: 'missed', kept: false })
  })
  it('allows none at all where a machine is quiet', async () => {
    assert.equal((await played([90, 90, 150, 90, 90, 90], { least: 6, strict: true })).is, 'missed')
  })
  it('catches one kind that is always too slow among many that are not, and says which to try again', () => {
    const one = series({ limit: 100 })
    for (const kind of ['cut', 'killed', 'locked', 'full', 'restarted']) one.add(kind === 'locked' ? 150 : 90, { kind })
    assert.equal(one.is, 'open')
    assert.deepEqual(one.doubtful, ['locked'])
    for (let n = 0; n < 3; n++) one.add(150, { kind: 'locked' })
    assert.equal(one.is, 'missed')
  })
  it('takes what never came for a miss', async () => {
    assert.equal((await played([Infinity])).is, 'missed')
  })
})

describe("harm that is done each time, or was the machine's", () => {
  async function found(trials: readonly string[][]) {
    let count = 0
    const pauses: number[] = []
    const harm = await certainHarm(
      async (trial) => (count++, trials[Math.min(trial, trials.length - 1)]!),
      async (ms) => void pauses.push(ms),
    )
    return { harm, count, pauses }
  }
  it('needs one trial where there is none', async () => {
    assert.deepEqual(await found([[]]), { harm: [], count: 1, pauses: [] })
  })
  it('is told where it comes again and again', async () => {
    assert.deepEqual(await found([['deaf']]), { harm: ['deaf'], count: 4, pauses: [1_000, 2_000, 3_000] })
  })
  it('is no harm where it does not come again', async () => {
    assert.deepEqual(await found([['deaf'], []]), { harm: [], count: 5, pauses: [1_000, 1_000, 1_000, 1_000] })
  })
})
