import assert from 'node:assert/strict'
import { chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { ownPostgres, type OwnPostgres } from '../../campaigns/staging/own-postgres.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { serverOf } from '../../../src/daemon/stores/postgres-server.ts'
import { createStoreTls } from '../../../src/daemon/stores/store-tls.ts'
import { openDatabase } from '../../../src/daemon/stores/stores.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { openPostgres, type Postgres } from '../../../src/store/postgres/connection.ts'
import { authority, hasOpenssl, type Pair } from '../../support/certificates.ts'
import { realClock } from '../../support/clock.ts'
import { describeWith, until } from '../../support/services.ts'

/** `ussd` comes over TLS only, with a password; `careful` shows a certificate as well; the rest is the test's own. */
const RULES = `
local   all all trust
host    all postgres 127.0.0.1/32 trust
hostssl all ussd     127.0.0.1/32 scram-sha-256
hostssl all careful  127.0.0.1/32 scram-sha-256 clientcert=verify-ca
`

describeWith(['postgres'], 'Postgres over TLS', () => {
  let dir: string
  let server: OwnPostgres | undefined
  const pairs: Record<string, Pair> = {}

  before(async function () {
    this.timeout(90_000)
    const lacking = hasOpenssl()
      ? await start().then(
          () => undefined,
          (error: Error) => error.message,
        )
      : 'openssl is not here'
    if (lacking === undefined) return
    process.stdout.write(`Postgres is not spoken to over TLS: ${lacking}.\n`)
    this.skip()
  })
  after(async () => {
    await server?.close()
    if (dir) rmSync(dir, { recursive: true, force: true })
  })

  /** Rejects where there is no server program, or one that was built without TLS. */
  async function start(): Promise<void> {
    dir = mkdtempSync(join(tmpdir(), 'ussd-postgres-tls-'))
    const [own, other] = [authority(dir, 'own'), authority(dir, 'other')]
    Object.assign(pairs, {
      own,
      client: own.issue('client'),
      stranger: other.issue('stranger'),
      good: own.issue('good'),
      foreign: other.issue('foreign'),
      expired: own.issue('expired', { days: -1 }),
      elsewhere: own.issue('elsewhere', { names: 'DNS:elsewhere.example' }),
    })
    server = await ownPostgres()
    for (const [name, { cert, key }] of Object.entries(pairs)) {
      for (const [from, to] of [
        [cert, `${name}.pem`],
        [key, `${name}.key`],
      ] as const)
        handOver(from, to)
    }
    writeFileSync(join(server.data, 'pg_hba.conf'), RULES)
    for (const role of ['ussd', 'careful']) await server.ask(`CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'first'`)
    await speaks('good')
  }

  /** A server reads only keys that are its own user's. */
  function handOver(from: string, to: string): void {
    const file = join(server!.data, to)
    copyFileSync(from, file)
    if (server!.user.uid !== undefined) chownSync(file, server!.user.uid, server!.user.gid!)
  }

  /** With that certificate from now on. */
  async function speaks(name: string): Promise<void> {
    const set = { ssl: 'on', ssl_ca_file: 'own.pem', ssl_cert_file: `${name}.pem`, ssl_key_file: `${name}.key` }
    for (const [key, value] of Object.entries(set)) await server!.ask(`ALTER SYSTEM SET ${key} = '${value}'`)
    await server!.ask('SELECT pg_reload_conf()')
    const shown = async () => {
      const client = new pg.Client({ connectionString: server!.url })
      await client.connect()
      const { rows } = await client.query<{ cert: string }>(
        "SELECT current_setting('ssl') || current_setting('ssl_cert_file') AS cert",
      )
      await client.end()
      return rows[0]!.cert
    }
    await until(async () => (await shown()) === `on${name}.pem`, `the server does not take ${name}.pem`)
  }

  /** As it stands in a settings file, with the password in a file. */
  function settingsOf(tls: string, { user = 'ussd', password = 'first' } = {}) {
    const file = join(dir, 'password')
    writeFileSync(file, `${password}\n`, { mode: 0o600 })
    const { port } = new URL(server!.url)
    return parseSettings(
      `
lines: [{ name: test, smsc: { host: 127.0.0.1, port: 1, systemId: ussd, password: secret } }]
services: [{ code: "*1#", flow: none }]
redis: embedded
postgres: { url: "postgres://${user}@localhost:${port}/${user}", passwordFile: ${file}, ${tls} }
`,
      'test',
      {},
    ).settings
  }

  /**
   * '' where the daemon would start, else what it says. Time-outs of a start that is waited for are those of the clock.
   */
  async function outcome(tls: string, who?: { user?: string; password?: string }): Promise<string> {
    let nowMs = 0
    const impatient = { ...realClock, now: () => (nowMs += 60_000) }
    return openDatabase(settingsOf(tls, who), silentLog, impatient).then(
      (database) => database.close().then(() => ''),
      (error: Error) => `${error.name}: ${error.message}`,
    )
  }

  const trusts = () => `tls: { ca: ${pairs['own']!.cert} }`
  const shows = (pair: Pair) => `tls: { ca: ${pairs['own']!.cert}, cert: ${pair.cert}, key: ${pair.key} }`

  it('is used, and the database is made over it, where the server takes nothing else', async function () {
    const database = await openDatabase(settingsOf(trusts()), silentLog, realClock)
    const { rows } = await database.knex.raw<{ rows: { ssl: boolean; version: string }[] }>(
      'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    )
    await database.close()
    assert.equal(rows[0]!.ssl, true)
    assert.match(rows[0]!.version, /^TLSv1\.[23]$/)
    assert.equal(await outcome(shows(pairs['client']!), { user: 'careful' }), '')
  })

  it('is refused, with what is wrong and what to do, unless certificate, name and authority are right', async function () {
    this.timeout(60_000)
    assert.match(await outcome('poolMax: 2'), /^UsageError: Postgres: .*no encryption.* \(.*postgres\.tls/s)
    assert.match(await outcome('tls: {}'), /^UsageError: Postgres: .*signed by an authority in postgres\.tls\.ca/)
    assert.match(
      await outcome(trusts(), { user: 'careful' }),
      /^UsageError: Postgres: .*in postgres\.tls that pg_hba\.conf asks for/,
    )
    assert.match(
      await outcome(shows(pairs['stranger']!), { user: 'careful' }),
      /^UsageError: Postgres: .*postgres\.tls\.cert and key/s,
    )
    assert.match(await outcome(trusts(), { password: 'wrong' }), /^UsageError: Postgres: .*postgres\.passwordFile/)
    assert.match(
      await outcome('tls: { ca: /nowhere.pem }'),
      /^UsageError: postgres\.tls: \/nowhere\.pem cannot be read \(ENOENT\)/,
    )
    await speaks('expired')
    assert.match(await outcome(trusts()), /^UsageError: Postgres: .*not valid now: renew it/)
    await speaks('foreign')
    assert.match(await outcome(trusts()), /^UsageError: Postgres: .*signed by an authority in postgres\.tls\.ca/)
    await speaks('elsewhere')
    assert.match(await outcome(trusts()), /^UsageError: Postgres: .*postgres\.tls\.servername/)
    assert.equal(await outcome(`tls: { ca: ${pairs['own']!.cert}, servername: elsewhere.example }`), '')
    await speaks('good')
    await server!.ask("ALTER SYSTEM SET ssl = 'off'")
    await server!.ask('SELECT pg_reload_conf()')
    await until(async () => /speaks no TLS/.test(await outcome(trusts())), 'a server without TLS is not named as one')
    await speaks('good')
  })

  it('takes a new password from its file for the next connection, without a restart', async function () {
    const settings = settingsOf(trusts())
    const database: Postgres = await openPostgres(
      serverOf(settings.postgres as Exclude<typeof settings.postgres, 'embedded'>),
    )
    const works = () =>
      database.knex.raw('SELECT 1').then(
        () => true,
        () => false,
      )
    const cut = async () => {
      await server!.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ussd'")
      await works() // whoever is first may find a connection that is gone
    }
    try {
      assert.equal(await works(), true)
      await server!.ask("ALTER ROLE ussd PASSWORD 'second'")
      assert.equal(await works(), true, 'a connection that stands goes on')
      await cut()
      assert.equal(await works(), false)
      writeFileSync(join(dir, 'password'), 'second\n')
      assert.equal(await works(), true)
    } finally {
      await database.close()
    }
  })

  it('takes a certificate that was renewed in place for the next connection', async function () {
    const mine: Pair = { cert: join(dir, 'mine.pem'), key: join(dir, 'mine-key.pem') }
    const put = (pair: Pair) => {
      copyFileSync(pair.cert, mine.cert)
      writeFileSync(mine.key, readFileSync(pair.key), { mode: 0o600 })
    }
    put(pairs['client']!)
    const settings = settingsOf(shows(mine), { user: 'careful' })
    const tls = createStoreTls(settings)
    const database = await openPostgres(
      serverOf(settings.postgres as Exclude<typeof settings.postgres, 'embedded'>, tls.postgres),
    )
    const works = () =>
      database.knex.raw('SELECT 1').then(
        () => true,
        () => false,
      )
    const cut = async () => {
      await server!.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'careful'")
      await works()
    }
    try {
      assert.equal(await works(), true)
      put(pairs['stranger']!)
      tls.prepare(settings).commit()
      assert.equal(await works(), true, 'a connection that stands goes on')
      await cut()
      assert.equal(await works(), false)
      writeFileSync(mine.key, 'no key', { mode: 0o600 })
      assert.throws(() => tls.prepare(settings), /postgres\.tls\.key: is not a private key/)
      put(pairs['client']!)
      tls.prepare(settings).commit()
      assert.equal(await works(), true)
    } finally {
      await database.close()
    }
  })
})
