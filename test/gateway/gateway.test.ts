/** A message through the gateway: what is said to the SMSC and to the subscriber, and in which order. */
import assert from 'node:assert/strict'
import type { Backend, CallResult } from '../../src/backend/types.ts'
import { StoreError } from '../../src/base/errors.ts'
import type { Want } from '../../src/flow/engine/types.ts'
import { call } from '../dialogue/turn-support.ts'
import { gatewayFixture, LEASE_MS } from './gateway-fixture.ts'

const ask = (text: string): Want => ({ do: 'ask', text, screen: 's' })
const WANTS: Record<string, Want> = { first: ask('How many?'), asked: ask('And now?'), bought: ask('Bought') }

/** A back end that answers when the test says so. */
function slowShop() {
  const answers: (() => void)[] = []
  const shop: Backend = {
    name: 'shop',
    call: () => new Promise<CallResult>((done) => answers.push(() => done({ outcome: 'ok', value: {} } as never))),
  }
  return { shop, answers }
}

describe('a message', () => {
  it('is acknowledged only when the store has it, and then shown', async () => {
    const { dial, press, told, writes, settle } = gatewayFixture({ wants: WANTS })
    for (const send of [() => dial(), () => press('1')]) {
      told.length = 0
      let store = (): void => undefined
      writes.push(() => new Promise<void>((done) => (store = done)))
      const handled = send()
      await settle()
      assert.equal(told.join(), '', 'nothing is said before the write is done')
      store()
      await handled
      assert.deepEqual([told[0], told[1], told[2]?.slice(0, 6)], ['stored', 'status 0', 'screen'])
    }
  })

  it('of a turn that awaits a back end is acknowledged before the call is answered', async () => {
    const { shop, answers } = slowShop()
    const { dial, told, settle } = gatewayFixture({ wants: { ...WANTS, first: call }, next: () => 'bought', shop })
    const handled = dial()
    await settle()
    assert.deepEqual(told, ['stored', 'status 0'])
    answers[0]!()
    await handled
    assert.deepEqual(told.slice(2, 4), ['stored', 'screen Bought'])
  })
})

describe('a turn that may have killed the process before this one', () => {
  it('is stored before its step is evaluated, and then again with its outcome; no other turn is', async () => {
    const asked: (number | null)[] = []
    let suspectBeforeMs = Infinity
    const isSuspect = (writtenMs: number | null) => (asked.push(writtenMs), (writtenMs ?? 0) < suspectBeforeMs)
    const { dial, press, told, writes, stepped, time } = gatewayFixture({ wants: WANTS, more: { isSuspect } })
    const openedMs = time.now()
    await dial()
    assert.equal(told.filter((one) => one === 'stored').length, 2)
    for (const [suspects, steps, stored] of [
      [Infinity, 0, 2],
      [0, 1, 1],
    ] as const) {
      suspectBeforeMs = suspects
      stepped.length = told.length = 0
      writes.push(async () => assert.equal(stepped.length, steps))
      await time.advance(1_000)
      await press('1', suspects ? '0702' : '0704')
      assert.deepEqual([stepped.length, told.filter((one) => one === 'stored').length], [1, stored])
      assert.ok(told.includes('screen And now?'))
    }
    assert.deepEqual(asked, [null, openedMs, openedMs + 1_000])
  })

  it('is not evaluated to tell a copy from a key: the screen comes again', async () => {
    const habits = { sameKeyMs: 1_000 }
    const { dial, press, told, stepped, metrics } = gatewayFixture({
      wants: WANTS,
      habits,
      more: { isSuspect: () => true },
    })
    await dial('0000')
    for (const _ of [1, 2]) await press('1', '0000')
    stepped.length = told.length = 0
    await press('1', '0000')
    assert.deepEqual([stepped.length, told], [0, ['status 0', 'screen And now?']])
    assert.equal(await metrics.value('limits_total', { limit: 'same_key_ms' }), 2, 'the second, and this one')
  })
})

describe('a message where the SMSC wants our submit_sm first', () => {
  it('is acknowledged behind its screen; what gets no screen of its turn at once', async () => {
    const { dial, press, told } = gatewayFixture({ wants: WANTS, habits: { deliverResp: 'after-submit' } })
    for (const send of [() => dial(), () => press('1', '0702')]) {
      told.length = 0
      await send()
      assert.equal(
        told
          .map((one) => one.split(' ')[0])
          .join()
          .slice(0, 20),
        'stored,screen,status',
      )
    }
    told.length = 0
    await press('1', '0702')
    assert.equal(told.join(), 'status 0', 'a copy')
  })
})

