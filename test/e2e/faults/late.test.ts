import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexFactory from 'knex'
import type { Settings } from '../../../src/config/schema.ts'
import { callsMadeIn } from '../../../src/dialogue/calls-made.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { stub, type Heard, type Stub } from '../../backend/contracts/stub.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, settingsFor, stageDaemon, type Staged } from '../../support/daemon.ts'
import { bound, runProcess } from '../../support/process.ts'
import { describeWith, services, until } from '../../support/services.ts'

const FLOW = `
flow: loan
spec: 1
start: main
languages: [en]
screens:
  main: { menu: "Loans", choices: [{ label: My limit, to: limit }, { label: My debt, to: debt }] }
  limit: { call: bank.limit, to: offer, failed: sorry }
  debt: { call: bank.debt, as: it, to: owed, failed: sorry }
  offer: { menu: "Up to K {data.limit.amount}", choices: [{ label: Take it, to: take }, { label: No, to: bye }] }
  take: { call: till.take, once: true, to: taken, failed: sorry }
  taken: { end: "It is yours." }
  owed: { end: "You owe K {data.it.amount}." }
  sorry: { end: "The bank is not there." }
  bye: { end: "Bye." }
texts:
  en: { holding: "The bank is working. We will tell you." }
`
const MENU = 'Loans\n1. My limit\n2. My debt'
const HOLDING = 'The bank is working. We will tell you.'
const OFFER = 'Up to K 500\n1. Take it\n2. No'

/** A back end that answers when the test says so. */
interface Slow extends Stub {
  /** Requests that wait for their answer; each key once. */
  waiting: Map<string, ServerResponse>
  release(data: unknown): void
}

async function slowStub(): Promise<Slow> {
  const bare = await stub()
  const waiting = new Map<string, ServerResponse>()
  bare.says((heard, response) => {
    const fast = heard.target.endsWith('/take')
    if (fast) return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    waiting.set(String(heard.headers['idempotency-key']), response)
  })
  return {
    ...bare,
    waiting,
    release(data) {
      for (const response of waiting.values())
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(data))
      waiting.clear()
    },
  }
}

