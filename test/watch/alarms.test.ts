/** When something is an alarm, when it is over, and what the web-hook gets: on a clock that the test moves. */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { silentLog } from '../../src/base/log/port.ts'
import { createAlarmHook, type AlarmHook } from '../../src/watch/alarm-hook.ts'
import { createAlarms, type Alarms, type AlarmTold, type AlarmCondition } from '../../src/watch/alarms.ts'
import { stub, type Stub } from '../backend/contracts/stub.ts'
import { fakeClock, settle, type FakeClock } from '../support/clock.ts'
import { until } from '../support/services.ts'

const START = Date.parse('2026-12-01T03:00:00Z')
const MINUTE = 60_000
const DOWN: AlarmCondition = {
  alarm: 'line-down',
  subject: 'north/0',
  line: 'north',
  severity: 'critical',
  why: '10.0.0.5:2775: connection-refused: ECONNREFUSED',
  remedy: 'nothing listens there',
}

describe('alarms', () => {
  let clock: FakeClock
  let alarms: Alarms
  let told: AlarmTold[]
  let logged: [string, string][]
  let silenced: Set<string | undefined>

  beforeEach(() => {
    clock = fakeClock(START)
    ;[told, logged, silenced] = [[], [], new Set()]
    const log = (level: string) => (_: object, message: string) => void logged.push([level, message])
    alarms = createAlarms({
      clock,
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      afterMs: 3 * MINUTE,
      overMs: MINUTE,
      isSilenced: (line) => silenced.has(line),
      tell: (one) => void told.push(one),
    })
  })
  /** Looks every five seconds for so long. */
  async function look(ms: number, ...conditions: AlarmCondition[]): Promise<void> {
    for (let gone = 0; gone < ms; gone += 5_000) {
      alarms.look(conditions)
      await clock.advance(5_000)
    }
    alarms.look(conditions)
  }
  const said = () => told.map(({ is, subject }) => `${is} ${subject}`)

  it('are raised when it has lasted, told once, and over when it has been well for a while', async () => {
    await look(3 * MINUTE - 5_000, DOWN)
    assert.deepEqual(said(), [])
    await look(5_000, DOWN)
    assert.deepEqual(said(), ['raised north/0'])
    await look(60 * MINUTE, DOWN)
    assert.deepEqual(said(), ['raised north/0'])
    assert.deepEqual(
      alarms.rows().map(({ subject, silenced: held }) => [subject, held]),
      [['north/0', false]],
    )
    await look(MINUTE - 5_000)
    assert.deepEqual(said(), ['raised north/0'])
    await look(10_000)
    assert.deepEqual(said(), ['raised north/0', 'over north/0'])
    assert.deepEqual(alarms.rows(), [])
    assert.deepEqual(logged, [
      ['error', 'alarm'],
      ['info', 'alarm over'],
    ])
    assert.equal(told[0]!.since, new Date(START).toISOString())
  })

  it('are not raised for what comes and goes, and a raised one that flaps is one', async () => {
    for (let n = 0; n < 10; n++) {
      await look(2 * MINUTE, DOWN)
      await look(10_000)
    }
    assert.deepEqual(said(), [])
    await look(4 * MINUTE, DOWN)
    for (let n = 0; n < 10; n++) {
      await look(30_000)
      await look(10_000, DOWN)
    }
    assert.deepEqual(said(), ['raised north/0'])
  })

  it('know how long it has been so already', async () => {
    alarms.look([{ ...DOWN, sinceMs: START - 3 * MINUTE }])
    assert.deepEqual(said(), ['raised north/0'])
    assert.equal(told[0]!.since, new Date(START - 3 * MINUTE).toISOString())
  })

  it('are held back by a silence of their line, and come when it ends', async () => {
    silenced.add('north')
    const other = { ...DOWN, subject: 'south/0', line: 'south' }
    await look(10 * MINUTE, DOWN, other)
    assert.deepEqual(said(), ['raised south/0'])
    assert.deepEqual(
      alarms.rows().map(({ subject, silenced: held }) => [subject, held]),
      [
        ['north/0', true],
        ['south/0', false],
      ],
    )
    silenced.clear()
    alarms.look([DOWN, other])
    assert.deepEqual(said(), ['raised south/0', 'raised north/0'])
    // What is well before the silence ends was never told, and has no end.
    silenced.add('north')
    await look(10 * MINUTE, { ...DOWN, subject: 'north/1' }, DOWN, other)
    await look(10_000, DOWN, other)
    silenced.clear()
    await look(10_000, DOWN, other)
    assert.deepEqual(said(), ['raised south/0', 'raised north/0'])
  })
})

