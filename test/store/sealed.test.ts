import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { bucketOf } from '../../src/dialogue/key.ts'
import type { DialogueStore, StoreFault, WaitingRecord } from '../../src/dialogue/types.ts'
import { StoreError, UsageError } from '../../src/base/errors.ts'
import { journalDialogues } from '../../src/store/journal/store.ts'
import { createSealer, plainSealer, type KeyRing, type Sealer } from '../../src/store/seal.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, recordingOf, T0 } from '../contract/dialogue-fixture.ts'
import { dialogueStoreContract } from '../contract/dialogue-store.ts'
import { describeWith, services } from '../support/services.ts'
import { redisPlace, type RedisPlace } from './redis/place.ts'

const key = (id: string) => ({ id, secret: randomBytes(32) })
const [NAMES, K1, K2] = [randomBytes(32), key('k1'), key('k2')]
const sealerOf = (...keys: KeyRing['keys'][number][]): Sealer =>
  createSealer({ ring: () => ({ names: NAMES, keys, writer: keys[0]! }), random: randomBytes })
/** While privacy.plainUntil lasts. */
const migrating = (...keys: KeyRing['keys'][number][]): Sealer =>
  createSealer({
    ring: () => ({ names: NAMES, keys, writer: keys[0]! }),
    random: randomBytes,
    plain: { allowed: () => true, onRead: () => undefined },
  })

const JOHN = '67570000001'
/** What nobody may read in a store: number, key pressed, screen, snapshot, code with parameters, path. */
const SECRETS = [JOHN, 'pin-4711', 'Balance of John', 'snap-8899', '*123*4712#', 'imsi-5376']

describeWith(['redis'], 'the dialogue store in Redis with keys', () => {
  dialogueStoreContract(async () => {
    const place = await redisPlace(LIMITS)
    const sealer = sealerOf(K1)
    return { ...place, open: (limits = LIMITS, more = {}) => place.open(limits, { sealer, ...more }) }
  })
})

