/**
 * What a process that can write to the store, and has no key, may try: put in its own words, or move what we sealed.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { DialogueStore, StoreFault } from '../../src/dialogue/types.ts'
import { StoreError, UsageError } from '../../src/base/errors.ts'
import { journalDialogues } from '../../src/store/journal/store.ts'
import { createSealer, plainSealer, type Sealer } from '../../src/store/seal.ts'
import { root } from '../style/tree.ts'
import { expectIs, LIMITS, dialogueFixture, T0 } from '../contract/dialogue-fixture.ts'
import { describeWith, services } from '../support/services.ts'
import { redisPlace, type RedisPlace } from './redis/place.ts'

const [NAMES, K1] = [Buffer.alloc(32, 1), { id: 'k1', secret: Buffer.alloc(32, 2) }]
interface Migration {
  isOver: boolean
  read: number
}
const sealerOf = (migration?: Migration): Sealer =>
  createSealer({
    ring: () => ({ names: NAMES, keys: [K1], writer: K1 }),
    random: randomBytes,
    ...(migration ? { plain: { allowed: () => !migration.isOver, onRead: () => void migration.read++ } } : {}),
  })
const is = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code
/** Recorded with a release whose seals were bound to the name alone. */
const RECORDED = JSON.parse(readFileSync(join(root, 'test/store/sealed-unbound.json'), 'utf8')) as {
  journal: string
}

