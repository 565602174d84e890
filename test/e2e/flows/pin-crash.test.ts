/**
 * kill -9 in the middle of a turn that has a PIN in it: at each step, no PIN is left anywhere, and the money moves
 * once.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { parseSettings } from '../../../src/config/load.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, settingsFor, stageTables } from '../../support/daemon.ts'
import { bound, runProcess, type DaemonProcess } from '../../support/process.ts'
import { describeWith, services } from '../../support/services.ts'

const [PIN, WRONG] = ['258036', '147036']
const EXAMPLE = 'examples/flows/money/connector.yaml'
/**
 * In the order in which the turn passes them: the PIN is verified by its first call, the money is sent by its second.
 */
const POINTS = ['before-read', 'after-read', 'after-write', 'after-call', 'before-rest', 'after-rest'] as const
const TRIED = '67570000099'
const numberOf = (point: (typeof POINTS)[number]) => `6757000001${POINTS.indexOf(point)}`

describeWith(['redis', 'postgres'], 'a daemon that is killed in the middle of a PIN turn', function () {
  this.timeout(120_000)
  const stage = newStage()
  const written: string[] = []
  let smsc: Smsc
  let daemon: DaemonProcess
  let knex: Knex
  const phones = new Map<string, ReturnType<Smsc['phone']>>()
  let sent = 0

  const start = async (failpoint?: string) => {
    const { settings: example } = parseSettings(
      readFileSync(EXAMPLE, 'utf8').replace('./money.keys', join(stage.data, 'keys')),
      EXAMPLE,
      {},
    )
    daemon = runProcess(
      settingsFor(
        {
          smscPort: smsc.port,
          change: (s) => {
            Object.assign(s, {
              services: example.services,
              backends: example.backends,
              flows: { ...example.flows, reloadMs: 0 },
            })
            s.privacy.storeKeyFile = example.privacy.storeKeyFile!
            s.dialogue.leaseMs = 600
            // A machine that starts the daemon slowly makes no turn a late one, which would get the busy text.
            s.dialogue.turnMs = 60_000
            Object.assign(s.dialogue, { idleMs: 600_000, totalMs: 1_200_000 })
            s.dialogue.sweepMs = 100
            s.lines[0]!.timers.reconnectMs = 100
            s.reminders.pollMs = 100
          },
        },
        stage,
      ),
      stage.data,
      failpoint === undefined ? {} : { USSD_CONNECTOR_FAILPOINTS: `${failpoint}=1` },
    )
    await bound(daemon, smsc)
  }
  const stopped = async () => {
    await daemon.exited
    written.push(...daemon.output())
  }
  const killed = async () => {
    daemon.kill('SIGKILL')
    await stopped()
  }

  before(async () => {
    writeFileSync(join(stage.data, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    knex = await stageTables(stage)
    await start()
    for (const msisdn of [...POINTS.map(numberOf), TRIED]) {
      const phone = smsc.phone(msisdn)
      phone.skipRepeats = true
      phones.set(msisdn, phone)
      await phone.dial('*180#')
      for (const key of ['1', PIN]) await phone.answer(key)
      assert.equal((await phone.answer(PIN)).text, 'Your PIN is set.')
      await phone.dial('*180#')
      const keys = msisdn === TRIED ? ['2'] : ['1', '70000002', '10', '1']
      const pages = []
      for (const key of keys) pages.push((await phone.answer(key)).text)
      assert.match(pages.at(-1)!, /^Your PIN:/)
    }
    await killed()
  })
  // Also where a test failed: what it left would be bound beside the next one's.
  afterEach(killed)
  after(async () => {
    daemon?.kill('SIGKILL')
    await smsc?.stop()
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
    rmSync(stage.data, { recursive: true, force: true })
  })

  for (const point of POINTS) {
    it(`${point}: the turn is played again, and sends once`, async () => {
      const phone = phones.get(numberOf(point))!
      await start(point)
      phone.type(PIN)
      await stopped()
      assert.deepEqual(await found(), [], 'while it is down')
      await start()
      // A PIN that was never acknowledged comes again from the SMSC; one that was, from the journal.
      assert.match((await phone.next(20_000)).text, /^Sent\. Reference M\d{6}\. Balance: K289\.50\.$/)
      sent++
      const {
        rows: [moved],
      } = await knex.raw(
        'SELECT count(*)::int AS times, coalesce(sum(toea), 0)::int AS toea FROM example_money_transfer',
      )
      assert.deepEqual(moved, { times: sent, toea: sent * 1000 })
      await killed()
      assert.deepEqual(await found(), [])
    })
  }

  it('with a wrong PIN: it counts as one try, and is asked for again with the tries that are left', async () => {
    const phone = phones.get(TRIED)!
    await start('after-call')
    phone.type(WRONG)
    await stopped()
    await start()
    assert.match((await phone.next(20_000)).text, /^That PIN is wrong\. 2 tries are left\.\nYour PIN:/)
    assert.match((await phone.answer(PIN)).text, /^Balance: K/)
    const [{ octets }] = await knex('pin').where({ msisdn: TRIED }).select(knex.raw('length(salt) AS octets'))
    assert.equal(octets, 17, 'with the pepper of the key file')
    await killed()
    assert.deepEqual(await found(), [])
  })

  /** Where a PIN stands: tables, keys of Redis, files of the daemon but that of its settings, what it logged. */
  async function found(): Promise<string[]> {
    const [tables, redis] = [await inTables(), await inRedis()]
    assert.ok(
      tables.some((text) => text.includes(TRIED)) && redis.length > 0 && written.length > 0,
      'it looks where things are',
    )
    const texts = [...tables, ...redis, ...written]
    return texts.filter((text) => [PIN, WRONG].some((pin) => text.includes(pin)))
  }

  async function inTables(): Promise<string[]> {
    const { rows } = await knex.raw('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()')
    const all = await Promise.all(
      (rows as { tablename: string }[]).map(({ tablename }) =>
        knex.raw('SELECT CAST(t AS text) AS text FROM ?? t', [tablename]),
      ),
    )
    return all.flatMap((table) => (table.rows as { text: string }[]).map(({ text }) => text))
  }

  async function inRedis(): Promise<string[]> {
    const redis = new Redis(services.redisUrl!)
    try {
      const keys = await redis.keys(`${stage.prefix}:*`)
      return await Promise.all(
        keys.map(async (key) => {
          const type = await redis.type(key)
          const value =
            type === 'zset'
              ? await redis.zrange(key, '0', '-1')
              : type === 'hash'
                ? await redis.hgetall(key)
                : await redis.get(key)
          return key + JSON.stringify(value)
        }),
      )
    } finally {
      redis.disconnect()
    }
  }
})