describeWith(['redis'], 'what a sealed store holds', () => {
  let place: RedisPlace
  let client: Redis
  let faults: StoreFault[]
  const open = (sealer: Sealer) => place.open(LIMITS, { sealer, onFault: (fault) => faults.push(fault) })
  beforeEach(async () => {
    place = await redisPlace(LIMITS)
    client = new Redis(services.redisUrl!)
    faults = []
  })
  afterEach(async () => {
    client.disconnect()
    await place.clear()
  })

  const path = { more: { imsi: 'imsi-5376' } }
  const secret = { text: 'Balance of John', snapshot: { value: 'main', context: { note: 'snap-8899' } } }
  /** One dialogue after an answer and its reply. */
  async function played(store: DialogueStore): Promise<string> {
    const { asked, answer, rest } = dialogueFixture(store)
    const epoch = await asked({ code: '*123*4712#', path, text: '*123*4712#' }, secret)
    expectIs(await answer({ text: 'pin-4711', token: 't', path }), 'next')
    assert.equal(await rest({ token: 't', epoch, ...secret }), true)
    return epoch
  }
  async function everything(): Promise<string> {
    const keys = await client.keys(`${place.prefix}:*`)
    const values = await Promise.all(
      keys.map(async (name) =>
        (await client.type(name)) === 'zset' ? client.zrange(name, '0', '-1') : client.get(name),
      ),
    )
    return keys.join('\n') + JSON.stringify(values)
  }
  const recordKeys = () => client.keys(`${place.prefix}:{b*}:u:*`)
  const is = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code

  it('tells nothing of the subscriber; without keys it would', async () => {
    await played(await open(plainSealer))
    const plain = await everything()
    for (const one of SECRETS)
      assert.ok(plain.includes(one), `${one} is not in the plain store: the test shows nothing`)
    assert.equal(await (await open(plainSealer)).erase(JOHN), 1)
    const store = await open(sealerOf(K1))
    await played(store)
    const sealed = await everything()
    for (const one of SECRETS) assert.ok(!sealed.includes(one), one)
    assert.match(sealed, /-2k1\./)
    const found = (await dialogueFixture(store).find())!
    assert.deepEqual(
      [found.code, found.answer.text, found.reply!.text, found.snapshot],
      ['*123*4712#', 'pin-4711', 'Balance of John', secret.snapshot],
    )
    assert.deepEqual([found.key.msisdn, found.returnPath.more], [JOHN, path.more])
    const [due] = await dialogueFixture(store).overdue(T0 + LIMITS.idleMs)
    assert.deepEqual(due!.record.key, { group: 'main', msisdn: JOHN }, 'the sweep learns the number from the record')
  })

  it('is erased by number, in every group, also what was put aside', async () => {
    const store = await open(sealerOf(K1))
    await played(store)
    await dialogueFixture(store).asked({ group: 'other' })
    await dialogueFixture(store).asked({ msisdn: '67570000002' })
    for (const name of (await recordKeys()).filter((one) => one.includes(':other:'))) await client.set(name, 'garbage')
    await assert.rejects(dialogueFixture(store).find({ group: 'other' }), is('corrupt'))
    assert.equal(await store.erase(JOHN), 1)
    assert.equal((await recordKeys()).length, 1)
    assert.equal((await client.keys(`${place.prefix}:{b*}:q:*`)).length, 0)
  })

  it('does not open under the name of another dialogue', async () => {
    const store = await open(sealerOf(K1))
    await played(store)
    const [johns] = await recordKeys()
    await dialogueFixture(store).asked({ msisdn: '67570000002' })
    const marys = (await recordKeys()).find((one) => one !== johns)!
    await client.set(marys, (await client.get(johns!))!)
    await assert.rejects(dialogueFixture(store).find({ msisdn: '67570000002' }), is('corrupt'))
    assert.deepEqual(faults, ['corrupt'])
  })

  it('does not open if one octet of it changed', async () => {
    const store = await open(sealerOf(K1))
    await played(store)
    const [name] = await recordKeys()
    const value = (await client.get(name!))!
    const at = value.lastIndexOf('-2k1.') + 40
    await client.set(name!, value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1))
    await assert.rejects(dialogueFixture(store).find(), is('corrupt'))
  })

  it('without the key: a clear error, a count, the next dial opens anew; a sweep leaves it to who has the key', async () => {
    await played(await open(sealerOf(K1)))
    const other = await open(sealerOf(K2))
    assert.deepEqual(await dialogueFixture(other).overdue(T0 + LIMITS.confirmMs), [])
    assert.deepEqual(faults, ['sealed'])
    assert.equal((await recordKeys()).length, 1)
    const opened = expectIs(await dialogueFixture(other).begin({ network: '18' }), 'opened')
    assert.equal(opened.previous, null, 'what stood there is not to be had')
    await (await open(sealerOf(K1))).erase(JOHN)
    await played(await open(sealerOf(K1)))
    await assert.rejects(
      dialogueFixture(other).answer({ text: '2' }),
      (error: Error) => is('sealed')(error) && /'k1'.*privacy\.storeKeyFile/.test(error.message),
    )
    expectIs(await dialogueFixture(other).begin({ network: '19' }), 'opened')
  })

  it('is read by older keys while a new one writes, and a repeat is known over the change', async () => {
    const before = await open(sealerOf(K1))
    const epoch = await dialogueFixture(before).asked({ step: null })
    expectIs(await dialogueFixture(before).answer({ text: 'pin-4711', token: 'a', step: 4 }), 'next')
    await dialogueFixture(before).rest({ token: 'a', epoch, step: 5, ...secret })
    const after = await open(sealerOf(K2, K1))
    expectIs(await dialogueFixture(after).answer({ text: 'pin-4711', step: 4, link: 'link-b' }), 'repeat')
    expectIs(await dialogueFixture(after).answer({ text: 'pin-4711', token: 'b', step: 5 }), 'next')
    assert.match((await client.get((await recordKeys())[0]!))!, /-2k2\./)
    expectIs(
      await dialogueFixture(before)
        .answer({ text: 'x', step: 5 })
        .catch(() => ({ is: 'busy' }) as never),
      'busy',
    )
  })

  it('takes over what was stored before there were keys: read, answered, ended under its name; the next has the new name', async () => {
    const before = await open(plainSealer)
    const { epoch, token } = await dialogueFixture(before).taken()
    const store = await open(migrating(K1))
    const { answer, rest, find, overdue, begin, drop } = dialogueFixture(store)
    expectIs(await answer({ text: '1' }), 'repeat')
    assert.equal(await store.renew({ group: 'main', msisdn: JOHN }, epoch, token, T0 + 9_000), true)
    assert.equal(await rest({ token, epoch, ...secret }), true)
    expectIs(await answer({ text: 'pin-4711', token: 't', atMs: T0 + 1 }), 'next')
    const [late] = await overdue(T0 + 1 + LEASE_MS, 't')
    assert.equal(late!.is, 'abandoned')
    assert.deepEqual([late!.record.key.msisdn, late!.record.answer.text], [JOHN, 'pin-4711'])
    assert.equal(await rest({ token: 't', epoch, ...secret }), true)
    assert.equal((await find())!.reply!.text, 'Balance of John')
    assert.equal((await drop({ epoch }))!.ended, 'subscriber-abort')
    assert.equal(expectIs(await begin({ network: '18' }), 'opened').previous!.epoch, epoch)
    const names = await recordKeys()
    assert.equal(names.length, 1)
    assert.ok(!names[0]!.includes(JOHN))
    assert.equal(await store.count(), 1)
    const [due] = await overdue(T0 + LEASE_MS)
    assert.equal(due!.record.key.msisdn, JOHN)
    assert.deepEqual(faults, [])
  })

  it('knows a copy of a begin from before there were keys, where the network gives no number', async () => {
    await dialogueFixture(await open(plainSealer)).asked({ network: '' })
    expectIs(await dialogueFixture(await open(migrating(K1))).begin({ network: '' }), 'repeat')
  })
})