describeWith(['redis'], 'forged dialogues in Redis', () => {
  let place: RedisPlace
  let client: Redis
  let faults: StoreFault[]
  let store: DialogueStore
  const open = (sealer: Sealer) => place.open(LIMITS, { sealer, onFault: (fault) => faults.push(fault) })
  const keys = (letter: 'u' | 'q') => client.keys(`${place.prefix}:{b*}:${letter}:*`)
  const key = async () => (await keys('u'))[0]!
  const stored = async () => (await client.get(await key()))!
  const put = async (value: string) => void (await client.set(await key(), value, 'KEEPTTL'))
  beforeEach(async () => {
    place = await redisPlace(LIMITS)
    client = new Redis(services.redisUrl!)
    faults = []
    store = await open(sealerOf())
  })
  afterEach(async () => {
    client.disconnect()
    await place.clear()
  })
  const refused = async (code: 'corrupt' | 'unsealed', atMs?: number) => {
    await assert.rejects(
      dialogueFixture(store).answer({ text: '1', ...(atMs === undefined ? {} : { atMs }) }),
      is(code),
    )
    assert.deepEqual(
      [faults, (await keys('q')).length, (await keys('u')).length],
      [[code], 1, 0],
      'counted, and put aside',
    )
    expectIs(await dialogueFixture(store).begin({ network: '18' }), 'opened')
  }
  const AFTER_PIN = { snapshot: { value: 'pay', context: { pin: 'right' } }, text: 'Whom to pay?' }
  const BANK = { text: 'BANK: reply with your PIN' }
  /** What a process without the key would write for that subscriber, in the form of a record. */
  const forgery = async (rested: Parameters<ReturnType<typeof dialogueFixture>['asked']>[1] = BANK) => {
    const other = await redisPlace(LIMITS)
    await dialogueFixture(await other.open(LIMITS)).asked({}, rested)
    const [name] = await client.keys(`${other.prefix}:{b*}:u:*`)
    const value = (await client.get(name!))!
    await other.clear()
    return value
  }

  it('words of their own are put on no handset: by the sweep, at a dial, at an answer', async () => {
    const forged = await forgery()
    await dialogueFixture(store).asked()
    await put(forged)
    assert.deepEqual(await dialogueFixture(store).overdue(T0 + LIMITS.confirmMs), [])
    assert.deepEqual([faults.splice(0), (await keys('q')).length], [['unsealed'], 1])
    await dialogueFixture(store).asked()
    await put(forged)
    const { record, previous } = expectIs(await dialogueFixture(store).begin({}), 'opened')
    assert.deepEqual(
      [record.reply, previous, faults.splice(0)],
      [null, null, ['unsealed']],
      'a copy of the begin of a forged dialogue begins a new one',
    )
    await client.del(await keys('q'))
    await put(forged)
    await refused('unsealed')
  })

  it('nor where they stand under the number in clear: nobody looks there, but for the sweep, which puts it aside', async () => {
    await dialogueFixture(await open(plainSealer)).asked({}, BANK)
    expectIs(await dialogueFixture(store).answer({ text: '1' }), 'unknown')
    assert.deepEqual(await dialogueFixture(store).overdue(T0 + LIMITS.confirmMs), [])
    assert.deepEqual([faults, (await keys('q')).length, (await keys('u')).length], [['unsealed'], 1, 0])
  })

  it('a forged dialogue is not offered to be resumed, and is counted', async () => {
    const forged = await forgery({ ended: 'idle' })
    await dialogueFixture(store).asked()
    await put(forged)
    assert.equal(expectIs(await dialogueFixture(store).begin({ network: '18' }), 'opened').previous, null)
    assert.deepEqual(faults, ['unsealed'])
  })

  it('a record of an earlier dialogue, or of another turn, does not open under the head of this one', async () => {
    const { asked, answer, rest, drop } = dialogueFixture(store)
    const epoch = await asked({}, AFTER_PIN)
    const first = await stored()
    expectIs(await answer({ token: 't' }), 'next')
    const taken = await stored()
    await rest({ token: 't', epoch })
    const second = await stored()
    await drop()
    await asked({ network: '18', atMs: T0 + 1 })
    const later = await stored()
    const [head, body] = [(value: string) => value.split('\n')[0]!, (value: string) => value.split('\n')[1]!]
    for (const [of, from] of [
      [later, first],
      [second, first],
      [second, taken],
      [taken, second],
      [first, second],
    ] as const) {
      await dialogueFixture(store).asked({ network: '19', atMs: T0 + 2 })
      await put(`${head(of)}\n${body(from)}`)
      await assert.rejects(dialogueFixture(store).find(), is('corrupt'))
      assert.deepEqual([faults.splice(0), (await keys('u')).length], [['corrupt'], 0])
    }
  })

  it('nothing of its head can be changed but the flag: form, version, turn, epoch', async () => {
    for (const change of [
      (head: string) => head.replace(/^(4.)\S+/, '$1another-version'),
      (head: string) => head.replace(/^4/, '3'),
      (head: string) => head.replace(/ 1 /, ' 2 '),
      (head: string) => head.replace(/\S+$/, 'another-epoch'),
    ]) {
      await dialogueFixture(store).asked()
      const [head, body] = (await stored()).split('\n')
      await put(`${change(head!)}\n${body}`)
      await assert.rejects(dialogueFixture(store).find(), is('corrupt'))
      await store.erase('67570000001')
    }
    await dialogueFixture(store).asked()
    await put((await stored()).replace(/^4u/, '4c'))
    assert.equal((await dialogueFixture(store).find())?.status, 'resting')
  })

  it('a whole record that is put back lives no longer than it would have', async () => {
    await dialogueFixture(store).asked({}, AFTER_PIN)
    const old = await stored()
    await dialogueFixture(store).drop()
    await put(old)
    await refused('corrupt', T0 + LIMITS.totalMs + 60_001)
  })

  it('a whole record that is put back answers nobody but the number that the network gave its dialogue', async () => {
    await dialogueFixture(store).asked({}, AFTER_PIN)
    const old = await stored()
    await dialogueFixture(store).drop()
    await dialogueFixture(store).asked({ network: '18', atMs: T0 + 1 })
    await put(old)
    expectIs(await dialogueFixture(store).answer({ network: '18', atMs: T0 + 2 }), 'unknown')
    // What is left: within its time, under its own number (or where the network gives none), it goes on.
    for (const network of ['17', '']) {
      await put(old)
      const { record } = expectIs(await dialogueFixture(store).answer({ network, atMs: T0 + 2 }), 'next')
      assert.deepEqual(record.snapshot, AFTER_PIN.snapshot)
    }
    assert.deepEqual(faults, [])
  })

  it('a record of another subscriber, whole, opens under no other name', async () => {
    await dialogueFixture(store).asked({ msisdn: '67570000002' }, AFTER_PIN)
    const others = await stored()
    await store.erase('67570000002')
    await dialogueFixture(store).asked()
    await put(others)
    await refused('corrupt')
  })

  it('nor is it offered to be resumed for longer', async () => {
    await dialogueFixture(store).asked({}, { ...AFTER_PIN, ended: 'idle' })
    const old = await stored()
    const before = T0 + LIMITS.resumeMs
    expectIs(await dialogueFixture(store).begin({ network: '18', atMs: before }), 'opened')
    await put(old)
    const late = T0 + LIMITS.totalMs + LIMITS.resumeMs + 60_001
    assert.equal(expectIs(await dialogueFixture(store).begin({ network: '19', atMs: late }), 'opened').previous, null)
    assert.deepEqual(faults, ['corrupt'])
  })

  it('goes on where daemons take its turns by turns, and over the restart of one', async () => {
    const both = [store, await open(sealerOf())]
    const epoch = await dialogueFixture(store).asked()
    for (let turn = 0; turn < 7; turn++) {
      const scenes = both.map((one) => dialogueFixture(one))
      expectIs(await scenes[(turn % 3) % 2]!.answer({ text: `${turn}`, token: `t${turn}` }), 'next')
      assert.equal(await scenes[turn % 2]!.rest({ token: `t${turn}`, epoch, text: `screen ${turn}` }), true)
      if (turn === 3) both[1] = await open(sealerOf())
    }
    const { turn, answer, reply } = (await dialogueFixture(store).find())!
    assert.deepEqual([turn, answer.text, reply!.text, faults], [8, '6', 'screen 6', []])
  })

  it('while privacy.plainUntil lasts, what was plain goes on, is counted, and is sealed with its next turn; then it is refused', async () => {
    const migration: Migration = { isOver: false, read: 0 }
    store = await open(sealerOf(migration))
    await dialogueFixture(await open(plainSealer)).asked()
    const { record, held } = expectIs(await dialogueFixture(store).answer({ text: 'pin-4711', token: 't' }), 'next')
    assert.ok(migration.read > 0)
    assert.equal(await dialogueFixture(store).rest({ token: 't', epoch: record.epoch, held }), true)
    assert.deepEqual([(await keys('u')).length, (await key()).includes('67570000001')], [1, false])
    migration.isOver = true
    const read = migration.read
    assert.equal((await dialogueFixture(store).find())!.turn, 2, 'it has no part of the plain form any more')
    assert.deepEqual([migration.read, faults], [read, []])
  })
})

