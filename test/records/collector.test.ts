import assert from 'node:assert/strict'
import type { CallRecord } from '../../src/dialogue/cdr.ts'
import type { RecordShelf, WaitingRecord } from '../../src/dialogue/types.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { createCollector, RECORDS_IN_MEMORY_MAX, type CollectorDeps } from '../../src/records/collector.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'

const record = (epoch: string) => ({ epoch, kind: 'dialogue' }) as CallRecord

/** A store of dialogues, as the collector sees it. */
function shelfOf(kept: Map<string, CallRecord>) {
  let follower: (records: WaitingRecord[]) => void = () => undefined
  const shelf: RecordShelf = {
    count: async () => kept.size,
    async *pages(limit) {
      const all = [...kept].map(([at, one]) => ({ at, record: one }))
      for (let from = 0; from < all.length; from += limit) yield all.slice(from, from + limit)
    },
    keep: async (_key, one) => (kept.set(one.epoch, one), true),
    replace: async () => undefined,
    remove: async (at) => at.forEach((one) => kept.delete(one)),
    follow: (to) => (follower = to),
  }
  /** This daemon ends a dialogue. */
  const end = (epoch: string) => {
    kept.set(epoch, record(epoch))
    follower([{ at: epoch, record: record(epoch) }])
  }
  return { shelf, end }
}

