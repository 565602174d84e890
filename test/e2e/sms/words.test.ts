/** Words by SMS that start a flow, on an SMSC that is not ours. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { check } from '../../../src/cli/check/check.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'

const BALANCE = `
flow: balance
spec: 1
start: ask
languages: [en]
screens:
  ask: { call: wallet.balance, once: false, expect: { kina: { is: number, max: 9999 } }, to: told, failed: sorry }
  told: { end: 'You have K{data.ask.kina}. To buy, dial *204#.' }
  sorry: { end: We cannot tell now. }
`
const BUY = `
flow: buy
spec: 1
start: buy
languages: [en]
screens:
  buy: { call: wallet.buy, once: true, to: bought, failed: dial }
  bought: { end: Bought. }
  dial: { end: 'To buy, dial *204#.' }
`
const ASKING = `
flow: asking
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Which?, choices: [{ label: One, to: out }] }
  out: { end: Bye. }
`

describeWith(['redis', 'postgres'], 'words by SMS that start a flow', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let wallet: Stub
  let staged: Staged
  let serial = 0
  const dir = mkdtempSync(join(tmpdir(), 'ussd-words-'))

  before(async () => {
    smsc = await foreignSmsc()
    wallet = await stub()
    wallet.says((_heard, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"kina":12}'),
    )
    for (const [name, text] of Object.entries({ balance: BALANCE, buy: BUY, asking: ASKING }))
      writeFileSync(join(dir, `${name}.yaml`), text)
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.flows.dir = dir
        settings.services = [{ code: '*150#', flow: 'balance' }]
        settings.backends = {
          wallet: { http: { ...settings.backends.wallet, url: wallet.url, timeoutMs: 2_000 } },
        } as never
        settings.reminders.pollMs = 50
        settings.sms.texts.help = { en: 'Write BALANCE or STOP.' }
        const sms = { numbers: [], answer: 'sms' as const }
        settings.sms.words = {
          Balance: { ...sms, flow: 'balance' },
          BUY: { ...sms, flow: 'buy' },
          ASK: { ...sms, flow: 'asking' },
          DATA: { flow: 'balance', numbers: ['4040'], answer: 'screen' },
        }
        settings.sms.wordsPerHour = 3
      },
    })
  })
  after(async () => {
    await staged?.close()
    await wallet?.close()
    smsc?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const sms = (from: string, text: string, to = '123') => ({
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: from,
    destination_addr: to,
    user_message_reference: ++serial,
    short_message: Buffer.from(text),
  })
  const write = async (...of: Parameters<typeof sms>) => assert.equal(await smsc.deliver(sms(...of)), 0)
  const texts = (msisdn: string) => smsc.sms.filter(({ to }) => to === msisdn).map(({ text }) => text)
  const answered = async (msisdn: string, many = 1) => {
    await until(() => texts(msisdn).length >= many, 'no answer')
    return texts(msisdn)
  }
  const count = (result: string) => staged.daemon.metrics.value('sms_incoming_total', { result })

  it('are answered with what the flow ends with', async () => {
    await write('67570000001', ' balance. ')
    assert.deepEqual(await answered('67570000001'), ['You have K12. To buy, dial *204#.'])
    const { target, body } = wallet.heard[0]!
    assert.match(target, /balance$/)
    assert.equal((JSON.parse(body) as { msisdn: string }).msisdn, '67570000001')
  })

  it('reach no call that changes something', async () => {
    wallet.heard.length = 0
    await write('67570000002', 'BUY')
    assert.deepEqual(await answered('67570000002'), ['To buy, dial *204#.'])
    assert.deepEqual(wallet.heard, [])
    const [line] = staged.logged().filter(({ msg }) => String(msg).includes('makes no call that changes something'))
    assert.deepEqual([line!.flow, line!.backend, line!.operation], ['buy', 'wallet', 'buy'])
  })

  it('whose flow asks a question are answered with the busy text', async () => {
    await write('67570000003', 'ask')
    assert.deepEqual(await answered('67570000003'), ['Service busy. Please try again later.'])
    assert.ok(staged.logged().some(({ why }) => why === 'it asks a question'))
  })

  it('may be answered on the screen, at their number', async () => {
    const shown = await smsc.say('67570000004', sms('67570000004', 'DATA', '4040'))
    assert.equal(shown.text, 'You have K12. To buy, dial *204#.')
    assert.deepEqual(texts('67570000004'), [])
    await write('67570000004', 'DATA', '123')
    assert.deepEqual(await answered('67570000004'), ['Write BALANCE or STOP.'], 'elsewhere it is an unknown word')
  })

  it('come once for a copy, and no more often than an hour allows', async () => {
    const from = '67570000005'
    const one = sms(from, 'BALANCE')
    assert.deepEqual([await smsc.deliver(one), await smsc.deliver(one)], [0, 0])
    assert.equal(await count('repeat'), 1)
    for (let n = 0; n < 4; n++) await write(from, 'BALANCE')
    assert.equal((await answered(from, 3)).length, 3)
    assert.equal(await count('word-over'), 2)
    assert.equal(await staged.daemon.metrics.value('limits_total', { limit: 'sms_words' }), 2)
  })

  it('that nobody knows are answered once in a while', async () => {
    for (const word of ['HALLO', 'BALANCES', 'balance now']) await write('67570000006', word)
    assert.deepEqual(await answered('67570000006'), ['Write BALANCE or STOP.'])
  })

  it('are checked with the settings: a flow that asks or changes something is refused', async () => {
    const config = join(dir, 'connector.conf')
    writeFileSync(
      config,
      `door: { port: 1 }\nredis: embedded\npostgres: embedded\nservices: [{ code: "*1#", flow: balance }]\n` +
        'backends: { wallet: { http: { url: "http://127.0.0.1:9" } } }\n' +
        `flows: { dir: ${dir} }\nsms: { words: { BALANCE: { flow: balance }, BUY: { flow: buy }, ASK: { flow: asking } } }\n`,
      { mode: 0o600 },
    )
    const said: string[] = []
    await check([], (text) => said.push(text), { config })
    process.exitCode = 0
    const errors = said.filter((text) => text.includes('by SMS'))
    assert.equal(errors.length, 2)
    assert.match(errors[0]!, /asking\.yaml:7:\d+: screen 'main' asks, but the word ASK starts this flow by SMS/)
    assert.match(errors[1]!, /buy\.yaml:7:\d+: screen 'buy' changes something, but the word BUY starts/)
  })
})