describe('the web-hook of alarms', () => {
  const KEY = 'gie4aiPh8Ohx3eeWoo9e'
  const TOLD: AlarmTold = { ...DOWN, is: 'raised', since: '2026-12-01T02:57:00.000Z', at: '2026-12-01T03:00:00.000Z' }
  let clock: FakeClock
  let server: Stub
  let hook: AlarmHook
  let counted: string[]
  let status: number

  beforeEach(async () => {
    clock = fakeClock(START)
    server = await stub()
    status = 204
    server.says((_, response) => void response.writeHead(status).end())
    counted = []
    hook = createAlarmHook({
      settings: { url: `${server.url}?of=alarms`, key: KEY, timeoutMs: 5_000, giveUpMs: 600_000 },
      clock,
      log: silentLog,
      counters: { count: (_, labels) => void counted.push(labels!.result ?? labels!.limit!) },
      name: 'host-a:8123',
      instance: 'run1',
    })
  })
  afterEach(async () => {
    await hook.stop()
    await server.close()
  })
  const heard = () => server.heard.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

  it('is told who, what, since when, why and what to do, signed as other web-hooks are', async () => {
    hook.tell(TOLD)
    await until(() => counted.length === 1, 'not told')
    const [{ method, target, headers, body }] = server.heard as [(typeof server.heard)[0]]
    assert.deepEqual(JSON.parse(body), { id: 'run1-1', event: 'alarm', instance: 'host-a:8123', ...TOLD })
    const hash = createHash('sha256').update(body).digest('hex')
    const signed = [method, target, headers['x-ussd-timestamp'], hash].join('\n')
    assert.equal(headers['x-ussd-signature'], createHmac('sha256', KEY).update(signed).digest('hex'))
    assert.equal(headers['idempotency-key'], 'run1-1')
    assert.deepEqual(counted, ['told'])
  })

  it('gets them in order, each until it is taken', async () => {
    status = 500
    hook.tell(TOLD)
    hook.tell({ ...TOLD, is: 'over' })
    await until(() => counted.length === 1, 'not tried')
    await settle()
    assert.deepEqual(counted, ['again'])
    await clock.advance(1_000)
    await until(() => counted.length === 2, 'not tried again')
    await settle()
    status = 200
    await clock.advance(2_000)
    await until(() => counted.length === 4, 'not told')
    assert.deepEqual(counted, ['again', 'again', 'told', 'told'])
    assert.deepEqual(
      heard().map(({ id, is }) => `${String(id)} ${String(is)}`),
      ['run1-1 raised', 'run1-1 raised', 'run1-1 raised', 'run1-2 over'],
    )
  })

  it('is given up in the end, and waits in a bounded row', async () => {
    status = 500
    hook.tell(TOLD)
    for (let n = 0; n < 20 && !counted.includes('given-up'); n++) {
      const before = counted.length
      await until(() => counted.length > before || n > 0, 'not tried')
      await settle()
      await clock.advance(60_000)
      await until(() => counted.length > before, 'not tried again')
      await settle()
    }
    assert.equal(counted.at(-1), 'given-up')
    counted.length = 0
    for (let n = 0; n < 510; n++) hook.tell(TOLD)
    assert.equal(counted.filter((one) => one === 'alarms_waiting').length, 10)
  })
})
