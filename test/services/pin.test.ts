import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import { Refusal, type BackendModule, type CallContext } from '../../src/backend/types.ts'
import { isWeak, pinPepper, pins, PIN_DEFAULTS } from '../../src/services/pin/module.ts'
import { pinOptions } from '../../src/services/pin/options.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'

const JOHN = '67570000001'
const START = Date.parse('2025-05-01T09:00:00+10:00')

describeBoth('PINs', (database) => {
  let clock: FakeClock
  let module: BackendModule
  let counted: string[]
  let serial = 0
  let told: unknown

  const open = (pepper?: Buffer) =>
    pins({
      sql: database.db.sql,
      clock,
      settings: PIN_DEFAULTS,
      pepper,
      counters: { count: (_name, { result }) => void counted.push(result) },
    })

  beforeEach(async () => {
    await database.db.knex('pin').delete()
    clock = fakeClock(START)
    counted = []
    module = open()
  })

  async function call(operation: string, pin?: string, who: Partial<CallContext> = {}): Promise<unknown> {
    const context: CallContext = {
      intention: `e:1:${++serial}`,
      epoch: 'e',
      msisdn: JOHN,
      language: 'en',
      line: 'a',
      todayMs: clock.today(),
      signal: new AbortController().signal,
      ...who,
    }
    const given = await module.operations[operation]!(pin === undefined ? {} : { pin }, context)
    told = given instanceof Refusal ? given.data : given
    return given instanceof Refusal ? given.refusal : given
  }

  async function set(pin: string): Promise<void> {
    assert.deepEqual(await call('propose', pin), {})
    assert.deepEqual(await call('confirm', pin), {})
  }

  it('are set by typing them twice, and then verified', async () => {
    assert.deepEqual(await call('known'), { set: false })
    assert.equal(await call('verify', '2580'), 'unset')
    await set('2580')
    assert.deepEqual(await call('known'), { set: true })
    assert.deepEqual(await call('verify', '2580'), {})
    assert.equal(await call('verify', '2581'), 'wrong')
    assert.equal(await call('verify'), 'wrong')
  })

  it('are told with the tries that are left, the same when the turn is played again, and anew after a right one', async () => {
    await set('2580')
    const left = async (pin: string, who?: Partial<CallContext>) => [await call('verify', pin, who), told]
    assert.deepEqual(await left('1111', { intention: 'e:9:1' }), ['wrong', { left: 2 }])
    assert.deepEqual(await left('1111', { intention: 'e:9:1' }), ['wrong', { left: 2 }])
    assert.deepEqual(await left('1112'), ['wrong', { left: 1 }])
    assert.deepEqual(await left('2580'), [{}, {}])
    assert.deepEqual(await left('1111'), ['wrong', { left: 2 }])
    await call('verify', '1111')
    assert.deepEqual(await left('1111'), ['locked', null])
  })

  it('are not set when the second time differs, nor by another dialogue', async () => {
    await call('propose', '2580')
    assert.equal(await call('confirm', '2581'), 'differs')
    assert.equal(await call('confirm', '2580'), 'differs')
    await call('propose', '2580')
    assert.equal(await call('confirm', '2580', { epoch: 'another' }), 'differs')
    assert.deepEqual(await call('known'), { set: false })
  })

  it('are changed only in a dialogue that has verified the one in force', async () => {
    await set('2580')
    assert.equal(await call('propose', '3691'), 'unverified')
    await call('verify', '2580')
    assert.equal(await call('propose', '3691', { epoch: 'another' }), 'unverified')
    await set('3691')
    assert.equal(await call('verify', '2580'), 'wrong')
    assert.equal(await call('propose', '4802'), 'unverified')
  })

  it('lock after three wrong tries, also for the right one and over a restart, and open again by themselves', async () => {
    await set('2580')
    assert.deepEqual(
      [await call('verify', '1'), await call('verify', '2'), await call('verify', '3')],
      ['wrong', 'wrong', 'locked'],
    )
    module = open()
    assert.equal(await call('verify', '2580'), 'locked')
    await clock.advance(PIN_DEFAULTS.lockMs - 1)
    assert.equal(await call('verify', '2580'), 'locked')
    await clock.advance(1)
    assert.deepEqual(await call('verify', '2580'), {})
    assert.deepEqual(counted.slice(2), ['wrong', 'wrong', 'locked', 'locked', 'locked', 'ok'])
  })

  it('are locked twice as long each time in a row, up to a limit; a right one begins again', async () => {
    await set('2580')
    const { lockMs, lockMaxMs } = PIN_DEFAULTS
    const locks = async () => {
      assert.equal(await call('verify', '1'), 'wrong')
      assert.deepEqual(told, { left: 2 })
      assert.equal(await call('verify', '2'), 'wrong')
      assert.deepEqual(told, { left: 1 })
      assert.equal(await call('verify', '3'), 'locked')
      const { locked_until } = await database.db.knex('pin').first()
      return (locked_until as Date).getTime() - clock.now()
    }
    const spans = [1, 2, 4, 8, 16, 32, 64, 128, lockMaxMs / lockMs, lockMaxMs / lockMs].map((times) => times * lockMs)
    for (const span of spans) {
      assert.equal(await locks(), span)
      await clock.advance(span - 1)
      assert.equal(await call('verify', '2580'), 'locked')
      await clock.advance(1)
    }
    assert.deepEqual(await call('verify', '2580'), {})
    assert.equal(await locks(), lockMs)
  })

  it('with a key file cannot be tried out on a stolen table, and those from before get its pepper when they are right', async () => {
    const stolen = async () => (await database.db.knex('pin').first()) as { salt: Buffer; hash: Buffer }
    await set('2580')
    const plain = await stolen()
    assert.deepEqual(
      scryptSync('2580', plain.salt, 32, { N: 16_384, r: 8, p: 1 }),
      plain.hash,
      'a PIN of four digits is found',
    )
    module = open(pinPepper(Buffer.alloc(32, 1)))
    assert.equal(await call('verify', '2581'), 'wrong')
    assert.deepEqual((await stolen()).salt, plain.salt)
    assert.deepEqual(await call('verify', '2580'), {})
    const renewed = await stolen()
    assert.notDeepEqual(scryptSync('2580', renewed.salt, 32, { N: 16_384, r: 8, p: 1 }), renewed.hash)
    assert.deepEqual(await call('verify', '2580'), {})
    await set('3691')
    assert.equal(await call('verify', '2580'), 'wrong')
    assert.deepEqual(await call('verify', '3691'), {})
    // Another key: wrong. No key: a fault of ours, which counts no try.
    module = open(pinPepper(Buffer.alloc(32, 2)))
    assert.equal(await call('verify', '3691'), 'wrong')
    module = open()
    await assert.rejects(call('verify', '3691'), /privacy\.storeKeyFile/)
    module = open(pinPepper(Buffer.alloc(32, 1)))
    assert.deepEqual(await call('verify', '3691'), {})
  })

  it('count only wrong tries in a row', async () => {
    await set('2580')
    for (const pin of ['1', '2', '2580', '1', '2', '2580']) await call('verify', pin)
    assert.deepEqual(await call('verify', '2580'), {})
  })

  it('take a turn that is played again for the same try', async () => {
    await set('2580')
    for (let i = 0; i < 5; i++) assert.equal(await call('verify', '1', { intention: 'e:7:0' }), 'wrong')
    assert.equal(await call('verify', '2', { intention: 'e:8:0' }), 'wrong')
    assert.deepEqual(await call('verify', '2580'), {})
  })

  it('count tries of two dialogues at once one by one', async () => {
    await set('2580')
    const tries = await Promise.all(['1', '2', '3', '4', '5'].map((pin) => call('verify', pin)))
    assert.deepEqual(tries.toSorted(), ['locked', 'locked', 'locked', 'wrong', 'wrong'])
  })

  it('stand in the database as a salted hash, one number apart from another', async () => {
    await set('2580')
    const other = { msisdn: '67570000002' }
    await call('propose', '2580', other)
    await call('confirm', '2580', other)
    const rows = await database.db.knex('pin').select('hash', 'salt', 'proposed_hash')
    assert.equal(rows.length, 2)
    assert.notDeepEqual(rows[0].hash, rows[1].hash)
    assert.ok(rows.every((row) => row.proposed_hash === null))
    assert.doesNotMatch(JSON.stringify(await database.db.knex('pin').select()), /2580/)
  })

  it('are refused where they are easily guessed', async () => {
    for (const pin of ['1234', '4321', '0000', '123', '1234567', '12a4', ''])
      assert.equal(await call('propose', pin), 'weak', pin)
    assert.equal(isWeak('1357', PIN_DEFAULTS.digits), false)
  })
})

describe('the settings of PINs', () => {
  it('have defaults', () => assert.deepEqual(pinOptions({}, 'backends.pin.settings'), PIN_DEFAULTS))

  it('are refused with their place', () => {
    assert.throws(() => pinOptions({ tries: 0, lock: 1 }, 'backends.pin.settings'), /backends\.pin\.settings\.tries/)
  })
})
