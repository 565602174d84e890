import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { createLogLevels, FOLLOWED_MAX } from '../../../src/base/log/levels.ts'
import { createLog } from '../../../src/base/log/log.ts'
import { fakeClock } from '../../support/clock.ts'

const JOHN = '67570000001'
const MINUTE = 60_000

describe('the level of the log', () => {
  function logged() {
    const written: string[] = []
    const destination = new Writable({ write: (chunk, _, done) => (written.push(String(chunk)), done()) })
    const root = createLog({ level: 'info', key: Buffer.from('key'), destination: destination as never })
    const clock = fakeClock()
    const limits: string[] = []
    const counters = { count: (_: string, labels?: Record<string, string>) => void limits.push(labels!.limit!) }
    const levels = createLogLevels(root, clock, counters as never)
    return {
      levels,
      clock,
      limits,
      root,
      said: () => written.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>),
    }
  }

  it('is that of the settings for all, until one subsystem gets another for a while', async () => {
    const { levels, clock, root, said } = logged()
    const [smpp, ussd] = [levels.of('smpp'), levels.of('ussd')]
    smpp.debug({}, 'one')
    assert.deepEqual(said(), [])
    levels.raise('smpp', 'debug', 10 * MINUTE)
    smpp.debug({}, 'two')
    ussd.debug({}, 'not this one')
    assert.deepEqual(
      said().map(({ msg, subsystem }) => `${subsystem} ${msg}`),
      ['smpp two'],
    )
    levels.raise('all', 'warn', 5 * MINUTE)
    smpp.debug({}, 'its own goes before')
    ussd.info({}, 'not this one')
    root.info({}, 'nor this one')
    assert.deepEqual(
      said().map(({ msg }) => msg),
      ['its own goes before'],
    )
    await clock.advance(5 * MINUTE)
    ussd.info({}, 'again')
    await clock.advance(5 * MINUTE)
    smpp.debug({}, 'it is over')
    assert.deepEqual(
      said().map(({ msg }) => msg),
      ['again'],
    )
    assert.deepEqual(levels.rows(), { level: 'info', raised: [], followed: [] })
  })

  it('of the settings may change meanwhile', async () => {
    const { levels, said } = logged()
    const smpp = levels.of('smpp')
    levels.raise('smpp', 'error', MINUTE)
    levels.level = 'debug'
    smpp.warn({}, 'no')
    levels.of('ussd').debug({}, 'yes')
    levels.reset()
    smpp.debug({}, 'yes, too')
    assert.deepEqual(
      said().map(({ msg }) => msg),
      ['yes', 'yes, too'],
    )
    assert.equal(levels.level, 'debug')
  })

  it('of a subscriber who is followed does not count: all is written, of nobody else, without the number, and it ends', async () => {
    const { levels, clock, said } = logged()
    const ussd = levels.of('ussd')
    assert.equal(levels.follow(JOHN, 10 * MINUTE), true)
    ussd.debug({ msisdn: JOHN, turn: 1 }, 'turn played')
    ussd.debug({ msisdn: '67570000002', turn: 1 }, 'turn played')
    ussd.debug({}, 'of nobody')
    ussd.info({ msisdn: '67570000002' }, 'as ever')
    const lines = said()
    assert.deepEqual(
      lines.map(({ msg, turn }) => [msg, turn]),
      [
        ['turn played', 1],
        ['as ever', undefined],
      ],
    )
    assert.equal(JSON.stringify(lines).includes(JOHN), false)
    const { followed } = levels.rows()
    assert.equal(JSON.stringify(followed).includes(JOHN), false)
    assert.deepEqual(
      followed.map(({ msisdn, subscriber }) => [msisdn, subscriber]),
      [['675******01', lines[0]!.subscriber]],
    )
    await clock.advance(10 * MINUTE)
    ussd.debug({ msisdn: JOHN, turn: 2 }, 'turn played')
    assert.deepEqual(said(), [])
  })

  it('is set for a bounded number of subscribers; one who is followed already goes on for longer', async () => {
    const { levels, clock, limits, said } = logged()
    for (let n = 0; n < FOLLOWED_MAX; n++) assert.equal(levels.follow(`6757000${1000 + n}`, MINUTE), true)
    assert.equal(levels.follow(JOHN, MINUTE), false)
    assert.deepEqual(limits, ['log_followed_max'])
    assert.equal(levels.follow('67570001000', 3 * MINUTE), true)
    await clock.advance(MINUTE)
    assert.equal(levels.rows().followed.length, 1)
    levels.of('sms').debug({ msisdn: '67570001000' }, 'SMS submitted')
    assert.equal(said().length, 1)
  })
})
