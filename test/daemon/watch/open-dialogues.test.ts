/** The count of open dialogues by revision: who counts, how often, and how old what is shown is. */
import assert from 'node:assert/strict'
import type { DaemonState, InstanceRow } from '../../../src/admin/index.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { createOpenDialogues } from '../../../src/daemon/watch/open-dialogues.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'

type Row = Pick<InstanceRow, 'name' | 'isGone' | 'ageMs' | 'state'>

describe('the count of open dialogues', () => {
  let clock: FakeClock
  let counts: number
  let tookMs: number
  let known: Row[]
  let open: Map<string, number> | Error

  beforeEach(() => {
    ;[clock, counts, tookMs, known, open] = [fakeClock(), 0, 0, [], new Map([['a@1', 3]])]
  })

  const row = (name: string, state: Partial<DaemonState> = {}, ageMs = 1_000): Row => ({
    name,
    ageMs,
    isGone: ageMs > 15_000,
    state: state as DaemonState,
  })
  function daemon(isShared = true) {
    const opened = createOpenDialogues({
      clock,
      log: silentLog,
      fleet: { name: 'b', known: () => known },
      isShared,
      dialogues: {
        async census() {
          counts++
          if (tookMs > 0) await new Promise<void>((done) => void clock.after(tookMs, done))
          if (open instanceof Error) throw open
          return { open, whole: true }
        },
      },
    })
    opened.start()
    return opened
  }

  it('is none until somebody has counted, and old by as much as it is then', async () => {
    const opened = daemon()
    assert.equal(opened.read(), undefined)
    await clock.advance(5_000)
    assert.deepEqual([opened.read()?.open.get('a@1'), opened.read()?.ageMs], [3, 0])
    open = new Map()
    await clock.advance(14_000)
    assert.deepEqual([opened.read()?.open.get('a@1'), opened.read()?.ageMs], [3, 14_000])
    await clock.advance(1_000)
    assert.deepEqual([opened.read()?.open.size, opened.read()?.isWhole, opened.read()?.ageMs], [0, true, 0])
    await opened.stop()
    await clock.advance(600_000)
    assert.equal(counts, 2)
  })

  it('costs the store at most 2 % of the time, however many dialogues there are', async () => {
    tookMs = 4_000
    const opened = daemon()
    await clock.advance(5_000 + 4_000)
    assert.equal(counts, 1)
    await clock.advance(199_000)
    assert.equal(counts, 1)
    await clock.advance(1_000)
    assert.equal(counts, 2)
    await clock.advance(4_000)
    await opened.stop()
  })

  it('is made by the first of the daemons that share a store; the others have it from its row', async () => {
    known = [row('a', { open: { open: { 'a@1': 7 }, isWhole: false, ageMs: 2_000 } }), row('b')]
    const opened = daemon()
    await clock.advance(60_000)
    assert.equal(counts, 0)
    assert.deepEqual(opened.read(), { open: new Map([['a@1', 7]]), isWhole: false, ageMs: 3_000 })
    assert.equal(opened.own(), undefined)
    // It ended without a word: the next one counts.
    known = [row('a', known[0]!.state, 20_000), row('b')]
    await clock.advance(15_000)
    assert.deepEqual([counts, opened.read()?.open.get('a@1')], [1, 3])
    await opened.stop()
  })

  it('is a sum where each daemon has dialogues of its own, as old as the oldest', async () => {
    known = [row('a', { open: { open: { 'a@1': 7, 'a@2': 1 }, isWhole: true, ageMs: 2_000 } }), row('b')]
    const opened = daemon(false)
    await clock.advance(5_000)
    const told = { open: new Map(Object.entries({ 'a@1': 10, 'a@2': 1 })), isWhole: true, ageMs: 3_000 }
    assert.deepEqual(opened.read(), told)
    await opened.stop()
  })

  it('stays as it was while the store does not answer, and grows old', async () => {
    const opened = daemon()
    await clock.advance(5_000)
    open = new Error('ECONNREFUSED')
    await clock.advance(30_000)
    assert.deepEqual([counts, opened.read()?.open.get('a@1'), opened.read()?.ageMs], [3, 3, 30_000])
    await opened.stop()
  })

  it('tells the 200 most frequent revisions, and says that it is not whole', async () => {
    open = new Map(Array.from({ length: 1_000 }, (_, n) => [`a@${n}`, n]))
    const opened = daemon()
    await clock.advance(5_000)
    const told = opened.own()!
    assert.deepEqual([Object.keys(told.open).length, told.open['a@999'], told.isWhole], [200, 999, false])
    await opened.stop()
  })
})
