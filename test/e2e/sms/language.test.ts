import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { erasePerson } from '../../../src/privacy/erasure.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { describeWith, until } from '../../support/services.ts'

const FLOW = `flow: hello
spec: 1
start: main
languages: [en, tpi]
screens:
  main:
    menu: { en: Hello, tpi: Halo }
    choices: [{ label: { en: Language, tpi: Tok ples }, to: which }, { label: { en: Text me, tpi: Salim }, to: text }, { label: { en: Ask, tpi: Askim }, to: ask }]
    back: bye
  which: { language: { en: Which?, tpi: Wanem? }, to: main }
  text: { sms: { en: An SMS, tpi: Wanpela SMS }, to: sent, failed: sent }
  sent: { end: { en: Sent, tpi: Salim pinis } }
  ask: { call: bank.limit, to: told, failed: told }
  told: { end: { en: It is here, tpi: Em i kam } }
  bye: { exit: true }
texts:
  en: { holding: Later }
  tpi: { holding: Bihain }
`
const [MARY, JOHN, LUKE] = ['67570000002', '67570000001', '67570000003']

describeWith(['redis', 'postgres'], 'a language that a subscriber chose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-language-'))
  let smsc: Smsc
  let staged: Staged
  let bank: Stub
  let waiting: ServerResponse | undefined
  before(async () => {
    bank = await stub()
    bank.says((_, response) => void (waiting = response))
    writeFileSync(join(folder, 'hello.yaml'), FLOW)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.flows = { ...settings.flows, dir: folder, reloadMs: 0 }
        settings.services = [{ code: '*200#', flow: 'hello' }]
        settings.backends = {
          bank: {
            http: {
              url: bank.url,
              timeoutMs: 2_000,
              headers: {},
              concurrent: 50,
              retries: 1,
              octetsMax: 65_536,
              ended: false,
              patienceMs: 100,
            },
          },
        }
        settings.reminders.pollMs = 50
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    await bank?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Mary chooses Tok Pisin; John chooses nothing. */
  async function chosen(): Promise<void> {
    const mary = smsc.phone(MARY)
    await mary.dial('*200#')
    await mary.answer('1')
    assert.match((await mary.answer('2')).text, /^Halo/)
    mary.hangUp()
    await noneOpen()
  }
  const noneOpen = () => until(async () => (await staged.daemon.stores.dialogues.count()) === 0, 'a dialogue hangs')

  it('is that of a screen that we begin, unless another one is asked for', async () => {
    await chosen()
    const { push } = staged.daemon
    for (const [msisdn, language, first] of [
      [MARY, undefined, /^Halo/],
      [JOHN, undefined, /^Hello/],
      [MARY, 'en', /^Hello/],
      [JOHN, 'tpi', /^Halo/],
    ] as const) {
      const phone = smsc.phone(msisdn)
      const pushed = await push.push({ msisdn, flow: 'hello', ttlMs: 20_000, ...(language ? { language } : {}) })
      assert.equal(pushed.is, 'shown')
      assert.match((await phone.next()).text, first)
      phone.hangUp()
      await noneOpen()
    }
  })

  it('is that of an SMS from a flow, and of an answer that comes late, on the screen or by SMS', async () => {
    await chosen()
    for (const [msisdn, sms, holding, told] of [
      [MARY, 'Wanpela SMS', 'Bihain', 'Em i kam'],
      [LUKE, 'An SMS', 'Later', 'It is here'],
    ] as const) {
      const phone = smsc.phone(msisdn)
      const before = phone.inbox.length
      await phone.dial('*200#')
      await phone.answer('2')
      await until(() => phone.inbox.length > before, 'no SMS came')
      assert.equal(phone.inbox.at(-1)!.text, sms)
      waiting = undefined
      await phone.dial('*200#')
      assert.equal((await phone.answer('3')).text, holding)
      await until(() => waiting !== undefined, 'the bank was not asked')
      waiting!.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      assert.equal((await phone.next()).text, told)
      await noneOpen()
      // The network lets us begin nothing: the same by SMS.
      waiting = undefined
      await phone.dial('*200#')
      assert.equal((await phone.answer('3')).text, holding)
      await until(() => waiting !== undefined, 'the bank was not asked')
      smsc.chaos.add({ on: 'submit_sm', msisdn, lane: 'ussd', times: 1, act: { is: 'refuse', status: 0x45 } })
      waiting!.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      await until(() => phone.inbox.length > before + 1, 'no SMS came')
      assert.equal(phone.inbox.at(-1)!.text, told)
    }
  })

  it('is that of what we answer to an SMS', async () => {
    await chosen()
    for (const [msisdn, text] of [
      [MARY, /raitim START/],
      [LUKE, /write START/],
    ] as const) {
      const phone = smsc.phone(msisdn)
      const before = phone.inbox.length
      assert.equal(await phone.send('123', 'STOP'), 0)
      await until(() => phone.inbox.length > before, 'no answer came')
      assert.match(phone.inbox.at(-1)!.text, text)
    }
  })

  it('greets at the next dial, of that subscriber only, until it is erased', async () => {
    const [mary, john] = [smsc.phone('67570000002'), smsc.phone('67570000001')]
    await staged.knex('subscriber_language').delete()
    assert.match((await mary.dial('*200#')).text, /^Hello/)
    await mary.answer('1')
    assert.match((await mary.answer('2')).text, /^Halo/)
    mary.hangUp()
    assert.match((await mary.dial('*200#')).text, /^Halo\n1\. Tok ples/)
    assert.match((await john.dial('*200#')).text, /^Hello/)
    const { daemon } = staged
    const erased = await erasePerson(
      { ...daemon.stores, groups: ['test'], modules: [], pseudonym: () => 'erased', clock: realClock },
      '67570000002',
      false,
    )
    assert.equal(erased.language, 1)
    assert.match((await mary.dial('*200#')).text, /^Hello/)
  })
})