describe('what a message was, for the recorder', () => {
  it('is said of each: a code, and an answer that is no secret', async () => {
    const marks: string[] = []
    const more = { mark: (_pdu: unknown, _link: unknown, is: string) => void marks.push(is) }
    const { dial, press, hangUp } = gatewayFixture({ wants: WANTS, more })
    await dial()
    await press('1')
    await hangUp()
    assert.equal(marks[0], 'code')
    assert.ok(marks.every((mark) => mark === 'code' || mark === 'open'))
  })
})

describe('the lease of a turn', () => {
  const waits = (clock = {}) => {
    const { shop, answers } = slowShop()
    const wants = { ...WANTS, first: call }
    return { answers, ...gatewayFixture({ wants, next: () => 'bought', shop, clock }) }
  }

  it('is renewed while a back end works, so that nobody else takes it over; and the answer is shown once', async () => {
    const { dial, told, time, answers, dialogues, settle } = waits()
    const handled = dial()
    for (let n = 0; n < 12; n++) {
      await time.advance(LEASE_MS / 2)
      assert.deepEqual(await dialogues.overdue(time.now(), 9, 'other', time.now() + LEASE_MS), [])
    }
    answers[0]!()
    await handled
    await settle()
    assert.deepEqual(
      told.filter((one) => one.startsWith('screen')),
      ['screen Bought'],
    )
  })

  it('runs by the wall clock, also where the calendar is another', async () => {
    const { dial, time, dialogues, answers } = waits({ today: () => 0 })
    const handled = dial()
    await time.advance(LEASE_MS * 2)
    assert.deepEqual(await dialogues.overdue(time.now(), 9, 'other', time.now() + LEASE_MS), [])
    answers[0]!()
    await handled
  })
})

describe('a dial that gets no dialogue', () => {
  const fixture = (more = {}) => gatewayFixture({ wants: WANTS, ...more })

  it('gets a text that says why, is counted, and nothing is stored', async () => {
    const { dial, told, gateway, messages, dialogues } = fixture()
    await dial('0700', '*999#')
    gateway.drain()
    await dial('0800')
    assert.deepEqual(texts(told), ['unknown code', 'overload'])
    assert.equal(told.filter((one) => one === 'status 0').length, 2)
    assert.deepEqual([await messages('unknown-code'), await messages('overload')], [1, 1])
    assert.equal(await dialogues.count(), 0)
  })

  it('gets a status in place of a text where the dialect has one for overload, and tells nobody of it', async () => {
    const away: unknown[] = []
    const parts = { wants: WANTS, limits: { openMax: 0 }, more: { onTurnedAway: (who: unknown) => away.push(who) } }
    const throttled = gatewayFixture({ ...parts, habits: { overload: 'throttled' } })
    await throttled.dial()
    assert.deepEqual([throttled.told, away], [['status 88'], []])
    assert.equal(await throttled.messages('overload'), 1)
    const text = gatewayFixture(parts)
    await text.dial()
    assert.deepEqual(text.told.toSorted(), ['screen overload', 'status 0'])
    assert.deepEqual(away, [
      { msisdn: (away[0] as { msisdn: string }).msisdn, code: '*123#', line: 'main', why: 'overload' },
    ])
    const unknown = gatewayFixture({ ...parts, limits: {}, habits: { overload: 'throttled' } })
    await unknown.dial('0700', '*99#')
    assert.deepEqual(unknown.told.toSorted(), ['screen unknown code', 'status 0'], 'that is no overload')
  })
  it('gets nothing where one subscriber sends more than may be: it is acknowledged, and counted', async () => {
    const { dial, press, told, messages, metrics } = fixture({ perSubscriber: { perSecond: 1, burst: 1 } })
    await dial()
    told.length = 0
    await press('1')
    assert.deepEqual(told, ['status 0'])
    assert.equal(await messages('too-fast'), 1)
    assert.equal(await metrics.value('limits_total', { limit: 'subscriber_rate' }), 1)
  })

  it('is told that we are busy where the store is away, and the next dial is served', async () => {
    const { dial, told, writes, gateway, messages, dialogues } = fixture()
    writes.push(() => Promise.reject(new StoreError('down', 'away')))
    await dial()
    assert.deepEqual([texts(told), await dialogues.count()], [['busy'], 0])
    assert.equal(await messages('store-failed'), 1)
    await gateway.sweep()
    await dial('0800')
    assert.deepEqual([texts(told), await dialogues.count()], [['busy', 'How many?'], 1])
  })
})

