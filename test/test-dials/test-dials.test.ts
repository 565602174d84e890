/** The schedule of test dials: which there are, when they are due, what is told of them. */
import assert from 'node:assert/strict'
import { parseSettings } from '../../src/config/load.ts'
import { testDialDefaults } from '../../src/config/schema-test-dials.ts'
import { expectedBy } from '../../src/config/test-dial-expected.ts'
import { createMetrics, type Metrics } from '../../src/base/metrics.ts'
import { testDialConditions } from '../../src/daemon/watch/conditions.ts'
import { planDials, type PlannedDial } from '../../src/test-dials/plan.ts'
import type { TestDialHeard } from '../../src/test-dials/outcome.ts'
import { createTestDials, type TestDials } from '../../src/test-dials/test-dials.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'

const OK: TestDialHeard = { result: 'ok', why: '', text: 'Welcome' }
const DOWN: TestDialHeard = { result: 'back-end', why: 'shop.price: down' }
const LINES = [{ name: 'north' }, { name: 'south' }]
const SERVICES = [
  { code: '*123#', flow: 'a' },
  { code: '*124#', flow: 'b', lines: ['south'] },
  { code: '*', flow: 'c' },
]

describe('which test dials there are', () => {
  const planned = (...wishes: Partial<PlannedDial['wish']>[]) =>
    planDials(
      wishes.map((wish) => ({ ...testDialDefaults, ...wish })),
      { lines: LINES, services: SERVICES },
    ).map(({ line, service, wish }) => `${line} ${service} ${wish.everyMs}`)

  it('each code on each line that has it, and no code that stands for all others', () => {
    assert.deepEqual(planned({}), ['north *123# 60000', 'south *123# 60000', 'south *124# 60000'])
    assert.deepEqual(planned(), [])
  })

  it('what names more goes first, so that one line may have its own expectation', () => {
    assert.deepEqual(
      planned({}, { line: 'south', service: '*124#', everyMs: 5_000 }, { line: 'south', everyMs: 7_000 }),
      ['south *124# 5000', 'south *123# 7000', 'north *123# 60000'],
    )
    assert.deepEqual(planned({ service: '*123*4#' }), ['north *123*4# 60000', 'south *123*4# 60000'])
  })
})

describe('the settings of test dials', () => {
  const read = (testDials: string) => {
    const source = `
lines: [{ name: north, smsc: { host: 127.0.0.1, systemId: a, password: b } }]
services: [{ code: "*123#", flow: a }]
redis: embedded
postgres: embedded
testDials: ${testDials}
`
    return parseSettings(source, 'test.yaml', {}).settings.testDials
  }

  it('need nothing: each code on each line, each minute, by a number that nobody has', () => {
    const [only] = read('[{}]')
    assert.deepEqual([only!.everyMs, only!.from, only!.timeoutMs], [60_000, '999000000001', 10_000])
  })

  it('name what is wrong', () => {
    assert.throws(() => read('[{ line: nroth }]'), /there is no line 'nroth' over SMPP[\s\S]*north/)
    assert.throws(() => read('[{ service: "abc" }]'), /what is dialled/)
    assert.throws(() => read('[{ expect: {} }]'), /either text or regex/)
    assert.throws(() => read('[{ expect: { text: a, regex: b } }]'), /either text or regex/)
    assert.throws(() => read('[{ expect: { regex: "(a+)+(" } }]'), /not a valid pattern/)
    assert.throws(() => read('[{ expect: { regex: "(?=a)b" } }]'), /regex/)
    assert.throws(
      () => read('[{ dialler: { url: "http://127.0.0.1:1/dial" } }]'),
      /with a dialler, say line and service/,
    )
    assert.throws(() => read('[{ everyMs: 10 }]'), /everyMs/)
  })

  it('match what is expected anywhere in the screen', () => {
    assert.equal(expectedBy({ text: 'K7' })!('Balance: K7.50'), true)
    assert.equal(expectedBy({ text: 'K8' })!('Balance: K7.50'), false)
    assert.equal(expectedBy({ regex: 'K\\d+' })!('Balance: K7.50'), true)
    assert.equal(expectedBy({ regex: '^K' })!('Balance: K7.50'), false)
    assert.equal(expectedBy(undefined), undefined)
  })
})

