/** The keys change while daemons that see the file at different times serve the same dialogues. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { storeKeyCommand } from '../../src/cli/store-key.ts'
import type { DialogueStore, StoreFault } from '../../src/dialogue/types.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { LOOK_MS, parseStoreKeys, watchStoreKeys, WRITES_AFTER_MS, type WatchedKeys } from '../../src/store/key-file.ts'
import { createSealer } from '../../src/store/seal.ts'
import { dialogueFixture, expectIs, LIMITS, T0 } from '../contract/dialogue-fixture.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeWith, services } from '../support/services.ts'
import { redisPlace, type RedisPlace } from './redis/place.ts'

const SUBSCRIBERS = Array.from({ length: 12 }, (_, i) => `6757000${1000 + i}`)
/** One turn of each subscriber in this time. */
const TURN_MS = 2_000
/** A rotation each, and time for the key to write. */
const ROTATION_MS = LOOK_MS + WRITES_AFTER_MS + 4 * TURN_MS
/** After this no open dialogue has anything of an old key. */
const OLD_MS = LIMITS.totalMs + LIMITS.resumeMs

interface Daemon {
  clock: FakeClock
  keys: WatchedKeys
  store: DialogueStore
}

describeWith(['redis'], 'a rotation of keys under load', () => {
  let place: RedisPlace
  let client: Redis
  let dir: string
  let file: string
  let faults: StoreFault[]
  let daemons: Daemon[]

  beforeEach(async () => {
    place = await redisPlace(LIMITS)
    client = new Redis(services.redisUrl!)
    dir = mkdtempSync(join(tmpdir(), 'ussd-rotation-'))
    file = join(dir, 'keys')
    storeKeyCommand(file, {}, () => undefined)
    faults = []
    daemons = []
    // The later ones look at the file up to almost LOOK_MS later than the first.
    for (const lateMs of [0, LOOK_MS / 2, LOOK_MS - 1]) daemons.push(await started(lateMs))
  })
  afterEach(async () => {
    for (const { keys } of daemons) keys.stop()
    client.disconnect()
    await place.clear()
    rmSync(dir, { recursive: true, force: true })
  })

  async function started(lateMs: number): Promise<Daemon> {
    const clock = fakeClock(T0 - lateMs)
    const counters = createMetrics({ process: false })
    const keys = watchStoreKeys({ file, clock, counters, log: silentLog })
    await clock.advance(lateMs)
    const sealer = createSealer({ ring: keys.ring, random: randomBytes })
    return { clock, keys, store: await place.open(LIMITS, { sealer, onFault: (fault) => faults.push(fault) }) }
  }
  const pass = async (ms: number) => void (await Promise.all(daemons.map(({ clock }) => clock.advance(ms))))
  const nowMs = () => daemons[0]!.clock.now()
  const inFile = () => parseStoreKeys(file, readFileSync(file, 'utf8')).keys.map(({ id }) => id)
  const used = async () => {
    const names = await client.keys(`${place.prefix}:{b*}:u:*`)
    const values = await Promise.all(names.map((name) => client.get(name)))
    return new Set(values.map((value) => /^-2(\w+)\./m.exec(value!)![1]!))
  }

  /** One turn of each: read and answered by one daemon, its outcome written by the same, the next turn by another. */
  async function turns(round: number): Promise<void> {
    await Promise.all(
      SUBSCRIBERS.map(async (msisdn, i) => {
        const at = dialogueFixture(daemons[(round + i) % daemons.length]!.store)
        const now = { msisdn, atMs: nowMs(), token: `t${round}-${i}` }
        const open = await at.find(now)
        const isNew = !open || nowMs() - open.openedMs > LIMITS.totalMs / 2
        const taken = isNew
          ? await at.begin({ ...now, network: `n${round}` })
          : await at.answer({ ...now, network: '' })
        const { record } = expectIs(taken, isNew ? 'opened' : 'next')
        assert.equal(
          await at.rest({ token: now.token, epoch: record.epoch, atMs: now.atMs, text: `${round}` }, now),
          true,
        )
      }),
    )
  }
  async function served(forMs: number, round: number): Promise<number> {
    for (let passedMs = 0; passedMs < forMs; passedMs += TURN_MS) {
      await turns(round++)
      await pass(TURN_MS)
    }
    return round
  }

  it('loses no dialogue, whichever daemon has seen the new key, and leaves nothing of the old one', async function () {
    this.timeout(60_000)
    let round = await served(2 * TURN_MS, 1)
    for (let rotations = 0; rotations < 3; rotations++) {
      storeKeyCommand(file, { rotate: true }, () => undefined)
      round = await served(ROTATION_MS, round)
      assert.deepEqual([await used(), faults], [new Set([inFile()[0]!]), []])
    }
    assert.equal(inFile().length, 4)
    await served(OLD_MS / 20, round)
    // What docs/SECURITY.md says to do then: the old keys leave the file.
    const [names, fresh] = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, `${names}\n${fresh}\n`, { mode: 0o600 })
    await pass(LOOK_MS)
    await served(4 * TURN_MS, round + 1_000)
    assert.deepEqual([inFile().length, faults], [1, []])
  })

  it('twice within the time that a new key waits, it loses none either', async () => {
    const round = await served(TURN_MS, 1)
    storeKeyCommand(file, { rotate: true }, () => undefined)
    const between = await served(LOOK_MS, round)
    storeKeyCommand(file, { rotate: true }, () => undefined)
    await served(ROTATION_MS, between)
    assert.deepEqual([await used(), faults], [new Set([inFile()[0]!]), []])
  })
})
