/** Call detail records beside the values of a register in Redis. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { recordsBound } from '../../../src/store/redis/records.ts'
import { redisRegister } from '../../../src/store/redis/register.ts'
import type { Change, Register, StoredRecord } from '../../../src/store/register.ts'
import { describeWith, services } from '../../support/services.ts'

describe('the bound of records that wait in Redis', () => {
  it('is asked for until a look found few, and once a sixteenth of it waits', () => {
    const bound = recordsBound(6_400)
    bound.kept(1)
    bound.removed(1)
    assert.equal(bound.ofBucket(), 100)
    bound.looked(398)
    bound.kept(1)
    assert.equal(bound.ofBucket(), undefined)
    bound.kept(1)
    assert.equal(bound.ofBucket(), 100)
    bound.removed(1)
    assert.equal(bound.ofBucket(), undefined)
    bound.looked(400)
    assert.equal(bound.ofBucket(), 100)
  })

  it('counts what is removed of others as a place, and no place twice', () => {
    const bound = recordsBound(160)
    bound.looked(3)
    bound.removed(50)
    bound.kept(9)
    assert.equal(bound.ofBucket(), undefined)
    bound.kept(1)
    assert.equal(bound.ofBucket(), 3)
  })
})

describeWith(['redis'], 'records that are written with values', () => {
  let client: Redis
  let register: Register
  let full: number[]
  const opened = (max: number): void => {
    const prefix = `t${randomBytes(6).toString('hex')}`
    const kind = { letter: 'u', index: 'deadlines' }
    register = redisRegister({ client, prefix, kind, records: { max, onFull: (count) => void full.push(count) } })
  }
  const change = (records: StoredRecord[], from: Change['from'] = null): Change => {
    return { from, value: '3-v1 1 e\nbody', nowMs: 0, untilMs: 60_000, dueMs: null, records }
  }
  const record = (field: string, text = `text of ${field}`) => ({ field, text })

  const kept = async () => {
    const found: string[] = []
    for await (const page of register.records!.pages(10)) {
      found.push(...page.map(({ field, text }) => `${field}: ${text}`))
      await register.records!.remove(page.map(({ at }) => at))
    }
    return found.toSorted()
  }

  beforeEach(() => {
    client = new Redis(services.redisUrl!)
    full = []
    opened(6_400)
  })
  afterEach(async () => {
    await register.close()
    client.disconnect()
  })

  it('are those of the writes that are done, of several at once, whatever is in their texts', async () => {
    const stale = { version: 'another', at: 'g:2' }
    const written = await Promise.all([
      register.write({ name: 'g:1' }, change([record('a/1', 'é\nb c\t"'), record('a/2')])),
      register.write({ name: 'g:2' }, change([record('b/1'), record('b/2')], stale)),
      register.write({ name: 'g:3' }, change([])),
      register.write({ name: 'g:4' }, change([record('d/1')])),
    ])
    assert.deepEqual(written, [true, false, true, true])
    assert.deepEqual(await kept(), ['a/1: é\nb c\t"', 'a/2: text of a/2', 'd/1: text of d/1'])
    assert.deepEqual(await kept(), [])
  })

  it('find no room over the bound: the value is written, and it is said how many were not', async () => {
    opened(64)
    for (const n of [1, 2, 3, 4]) await register.write({ name: `g:${n}` }, change([record(`a/${n}`)]))
    const name = { name: 'g:1' }
    const from = { version: 'v1', at: 'g:1' }
    assert.equal(await register.write(name, change([record('b/1'), record('b/2')], from)), true)
    assert.deepEqual(full, [2])
    assert.equal((await kept()).length, 4)
    assert.equal(await register.write(name, change([record('b/1')], from)), true)
    assert.deepEqual(await kept(), ['b/1: text of b/1'])
  })

  it('have the bound that the last look found', async () => {
    opened(64)
    await register.records!.count()
    for (const n of [1, 2, 3]) await register.write({ name: `g:${n}` }, change([record(`a/${n}`)]))
    // Another daemon's, in the bucket of the next one; few of our own wait, so nobody asks.
    await register.records!.put('g:4', record('b/4'))
    assert.equal(await register.write({ name: 'g:4' }, change([record('a/4')])), true)
    assert.deepEqual(full, [])
    await register.records!.count()
    await register.write({ name: 'g:4' }, change([record('c/4')], { version: 'v1', at: 'g:4' }))
    assert.deepEqual(full, [1])
  })
})
