/** A made complaint, answered from the terminal: "I pressed 1 at 10:05, and was charged twice." (docs/SUPPORT.md) */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscriberHash } from '../../../src/base/log/log.ts'
import { showDialogue, showSubscriber, type ShowOptions } from '../../../src/cli/subscriber-show.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'

const JOHN = '67570000501'
const MARY = '67570000502'
const PIN = '482915'
const FLOW = `
flow: buy
spec: 1
languages: [en]
start: offer
screens:
  offer: { call: shop.offer, expect: { amount: number, price: number }, to: main }
  main:
    menu: "Welcome to Akiba"
    choices: [ { label: Buy airtime, to: sure }, { label: My PIN, to: pin } ]
  sure:
    menu: "Buy {data.offer.amount, number} for {data.offer.price, number}?"
    choices: [ { label: "Yes", to: pay }, { label: "No", to: bye } ]
  pay: { call: shop.pay, once: true, timeoutMs: 300, expect: { left: number }, to: done, failed: sorry }
  done: { end: "Bought. You have {data.pay.left, number}." }
  sorry: { end: Service busy. Please try again later. }
  pin: { input: "Your PIN:", secret: true, length: { min: 6, max: 6 }, to: bye }
  bye: { end: Good bye. }
`

describeWith(['redis', 'postgres'], 'a complaint', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-complaint-'))
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  let shop: Server
  let url: string
  let said: string[]
  /** The keys of payments that the shop carried out. It answers the first one too late. */
  const paid: string[] = []

  before(async () => {
    writeFileSync(join(folder, 'buy.yaml'), FLOW)
    writeFileSync(join(folder, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
    shop = createServer((request, response) => {
      const answer = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
      if (request.url !== '/pay') return void answer({ amount: 10, price: 12 })
      paid.push(String(request.headers['idempotency-key']))
      if (paid.length > 1) answer({ left: 3 })
    }).listen(0, '127.0.0.1')
    await new Promise((done) => shop.once('listening', done))
    smsc = await foreignSmsc()
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        settings.services = [{ code: '*384#', flow: 'buy' }]
        settings.flows.dir = folder
        settings.privacy.storeKeyFile = join(folder, 'keys')
        settings.backends.shop = {
          http: {
            url: `http://127.0.0.1:${(shop.address() as AddressInfo).port}`,
            timeoutMs: 2_000,
            headers: {},
            concurrent: 5,
            retries: 0,
            octetsMax: 65_536,
            ended: false,
          },
        }
        const roles = ['read', 'support'] as const
        letIn(settings, ...roles.map((role) => ({ token: `${role}-token-of-a-test`, roles: role, name: `${role}er` })))
        for (const role of roles) writeFileSync(join(folder, role), `${role}-token-of-a-test`, { mode: 0o600 })
      },
    })
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
    shop?.closeAllConnections()
    shop?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => (said = []))

  const show = (msisdn: string, options: ShowOptions & { json?: boolean } = {}, role = 'support') =>
    showSubscriber(msisdn, { url, tokenFile: join(folder, role), ...options }, (line) => void said.push(line))
  const recorded = (msisdn: string, count: number) =>
    until(async () => (await staged.knex('cdr').where({ msisdn })).length === count, 'no record')

  it('is answered step by step: he bought twice, and the shop was late the first time', async () => {
    const phone = smsc.phone(JOHN)
    for (const last of ['Service busy. Please try again later.', 'Bought. You have 3.']) {
      await phone.dial('*384#')
      await phone.answer('1')
      assert.equal((await phone.answer('1')).text, last)
    }
    assert.equal(paid.length, 2)
    await recorded(JOHN, 2)
    await show(`+${JOHN}`, { since: '1h' })
    const page = said.join('\n')
    const dialogue = (end: string) =>
      new RegExp(
        String.raw`dialogue (\S+)  \*384# on test buy@[0-9a-f]{12} en\n` +
          String.raw`  [\d:]{8}  called shop\.offer: answered, \d+ ms\n` +
          String.raw`    \[main\] +\| Welcome to Akiba\n +\| 1\. Buy airtime\n +\| 2\. My PIN\n    pressed 1: Buy airtime, after \d+ s \((?:about )?[\d:]{8}\)\n` +
          String.raw`    \[sure\] +\| Buy \{offer\.amount\} for \{offer\.price\}\?\n +\| 1\. Yes\n +\| 2\. No\n    pressed 1: Yes, after \d+ s \([\d:]{8}\)\n` +
          String.raw`  [\d:]{8}  called shop\.pay, which changes something \(key (\S+)\): ${end}`,
        'g',
      )
    const [late] = [...page.matchAll(dialogue('no answer in time: it may have been carried out'))]
    const [well] = [...page.matchAll(dialogue('answered, '))]
    assert.ok(late && well, page)
    assert.deepEqual([late[2], well[2]], paid, 'the shop knows them by these keys')
    assert.match(
      page,
      /\[sorry\] +\| Service busy.*\n.* ended \(backend-failed\) after [\d.]+ s: a back end had no usable answer/,
    )
    assert.match(
      page,
      /\[done\] +\| Bought\. You have \{pay\.left\}\.\n.* ended \(completed\) after [\d.]+ s: the flow came to its end/,
    )
    // The same dialogues in the log, with the failure of the shop.
    await show(JOHN, { hash: true })
    const hash = said.at(-1)!
    assert.equal(hash, subscriberHash(readFileSync(join(staged.settings.data, 'log-key')), JOHN))
    const failed = staged.logged().find((line) => line.msg === 'back end failed')!
    assert.deepEqual([failed.epoch, failed.line], [late[1], 'test'])
    // And from the log back to the dialogue.
    said = []
    const byEpoch = { url, tokenFile: join(folder, 'support') }
    await showDialogue(failed.epoch as string, byEpoch, (line) => void said.push(line))
    assert.match(said.join('\n'), new RegExp(`^${JOHN}  in the log: subscriber ${hash}\n\n.*dialogue ${late[1]}`))
    assert.ok(page.includes(said.slice(2).join('\n')), 'word for word as among the others')
    await assert.rejects(
      showDialogue('01a229c4-e7e0-7000-8000-000000000001', byEpoch, () => undefined),
      /404: nothing is kept of a dialogue with this epoch/,
    )
  })

  it('never shows what was typed, least of all a secret; an open dialogue is there with its screen', async () => {
    const phone = smsc.phone(MARY)
    await phone.dial('*384#')
    await phone.answer('2')
    await show(MARY)
    const open = said.join('\n')
    assert.match(
      open,
      /called shop\.offer: .*\n +\[main\](?: .*\n)+ +pressed 2: My PIN, after .*\n +\[pin\] +\| Your PIN:\n/,
    )
    assert.match(open, /open: it waits for the subscriber\n +2 turns, /)
    const [, epoch] = /dialogue (\S+)/.exec(open)!
    said = []
    const byEpoch = { url, tokenFile: join(folder, 'support'), msisdn: MARY }
    await showDialogue(epoch!, byEpoch, (line) => void said.push(line))
    assert.match(said.join('\n'), /\[pin\] +\| Your PIN:\n.*open: it waits/)
    await phone.answer(PIN)
    await recorded(MARY, 1)
    said = []
    await show(MARY, { json: true })
    const story = JSON.parse(said.join('')) as { dialogues: { steps: object[] }[] }
    assert.equal(story.dialogues.length, 1)
    assert.match(JSON.stringify(story), /"screen":"pin".*"isSecret":true/)
    assert.doesNotMatch(JSON.stringify(story), new RegExp(PIN))
    assert.doesNotMatch(JSON.stringify(await staged.knex('cdr').where({ msisdn: MARY })), new RegExp(PIN))
  })

  it('is for those who may support, is written down, and says what is wrong with a question', async () => {
    await assert.rejects(show(JOHN, {}, 'read'), /403: this token has the role read, and this needs support/)
    await assert.rejects(show('abc'), /400: msisdn must be international digits/)
    await assert.rejects(show(JOHN, { since: 'noon' }), /400: since: 'noon' is not a time of day/)
    await assert.rejects(show(JOHN, { since: '1h', until: '2h' }), /400: until must be later than since/)
    await show('67570000599')
    assert.match(said.join('\n'), /nothing: no dialogue, no refused dial, no SMS$/)
    const looked = staged.logged().filter((line) => line.what === 'subscriber looked at')
    assert.ok(looked.length > 0 && looked.every((line) => line.who === 'supporter' && line.subscriber !== undefined))
    assert.doesNotMatch(JSON.stringify(staged.logged()), new RegExp(`${JOHN}|${MARY}|${PIN}`))
  })
})
