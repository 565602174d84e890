/** deploy/backup.sh and deploy/restore.sh, on a daemon that has served: what it had is there again, and nothing is written over. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexFactory from 'knex'
import { root } from '../style/tree.ts'
import { FROZEN, newStage, stageDaemon, type Stage, type StageOptions } from '../support/daemon.ts'
import { seedDental } from '../support/dental.ts'
import { foreignSmsc } from '../support/foreign-smsc.ts'
import { T1, T2 } from '../support/screens.ts'
import { describeWith, services, until } from '../support/services.ts'

const JOHN = '67570000001'
const KEYS = `names: ${randomBytes(32).toString('base64')}\nk1a2b3c: ${randomBytes(32).toString('base64')}\n`
const missing = ['pg_dump', 'pg_restore', 'psql', 'tar', 'sha256sum'].filter(
  (program) => spawnSync(program, ['--version']).error,
)
const skipped = missing.length ? ` (skipped: no ${missing.join(', ')} here)` : ''

type Smsc = Awaited<ReturnType<typeof foreignSmsc>>

describeWith(['redis', 'postgres'], `backup and restore${skipped}`, function () {
  this.timeout(180_000)
  let smsc: Smsc
  let folder: string
  const databases: string[] = []
  const stages: Stage[] = []
  const at = (...names: string[]) => join(folder, ...names)

  before(async function () {
    if (missing.length) return this.skip()
    smsc = await foreignSmsc()
    folder = mkdtempSync(join(tmpdir(), 'ussd-backup-'))
    mkdirSync(at('settings'))
    cpSync(join(root, 'flows'), at('settings/flows'), { recursive: true })
    writeFileSync(at('settings/connector.yaml'), 'flows: { dir: /srv/flows }\n', { mode: 0o644 })
    writeFileSync(at('settings/store_keys'), KEYS, { mode: 0o600 })
  })
  after(async () => {
    smsc?.stop()
    for (const name of databases) await byHand(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    for (const { data } of stages) rmSync(data, { recursive: true, force: true })
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  async function byHand(sql: string): Promise<void> {
    const knex = knexFactory({ client: 'pg', connection: services.postgresUrl!, pool: { min: 0, max: 1 } })
    await knex.raw(sql).finally(() => knex.destroy())
  }
  const urlOf = (name: string) => Object.assign(new URL(services.postgresUrl!), { pathname: `/${name}` }).toString()
  async function makeOne(): Promise<string> {
    const name = `b_${randomBytes(6).toString('hex')}`
    databases.push(name)
    await byHand(`CREATE DATABASE ${name}`)
    return name
  }
  async function rows<Row>(database: string, sql: string): Promise<Row[]> {
    const knex = knexFactory({ client: 'pg', connection: urlOf(database), pool: { min: 0, max: 1 } })
    const answer = await knex.raw<{ rows: Row[] }>(sql).finally(() => knex.destroy())
    return answer.rows
  }
  function script(name: string, words: string[]): { status: number | null; said: string } {
    const run = spawnSync('sh', [join(root, 'deploy', name), ...words], { encoding: 'utf8' })
    return { status: run.status, said: run.stdout + run.stderr }
  }
  const backup = (to: string, database: string, data: string) =>
    script('backup.sh', ['--to', to, '--database', database, '--settings', at('settings'), '--data', data])
  const restore = (from: string, database: string, into: string, ...more: string[]) => {
    const folders = ['--settings', at(into, 'settings'), '--data', at(into, 'data')]
    return script('restore.sh', ['--from', from, '--database', database, ...folders, ...more])
  }

  /** A daemon on these stores, its flows and keys from that folder. */
  async function serve(settings: string, change: StageOptions['change'], embedded = false, data?: string) {
    const stage = newStage()
    if (data) {
      rmSync(stage.data, { recursive: true })
      stage.data = data
    }
    stages.push(stage)
    return stageDaemon({
      smscPort: smsc.port,
      embedded,
      with: stage,
      change: (all) => {
        all.flows.dir = join(settings, 'flows')
        all.privacy.storeKeyFile = join(settings, 'store_keys')
        change?.(all)
      },
    })
  }
  const onDatabase = (name: string): StageOptions['change'] => {
    return (all) => (all.postgres = { url: urlOf(name), poolMax: 5, migrate: true })
  }
  async function book() {
    const phone = smsc.phone(JOHN)
    assert.equal((await phone.dial('*123#')).text, T1)
    for (const key of ['2', '2', '1', '1']) await phone.answer(key)
    await phone.hangUp()
  }
  /** The appointment that was booked, beside those of the sample data. */
  async function bookedStill() {
    const phone = smsc.phone(JOHN)
    assert.equal((await phone.dial('*123#')).text, T1)
    const { text } = await phone.answer('1')
    assert.notEqual(text, T2)
    assert.match(text, /Checkup \(10\/05\/2025, Koki Dental Clinic - Upcoming\)/)
    await phone.hangUp()
  }

  describe('of a daemon on Postgres', () => {
    let kept: { sms: { state: string }[]; revisions: unknown[] }
    const keep = async (name: string) => ({
      sms: await rows<{ state: string }>(name, `SELECT id, msisdn, text, due_at, state FROM sms_outbox ORDER BY id`),
      revisions: await rows(name, 'SELECT revision, source FROM flow_revision ORDER BY revision'),
    })

    it('is taken while the daemon runs', async () => {
      const name = await makeOne()
      const first = await serve(at('settings'), onDatabase(name))
      await seedAndBook(first)
      const { status, said } = backup(at('one'), urlOf(name), first.settings.data)
      await first.close()
      kept = await keep(name)
      assert.equal(status, 0, said)
      assert.match(said, /not in the backup, for it lies elsewhere: \/srv\/flows/)
      await byHand(`DROP DATABASE ${name} WITH (FORCE)`)
      assert.ok(kept.sms.length > 0 && kept.revisions.length > 0)
      for (const file of readdirSync(at('one'))) assert.equal(statSync(at('one', file)).mode & 0o77, 0, file)
      const inside = (tar: string) => spawnSync('tar', ['-tf', at('one', tar)], { encoding: 'utf8' }).stdout
      assert.match(inside('keys.tar'), /store_keys/)
      assert.doesNotMatch(inside('settings.tar'), /store_keys/)
    })

    it('is refused over another backup', () => {
      const { status, said } = backup(at('one'), urlOf('nowhere'), at('settings'))
      assert.equal(status, 1)
      assert.match(said, /is there already/)
    })

    it('leaves nothing that looks like a backup if the database does not answer', () => {
      const { status, said } = backup(at('none'), urlOf('nowhere'), at('settings'))
      assert.equal(status, 1)
      assert.match(said, /pg_dump failed/)
      assert.deepEqual([existsSync(at('none')), existsSync(at('none.half'))], [false, false])
    })

    it('is not restored from a damaged copy, without its keys, or over what is there; nothing is changed', async () => {
      const name = await makeOne()
      cpSync(at('one'), at('bad'), { recursive: true })
      writeFileSync(at('bad/data.tar'), 'x')
      const damaged = restore(at('bad'), urlOf(name), 'two')
      assert.match(damaged.said, /data\.tar: FAILED[^]*is damaged[^]*Nothing was changed/)
      rmSync(at('bad/keys.tar'))
      assert.match(restore(at('bad'), urlOf(name), 'two').said, /put keys\.tar back/)
      assert.match(restore(at('one'), 'none', 'two').said, /has a database/)

      mkdirSync(at('full/data'), { recursive: true })
      writeFileSync(at('full/data/log-key'), 'mine')
      assert.match(restore(at('one'), urlOf(name), 'full').said, /full\/data is not empty[^]*Nothing was changed/)
      assert.equal(readFileSync(at('full/data/log-key'), 'utf8'), 'mine')

      const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'`
      assert.deepEqual(await rows(name, tables), [{ n: 0 }])
      await rows(name, 'CREATE TABLE mine (n int)')
      const full = restore(at('one'), urlOf(name), 'two')
      assert.equal(full.status, 1)
      assert.match(full.said, /the database is not empty/)
      assert.deepEqual([await rows(name, tables), existsSync(at('two'))], [[{ n: 1 }], false])
    })

    it('brings bookings, SMS, flows and keys back, and the daemon serves them', async () => {
      const name = await makeOne()
      const { status, said } = restore(at('one'), urlOf(name), 'three')
      assert.equal(status, 0, said)
      assert.deepEqual(await keep(name), kept)
      assert.equal(readFileSync(at('three/settings/store_keys'), 'utf8'), KEYS)
      assert.equal(statSync(at('three/settings/store_keys')).mode & 0o777, 0o600)
      const flow = 'flows/dental.yaml'
      assert.deepEqual(readFileSync(at('three/settings', flow)), readFileSync(join(root, flow)))
      const again = await serve(at('three/settings'), onDatabase(name), false, at('three/data'))
      await bookedStill().finally(() => again.close())
    })

    it('says which SMS may leave a second time, and keeps them back if asked', async () => {
      const name = await makeOne()
      const due = kept.sms.filter(({ state }) => state === 'due').length
      assert.ok(due > 0)
      const { status, said } = restore(at('one'), urlOf(name), 'four', '--expire-overdue-sms')
      assert.equal(status, 0, said)
      assert.match(said, new RegExp(`${due} SMS that were due before now will not leave`))
      const [row] = await rows<{ n: number }>(
        name,
        'SELECT count(*)::int AS n FROM sms_outbox WHERE expires_at > now()',
      )
      assert.equal(row?.n, 0)
    })
  })

  describe('of embedded stores', () => {
    it('is refused while the daemon runs, and is whole when it has stopped', async () => {
      const first = await serve(at('settings'), undefined, true)
      const { data } = first.settings
      await seedAndBook(first)
      const running = backup(at('five'), 'none', data)
      await first.close()
      assert.equal(running.status, 1)
      assert.match(running.said, /has the stores in .* open: stop that daemon first/)
      assert.ok(!existsSync(at('five')))

      const stopped = backup(at('five'), 'none', data)
      assert.equal(stopped.status, 0, stopped.said)
      const { status, said } = restore(at('five'), 'none', 'six')
      assert.equal(status, 0, said)
      const again = await serve(at('six/settings'), undefined, true, at('six/data'))
      await bookedStill().finally(() => again.close())
    })
  })

  async function seedAndBook({ daemon }: Awaited<ReturnType<typeof stageDaemon>>) {
    await seedDental(daemon.stores.sql, { atMs: FROZEN })
    await book()
    // The backup must find the confirmation as the last look does: a slow machine sends it between the two.
    const sent = daemon.stores.knex('sms_outbox').where({ state: 'accepted' })
    await until(async () => (await sent.clone()).length === 1, 'the confirmation does not go out')
  }
})