describe('the schedule of test dials', () => {
  let clock: FakeClock
  let metrics: Metrics
  let said: TestDialHeard | null
  let dialled: string[]
  let logged: string[]
  let dials: TestDials
  let lines: { name: string }[]
  const gauge = async (name: string) => {
    const page = await metrics.registry.metrics()
    return page.split('\n').filter((row) => row.startsWith(`${name}{`))
  }

  beforeEach(() => {
    clock = fakeClock()
    metrics = createMetrics({ process: false })
    ;[said, dialled, logged, lines] = [OK, [], [], [{ name: 'north' }]]
    const log = (_: object, message: string) => void logged.push(message)
    dials = createTestDials({
      settings: { lines, services: [SERVICES[0]], testDials: [testDialDefaults] } as never,
      clock,
      chance: () => 0,
      log: { debug: log, info: log, warn: log, error: log },
      metrics,
      run: async ({ line, service }) => {
        dialled.push(`${line} ${service}`)
        await new Promise<void>((done) => clock.after(250, done))
        return said
      },
    })
    dials.start()
  })
  afterEach(() => dials.stop())

  it('dial when the lines have had time to bind, then at the interval', async () => {
    await clock.advance(2_900)
    assert.deepEqual(dialled, [])
    assert.deepEqual(await gauge('ussd_test_dial_up'), [])
    await clock.advance(2_000)
    assert.deepEqual(dialled, ['north *123#'])
    await clock.advance(59_000)
    assert.equal(dialled.length, 1)
    await clock.advance(62_000)
    assert.equal(dialled.length, 3)
    assert.deepEqual(await gauge('ussd_test_dial_up'), ['ussd_test_dial_up{line="north",service="*123#"} 1'])
    assert.deepEqual(await gauge('ussd_test_dial_seconds'), [
      'ussd_test_dial_seconds{line="north",service="*123#"} 0.25',
    ])
  })

  it('warn once, and say when it is over; the metric keeps when it was last well', async () => {
    await clock.advance(5_000)
    const [wasOk] = await gauge('ussd_test_dial_last_success_seconds')
    said = DOWN
    await clock.advance(180_000)
    assert.deepEqual(await gauge('ussd_test_dial_up'), ['ussd_test_dial_up{line="north",service="*123#"} 0'])
    assert.deepEqual(await gauge('ussd_test_dial_last_success_seconds'), [wasOk])
    assert.equal(await metrics.value('ussd_test_dials_total', { result: 'back-end' }), 3)
    const [condition] = testDialConditions(dials.rows())
    assert.deepEqual(
      [condition!.alarm, condition!.subject, condition!.line, condition!.why],
      ['test-dial', 'north *123#', 'north', 'back-end: shop.price: down'],
    )
    assert.equal(condition!.sinceMs, Date.parse(dials.rows()[0]!.failingSince!))
    said = OK
    await clock.advance(61_000)
    assert.deepEqual(logged, ['a test dial failed', 'test dials are answered again'])
    assert.deepEqual(testDialConditions(dials.rows()), [])
  })

  it('have no value while the line is stopped, or is with another daemon, and none once it is gone', async () => {
    await clock.advance(5_000)
    said = null
    await clock.advance(61_000)
    assert.deepEqual([await gauge('ussd_test_dial_up'), dials.rows()], [[], []])
    said = OK
    await clock.advance(61_000)
    assert.equal(dials.rows().length, 1)
    lines.length = 0
    await clock.advance(2_000)
    assert.deepEqual([await gauge('ussd_test_dial_up'), dials.rows()], [[], []])
  })

  it('raise no alarm of their own for a line that is down: it has one', async () => {
    said = { result: 'line-down', why: 'connection-refused' }
    await clock.advance(5_000)
    assert.deepEqual(await gauge('ussd_test_dial_up'), ['ussd_test_dial_up{line="north",service="*123#"} 0'])
    assert.deepEqual(testDialConditions(dials.rows()), [])
  })

  it('go on after the clock was set back by a day', async () => {
    await clock.advance(5_000)
    clock.set(-86_400_000)
    await clock.advance(5_000)
    assert.equal(dialled.length, 2)
  })

  it('on request: the screen is for who asks; a code of no schedule leaves no metric', async () => {
    const asked = dials.dial({ line: 'north', service: '*999#' })
    await clock.advance(300)
    const [row] = await asked
    assert.deepEqual([row!.service, row!.result, row!.screen], ['*999#', 'ok', 'Welcome'])
    assert.deepEqual(await gauge('ussd_test_dial_up'), [])
    assert.equal(await metrics.value('ussd_test_dials_total'), 0)
    await clock.advance(5_000)
    assert.equal(dials.rows()[0]!.screen, undefined)
  })
})
