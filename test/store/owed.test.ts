import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { StoreError } from '../../src/base/errors.ts'
import type { OwedShelf } from '../../src/sms/requests/owed.ts'
import { fileOwed } from '../../src/store/journal/file-owed.ts'
import { redisOwed } from '../../src/store/redis/owed.ts'
import { createSealer, plainSealer, type Sealer } from '../../src/store/seal.ts'
import { describeWith, services } from '../support/services.ts'

const JOHN = '67570000001'
const sealerOf = (id: string): Sealer => {
  const key = { id, secret: Buffer.alloc(32, id) }
  return createSealer({ ring: () => ({ names: Buffer.alloc(32, 1), keys: [key], writer: key }), random: randomBytes })
}

function owedContract(open: () => OwedShelf): void {
  it('keeps each under its id, hands them out until they are removed, and forgets a subscriber', async () => {
    const shelf = open()
    await shelf.put('a:1:0', JOHN, '{"one":1}')
    await shelf.put('a:1:0', JOHN, '{"one":1}')
    await shelf.put('b:1:0', '67570000002', '{"two":2}')
    const found = await shelf.some(10)
    assert.deepEqual(found.map(({ id, value }) => `${id} ${value}`).toSorted(), ['a:1:0 {"one":1}', 'b:1:0 {"two":2}'])
    assert.equal(await shelf.erase(JOHN), 1)
    await shelf.remove('nothing')
    assert.deepEqual(
      (await shelf.some(10)).map(({ id }) => id),
      ['b:1:0'],
    )
    await shelf.remove('b:1:0')
    assert.deepEqual(await shelf.some(10), [])
  })
}

describeWith(['redis'], 'SMS that wait for Postgres, in Redis', () => {
  const prefix = `owed${process.pid}`
  let client: Redis
  before(() => void (client = new Redis(services.redisUrl!)))
  after(() => client.disconnect())
  afterEach(() => client.del(`${prefix}:owed-sms`))
  describe('as they are', () => owedContract(() => redisOwed({ client, prefix })))
  describe('with keys', () => owedContract(() => redisOwed({ client, prefix, sealer: sealerOf('k1') })))

  it('tell nothing of the subscriber where there are keys, and are left to who has the key', async () => {
    await redisOwed({ client, prefix, sealer: sealerOf('k1') }).put('a', JOHN, 'Balance of John')
    const stored = JSON.stringify(await client.hgetall(`${prefix}:owed-sms`))
    assert.ok(!stored.includes(JOHN) && !stored.includes('Balance'))
    assert.deepEqual(await redisOwed({ client, prefix, sealer: sealerOf('k2') }).some(10), [])
    assert.equal((await redisOwed({ client, prefix, sealer: sealerOf('k1') }).some(10)).length, 1)
  })
  it('that were moved to another id are not read', async () => {
    const shelf = redisOwed({ client, prefix, sealer: sealerOf('k1') })
    await shelf.put('a', JOHN, 'mine')
    await client.hset(`${prefix}:owed-sms`, 'b', (await client.hget(`${prefix}:owed-sms`, 'a'))!)
    assert.deepEqual(
      (await shelf.some(10)).find(({ id }) => id === 'b'),
      { id: 'b', value: '' },
    )
  })
  it('are handed out to the last one, however many there are', async () => {
    const shelf = redisOwed({ client, prefix })
    for (let n = 0; n < 3_000; n += 100)
      await Promise.all(Array.from({ length: 100 }, (_, i) => shelf.put(`${n + i}`, JOHN, 'x'.repeat(100))))
    let left = 3_000
    for (let looks = 0; looks < 200 && left > 0; looks++) {
      const found = await shelf.some(50)
      await Promise.all(found.map(({ id }) => shelf.remove(id)))
      left -= found.length
    }
    assert.deepEqual([left, await client.hlen(`${prefix}:owed-sms`)], [0, 0])
  })
  it('are no more than there may be', async () => {
    const shelf = redisOwed({ client, prefix, max: 1 })
    await shelf.put('a', JOHN, '1')
    await assert.rejects(shelf.put('b', JOHN, '2'), (error: StoreError) => error.code === 'too-large')
  })
})

describe('SMS that wait for Postgres, in a file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ussd-owed-'))
  let n = 0
  after(() => rmSync(dir, { recursive: true, force: true }))
  const open = (sealer: Sealer, file = join(dir, `${n++}`, 'owed.json')) => fileOwed({ file, sealer })
  describe('as they are', () => owedContract(() => open(plainSealer)))
  describe('with keys', () => owedContract(() => open(sealerOf('k1'))))
  it('survive a restart, and tell nothing where there are keys', async () => {
    const file = join(dir, 'again.json')
    await open(sealerOf('k1'), file).put('a', JOHN, 'Balance of John')
    assert.ok(!readFileSync(file, 'utf8').includes(JOHN))
    assert.deepEqual(await open(sealerOf('k1'), file).some(1), [{ id: 'a', value: 'Balance of John' }])
    assert.throws(() => open(sealerOf('k2'), file), /k1/)
  })
})
