/** What a process recalls of what it wrote last: a register in memory, and a stranger who writes into it, too. */
import assert from 'node:assert/strict'
import { StoreError } from '../../src/base/errors.ts'
import { memoryRegister } from '../../src/store/journal/memory.ts'
import { recalling } from '../../src/store/last-written.ts'
import { versionOf } from '../../src/store/record.ts'
import type { Change, Register } from '../../src/store/register.ts'

const PARTS = 64
const UNTIL_MS = Number.MAX_SAFE_INTEGER
const name = (n: number) => ({ name: `main:6757000000${n}` })
const value = (version: string, { flag = 'u', turn = 2, text = 'Grüße, 你好' } = {}) =>
  `3${flag}${version} ${turn} epoch\n["r"]\n{"text":"${text}"}`
const change = (version: string, from: string | null = null, text?: string): Change => ({
  from: from === null ? null : { version: from, at: name(1).name },
  value: value(version, text === undefined ? {} : { text }),
  nowMs: 0,
  untilMs: UNTIL_MS,
})

function place(octets?: number, failing?: Error) {
  let atMs = 0
  /** What the store waits for before it answers. */
  let until: Promise<unknown> = Promise.resolve()
  const shared = memoryRegister({})
  const far: Register = {
    read: async (slot) => {
      await until
      return shared.read(slot)
    },
    write: async (...of) => {
      await until
      const written = await shared.write(...of)
      if (failing) throw failing
      return written
    },
    settle: (...of) => shared.settle(...of),
    touch: (...of) => shared.touch(...of),
    due: (...of) => shared.due(...of),
    count: () => shared.count(),
    names: (limit) => shared.names(limit),
    putAside: (...of) => shared.putAside(...of),
    erase: (...of) => shared.erase(...of),
    check: () => shared.check(),
    close: () => shared.close(),
  }
  let outdated = 0
  const how = { nowMs: () => atMs, onOutdated: () => outdated++ }
  const own = recalling(far, octets === undefined ? how : { ...how, octets })
  const pass = (ms: number) => void (atMs += ms)
  const stop = () => {
    let goOn!: (error?: Error) => void
    until = new Promise<void>((done, failed) => (goOn = (error) => (error ? failed(error) : done())))
    return (error?: Error) => {
      goOn(error)
      until = Promise.resolve()
    }
  }
  const recalled = (n: number) => own.recall(name(n))?.value
  return { shared, own, recalled, pass, stop, outdated: () => outdated }
}

