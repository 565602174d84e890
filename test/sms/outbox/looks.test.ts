/** A look at the outbox, by what Postgres answers: what is asked, in which order, and what is told of the answers. */
import assert from 'node:assert/strict'
import { silentLog } from '../../../src/base/log/port.ts'
import type { Sql, SqlBindings } from '../../../src/base/sql.ts'
import { smsDispatcher } from '../../../src/sms/outbox/dispatch.ts'
import type { GivenUpSms } from '../../../src/sms/terms/given-up.ts'
import { referenceOf } from '../../../src/sms/receipts/receipts.ts'
import type { ClaimedRow } from '../../../src/sms/outbox/rows.ts'
import type { OutboxDeps } from '../../../src/sms/outbox/settings.ts'
import type { SmsOutcome, SmsSubmit, SmsToSend } from '../../../src/sms/terms/types.ts'
import { fakeClock, settle } from '../../support/clock.ts'
import { HOUR, MSISDN, START } from './fixture.ts'

const ROW: ClaimedRow = {
  id: '1',
  state: 'submitting',
  lease: 'L',
  is_again: false,
  owed_line: 'digicel',
  has_more: false,
  kinds: 1,
  moment_ms: START,
  since: '2025-05-01 09:00:00+10',
  msisdn: MSISDN,
  text: 'Reminder',
  line: 'digicel',
  kind: 'reminder',
  quiet_zone: null,
  expires_ms: START + 24 * HOUR,
  attempts: 1,
  losses: 0,
  taken: null,
  parts: 1,
  owner: 'module:dental',
  template: null,
  tlvs: null,
}
const claimed = (more: Partial<ClaimedRow> = {}): ClaimedRow => ({ ...ROW, ...more })
const many = (n: number, of: (n: number) => object = () => ({})): object[] => Array.from({ length: n }, (_, i) => of(i))
const ACCEPTED: SmsOutcome = { is: 'accepted', messageIds: ['M'] }

/** What is answered where there is nothing to do; else no rows. */
const NOTHING: Record<string, object[]> = {
  'sms-due': [{ send: false, upkeep: false }],
  'forget-sms': [{ gone: 0, last: null }],
}
type Answer = object[] | ((bindings: SqlBindings) => object[] | Promise<object[]>)

/** A dispatcher on a database that answers each statement, by its name, with one list after the other, then with none. */
function looking(answers: Record<string, Answer[]>, deps: Partial<OutboxDeps> & { answer?: SmsSubmit } = {}) {
  const { answer = async () => ACCEPTED, ...more } = deps
  const clock = fakeClock(START)
  const asked: { name: string; bindings: SqlBindings }[] = []
  const counted: Record<string, number> = {}
  const logged: { level: string; message: string; fields: Record<string, unknown> }[] = []
  const sent: SmsToSend[] = []
  const givenUp: GivenUpSms[] = []
  let settled = 0
  const sql: Sql = {
    async run({ name }, bindings) {
      asked.push({ name, bindings })
      const next = answers[name]?.shift() ?? NOTHING[name] ?? []
      return typeof next === 'function' ? next(bindings) : next
    },
    transaction: (run) => run(sql),
  }
  const say = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, message, fields: { ...fields } })
  const outbox = smsDispatcher({
    sql,
    submit: async (sms, before) => (sent.push(sms), answer(sms, before)),
    clock,
    chance: () => 0,
    log: { ...silentLog, debug: say('debug'), warn: say('warn'), error: say('error') },
    counters: {
      count(name, labels = {}, by = 1) {
        const key = [name, ...Object.values(labels)].join(' ')
        counted[key] = (counted[key] ?? 0) + by
      },
    },
    givenUp: (sms) => void givenUp.push(sms),
    settled: () => void settled++,
    ...more,
  })
  return {
    outbox,
    clock,
    counted,
    logged,
    sent,
    givenUp,
    settled: () => settled,
    names: () => asked.map(({ name }) => name),
    bindings: (name: string) => asked.filter((one) => one.name === name).map((one) => one.bindings),
  }
}

