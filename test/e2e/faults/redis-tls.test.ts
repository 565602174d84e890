import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { parseSettings } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { createStoreTls } from '../../../src/daemon/stores/store-tls.ts'
import { serversOf } from '../../../src/daemon/stores/stores.ts'
import { connect, disconnect } from '../../../src/store/redis/connection.ts'
import { startSmsc } from '../../../src/simulator/smsc/smsc.ts'
import { ownRedis, type OwnRedis } from '../../store/redis/own.ts'
import { authority, hasOpenssl, type Pair } from '../../support/certificates.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon } from '../../support/daemon.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { T1 } from '../../support/screens.ts'

/** Opens no port: the second of these is wrong, but a server without TLS does not get that far. */
function speaksTls(): boolean {
  const { error, stderr } = spawnSync('redis-server', ['--tls-port', '0', '--port', 'none'], { encoding: 'utf8' })
  return error === undefined && !stderr.includes("'tls-port")
}

describeWith(['redis', 'postgres'], 'Redis over TLS', () => {
  let dir: string
  let [ca, client, stranger]: Pair[] = []
  const ports: Record<string, number> = {}
  const servers: OwnRedis[] = []

  before(async function () {
    this.timeout(60_000)
    if (!hasOpenssl() || !speaksTls()) {
      process.stdout.write(
        'No openssl, no redis-server here, or one that was built without TLS: Redis is not spoken to over TLS.\n',
      )
      return this.skip()
    }
    dir = mkdtempSync(join(tmpdir(), 'ussd-redis-tls-'))
    const [own, other] = [authority(dir, 'own'), authority(dir, 'other')]
    ;[ca, client, stranger] = [own, own.issue('client'), other.issue('stranger')]
    const start = async (name: string, pair: Pair, ...more: string[]) => {
      const port = (ports[name] = await freePort())
      const files = ['--tls-cert-file', pair.cert, '--tls-key-file', pair.key, '--tls-ca-cert-file', own.cert]
      servers.push(
        (await ownRedis(
          '--tls-port',
          String(port),
          ...files,
          '--requirepass',
          'first',
          '--appendonly',
          'yes',
          ...more,
        ))!,
      )
    }
    const good = own.issue('good')
    await start('good', good, '--tls-auth-clients', 'no')
    ports['plain'] = servers[0]!.port
    await start('expired', own.issue('expired', { days: -1 }), '--tls-auth-clients', 'no')
    await start('elsewhere', own.issue('elsewhere', { names: 'DNS:elsewhere.example' }), '--tls-auth-clients', 'no')
    await start('foreign', other.issue('foreign'), '--tls-auth-clients', 'no')
    await start('careful', good)
  })
  after(async () => {
    for (const server of servers) await server.stop()
    if (dir) rmSync(dir, { recursive: true, force: true })
  })

  /** As it stands in a settings file, with the password in a file. */
  function settingsOf(server: string, tls: string, password = 'first'): Exclude<Settings['redis'], 'embedded'> {
    const file = join(dir, 'password')
    writeFileSync(file, `${password}\n`, { mode: 0o600 })
    const { settings } = parseSettings(
      `
lines: [{ name: test, smsc: { host: 127.0.0.1, port: 1, systemId: ussd, password: secret } }]
services: [{ code: "*1#", flow: none }]
redis: { url: "redis://localhost:${ports[server]}/0", passwordFile: ${file}, ${tls} }
postgres: embedded
`,
      'test',
      {},
    )
    return settings.redis as Exclude<Settings['redis'], 'embedded'>
  }

  /** '' where it connects, else what the log says. */
  async function outcome(server: string, tls: string, password?: string): Promise<string> {
    const said: string[] = []
    const keep = (fields: object, text: string) => void said.push(`${text}: ${Object.values(fields).join(', ')}`)
    const log = { debug: keep, info: keep, warn: keep, error: keep }
    const redis = await connect(serversOf(settingsOf(server, tls, password)), log as never)
    try {
      return await redis.ping().then(
        () => '',
        () => said.join('\n'),
      )
    } finally {
      await disconnect(redis)
    }
  }

  const trusts = () => `tls: { ca: ${ca!.cert} }`
  const shows = (pair: Pair) => `tls: { ca: ${ca!.cert}, cert: ${pair.cert}, key: ${pair.key} }`

  it('keeps the dialogues of a daemon, with a client certificate and a password from a file', async function () {
    this.timeout(60_000)
    const smsc = await startSmsc({ clock: realClock, chance: Math.random })
    const change = (settings: Settings) => void (settings.redis = settingsOf('careful', shows(client!)))
    const staged = await stageDaemon({ smscPort: smsc.port, change })
    try {
      assert.equal((await smsc.phone('67570000001').dial('*123#')).text, T1)
      assert.equal(await staged.daemon.stores.dialogues.count(), 1)
    } finally {
      await staged.close()
      await smsc.stop()
    }
  })

  it('is refused, with what is wrong and what to do, unless certificate, name and authority are right', async () => {
    assert.equal(await outcome('good', trusts()), '')
    assert.equal(await outcome('careful', shows(client!)), '')
    assert.equal(await outcome('elsewhere', `tls: { ca: ${ca!.cert}, servername: elsewhere.example }`), '')
    assert.match(await outcome('expired', trusts()), /CERT_HAS_EXPIRED, the server's certificate is not valid now/)
    assert.match(await outcome('elsewhere', trusts()), /ERR_TLS_CERT_ALTNAME_INVALID, .*redis\.tls\.servername/)
    assert.match(await outcome('foreign', trusts()), /signed by an authority in redis\.tls\.ca/)
    assert.match(
      await outcome('good', 'tls: {}'),
      /signed by an authority in redis\.tls\.ca/,
      'what the system trusts does not do',
    )
    assert.match(await outcome('careful', trusts()), /redis\.tls\.cert/)
    assert.match(await outcome('careful', shows(stranger!)), /redis\.tls\.cert/)
    const mixed = { cert: client!.cert, key: stranger!.key }
    await assert.rejects(outcome('careful', shows(mixed)), /redis\.tls\.key: is the key of another certificate/)
    assert.match(await outcome('plain', trusts()), /speak TLS if and only if redis\.tls is set/)
    assert.match(await outcome('good', 'prefix: t'), /want TLS \(redis\.tls\)/)
    assert.match(await outcome('good', trusts(), 'wrong'), /WRONGPASS, .*redis\.passwordFile/)
  })

  it('takes a new password beside the old one, and the connections of the old one go on', async () => {
    const admin = new Redis(ports['plain']!, { password: 'first' })
    const old = await connect(serversOf(settingsOf('good', trusts())), {
      debug() {},
      info() {},
      warn() {},
      error() {},
    } as never)
    try {
      await admin.call('ACL', 'SETUSER', 'default', '>second')
      assert.equal(await outcome('good', trusts(), 'second'), '')
      await admin.call('ACL', 'SETUSER', 'default', '<first')
      assert.equal(await old.ping(), 'PONG')
      assert.match(await outcome('good', trusts(), 'first'), /WRONGPASS/)
      assert.equal(await outcome('good', trusts(), 'second'), '')
    } finally {
      await disconnect(old)
      admin.disconnect()
    }
  })

  it('takes certificates that were renewed in place for the next connection, and keeps the old for a file that is none', async () => {
    const mine: Pair = { cert: join(dir, 'mine.pem'), key: join(dir, 'mine-key.pem') }
    const put = (pair: Pair) => {
      copyFileSync(pair.cert, mine.cert)
      writeFileSync(mine.key, readFileSync(pair.key), { mode: 0o600 })
    }
    put(client!)
    const settings = { redis: settingsOf('careful', shows(mine)), postgres: 'embedded' as const }
    const tls = createStoreTls(settings)
    const log = { debug() {}, info() {}, warn() {}, error() {} } as never
    const redis = await connect(serversOf(settings.redis, tls.redis), log)
    const admin = await connect(serversOf(settings.redis), log)
    const cut = () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => undefined)
    const answers = () =>
      redis.ping().then(
        () => true,
        () => false,
      )
    try {
      assert.deepEqual(tls.prepare(settings).changed, [])
      put(stranger!)
      const change = tls.prepare(settings)
      assert.deepEqual(change.changed, ['redis.tls'])
      await cut()
      await until(answers, 'nothing changes before it is committed')
      change.commit()
      assert.equal(await answers(), true, 'a connection that stands goes on')
      await cut()
      await until(async () => !(await answers()), 'the new certificate is not used')
      writeFileSync(mine.cert, 'no certificate')
      assert.throws(() => tls.prepare(settings), /redis\.tls: .*mine\.pem is not a certificate/)
      put(client!)
      tls.prepare(settings).commit()
      await until(answers, 'the renewed certificate is not used')
    } finally {
      await disconnect(redis)
      await disconnect(admin)
    }
  })
})
