/** Exact texts of dialogues for support: sealed, without secrets, erased, exported; and none unless they are wanted. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DialogueTold } from '../../../src/admin/index.ts'
import { tokenHash } from '../../../src/admin/access.ts'
import { showDialogue, showSubscriber } from '../../../src/cli/subscriber-show.ts'
import { erasePerson } from '../../../src/privacy/erasure.ts'
import { exportSubscriber } from '../../../src/privacy/subscriber.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'

const JOHN = '67570000511'
const MARY = '67570000512'
const PIN = '482915'
const FLOW = `
flow: buy
spec: 1
languages: [en]
start: main
screens:
  main: { menu: "Welcome to Akiba", choices: [ { label: Buy airtime, to: amount }, { label: My PIN, to: pin } ] }
  amount: { input: "How much?", number: { min: 5, max: 20 }, to: sure }
  sure: { menu: "Buy for K{answers.amount, number}?", choices: [ { label: "Yes", to: done }, { label: "No", to: bye } ] }
  done: { end: "Bought for K{answers.amount, number}." }
  pin: { input: "Your secret PIN:", secret: true, length: { min: 6, max: 6 }, to: after }
  after: { input: "And your name?", to: bye }
  bye: { end: Good bye. }
`

describeWith(['redis', 'postgres'], 'exact texts', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-texts-'))
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged

  before(async () => {
    writeFileSync(join(folder, 'buy.yaml'), FLOW)
    writeFileSync(join(folder, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
    writeFileSync(join(folder, 'tokens'), `support:${tokenHash('a-token-of-a-test').toString('hex')} mary\n`, {
      mode: 0o600,
    })
    writeFileSync(join(folder, 'token'), 'a-token-of-a-test', { mode: 0o600 })
    smsc = await foreignSmsc()
    staged = await stage(7)
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  function stage(transcriptDays: number): Promise<Staged> {
    return stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        settings.services = [{ code: '*384#', flow: 'buy' }]
        settings.flows.dir = folder
        settings.privacy.storeKeyFile = join(folder, 'keys')
        settings.support.transcriptDays = transcriptDays
        settings.admin.tokensFile = join(folder, 'tokens')
      },
    })
  }
  const where = () => ({ url: `http://127.0.0.1:${staged.daemon.admin.port}`, tokenFile: join(folder, 'token') })
  async function show(msisdn: string): Promise<string> {
    const said: string[] = []
    await showSubscriber(msisdn, where(), (line) => void said.push(line))
    return said.join('\n')
  }
  const recorded = (msisdn: string, count = 1) =>
    until(async () => (await staged.knex('cdr').where({ msisdn })).length === count, 'no record')
  async function walk(msisdn: string, ...keys: string[]) {
    const phone = smsc.phone(msisdn)
    await phone.dial('*384#')
    for (const key of keys) await phone.answer(key)
  }

  it('are shown in place of marks: what was read, what was typed; and they are sealed where they are kept', async () => {
    await walk(JOHN, '1', '15')
    const open = await show(JOHN)
    assert.match(open, /\[amount\] +\| How much\?\n +typed 15, after/, 'also while it is open')
    assert.match(open, /\[sure\] +\| Buy for K15\?\n +\| 1\. Yes\n/)
    await walk(JOHN, '1', '15', '1')
    await recorded(JOHN, 2)
    const page = await show(JOHN)
    assert.match(
      page,
      /\[main\] +\| Welcome to Akiba\n +\| 1\. Buy airtime\n +\| 2\. My PIN\n +pressed 1: Buy airtime, after/,
    )
    assert.match(
      page,
      /\[sure\] +\| Buy for K15\?\n.*\n.*\n +pressed 1: Yes, after .*\n +\[done\] +\| Bought for K15\.\n/,
    )
    assert.equal([...page.matchAll(/typed 15, after/g)].length, 2, 'also of the one that was superseded')
    const rows = (await staged.knex('cdr_text').where({ msisdn: JOHN })) as { sealed: string }[]
    assert.equal(rows.length, 2)
    for (const { sealed } of rows) assert.match(sealed, /^-2k\w+\.[\w-]+$/)
    assert.doesNotMatch(JSON.stringify(await staged.knex('cdr').where({ msisdn: JOHN })), /K15|Welcome/)
    assert.doesNotMatch(JSON.stringify(staged.logged()), /K15|Welcome to Akiba/)
  })

  it('never have a secret screen, nor its answer, nor what was typed after it, which may be that answer again', async () => {
    await walk(MARY, '2', PIN, PIN)
    await recorded(MARY)
    const { epoch } = (await staged.knex('cdr').where({ msisdn: MARY }).first()) as { epoch: string }
    const said: string[] = []
    await showDialogue(epoch, { ...where(), json: true }, (line) => void said.push(line))
    const [one] = (JSON.parse(said.join('')) as DialogueTold).dialogues
    assert.deepEqual(
      one!.steps.map(({ screen, isExact, isSecret, typed }) => [screen, isExact, isSecret, typed]),
      [
        ['main', true, undefined, undefined],
        ['pin', undefined, true, undefined],
        ['after', true, undefined, undefined],
      ],
    )
    assert.deepEqual(one!.last, { screen: 'bye', lines: ['Good bye.'], isExact: true })
    const opened = staged.daemon.stores.openTexts((await rowOf(MARY))!)
    assert.doesNotMatch(JSON.stringify(opened), new RegExp(`${PIN}|secret PIN`))
  })

  async function rowOf(msisdn: string) {
    const day = staged.knex.raw('CAST(day AS text) AS day')
    const row: unknown = await staged.knex('cdr_text').where({ msisdn }).first('epoch', 'kind', 'sealed', day)
    return row as { epoch: string; kind: string; sealed: string; day: string } | undefined
  }

  it('open with a key that another one has followed; not in the place of another dialogue', async () => {
    const [mine, other] = [(await rowOf(MARY))!, (await rowOf(JOHN))!]
    const { openTexts } = staged.daemon.stores
    assert.ok(openTexts(mine))
    assert.equal(openTexts({ ...mine, sealed: other.sealed }), null)
    assert.equal(openTexts({ ...mine, day: '2020-01-01' }), null)
  })

  it('are exported in clear, and erased', async () => {
    const { stores } = staged.daemon
    const parts = { ...stores, groups: ['test'], services: staged.settings.services, modules: [], clock: realClock }
    const { tables } = await exportSubscriber(parts, JOHN)
    assert.match(JSON.stringify(tables.cdr_text), /"turns":\[\{"turn":1,"typed":null,"shown":"Welcome to Akiba/)
    assert.match(JSON.stringify(tables.cdr_text), /"typed":"15","shown":"Buy for K15\?/)
    const erased = await erasePerson({ ...parts, pseudonym: () => 'erased-x' }, JOHN, false)
    assert.deepEqual([erased.texts, erased.records], [2, 2])
    assert.equal(await rowOf(JOHN), undefined)
    assert.ok(await rowOf(MARY))
    assert.match(await show(JOHN), /nothing: no dialogue/)
  })

  it('are none where none are wanted', async () => {
    await staged.close()
    staged = await stage(0)
    await walk(MARY, '1', '15', '1')
    await recorded(MARY)
    assert.equal((await staged.knex('cdr_text')).length, 0)
    assert.match(await show(MARY), /Buy for K\{amount\}\?/)
  })
})