describe('a forged journal', () => {
  let dir: string
  let faults: StoreFault[]
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-forged-'))
    faults = []
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const file = () => join(dir, 'dialogues.jsonl')
  const open = (sealer: Sealer = sealerOf()) =>
    journalDialogues({ dir, limits: LIMITS, sealer, onFault: (fault) => faults.push(fault) })
  const run = async <T>(work: (store: DialogueStore) => Promise<T>, sealer?: Sealer): Promise<T> => {
    const store = await open(sealer)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }
  const lines = () => readFileSync(file(), 'utf8').split('\n').slice(0, -1)
  const put = (all: readonly string[]) => writeFileSync(file(), all.map((line) => `${line}\n`).join(''))
  const damaged = () => readFileSync(join(dir, 'dialogues.damaged'), 'utf8')
  const status = () => run(async (store) => (await dialogueFixture(store).find())?.status)

  it('takes no plain line, and keeps it apart', async () => {
    await run((store) => dialogueFixture(store).asked({ msisdn: '67570000002' }), plainSealer)
    const [, ...plain] = lines()
    rmSync(file())
    await run((store) => dialogueFixture(store).asked({ msisdn: '67570000003' }))
    put([...lines(), ...plain])
    assert.equal(await run((store) => store.count()), 1)
    assert.deepEqual([faults, damaged()], [plain.map(() => 'unsealed'), `${plain.join('\n')}\n`])
  })

  it('takes no line twice, out of its order, with another number, or of an earlier file', async () => {
    await run((store) => dialogueFixture(store).asked())
    const [header, ...resting] = lines()
    await run((store) => dialogueFixture(store).drop())
    const whole = lines()
    assert.equal(await status(), 'ended')
    for (const forged of [
      [...whole, resting.at(-1)!],
      [...whole, resting.at(-1)!.replace(/^\d+/, String(whole.length))],
    ]) {
      put(forged)
      faults.length = 0
      assert.deepEqual([await status(), faults], ['ended', ['corrupt']])
    }
    rmSync(file())
    await run((store) => dialogueFixture(store).asked())
    put([...lines(), ...whole.slice(lines().length)])
    faults.length = 0
    assert.deepEqual([await status(), faults], ['resting', ['corrupt']], 'a line of another file')
    assert.notEqual(lines()[0], header)
  })

  it('opens after it was rewritten, many times, and after what was to be written soon', async () => {
    const work = async (store: DialogueStore, from: number) => {
      for (let n = from; n < from + 60; n++) {
        const epoch = await dialogueFixture(store).asked({ msisdn: `675700001${n % 7}`, network: `${n}`, atMs: T0 + n })
        await dialogueFixture(store).confirm(epoch, 1, { msisdn: `675700001${n % 7}` })
      }
    }
    const small = () =>
      journalDialogues({
        dir,
        limits: LIMITS,
        sealer: sealerOf(),
        compactOctets: 4_000,
        onFault: (fault) => faults.push(fault),
      })
    const names = new Set<string>()
    for (const from of [0, 60, 120]) {
      const store = await small()
      await work(store, from)
      await store.close()
      names.add(lines()[0]!)
    }
    assert.equal(await run((store) => store.count()), 7)
    assert.deepEqual([faults, names.size], [[], 3], 'each file has a name of its own')
  })

  it('says that lines were taken out', async () => {
    await run(async (store) => {
      await dialogueFixture(store).asked()
      await dialogueFixture(store).asked({ msisdn: '67570000002' })
    })
    put(lines().toSpliced(2, 1))
    await status()
    assert.deepEqual(faults, ['corrupt'])
  })

  it('of before there was a key is read while that is allowed, counted, and written anew; else refused', async () => {
    const migration = { isOver: false, read: 0 }
    await run((store) => dialogueFixture(store).asked(), plainSealer)
    const before = readFileSync(file(), 'utf8')
    const found = async (store: DialogueStore) => (await dialogueFixture(store).find())?.status
    assert.equal(await run(found, sealerOf(migration)), 'resting')
    assert.equal(migration.read, before.split('\n').length - 2)
    assert.equal(await status(), 'resting', 'it is sealed as ours by now')
    writeFileSync(file(), before)
    assert.deepEqual(faults, [])
    assert.equal(await status(), undefined)
    assert.deepEqual(new Set(faults), new Set(['unsealed']))
  })

  it('of a build before the first release is refused with a sentence that names the file', async () => {
    writeFileSync(file(), RECORDED.journal)
    await assert.rejects(open(), (error: Error) => error instanceof UsageError && error.message.includes(file()))
  })
})