describe('what a process wrote last', () => {
  it('is recalled as it was written, and nothing else is', async () => {
    const { own, shared, recalled } = place()
    await shared.write(name(2), change('other'))
    await own.read(name(2))
    assert.equal(recalled(2), undefined, 'what was only read')
    await own.write(name(1), change('v1'))
    assert.deepEqual(own.recall(name(1)), { value: value('v1'), at: name(1).name })
    assert.equal(await own.write(name(1), change('v9', 'other')), false)
    assert.equal(recalled(1), value('v1'), 'a refused write')
    await own.write(name(1), change('v2', 'v1'))
    assert.equal(recalled(1), value('v2'))
    await own.write(name(1), { ...change('v3', 'v2'), value: null })
    assert.equal(recalled(1), undefined, 'it was removed')
  })

  it('has the flag that its reply was accepted, if it was the reply of this turn', async () => {
    const { own, recalled } = place()
    await own.write(name(1), change('v1'))
    for (const turn of ['1 epoch', '22 epoch', '2 epoc', '2 epochs', '2 other']) own.settle(name(1), turn, null)
    assert.equal(recalled(1), value('v1'))
    own.settle(name(2), '2 epoch', null)
    own.settle(name(1), '2 epoch', null)
    assert.equal(recalled(1), value('v1', { flag: 'c' }))
    const taken = { ...change('v2', 'v1'), value: value('v2', { flag: '-' }) }
    await own.write(name(1), taken)
    own.settle(name(1), '2 epoch', null)
    assert.equal(recalled(1), taken.value, 'no reply waits')
  })

  it('is as much as there is room for: the oldest go first, and what is too large is not kept', async () => {
    const one = value('w000').length * 3 + 4
    const { own, recalled } = place(PARTS * 2 * one)
    const names = Array.from({ length: 400 }, (_, n) => n + 100)
    const kept = () => names.filter((n) => recalled(n) !== undefined)
    for (let round = 0; round < 2_000; round++) {
      const n = names[(round * 7) % names.length]!
      const from = await own.read(name(n))
      const next = `w${round}`
      const over = from && { version: versionOf(from.value), at: name(n).name }
      assert.ok(await own.write(name(n), { ...change(next), from: over }))
      assert.equal(recalled(n), value(next))
    }
    for (const n of kept()) assert.equal(recalled(n), (await own.read(name(n)))!.value)
    const latest = Array.from({ length: 2 * (PARTS - 1) }, (_, ago) => names[((1_999 - ago) * 7) % names.length]!)
    for (const n of latest) assert.ok(kept().includes(n), `${n} was written lately`)
    assert.ok(kept().length < names.length, `${kept().length} kept`)
    const last = names[(1_999 * 7) % names.length]!
    const large = change('large', 'w1999', 'x'.repeat(PARTS * one))
    assert.ok(await own.write(name(last), { ...large, from: { version: 'w1999', at: name(last).name } }))
    assert.equal(recalled(last), undefined)
  })

  it('is outdated if another process has replaced it: then it is known no more', async () => {
    const { own, shared, recalled, outdated } = place()
    await own.write(name(1), change('v1'))
    await shared.write(name(1), change('v2', 'v1'))
    assert.equal(await own.write(name(1), change('v3', 'v1')), false)
    assert.equal(own.isOutdated(name(1), 'v1'), true)
    assert.deepEqual([outdated(), recalled(1)], [1, undefined])
  })

  it('is not recalled where others replace it again and again, until that has ceased for 64 messages', async () => {
    const { own, shared, recalled } = place()
    const replaced = async (n: number, from: string) => {
      await own.write(name(n), {
        ...change(`${from}a`),
        from: from === '' ? null : { version: from, at: name(n).name },
      })
      await shared.write(name(n), { ...change(`${from}b`), from: { version: `${from}a`, at: name(n).name } })
    }
    for (const n of [1, 2, 3, 4, 5]) await replaced(n, '')
    for (const n of [1, 2, 3]) assert.ok(own.isOutdated(name(n), 'a'))
    assert.equal(recalled(4), value('a'), 'three of the last 64: still')
    for (const n of [4, 5]) assert.ok(own.isOutdated(name(n), 'a'))
    await own.write(name(1), { ...change('v1'), from: { version: 'b', at: name(1).name } })
    await own.write(name(2), { ...change('v1'), from: { version: 'b', at: name(2).name } })
    await shared.write(name(2), { ...change('v2'), from: { version: 'v1', at: name(2).name } })
    assert.equal(recalled(1), undefined)
    for (let n = 0; n < 60; n++) await own.read(name(1))
    await own.read(name(2)) // it would have been outdated
    await own.read(name(9)) // it says nothing
    for (let n = 0; n < 15; n++) await own.read(name(1))
    assert.equal(recalled(1), undefined)
    for (let n = 0; n < 5; n++) await own.read(name(1))
    assert.equal(recalled(1), value('v1'))
  })

  it('is not outdated if another write of this process was faster, or is under way', async () => {
    const { own, shared, outdated } = place()
    await own.write(name(1), change('v1'))
    await own.write(name(1), change('v2', 'v1'))
    assert.equal(own.isOutdated(name(1), 'v1'), false, 'our own write was faster')
    await shared.write(name(1), change('v3', 'v2'))
    const underWay = [own.write(name(1), change('v4', 'v3')), own.write(name(1), change('v5', 'v3'))]
    assert.equal(own.isOutdated(name(1), 'v2'), false, 'it may be faster')
    assert.deepEqual(await Promise.all(underWay), [true, false])
    assert.equal(own.isOutdated(name(1), 'v3'), false, 'it was')
    assert.equal(outdated(), 0)
  })

  it('is outdated for each message of the same moment, as long as this process has written nothing', async () => {
    const { own, shared } = place()
    await own.write(name(1), change('v1'))
    await shared.write(name(1), change('v2', 'v1'))
    const another = own.write(name(1), change('v9', 'v1'))
    assert.equal(own.isOutdated(name(1), 'v1'), true, 'another write over the same will be refused, too')
    assert.equal(await another, false)
    assert.equal(own.isOutdated(name(1), 'v1'), true)
    await own.write(name(1), change('v3', 'v2'))
    assert.equal(own.isOutdated(name(1), 'v1'), false)
  })

  it('is outdated if it was overwritten in memory meanwhile: nothing of this process was faster', async () => {
    const { own, shared, recalled } = place(PARTS * 200)
    await own.write(name(1), change('v1'))
    assert.equal(recalled(1), value('v1'))
    for (let n = 2; n < 2 + 5 * PARTS; n++) await own.write(name(n), change('v1'))
    assert.equal(recalled(1), undefined)
    await shared.write(name(1), change('v2', 'v1'))
    assert.equal(own.isOutdated(name(1), 'v1'), true)
  })

  it('is not known where a write may have been done: what another message decides by it is not outdated', async () => {
    const { own, recalled } = place(undefined, new StoreError('down', 'no answer in time'))
    await assert.rejects(own.write(name(1), change('v1')), /no answer in time/)
    assert.equal(recalled(1), undefined)
    assert.equal(own.isOutdated(name(1), 'v0'), false)
  })

  it('is not recalled while the store is silent for long: what is written then may be done too late', async () => {
    const { own, recalled, pass, stop } = place()
    await own.write(name(1), change('v1'))
    pass(1_000)
    assert.equal(recalled(1), value('v1'), 'nothing was asked')
    for (const ask of [() => own.read(name(2)), () => own.write(name(2), change('v1'))]) {
      const goOn = stop()
      const asked = ask()
      pass(24)
      assert.equal(recalled(1), value('v1'))
      pass(1)
      assert.equal(recalled(1), undefined)
      goOn()
      await asked
      assert.equal(recalled(1), value('v1'))
    }
  })

  it('is not recalled after the store did not answer, until it has answered', async () => {
    const { own, recalled, stop } = place()
    await own.write(name(1), change('v1'))
    const goOn = stop()
    const asked = own.read(name(2))
    goOn(new StoreError('down', 'no answer in time'))
    await assert.rejects(asked, /no answer in time/)
    assert.equal(recalled(1), undefined)
    await own.read(name(2))
    assert.equal(recalled(1), value('v1'))
  })

  it('goes out of memory when a subscriber is erased, here or by another process, and when it is put aside', async () => {
    const { own, recalled } = place()
    await own.write(name(1), change('v1'))
    await own.putAside(name(1), { value: value('v1'), at: name(1).name })
    assert.equal(recalled(1), undefined)
    await own.write(name(2), change('v1'))
    await own.erase('67570000009', null)
    assert.equal(recalled(2), undefined)
    await own.write(name(3), change('v1'))
    own.forget()
    assert.equal(recalled(3), undefined)
    await own.write(name(4), change('v1'))
    assert.equal(recalled(4), value('v1'))
  })
})
