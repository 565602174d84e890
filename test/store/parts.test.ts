import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { BUCKETS } from '../../src/dialogue/key.ts'
import { StoreError, UsageError } from '../../src/base/errors.ts'
import type { Changed, HeldDeps, PartShelf } from '../../src/sms/inbox/parts.ts'
import { fileParts } from '../../src/store/journal/file-parts.ts'
import { redisParts } from '../../src/store/redis/parts.ts'
import { REDIS_OPTIONS } from '../../src/store/redis/servers.ts'
import { createSealer, plainSealer, type Sealer } from '../../src/store/seal.ts'
import { describeWith, services } from '../support/services.ts'

const JOHN = { group: 'test', msisdn: '67570000001' }
const MARY = { group: 'test', msisdn: '67570000002' }
const key = (id: string) => ({ id, secret: randomBytes(32) })
const NAMES = randomBytes(32)
const sealerOf = (...keys: { id: string; secret: Buffer }[]): Sealer =>
  createSealer({ ring: () => ({ names: NAMES, keys, writer: keys[0]! }), random: randomBytes })
const K1 = key('k1')

const heldBy = ({ group, msisdn }: { group: string; msisdn: string }, ...texts: string[]): HeldDeps => ({
  msisdn,
  group,
  texts: texts.map((text) => ({ to: '123', reference: 1, total: 2, sinceMs: 0, parts: { 1: text }, doneMs: null })),
})
const textsOf = (held: HeldDeps | null) => held?.texts.map((text) => text.parts[1])
/** Adds a text to what is held. */
const adding =
  (whose: typeof JOHN, text: string, dueMs = 1_000) =>
  (held: HeldDeps | null): Changed<number> => {
    const texts = [...(textsOf(held) ?? []), text] as string[]
    return { held: heldBy(whose, ...texts), dueMs, liveMs: 1_000, result: texts.length }
  }
const removing = (held: HeldDeps): Changed<string> => ({ held: null, dueMs: 0, liveMs: 0, result: held.msisdn })

function shelfContract(open: (subscribersMax?: number) => PartShelf): void {
  it('keeps what each subscriber has, for every daemon', async () => {
    assert.equal(await open().find(JOHN), null)
    assert.equal(await open().change(JOHN, adding(JOHN, 'a')), 1)
    assert.equal(await open().change(JOHN, adding(JOHN, 'b')), 2)
    await open().change(MARY, adding(MARY, 'c'))
    assert.deepEqual(textsOf(await open().find(JOHN)), ['a', 'b'])
    await open().change(JOHN, (held) => removing(held!))
    assert.equal(await open().find(JOHN), null)
    assert.deepEqual(textsOf(await open().find(MARY)), ['c'])
  })

  it('hands out what is due, once, and nothing else', async () => {
    await open().change(JOHN, adding(JOHN, 'a', 1_000))
    await open().change(MARY, adding(MARY, 'b', 2_000))
    assert.deepEqual(await open().changeDue(999, 10, removing), [])
    assert.deepEqual(await open().changeDue(1_000, 10, removing), [JOHN.msisdn])
    assert.deepEqual(await open().changeDue(1_000, 10, removing), [])
    assert.deepEqual(textsOf(await open().find(MARY)), ['b'])
  })

  it('takes no more subscribers than it may, and goes on for those whom it has', async () => {
    const full = (error: unknown) =>
      error instanceof StoreError && error.code === 'too-large' && /sms\.long\.subscribersMax/.test(error.message)
    const shelf = open(1)
    let taken = 0
    await assert.rejects(async () => {
      for (; taken <= BUCKETS; taken++) {
        const whose = { group: 'test', msisdn: `6757100${taken}` }
        await shelf.change(whose, adding(whose, 'a'))
      }
    }, full)
    assert.ok(taken >= 1)
    const first = { group: 'test', msisdn: '67571000' }
    assert.equal(await shelf.change(first, adding(first, 'b')), 2)
  })

  it('erases a subscriber, and answers whether there was anything', async () => {
    await open().change(JOHN, adding(JOHN, 'a'))
    await open().change({ ...JOHN, group: 'other' }, adding({ ...JOHN, group: 'other' }, 'a'))
    await open().change(MARY, adding(MARY, 'b'))
    assert.equal(await open().erase(JOHN.msisdn), 2)
    assert.equal(await open().erase(JOHN.msisdn), 0)
    assert.deepEqual(await open().changeDue(5_000, 10, removing), [MARY.msisdn])
  })
}

let serial = 0