describeWith(['redis', 'postgres'], 'a back end that answers too late', () => {
  let smsc: Smsc
  let staged: Staged
  let bank: Slow
  let shop: Slow
  const dir = mkdtempSync(join(tmpdir(), 'ussd-late-'))

  const change = (settings: Settings) => {
    settings.flows.dir = join(dir, 'flows')
    settings.services = [
      { code: '*123#', flow: 'loan' },
      { code: '*384#', app: 'shop' },
    ]
    const http = {
      url: bank.url,
      timeoutMs: 2_000,
      headers: {},
      concurrent: 50,
      retries: 1,
      octetsMax: 65_536,
      ended: false,
    }
    // What answers at once is waited for: 150 ms pass on a busy machine, too.
    settings.backends = { bank: { http: { ...http, patienceMs: 150 } }, till: { http } }
    settings.apps.shop = {
      contract: 'africastalking',
      url: shop.url,
      closeUrl: `${shop.url}/events`,
      timeoutMs: 2_000,
      headers: {},
      networks: {},
      concurrent: 10,
      octetsMax: 65_536,
      patienceMs: 1_000,
      holding: { en: 'One moment.' },
    }
    settings.late = { waitMs: 20_000, busyMs: 20_000, pushMs: 3_000, leaseMs: 1_000, waitingMax: 100 }
    settings.reminders.pollMs = 50
  }

  before(async function () {
    mkdirSync(join(dir, 'flows'))
    writeFileSync(join(dir, 'flows/loan.yaml'), FLOW)
    bank = await slowStub()
    shop = await slowStub()
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({ smscPort: smsc.port, frozen: false, change })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    await bank?.close()
    await shop?.close()
    rmSync(dir, { recursive: true, force: true })
  })
  afterEach(() => {
    smsc.chaos.clear()
    staged.settings.late.busyMs = 20_000
    staged.settings.late.waitMs = 20_000
    staged.settings.late.leaseMs = 1_000
  })

  const late = (what: string) => staged.daemon.metrics.value('ussd_late_total', { what })
  const noneWaits = () =>
    until(
      async () => (await staged.knex('ussd_late').count<{ count: string }[]>('* as count'))[0]!.count === '0',
      'a row is left',
    )
  const asked = (of: Stub, operation: string) => of.heard.filter((one: Heard) => one.target.endsWith(`/${operation}`))

  /** Dials, chooses, and reads the holding text. */
  async function held(msisdn: string, choice: string) {
    const phone = smsc.phone(msisdn)
    assert.equal((await phone.dial('*123#')).text, MENU)
    const screen = await phone.answer(choice)
    assert.deepEqual([screen.text, screen.open], [HOLDING, false])
    await until(() => bank.waiting.size > 0, 'the bank was not asked')
    return phone
  }

  it('holds the subscriber, then puts the question on the handset, and goes on with the answer', async () => {
    const phone = await held('67570000001', '1')
    bank.release({ amount: 500 })
    const screen = await phone.next()
    assert.deepEqual([screen.text, screen.open], [OFFER, true])
    const last = await phone.answer('1')
    assert.deepEqual([last.text, last.open], ['It is yours.', false])
    const [first, then] = [asked(bank, 'limit').at(-1)!, asked(bank, 'take').at(-1)!].map(
      (one) => JSON.parse(one.body).epoch as string,
    )
    assert.equal(then, first, 'to the bank it is one dialogue')
    assert.notEqual(
      asked(bank, 'limit').at(-1)!.headers['idempotency-key'],
      asked(bank, 'take').at(-1)!.headers['idempotency-key'],
    )
    await noneWaits()
    assert.deepEqual(await Promise.all(['held', 'answered', 'shown', 'sms'].map(late)), [1, 1, 1, 0])
    const { epoch, calls } = (await staged.knex('cdr').where({ kind: 'deferred' }).first()) as Record<string, string>
    const [call] = callsMadeIn(calls!)
    assert.deepEqual([call!.backend, call!.operation, call!.said], ['bank', 'limit', 'data'])
    const key = `${epoch}:${call!.turn}:${call!.n}`
    assert.equal(key, asked(bank, 'limit').at(-1)!.headers['idempotency-key'], 'as the bank knows it')
  })

  it('notifies where nothing is asked', async () => {
    const phone = await held('67570000002', '2')
    bank.release({ amount: 70 })
    const screen = await phone.next()
    assert.deepEqual([screen.text, screen.open], ['You owe K 70.', false])
    await noneWaits()
  })

  it('brings it by SMS, once, where the network cannot show it', async () => {
    const phone = await held('67570000003', '2')
    smsc.chaos.add({
      on: 'submit_sm',
      msisdn: '67570000003',
      lane: 'ussd',
      times: 1,
      act: { is: 'refuse', status: 0x45 },
    })
    bank.release({ amount: 70 })
    assert.equal((await phone.sms()).text, 'You owe K 70.')
    await noneWaits()
    const rows = await staged
      .knex('sms_outbox')
      .where({ msisdn: '67570000003' })
      .select<{ kind: string; line: string }[]>('kind', 'line')
    assert.deepEqual(rows, [{ kind: 'late', line: 'test' }], 'on the same line')
  })

  it('after the wait the flow says that it failed', async () => {
    const failing = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        change(settings)
        settings.late.waitMs = 300
        settings.services[0]!.code = '*124#'
        settings.lines[0]!.smsc.systemId = 'other'
      },
    })
    try {
      await smsc.bound(2)
      const phone = smsc.phone('67570000004')
      await phone.dial('*124#', { systemId: 'other' })
      assert.equal((await phone.answer('1')).text, HOLDING)
      const screen = await phone.next()
      assert.deepEqual([screen.text, screen.open], ['The bank is not there.', false])
      assert.equal(await failing.daemon.metrics.value('ussd_late_total', { what: 'waited-out' }), 1)
    } finally {
      await failing.close()
      bank.waiting.clear()
    }
  })

  it('waits while the subscriber is in a dialogue again, and shows it then', async () => {
    // On a busy machine a shorter lease ends while the screen is offered, and then an SMS says it.
    staged.settings.late.leaseMs = 20_000
    const phone = await held('67570000005', '2')
    assert.equal((await phone.dial('*123#')).text, MENU)
    bank.release({ amount: 70 })
    await until(
      async () => (await staged.daemon.metrics.value('ussd_pushes_total', { result: 'busy' })) > 0,
      'it did not look',
    )
    assert.equal(phone.screen?.text, MENU)
    phone.hangUp()
    assert.equal((await phone.next()).text, 'You owe K 70.')
    await noneWaits()
  })

  it('says it by SMS where that dialogue takes too long', async () => {
    staged.settings.late.busyMs = 0
    const phone = await held('67570000006', '2')
    assert.equal((await phone.dial('*123#')).text, MENU)
    bank.release({ amount: 70 })
    assert.equal((await phone.sms()).text, 'You owe K 70.')
    assert.equal(phone.screen?.text, MENU)
    phone.hangUp()
    await noneWaits()
  })

  it('promises nothing to who has hung up while it waited', async () => {
    const phone = smsc.phone('67570000007')
    const before = await late('held')
    await phone.dial('*123#')
    phone.type('1')
    await until(() => bank.waiting.size > 0, 'the bank was not asked')
    phone.hangUp()
    await until(
      async () => (await staged.daemon.metrics.value('ussd_replies_total', { result: 'stale' })) > 0,
      'the turn goes on',
    )
    bank.release({ amount: 500 })
    await noneWaits()
    assert.equal(await late('held'), before)
    assert.equal(phone.inbox.length, 0)
  })

  it('holds for an application too, which goes on under the name that it knows', async () => {
    const names = () => shop.heard.map(({ body }) => new URLSearchParams(body)).map((form) => form.get('sessionId'))
    const phone = smsc.phone('67570000008')
    const screen = await phone.dial('*384#')
    assert.deepEqual([screen.text, screen.open], ['One moment.', false])
    assert.equal(shop.heard.length, 1, 'it does not hear of an end')
    for (const response of shop.waiting.values()) response.end('CON Shop\n1. Buy')
    shop.says({ status: 200, headers: {}, body: 'END Bought.' })
    assert.deepEqual([(await phone.next()).text, phone.screen?.open], ['Shop\n1. Buy', true])
    assert.deepEqual([(await phone.answer('1')).text, phone.screen?.open], ['Bought.', false])
    await until(() => shop.heard.length === 3, 'the shop did not hear of the end')
    assert.equal(new Set(names()).size, 1)
    await noneWaits()
  })

  it('another daemon asks again, with the same key, when the first one was killed', async function () {
    this.timeout(120_000)
    const stage = newStage()
    const admin = knexFactory({ client: 'pg', connection: services.postgresUrl! })
    await admin.raw(`CREATE SCHEMA "${stage.schema}"`)
    const start = () =>
      runProcess(
        settingsFor(
          {
            smscPort: smsc.port,
            change: (settings) => {
              change(settings)
              settings.services[0]!.code = '*125#'
              settings.lines[0]!.smsc.systemId = 'killed'
              settings.lines[0]!.timers.reconnectMs = 100
            },
          },
          stage,
        ),
        stage.data,
      )
    let daemon = start()
    try {
      await bound(daemon, smsc, 2)
      const phone = smsc.phone('67570000009')
      phone.skipRepeats = true
      await phone.dial('*125#', { systemId: 'killed' })
      assert.equal((await phone.answer('1')).text, HOLDING)
      const [key] = bank.waiting.keys()
      daemon.kill('SIGKILL')
      await daemon.exited
      bank.waiting.clear()
      daemon = start()
      await bound(daemon, smsc, 2)
      await until(() => bank.waiting.size > 0, 'it is not asked again')
      assert.deepEqual([...bank.waiting.keys()], [key])
      bank.release({ amount: 500 })
      assert.equal((await phone.next(15_000)).text, OFFER)
      assert.equal((await phone.answer('1')).text, 'It is yours.')
      assert.equal(phone.inbox.length, 0)
    } finally {
      daemon.kill('SIGKILL')
      await daemon.exited
      await admin.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
      await admin.destroy()
      rmSync(stage.data, { recursive: true, force: true })
    }
  })
})
