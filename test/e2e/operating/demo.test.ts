/** `npm start` as the process that a newcomer runs: stopped at any moment it ends, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, type DaemonProcess } from '../../support/process.ts'
import { until } from '../../support/services.ts'

/** Of a machine that has much else to do. */
const DEMO_MS = 120_000
/** Before the minute of made traffic is over. */
const HALF_A_MINUTE_MS = 30_000

describe('the demo', function () {
  this.timeout(2 * DEMO_MS)
  let data: string
  let demo: DaemonProcess
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'ussd-demo-'))
    demo = runCli(['demo', '--http-port', '0', '--data', data])
  })
  afterEach(async () => {
    demo.kill('SIGKILL')
    await demo.exited
    rmSync(data, { recursive: true, force: true })
  })
  const said = () => demo.output().join('\n')

  it('opens on a page with a phone and the desk, which needs no token, and dials for a minute on request', async () => {
    const isOpen = () => /Open (\S+\/demo):/.exec(said())?.[1]
    await until(() => isOpen() !== undefined, 'the demo does not start', DEMO_MS)
    const url = isOpen()!
    const page = await (await fetch(url)).text()
    const desk = /iframe title="Desk" src="([^"]+)"/.exec(page)![1]!
    const shown = await fetch(desk)
    assert.match(await shown.text(), /<h1>Overview<\/h1>/)
    assert.match(shown.headers.get('content-security-policy')!, new RegExp(`frame-ancestors ${new URL(url).origin}`))
    const foreign = { headers: { origin: 'https://example.net' }, method: 'POST' }
    assert.equal((await fetch(`${desk}/lines/demo/stop`, foreign)).status, 403)
    const json = { 'content-type': 'application/json' }
    await fetch(`${url}/traffic`, { method: 'POST', headers: json, body: '{}' })
    const dialled = async () =>
      /Dials a second<\/h2>\s*<p class="figure">(?!0\.0)/.test(await (await fetch(desk)).text())
    await until(dialled, 'nobody dials', DEMO_MS)
    demo.kill('SIGINT')
    let code: number | null | undefined
    void demo.exited.then((ended) => (code = ended))
    await until(() => code !== undefined, 'the phones that dial hold the process', HALF_A_MINUTE_MS)
    assert.equal(code, 0, said())
  })

  it('answers the command line, as it says', async () => {
    const env = () => /export USSD_CONNECTOR_URL=(\S+) USSD_CONNECTOR_TOKEN_FILE=(\S+)$/m.exec(said())
    await until(() => env() !== null, 'the demo does not start', DEMO_MS)
    const [, url, tokenFile] = env()!
    assert.equal(statSync(tokenFile!).mode & 0o077, 0)
    const asked = { USSD_CONNECTOR_URL: url!, USSD_CONNECTOR_TOKEN_FILE: tokenFile! }
    for (const words of [['status'], ['lines'], ['flow', 'list', 'dental'], ['sms', 'list', '--state', 'due']]) {
      const command = runCli(words, asked)
      assert.equal(await command.exited, 0, command.output().join('\n'))
    }
    assert.equal((await fetch(`${url}/v1/lines`)).status, 401)
  })

  it('ends at Ctrl-C while its daemon still starts, and prints no address that leads nowhere', async () => {
    // Its daemon starts right after its log is there.
    await until(() => existsSync(join(data, 'demo.log')), 'the demo does not start', DEMO_MS)
    demo.kill('SIGINT')
    assert.equal(await demo.exited, 0, said())
    assert.equal(said(), '')
  })
})