describe('a look at the outbox', () => {
  it('does what is to be done for earlier SMS, and then sends', async () => {
    const { outbox, names } = looking({})
    assert.equal(await outbox.tick(), 0)
    assert.deepEqual(names(), ['sms-lose', 'sms-ambiguous', 'sms-expire', 'sms-recall', 'sms-claim'])
  })
  it('claims for the lines that there are, for a lease, by both clocks, and what it knows of zones and services', async () => {
    const services = { 'module:dental': 'dental' }
    const at = { today: START + HOUR, now: START }
    const clock = { ...fakeClock(START), now: () => at.now, today: () => at.today }
    const { outbox, bindings } = looking(
      { 'sms-claim': [[claimed({ state: 'due', is_again: true, quiet_zone: 'Pacific/Port_Moresby' })]] },
      {
        clock,
        smsLines: () => ['digicel', 'vodafone'],
        settings: { services, leaseMs: 7_000 },
        route: (line) => (line === 'vodafone' ? null : { line: line || 'digicel', room: 5 }),
      },
    )
    await outbox.tick()
    const [first, second] = bindings('sms-claim')
    const { lease, wants, other, quiet, ...rest } = first!
    assert.match(String(lease), /^[0-9a-f-]{36}$/)
    const named = JSON.parse(String(wants)) as Record<string, number>
    assert.deepEqual([named.vodafone, named.digicel! + Number(other)], [0, 5])
    assert.equal(quiet, '{}')
    assert.deepEqual(rest, {
      now: new Date(START),
      today: new Date(START + HOUR),
      until: new Date(START + 7_000),
      heads: null,
      services: JSON.stringify(services),
    })
    assert.deepEqual(
      Object.keys(JSON.parse(String(second!.quiet)) as object),
      ['Pacific/Port_Moresby'],
      'it was learnt',
    )
    assert.notEqual(second!.lease, lease)
  })
  it('claims as many as a line has room for, as may be in flight, and as one statement takes', async () => {
    for (const [room, settings, most] of [
      [2, {}, 2],
      [100, { inFlightMax: 4 }, 4],
      [100, { inFlightMax: 9, batchMax: 3 }, 3],
      [undefined, { inFlightMax: 7 }, 7],
    ] as const) {
      const route = room === undefined ? {} : { route: (line: string) => ({ line, room }) }
      const { outbox, bindings } = looking({}, { ...route, settings })
      await outbox.tick()
      assert.equal(bindings('sms-claim')[0]!.other, most)
    }
    const none = looking({}, { route: () => null })
    await none.outbox.tick()
    assert.deepEqual(none.bindings('sms-claim'), [])
  })
  it('claims behind the last within one look, and from the start in the next', async () => {
    const more = (id: string) => [claimed({ id, has_more: true })]
    const { outbox, bindings } = looking({ 'sms-claim': [more('1'), more('2'), [], [], more('3')] })
    await outbox.tick()
    const heads = bindings('sms-claim').map((one) => one.heads)
    assert.equal(heads[0], null)
    assert.deepEqual(JSON.parse(String(heads[1])), [{ line: 'digicel', kind: 'reminder', since: ROW.since, id: '1' }])
    await outbox.tick()
    assert.equal(bindings('sms-claim')[heads.length]!.heads, null)
  })
  it('claims no more where it took all that is due, and once more where it began behind the last', async () => {
    const one = looking({ 'sms-claim': [[claimed()]] })
    await one.outbox.tick()
    assert.equal(one.bindings('sms-claim').length, 1)
    const behind = looking({ 'sms-claim': [[claimed({ has_more: true })], [claimed({ id: '2' })]] })
    await behind.outbox.tick()
    assert.deepEqual(
      behind.bindings('sms-claim').map(({ heads }) => heads === null),
      [true, false, true],
    )
  })
  it('counts what it took to nobody, and tells who was given up', async () => {
    const late = claimed({ id: '2', state: 'expired', kind: 'campaign' })
    const rows = [
      claimed({ id: '1', state: 'cancelled' }),
      late,
      claimed({ id: '3', state: 'due', quiet_zone: 'x' }),
      claimed({ id: '4', state: 'due', is_again: true, quiet_zone: 'Pacific/Port_Moresby' }),
      claimed({ id: '5' }),
    ]
    const { outbox, counted, givenUp, sent, settled } = looking({ 'sms-claim': [rows] })
    assert.equal(await outbox.tick(), 1)
    assert.deepEqual(counted, {
      'sms_total reminder cancelled': 1,
      'sms_total campaign expired': 1,
      'sms_total reminder quiet': 1,
      'sms_total reminder accepted': 1,
    })
    assert.deepEqual(givenUp, [{ ...late, status: null, error: null }])
    assert.deepEqual(
      sent.map(({ id }) => id),
      ['5'],
    )
    assert.equal(settled(), 4, 'what became of each is told')
  })
  it('sends the urgent first, then what was due first, then what was written first', async () => {
    const rows = [
      claimed({ id: '10' }),
      claimed({ id: '9' }),
      claimed({ id: '8', moment_ms: START - 1 }),
      claimed({ id: '7', kind: 'otp', moment_ms: START + 9 }),
      claimed({ id: '6', kind: 'transactional' }),
      claimed({ id: '5', kind: 'campaign', moment_ms: START - 9 }),
    ]
    const { outbox, sent } = looking({ 'sms-claim': [rows] })
    await outbox.tick()
    assert.deepEqual(
      sent.map(({ id }) => id),
      ['7', '6', '8', '9', '10', '5'],
    )
  })
  it('claims nothing once the clock of the machine is found wrong, and asks no more', async () => {
    const checks: boolean[] = []
    const { outbox, names } = looking({ 'sms-claim': [[claimed()]] }, { mayRun: () => (checks.push(false), false) })
    assert.equal(await outbox.tick(), 0)
    assert.equal(names().includes('sms-claim'), false)
    assert.equal(checks.length, 1)
    outbox.start()
    await settle()
    assert.deepEqual(names().slice(4), [], 'nothing is due, and nothing is old')
    await outbox.stop()
  })
  it('is asked no more for a look that found the clock wrong while it sent', async () => {
    const answers: (() => void)[] = []
    const may = [true]
    let asked = 0
    const { outbox, bindings } = looking(
      { 'sms-claim': [[claimed({ has_more: true }), claimed({ id: '2', has_more: true })]] },
      {
        mayRun: () => (asked++, may.shift() ?? false),
        answer: () => new Promise((done) => answers.push(() => done(ACCEPTED))),
      },
    )
    const ticking = outbox.tick()
    await settle()
    for (const answer of answers) {
      answer()
      await settle()
    }
    assert.equal(await ticking, 2)
    assert.deepEqual([asked, bindings('sms-claim').length], [2, 1])
  })

  describe('at earlier SMS', () => {
    it('counts those whose daemon died, which have a while for their receipts', async () => {
      const { outbox, bindings, counted, settled } = looking(
        {
          'sms-lose': [
            [
              { id: '1', kind: 'a' },
              { id: '2', kind: 'b' },
            ],
          ],
        },
        { settings: { ambiguousGraceMs: 5_000, batchMax: 7 } },
      )
      await outbox.tick()
      assert.deepEqual(counted, { 'sms_total a ambiguous': 1, 'sms_total b ambiguous': 1 })
      assert.deepEqual(bindings('sms-lose'), [{ now: new Date(START), until: new Date(START + 5_000) }])
      assert.deepEqual(bindings('sms-ambiguous'), [{ now: new Date(START), limit: 7 }])
      assert.equal(settled(), 2)
    })
    it('lets a thousand expire in one statement, and ten thousand in one look', async () => {
      const expired = (n: number) => ({ id: String(n), kind: 'k', msisdn: MSISDN, line: '', attempts: 0 })
      for (const [batches, statements, rows] of [
        [[1_000, 999, 1_000], 2, 1_999],
        [[0, 1_000], 1, 0],
        [Array<number>(12).fill(1_000), 10, 10_000],
      ] as const) {
        const { outbox, bindings, counted, givenUp } = looking({ 'sms-expire': batches.map((n) => many(n, expired)) })
        await outbox.tick()
        const asked = bindings('sms-expire')
        assert.deepEqual([asked.length, counted['sms_total k expired'] ?? 0, givenUp.length], [statements, rows, rows])
        assert.deepEqual(asked[0], { now: new Date(START), today: new Date(START), limit: 1_000 })
        if (rows) assert.deepEqual(givenUp[0], { ...expired(0), status: null, error: null, state: 'expired' })
      }
    })
    it('counts those that it called back, and those that it could not', async () => {
      const row = (id: string, kind: string) => ({ id, kind, msisdn: MSISDN, owner: 'o', line: 'l', message_ids: [id] })
      const { outbox, counted } = looking(
        {
          'sms-recall': [[row('1', 'a'), row('2', 'b')]],
          'sms-recalled': [[{ id: '1' }], [{ id: '2' }]],
        },
        { recall: async ({ messageIds }) => (messageIds[0] === '1' ? 'gone' : 'kept') },
      )
      await outbox.tick()
      assert.deepEqual(counted, { 'sms_total a recalled': 1, 'sms_total b not-recalled': 1 })
    })
  })

  describe('at a crowd', () => {
    const crowd = (n: number, msisdn = MSISDN) => claimed({ id: String(n), has_more: true, msisdn })
    const full = (bindings: SqlBindings) => many(Number(bindings.each))
    const claims = (): Answer[] => [many(20, (n) => crowd(n + 1))]
    it('puts it behind the others, some at a time, while there are as many as were asked for', async () => {
      for (const [answers, statements, rows] of [
        [[full, full, many(3), full], 3, 2_003],
        [[many(0), full], 1, undefined],
        [Array<Answer>(9).fill(full), 5, 5_000],
      ] as const) {
        const { outbox, bindings, counted } = looking({ 'sms-claim': claims(), 'sms-put-behind': [...answers] })
        await outbox.tick()
        const asked = bindings('sms-put-behind')
        assert.deepEqual([asked.length, counted['limits_total sms_crowd']], [statements, rows])
        assert.deepEqual(asked[0], {
          crowds: JSON.stringify([{ line: 'digicel', kind: 'reminder', msisdn: MSISDN, alone: true }]),
          each: 1_000,
          now: new Date(START),
          until: new Date(START + 1_000),
        })
      }
    })
    it('shares the thousand among crowds, and sends what it claimed though none of it could be put behind', async () => {
      const rows = many(21, (n) => crowd(n + 1, String(67570000000 + (n % 3))))
      const fail = () => {
        throw new Error('away')
      }
      const { outbox, bindings, sent, logged } = looking({ 'sms-claim': [rows], 'sms-put-behind': [fail] })
      assert.equal(await outbox.tick(), 21)
      assert.deepEqual([bindings('sms-put-behind')[0]!.each, sent.length], [334, 21])
      assert.deepEqual(logged[0], {
        level: 'warn',
        message: 'SMS outbox: Postgres cannot be reached',
        fields: { error: 'away' },
      })
    })
    it('does nothing where there is none', async () => {
      const rows = many(30, (n) => crowd(n + 1, String(67570000000 + n)))
      const { outbox, names } = looking({ 'sms-claim': [rows] })
      await outbox.tick()
      assert.equal(names().includes('sms-put-behind'), false)
    })
  })

  describe('at one that it sends', () => {
    it('hands it on with the wall clock, its reference, and the parts that the SMSC has', async () => {
      const clock = { ...fakeClock(START), today: () => START - 5 * HOUR }
      const rows = [
        claimed({ id: '7', template: '1107', tlvs: '{}', parts: 3, taken: [1] }),
        claimed({ id: '8', parts: 3 }),
      ]
      const { outbox, sent } = looking({ 'sms-claim': [rows] }, { clock })
      await outbox.tick()
      const of = {
        kind: 'reminder',
        msisdn: MSISDN,
        text: 'Reminder',
        line: 'digicel',
        expiresMs: START + 29 * HOUR,
        owner: 'module:dental',
      }
      assert.deepEqual(sent, [
        { ...of, id: '7', reference: referenceOf('7'), template: '1107', tlvs: '{}', taken: [1], parts: 3 },
        {
          ...of,
          id: '8',
          reference: referenceOf('8'),
          template: undefined,
          tlvs: undefined,
          taken: undefined,
          parts: undefined,
        },
      ])
    })
    it('counts what became of it, and says who was given up, by which line', async () => {
      const outcomes: Record<string, SmsOutcome> = {
        '1': ACCEPTED,
        '2': { is: 'unsent' },
        '3': { is: 'later', status: 0x14, pause: false },
        '4': { is: 'failed', status: 0x0b },
        '5': { is: 'failed', status: 0x0b },
        '6': { is: 'ambiguous' },
      }
      const rows = Object.keys(outcomes).map((id) => claimed({ id, kind: `k${id}`, ...(id === '5' && { line: '' }) }))
      const { outbox, counted, givenUp, logged, settled } = looking(
        { 'sms-claim': [rows] },
        { answer: async ({ id }) => outcomes[id]!, route: () => ({ line: 'taker', room: 10 }) },
      )
      assert.equal(await outbox.tick(), 5, 'one was not written')
      assert.deepEqual(counted, {
        'sms_total k1 accepted': 1,
        'sms_total k2 unsent': 1,
        'sms_total k3 later': 1,
        'sms_total k4 failed': 1,
        'sms_total k5 failed': 1,
        'sms_total k6 ambiguous': 1,
      })
      assert.equal(settled(), 6)
      const failed = { state: 'failed', status: 0x0b, error: 'refused' }
      assert.deepEqual(givenUp, [
        { ...rows[3], ...failed, line: 'digicel' },
        { ...rows[4], ...failed, line: 'taker' },
      ])
      const { level, message, fields } = logged.find((one) => one.fields.id === '3')!
      assert.deepEqual([level, message], ['debug', 'SMS submitted'])
      assert.deepEqual(fields, { msisdn: MSISDN, id: '3', kind: 'k3', line: 'digicel', is: 'later', state: 'due' })
    })
    it('writes nothing at debug where nobody reads it', async () => {
      const { outbox, logged } = looking(
        { 'sms-claim': [[claimed()]] },
        { log: { ...silentLog, debug: () => assert.fail('read by nobody'), isLevelEnabled: () => false } },
      )
      assert.equal(await outbox.tick(), 1)
      assert.deepEqual(logged, [])
    })
    it('takes a fault of the line for a loss, and counts it', async () => {
      const { outbox, counted, logged } = looking(
        { 'sms-claim': [[claimed()]] },
        { answer: () => Promise.reject(new Error('a bug')) },
      )
      assert.equal(await outbox.tick(), 1)
      assert.deepEqual(counted, { 'bugs_total sms-submit': 1, 'sms_total reminder ambiguous': 1 })
      assert.deepEqual(logged[0], {
        level: 'error',
        message: 'submitting an SMS failed with an exception',
        fields: { error: 'a bug' },
      })
    })
    it('sends the next part though the one before could not be stored', async () => {
      let isDown = true
      const { outbox, sent, logged, counted, bindings } = looking(
        {
          'sms-claim': [[claimed({ parts: 2 })]],
          'sms-take-parts': [
            () => {
              throw new TypeError('away')
            },
          ],
        },
        {
          answer: async (_, beforePart) => {
            await beforePart!({ messageIds: [null, null], line: 'digicel' })
            isDown = false
            return { is: 'accepted', messageIds: ['A', 'B'], line: 'digicel' }
          },
        },
      )
      assert.equal(await outbox.tick(), 1)
      assert.deepEqual([isDown, sent.length, counted['sms_total reminder accepted']], [false, 1, 1])
      assert.deepEqual(logged[0], {
        level: 'warn',
        message: 'accepted SMS part not stored yet',
        fields: { error: 'away' },
      })
      assert.deepEqual(JSON.parse(String(bindings('sms-take-parts')[0]!.rows)), [
        { id: '1', lease: 'L', line: 'digicel', parts: 2 },
      ])
    })
    it('leaves its line alone for as long as the SMSC asks for, and no longer', async () => {
      const throttled: SmsOutcome = { is: 'later', status: 0x58, pause: true }
      const { outbox, clock, bindings } = looking(
        { 'sms-claim': [[claimed({ owed_line: 'digicel' })]] },
        { answer: async () => throttled },
      )
      await outbox.tick()
      const wants = async () => {
        await outbox.tick()
        return JSON.parse(String(bindings('sms-claim').at(-1)!.wants)) as object
      }
      assert.deepEqual(await wants(), { digicel: 0 })
      await clock.advance(999)
      assert.deepEqual(await wants(), { digicel: 0 })
      await clock.advance(1)
      assert.deepEqual(await wants(), {})
    })
  })

  describe('by itself', () => {
    const polled = async (answers: Record<string, Answer[]>, deps: Partial<OutboxDeps>, seconds: number) => {
      const it = looking(answers, deps)
      it.outbox.start()
      await settle()
      for (let n = 0; n < seconds; n++) await it.clock.advance(1_000)
      await it.outbox.stop()
      return it
    }
    const due = (send: boolean, upkeep: boolean): Answer => [{ send, upkeep }]
    it('does what is there to do, and sends only while a line is bound', async () => {
      const upkeep = ['sms-lose', 'sms-ambiguous', 'sms-expire', 'sms-recall']
      for (const [of, can, does] of [
        [due(false, false), 'now', []],
        [due(true, false), 'now', ['sms-claim']],
        [due(false, true), 'now', upkeep],
        [due(true, true), 'now', [...upkeep, 'sms-claim']],
        [due(true, true), 'not-now', upkeep],
        [due(true, false), 'not-now', []],
      ] as const) {
        const { names, bindings } = await polled({ 'sms-due': [of] }, { canSend: () => can }, 0)
        const own = names().filter((name) => name.startsWith('sms-') && name !== 'sms-due')
        assert.deepEqual(own, does, `${JSON.stringify(of)} ${can}`)
        assert.deepEqual(bindings('sms-due'), [{ now: new Date(START), today: new Date(START) }])
      }
    })
    it('where no line has SMS looks at earlier ones at once, and then each hour', async () => {
      const { names } = await polled({}, { canSend: () => 'never', settings: { pollMs: HOUR } }, 0)
      assert.deepEqual([names()[0], names().includes('sms-due')], ['sms-lose', false])
      const each = looking({}, { canSend: () => 'never', settings: { pollMs: HOUR / 2 } })
      each.outbox.start()
      await settle()
      const looks: number[] = []
      for (let n = 0; n < 4; n++) {
        looks.push(each.bindings('sms-lose').length)
        await each.clock.advance(HOUR / 2)
      }
      assert.deepEqual(looks, [1, 1, 2, 2])
      assert.deepEqual(each.bindings('sms-claim'), [])
      await each.outbox.stop()
    })
    it('forgets what is old from where it left off, with no pause while there is more, and from the start each hour', async () => {
      const page = (last: string | null): Answer => [{ gone: 0, last }]
      const walk = ['1000', '2000', '3000', '4000', null].map(page)
      const it = looking({ 'forget-sms': walk }, { settings: { pollMs: HOUR / 2 } })
      it.outbox.start()
      for (let n = 0; n < 4; n++) await settle()
      await it.clock.advance(1)
      const after = () => it.bindings('forget-sms').map((one) => one.after)
      assert.deepEqual(after(), ['0', '1000', '2000', '3000', '4000'])
      await it.clock.advance(HOUR / 2)
      assert.equal(after().length, 5, 'not yet')
      await it.clock.advance(HOUR / 2)
      assert.deepEqual(after().slice(5), ['0'])
      const asked = it.names().filter((name) => name.startsWith('sms-'))
      assert.deepEqual(new Set(asked), new Set(['sms-due']), 'nothing else was done in between')
      await it.outbox.stop()
    })
    it('says each time that the database is away, and goes on', async () => {
      const away = () => {
        throw new Error('away')
      }
      const first = await polled({ 'sms-due': [away] }, {}, 0)
      assert.deepEqual(first.names(), ['sms-due'], 'and at once nothing more is asked')
      const { logged, names } = await polled({ 'sms-due': [away, away] }, {}, 2)
      assert.deepEqual(
        logged.map(({ message }) => message),
        Array(2).fill('SMS outbox: Postgres cannot be reached'),
      )
      assert.equal(names().filter((name) => name === 'sms-due').length, 3)
    })
    it('looks once a second however often it is started, also while a look of before is under way', async () => {
      let answer = (): void => undefined
      const hangs: Answer = () => new Promise((done) => (answer = () => done([{ send: false, upkeep: false }])))
      const it = looking({ 'sms-due': [hangs] })
      const looks = () => it.bindings('sms-due').length
      it.outbox.start()
      await settle()
      const stopping = it.outbox.stop()
      it.outbox.start()
      answer()
      await stopping
      await settle()
      assert.equal(looks(), 1)
      it.outbox.start()
      await settle()
      for (let n = 2; n < 5; n++) {
        await it.clock.advance(1_000)
        assert.equal(looks(), n)
      }
      await it.outbox.stop()
      await it.clock.advance(5_000)
      assert.equal(looks(), 4, 'and not once after it stopped')
    })
    it('claims nothing more once it stops, and again once it is started', async () => {
      let answer = (): void => undefined
      const it = looking(
        {
          'sms-due': [due(true, false) as object[], due(true, false) as object[]],
          'sms-claim': [[claimed({ has_more: true })], [claimed({ id: '2' })]],
        },
        { answer: () => new Promise((done) => (answer = () => done(ACCEPTED))) },
      )
      it.outbox.start()
      await settle()
      const stopping = it.outbox.stop()
      answer()
      await stopping
      assert.deepEqual([it.bindings('sms-claim').length, it.sent.length], [1, 1])
      await it.clock.advance(1_000)
      it.outbox.start()
      await settle()
      assert.equal(it.sent.length, 2)
      answer()
      await it.outbox.stop()
    })
  })
})
