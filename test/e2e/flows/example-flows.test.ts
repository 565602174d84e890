import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendModule, CallContext } from '../../../src/backend/types.ts'
import { Refusal } from '../../../src/backend/types.ts'
import { parseSettings } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/schema.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { loadModule } from '../../../src/daemon/backends/modules.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { hits } from '../../campaigns/canaries.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const [JOHN, MARY] = ['67570000001', '67570000002']

/** What a phone shows after each key; the first is dialled. */
async function walk(phone: Phone, code: string, ...keys: string[]): Promise<string[]> {
  const texts = [(await phone.dial(code)).text]
  for (const key of keys) texts.push((await phone.answer(key)).text)
  return texts
}

describeWith(['redis', 'postgres'], 'the example flows with their back ends, over a real socket', () => {
  const keys = mkdtempSync(join(tmpdir(), 'ussd-examples-'))
  let smsc: Smsc
  let stage: ReturnType<typeof newStage>
  let staged: Staged
  let today = FROZEN

  /** A daemon with the settings of that example, but for the stores and the SMSC. */
  async function serve(name: string, change: (settings: Settings) => void = () => undefined): Promise<void> {
    const file = `examples/flows/${name}/connector.yaml`
    const { settings: example } = parseSettings(
      readFileSync(file, 'utf8').replace(/\.\/(money|bank)\.keys/, join(keys, 'keys')),
      file,
      {},
    )
    staged = await stageDaemon({
      smscPort: smsc.port,
      with: stage,
      today: () => today,
      change: (settings) => {
        Object.assign(settings, {
          services: example.services,
          backends: example.backends,
          flows: { ...example.flows, reloadMs: 0 },
        })
        if (example.privacy.storeKeyFile) settings.privacy.storeKeyFile = example.privacy.storeKeyFile
        settings.lines[0]!.timers.reconnectMs = 50
        settings.reminders.pollMs = 50
        settings.stopMs = 0
        change(settings)
      },
    })
    await smsc.bound(1)
  }
  async function again(name: string): Promise<void> {
    await staged.close()
    await serve(name)
  }
  /** The example's module on the daemon's own database, to be called as a turn that is played again calls it. */
  async function moduleOf(name: string): Promise<BackendModule> {
    const { settings, daemon } = staged
    const clock = { ...realClock, today: () => today }
    const host = {
      settings,
      sql: daemon.stores.sql,
      clock,
      chance: Math.random,
      metrics: daemon.metrics,
      log: daemon.log,
    }
    return loadModule('example', { module: `examples/flows/${name}/backend.mjs`, settings: {} }, host)
  }
  const by = (msisdn: string, intention: string) => ({ msisdn, intention, language: 'en' }) as CallContext

  before(async () => {
    writeFileSync(join(keys, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
  })
  beforeEach(() => {
    stage = newStage()
    today = FROZEN
  })
  afterEach(async () => {
    await staged?.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await staged?.close()
    rmSync(stage.data, { recursive: true, force: true })
  })
  after(async () => {
    await smsc?.stop()
    rmSync(keys, { recursive: true, force: true })
  })

  it('airtime: what was confirmed before a restart is paid once behind it, and stands among the purchases', async () => {
    await serve('airtime')
    const phone = smsc.phone(JOHN)
    const shown = await walk(phone, '*141#', '3', '3')
    assert.match(shown[1]!, /^Bundles for you \(kina\):\n1\. 100 MB - 3\.00\n(.*\n)*5\. 5 GB - 49\.50\n0\. Back/)
    assert.match(shown[2]!, /^1 GB, 7 days\nPay K15\.00\?/)
    await again('airtime')
    assert.equal((await phone.answer('1')).text, 'Paid. Reference A000001. Balance: K35.00.')
    assert.match((await walk(phone, '*141#', '1', '36'))[2]!, /^You have K35\.00\./)
    await phone.answer('5')
    assert.equal((await phone.answer('1')).text, 'Paid. Reference A000002. Balance: K30.00.')
    assert.match(
      (await walk(phone, '*141#', '4'))[1]!,
      /^Your purchases:\n1\. 1 May 2025 Airtime\n2\. 1 May 2025 1 GB\n/,
    )
    phone.hangUp()
    const { operations } = await moduleOf('airtime')
    const pay = () => operations.topup!({ amount: 10, receiver: MARY }, by(JOHN, 'e:1:1'))
    const paid = await Promise.all([pay(), pay(), pay()])
    assert.deepEqual(
      paid,
      Array.from(paid, () => ({ balance: 20, reference: 'A000003' })),
      'one intention, one payment',
    )
    assert.deepEqual(await operations.buy!({ id: 'w1', price: 14 }, by(JOHN, 'e:2:1')), new Refusal('changed'))
    assert.deepEqual(await operations.buy!({ id: 'w2', price: 24 }, by(JOHN, 'e:3:1')), new Refusal('insufficient'))
  })

  it('money: a PIN is chosen, opens, is locked after three wrong ones, and money is sent once with its fee', async () => {
    await serve('money')
    const phone = smsc.phone(JOHN)
    const chosen = await walk(phone, '*180#', '1', '1234', '2580', '2580')
    assert.match(chosen[2]!, /^Not so: too easy/)
    assert.equal(chosen[4], 'Your PIN is set.')
    const sent = await walk(phone, '*180#', '1', MARY.slice(3), '50', '1', '1111', '2580')
    assert.match(sent[3]!, /^K50\.00 to Anna Wari\nFee K0\.50\nIn all K50\.50\n1\. Send/)
    assert.match(sent[5]!, /^That PIN is wrong\. 2 tries are left\.\nYour PIN:/)
    assert.equal(sent[6], 'Sent. Reference M000001. Balance: K249.50.')
    const sms = await phone.sms()
    assert.equal(sms.text, 'You sent K50.00 to Anna Wari. Fee K0.50. Reference M000001.')
    const tried = await walk(phone, '*180#', '2', '1111', '1112', '1113')
    assert.match(tried.at(-2)!, /^That PIN is wrong\. One try is left\.\n/)
    assert.equal(tried.at(-1), 'Too many wrong PINs. Please try again in an hour.')
    await again('money')
    assert.equal(
      (await walk(phone, '*180#', '2', '2580')).at(-1),
      'Too many wrong PINs. Please try again in an hour.',
      'over a restart too',
    )
    const mary = smsc.phone(MARY)
    await walk(mary, '*180#', '1', '951746', '951746')
    assert.equal((await walk(mary, '*180#', '2', '951746')).at(-1), 'Balance: K350.00')
    assert.deepEqual(hits('log', JSON.stringify(staged.logged()), [{ name: 'PIN', value: '951746', alone: true }]), [])
    const { operations } = await moduleOf('money')
    const send = () => operations.send!({ receiver: JOHN, amount: 100, fee: 1 }, by(MARY, 'e:1:1'))
    assert.deepEqual(
      await Promise.all([send(), send()]),
      Array.from({ length: 2 }, () => ({ reference: 'M000002', balance: 249 })),
    )
    assert.deepEqual(
      await operations.send!({ receiver: JOHN, amount: 100, fee: 0.5 }, by(MARY, 'e:2:1')),
      new Refusal('fee-changed'),
    )
  })

  it('market: a list that is over dialogue.snapshotOctetsMax ends with the busy text, and is counted as that', async () => {
    await serve('market', (settings) => void (settings.dialogue.snapshotOctetsMax = 16_384))
    const phone = smsc.phone(JOHN)
    await phone.dial('*150#')
    const ended = await phone.answer('1')
    assert.deepEqual([ended.text, ended.open], ['Service busy. Please try again later.', false])
    const { metrics } = staged.daemon
    assert.equal(await metrics.value('dialogue_store_errors_total', { call: 'rest', code: 'too-large' }), 1)
    assert.ok(
      staged
        .logged()
        .some(({ err }) =>
          /over snapshotOctetsMax, 16384/.test(String((err as { message?: string } | undefined)?.message)),
        ),
      'and in the log',
    )
  })

  it('market: a thousand rows, in pages and by letters, over a restart', async () => {
    await serve('market')
    const phone = smsc.phone(JOHN)
    const [, first] = await walk(phone, '*150#', '1')
    assert.match(first!, /^Goods and market \(number or letters\):\n1\. Banana, Alotau\n/)
    const more = /(\d+)\. More/.exec(first!)![1]!
    assert.match((await phone.answer(more)).text, /\. Banana, /)
    await again('market')
    assert.match((await phone.answer('hag kau')).text, /:\n1\. Kaukau, Mount Hagen\n2\. Show all\n/)
    assert.match(
      (await phone.answer('1')).text,
      /^Kaukau, Mount Hagen\nK[\d.]+ a bundle, 1 May 2025, (rising|falling|steady)\nLowest: K[\d.]+, \w+/,
    )
    phone.hangUp()
    assert.match((await walk(phone, '*150#', '2'))[1]!, /^You looked at:\n1\. Kaukau, Mount Hagen\n/)
    phone.hangUp()
    const { operations } = await moduleOf('market')
    assert.equal(((await operations.goods!({}, by(JOHN, 'e:1:1'))) as { rows: unknown[] }).rows.length, 1_000)
    assert.deepEqual(await operations.price!({ id: 1_001 }, by(JOHN, 'e:2:1')), new Refusal('gone'))
  })

  it('survey: questions depend on answers, who stops goes on half-way, and each is counted once', async () => {
    await serve('survey')
    const phone = smsc.phone(JOHN)
    const asked = await walk(phone, '*160#', '1', '1', '3', 'Vanilla')
    assert.deepEqual(
      asked.slice(1).map((text) => text.split('\n')[0]),
      ['Do you have a garden or farm?', 'What do you sell most?', 'What is it?', 'Who buys from you?'],
    )
    phone.hangUp()
    await again('survey')
    const later = await walk(phone, '*160#', '1', '1', '2', '41')
    assert.match(later[0]!, /^You have answered 3 questions\./)
    assert.equal(later.at(-1), 'Thank you! Yours is answer number 1.')
    assert.deepEqual(await walk(phone, '*160#'), ['You have answered already. Thank you!'])
    const mary = await walk(smsc.phone(MARY), '*160#', '1', '2', '1', '30')
    assert.equal(mary.at(-1), 'Thank you! Yours is answer number 2.', 'two questions are skipped')
    const rows = (await staged.knex('example_survey').orderBy('nr').select('answers', 'nr')) as {
      answers: object
      nr: number
    }[]
    assert.deepEqual(
      rows.map(({ answers }) => answers),
      [
        { farm: 'yes', crop: 'other', name: 'Vanilla', sold: 'market', phone: 'shared', age: 41 },
        { farm: 'no', phone: 'own', age: 30 },
      ],
    )
  })

  it('bank: three wrong PINs lock, Home is behind the PIN, and a transfer of which nothing is known is sent once or never', async () => {
    await serve('bank')
    const [john, mary] = [smsc.phone(JOHN), smsc.phone(MARY)]
    const tried = await walk(mary, '*190#', '1111', '2222', '3333')
    assert.match(tried[1]!, /^Wrong PIN\. Tries left: 2\.\nYour PIN:$/)
    assert.equal(tried[3], 'Too many wrong PINs.\nPlease visit a branch.')
    assert.match((await walk(mary, '*190#', '2580'))[1]!, /^Too many wrong PINs/)
    assert.equal((await walk(john, '*190#', '2580', '2'))[2]!.split('\n')[1], '30/4 Power -30.00')
    assert.match(
      (await john.answer('1')).text,
      /^Last payments:\n29\/4 Mary Kila 15\.00\n22\/4 Salary 950\.00\n0\. Back/,
    )
    assert.match((await john.answer('00')).text, /^Your account\n/)
    await john.answer('3')
    await john.answer('1')
    assert.match((await john.answer('150')).text, /^K150\.00 to Anna Wari, fee K1\.00\?/)
    assert.equal((await john.answer('1')).text, 'Sent. Reference B000011.')
    assert.match((await walk(john, '*190#', '2580', '1'))[2]!, /^You have K1,049\.00\./)
    john.hangUp()
    const { operations } = await moduleOf('bank')
    const send = (intention: string) =>
      operations.send!({ account: '20000001', amount: 10, fee: 0 }, by(JOHN, intention))
    const state = (settles: string) => operations.state!({}, { ...by(JOHN, 'e:9:1'), settles } as CallContext)
    const sent = await Promise.all([send('e:1:1'), send('e:1:1')])
    assert.deepEqual(sent[0], sent[1], 'one intention, one transfer')
    assert.deepEqual(await state('e:1:1'), { is: 'sent' })
    assert.deepEqual(await state('e:2:1'), { is: 'refused' })
    assert.deepEqual(await send('e:2:1'), new Refusal('insufficient'), 'what was said not to be sent never is')
    assert.deepEqual(await operations.balance!({}, by(JOHN, '')), { kina: 1039 })
    assert.deepEqual(
      await operations.quote!({ account: '20000001', amount: 1900 }, by(JOHN, '')),
      new Refusal('insufficient'),
    )
    today += 3_600_001
    assert.match((await walk(mary, '*190#', '2580'))[1]!, /^Your account/)
    mary.hangUp()
  })

  it('voucher: of two who redeem one code, one gets it; used, expired and unknown are told apart; guessing ends', async () => {
    await serve('voucher')
    const [john, mary] = [smsc.phone(JOHN), smsc.phone(MARY)]
    assert.match((await walk(john, '*170#', '100000000061'))[1]!, /^One digit is wrong/)
    await john.answer('100000000016')
    const [, hers] = await walk(mary, '*170#', '100000000016')
    assert.match(hers!, /^K20\.00, good until 31 May 2025\n1\. Redeem/)
    const both = await Promise.all([john.answer('1'), mary.answer('1')])
    assert.deepEqual(both.map(({ text }) => text.split('\n')[0]).toSorted(), [
      'That did not work.',
      'You got K20.00. Your credit: K20.00.',
    ])
    mary.hangUp()
    assert.match((await walk(mary, '*170#', '100000000016'))[1]!, /^It was used on 1 May 2025\./)
    assert.equal((await mary.answer('1')).text, 'Voucher code (12 digits):')
    assert.match((await mary.answer('200000000014')).text, /^It was good until 30 Apr 2025 only\./)
    await mary.answer('1')
    for (let i = 0; i < 5; i++) assert.match((await mary.answer('900000000019')).text, /^There is no such voucher\./)
    assert.match((await mary.answer('100000000024')).text, /^Too many unknown codes/)
    today += 86_400_000
    assert.match((await walk(mary, '*170#', '100000000024'))[1]!, /^K50\.00/)
    mary.hangUp()
  })

  it('electricity: a lost answer is settled by what became of it, and the token comes by SMS', async () => {
    await serve('electricity')
    const john = smsc.phone(JOHN)
    const texts = await walk(john, '*200#', '1', '10000000009', '13', '1')
    assert.match(texts[1]!, /^Meter \(line, or 11 digits\):\n1\. Back$/)
    assert.match(texts[3]!, /^Pay K13\.00 for Kila, Mary, meter 10000000009\?/)
    const [, token] = /^Token: ((?:\d{4}-){4}\d{4})\. 11 units/.exec(texts[4]!) ?? []
    assert.ok(token, texts[4])
    await until(() => john.inbox.some(({ text }) => text.includes(token)), 'no SMS has the token')
    const rows = await staged.knex('example_power_sale').select('amount', 'token')
    assert.deepEqual(
      rows.map((row) => [Number(row.amount), row.token]),
      [[13, token]],
      'sold once, though its answer got lost',
    )
    assert.match((await walk(john, '*200#', '2'))[1]!, /\n1\. 1 May 13\.00 Kila, Mary\n/)
    assert.match(
      (await walk(john, '*200#', '1', '20000000008', '488', '1'))[4]!,
      /^You can spend K487\.00 more today\./,
    )
    john.hangUp()
  })

  it('electricity: a sale that was given up is never made, and the same call twice is one sale', async () => {
    await serve('electricity')
    const { operations } = await moduleOf('electricity')
    const sale = { meter: '10000000009', amount: 20 }
    const settling = (settles: string) => ({ ...by(JOHN, `${settles}-state`), settles })
    await operations.meters!({}, by(JOHN, 'e0'))
    assert.deepEqual(await operations.state!({}, settling('e1:1:0')), { state: 'none', token: '', units: 0 })
    await assert.rejects(operations.buy!(sale, by(JOHN, 'e1:1:0')), /given up before/)
    const [one, again] = [
      await operations.buy!(sale, by(JOHN, 'e1:2:0')),
      await operations.buy!(sale, by(JOHN, 'e1:2:0')),
    ]
    assert.deepEqual(one, again)
    assert.deepEqual(await operations.state!({}, settling('e1:2:0')), { state: 'sold', ...(one as object) })
    assert.ok((await operations.look!({ meter: '30000000007' }, by(JOHN, 'e2'))) instanceof Refusal)
  })
})
