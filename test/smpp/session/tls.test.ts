import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type Server, type TlsOptions } from 'node:tls'
import { startPeer, type Peer } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { testLine, type TestLine } from '../support.ts'

/** A self-signed certificate for `localhost`, valid from these days before now. */
function certificate(dir: string, name: string, days: string[]): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
      ...days,
    ],
    { stdio: 'ignore' },
  )
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

/** One for `localhost` that ended yesterday. */
function expired(dir: string): { key: Buffer; cert: Buffer } {
  const [key, csr, cert] = ['expired.key', 'expired.csr', 'expired.pem'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  const run = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' })
  run(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    key,
    '-out',
    csr,
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
  )
  run('x509', '-req', '-in', csr, '-signkey', key, '-days', '-1', '-copy_extensions', 'copy', '-out', cert)
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

describe('a line over TLS', function () {
  let dir: string
  let good: { key: Buffer; cert: Buffer }
  let other: { key: Buffer; cert: Buffer }
  let peer: Peer
  let front: Server | undefined
  let sniffer: TcpServer | undefined
  let test: TestLine
  const octets: Buffer[] = []

  before(function () {
    try {
      execFileSync('openssl', ['version'], { stdio: 'ignore' })
    } catch {
      return this.skip()
    }
    dir = mkdtempSync(join(tmpdir(), 'ussd-tls-'))
    good = certificate(dir, 'localhost', ['-days', '2'])
    other = certificate(dir, 'elsewhere.example', ['-days', '2'])
  })

  after(() => dir && rmSync(dir, { recursive: true, force: true }))

  /** The raw peer behind a TLS front behind a wire-tapped TCP port. */
  async function start(server: TlsOptions, trust: Buffer, own: { key?: Buffer; cert?: Buffer } = {}) {
    peer = await startPeer()
    octets.length = 0
    const portOf = (one: TcpServer | Server) => (one.address() as { port: number }).port
    const tlsFront = createTlsServer(server, (socket) => {
      const back = connect(peer.port, '127.0.0.1')
      for (const one of [socket, back]) one.on('error', () => undefined)
      socket.pipe(back).pipe(socket)
    })
    tlsFront.on('tlsClientError', () => undefined)
    front = tlsFront
    await new Promise<void>((done) => tlsFront.listen(0, '127.0.0.1', done))
    const tcp = createServer((socket) => {
      const back = connect(portOf(tlsFront), '127.0.0.1')
      for (const one of [socket, back]) one.on('error', () => undefined)
      socket.on('data', (chunk) => octets.push(chunk))
      socket.pipe(back).pipe(socket)
    })
    sniffer = tcp
    await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done))
    test = testLine({
      port: 0,
      smsc: {
        hosts: [{ host: '127.0.0.1', port: portOf(tcp) }],
        systemId: 'ussd',
        password: 'secret08',
        tls: { ca: trust, servername: 'localhost', ...own },
      },
      times: { refusedMs: 30, refusedMaxMs: 30 },
    })
    test.line.start()
  }

  afterEach(async () => {
    await test.stop()
    await peer.stop()
    front?.close()
    sniffer?.close()
  })

  const sniffed = () => Buffer.concat(octets)

  it('binds, and binds again over TLS after a drop: the password is never on the wire in clear', async () => {
    await start(good, good.cert)
    await test.bound()
    ;(await peer.bound(1)).socket.destroy()
    await peer.bound(2)
    await test.bound()
    assert.equal(sniffed().includes('secret08'), false)
    assert.ok(sniffed().length > 500)
  })

  it('refuses a certificate that it does not trust, and says nothing to that peer', async () => {
    await start(good, other.cert)
    await until(() => test.states.filter((state) => state === 'waiting').length > 1, 'did not come again')
    assert.equal(peer.connections.length, 0)
    assert.equal(sniffed().includes('secret08'), false)
  })

  it('refuses the certificate of another host', async () => {
    await start(other, other.cert)
    await until(() => test.states.includes('waiting'), 'not refused')
    assert.equal(peer.connections.length, 0)
    assert.ok(test.logged.some((one) => /ERR_TLS_CERT_ALTNAME_INVALID/.test(JSON.stringify(one.fields))))
  })

  it('refuses a certificate that has expired', async () => {
    const old = expired(dir)
    await start(old, old.cert)
    await until(() => test.states.includes('waiting'), 'not refused')
    assert.equal(peer.connections.length, 0)
    assert.ok(test.logged.some((one) => /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(JSON.stringify(one.fields))))
  })

  it('shows its own certificate to an SMSC that wants one; without it there is no bind', async () => {
    const wants = { ...good, requestCert: true, rejectUnauthorized: true, ca: other.cert }
    await start(wants, good.cert, other)
    await test.bound()
    await test.stop()
    await peer.stop()
    front!.close()
    sniffer!.close()
    await start(wants, good.cert)
    await until(() => test.states.includes('waiting'), 'not refused')
    assert.equal(
      peer.connections.every((one) => one.all(0x09).length === 0),
      true,
    )
    assert.equal(sniffed().includes('secret08'), false)
  })

  it('does not bind over a TLS that is older than 1.2', async () => {
    await start({ ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, good.cert)
    await until(() => test.states.includes('waiting'), 'not refused')
    assert.equal(peer.connections.length, 0)
  })

  it('does not bind in clear on a plain port that was meant to be TLS', async () => {
    const plain = await startPeer()
    await start(good, good.cert)
    const wrong = testLine({
      port: 0,
      smsc: { hosts: [{ host: '127.0.0.1', port: plain.port }], systemId: 'u', password: 'secret08', tls: {} },
      times: { connectMs: 50 },
    })
    wrong.line.start()
    await until(() => wrong.states.includes('waiting'), 'still connecting')
    assert.ok(plain.connections.every((one) => one.all(0x09).length === 0))
    await wrong.stop()
    await plain.stop()
  })
})