describe('a name that hides its number', () => {
  it('is in the bucket of the plain one, so that one script may look at both in a Cluster too', () => {
    for (let n = 0; n < 200; n++) {
      const { name, former } = migrating(K1).place({ group: 'a:b', msisdn: String(67570000000 + n) })
      assert.equal(bucketOf(name), bucketOf(former!))
      assert.ok(!name.includes(String(67570000000 + n)))
    }
  })
})

describe('the dialogue store with a journal and keys', () => {
  dialogueStoreContract(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ussd-journal-'))
    const stores: DialogueStore[] = []
    return {
      durable: true,
      async open(limits = LIMITS, { recording = recordingOf() } = {}) {
        stores.push(await journalDialogues({ dir, limits, recording, sealer: sealerOf(K1) }))
        return stores.at(-1)!
      },
      async clear() {
        await Promise.all(stores.map((store) => store.close()))
        rmSync(dir, { recursive: true, force: true })
      },
    }
  })
})

describe('a journal with keys', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-journal-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('tells nothing of the subscriber, reads again, and refuses to start without the key', async () => {
    const sealer = migrating(K1)
    const plain = await journalDialogues({ dir, limits: LIMITS })
    await dialogueFixture(plain).asked({ msisdn: '67570000002', path: { from: [1, 1, '67570000002'] } })
    await plain.close()
    const store = await journalDialogues({ dir, limits: LIMITS, sealer })
    await dialogueFixture(store).asked({ text: 'pin-4711' })
    await store.close()
    const text = readFileSync(join(dir, 'dialogues.jsonl'), 'utf8')
    assert.deepEqual(
      [JOHN, 'pin-4711', '67570000002'].map((one) => text.includes(one)),
      [false, false, false],
    )
    await assert.rejects(
      journalDialogues({ dir, limits: LIMITS }),
      (error: Error) => error instanceof UsageError && /'k1'/.test(error.message),
    )
    const again = await journalDialogues({ dir, limits: LIMITS, sealer })
    assert.equal((await dialogueFixture(again).find())!.status, 'resting')
    assert.equal((await dialogueFixture(again).find({ msisdn: '67570000002' }))!.status, 'resting')
    await again.close()
  })

  it('shows of a call detail record that waits its epoch only', async () => {
    const store = await journalDialogues({ dir, limits: LIMITS, recording: recordingOf(), sealer: sealerOf(K1) })
    const { asked, drop, key: keyOf } = dialogueFixture(store)
    const epoch = await asked({ msisdn: JOHN })
    await drop({}, { msisdn: JOHN })
    const found: WaitingRecord[] = []
    for await (const page of store.records!.pages(9)) found.push(...page)
    const [ended] = found
    assert.deepEqual([found.length, ended!.record.msisdn, ended!.record.epoch], [1, JOHN, epoch])
    await store.records!.keep(keyOf({ msisdn: JOHN }), { ...ended!.record, kind: 'deferred', line: 'of-the-record' })
    await store.close()
    const text = readFileSync(join(dir, 'dialogues.jsonl'), 'utf8')
    assert.deepEqual(
      [JOHN, 'of-the-record', 'dental@'].map((one) => text.includes(one)),
      [false, false, false],
    )
  })
})
