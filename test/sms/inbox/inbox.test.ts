import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { silentLog } from '../../../src/base/log/port.ts'
import { smsDispatcher } from '../../../src/sms/outbox/dispatch.ts'
import { eraseSms, forgetOld } from '../../../src/sms/outbox/forget.ts'
import { takeSms, type IncomingDeps, type IncomingSms } from '../../../src/sms/inbox/inbox.ts'
import type { SmsSubject } from '../../../src/sms/terms/types.ts'
import { dentalReplies } from '../../../samples/dental/replies.ts'
import { WORDINGS } from '../../../samples/dental/texts.ts'
import { moduleSms, smsSubject } from '../../../src/daemon/backends/modules.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { seedDental } from '../../support/dental.ts'
import { describeBoth } from '../../support/postgres.ts'
import { statement } from '../../../src/base/sql.ts'

const START = Date.parse('2025-05-01T09:00:00+10:00')
const HOUR = 3_600_000
const JOHN = '67570000001'
const OWN = { owner: 'module:dental', hook: null }
const counters = { count: () => undefined }

const CANCEL_ALL = statement('test-cancel-all', `UPDATE dental_appointment SET status = 'cancelled'`)

describeBoth('what subscribers write by SMS', (database) => {
  let knex: Knex
  let clock: FakeClock
  let serial = 0

  beforeEach(async () => {
    knex = database.db.knex
    const tables = [
      'sms_outbox',
      'sms_incoming',
      'sms_opt_out',
      'dental_hold',
      'dental_appointment',
      'dental_slot',
      'dental_profile',
      'dental_type',
      'dental_clinic',
    ]
    await knex.raw(`TRUNCATE ${tables.join(', ')} RESTART IDENTITY CASCADE`)
    clock = fakeClock(START)
    await seedDental(database.db.sql, { atMs: START })
  })

  function open(
    subjects: SmsSubject[] = [smsSubject(dentalReplies({ clock, sms: moduleSms(clock, OWN) }, WORDINGS))],
  ): IncomingDeps {
    return {
      sql: database.db.sql,
      clock,
      chance: () => 0.5,
      counters,
      subjects,
      settings: {
        keywords: { stop: ['STOP', 'PINIS'], start: ['START'], help: ['HELP'], all: ['ALL'] },
        texts: {
          stopped: { en: 'No more SMS.', tpi: 'Pinis.' },
          stoppedOne: { en: 'No more of this.' },
          started: { en: 'SMS again.' },
          help: { en: 'Write 1 or 2.' },
        },
        services: { clinic: { numbers: ['4040'], owners: ['module:dental'], tlvs: {} } },
        words: { Balance: { flow: 'balance', numbers: [], answer: 'sms' } },
        wordsPerHour: 2,
        copyMs: 300_000,
        replyMs: 48 * HOUR,
        helpEveryMs: 24 * HOUR,
        answerEveryMs: HOUR,
      },
    }
  }
  const write = (text: string, more: Partial<IncomingSms> = {}) =>
    takeSms(open(), { msisdn: JOHN, to: '123', line: 'digicel', text, mark: String(++serial), ...more })
  const answers = async () =>
    (await knex('sms_outbox').where({ kind: 'answer' }).orderBy('id').select<{ text: string }[]>('text')).map(
      (row) => row.text,
    )
  const optedOut = async () => (await knex('sms_opt_out').select('msisdn')).length
  const appointment = () =>
    knex('dental_appointment as a')
      .join('dental_slot as s', 's.id', 'a.slot')
      .where('a.msisdn', JOHN)
      .orderBy('s.starts_at', 'desc')
      .first<{ id: string; status: string; confirmed_at: Date | null }>('a.*')
  async function reminded(row: object = {}): Promise<string> {
    const { id } = await appointment()
    await knex('sms_outbox').insert({
      subject: `dental:${id}`,
      kind: 'reminder',
      msisdn: JOHN,
      text: 'Reminder',
      state: 'accepted',
      due_at: new Date(clock.now() + serial++),
      expires_at: new Date(START + 400 * HOUR),
      wake_at: new Date(START),
      created_at: new Date(START),
      submitted_at: new Date(clock.now()),
      ...row,
    })
    return id
  }

  it('STOP ends all SMS but the one that says so; START begins them again', async () => {
    await knex('sms_outbox').insert({
      subject: 'dental:1',
      kind: 'reminder',
      msisdn: JOHN,
      text: 'Reminder',
      due_at: new Date(START),
      expires_at: new Date(START + HOUR),
      wake_at: new Date(START),
      created_at: new Date(START),
    })
    assert.equal(await write('  stop. '), 'stop')
    assert.equal(await optedOut(), 1)
    const sent: string[] = []
    const outbox = smsDispatcher({
      sql: database.db.sql,
      clock,
      chance: () => 0.5,
      log: silentLog,
      counters,
      submit: async (sms) => {
        sent.push(sms.text)
        return { is: 'accepted', messageIds: [sms.id] }
      },
    })
    await outbox.tick()
    assert.deepEqual(sent, ['No more SMS.'])
    assert.equal(await write('pinis plis'), 'stop')
    assert.equal(await write('ｓｔｏｐ'), 'stop', 'letters of full width are letters')
    await outbox.tick()
    assert.equal(sent.length, 1, 'who has stopped already is not told again')
    await clock.advance(HOUR)
    assert.equal(await write('Start'), 'start')
    assert.equal(await optedOut(), 0)
    await outbox.tick()
    assert.deepEqual(sent, ['No more SMS.', 'SMS again.'])
  })

  it('answers in the language of the subscriber, else in the first one', async () => {
    await knex('dental_profile').where({ msisdn: JOHN }).update({ language: 'tpi' })
    await write('STOP')
    await clock.advance(HOUR)
    await write('START')
    await write('STOP', { msisdn: '67579999999' })
    assert.deepEqual(await answers(), ['Pinis.', 'SMS again.', 'No more SMS.'])
  })

  it('STOP and START by turns take effect each time, and cost one answer an hour; HELP costs one, too', async () => {
    for (let n = 0; n < 10; n++) {
      assert.equal(await write('STOP'), 'stop')
      assert.equal(await optedOut(), 1)
      assert.equal(await write('START'), 'start')
      assert.equal(await optedOut(), 0)
      assert.equal(await write('HELP'), 'help')
    }
    assert.deepEqual(await answers(), ['No more SMS.', 'Write 1 or 2.'])
    await write('STOP', { msisdn: '67579999999' })
    assert.equal((await answers()).length, 3, 'of each subscriber')
    await clock.advance(HOUR)
    await write('STOP')
    assert.equal((await answers()).at(-1), 'No more SMS.')
    assert.equal((await answers()).length, 4)
  })

  it('STOP to the number of a service stops that one, STOP ALL and STOP elsewhere stop all', async () => {
    const wishes = () => knex('sms_opt_out').orderBy('service').select('service', 'is_out')
    const one = { to: '+4040' }
    assert.equal(await write('Stop', one), 'stop')
    assert.deepEqual(await wishes(), [{ service: 'clinic', is_out: true }])
    assert.equal(await write('STOP ALL', one), 'stop')
    assert.deepEqual(await wishes(), [{ service: '', is_out: true }])
    assert.equal(await write('START', one), 'start')
    assert.deepEqual(await wishes(), [
      { service: '', is_out: true },
      { service: 'clinic', is_out: false },
    ])
    assert.equal(await write('start all.', one), 'start')
    assert.deepEqual(await wishes(), [])
    assert.equal(await write('STOP', { to: '4041' }), 'stop')
    assert.deepEqual(await wishes(), [{ service: '', is_out: true }])
    assert.deepEqual(await answers(), ['No more of this.'])
    assert.equal(await write('START all of it', one), 'unknown', 'START is a word alone')
  })

  it('plays the flow of a word that stands alone, as often as an hour allows, and owes its end also to who opted out', async () => {
    const played: string[] = []
    const play = async ({ flow, msisdn }: { flow: string; msisdn: string }) => (played.push(`${flow} ${msisdn}`), 'K5.')
    const ask = (text: string, mark = String(++serial)) =>
      takeSms({ ...open(), play }, { msisdn: JOHN, to: '4040', line: 'digicel', text, mark })
    await write('STOP')
    assert.equal(await ask('«balance»', 'same'), 'word')
    assert.equal(await ask('«balance»', 'same'), 'repeat')
    assert.equal(await ask('balance please'), 'unknown')
    assert.equal(await ask('BALANCE'), 'word')
    assert.equal(await ask('BALANCE'), 'word-over')
    assert.deepEqual(played, Array(3).fill(`balance ${JOHN}`))
    await clock.advance(HOUR)
    assert.equal(await ask('BALANCE'), 'word')
    assert.deepEqual(await answers(), ['No more SMS.', 'K5.', 'Write 1 or 2.', 'K5.', 'K5.'])
    assert.equal(await write('BALANCE'), 'unknown', 'where nothing plays flows')
  })

  it('takes a copy of the last SMS for a copy, and the same words after others for new ones', async () => {
    const stop = { mark: 'same' }
    assert.equal(await write('STOP', stop), 'stop')
    assert.equal(await write('STOP', stop), 'repeat')
    assert.equal(await write('START'), 'start')
    assert.equal(await write('STOP', stop), 'stop')
    await clock.advance(300_001)
    assert.equal(await write('STOP', stop), 'stop')
    assert.equal(await optedOut(), 1)
  })

  it('takes two copies that come at once for one', async () => {
    const both = await Promise.all([write('STOP', { mark: 'm' }), write('STOP', { mark: 'm' })])
    assert.deepEqual(both.toSorted(), ['repeat', 'stop'])
    assert.equal((await answers()).length, 1)
  })

  it('1 confirms the visit of the last reminder', async () => {
    await reminded()
    assert.equal(await write(' 1.'), 'replied')
    const first = await appointment()
    assert.ok(first.confirmed_at)
    assert.deepEqual(await answers(), [
      'Thank you. We expect you: Checkup at Gerehu Dental Clinic on 15/05/2025, 10 AM.',
    ])
    await clock.advance(60_000)
    await write('١')
    assert.deepEqual((await appointment()).confirmed_at, first.confirmed_at)
    const { answered } = await knex('sms_outbox').where({ kind: 'reminder' }).first<{ answered: string }>('answered')
    assert.equal(answered, 'confirmed')
  })

  it('2 cancels it, frees its slot, calls off what has not left, and says the same when written again', async () => {
    const id = await reminded()
    await knex('sms_outbox').insert({
      subject: `dental:${id}`,
      kind: 'reminder',
      msisdn: JOHN,
      text: 'Reminder',
      due_at: new Date(START + HOUR),
      expires_at: new Date(START + 2 * HOUR),
      wake_at: new Date(START),
      created_at: new Date(START),
    })
    assert.equal(await write('2'), 'replied')
    assert.equal((await appointment()).status, 'cancelled')
    assert.equal(await write('2'), 'replied')
    assert.equal(await write('1'), 'replied')
    const cancelled = 'Cancelled: Checkup at Gerehu Dental Clinic on 15/05/2025, 10 AM.'
    assert.deepEqual(await answers(), [cancelled, cancelled, cancelled])
    assert.equal((await appointment()).confirmed_at, null)
    const due = await knex('sms_outbox').where({ kind: 'reminder', state: 'cancelled' }).select('id')
    assert.equal(due.length, 1)
    const recall = await knex('sms_outbox').whereNotNull('recall_at').select<{ state: string }[]>('state')
    assert.deepEqual(recall, [{ state: 'accepted' }], 'what the SMSC has is called back')
  })

  it('says so when it is too late to cancel', async () => {
    await reminded()
    await clock.advance(Date.parse('2025-05-15T10:00:00+10:00') - START)
    await knex('sms_outbox').update({ submitted_at: new Date(clock.now() - HOUR) })
    assert.equal(await write('2'), 'replied')
    assert.deepEqual(await answers(), ['Too late to change: Checkup at Gerehu Dental Clinic on 15/05/2025, 10 AM.'])
    assert.equal((await appointment()).status, 'booked')
  })

  it("knows no reminder that is too old, never left, failed, or was somebody else's", async () => {
    await reminded({ submitted_at: new Date(START - 49 * HOUR) })
    await reminded({ submitted_at: null, state: 'due' })
    await reminded({ state: 'failed' })
    await reminded({ msisdn: '67570000002' })
    assert.equal(await write('2'), 'unknown')
    assert.equal((await appointment()).status, 'booked')
    assert.equal(await write('2', { msisdn: '67570000002' }), 'unknown', 'the visit is not hers, whatever the row says')
  })

  it('sends help unasked once a day, and whenever asked', async () => {
    assert.equal(await write('what is this?'), 'unknown')
    assert.equal(await write('hello?'), 'unknown')
    assert.equal((await answers()).length, 1)
    assert.equal(await write('help'), 'help')
    assert.equal((await answers()).length, 2)
    await clock.advance(24 * HOUR)
    await write('hm')
    assert.equal((await answers()).length, 3)
  })

  it('undoes everything where one part of it fails', async () => {
    await reminded()
    const broken: SmsSubject = {
      name: 'dental',
      languageOf: async () => null,
      async reply(trx) {
        await CANCEL_ALL(trx, {})
        throw new TypeError('a bug')
      },
    }
    await assert.rejects(takeSms(open([broken]), { msisdn: JOHN, to: '123', line: 'l', text: '2', mark: '' }), /a bug/)
    assert.equal((await appointment()).status, 'booked')
    assert.equal(await write('2', { mark: '', line: 'l' }), 'replied', 'it is no copy of what was undone')
  })

  it('keeps no text, and forgets who wrote', async () => {
    await write('private words')
    const [row] = await knex('sms_incoming').select<Record<string, unknown>[]>('*')
    assert.equal(JSON.stringify(row).includes('private'), false)
    await write('words', { msisdn: '67570000002' })
    assert.equal(await forgetOld(database.db.sql, START + 8 * 24 * HOUR, 90 * 24 * HOUR), 2)
    await write('x')
    assert.ok((await eraseSms(database.db.sql, JOHN)) > 0)
    assert.deepEqual(await knex('sms_incoming').select('*'), [])
  })
})
