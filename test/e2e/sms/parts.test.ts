import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { erasePerson } from '../../../src/privacy/erasure.ts'
import type { Tlv } from '../../../src/smpp/types.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Stage, type Staged } from '../../support/daemon.ts'
import { describeWith, services, until } from '../../support/services.ts'

/** How a part says which one it is. */
type Headed = (reference: number, total: number, sequence: number) => { header: Buffer; tlvs: Tlv[] }

const udh8: Headed = (reference, total, sequence) => ({
  header: Buffer.from([5, 0, 3, reference, total, sequence]),
  tlvs: [],
})
const udh16: Headed = (reference, total, sequence) => ({
  header: Buffer.from([6, 8, 4, reference >> 8, reference & 0xff, total, sequence]),
  tlvs: [],
})
const sar: Headed = (reference, total, sequence) => ({
  header: Buffer.alloc(0),
  tlvs: [
    { tag: 0x020c, value: Buffer.from([reference >> 8, reference & 0xff]) },
    { tag: 0x020e, value: Buffer.from([total]) },
    { tag: 0x020f, value: Buffer.from([sequence]) },
  ],
})

describeWith(['redis', 'postgres'], 'long SMS of subscribers, at two daemons on one line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-parts-'))
  let smsc: Smsc
  let redis: Redis
  let stage: Stage
  let daemons: Staged[]
  /** Which daemon gets the next part. */
  let at = 0

  before(async function () {
    this.timeout(60_000)
    writeFileSync(join(folder, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
    smsc = await startSmsc({
      clock: realClock,
      chance: () => 0.999,
      deliveries: {
        // A receipt goes to whoever sent the SMS: held, it would hold back the subscriber's next part.
        choose: (able, { event }) => (event === 'sms' ? able.find((peer) => peer.systemId === `daemon${at}`) : able[0]),
      },
    })
    stage = newStage()
    daemons = [await start(0), await start(1)]
    redis = new Redis(services.redisUrl!)
    await smsc.bound(2)
  })
  after(async () => {
    await daemons?.[1]?.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    for (const one of daemons ?? []) await one.close()
    await smsc?.stop()
    redis?.disconnect()
    rmSync(folder, { recursive: true, force: true })
    rmSync(stage.data, { recursive: true, force: true })
  })

  function start(n: number): Promise<Staged> {
    return stageDaemon({
      smscPort: smsc.port,
      with: stage,
      change: (settings) => {
        settings.lines[0]!.smsc.systemId = `daemon${n}`
        settings.privacy = { ...settings.privacy, storeKeyFile: join(folder, 'keys') }
        settings.sms.keywords.help = ['PLEASE HELP ME WITH A VERY LONG WORD']
        settings.sms.texts.help = { en: 'Help is here.' }
        settings.reminders.pollMs = 50
      },
    })
  }

  /** One part, delivered to that daemon; the status that it was answered with. */
  function part(msisdn: string, daemon: number, text: string, { header, tlvs }: ReturnType<Headed>): Promise<number> {
    at = daemon
    return new Promise((done, fail) =>
      smsc.deliveries.send({
        command: 'deliver_sm',
        systemId: '',
        msisdn,
        lane: 'sms',
        event: 'sms',
        attempts: 0,
        tlvs,
        body: {
          source_addr_ton: 1,
          source_addr_npi: 1,
          source_addr: msisdn,
          dest_addr_ton: 0,
          dest_addr_npi: 1,
          destination_addr: '123',
          data_coding: 0,
          esm_class: header.length ? 0x40 : 0,
          short_message: Buffer.concat([header, Buffer.from(text, 'latin1')]),
        },
        done: (outcome) => (outcome.kind === 'answered' ? done(outcome.status) : fail(new Error(outcome.why))),
      }),
    )
  }
  const counted = async (result: string) => {
    const counts = await Promise.all(
      daemons.map(({ daemon }) => daemon.metrics.value('sms_incoming_total', { result })),
    )
    return counts.reduce((sum, n) => sum + n, 0)
  }
  const inbox = (msisdn: string) => smsc.phone(msisdn).inbox.map((sms) => sms.text)

  for (const [name, head, reference] of [
    ['8-bit references', udh8, 200],
    ['16-bit references', udh16, 0x1234],
    ['sar', sar, 0x4321],
  ] as const) {
    it(`are one text, whichever daemon gets which part, out of order and doubled: ${name}`, async () => {
      const msisdn = `6757000010${reference % 7}`
      const before = await counted('help')
      const said = [
        await part(msisdn, 0, 'WITH A VERY ', head(reference, 3, 2)),
        await part(msisdn, 1, 'WITH A VERY ', head(reference, 3, 2)),
        await part(msisdn, 1, 'LONG WORD', head(reference, 3, 3)),
        await part(msisdn, 0, 'PLEASE HELP ME ', head(reference, 3, 1)),
        await part(msisdn, 1, 'PLEASE HELP ME ', head(reference, 3, 1)),
      ]
      assert.deepEqual(said, [0, 0, 0, 0, 0])
      await until(() => inbox(msisdn).length > 0, 'no help came')
      assert.deepEqual(inbox(msisdn), ['Help is here.'])
      assert.equal(await counted('help'), before + 1)
    })
  }

  it('outlive every daemon between their parts', async function () {
    const msisdn = '67570000201'
    assert.equal(await part(msisdn, 0, 'PLEASE HELP ME WITH ', udh16(7, 2, 1)), 0)
    for (const one of daemons.splice(0)) await one.close()
    daemons = [await start(0), await start(1)]
    await smsc.bound(2)
    assert.equal(await part(msisdn, 1, 'A VERY LONG WORD', udh16(7, 2, 2)), 0)
    await until(() => inbox(msisdn).length > 0, 'no help came')
    assert.deepEqual(inbox(msisdn), ['Help is here.'])
  })

  it('are dealt with again, and once, where the daemon that had all of them could not', async () => {
    const msisdn = '67570000202'
    const { knex } = daemons[0]!
    assert.equal(await part(msisdn, 0, 'PLEASE HELP ME WITH ', udh16(8, 2, 1)), 0)
    await knex.raw('ALTER TABLE sms_incoming RENAME TO sms_incoming_away')
    const status = await part(msisdn, 0, 'A VERY LONG WORD', udh16(8, 2, 2))
    await knex.raw('ALTER TABLE sms_incoming_away RENAME TO sms_incoming')
    assert.equal(status, 0x64, 'the SMSC keeps it')
    assert.equal(await part(msisdn, 1, 'A VERY LONG WORD', udh16(8, 2, 2)), 0)
    assert.equal(await part(msisdn, 0, 'A VERY LONG WORD', udh16(8, 2, 2)), 0)
    await until(() => inbox(msisdn).length > 0, 'no help came')
    assert.deepEqual(inbox(msisdn), ['Help is here.'])
  })

  it('are refused with a temporary status, part by part, while they cannot be stored', async () => {
    const { shelf } = daemons[0]!.daemon.stores
    const { change } = shelf
    shelf.change = () => Promise.reject(new Error('away'))
    try {
      assert.equal(await part('67570000203', 0, 'PLEASE ', udh16(9, 2, 1)), 0x64)
    } finally {
      shelf.change = change
    }
    assert.equal(await shelf.find({ group: 'test', msisdn: '67570000203' }), null)
  })

  it('are in Redis without a number or a text of anybody, and are erased with the subscriber', async () => {
    const msisdn = '67570000204'
    assert.equal(await part(msisdn, 0, 'A SECRET', udh16(10, 2, 1)), 0)
    const keys = await redis.keys(`${stage.prefix}:*`)
    assert.ok(keys.some((key) => key.includes(':s:')))
    const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
    assert.doesNotMatch([...keys, ...values.map((value) => value!.toString('latin1'))].join('\n'), /6757000|SECRET/)
    const erased = await erasePerson(
      { ...daemons[0]!.daemon.stores, groups: ['test'], modules: [], pseudonym: () => 'erased', clock: realClock },
      msisdn,
      false,
    )
    assert.equal(erased.sms, 1)
    assert.equal(await part(msisdn, 1, 'TOLD', udh16(10, 2, 2)), 0)
    assert.equal(
      await daemons[0]!.daemon.stores.shelf.find({ group: 'test', msisdn }).then((held) => held?.texts.length),
      1,
    )
  })

  it('are in no log but masked', () => {
    const lines = daemons.flatMap((one) => one.logged())
    assert.ok(lines.some(({ msg }) => msg === 'SMS from a subscriber'))
    assert.doesNotMatch(JSON.stringify(lines), /6757000|SECRET/)
  })
})
