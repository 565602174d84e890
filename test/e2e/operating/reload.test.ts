import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reloadCommand } from '../../../src/cli/commands/reload.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, type DeskBrowser } from '../../support/desk-browser.ts'

import { describeWith, freePort, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const JOHN = '67570000001'
const TOKEN = 'operating-token-of-a-test'

/** Asks twice, and calls the back end before, between and after. */
const shop = (name: string, backend: string) => `flow: ${name}
spec: 1
start: first
languages: [en]
screens:
  first: { call: ${backend}.price, to: main, failed: sorry }
  main: { menu: "One is {data.first.price}", choices: [{ label: Again, to: again }] }
  again: { call: ${backend}.price, to: more, failed: sorry }
  more: { menu: "Now {data.again.price}", choices: [{ label: Buy, to: last }] }
  last: { call: ${backend}.price, to: bye, failed: sorry }
  bye: { end: "Bought for {data.last.price}" }
  sorry: { end: "Sorry" }
`
const MODULE = `export const backend = ({ settings }) => ({
  operations: { price: async () => ({ price: settings.price }) },
})`

describeWith(['redis', 'postgres'], 'a reload while dialogues are in flight', () => {
  let smsc: Smsc
  let staged: Staged
  let file: Settings
  let [wallet, other]: Stub[] = []
  let flows: string
  const write = (name: string, backend: string) => writeFileSync(join(flows, `${name}.yaml`), shop(name, backend))
  const price = (stands: Stub, amount: string) =>
    stands.says({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ price: amount }),
    })
  const reload = async (options: { dryRun?: boolean } = {}) => {
    const said: string[] = []
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await reloadCommand({ url, tokenFile: join(staged.settings.data, 'token'), ...options }, (text) => said.push(text))
    return said.join('\n')
  }
  const http = (url: string, more: object = {}) =>
    ({ http: { ...(file.backends.wallet as { http: object }).http, url, ...more } }) as Settings['backends'][string]
  const audits = () => staged.logged().filter(({ msg }) => msg === 'admin audit')

  beforeEach(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    ;[wallet, other] = [await stub(), await stub()]
    price(wallet!, 'K 1')
    price(other!, 'K 2')
    staged = await stageDaemon({
      smscPort: smsc.port,
      read: () => structuredClone(file),
      change(settings) {
        flows = join(settings.data, 'flows')
        mkdirSync(flows)
        writeFileSync(join(settings.data, 'price.mjs'), MODULE)
        write('shop', 'wallet')
        settings.flows.dir = flows
        settings.backends = {
          dental: settings.backends.dental!,
          wallet: {
            http: {
              url: wallet!.url,
              timeoutMs: 2_000,
              headers: {},
              concurrent: 5,
              retries: 0,
              octetsMax: 65_536,
              ended: false,
            },
          },
          fixed: { module: join(settings.data, 'price.mjs'), concurrent: 50, settings: { price: 'K 7' } },
        }
        settings.services = [{ code: '*500#', flow: 'shop' }]
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'tester' })
        writeFileSync(join(settings.data, 'token'), TOKEN, { mode: 0o600 })
      },
    })
    file = structuredClone(staged.settings)
  })
  afterEach(async () => {
    await staged?.close()
    await smsc?.stop()
    await Promise.all([wallet, other].map((one) => one?.close()))
  })

  it('a service comes with its flow and goes; a dialogue of it goes on, a new dial gets the text', async () => {
    write('kiosk', 'fixed')
    file.services.push({ code: '*501#', flow: 'kiosk' })
    const said = await reload()
    assert.match(said, /services \*501# +added +next-dial/)
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*501#')).text, 'One is K 7\n1. Again')
    file.services.pop()
    file.texts.unknownCode = 'Not here.'
    assert.match(await reload(), /services \*501# +removed +next-dial/)
    assert.equal((await smsc.phone('67570000009').dial('*501#')).text, 'Not here.')
    assert.equal((await john.answer('1')).text, 'Now K 7\n1. Buy')
    assert.equal((await john.answer('1')).text, 'Bought for K 7')
    assert.equal((await smsc.phone('67570000009').dial('*500#')).text, 'One is K 1\n1. Again')
  })

  it('a code may lead to another flow: new dials get it, an open dialogue keeps its own', async () => {
    write('kiosk', 'fixed')
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*500#')).text, 'One is K 1\n1. Again')
    file.services[0]!.flow = 'kiosk'
    assert.match(await reload(), /services \*500# +changed/)
    assert.equal((await john.answer('1')).text, 'Now K 1\n1. Buy')
    assert.equal((await smsc.phone('67570000009').dial('*500#')).text, 'One is K 7\n1. Again')
  })

  it('a back end moves: the call under way is answered by the old one, the next goes to the new one', async () => {
    let answer: (() => void) | undefined
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*500#')).text, 'One is K 1\n1. Again')
    wallet!.says((_, response) => {
      answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"price":"K 1 late"}')
    })
    const screen = john.answer('1')
    await until(() => answer !== undefined, 'not asked')
    file.backends.wallet = http(other!.url)
    assert.match(await reload(), /backends\.wallet +changed +next-call/)
    answer!()
    assert.equal((await screen).text, 'Now K 1 late\n1. Buy')
    assert.equal((await john.answer('1')).text, 'Bought for K 2')
    assert.equal(other!.heard.length, 1)
  })

  it('another token in the file of a back end is taken, though its settings are the same', async () => {
    const tokenFile = join(staged.settings.data, 'wallet-token')
    writeFileSync(tokenFile, 'first', { mode: 0o600 })
    file.backends.wallet = http(wallet!.url, { tokenFile })
    await reload()
    const john = smsc.phone(JOHN)
    await john.dial('*500#')
    assert.equal(wallet!.heard.at(-1)!.headers.authorization, 'Bearer first')
    writeFileSync(tokenFile, 'another-token-of-it', { mode: 0o600 })
    assert.match(await reload(), /backends\.wallet +changed +next-call +the content of its files/)
    await john.answer('1')
    assert.equal(wallet!.heard.at(-1)!.headers.authorization, 'Bearer another-token-of-it')
    assert.doesNotMatch(await reload(), /backends/, 'nothing is new')
    assert.ok(!JSON.stringify(staged.logged()).includes('another-token-of-it'))
  })

  it('a module comes, gets other settings, and goes, each under a dialogue that calls it', async () => {
    const module = join(staged.settings.data, 'price.mjs')
    write('kiosk', 'late')
    file.backends.late = { module, concurrent: 50, settings: { price: 'K 3' } }
    file.services.push({ code: '*501#', flow: 'kiosk' })
    assert.match(await reload(), /backends\.late +added[\s\S]*|services \*501# +added/)
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*501#')).text, 'One is K 3\n1. Again')
    file.backends.late = { module, concurrent: 50, settings: { price: 'K 4' } }
    assert.match(await reload(), /backends\.late +changed/)
    assert.equal((await john.answer('1')).text, 'Now K 4\n1. Buy')
    // While a flow that serves calls it, it cannot go.
    delete file.backends.late
    await assert.rejects(reload(), /backends\.late: is gone, and the flow kiosk@\w+ calls it/)
    assert.ok(staged.settings.backends.late)
    write('kiosk', 'fixed')
    assert.match(await reload(), /backends\.late +removed/)
    assert.equal((await smsc.phone('67570000009').dial('*501#')).text, 'One is K 7\n1. Again')
    assert.equal((await john.answer('1')).text, 'Bought for K 4', 'the old revision still finds it')
  })

  it('the code of a module is loaded once: a changed file is named', async () => {
    writeFileSync(join(staged.settings.data, 'price.mjs'), MODULE.replace('settings.price', '"K 0"'))
    assert.match(await reload(), /^needs a restart: backends\.fixed\.module: its file is another one now/m)
  })

  it('an application comes, changes its busy text, moves and goes under its dialogues', async () => {
    const says = (stands: Stub, body: string) => stands.says({ status: 200, headers: {}, body })
    says(wallet!, 'CON Name?')
    const app = {
      contract: 'africastalking',
      url: wallet!.url,
      timeoutMs: 2_000,
      headers: {},
      networks: {},
      concurrent: 5,
      octetsMax: 65_536,
    }
    file.apps.desk = app
    file.services.push({ code: '*600#', app: 'desk' })
    const said = await reload()
    assert.match(said, /apps\.desk +added +next-call/)
    assert.match(said, /services \*600# +added/)
    const [john, mary] = [smsc.phone(JOHN), smsc.phone('67570000002')]
    assert.equal((await john.dial('*600#')).text, 'Name?')
    assert.equal((await mary.dial('*600#')).text, 'Name?')
    file.texts.busy = 'Later, please.'
    assert.match(await reload(), /texts\.busy +changed +at-once/)
    wallet!.says({ status: 500, headers: {}, body: '' })
    assert.equal((await mary.answer('Mary')).text, 'Later, please.')
    says(other!, 'END Hello from the new place.')
    file.apps.desk = { ...app, url: other!.url }
    assert.match(await reload(), /apps\.desk +changed/)
    const before = wallet!.heard.length
    file.services.pop()
    delete file.apps.desk
    assert.match(await reload(), /apps\.desk +removed/)
    assert.equal((await mary.dial('*600#')).text, 'This service is not available.')
    assert.equal((await john.answer('John')).text, 'Hello from the new place.')
    assert.equal(wallet!.heard.length, before)
  })

  it('an application that answers later changes: its port stays open, and the reply that is waited for arrives', async () => {
    const listen = { host: '127.0.0.1', port: await freePort() }
    const reply = (id: string, content: string, event: string) =>
      fetch(`http://127.0.0.1:${listen.port}/channels/test/messages/`, {
        method: 'POST',
        body: JSON.stringify({ reply_to: id, content, channel_data: { session_event: event } }),
      })
    const asked: string[] = []
    wallet!.says((heard, response) => {
      response.writeHead(200).end('{}')
      asked.push((JSON.parse(heard.body) as { message_id: string }).message_id)
    })
    const app = { contract: 'junebug', url: wallet!.url, timeoutMs: 5_000, headers: {}, networks: {}, concurrent: 5 }
    file.apps.late = { ...app, octetsMax: 65_536, listen }
    file.services.push({ code: '*700#', app: 'late' })
    await reload()
    const screen = smsc.phone(JOHN).dial('*700#')
    await until(() => asked.length === 1, 'not asked')
    file.apps.late = { ...file.apps.late, concurrent: 6 }
    assert.match(await reload(), /apps\.late +changed/)
    assert.ok((await reply(asked[0]!, 'Name?', 'resume')).ok)
    assert.equal((await screen).text, 'Name?')
    const other = smsc.phone('67570000002').dial('*700#')
    await until(() => asked.length === 2, 'not asked')
    await reply(asked[1]!, 'Bye.', 'close')
    assert.equal((await other).text, 'Bye.')
    // A port that is taken is a fault of the new settings, and nothing has changed.
    const [, taken] = /:(\d+)\//.exec(wallet!.url)!
    file.apps.late = { ...file.apps.late, listen: { host: '127.0.0.1', port: Number(taken) } }
    await assert.rejects(reload(), /409: .*apps\.late\.listen: 127\.0\.0\.1:\d+ cannot be listened on \(EADDRINUSE\)/)
    const third = smsc.phone('67570000003').dial('*700#')
    await until(() => asked.length === 3, 'not asked')
    await reply(asked[2]!, 'Still here.', 'close')
    assert.equal((await third).text, 'Still here.')
  })

  it('under load: while back ends, services and texts change again and again, all get their screens', async () => {
    write('kiosk', 'fixed')
    const work = { isOver: false }
    const walk = async (n: number) => {
      for (let round = 0; !work.isOver || round < 3; round++) {
        const phone = smsc.phone(`6757000${1000 + n}`)
        assert.match((await phone.dial('*500#')).text, /^One is K [127]\n1\. Again$/)
        assert.match((await phone.answer('1')).text, /^Now K [127]\n1\. Buy$/)
        assert.match((await phone.answer('1')).text, /^Bought for K [127]$/)
      }
    }
    const walks = Array.from({ length: 12 }, (_, n) => walk(n))
    const bind = smsc.binds()[0]!.id
    for (let n = 0; n < 20; n++) {
      file.backends.wallet = http(n % 2 ? wallet!.url : other!.url, { concurrent: 50 + n })
      file.services = [{ code: '*500#', flow: n % 3 ? 'shop' : 'kiosk' }]
      if (n % 2) file.services.push({ code: '*501#', flow: 'kiosk' })
      file.texts.busy = `Busy ${n}`
      file.lines[0]!.msisdn.deny = n % 2 ? ['999'] : []
      await staged.daemon.reload()
    }
    work.isOver = true
    await Promise.all(walks)
    assert.equal(smsc.binds()[0]!.id, bind)
  }).timeout(60_000)

  it('the desk takes another proxy, or none, and other limits of a session: at the next page', async () => {
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    const mary = browserOf(url, { 'x-forwarded-user': 'mary', 'x-forwarded-groups': 'noc' })
    const seen = async (browser: DeskBrowser) => (await browser.get('/desk')).status
    const kila = await browserOf(url).enter(TOKEN)
    assert.deepEqual([await seen(mary), await seen(kila)], [303, 200])

    const [userHeader, groupsHeader] = ['x-forwarded-user', 'x-forwarded-groups']
    file.admin.trustedProxy = { addresses: ['127.0.0.1'], userHeader, groupsHeader, roles: { noc: ['read'] } }
    const said = await reload()
    assert.match(said, /admin\.trustedProxy\.addresses +added +at-once/)
    assert.deepEqual([await seen(mary), await seen(kila)], [200, 200])

    delete file.admin.trustedProxy
    file.admin.desk = { idleMs: 1, longestMs: 1 }
    assert.match(await reload(), /admin\.desk\.idleMs +changed +at-once/)
    assert.deepEqual([await seen(mary), await seen(kila)], [303, 303])
  })

  it('a dry run says the same, and touches nothing', async () => {
    write('kiosk', 'fixed')
    const bind = smsc.binds()[0]!.id
    const good = structuredClone(file)
    file.services.push({ code: '*501#', flow: 'kiosk' })
    file.backends.wallet = http(other!.url)
    file.lines[0]!.window = 5
    file.lines.push({ ...structuredClone(file.lines[0]!), name: 'west' })
    file.dialogue.idleMs += 1
    file.dialogue.openMax = 7
    const said = await reload({ dryRun: true })
    assert.match(said, /^added +west$/m)
    assert.match(said, /^a new bind is tried for test$/m)
    assert.match(said, /services \*501# +added +next-dial/)
    assert.match(said, /backends\.wallet +changed +next-call/)
    assert.match(said, /dialogue\.openMax +changed +at-once/)
    assert.match(said, /^needs a restart: dialogue\.idleMs: open dialogues have deadlines by these$/m)
    assert.match(said, /^nothing was changed$/m)
    assert.equal(smsc.binds()[0]!.id, bind)
    assert.equal(smsc.binds().length, 1)
    assert.deepEqual(
      { ...staged.settings, lines: staged.settings.lines.map(({ name }) => name) },
      { ...good, lines: ['test'] },
    )
    assert.equal((await smsc.phone(JOHN).dial('*501#')).text, 'This service is not available.')
    assert.equal((await smsc.phone('67570000002').dial('*500#')).text, 'One is K 1\n1. Again')
    assert.equal(other!.heard.length, 0)
    assert.equal(audits().length, 0)
    file.services[1]!.flow = 'kiosque'
    await assert.rejects(reload({ dryRun: true }), /services \*501#: there is no flow 'kiosque'/)
    file = good
    assert.match(await reload(), /^kept +test$/m)
    assert.deepEqual(
      audits().map(({ what }) => what),
      ['settings reloaded'],
    )
  })

  it('with one fault anywhere nothing is taken, and what it would have opened is closed', async () => {
    const good = structuredClone(file)
    file.backends.wallet = http(other!.url)
    file.services.push({ code: '*501#', flow: 'nobody' })
    file.texts.unknownCode = 'Never said.'
    await assert.rejects(reload(), /409: .*\n.*services \*501#: there is no flow 'nobody'/)
    file = structuredClone(good)
    file.backends.broken = { module: join(staged.settings.data, 'nowhere.mjs'), concurrent: 50, settings: {} }
    await assert.rejects(reload(), /backends\.broken\.module: .*nowhere\.mjs cannot be loaded/)
    assert.equal((await smsc.phone(JOHN).dial('*777#')).text, 'This service is not available.')
    assert.equal((await smsc.phone('67570000002').dial('*500#')).text, 'One is K 1\n1. Again')
    assert.equal(await staged.daemon.metrics.value('settings_reloads_total', { result: 'refused' }), 2)
    file = good
    assert.match(await reload(), /^kept +test$/m)
    assert.equal(await staged.daemon.metrics.value('settings_reloads_total', { result: 'taken' }), 1)
  })
})
