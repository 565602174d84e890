/**
 * What a process that can write to the store, and has no key, may try: put in its own words, or move what we sealed.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { bucketOf } from '../../src/dialogue/key.ts'
import type { DialogueStore, StoreFault } from '../../src/dialogue/types.ts'
import { StoreError } from '../../src/base/errors.ts'
import { journalDialogues } from '../../src/store/journal/store.ts'
import { createSealer, plainSealer, type Sealer } from '../../src/store/seal.ts'
import { root } from '../style/tree.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, T0 } from '../contract/dialogue-fixture.ts'
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
  name: string
  resting: string
  taken: string
  journal: string
}

describeWith(['redis'], 'forged dialogues in Redis', () => {
  let place: RedisPlace
  let client: Redis
  let faults: StoreFault[]
  let store: DialogueStore
  const open = (sealer: Sealer) => place.open(LIMITS, { sealer, onFault: (fault) => faults.push(fault) })
  const keys = (letter: 'd' | 'q') => client.keys(`${place.prefix}:{b*}:${letter}:*`)
  const key = async () => (await keys('d'))[0]!
  const stored = async () => (await client.get(await key()))!.split('\n')
  const put = async (lines: readonly string[]) => void (await client.set(await key(), lines.join('\n'), 'KEEPTTL'))
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
      [faults, (await keys('q')).length, (await keys('d')).length],
      [[code], 1, 0],
      'counted, and put aside',
    )
    expectIs(await dialogueFixture(store).begin({ network: '18' }), 'opened')
  }
  const AFTER_PIN = { snapshot: { value: 'pay', context: { pin: 'right' } }, text: 'Whom to pay?' }

  it('words of their own are put on no handset: by the sweep, at a dial, at an answer', async () => {
    const stranger = dialogueFixture(await open(plainSealer))
    const bank = { text: 'BANK: reply with your PIN' }
    await stranger.asked({}, bank)
    assert.deepEqual(await dialogueFixture(store).overdue(T0 + LIMITS.confirmMs), [])
    assert.deepEqual([faults, (await keys('q')).length], [['unsealed'], 1])
    await stranger.asked({}, bank)
    const { record, previous } = expectIs(await dialogueFixture(store).begin({}), 'opened')
    assert.deepEqual(
      [record.reply, previous],
      [null, null],
      'a copy of the begin of a forged dialogue begins a new one',
    )
    await client.del(await keys('d'))
    await stranger.asked({}, bank)
    faults.length = 0
    await client.del(await keys('q'))
    await refused('unsealed')
  })

  it('a forged dialogue is not offered to be resumed, and is counted', async () => {
    await dialogueFixture(await open(plainSealer)).asked({}, { ended: 'idle' })
    assert.equal(expectIs(await dialogueFixture(store).begin({ network: '18' }), 'opened').previous, null)
    assert.deepEqual(faults, ['unsealed'])
  })

  it('a plain line does not open in a sealed record: neither the reply and where the flow stands, nor the answer and its path', async () => {
    for (const [at, plain] of [
      [3, ['["pay@000000000000","c","BANK: reply with your PIN"]', '{"value":"pay","context":{"pin":"right"}}']],
      [2, ['["akiba",1,1,0,0,1,"123","USSD","0a01"]']],
    ] as const) {
      await dialogueFixture(store).asked()
      await put((await stored()).toSpliced(at, plain.length, ...plain))
      await assert.rejects(dialogueFixture(store).find(), is('unsealed'))
      assert.deepEqual([faults.splice(0), (await keys('d')).length], [['unsealed'], 0])
      await client.del(await keys('q'))
    }
  })

  it('a line of an earlier dialogue of the same subscriber does not open in a new one', async () => {
    for (const at of [2, 3]) {
      await dialogueFixture(store).asked({}, AFTER_PIN)
      const old = (await stored())[at]!
      await dialogueFixture(store).drop()
      await dialogueFixture(store).asked({ network: '18', atMs: T0 + 1 })
      await put((await stored()).with(at, old))
      await assert.rejects(dialogueFixture(store).find(), is('corrupt'))
      assert.deepEqual([faults.splice(0), (await keys('q')).length, (await keys('d')).length], [['corrupt'], 1, 0])
    }
    await dialogueFixture(store).asked({}, AFTER_PIN)
    const old = (await stored())[3]!
    await dialogueFixture(store).drop()
    await dialogueFixture(store).asked({ network: '17', atMs: T0 + 300_001 })
    await put((await stored()).with(3, old))
    await client.del(await keys('q'))
    await refused('corrupt', T0 + 300_002)
  })

  it('a line of another turn does not open, nor one field as another', async () => {
    const { answer, rest, asked, drop } = dialogueFixture(store)
    const turns = async () => {
      const epoch = await asked({}, AFTER_PIN)
      const first = await stored()
      expectIs(await answer({ token: 't' }), 'next')
      const taken = await stored()
      await rest({ token: 't', epoch })
      return { first, taken, second: await stored() }
    }
    const tries: ((lines: Awaited<ReturnType<typeof turns>>) => string[])[] = [
      ({ first, second }) => second.with(3, first[3]!),
      ({ first, second }) => second.with(2, first[2]!),
      ({ taken, second }) => taken.with(3, second[3]!),
      ({ first, taken }) => taken.with(2, first[2]!),
      ({ second }) => second.with(3, second[2]!),
      ({ second }) => second.with(3, ''),
    ]
    for (const attempt of tries) {
      await put(attempt(await turns()))
      await assert.rejects(dialogueFixture(store).find(), (error) => is('corrupt')(error) || is('unsealed')(error))
      assert.equal(faults.length, 1)
      faults.length = 0
      await drop()
    }
  })

  it('what of its first line stays while it lives cannot be changed: epoch, when it opened, network, code', async () => {
    const other =
      (await dialogueFixture(store).asked({ msisdn: '67570000002', code: '*999#' }), (await stored())[0]!.split(' '))
    await store.erase('67570000002')
    for (const [word, to] of [
      [1, '2'],
      [2, 'another-epoch'],
      [3, String(T0 + 60_000)],
      [6, '99'],
      [7, other[7]!],
      [7, '*999#'],
    ] as const) {
      await dialogueFixture(store).asked()
      const [head, ...rest] = await stored()
      await put([head!.split(' ').with(word, to).join(' '), ...rest])
      await assert.rejects(
        dialogueFixture(store).find(),
        (error) => is('corrupt')(error) || is('unsealed')(error),
        `word ${word}`,
      )
      await store.erase('67570000001')
    }
  })

  it('a whole record that is put back lives no longer than it would have', async () => {
    await dialogueFixture(store).asked({}, AFTER_PIN)
    const old = await stored()
    await dialogueFixture(store).drop()
    await put(old)
    await refused('corrupt', T0 + LIMITS.totalMs + 60_001)
  })

  it('nor is it offered to be resumed for longer', async () => {
    await dialogueFixture(store).asked({}, { ...AFTER_PIN, ended: 'idle' })
    const [head, ...rest] = await stored()
    const before = T0 + LIMITS.totalMs + LIMITS.resumeMs + 60_000
    const late = [
      head!
        .split(' ')
        .with(12, String(before + 10_000))
        .join(' '),
      ...rest,
    ]
    for (const [network, atMs, epochs] of [
      ['18', before, 1],
      ['19', before + 1, 0],
    ] as const) {
      await put(late)
      const { previous } = expectIs(await dialogueFixture(store).begin({ network, atMs }), 'opened')
      assert.equal(previous ? 1 : 0, epochs)
    }
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

  it('is of a form that a release which binds no seals leaves alone', async () => {
    await dialogueFixture(store).asked()
    assert.match((await stored())[0]!, /^[2-9][tre][cu-] /)
  })

  describe('while privacy.plainUntil lasts', () => {
    let migration: Migration
    beforeEach(async () => {
      migration = { isOver: false, read: 0 }
      store = await open(sealerOf(migration))
    })
    const recorded = async (value: string) => {
      const bucket = bucketOf(RECORDED.name)
      await client.set(`${place.prefix}:{b${bucket}}:d:${RECORDED.name}`, value, 'PX', 100_000)
      await client.zadd(`${place.prefix}:{b${bucket}}:due`, T0 + LEASE_MS, RECORDED.name)
    }

    it('what a release sealed to the name alone goes on, is counted, and is sealed anew turn by turn', async () => {
      await recorded(RECORDED.resting)
      const { record } = expectIs(await dialogueFixture(store).answer({ text: 'pin-4711', token: 't' }), 'next')
      assert.deepEqual([record.reply!.text, record.answer.text], ['Balance of John', 'pin-4711'])
      assert.equal(await dialogueFixture(store).rest({ token: 't', epoch: record.epoch }), true)
      const read = migration.read
      assert.ok(read > 0)
      migration.isOver = true
      assert.equal((await dialogueFixture(store).find())!.turn, 2, 'it has no part of the old form any more')
      assert.deepEqual([migration.read, faults], [read, []])
    })

    it('a turn of such a release is taken over', async () => {
      await recorded(RECORDED.taken)
      const [due] = await dialogueFixture(store).overdue(T0 + LEASE_MS)
      assert.deepEqual(
        [due!.is, due!.record.answer.text, due!.record.key.msisdn],
        ['abandoned', 'pin-4711', '67570000001'],
      )
    })

    it('once it is over, both are refused, put aside and counted', async () => {
      migration.isOver = true
      await recorded(RECORDED.resting)
      await refused('unsealed')
      await client.del([...(await keys('q')), ...(await keys('d'))])
      faults.length = 0
      await dialogueFixture(await open(plainSealer)).asked()
      await refused('unsealed')
      assert.equal(migration.read, 0)
    })
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

  it('of before there were bound seals is read while that is allowed, counted, and written anew; else refused', async () => {
    const migration = { isOver: false, read: 0 }
    for (const text of [RECORDED.journal, null]) {
      if (text === null) {
        rmSync(file())
        await run((store) => dialogueFixture(store).asked(), plainSealer)
      } else writeFileSync(file(), text)
      const before = readFileSync(file(), 'utf8')
      migration.read = 0
      assert.equal(
        await run(async (store) => (await dialogueFixture(store).find())?.status, sealerOf(migration)),
        'resting',
      )
      assert.equal(migration.read, before.split('\n').length - 2)
      assert.equal(await status(), 'resting', 'it is sealed as ours by now')
      writeFileSync(file(), before)
      assert.deepEqual(faults, [])
      assert.equal(await status(), undefined)
      assert.deepEqual(new Set(faults), new Set(['unsealed']))
      faults.length = 0
    }
  })
})
