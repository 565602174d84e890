/** The probe and the doctor at an SMSC that wants TLS, a server name and a client certificate. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { doctorCommand, type DoctorOptions } from '../../../src/cli/smsc/doctor.ts'
import { probeCommand } from '../../../src/cli/smsc/probe.ts'
import type { SmscCommandOptions } from '../../../src/cli/smsc/smsc-options.ts'
import { authority, hasOpenssl, type Authority, type Pair } from '../../support/certificates.ts'
import { startPeer, type Peer } from '../../support/peer.ts'

describe('the probe and the doctor over TLS', function () {
  let dir: string
  let ca: Authority
  let client: Pair
  let front: Server
  let peer: Peer

  before(async function () {
    if (!hasOpenssl()) return this.skip()
    dir = mkdtempSync(join(tmpdir(), 'ussd-probe-tls-'))
    ca = authority(dir, 'ca')
    client = ca.issue('client')
    const server = ca.issue('server', { names: 'DNS:smsc.example' })
    const pem = { cert: readFileSync(server.cert), key: readFileSync(server.key), ca: readFileSync(ca.cert) }
    peer = await startPeer()
    front = createServer({ ...pem, requestCert: true, rejectUnauthorized: true }, (socket) => {
      const back = connect(peer.port, '127.0.0.1')
      for (const one of [socket, back]) one.on('error', () => undefined)
      socket.pipe(back).pipe(socket)
    })
    front.on('tlsClientError', () => undefined)
    await new Promise<void>((done) => front.listen(0, '127.0.0.1', done))
  })

  after(async () => {
    if (!dir) return
    front.close()
    await peer.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const tls = () => ({ ca: ca.cert, ...client, servername: 'smsc.example' })
  const flags = () => ({
    host: '127.0.0.1',
    port: (front.address() as AddressInfo).port,
    systemId: 'ussd',
    password: 'secret08',
    ...tls(),
  })

  async function probed(options: SmscCommandOptions): Promise<string> {
    const said: string[] = []
    const stop = new AbortController()
    const running = probeCommand(
      { ...options, seconds: 15, calls: 1, lingerMs: 0 },
      (text) => {
        said.push(text)
        if (text === 'bound') stop.abort()
      },
      stop.signal,
    )
    await assert.rejects(running, /no USSD arrived|could not bind/)
    return said.join('\n')
  }

  it('the probe binds as its options say', async () => {
    assert.match(await probed(flags()), /^bound$/m)
    const { host, port, systemId } = flags()
    await assert.rejects(
      probed({ host, systemId }),
      /probe: give --host, --port and --system-id, or --config and --line/,
    )
    await assert.rejects(probed({ host, port, systemId, ca: join(dir, 'none.pem') }), /none\.pem cannot be read/)
  })

  it('the probe binds as a line of the settings does', async () => {
    const { host, port, systemId, password } = flags()
    const config = join(dir, 'connector.json')
    writeFileSync(
      config,
      JSON.stringify({
        lines: [
          { name: 'one', smsc: { host, port: 1, systemId, password } },
          { name: 'two', bind: 'pair', smsc: { host, port, systemId, password, tls: tls() } },
        ],
        services: [{ code: '*', flow: 'dental' }],
        redis: 'embedded',
        postgres: 'embedded',
      }),
      { mode: 0o600 },
    )
    const said = await probed({ config, line: 'two' })
    assert.match(said, new RegExp(`binding to 127\\.0\\.0\\.1:${port} as ussd \\(pair\\)`))
    assert.match(said, /^bound$/m)
  })

  it('the doctor binds, and its settings say how', async () => {
    const options: DoctorOptions = {
      ...flags(),
      window: 0,
      rateSms: 0,
      deadPeer: 0,
      wait: 1,
      receipts: 1,
      times: { connectMs: 2_000, answerMs: 1_500, pauseMs: 300 },
    }
    const { rows, settings } = await doctorCommand(options, () => undefined)
    assert.equal(rows.find((it) => it.check === 'tls')?.verdict, 'pass')
    for (const [name, value] of Object.entries(tls())) assert.ok(settings.includes(`${name}: ${value}`), settings)
  })
})
