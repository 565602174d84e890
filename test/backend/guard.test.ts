import assert from 'node:assert/strict'
import { CLOSED, allow, record, type Breaker } from '../../src/backend/breaker.ts'
import { guard } from '../../src/backend/guard.ts'
import { semaphore } from '../../src/base/tasks/semaphore.ts'
import { moduleBackend } from '../../src/backend/module.ts'
import { Refusal, type Backend, type CallContext, type CallResult } from '../../src/backend/types.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { fakeClock, settle } from '../support/clock.ts'

const context = (signal = new AbortController().signal): CallContext => ({
  intention: 'e:1:1',
  epoch: 'e',
  msisdn: '67570000001',
  language: 'en',
  line: 'digicel',
  todayMs: 0,
  signal,
})

function guardParts() {
  const counted: string[] = []
  const counters = {
    count: (name: string, labels: Record<string, string> = {}) =>
      void counted.push([name, ...Object.values(labels)].join(' ')),
  }
  return { clock: fakeClock(), counters, log: silentLog, counted }
}

describe('the breaker', () => {
  const fail = (breaker: Breaker, times: number, nowMs = 0) =>
    Array.from({ length: times }).reduce<Breaker>((b) => record(b, false, nowMs), breaker)

  it('opens after eight failures in a row, not after seven with a success between', () => {
    assert.equal(allow(fail(CLOSED, 7), 0).goes, true)
    assert.equal(allow(fail(CLOSED, 8), 0).goes, false)
    assert.equal(allow(fail(record(fail(CLOSED, 7), true, 0), 7), 0).goes, true)
  })

  it('lets one call look each two seconds while it is open, and closes when that one is answered', () => {
    const open = fail(CLOSED, 8, 1000)
    assert.equal(allow(open, 2999).goes, false)
    const looking = allow(open, 3000)
    assert.equal(looking.goes, true)
    assert.equal(allow(looking.breaker, 3001).goes, false)
    assert.equal(allow(record(looking.breaker, false, 3100), 5099).goes, false)
    assert.equal(allow(record(looking.breaker, true, 3100), 3101).goes, true)
  })
})

