/** Test dials of a whole daemon: on every dialect, through stores and back ends; on a schedule; through the network. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testDialDefaults } from '../../../src/config/schema-test-dials.ts'
import { alarmsCommand } from '../../../src/cli/commands/alarms.ts'
import { testDialCommand, type TestDialOptions } from '../../../src/cli/commands/test-dial.ts'
import { linesCommand } from '../../../src/cli/commands/lines.ts'
import { startControl, type Control } from '../../../src/simulator/control/http.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import type { TestDialRow } from '../../../src/test-dials/test-dials.ts'
import { decode } from '../../../src/smpp/pdu/index.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { root } from '../../style/tree.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'
/** Of the modem. */
const MODEM = '67570000099'
const JOHN = '67570000001'

const FLOWS = {
  hello: `flow: hello
spec: 1
start: main
languages: [en]
screens:
  main:
    menu: 'Welcome on {line}'
    choices: [{ label: Pay, to: pay }, { label: Exit, to: bye }]
  pay: { call: shop.pay, once: true, expect: {}, to: paid, failed: sorry }
  paid: { end: 'Paid.' }
  sorry: { end: 'Not paid.' }
  bye: { end: 'Bye.' }
`,
  priced: `flow: priced
spec: 1
start: ask
languages: [en]
screens:
  ask: { call: shop.price, expect: { price: number }, to: main, failed: later }
  main: { end: 'It costs K{data.ask.price}.' }
  later: { end: 'Please try later.' }
`,
  paying: `flow: paying
spec: 1
start: pay
languages: [en]
screens:
  pay: { call: shop.pay, once: true, expect: {}, to: done, failed: later }
  done: { end: 'Paid.' }
  later: { end: 'Please try later.' }
`,
}

const dialects = readdirSync(join(root, 'dialects')).map((file) => file.replace('.yaml', ''))