describe('the collector of call detail records', () => {
  let clock: FakeClock
  let kept: Map<string, CallRecord>
  let written: string[][]
  let counted: string[]
  let isAway: boolean

  beforeEach(() => {
    clock = fakeClock()
    kept = new Map()
    written = []
    counted = []
    isAway = false
  })

  function collectorOf(shelf: RecordShelf, more: Partial<CollectorDeps> = {}) {
    const collector = createCollector({
      shelf,
      write: async (records) => {
        if (isAway) throw new Error('Postgres is away')
        written.push(records.map(({ epoch }) => epoch))
      },
      batch: 2,
      clock,
      log: silentLog,
      counters: { count: (name, labels) => counted.push(`${name} ${labels?.limit}`) },
      mayRun: () => true,
      ...more,
    })
    collector.start()
    return collector
  }

  it('writes what this daemon ends within a second, in batches, and then removes it from the store', async () => {
    const { shelf, end } = shelfOf(kept)
    collectorOf(shelf)
    await clock.advance(1_000)
    for (const epoch of ['a', 'b', 'c']) end(epoch)
    await clock.advance(1_000)
    assert.deepEqual([written, kept.size], [[['a', 'b'], ['c']], 0])
    await clock.advance(60_000)
    assert.equal(written.length, 2)
  })

  it('writes in a round what was there when it began: what comes meanwhile waits for the next second', async () => {
    const { shelf, end } = shelfOf(kept)
    let n = 0
    const write = async (records: readonly CallRecord[]) => {
      written.push(records.map(({ epoch }) => epoch))
      if (n < 10) end(`more${++n}`)
    }
    collectorOf(shelf, { write })
    await clock.advance(1_000)
    for (const epoch of ['a', 'b', 'c']) end(epoch)
    await clock.advance(1_000)
    assert.deepEqual(written, [['a', 'b'], ['c']])
    await clock.advance(1_000)
    assert.deepEqual(written.slice(2), [['more1', 'more2']])
    await clock.advance(1_000)
    assert.deepEqual(written.slice(3), [['more3']])
  })

  it('finds what a daemon that died left in the store', async () => {
    const { shelf } = shelfOf(kept)
    kept.set('before', record('before'))
    collectorOf(shelf)
    await clock.advance(1_000)
    assert.deepEqual(written, [['before']])
    kept.set('later', record('later'))
    await clock.advance(16_000)
    assert.deepEqual([written, kept.size], [[['before'], ['later']], 0])
  })

  it('keeps all while Postgres is away, in the store too, and goes on with it', async () => {
    const { shelf, end } = shelfOf(kept)
    const collector = collectorOf(shelf)
    isAway = true
    end('a')
    collector.put(record('turned-away'))
    await clock.advance(60_000)
    assert.deepEqual([written, [...kept.keys()]], [[], ['a']])
    isAway = false
    await clock.advance(5_000)
    assert.deepEqual([written.flat().toSorted(), kept.size], [['a', 'turned-away'], 0])
  })

  it('loses nothing where the store does not hear that a record was written: it is written again', async () => {
    const { shelf, end } = shelfOf(kept)
    let deaf = true
    const remove: RecordShelf['remove'] = async (at) => {
      if (deaf) throw new Error('Redis is away')
      await shelf.remove(at)
    }
    collectorOf({ ...shelf, remove })
    end('a')
    await clock.advance(1_000)
    deaf = false
    await clock.advance(20_000)
    assert.equal(kept.size, 0)
    assert.ok(written.length >= 2 && written.flat().every((epoch) => epoch === 'a'))
  })

  it('has room for so many in memory: beyond it those of the store wait there, and others are counted', async () => {
    const { shelf, end } = shelfOf(kept)
    const collector = collectorOf(shelf, { batch: 10_000 })
    isAway = true
    for (let n = 0; n < RECORDS_IN_MEMORY_MAX; n++) collector.put(record(`r${n}`))
    collector.put(record('one-too-many'))
    end('kept')
    assert.deepEqual(counted, ['limits_total records_in_memory_max'])
    isAway = false
    await clock.advance(6_000)
    const epochs = new Set(written.flat())
    assert.ok(epochs.has('kept') && epochs.has('r0') && !epochs.has('one-too-many'))
    assert.equal(epochs.size, RECORDS_IN_MEMORY_MAX + 1)
  })

  it('writes what it has when it stops, and does nothing while the clock of the machine is wrong', async () => {
    const { shelf, end } = shelfOf(kept)
    let isRight = false
    const collector = collectorOf(shelf, { mayRun: () => isRight })
    end('a')
    await clock.advance(30_000)
    assert.deepEqual(written, [])
    isRight = true
    for (const epoch of ['b', 'c']) end(epoch)
    await collector.stop()
    assert.deepEqual([written, kept.size], [[['a', 'b'], ['c']], 0])
    await clock.advance(60_000)
    assert.equal(written.length, 2)
  })

  it('asks nothing while nothing happened, but for a look every 15 s; told of a row, it asks within a second', async () => {
    const { shelf } = shelfOf(kept)
    let asked = 0
    const collector = collectorOf(shelf, { writeOthers: async () => (asked++, false) })
    await clock.advance(1_000)
    assert.equal(asked, 1)
    await clock.advance(60_000)
    assert.equal(asked, 5)
    collector.othersCame()
    await clock.advance(1_000)
    assert.equal(asked, 6)
    await clock.advance(3_000)
    assert.equal(asked, 6)
  })

  it('asks again for rows that it was told of while Postgres was away', async () => {
    const { shelf } = shelfOf(kept)
    let asked = 0
    const writeOthers = async () => {
      if (isAway) throw new Error('Postgres is away')
      asked++
      return false
    }
    const collector = collectorOf(shelf, { writeOthers })
    await clock.advance(1_000)
    isAway = true
    collector.othersCame()
    await clock.advance(2_000)
    isAway = false
    await clock.advance(5_000)
    assert.equal(asked, 2)
  })

  it('says that records are new where nobody else can have written them, and not after a failure', async () => {
    const { shelf, end } = shelfOf(kept)
    const said: [string[], boolean][] = []
    const write = async (records: readonly CallRecord[], areNew = false) => {
      said.push([records.map(({ epoch }) => epoch), areNew])
      if (isAway) throw new Error('the answer to COMMIT is lost')
    }
    kept.set('before', record('before'))
    collectorOf(shelf, { write })
    end('a')
    await clock.advance(1_000)
    isAway = true
    for (const epoch of ['b', 'c', 'd']) end(epoch)
    await clock.advance(1_000)
    isAway = false
    await clock.advance(5_000)
    end('e')
    await clock.advance(1_000)
    assert.deepEqual(said, [
      [['a'], true],
      [['before'], false],
      [['b', 'c'], true],
      [['b', 'c'], false],
      [['d'], false],
      [['e'], true],
    ])
  })

  it('leaves to other daemons for five seconds what they have just ended; a clock that is wrong keeps none', async () => {
    const { shelf } = shelfOf(kept)
    const endedAgo = (epoch: string, ms: number) => {
      kept.set(epoch, { ...record(epoch), endedMs: clock.now() + 1_000 - ms })
    }
    endedAgo('old', 5_001)
    endedAgo('young', 4_000)
    endedAgo('of-tomorrow', -86_400_000)
    collectorOf(shelf)
    await clock.advance(1_000)
    assert.deepEqual([written.flat(), [...kept.keys()]], [['old', 'of-tomorrow'], ['young']])
    await clock.advance(15_000)
    assert.deepEqual([written.flat(), kept.size], [['old', 'of-tomorrow', 'young'], 0])
  })

  it('goes on with rows that need records while there are more', async () => {
    const { shelf } = shelfOf(kept)
    let left = 3
    collectorOf(shelf, { writeOthers: async () => --left > 0 })
    await clock.advance(1_000)
    assert.equal(left, 0)
  })
})
