/** A subscriber is erased at the desk and over /v1: nothing is left, it can be done again, and what stops it is said. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { stringify } from 'yaml'
import { startWallet, type WalletServer } from '../../../samples/topup/server.ts'
import { eraseCommand } from '../../../src/cli/privacy.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith, services, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'
import { type Wire, wire } from '../../store/redis/own.ts'

const [JOHN, MARY, KILA] = ['67570000001', '67570000002', '67570000003']
const TOKENS = { support: 'supporting-token-of-a-test', read: 'reading-token-of-a-test' }

describeWith(['redis', 'postgres'], 'a subscriber who wants to be erased', function () {
  this.timeout(90_000)
  const stage = newStage()
  let smsc: Smsc
  let far: Smsc
  let wallet: WalletServer
  let staged: Staged
  let other: Staged
  let redis: Wire
  let postgres: Wire
  let support: DeskBrowser

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    far = await startSmsc({ clock: realClock, chance: Math.random })
    wallet = await startWallet({ port: 0 })
    const wireTo = (url: string, port: number) => wire({ host: new URL(url).hostname, port })
    redis = await wireTo(services.redisUrl!, Number(new URL(services.redisUrl!).port || 6379))
    postgres = await wireTo(services.postgresUrl!, Number(new URL(services.postgresUrl!).port || 5432))
    staged = await open('a')
    support = await browserOf(address()).enter(TOKENS.support)
  })
  after(async () => {
    await other?.close()
    await staged?.close()
    await redis?.close()
    await postgres?.close()
    await smsc?.stop()
    await far?.stop()
    await wallet?.stop()
    rmSync(stage.data, { recursive: true, force: true })
  })

  /** The first one reaches its stores by wires that can be cut. */
  function open(instance: string): Promise<Staged> {
    const data = join(stage.data, instance)
    mkdirSync(data)
    const through = (url: string, { port }: Wire) => Object.assign(new URL(url), { port }).toString()
    return stageDaemon({
      smscPort: (instance === 'a' ? smsc : far).port,
      with: { ...stage, data },
      frozen: false,
      change: (settings) => {
        settings.instance = instance
        settings.services.push({ code: '*675#', flow: 'topup' })
        const http = { url: `http://127.0.0.1:${wallet.port}`, timeoutMs: 2_000, headers: {}, concurrent: 5 }
        settings.backends.wallet = { http: { ...http, retries: 0, octetsMax: 65_536, ended: false } }
        letIn(
          settings,
          { token: TOKENS.support, roles: 'read,support', name: 'supporter' },
          { token: TOKENS.read, roles: 'read', name: 'reader' },
        )
        if (instance !== 'a' || settings.redis === 'embedded' || settings.postgres === 'embedded') return
        settings.redis.url = through(settings.redis.url as string, redis)
        settings.postgres.url = through(settings.postgres.url, postgres)
      },
    })
  }

  const address = () => `http://127.0.0.1:${staged.daemon.admin.port}`
  const ask = (body: object, token = TOKENS.support) =>
    fetch(`${address()}/v1/subscribers/erase`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
  /** The hidden fields of the page of a number. */
  async function pageOf(number: string): Promise<{ who: string; page: string }> {
    const answer = await support.submit('/desk/number', '/desk/number', { number, note: 'ticket 7' })
    const page = await answer.text()
    return { page, who: /name="who" value="([\w-]+)"/.exec(page)![1]! }
  }
  const erase = (fields: Record<string, string>) => support.submit('/desk/number', '/desk/number/erase', fields)
  const kept = async () => JSON.stringify(await staged.knex('audit'))

  /** Rows of all tables and keys of Redis that have this number in them. */
  async function hits(msisdn: string): Promise<string[]> {
    const { rows } = await staged.knex.raw<{ rows: { name: string }[] }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
    )
    const found: string[] = []
    for (const { name } of rows) {
      const like = `%${msisdn}%`
      const of = await staged.knex.raw<{ rows: { n: number }[] }>(
        'SELECT CAST(count(*) AS int) AS n FROM ?? t WHERE CAST(t AS text) LIKE ?',
        [name, like],
      )
      if (of.rows[0]!.n > 0) found.push(`${name} ${of.rows[0]!.n}`)
    }
    const client = new Redis(services.redisUrl!)
    for (const key of await client.keys(`${stage.prefix}:*`)) {
      const value = await client.dump(key)
      if (key.includes(msisdn) || value?.includes(msisdn)) found.push(key)
    }
    client.disconnect()
    return found
  }

  async function lived(msisdn: string): Promise<void> {
    const phone = smsc.phone(msisdn)
    await phone.dial('*123#')
    phone.hangUp()
    await until(async () => (await staged.knex('cdr').where({ msisdn })).length > 0, 'no record')
    const at = new Date()
    const owed = {
      kind: 'reminder',
      line: 'test',
      text: 'At ten',
      created_at: at,
      due_at: at,
      expires_at: at,
      wake_at: at,
    }
    const sms = { ...owed, msisdn }
    await staged.knex('sms_outbox').insert({ ...sms, subject: `x:${msisdn}`, state: 'failed', settled_at: at })
    await staged.knex('sms_outbox').insert({ ...sms, subject: `y:${msisdn}`, state: 'accepted', submitted_at: at })
    await staged.knex('subscriber_language').insert({ msisdn, language: 'tpi', chosen_at: at })
    await staged.knex('sms_opt_out').insert({ msisdn, opted_out_at: at })
  }

  it('is erased by who types the whole number, with a reason; with an open dialogue, too; and nothing is left', async () => {
    await lived(JOHN)
    await smsc.phone(JOHN).dial('*123#')
    const { who, page } = await pageOf(JOHN)
    assert.match(page, /Erase the subscriber…/)
    assert.equal((await erase({ who, number: MARY, note: 'letter' })).status, 409)
    assert.equal((await erase({ who, number: '', note: 'letter' })).status, 409)
    assert.equal((await erase({ who, number: JOHN, note: ' ' })).status, 409)
    assert.equal((await erase({ who: who.slice(9), number: JOHN, note: 'letter' })).status, 200)
    assert.ok((await hits(JOHN)).length > 4, (await hits(JOHN)).join())

    const done = await erase({ who, number: '+675 7000 0001', note: 'letter of 67570000001' })
    const told = (await done.text()).replaceAll(/\s+/g, ' ')
    assert.equal(done.status, 200, told)
    assert.match(told, /<h1[^>]*> ?Erased/)
    assert.match(told, /Dialogues in the store.*?>1</)
    assert.match(told, /The wish for no SMS/)
    assert.match(
      told,
      /Call detail records, now with a keyed hash in place of the number.*?>3</,
      'the dialogue, and two SMS',
    )
    assert.match(told, /Not reached.*Back ends over HTTP/)
    assert.doesNotMatch(told, new RegExp(JOHN))
    assert.deepEqual(await hits(JOHN), [])
    assert.doesNotMatch(JSON.stringify(staged.logged()), new RegExp(JOHN))
    const line = staged.logged().find(({ what }) => what === 'subscriber erased')!
    assert.deepEqual(
      [line.who, line.after, line.note, line.sms, line.language, line.optOut],
      ['supporter', 'erased', 'letter of 675******01', 2, 1, 'removed'],
    )
    const billed = await staged.knex('cdr').where('msisdn', 'like', 'erased-%').orderBy('reason')
    assert.deepEqual(
      billed.map(({ kind, reason }) => `${kind} ${reason}`),
      ['sms accepted', 'sms failed', 'dialogue subscriber-abort'],
    )
    assert.match(String(line.subscriber), /^\S{12}$/)
    await until(async () => (await kept()).includes('subscriber erased'), 'not in the audit')
    assert.doesNotMatch(await kept(), /6757000/)
  })

  it('presses on, and is a new subscriber: the dialogue is gone, and a dial begins another one', async () => {
    const phone = smsc.phone(JOHN)
    assert.equal((await phone.answer('2')).text, staged.settings.texts.expired)
    phone.hangUp()
    assert.match((await phone.dial('*123#')).text, /No profile found/)
    phone.hangUp()
    const { who } = await pageOf(JOHN)
    await until(async () => (await staged.knex('cdr').where({ msisdn: JOHN })).length > 0, 'no record')
    await erase({ who, number: JOHN, note: 'once more' })
    const again = await (await erase({ who, number: JOHN, note: 'and once more' })).text()
    assert.match(again, /Nothing was kept about this number/)
    assert.deepEqual(await hits(JOHN), [])
  })

  it('is erased over /v1, and keeps the wish for no SMS where that is asked for; a second time finds nothing', async () => {
    await lived(MARY)
    assert.equal((await ask({ msisdn: MARY, note: 'letter' }, TOKENS.read)).status, 403)
    for (const body of [{}, { msisdn: MARY }, { msisdn: MARY, note: ' ' }, { msisdn: 'x', note: 'y' }, { note: 'y' }])
      assert.equal((await ask(body)).status, 400, JSON.stringify(body))
    const answer = await ask({ msisdn: `+${MARY}`, note: 'letter', keepOptOut: true })
    const told = (await answer.json()) as Record<string, unknown>
    assert.equal(answer.status, 200, JSON.stringify(told))
    assert.deepEqual([told.records, told.optOut, told.failed, told.daemons], [3, 'kept', [], []])
    assert.doesNotMatch(JSON.stringify(told), new RegExp(MARY))
    assert.deepEqual(await hits(MARY), ['sms_opt_out 1'])
    const second = (await (await ask({ msisdn: MARY, note: 'letter' })).json()) as Record<string, unknown>
    assert.deepEqual([second.records, second.dialogues, second.sms, second.optOut], [0, 0, 0, 'removed'])
    assert.deepEqual(await hits(MARY), [])
    assert.equal((await ask({ msisdn: '67570009999', note: 'nobody' })).status, 200)
  })

  it('is told what stopped it, and that the same again does the rest: Postgres away, and Redis in the middle', async () => {
    await lived(KILA)
    await smsc.phone(KILA).dial('*123#')
    smsc.phone(KILA).hangUp()
    const { who } = await pageOf(KILA)
    redis.set('cut')
    const first = await ask({ msisdn: KILA, note: 'letter' })
    assert.equal(first.status, 503)
    assert.match(await first.text(), /dialogue store does not answer \(nothing was changed\)/)
    assert.ok((await hits(KILA)).some((one) => one.startsWith('cdr')))
    redis.set('open')
    await until(async () => (await staged.daemon.readiness()).ready, 'Redis is not back')

    const { sql } = staged.daemon.stores
    const { transaction } = sql
    sql.transaction = ((...of: Parameters<typeof transaction>) => {
      redis.set('cut')
      return transaction.apply(sql, of)
    }) as typeof transaction
    const second = await erase({ who, number: KILA, note: 'letter' })
    const said = await second.text()
    sql.transaction = transaction
    assert.equal(second.status, 503, said)
    assert.match(said, /dialogue store does not answer\.\s+A part may be removed already/)
    redis.set('open')
    await until(async () => (await staged.daemon.readiness()).ready, 'Redis is not back')

    postgres.set('cut')
    const third = await ask({ msisdn: KILA, note: 'letter' })
    const why = await third.text()
    postgres.set('open')
    assert.equal(third.status, 503, why)
    assert.match(why, /Postgres does not answer/)
    await until(async () => (await staged.daemon.readiness()).ready, 'Postgres is not back')
    const ends = staged.logged().filter(({ what, after }) => what === 'subscriber erased' && after === 'stopped')
    assert.deepEqual(
      ends.map(({ at, isBegun }) => [at, isBegun]),
      [
        ['dialogue store', false],
        ['dialogue store', true],
        ['Postgres', true],
      ],
    )
    assert.equal((await ask({ msisdn: KILA, note: 'letter' })).status, 200)
    assert.deepEqual(await hits(KILA), [])
  })

  it('is out of the memory of every daemon: back ends are asked again for what was kept', async () => {
    const dialled = async () => {
      for (const one of [smsc, far]) {
        const phone = one.phone(JOHN)
        assert.match((await phone.dial('*675#')).text, /Balance/)
        phone.hangUp()
      }
      const of = { backend: 'wallet', operation: 'subscriber', result: 'fetched' }
      return Promise.all([staged, other].map(({ daemon }) => daemon.metrics.value('backend_cache_total', of)))
    }
    other = await open('b')
    assert.deepEqual(await dialled(), [1, 1])
    assert.deepEqual(await dialled(), [1, 1], 'kept by each')
    const { daemons } = (await (await ask({ msisdn: JOHN, note: 'letter' })).json()) as { daemons: string[] }
    assert.deepEqual(daemons, [])
    assert.deepEqual(await dialled(), [2, 2], 'asked again by each')

    const config = join(stage.data, 'connector.yaml')
    writeFileSync(config, stringify(JSON.parse(JSON.stringify(staged.settings))), { mode: 0o600 })
    const said: string[] = []
    await eraseCommand({ config, msisdn: JOHN }, (text) => void said.push(text), { write: () => undefined })
    assert.match(said.join('\n'), /^erased /)
    assert.deepEqual(await dialled(), [3, 3], 'the command line reaches the daemons, too')
    await until(async () => (await staged.knex('cdr').where({ msisdn: JOHN })).length > 0, 'no record')
    await ask({ msisdn: JOHN, note: 'letter' })
    const { rows } = await staged.knex.raw<{ rows: object[] }>('SELECT * FROM instance_command')
    assert.ok(rows.length >= 2)
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(JOHN))
  })
})