describeWith(['redis', 'postgres'], 'test dials', function () {
  this.timeout(60_000)
  /** Of the line `standard`; `others` is that of all other lines. */
  let smsc: Smsc
  let others: Smsc
  let shop: Stub
  let control: Control
  let staged: Staged
  const operations = () => shop.heard.map(({ target }) => target.split('/').at(-1))
  const command = async (where: { line?: string; code?: string }, more: Partial<TestDialOptions> = {}) => {
    const lines: string[] = []
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    const options = { url, tokenFile: join(staged.settings.data, 'token'), ...more }
    const code = await testDialCommand(where, options, (line) => lines.push(line))
    return { code, said: lines.join('\n') }
  }
  const dialled = async (line: string, code: string): Promise<TestDialRow> =>
    (JSON.parse((await command({ line, code }, { json: true })).said) as TestDialRow[])[0]!
  const page = () => staged.daemon.metrics.registry.metrics()
  const sentTo = (one: Smsc) =>
    one
      .trace()
      .map(({ octets }) => decode(octets).pdu)
      .flatMap(({ command: is, body }) =>
        is === 'submit_sm' || is === 'data_sm' ? [String(body.destination_addr)] : [],
      )
  /** Nothing of a test dial is among what subscribers do. */
  const nothingCounted = async () => {
    const { metrics, stores } = staged.daemon
    for (const name of ['ussd_messages_total', 'ussd_replies_total', 'ussd_dialogues_total'] as const)
      assert.equal(await metrics.value(name), 0, name)
    assert.doesNotMatch(await page(), /flow_turns_total\{/)
    await until(async () => (await stores.dialogues.count()) === 0, 'a dialogue is left')
    assert.equal(Number((await staged.knex('sms_outbox').count())[0]!.count), 0)
    assert.deepEqual(
      [...sentTo(smsc), ...sentTo(others)].filter((to) => to !== MODEM),
      [],
    )
  }

  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    others = await startSmsc({ clock: realClock, chance: Math.random })
    control = await startControl({ smsc })
    shop = await stub()
    shop.says(({ target }, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(target.endsWith('/price') ? '{"price":5,"sms":[{"key":"a","to":"67570000001","text":"no"}]}' : '{}')
    })
    staged = await stageDaemon({
      smscPort: others.port,
      change: (settings) => {
        mkdirSync(join(settings.data, 'flows'), { recursive: true })
        for (const [name, text] of Object.entries(FLOWS))
          writeFileSync(join(settings.data, 'flows', `${name}.yaml`), text)
        settings.flows.dir = join(settings.data, 'flows')
        const [first] = settings.lines
        settings.lines.length = 0
        for (const dialect of dialects) settings.lines.push({ ...structuredClone(first!), name: dialect, dialect })
        settings.lines.find(({ name }) => name === 'standard')!.smsc.port = smsc.port
        const http = { url: shop.url, timeoutMs: 500, headers: {}, concurrent: 5, retries: 0, octetsMax: 10_000 }
        Object.assign(settings.backends, { shop: { http: { ...http, ended: true } } })
        settings.services.splice(0, 1, { code: '*123#', flow: 'hello' })
        settings.services.push({ code: '*124#', flow: 'priced', lines: ['standard'] })
        settings.services.push({ code: '*125#', flow: 'paying', lines: ['standard'] })
        // It works at the second look: the seconds of the default are for links that come up.
        const wish = { ...testDialDefaults, everyMs: 1_000, line: 'standard' }
        const dialler = `${control.url.replace(/\/$/, '')}/api/phones/${MODEM}`
        settings.testDials = [
          { ...wish, service: '*124#', expect: { regex: '^It costs K\\d+[.]$' } },
          {
            ...wish,
            service: '*123#',
            from: MODEM,
            everyMs: 600_000,
            dialler: { url: `${dialler}/dial`, hangUpUrl: `${dialler}/hang-up` },
          },
          // Not by the schedule of this test.
          { ...testDialDefaults, line: 'tj', service: '*123#', everyMs: 86_400_000, expect: { text: 'Good bye' } },
        ]
        writeFileSync(join(settings.data, 'token'), TOKEN, { mode: 0o600 })
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'mary' })
        settings.alarms = { afterMs: 1_000, overMs: 1_000, certificateDays: 21 }
      },
    })
    await Promise.all([smsc.bound(1), others.bound(dialects.length - 1)])
  })
  after(async () => {
    await staged?.close()
    await control?.stop()
    await smsc?.stop()
    await others?.stop()
    await shop?.close()
  })

  it('get the first screen in every dialect, and nothing of it is counted, stored or sent', async () => {
    const seen = new Map<string, string>()
    for (const dialect of dialects.filter((one) => one !== 'standard')) {
      const { result, why, screen } = await dialled(dialect, '*123#')
      seen.set(dialect, result === 'ok' ? (screen ?? '').split('\n')[0]! : `${result}: ${why}`)
    }
    assert.equal(seen.get('tj'), 'unexpected: the first screen is not the expected one')
    seen.delete('tj')
    assert.deepEqual(
      [...seen],
      Array.from(seen.keys(), (dialect) => [dialect, `Welcome on ${dialect}`]),
    )
    await nothingCounted()
    // What leaves this daemon behind, if it is killed in the middle, is of no line of the settings.
    const logged = staged.logged().filter(({ msg }) => msg === 'dialogue ended')
    assert.ok(
      logged.every(
        ({ level, line, testDial }) => level === 'debug' && testDial === true && String(line).startsWith('test-dial:'),
      ),
    )
    assert.ok(logged.length >= dialects.length - 1)
  })

  it('say why nobody is served, with an exit code; and change nothing', async () => {
    const asked = operations().length
    const paid = await command({ line: 'standard', code: '*125#' })
    assert.equal(paid.code, 1)
    assert.match(paid.said, /^standard +\*125# +would-change .* the first screen comes only after shop[.]pay$/m)
    assert.match(paid.said, /^1 of 1 are not answered$/m)
    assert.match(paid.said, /^ {2}would-change: nothing was changed/m)
    const unknown = await dialled('kz', '*777#')
    assert.deepEqual([unknown.result, unknown.why], ['turned-away', 'unknown-code'])
    assert.deepEqual(
      operations()
        .slice(asked)
        .filter((one) => one !== 'price'),
      [],
    )
    assert.equal((await command({ line: 'kz', code: '*123#' })).code, 0)
    const wrong = await command({ line: 'nowhere', code: '*123#' })
    assert.deepEqual([wrong.code, wrong.said], [3, "REFUSED  400: there is no line 'nowhere'"])
    await nothingCounted()
  })

  it('do not dial where an operator stopped the line, and say of a line that is down that it is', async () => {
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    const options = { url, tokenFile: join(staged.settings.data, 'token') }
    await linesCommand({ ...options, stop: 'mica' }, () => undefined)
    const stopped = await command({ line: 'mica', code: '*123#' })
    assert.equal(stopped.code, 2)
    assert.match(stopped.said, /^nothing to dial: the line is stopped or held/)
    await linesCommand({ ...options, start: 'mica' }, () => undefined)
    await until(async () => (await dialled('mica', '*123#')).result === 'ok', 'not bound again')
    await others.stop()
    await until(async () => (await dialled('mica', '*123#')).result === 'line-down', 'it is not seen that it is down')
    others = await startSmsc({ clock: realClock, chance: Math.random, port: others.port })
    await others.bound(dialects.length - 1, 30_000)
  })

  it('run on a schedule: a metric, an alarm that names the back end, and its end', async () => {
    const up = async () => /^ussd_test_dial_up\{line="standard",service="\*124#"\} (\d)$/m.exec(await page())?.[1]
    await until(async () => (await up()) === '1', 'no test dial', 20_000)
    assert.match(await page(), /^ussd_test_dial_last_success_seconds\{line="standard",service="\*124#"\} \d{10}/m)
    const alarms = async () => {
      const lines: string[] = []
      const url = `http://127.0.0.1:${staged.daemon.admin.port}`
      await alarmsCommand({ url, tokenFile: join(staged.settings.data, 'token') }, (line) => lines.push(line))
      return lines.join('\n')
    }
    shop.says({ status: 500, headers: {}, body: '' })
    await until(async () => (await up()) === '0', 'the fault is not noticed')
    const alarm = /^critical +test-dial +standard \*124# .* back-end: shop[.]price: down$/m
    await until(async () => alarm.test(await alarms()), 'no alarm', 20_000)
    const told = await command({ line: 'standard', code: '*124#' }, { last: true })
    assert.equal(told.code, 1)
    assert.match(told.said, /^standard +\*124# +back-end/m)
    shop.says({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"price":7}' })
    await until(async () => (await up()) === '1', 'not up again')
    await until(async () => !alarm.test(await alarms()), 'the alarm is not over', 20_000)
    const warned = staged.logged().filter(({ msg, service }) => msg === 'a test dial failed' && service === '*124#')
    assert.equal(warned.length, 1)
    assert.ok(staged.logged().some(({ msg }) => msg === 'test dials are answered again'))
    // Neither SMS that an answer asks for, nor the end of a dialogue, reach anybody.
    assert.deepEqual(new Set(operations()), new Set(['price']))
    await nothingCounted()
  })

  it('go through the network, by a dialler of the operator, and still change and count nothing', async () => {
    const { result, screen } = await dialled('standard', '*123#')
    assert.deepEqual([result, screen], ['ok', 'Welcome on standard\n1. Pay\n2. Exit'])
    const { metrics, stores } = staged.daemon
    await until(async () => (await stores.dialogues.count()) === 0, 'the dialler did not hang up')
    // Somebody plays with the modem.
    const modem = smsc.phone(MODEM)
    await modem.dial('*123#')
    await modem.answer('1')
    assert.equal(modem.screen?.text, 'Not paid.')
    assert.ok(!operations().includes('pay'))
    assert.equal(await metrics.value('ussd_dialogues_total'), 0)
    assert.equal(await metrics.value('ussd_messages_total'), 0)
    assert.ok(sentTo(smsc).includes(MODEM))
    const john = smsc.phone(JOHN)
    await john.dial('*123#')
    await john.answer('1')
    assert.equal(john.screen?.text, 'Paid.')
    await until(async () => (await metrics.value('ussd_dialogues_total')) === 1, 'a subscriber is not counted')
    smsc.phone(MODEM).isOff = true
    staged.settings.testDials[1]!.timeoutMs = 500
    const off = await dialled('standard', '*123#')
    assert.equal(off.result, 'no-answer')
  })

  it('that a killed daemon left behind are ended by the next, which sends nothing and counts no subscriber', async () => {
    const { stores, metrics } = staged.daemon
    const nowMs = realClock.now()
    const key = { group: 'test-dial.gone.1', msisdn: '999000000001' }
    await stores.dialogues.open({
      key,
      network: '1',
      code: '*123#',
      line: 'test-dial:kz',
      answer: { kind: 'begin', text: '', step: null },
      link: 'kz/test#gone.1',
      returnPath: { from: [1, 1, key.msisdn], to: [0, 1, '123'], serviceType: 'USSD', carrier: '' },
      token: 'gone',
      nowMs,
      still: undefined,
      leaseUntilMs: nowMs - 1,
      epoch: 'gone',
    })
    await until(async () => (await stores.dialogues.find(key))?.status === 'ended', 'it is left open')
    assert.equal((await stores.dialogues.find(key))!.ended, 'bind-lost')
    assert.equal(await metrics.value('ussd_dialogues_total', { line: 'test-dial:kz' }), 1)
    assert.deepEqual(sentTo(others), [])
  })
})
