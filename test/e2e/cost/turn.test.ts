/** What a turn that awaits nothing but the store costs, in counts: no time is measured. */
import assert from 'node:assert/strict'
import { countedDaemon, type CountedDaemon, type TurnCounts } from '../../support/counted-daemon.ts'
import { describeWith } from '../../support/services.ts'

/** Compiles, starts a daemon, and lets V8 compile what is hot: on a machine that has much else to do. */
const LIMIT_MS = 180_000
/** After so many turns, what is called in each turn runs optimised. */
const WARM_UP = 3_000
const TURNS = 3_000
/** Turns of one dialogue, and how many dialogues are counted one by one. */
const STEPS = 6
const DIALS = 2
const TRIES_MAX = 10
/** Octets of the heap in a turn. Measured with Node.js 20: 32,300 to 34,400, of which call detail records some 5,000. */
const ALLOCATED_MAX = 36_500
/** Octets that outlive a young collection: 1,250 to 1,360, of what is under way; with a WeakMap of offers 4,000 to 5,300. */
const SURVIVED_MAX = 2_500
/** Some young collections of 64 MB. */
const TURNS_COLLECTED = 10_000
/** Measured: 1,290 to 1,300, of which some 880 are the record. */
const OCTETS_TO_REDIS_MAX = 1_400

describeWith(['redis', 'postgres'], 'the cost of a turn', function () {
  this.timeout(LIMIT_MS)
  let daemon: CountedDaemon | undefined
  before(async () => {
    daemon = await countedDaemon()
  })
  after(() => daemon?.stop())

  /** A machine that stops the daemon for a while makes more work, never less: one walk as it should be is enough. */
  async function until(isGood: (counts: TurnCounts) => boolean, turns: number, phones: number): Promise<TurnCounts> {
    for (let tries = 1; ; tries++) {
      const counts = await daemon!.walk(turns, phones)
      if (isGood(counts) || tries === TRIES_MAX) return counts
    }
  }

  it('is one write and one settling, if nobody else dials: only a subscriber who was not here before is read', async () => {
    // A dial too: no flow lets subscribers choose a language, so none is asked for. The last settling may still wait
    // for the end of its loop turn.
    const isStraight = ({ turns, faults, reads, writes, settles }: TurnCounts) =>
      faults === 0 && reads <= DIALS && writes === turns && settles >= turns - 1 && settles <= turns
    const counts = await until(isStraight, DIALS * STEPS, 1)
    assert.ok(isStraight(counts), JSON.stringify(counts))
  })

  it('is shared by all that dial at once: each at most once a turn of the event loop', async () => {
    const least = ({ turns, allocated, octetsToRedis }: TurnCounts) =>
      allocated / turns <= ALLOCATED_MAX && octetsToRedis / turns <= OCTETS_TO_REDIS_MAX
    await daemon!.walk(WARM_UP, 50)
    const counts = await until((one) => one.faults === 0 && least(one), TURNS, 50)
    const { turns, loops } = counts
    assert.ok(counts.faults === 0 && least(counts), JSON.stringify(counts))
    for (const what of ['reads', 'writes', 'settles', 'smppWrites'] as const)
      assert.ok(counts[what] <= loops, `${counts[what]} ${what} in ${loops} turns of the event loop`)
    // 50 phones, and a turn of the loop serves several of them.
    assert.ok(counts.reads + counts.writes + counts.settles < turns, JSON.stringify(counts))
  })

  it('leaves next to nothing that outlives a young collection', async () => {
    const isShort = ({ turns, survived, faults }: TurnCounts) => faults === 0 && survived / turns <= SURVIVED_MAX
    const counts = await until(isShort, TURNS_COLLECTED, 50)
    assert.ok(isShort(counts), JSON.stringify(counts))
  })
})
