/** What one subscriber saw and did, at the desk: past dialogues, one of them screen by screen, and SMS. */
import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'

const JOHN = '67570000001'
const TOKENS = { support: 'supporting-token-of-a-test', read: 'reading-token-of-a-test' }

describeWith(['redis', 'postgres'], 'a complaint at the desk', function () {
  this.timeout(60_000)
  let smsc: Smsc
  let staged: Staged
  let support: DeskBrowser
  let reader: DeskBrowser
  const asked: string[] = []
  let isAway = false

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        letIn(
          settings,
          { token: TOKENS.support, roles: 'read,support', name: 'supporter' },
          { token: TOKENS.read, roles: 'read', name: 'reader' },
        )
      },
    })
    const { sql } = staged.daemon.stores
    const run = sql.run.bind(sql)
    sql.run = (statement, ...more) => {
      asked.push(statement.name)
      return isAway && statement.name.startsWith('support-')
        ? Promise.reject(new Error('away'))
        : run(statement, ...more)
    }
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    support = await browserOf(url).enter(TOKENS.support)
    reader = await browserOf(url).enter(TOKENS.read)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  const find = async (number = JOHN) =>
    (await support.submit('/desk/number', '/desk/number', { number, note: 'ticket 12' })).text()
  const dialogueIn = (page: string) => /href="(\/desk\/number\/dialogue\/[\w-]+\?who=[\w-]+)"/.exec(page)?.[1]

  it('begins with nothing', async () => {
    const page = await find()
    assert.match(page, /No dialogue and no refused dial in this time/)
    assert.match(page, /No SMS in this time/)
  })

  it('shows an open dialogue with its screen, and to end it', async () => {
    await smsc.phone(JOHN).dial('*123#')
    const page = await find()
    assert.match(page, /\/desk\/number\/end/)
    const one = await support.text(dialogueIn(page)!)
    assert.match(one, /It rests on this screen/)
    assert.match(one, /it waits for the subscriber|its answer is being worked on/)
    assert.doesNotMatch(one, new RegExp(JOHN))
    await smsc.phone(JOHN).hangUp()
  })

  it('shows a past one screen by screen: keys, times, calls, why it ended; nobody needs the number', async () => {
    const phone = smsc.phone(JOHN)
    await phone.dial('*123#')
    for (const key of ['2', '2', '1', '1']) await phone.answer(key)
    await phone.hangUp()
    await until(async () => (await staged.knex('cdr').where({ msisdn: JOHN })).length === 2, 'no record')
    const found = await find()
    assert.equal([...found.matchAll(/\/desk\/number\/dialogue\//g)].length, 2)
    const address = dialogueIn(found)!
    asked.length = 0
    const page = await support.text(address)
    assert.equal(asked.filter((name) => name === '').length, 1, asked.join())
    assert.equal([...page.matchAll(/<figure class="shown">/g)].length, 5)
    assert.equal([...page.matchAll(/<kbd>[12]<\/kbd>/g)].length, 4)
    assert.match(page, /<kbd>2<\/kbd>\s+[A-Z]\w+/)
    assert.match(page, /<mark title="This value is gone">\{[\w.]+\}<\/mark>/)
    assert.match(page, /class="called[\s\S]{0,200}<code>dental\.\w+<\/code>/)
    assert.match(page, /the subscriber hung up/)
    assert.match(page, /675\*\*\*\*\*\*01/)
    assert.doesNotMatch(page, new RegExp(JOHN))
    assert.match(await support.text(`${address}&lang=fr`), /l’abonné a raccroché/)
    await support.get('/desk?lang=en')
    const told = staged.logged().filter(({ msg, what }) => msg === 'admin audit' && what === 'dialogue looked at')
    assert.ok(told.length >= 2 && told.every(({ who }) => who === 'supporter'))
    assert.doesNotMatch(JSON.stringify(staged.logged()), new RegExp(JOHN))
  })

  it('shows a reader nothing of it, and nobody what was not', async () => {
    const address = dialogueIn(await find())!
    assert.equal((await reader.get(address)).status, 403)
    const [bare, who] = address.split('?')
    assert.match(await support.text(bare!), /675\*\*\*\*\*\*01/)
    assert.equal((await support.get(`/desk/number/dialogue/nonsense?${who}`)).status, 404)
    const none = await support.get(`/desk/number/dialogue/01993f8c-2f60-7c11-9a55-0d6c1f2f8a01?${who}`)
    assert.equal(none.status, 404)
    assert.match(await none.text(), /no record of this dialogue/)
    assert.match(await support.text(address.replace(/who=.*/, 'who=nonsense')), /Find the number again/)
    assert.match(await support.text(`/desk/number?${who}&from=2020-01-01T00:00&until=2020-01-02T00:00`), /No dialogue/)
    assert.equal((await support.get(`/desk/number?${who}&from=2030-01-01T00:00&until=x`)).status, 200)
  })

  it('shows what is open while Postgres does not answer', async () => {
    await smsc.phone(JOHN).dial('*123#')
    isAway = true
    const page = await find()
    assert.match(page, /Postgres does not answer: what was before/)
    assert.match(page, /\/desk\/number\/end/)
    isAway = false
    await smsc.phone(JOHN).hangUp()
  })

  it('of very many, shows the newest and leads to those before', async () => {
    const many = '67570000612'
    await staged.knex.raw(
      `INSERT INTO cdr (day, epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms,
        wait_ms, backend_ms, language, channel, instance, path, parts, detail)
      SELECT CAST(at AT TIME ZONE 'UTC' AS date), 'many-' || n, 'refused', at, at, ?, 'test', '*9#', '', 'too-fast', '', 0,
        0, 0, 0, 'en', 'ussd', 'x', '', 0, ''
      FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 300) n) made`,
      [many],
    )
    const page = await find(many)
    assert.match(page, /There is more than is shown here/)
    assert.match(page, /more dials than one subscriber may make/)
    const next = /rel="next" href="([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&')
    const second = await support.text(next)
    assert.match(second, /many-300/)
    assert.doesNotMatch(second, /There is more/)
  })
})