describe('the end of a dialogue', () => {
  const ended: unknown[] = []
  const shop: Backend = {
    name: 'shop',
    call: async () => ({ outcome: 'ok', value: {} }) as never,
    ended: async (...of) => void ended.push(of.slice(0, 2)),
  }
  beforeEach(() => void (ended.length = 0))

  it('by a hang-up is counted once, releases what back ends hold, and its next key is told that it is over', async () => {
    const { dial, press, hangUp, told, messages, ends } = gatewayFixture({ wants: WANTS, shop })
    await dial()
    await hangUp()
    await hangUp()
    assert.deepEqual([await messages('ended'), await messages('unknown')], [1, 1])
    assert.deepEqual([await ends('subscriber-abort'), ended.length], [1, 1])
    told.length = 0
    await press('1')
    assert.deepEqual(texts(told), ['expired'])
    assert.ok(told.includes('status 0'))
  })

  it('of an earlier one is that of a new dial, which is counted as well', async () => {
    const { dial, told, ends, dialogues } = gatewayFixture({ wants: WANTS, shop })
    await dial()
    await dial('0800')
    assert.deepEqual(texts(told), ['How many?', 'How many?'])
    assert.deepEqual([await ends('superseded'), ended.length, await dialogues.count()], [1, 1, 1])
  })

  it('comes before the dial behind it, also under its number and read with it', async () => {
    const { dial, press, hangUp, told, ends, dialogues } = gatewayFixture({ wants: WANTS, shop })
    await dial()
    await press('1', '0702')
    told.length = 0
    await Promise.all([hangUp(), dial()])
    assert.deepEqual(texts(told), ['How many?'], 'the first screen, and not the one of the dialogue that ended')
    assert.deepEqual([await ends('subscriber-abort'), await ends('superseded')], [1, 0])
    await press('1', '0702')
    assert.equal(texts(told).includes('expired'), false)
    assert.equal(await dialogues.count(), 1)
  })

  it('comes behind the dial before it, also read with it', async () => {
    const { dial, hangUp, ends, dialogues } = gatewayFixture({ wants: WANTS, shop })
    await Promise.all([dial(), hangUp()])
    assert.deepEqual([await ends('subscriber-abort'), await dialogues.count()], [1, 0])
  })

  it('by another daemon, while the current screen is sent to a redial: the redial opens a dialogue', async () => {
    const { dial, press, told, dialogues } = gatewayFixture({ wants: WANTS, shop })
    await dial()
    await press('1', '0702')
    told.length = 0
    const find = dialogues.find.bind(dialogues)
    dialogues.find = async (key) => {
      dialogues.find = find
      await dialogues.drop(key, {}, 'subscriber-abort', Date.now())
      return find(key)
    }
    await dial()
    assert.deepEqual([texts(told), await dialogues.count()], [['How many?'], 1])
  })

  it('by an operator is shown and counted, once', async () => {
    const { dial, told, gateway, ends } = gatewayFixture({ wants: WANTS, shop })
    await dial()
    const key = { group: 'main', msisdn: '67570000001' }
    assert.equal((await gateway.end(key))?.ended, 'operator')
    assert.equal(await gateway.end(key), null)
    assert.deepEqual(texts(told), ['How many?', 'busy'])
    assert.equal(await ends('operator'), 1)
  })

  it('is that of a flow whose revision is gone', async () => {
    const gone = { current: () => undefined, pinned: async () => undefined }
    const { dial, told, ends } = gatewayFixture({ wants: WANTS, more: { flows: gone } })
    await dial()
    assert.deepEqual([texts(told), await ends('flow-gone')], [['busy'], 1])
  })
})

describe('the same message again', () => {
  it('is acknowledged and counted, and shown no second time', async () => {
    const { dial, press, told, messages, stepped } = gatewayFixture({ wants: WANTS })
    await dial()
    await press('1', '0702')
    const shown = texts(told).length
    await press('1', '0702')
    assert.deepEqual([texts(told).length, stepped.length, await messages('repeat')], [shown, 1, 1])
    assert.equal(told.at(-1), 'status 0')
  })
})

describe('a screen that the SMSC refuses', () => {
  it('ends its dialogue', async () => {
    const { dial, settle, ends, dialogues } = gatewayFixture({
      wants: WANTS,
      onSubmit: () => ({ kind: 'refused', status: 0x0b }),
    })
    await dial()
    await settle()
    assert.deepEqual([await ends('refused'), await dialogues.count()], [1, 0])
  })
})

/** The screens, in order. */
function texts(told: readonly string[]): string[] {
  return told.filter((one) => one.startsWith('screen ')).map((one) => one.slice('screen '.length))
}