describe('a guarded back end', () => {
  it('a failure in the log says whose dialogue it was, and of a read for everybody whose it was not', async () => {
    const said: object[] = []
    const log = { ...silentLog, warn: (fields: object, message: string) => void said.push({ message, ...fields }) }
    const info = (fields: object, message: string) => void said.push({ message, ...fields })
    const failing = async (): Promise<CallResult> => ({ is: 'failed', why: 'late', detail: 'x' })
    const backend = guard({ name: 'wallet', call: failing }, { ...guardParts(), log: { ...log, info } }, 1)
    await backend.call('pay', {}, context())
    await backend.call('prices', {}, { ...context(), msisdn: '', epoch: '' })
    await backend.call('pay', {}, context(AbortSignal.abort()))
    const whose = { msisdn: '67570000001', line: 'digicel', epoch: 'e' }
    const failed = { message: 'back end failed', backend: 'wallet', why: 'late', detail: 'x' }
    assert.deepEqual(said.slice(0, 2), [
      { ...failed, operation: 'pay', ...whose },
      { ...failed, operation: 'prices', line: 'digicel' },
    ])
    for (let n = 0; n < 8; n++) await backend.call('pay', {}, context())
    const refused = { backend: 'wallet', operation: 'pay', why: 'down', limit: 'backend-breaker' }
    assert.deepEqual(said.at(-1), { message: 'back end not asked', ...refused, ...whose })
  })

  const stub = (call: () => Promise<CallResult>): Backend => ({ name: 'wallet', call })

  it('asks a back end that is down no longer, and serves again when it is back', async () => {
    const parts = guardParts()
    let asked = 0
    let isDown = true
    const backend = guard(
      stub(async () => (asked++, isDown ? { is: 'failed', why: 'down', detail: 'x' } : { is: 'data', data: 1 })),
      parts,
    )
    for (let i = 0; i < 20; i++) assert.equal((await backend.call('balance', {}, context())).is, 'failed')
    assert.equal(asked, 8)
    assert.ok(parts.counted.includes('limits_total backend-breaker'))
    isDown = false
    await parts.clock.advance(2000)
    assert.deepEqual(await backend.call('balance', {}, context()), { is: 'data', data: 1 })
    assert.deepEqual(await backend.call('balance', {}, context()), { is: 'data', data: 1 })
  })

  it('looks again in two seconds, also where the clock is set back by an hour', async () => {
    const parts = guardParts()
    let asked = 0
    const backend = guard(
      stub(async () => (asked++, { is: 'failed', why: 'down', detail: 'x' })),
      parts,
    )
    for (let i = 0; i < 8; i++) await backend.call('balance', {}, context())
    parts.clock.set(-3_600_000)
    await backend.call('balance', {}, context())
    assert.equal(asked, 8)
    await parts.clock.advance(2_000)
    await backend.call('balance', {}, context())
    assert.equal(asked, 9)
  })

  it('does not hold a refusal, or a call that the back end will not take, against it', async () => {
    let answer: CallResult = { is: 'refused', refusal: 'insufficient' }
    const backend = guard(
      stub(async () => answer),
      guardParts(),
    )
    for (let i = 0; i < 20; i++) await backend.call('buy', {}, context())
    answer = { is: 'failed', why: 'refused-call', detail: 'x' }
    for (let i = 0; i < 20; i++) await backend.call('buy', {}, context())
    answer = { is: 'data', data: null }
    assert.equal((await backend.call('buy', {}, context())).is, 'data')
  })

  it('lets calls over its limit wait their turn, in order, and not past their deadline', async () => {
    const parts = guardParts()
    const open: ((result: CallResult) => void)[] = []
    const backend = guard(
      stub(() => new Promise((done) => open.push(done))),
      parts,
      2,
    )
    const running = [1, 2].map(() => backend.call('balance', {}, context()))
    const turn = new AbortController()
    const impatient = backend.call('balance', {}, context(turn.signal))
    const patient = backend.call('balance', {}, context())
    await settle()
    assert.equal(open.length, 2)
    turn.abort()
    const late = { is: 'failed', why: 'late', detail: 'backend-concurrent' }
    assert.deepEqual(await impatient, late)
    assert.deepEqual(await backend.call('balance', {}, context(turn.signal)), late)
    for (const done of open) done({ is: 'data', data: null })
    await Promise.all(running)
    await settle()
    assert.equal(open.length, 3)
    open[2]!({ is: 'data', data: 1 })
    assert.deepEqual(await patient, { is: 'data', data: 1 })
    assert.deepEqual(
      parts.counted.filter((one) => one.startsWith('limits')),
      Array(2).fill('limits_total backend-concurrent'),
    )
  })

  it('tells a crowd beyond those who may wait at once that it is busy', async () => {
    const gate = semaphore(1, 1)
    const { signal } = new AbortController()
    assert.equal(await gate.enter(signal), 'in')
    const waiting = gate.enter(signal)
    assert.equal(await gate.enter(signal), 'full')
    gate.leave()
    assert.equal(await waiting, 'in')
    gate.leave()
    assert.equal(await gate.enter(signal), 'in')
  })

  it('keeps an end that the back end did not hear from harming anybody', async () => {
    const backend = guard(
      {
        ...stub(async () => ({ is: 'data', data: 1 })),
        ended: async () => {
          throw new Error('away')
        },
      },
      guardParts(),
    )
    await assert.doesNotReject(async () => backend.ended!('e', 'idle'))
  })
})

describe('a module back end', () => {
  const backend = moduleBackend('m', {
    operations: {
      echo: async (args, { msisdn }) => ({ args, msisdn }),
      no: async () => new Refusal('slot-taken', { more: 1 }),
      fault: async () => {
        throw new TypeError('of 67570000001')
      },
      database: async () => {
        throw Object.assign(new Error('Key (msisdn)=(67570000001)'), { severity: 'ERROR', code: '23505' })
      },
      never: () => new Promise(() => undefined),
    },
  })

  it('answers data and refusals', async () => {
    assert.deepEqual(await backend.call('echo', { a: 1 }, context()), {
      is: 'data',
      data: { args: { a: 1 }, msisdn: '67570000001' },
    })
    assert.deepEqual(await backend.call('no', {}, context()), {
      is: 'refused',
      refusal: 'slot-taken',
      data: { more: 1 },
    })
  })

  it('turns what an operation throws into a failure that quotes nobody', async () => {
    assert.deepEqual(await backend.call('fault', {}, context()), {
      is: 'failed',
      why: 'down',
      detail: 'fault: TypeError of …',
    })
    assert.deepEqual(await backend.call('database', {}, context()), {
      is: 'failed',
      why: 'down',
      detail: 'database: SQLSTATE 23505',
    })
  })

  it('does not know operations that it does not have, not even inherited ones', async () => {
    for (const operation of ['nothing', 'constructor', '__proto__', 'toString']) {
      const result = await backend.call(operation, {}, context())
      assert.ok(result.is === 'failed' && result.why === 'refused-call')
    }
  })

  it('is late at the deadline', async () => {
    const turn = new AbortController()
    const running = backend.call('never', {}, context(turn.signal))
    turn.abort()
    const result = await running
    assert.ok(result.is === 'failed' && result.why === 'late')
    const after = await backend.call('never', {}, context(turn.signal))
    assert.ok(after.is === 'failed' && after.why === 'late')
  })
})
