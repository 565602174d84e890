/** `npm start` as the process that a newcomer runs: stopped at any moment it ends, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, type DaemonProcess } from '../support/process.ts'
import { until } from '../support/services.ts'

/** Of a machine that has much else to do. */
const DEMO_MS = 120_000

describe('the demo', function () {
  this.timeout(DEMO_MS)
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

  it('ends at Ctrl-C while its daemon still starts, and prints no address that leads nowhere', async () => {
    // Its daemon starts right after its log is there.
    await until(() => existsSync(join(data, 'demo.log')), 'the demo does not start', DEMO_MS)
    demo.kill('SIGINT')
    assert.equal(await demo.exited, 0, said())
    assert.equal(said(), '')
  })
})
