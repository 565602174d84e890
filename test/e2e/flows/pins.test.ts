/** PINs dialled behind a code, and typed on every kind of screen: what shows them to whom. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hits } from '../../campaigns/canaries.ts'
import { exportSubscriber } from '../../../src/privacy/subscriber.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { standardCoding, type StandardCodingSettings } from '../../../src/simulator/network/standard.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES } from '../../support/tokens.ts'

const [JOHN, MARY, PAUL] = ['67570000001', '67570000002', '67570000003']
const PIN = '739158'
const NOTE = 'Quokka'
const TOKEN = 'a-token-of-an-operator'
const FLOW = `
flow: safe
spec: 1
start: main
languages: [en]
screens:
  main: { menu: "Safe", choices: [{ label: Open, to: pin }, { label: Note, to: note }, { label: Later, to: later }] }
  pin: { input: "PIN?", secret: true, to: check }
  check: { call: vault.check, with: { pin: "{answers.pin}" }, to: inside, failed: inside }
  inside: { menu: "Inside", choices: [{ label: Out, to: out }] }
  note: { input: "Note?", to: noted }
  noted: { menu: "Noted", choices: [{ label: Out, to: out }] }
  later: { call: vault.later, to: out, failed: out }
  out: { end: "Bye." }
texts:
  en: { holding: "We will tell you." }
`

for (const codeIn of ['text', 'destination', 'both'] as const satisfies StandardCodingSettings['codeIn'][]) {
  describeWith(['redis', 'postgres'], `a PIN behind a code in ${codeIn}`, () => {
    const stage = newStage()
    const drops = join(stage.data, 'drops')
    let smsc: Smsc
    let staged: Staged
    let vault: Stub
    let shop: Stub

    before(async function () {
      mkdirSync(join(stage.data, 'flows'))
      writeFileSync(join(stage.data, 'flows/safe.yaml'), FLOW)
      writeFileSync(join(stage.data, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
      writeFileSync(
        join(stage.data, 'tokens'),
        `${ALL_ROLES}:${createHash('sha256').update(TOKEN).digest('hex')} boss\n`,
        {
          mode: 0o600,
        },
      )
      vault = await stub()
      vault.says((heard, response) => {
        if (!heard.target.endsWith('/later')) response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
      shop = await stub()
      shop.says((_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('CON Your PIN?'))
      smsc = await startSmsc({ clock: realClock, chance: Math.random, coding: standardCoding({ codeIn }) })
      staged = await stageDaemon({
        smscPort: smsc.port,
        frozen: false,
        with: stage,
        change: (settings) => {
          settings.flows.dir = join(stage.data, 'flows')
          settings.services = [
            { code: '*150#', flow: 'safe' },
            { code: '*151*1#', app: 'shop' },
          ]
          const http = {
            url: vault.url,
            timeoutMs: 2_000,
            headers: {},
            concurrent: 5,
            retries: 0,
            octetsMax: 65_536,
            ended: false,
          }
          settings.backends = { vault: { http: { ...http, patienceMs: 150 } } }
          settings.apps.shop = {
            contract: 'africastalking',
            url: shop.url,
            timeoutMs: 2_000,
            headers: {},
            networks: {},
            concurrent: 5,
            octetsMax: 65_536,
          }
          settings.privacy = { ...settings.privacy, storeKeyFile: join(stage.data, 'keys') }
          settings.door = {
            name: 'door',
            host: '127.0.0.1',
            port: 0,
            path: '/ussd',
            contract: 'africastalking',
            tokens: [],
            proxies: [],
          }
          settings.trace.dropDir = drops
          settings.admin.tokensFile = join(stage.data, 'tokens')
          settings.lines[0]!.timers.reconnectMs = 50
        },
      })
      await smsc.bound(1)
    })
    after(async () => {
      await staged?.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
      await staged?.close()
      await smsc?.stop()
      await vault?.close()
      await shop?.close()
    })

    const trace = async (clear: boolean) => {
      const url = `http://127.0.0.1:${staged.daemon.admin.port}/v1/lines/test/trace?${clear ? 'clear=true&' : ''}`
      const [text, pcap] = await Promise.all(
        ['form=text', 'form=pcap'].map((form) => fetch(url + form, { headers: { authorization: `Bearer ${TOKEN}` } })),
      )
      assert.deepEqual([text!.status, pcap!.status], [200, 200])
      return { text: await text!.text(), pcap: Buffer.from(await pcap!.arrayBuffer()) }
    }
    const none = (where: string, octets: string | Buffer) =>
      assert.deepEqual(hits(where, octets, [{ name: 'PIN', value: PIN }]), [])
    const ends = (msisdn: string) =>
      staged.logged().filter((line) => line.msg === 'dialogue ended' && String(line.msisdn).endsWith(msisdn.slice(-2)))

    it('is in no log, no trace and no figure; the service code is', async () => {
      const john = smsc.phone(JOHN)
      assert.match((await john.dial(`*150*${PIN}#`)).text, /Safe/)
      john.hangUp()
      await until(() => ends(JOHN).length === 1, 'not ended')
      assert.equal(ends(JOHN)[0]!.code, '*150*#')
      assert.equal((await john.dial(`*777*${PIN}#`)).open, false)
      none('log', JSON.stringify(staged.logged()))
      none('metrics', await staged.daemon.metrics.registry.metrics())
      for (const clear of [false, true]) {
        const { text, pcap } = await trace(clear)
        none(`trace, clear: ${clear}`, text)
        none(`capture, clear: ${clear}`, pcap)
        assert.equal(text.includes('*150*******#'), true, text)
        assert.equal(text.includes('*777*******#'), true)
        assert.equal(text.includes(JOHN), clear)
      }
    })

    it("is in no trace where it was typed: on a secret screen, behind one, and on an application's; a note is, in clear", async () => {
      const john = smsc.phone(JOHN)
      await john.dial('*150#')
      await john.answer('1')
      assert.match((await john.answer(PIN)).text, /Inside/)
      assert.match((await john.answer(`*${PIN}#`)).text, /1. Out/)
      john.hangUp()
      const mary = smsc.phone(MARY)
      await mary.dial('*150#')
      await mary.answer('2')
      assert.match((await mary.answer(NOTE)).text, /Noted/)
      mary.hangUp()
      const paul = smsc.phone(PAUL)
      await paul.dial(`*151*1*${PIN}#`)
      await paul.answer(PIN)
      await paul.answer('7')
      paul.hangUp()
      await until(() => ends(PAUL).length === 1, 'not ended')
      assert.equal(ends(PAUL)[0]!.code, '*151*1*#')
      assert.ok(
        shop.heard.some(({ body }) => body.includes(PIN)),
        'the application is told',
      )
      for (const clear of [false, true]) {
        const { text, pcap } = await trace(clear)
        none(`trace, clear: ${clear}`, text)
        none(`capture, clear: ${clear}`, pcap)
        assert.equal(text.includes(NOTE), clear)
      }
      none('log', JSON.stringify(staged.logged()))
    })

    it('is not in what is left of a line that drops', async () => {
      smsc.peers()[0]!.close()
      await until(() => staged.logged().some((line) => line.msg === 'line dropped: its trace is kept'), 'no capture')
      const [file] = readdirSync(drops)
      const capture = readFileSync(join(drops, file!))
      assert.ok(capture.includes('*150*******#'))
      none('drop file', capture)
      await smsc.bound(1)
    })

    it('is not in what a promised answer is kept by, nor in what is handed out to its subscriber', async () => {
      const john = smsc.phone(JOHN)
      assert.match((await john.dial(`*150*3*${PIN}#`)).text, /tell you/)
      const [row] = await staged.knex('ussd_late').select('*')
      assert.equal(row.code, '*150*#')
      none('row', JSON.stringify(row))
      // As a daemon of before would have written it.
      await staged.knex('ussd_late').update({ code: `*150*3*${PIN}#` })
      const parts = { ...staged.daemon.stores, groups: ['test'], services: staged.settings.services, modules: [] }
      const johns = await exportSubscriber(parts, JOHN)
      assert.equal((johns.tables.ussd_late![0] as { code: string }).code, '*150*#')
      const paul = await exportSubscriber(parts, PAUL)
      assert.equal(paul.dialogues[0]!.code, '*151*1*#')
      for (const one of [johns, paul]) none('export', JSON.stringify(one))
    })

    it('is not in the log of the HTTP door', async () => {
      const before = staged.logged().length
      const answer = await fetch(`http://127.0.0.1:${staged.daemon.ingress.port()}/ussd`, {
        method: 'POST',
        body: new URLSearchParams({
          sessionId: 'ATUid_1',
          phoneNumber: `+${MARY}`,
          networkCode: '53703',
          serviceCode: '*150#',
          text: PIN,
        }),
      })
      assert.equal(answer.status, 200)
      await fetch(`http://127.0.0.1:${staged.daemon.ingress.port()}/ussd`, {
        method: 'POST',
        body: new URLSearchParams({
          sessionId: 'ATUid_1',
          phoneNumber: `+${MARY}`,
          status: 'Incomplete',
        }),
      })
      await until(
        () =>
          staged
            .logged()
            .slice(before)
            .some((line) => line.msg === 'dialogue ended' && line.code === '*150*#'),
        'not ended',
      )
      none('log', JSON.stringify(staged.logged()))
    })
  })
}
