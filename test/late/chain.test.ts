/** The chain of a promised answer, step by step: what is stored, said, counted and released, whatever goes wrong. */
import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import type { Backend } from '../../src/backend/types.ts'
import { createDeferredAnswers, type DeferredDeps, type ToldAnswer } from '../../src/deferred/deferred.ts'
import { insertDeferred, type DeferredRow } from '../../src/deferred/rows.ts'
import { StoreError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log/port.ts'
import type { Sql } from '../../src/base/sql.ts'
import type { HeldCall } from '../../src/dialogue/turn.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { PushResult } from '../../src/push/index.ts'
import { sqlOn } from '../../src/store/postgres/sql.ts'
import { ask, call, flowOf, RECORD, START } from '../dialogue/turn-support.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { newStage, stageTables } from '../support/daemon.ts'
import { aroundSql } from '../support/sql.ts'
import { describeWith, until } from '../support/services.ts'

type Answer = Awaited<NonNullable<HeldCall['answer']>>
const at = (ms: number) => new Date(START + ms)
const CALLING = { value: 'calls', context: { language: 'tpi' } }
const HELD: DialogueRecord = { ...RECORD, key: { group: 'main', msisdn: '67570000001' }, code: '*125*4321#' }
const TURN = {
  revision: 'shop@1',
  snapshot: { value: 'calls', context: { language: 'tpi', code: '*125*4321#', dialled: ['4321'] } },
}
const ROW: DeferredRow = {
  epoch: 'E1',
  msisdn: '67570000001',
  line: 'digicel',
  line_group: 'main',
  code: '*125*#',
  turn: 3,
  call: 1,
  revision: 'shop@1',
  opened_at: at(0),
  snapshot: JSON.stringify(CALLING),
  until_at: at(60_000),
  offer: null,
  takeovers: 0,
}
/** What the flow does next, by what the back end says. */
const QUESTION: Answer = { is: 'data', data: { next: 'asked' } }
const LAST: Answer = { is: 'data', data: { next: 'owed' } }
const LATE: Answer = { is: 'failed', why: 'late' }

/** Timers that stand, and how many were set. */
function timersOf(clock: FakeClock): { timers: Set<object>; armed: number } {
  const found = { timers: new Set<object>(), armed: 0 }
  const { after } = clock
  clock.after = (ms, run) => {
    const timer = {}
    found.timers.add(timer)
    found.armed++
    const cancel = after(ms, () => (found.timers.delete(timer), run()))
    return () => (found.timers.delete(timer), cancel())
  }
  return found
}

describeWith(['postgres'], 'a promised answer', () => {
  const stage = newStage()
  let knex: Knex
  let sql: Sql
  let stop: () => Promise<void>
  before(async () => {
    knex = await stageTables(stage)
    sql = sqlOn(knex, { named: true })
  })
  beforeEach(() => knex('ussd_late').delete())
  afterEach(() => stop())
  after(async () => {
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
  })

  const rows = () => knex('ussd_late').select<(DeferredRow & { lease: string; lease_until: Date })[]>('*')
  const only = async () => (await rows())[0]!
  const none = () => until(async () => (await rows()).length === 0, 'the row stays')

  /** One daemon; what it does is written down, and what it meets is set. */
  function daemon(more: Partial<DeferredDeps> = {}, settings: Partial<DeferredDeps['settings']> = {}) {
    const clock = fakeClock(START)
    const standing = timersOf(clock)
    const end = (text: string, reason: 'completed' | 'backend-failed') =>
      ({ do: 'end', text, reason, screen: 's' }) as const
    const { flow } = flowOf(
      'shop',
      'shop@1',
      { calls: call, asked: ask, owed: end('You owe K 70.', 'completed'), gone: end('Sorry.', 'backend-failed') },
      (event) => (event.type === 'RESULT' ? (event.data as { next: string }).next : 'gone'),
    )
    const did = {
      counted: [] as string[],
      offered: [] as Parameters<DeferredDeps['push']['offer']>[0][],
      owed: [] as object[],
      released: [] as [ended: unknown, epoch: string, flow: string][],
      bounds: [] as string[],
      calls: [] as Parameters<Backend['call']>[],
    }
    const meets = {
      /** Of pushes, in order; the last stays. */
      pushed: ['shown'] as PushResult[],
      stands: null as Partial<DialogueRecord> | null,
      hasFlow: true,
      answer: LAST as Answer,
    }
    let minted = 0
    const late = createDeferredAnswers({
      sql,
      clock,
      log: silentLog,
      instance: 'me',
      metrics: {
        count: (name: string, labels: object) => void did.counted.push([name, ...Object.values(labels)].join(' ')),
      },
      dialogues: { find: async () => meets.stands },
      backend: () => ({ name: 'shop', call: async (...args) => (did.calls.push(args), meets.answer) }) as Backend,
      lines: { get: (name: string) => (name === 'digicel' ? {} : undefined) },
      flows: { pinned: async () => (meets.hasFlow ? flow : undefined) },
      push: {
        async offer(screen: (typeof did.offered)[0]) {
          did.offered.push(screen)
          return { is: meets.pushed.length > 1 ? meets.pushed.shift()! : meets.pushed[0]! }
        },
      },
      enqueueSms: async (_trx: unknown, sms: object) => void did.owed.push(sms),
      release: ({ ended, epoch }: DialogueRecord, name: string) => void did.released.push([ended, epoch, name]),
      seal: (_key: unknown, text: string, bound: string) => (did.bounds.push(bound), text),
      open: (_key: unknown, text: string, bound: string) => (did.bounds.push(bound), text),
      mint: { epoch: () => `new${++minted}` },
      services: [{ code: '*125#' }],
      limits: { turnMs: 8_000, takeoversMax: 2, language: 'en' },
      settings: { pushMs: 500, busyMs: 2_000, leaseMs: 10_000, waitingMax: 10, ...settings },
      ...more,
    } as unknown as DeferredDeps)
    late.start()
    stop = () => late.stop()
    const what = () => did.counted.map((one) => one.replace('ussd_late_total digicel ', ''))
    /** A turn ends with the holding text; `answer` is what its back end says later. */
    async function hold(answer: NonNullable<HeldCall['answer']>) {
      const promise = await late.hold(HELD, TURN, { n: 1, untilMs: START + 60_000, answer })
      await promise.rested(true)
    }
    /** Moves on, and lets the look at the rows that then falls due come to its end. */
    const look = async () => {
      const [asked, before] = [looked, standing.armed]
      await clock.advance(500)
      await until(() => looked > asked && standing.armed > before, 'it does not look')
    }
    /** A look stands, and the wait for the subscriber. */
    const waits = () => until(() => standing.timers.size === 2, 'it does not wait')
    return { late, clock, did, meets, what, hold, look, waits, standing }
  }

  let looked = 0
  /** Statements are counted by their names; a look ends with that of the take-over. */
  const counting = (sees: (name: string) => void = () => undefined) =>
    aroundSql(sql, async ({ name }, ask_) => {
      sees(name)
      const found = await ask_()
      if (name === 'late-take-over') looked++
      return found
    })

  describe('that is held', () => {
    it('is a row with what it needs, without what was dialled behind the code, sealed for its place', async () => {
      const { hold, did } = daemon()
      await hold(new Promise(() => undefined))
      const { lease, lease_until: leaseUntil, ...row } = await only()
      assert.deepEqual(
        { ...row, snapshot: JSON.parse(row.snapshot) as object },
        { ...ROW, snapshot: { value: 'calls', context: { language: 'tpi', code: '*125*#', dialled: [] } } },
      )
      assert.deepEqual([lease, leaseUntil], ['me', at(10_000)])
      assert.equal(did.bounds[0], `late ${JSON.stringify(['E1', 3, 1, 'shop@1', 'digicel', START])}`)
      assert.equal(new Set(did.bounds).size, 1, 'opened by what it was sealed with')
    })

    it('is shown as soon as it is there, and the flow goes on under the name that back ends know', async () => {
      const { hold, did, what } = daemon()
      await hold(Promise.resolve(QUESTION))
      await none()
      const [{ said, ...offered }] = did.offered as [(typeof did.offered)[0]]
      assert.deepEqual(offered, { msisdn: '67570000001', line: 'digicel', epoch: 'new1', ttlMs: 500 })
      assert.deepEqual([said.reply, said.flow, said.ended], [{ action: 'continue', text: 'How many?' }, 'shop', null])
      assert.equal((said.snapshot['context'] as { began: string }).began, 'E1')
      await until(() => what().includes('shown'), 'not counted')
      assert.deepEqual(what(), ['held', 'answered', 'shown'])
      assert.deepEqual([did.owed, did.released], [[], []], 'it goes on')
    })

    it('releases what back ends hold for it, once it was shown and nothing is asked', async () => {
      const { hold, did } = daemon()
      await hold(Promise.resolve(LAST))
      await until(() => did.released.length > 0, 'not released')
      assert.deepEqual(did.released, [['completed', 'E1', 'shop']])
      assert.deepEqual(did.owed, [])
    })

    it('is an SMS where it cannot be shown, a question too, and that is its end', async () => {
      for (const [answer, text] of [
        [LAST, 'You owe K 70.'],
        [QUESTION, 'How many?'],
      ] as const) {
        const { hold, did, meets, what } = daemon()
        meets.pushed = ['unsent']
        await hold(Promise.resolve(answer))
        await until(() => did.released.length > 0, 'not released')
        assert.deepEqual(did.owed, [{ id: 'E1', msisdn: '67570000001', line: 'digicel', text }])
        assert.deepEqual([what(), did.released], [['held', 'answered', 'sms'], [['completed', 'E1', 'shop']]])
        await none()
        await stop()
      }
    })

    it('says what the flow says to a call that failed, once the wait is over', async () => {
      const { hold, did, what } = daemon()
      await hold(Promise.resolve(LATE))
      await until(() => did.released.length > 0, 'not released')
      assert.deepEqual(what(), ['held', 'waited-out', 'shown'])
      assert.deepEqual([did.offered[0]!.said.reply.text, did.released[0]![0]], ['Sorry.', 'backend-failed'])
    })

    it('is void where its flow is gone: nobody is told anything', async () => {
      const { hold, did, meets, what } = daemon()
      meets.hasFlow = false
      await hold(Promise.resolve(LAST))
      await until(() => did.released.length > 0, 'not released')
      assert.deepEqual(what(), ['held', 'flow-gone', 'void'])
      assert.deepEqual([did.offered, did.owed, did.released], [[], [], [['completed', 'E1', 'shop']]])
      await none()
    })

    it('is nothing where its holding text was not stored', async () => {
      const { late, what } = daemon()
      const promise = await late.hold(HELD, TURN, { n: 1, untilMs: START + 60_000, answer: Promise.resolve(LAST) })
      await promise.rested(false)
      assert.deepEqual([await rows(), what()], [[], []])
    })

    it('is a failure of the store where it cannot be written', async () => {
      const failing = aroundSql(sql, ({ name }, ask_) =>
        name === 'late-hold' ? Promise.reject(new Error('x')) : ask_(),
      )
      const { late } = daemon({ sql: failing })
      await assert.rejects(
        late.hold(HELD, TURN, { n: 1, untilMs: START }),
        (error: StoreError) => error instanceof StoreError && error.code === 'down',
      )
    })

    it('is written once, also where its turn is played again', async () => {
      const { late } = daemon()
      for (const call_ of [1, 2]) await late.hold(HELD, TURN, { n: call_, untilMs: START + 60_000 })
      assert.deepEqual(
        (await rows()).map(({ call: n }) => n),
        [2],
      )
    })

    it('is promised on lines that there are, and up to the limit, which is counted', async () => {
      const { late, hold, what } = daemon({}, { waitingMax: 1 })
      assert.deepEqual([late.mayHold('north'), late.mayHold('digicel')], [false, true])
      await hold(new Promise(() => undefined))
      assert.equal(late.mayHold('digicel'), false)
      assert.deepEqual(what(), ['held', 'limits_total late_waiting_max'])
    })
  })

  describe('whose subscriber is in a dialogue again', () => {
    it('waits, and while it waits it was offered to nobody', async () => {
      const { hold, did, meets, clock, waits } = daemon()
      meets.pushed = ['busy', 'busy', 'shown']
      await hold(Promise.resolve(LAST))
      for (const times of [1, 2]) {
        await until(() => did.offered.length === times, 'not offered')
        await waits()
        assert.equal((await only()).offer, null)
        await clock.advance(500)
      }
      await none()
      assert.deepEqual(
        did.offered.map(({ epoch }) => epoch),
        ['new1', 'new2', 'new3'],
      )
      assert.deepEqual(did.owed, [])
    })

    it('is an SMS after busyMs', async () => {
      const { hold, did, meets, clock, what, waits } = daemon({}, { busyMs: 500 })
      meets.pushed = ['busy']
      await hold(Promise.resolve(LAST))
      await waits()
      await clock.advance(500)
      await none()
      await until(() => did.owed.length === 1, 'no SMS')
      assert.equal(did.offered.length, 2)
      await until(() => what().includes('sms'), 'not counted')
    })
  })

  describe('that another daemon has by now', () => {
    const seize = () => knex('ussd_late').update({ lease: 'other' })

    it('is neither shown nor sent', async () => {
      const names: string[] = []
      const { hold, did, what } = daemon({ sql: counting((name) => void names.push(name)) })
      let answer: (is: Answer) => void = () => undefined
      await hold(new Promise((done) => (answer = done)))
      await seize()
      answer(LAST)
      await until(() => names.includes('late-offer'), 'not asked for')
      await until(async () => (await only()).lease === 'other', 'gone')
      assert.deepEqual([did.offered, did.owed, did.released, what()], [[], [], [], ['held', 'answered']])
    })

    it('is not sent by SMS, counted or released, if it went there while it was offered', async () => {
      const offered: unknown[] = []
      const push = {
        offer: async (screen: unknown) => (offered.push(screen), await seize(), { is: 'unsent' as const, sms: true }),
      }
      let settled = 0
      const sees = aroundSql(sql, async ({ name }, ask_) => {
        const found = await ask_()
        if (name === 'late-settle') settled++
        return found
      })
      const { hold, did, what } = daemon({ push, sql: sees })
      await hold(Promise.resolve(LAST))
      await until(() => settled === 1, 'not settled')
      await until(async () => (await only()).lease === 'other', 'gone')
      assert.deepEqual([did.owed, did.released, what()], [[], [], ['held', 'answered']])
      assert.equal(offered.length, 1)
    })
  })

  describe('that this daemon cannot deliver', () => {
    it('goes to its next owner, and that counts as no take-over', async () => {
      const enqueueSms = () => Promise.reject(new Error('full'))
      const { hold, meets, late } = daemon({ enqueueSms })
      meets.pushed = ['unsent']
      await hold(Promise.resolve(LAST))
      await until(async () => (await only()).takeovers === -1, 'counted')
      assert.equal(late.mayHold('digicel'), true)
    })

    it('is kept by a lease that is renewed while its back end works', async () => {
      const { hold, look, late } = daemon({ sql: counting() })
      await hold(new Promise(() => undefined))
      await look()
      await look()
      assert.deepEqual((await only()).lease_until, at(11_000))
      assert.equal(late.mayHold('digicel'), true)
    })

    it('is let go of at a stop, for at once, and nothing is shown any more', async () => {
      const { hold, did, late, clock } = daemon()
      let answer: (is: Answer) => void = () => undefined
      await hold(new Promise((done) => (answer = done)))
      await clock.advance(200)
      await late.stop()
      answer(LAST)
      // An offer would be a statement, and then a push.
      for (let n = 0; n < 10; n++) await rows()
      const { lease_until: leaseUntil, takeovers } = await only()
      assert.deepEqual([leaseUntil, takeovers, did.offered], [at(200), -1, []])
    })
  })

  it('is looked for no more after a stop, between two looks or in the midst of one', async () => {
    for (const ms of [0, 500]) {
      const { late, clock, standing } = daemon()
      await clock.advance(ms)
      await late.stop()
      assert.equal(standing.timers.size, 0)
    }
  })

  describe('of a daemon that is gone', () => {
    async function takenOver(
      stands: Partial<DialogueRecord> | null,
      row: Partial<DeferredRow> = {},
      more: Partial<DeferredDeps> = {},
    ) {
      await insertDeferred(sql, { ...ROW, ...row }, 'dead', at(500))
      const one = daemon({ sql: counting(), ...more })
      one.meets.stands = stands
      await one.look()
      return one
    }

    it('is asked for again by its intention, in the time that is left, once its lease is over', async () => {
      const one = await takenOver({ epoch: 'E1', ended: 'answer-later', status: 'ended' })
      await until(() => one.did.released.length > 0, 'not delivered')
      const [operation, args, context] = one.did.calls[0]!
      assert.deepEqual([operation, args], ['buy', { n: 2 }])
      assert.deepEqual([context.intention, context.epoch, context.deadlineMs], ['E1:3:1', 'E1', START + 60_000])
      assert.deepEqual([context.msisdn, context.line, context.language], ['67570000001', 'digicel', 'tpi'])
      assert.deepEqual(one.what(), ['taken-over', 'answered', 'shown'])
      await none()
    })

    it('is left to it until its lease is over', async () => {
      await insertDeferred(sql, ROW, 'alive', at(501))
      const { look, did } = daemon({ sql: counting() })
      await look()
      assert.equal((await only()).lease, 'alive')
      assert.deepEqual(did.counted, [])
    })

    it('is left alone while its turn may be played again, and void where its dialogue ended in another way', async () => {
      const first = await takenOver({ epoch: 'E1', status: 'taken', ended: null })
      await first.late.stop()
      assert.deepEqual([first.what(), (await rows()).length], [[], 1])
      await knex('ussd_late').delete()
      const second = await takenOver({ epoch: 'E1', status: 'ended', ended: 'subscriber-abort' })
      await none()
      await until(() => second.did.released.length > 0, 'not released')
      assert.deepEqual([second.what(), second.did.calls, second.did.owed], [['void'], [], []])
    })

    it('counts as shown where the dialogue that shows it stands', async () => {
      const one = await takenOver({ epoch: 'o1', status: 'resting', ended: null }, { offer: 'o1' })
      await none()
      await until(() => one.what().includes('shown'), 'not counted')
      assert.deepEqual([one.what(), one.did.calls, one.did.owed], [['taken-over', 'shown'], [], []])
    })

    for (const [why, stands] of [
      ['that dialogue has ended', { epoch: 'o1', status: 'ended', ended: 'completed' }],
      ['another one stands', { epoch: 'o2', status: 'resting', ended: null }],
      ['none stands', null],
    ] as const) {
      it(`goes by SMS where it may have been on its way to the handset and ${why}`, async () => {
        const one = await takenOver(stands, { offer: 'o1' })
        await until(() => one.did.owed.length === 1, 'no SMS')
        await none()
        assert.deepEqual([one.did.offered, one.did.calls.length], [[], 1])
      })
    }

    it('is put aside where it was forged: told to nobody, and not looked at again before it is given up', async () => {
      const open = () => {
        throw new StoreError('unsealed', 'forged')
      }
      const one = await takenOver(null, {}, { open })
      await until(() => one.what().includes('refused'), 'not counted')
      await until(async () => (await only()).lease_until.getTime() === START + 60_000 + 7_200_000, 'looked at again')
      assert.deepEqual([one.did.offered, one.did.owed], [[], []])
    })

    it('waits for the store where that cannot be asked, and that counts as no take-over', async () => {
      const find = () => Promise.reject(new StoreError('down', 'away'))
      const one = await takenOver(null, {}, { dialogues: { find } })
      await until(async () => (await only()).takeovers === 0, 'counted')
      assert.deepEqual(one.what(), [])
    })
  })

  describe('among many', () => {
    const many = (count: number, more: Partial<DeferredRow> = {}) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          insertDeferred(sql, { ...ROW, ...more, epoch: `m${n}` }, 'dead', at(0)),
        ),
      )
    const taken = async () => (await rows()).filter(({ lease }) => lease === 'me').length
    const silent: Backend = { name: 'shop', call: () => new Promise(() => undefined) }
    const forever = { backend: () => silent }

    it('is taken over by no daemon that waits for as many as it may', async () => {
      await many(5)
      const { look } = daemon({ ...forever, sql: counting() }, { waitingMax: 3 })
      await look()
      assert.equal(await taken(), 3)
    })

    it('leaves room for what is waited for already; without any, nothing is asked', async () => {
      const names: string[] = []
      const sees = counting((name) => void names.push(name))
      const { hold, look, clock, late } = daemon({ ...forever, sql: sees }, { waitingMax: 2 })
      await hold(new Promise(() => undefined))
      await many(3)
      await look()
      assert.equal(await taken(), 2)
      await until(() => !late.mayHold('digicel'), 'it does not wait for the second')
      names.length = 0
      await clock.advance(500)
      await until(() => names.includes('late-renew'), 'not renewed')
      assert.ok(!names.includes('late-take-over'))
    })

    it('is one of fifty in one look', async () => {
      await many(60)
      const { look } = daemon({ ...forever, sql: counting() }, { waitingMax: 100 })
      await look()
      assert.equal(await taken(), 50)
    })

    it('is given up an hour after its time, and counted on its line', async () => {
      await insertDeferred(sql, { ...ROW, epoch: 'old', until_at: at(500 - 3_600_000) }, 'other', at(600_000))
      await insertDeferred(sql, { ...ROW, epoch: 'young', until_at: at(501 - 3_600_000) }, 'other', at(600_000))
      const told: ToldAnswer[] = []
      const unreadable = () => {
        throw new StoreError('sealed', 'its key is gone')
      }
      const record = async (_trx: unknown, one: ToldAnswer) => void told.push(one)
      const { look, what } = daemon({ sql: counting(), record, open: unreadable })
      await look()
      assert.deepEqual([(await rows()).map(({ epoch }) => epoch), what()], [['young'], ['given-up']])
      assert.deepEqual(
        told.map(({ how, said, record: { epoch, snapshot, key } }) => [how, said, epoch, snapshot, key.msisdn]),
        [['given-up', null, 'old', null, ROW.msisdn]],
      )
    })
  })
})
