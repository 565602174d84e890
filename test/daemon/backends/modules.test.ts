/** What a module of an operator's own is given, on a real Postgres: it is written as such a module would be. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Knex } from 'knex'
import {
  absentSamples,
  configuredModules,
  loadModule,
  moduleDeps,
  type ModuleHost,
} from '../../../src/daemon/backends/modules.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { fakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'

const START = Date.parse('2025-05-01T09:00:00+10:00')
const HOUR = 3_600_000
const MSISDN = '67570000001'
const SETTINGS = 'door: { port: 1 }\nredis: embedded\npostgres: embedded\nservices: [{ code: "*1#", flow: a }]'

describeBoth('a module of an operator', (database) => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-module-'))
  const metrics = createMetrics({ process: false })
  let knex: Knex
  let host: ModuleHost
  let serial = 0

  beforeEach(async () => {
    knex = database.db.knex
    const { settings } = parseSettings(SETTINGS, 'test', {})
    host = { settings, sql: database.db.sql, clock: fakeClock(START), chance: () => 0.5, metrics, log: silentLog }
    await knex.raw('TRUNCATE sms_outbox RESTART IDENTITY CASCADE')
    await knex.raw('DROP TABLE IF EXISTS shop_sale')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const load = (source: string) => {
    const file = join(folder, `module-${++serial}.mjs`)
    writeFileSync(file, source)
    return loadModule('shop', { module: file, settings: {} }, host)
  }
  const receipt = { kind: 'receipt', text: 'Sold.', dueMs: START, expiresMs: START + HOUR, quietZone: null }
  const states = () => knex('sms_outbox').orderBy('id').pluck('state') as Promise<string[]>

  it('owes SMS in its own transaction, once, and calls them off', async () => {
    const { sql, transaction, sms } = moduleDeps('shop', {}, host)
    const owed = { subject: 'shop:1', msisdn: MSISDN, line: '', sms: [receipt] }
    await assert.rejects(
      transaction(async (within) => {
        await sms.enqueue(within, owed)
        throw new Error('undone')
      }),
      /undone/,
    )
    assert.deepEqual(await states(), [])
    await transaction((within) => sms.enqueue(within, owed))
    await sms.enqueue(sql, owed)
    assert.deepEqual(await states(), ['due'])
    await sms.cancel(sql, 'shop:2')
    assert.deepEqual(await states(), ['due'])
    await sms.cancel(sql, 'shop:1')
    assert.deepEqual(await states(), ['cancelled'])
  })

  it('makes its tables before it is asked anything, again after a failure, and gives out and removes what it keeps', async () => {
    const module = await load(`let tries = 0
      export const backend = ({ sql, subscriberIn }) => ({
        prepare: async () => {
          if (tries++ === 0) throw new Error('not yet')
          await sql('CREATE TABLE shop_sale (msisdn text, bundle text)')
        },
        subscriber: subscriberIn([{ table: 'shop_sale', column: 'msisdn', shown: ['bundle'] }]),
        operations: {
          buy: async ({ id }, { msisdn }) => (await sql('INSERT INTO shop_sale VALUES (:msisdn, :id)', { msisdn, id }), {}),
        },
      })`)
    await assert.rejects(module.subscriber!.export(MSISDN), /not yet/)
    for (const msisdn of [MSISDN, MSISDN, '67570000002'])
      await module.operations.buy!({ id: 'g1' }, { msisdn } as never)
    assert.deepEqual(await module.subscriber!.export(MSISDN), { shop_sale: [{ bundle: 'g1' }, { bundle: 'g1' }] })
    assert.equal(await module.subscriber!.erase(MSISDN), 2)
    assert.deepEqual(await knex('shop_sale').pluck('msisdn'), ['67570000002'])
  })

  it('that is a sample is asked about subscribers whether a back end is it or not, and once', async () => {
    const { settings: _, ...rest } = host
    const named = async (backends: string) => {
      const { settings: own } = parseSettings(`${SETTINGS}\nbackends: { ${backends} }`, 'test', {})
      const loaded = [await configuredModules(own, rest), await absentSamples(own, rest)]
      return loaded.map((modules) => modules.map(({ name, module }) => [name, module.purge !== undefined]))
    }
    assert.deepEqual(await named(''), [[], [['dental', true]]])
    assert.deepEqual(await named('clinic: { module: dental }'), [[['clinic', true]], []])
    assert.deepEqual(await named('dental: { module: pin }'), [[['dental', false]], [['dental', true]]])
  })

  it('counts its events, and one that takes numbers for events costs no memory', async () => {
    const { counters } = moduleDeps('counting', {}, { ...host, metrics: createMetrics({ process: false }) })
    const own = createMetrics({ process: false })
    const { counters: bounded } = moduleDeps('shop', {}, { ...host, metrics: own })
    for (let n = 0; n < 60; n++) bounded.count(`sold-${n}`)
    bounded.count('sold-1', 2)
    counters.count('sold')
    assert.equal(await own.value('module_events_total', { event: 'sold-1' }), 3)
    assert.equal(await own.value('module_events_total', { event: 'other' }), 10)
    assert.equal(await own.value('limits_total', { limit: 'module-events' }), 10)
  })

  it('that asks for what modules no longer get is refused at the start, with what to use instead', async () => {
    await assert.rejects(
      load('export const backend = ({ knex }) => ({ operations: {} })'),
      /backends\.shop\.module: .*module-\d+\.mjs uses `knex`.* use `sql` and `transaction` instead \(docs\/BACKENDS\.md\)/,
    )
    await assert.rejects(load('export const back = 1'), /exports no function 'backend'/)
  })
})