describeWith(['redis'], 'unfinished SMS in Redis', () => {
  let client: Redis
  let prefix: string
  before(() => {
    client = new Redis(services.redisUrl!, REDIS_OPTIONS)
    return new Promise<void>((done) => client.once('ready', () => done()))
  })
  beforeEach(() => void (prefix = `p${process.pid}-${++serial}`))
  after(() => client.disconnect())
  const open = (sealer: Sealer, subscribersMax = 6_400) => redisParts({ client, prefix, sealer, subscribersMax })

  describe('as they are', () => shelfContract((max) => open(plainSealer, max)))
  describe('with keys', () => shelfContract((max) => open(sealerOf(K1), max)))

  it('loses nothing where many parts of one subscriber come at once', async () => {
    const shelves = [open(plainSealer), open(plainSealer)]
    const result = await Promise.all(
      Array.from({ length: 16 }, (_, n) => shelves[n % 2]!.change(JOHN, adding(JOHN, `${n}`))),
    )
    assert.deepEqual(
      result.toSorted((a, b) => a - b),
      Array.from({ length: 16 }, (_, n) => n + 1),
    )
    assert.equal(textsOf(await shelves[0]!.find(JOHN))!.length, 16)
  })

  it('tells nothing to whoever reads Redis, where there are keys', async () => {
    await open(sealerOf(K1)).change(JOHN, adding(JOHN, 'my secret'))
    const keys = await client.keys(`${prefix}:*`)
    const values = await Promise.all(
      keys.map(async (name) =>
        (await client.type(name)) === 'zset' ? client.zrange(name, '0', '-1') : client.get(name),
      ),
    )
    assert.equal(keys.length, 2)
    assert.doesNotMatch(JSON.stringify([keys, values]), /67570000001|secret/)
    const [name] = keys.filter((one) => one.includes(':s:'))
    assert.ok((await client.pttl(name!)) > 1_000, 'it goes by itself in the end')
  })

  it('goes on with what was begun before there were keys, and after they changed', async () => {
    await open(plainSealer).change(JOHN, adding(JOHN, 'a'))
    const plain = { allowed: () => true, onRead: () => undefined }
    const migrating = createSealer({
      ring: () => ({ names: NAMES, keys: [K1], writer: K1 }),
      random: randomBytes,
      plain,
    })
    assert.equal(await open(migrating).change(JOHN, adding(JOHN, 'b')), 2)
    const later = open(sealerOf(key('k2'), K1))
    assert.equal(await later.change(JOHN, adding(JOHN, 'c')), 3)
    assert.equal((await client.keys(`${prefix}:*:s:*`)).length, 1)
    assert.deepEqual(await later.changeDue(5_000, 10, removing), [JOHN.msisdn])
  })

  it('leaves to others what it has no key for, and puts away what was altered', async () => {
    await open(sealerOf(K1)).change(JOHN, adding(JOHN, 'a'))
    const other = open(sealerOf(key('k9')))
    await assert.rejects(other.change(JOHN, adding(JOHN, 'b')), (error: StoreError) => error.code === 'sealed')
    assert.deepEqual(await other.changeDue(5_000, 10, removing), [])
    assert.deepEqual(textsOf(await open(sealerOf(K1)).find(JOHN)), ['a'])
    const [name] = await client.keys(`${prefix}:*:s:*`)
    const sealed = (await client.get(name!))!
    await client.set(
      name!,
      sealed.replace(/.(.{30})$/, (_, rest: string) => `${sealed.at(-31) === 'A' ? 'B' : 'A'}${rest}`),
    )
    const faults: string[] = []
    const shelf = redisParts({
      client,
      prefix,
      sealer: sealerOf(K1),
      subscribersMax: 64,
      onFault: (fault) => faults.push(fault),
    })
    assert.equal(await shelf.change(JOHN, adding(JOHN, 'new')), 1)
    assert.deepEqual(faults, ['corrupt'])
    await client.set(name!, '{"forged":true}')
    assert.equal(await shelf.change(JOHN, adding(JOHN, 'new')), 1)
    assert.deepEqual(faults, ['corrupt', 'unsealed'])
  })

  it('puts away a value without our head, also where it reads and there is no key', async () => {
    await open(plainSealer).change(JOHN, adding(JOHN, 'a'))
    const [name] = await client.keys(`${prefix}:*:s:*`)
    await client.set(name!, (await client.get(name!))!.split('\n')[1]!)
    assert.equal(await open(plainSealer).change(JOHN, adding(JOHN, 'new')), 1)
    assert.deepEqual(textsOf(await open(plainSealer).find(JOHN)), ['new'])
  })
})

describe('unfinished SMS in a file', () => {
  let dir: string
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'ussd-parts-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const open = (sealer: Sealer = plainSealer, subscribersMax = 100) =>
    fileParts({ file: join(dir, 'in', 'parts.json'), sealer, subscribersMax })

  describe('as they are', () => shelfContract((max) => open(plainSealer, max)))

  it('tells nothing where there are keys, and does not start without them', async () => {
    await open(sealerOf(K1)).change(JOHN, adding(JOHN, 'my secret'))
    assert.doesNotMatch(readFileSync(join(dir, 'in', 'parts.json'), 'utf8'), /67570000001|secret/)
    assert.deepEqual(textsOf(await open(sealerOf(K1)).find(JOHN)), ['my secret'])
    assert.throws(() => open(), UsageError)
  })

  it('has not happened where it cannot be written', async () => {
    writeFileSync(join(dir, 'file'), '')
    const shelf = fileParts({ file: join(dir, 'file', 'parts.json'), subscribersMax: 100 })
    await assert.rejects(shelf.change(JOHN, adding(JOHN, 'a')), (error: StoreError) => error.code === 'down')
    assert.equal(await shelf.find(JOHN), null)
  })
})
