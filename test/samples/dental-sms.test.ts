/** The SMS of the dental service: keyed like those of anybody, over an upgrade, with texts of an operator's own. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendModule } from '../../src/backend/types.ts'
import { moduleDatabase, moduleDeps, type ModuleHost } from '../../src/daemon/backends/modules.ts'
import { parseSettings } from '../../src/config/load.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { backend } from '../../samples/dental/module.ts'
import { dentalOptions } from '../../samples/dental/options.ts'
import { seed } from '../../samples/dental/seed.ts'
import { smsText, WORDINGS } from '../../samples/dental/texts.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'

const JOHN = '67570000001'
const SAMPLE = Date.parse('2025-05-01T09:00:00+10:00')
const SETTINGS = 'door: { port: 1 }\nredis: embedded\npostgres: embedded\nservices: [{ code: "*1#", flow: a }]'

describeBoth('the SMS of the dental service', (database) => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-dental-sms-'))
  let clock: FakeClock
  let host: ModuleHost
  let serial = 0

  beforeEach(async () => {
    const tables = ['sms_outbox', 'dental_hold', 'dental_appointment', 'dental_slot', 'dental_profile', 'dental_type']
    await database.db.knex.raw(`TRUNCATE ${tables.join(', ')}, dental_clinic CASCADE`)
    clock = fakeClock(SAMPLE)
    const { settings } = parseSettings(SETTINGS, 'test', {})
    const metrics = { count: () => undefined }
    host = { settings, sql: database.db.sql, clock, chance: () => 0.5, metrics, log: silentLog }
    await seed(moduleDatabase(database.db.sql), { atMs: SAMPLE })
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const open = (own: Record<string, unknown> = {}): BackendModule => backend(moduleDeps('dental', own, host))
  const call = (service: BackendModule, operation: string, args: object, intention = `e:1:${++serial}`) =>
    service.operations[operation]!(args as never, {
      intention,
      epoch: 'e',
      msisdn: JOHN,
      language: 'en',
      line: 'digicel',
      todayMs: clock.today(),
      signal: new AbortController().signal,
    })
  const book = async (service: BackendModule, intention?: string) => {
    const { rows } = (await call(service, 'slots', { type: 'checkup' })) as { rows: { id: string }[] }
    return (await call(service, 'book', { slot: rows[0]!.id }, intention)) as { id: string }
  }
  const rows = () => database.db.knex('sms_outbox').orderBy('due_at').orderBy('id')
  const file = (text: string) => {
    const path = join(folder, `sms-${++serial}.yaml`)
    writeFileSync(path, text)
    return path
  }

  it('have an owner, and a key for each visit and each of its reminders', async () => {
    const { id } = await book(open())
    assert.deepEqual(
      (await rows()).map(({ owner, key, hook }) => [owner, key, hook]),
      ['confirmation', 'reminder-24h', 'reminder-2h'].map((name) => ['module:dental', `dental:${id}/${name}`, null]),
    )
  })

  it('are told to a web-hook like those of others', async () => {
    const hook = { url: 'https://a.example/', owners: ['module:dental'], keyFile: '-', timeoutMs: 1, concurrent: 1 }
    host.settings.smsHooks = { clinic: { ...hook, giveUpMs: 60_000 } }
    const { id } = await book(open())
    await database.db.knex('sms_outbox').update({ state: 'accepted', submitted_at: new Date(SAMPLE) })
    const events = await database.db.knex('sms_event').orderBy('id').select<object[]>('owner', 'key', 'hook', 'event')
    assert.deepEqual(events[0], {
      owner: 'module:dental',
      key: `dental:${id}/confirmation`,
      hook: 'clinic',
      event: 'accepted',
    })
    assert.equal(events.length, 3)
  })

  it('that an earlier release has planned stay, are not planned again, and go with their visit', async () => {
    const service = open()
    const { id } = await book(service, 'e:9:0')
    // As it wrote them.
    await database.db.knex('sms_outbox').update({ owner: null, key: null })
    assert.deepEqual(
      await call(service, 'book', { slot: id }, 'e:9:0').then((again) => (again as { id: string }).id),
      id,
    )
    assert.deepEqual(
      (await rows()).map(({ state, owner }) => [state, owner]),
      [1, 2, 3].map(() => ['due', null]),
    )
    assert.deepEqual(await call(service, 'cancel', { appointment: id }), {})
    assert.deepEqual(
      (await rows()).map(({ state }) => state),
      Array(3).fill('cancelled'),
    )
  })

  it("have the texts of an operator's file, each language its own", async () => {
    const own = Object.entries(WORDINGS.en!).map(([kind]) => `  ${kind}: 'Own ${kind}: {type}, {clinic}.'`)
    const service = open({ smsFile: file(`en:\n${own.join('\n')}\n`) })
    await book(service)
    assert.deepEqual(
      (await rows()).map(({ text }) => text),
      ['confirmation', 'reminder', 'reminder'].map((kind) => `Own ${kind}: Checkup, Koki Dental Clinic.`),
    )
  })

  it('in a file that is wrong keep the daemon from starting, with file and place', () => {
    const wrong = (text: string) => {
      try {
        dentalOptions(moduleDeps('dental', { smsFile: file(text) }, host))
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    const all = (reminder: string) =>
      Object.keys(WORDINGS.en!).reduce((text, kind) => `${text}  ${kind}: '${reminder}'\n`, '')
    assert.equal(wrong(`en:\n${all('{type} {date}')}`), '')
    assert.match(
      wrong(`en:\n${all('{typ}')}`),
      /settings\.smsFile: .*sms-\d+\.yaml: en\.confirmation: may have \{type\}/,
    )
    assert.match(wrong(`tpi:\n${all('{type}')}`), /must have en, which serves all other languages/)
    assert.match(wrong('en: { reminder: Only one }'), /en\.confirmation: /)
    assert.match(wrong('en: ['), /settings\.smsFile: /)
    const missing = { smsFile: join(folder, 'none.yaml') }
    assert.throws(() => dentalOptions(moduleDeps('dental', missing, host)), /none\.yaml/)
  })

  it('are exactly those of the sample', () => {
    const visit = { type: 'Checkup', clinic: 'Koki Dental Clinic', startsMs: Date.parse('2025-05-10T09:00+10:00') }
    const text = smsText(WORDINGS, 'reminder', { ...visit, zone: 'Pacific/Port_Moresby' }, 'xx')
    assert.equal(text, 'Reminder: Checkup at Koki Dental Clinic on 10/05/2025, 9 AM.')
  })
})
