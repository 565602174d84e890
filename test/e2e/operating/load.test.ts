/** `ussd-connector load` as the process that an operator runs, against a daemon. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { runCli } from '../../support/process.ts'
import { describeWith, freePort } from '../../support/services.ts'

const TALKS = `flow dental
code *123#
backend dental.profile {"known": false, "name": null, "language": null}

talk nobody knows them
language en
dial *123#
< Welcome! No profile found.
< 1. Register (Enter Name)
< 2. Exit
> 2
< Thank you. Goodbye.
ended exit

talk the back end fails
fail dental.profile
dial *123#
< Service busy. Please try again later.
`
const WRONG = `talk they are greeted
dial *123#
< Welcome, stranger!
`

describeWith(['redis', 'postgres'], 'talks as load on a daemon', () => {
  let folder: string
  let port: number
  let staged: Staged | undefined
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ussd-load-'))
    port = await freePort()
  })
  afterEach(async () => {
    await staged?.close()
    staged = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  async function loaded(talks: string, ...words: string[]): Promise<{ code: number | null; output: string }> {
    writeFileSync(join(folder, 'dental.talk'), talks)
    const run = ['load', folder, '--port', String(port), '--msisdn', '67571000001', '--seconds', '2', ...words]
    const command = runCli(run)
    staged = await stageDaemon({ smscPort: port })
    return { code: await command.exited, output: command.output().join('\n') }
  }

  it('plays those that it can, times them, and ends well', async () => {
    const { code, output } = await loaded(TALKS, '--per-second', '20')
    assert.equal(code, 0, output)
    assert.match(output, /^talks: 1, phones: 100, turns per second: 20, seconds: 2$/m)
    assert.match(output, /^left out: the back end fails .*dental\.talk\): a back end fails in it$/m)
    assert.match(output, /^latency in ms: p50 [\d.]+, p95 [\d.]+, p99 [\d.]+, p99\.9 [\d.]+, most [\d.]+$/m)
    assert.match(output, /^0 wrong screens, 0 turns lost, 0 refused$/m)
  })

  it('shows a wrong screen beside what was written, and its exit code is 1', async () => {
    const { code, output } = await loaded(WRONG, '--per-second', '5')
    assert.equal(code, 1, output)
    assert.match(output, /dental\.talk:3: wrong screen in 'they are greeted'\n\s+expected +\| got\n/)
    assert.match(output, /! Welcome, stranger! +\| Welcome! No profile found\./)
  })

  it('prints its result as JSON for other programs', async () => {
    const { code, output } = await loaded(TALKS, '--per-second', '20', '--json')
    assert.equal(code, 0, output)
    const { turns, wrong, latency } = JSON.parse(output) as Record<'turns' | 'wrong', number> & {
      latency: { count: number }
    }
    assert.ok(turns > 0 && wrong === 0 && latency.count >= turns, output)
  })
})

describe('talks as load, before there is a daemon', () => {
  let folder: string
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'ussd-load-'))))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const said = async (...words: string[]) => {
    const command = runCli(['load', folder, '--port', '0', ...words])
    return { code: await command.exited, output: command.output().join('\n') }
  }

  it('says that there are no talks, or none that can be played, and why', async () => {
    assert.deepEqual(await said(), { code: 1, output: `no .talk files in ${folder}` })
    const file = join(folder, 'a.talk')
    writeFileSync(file, 'dial *123#\nmsisdn 67570000001\n')
    assert.deepEqual(await said(), {
      code: 1,
      output: `no talk can be played: a (${file}): it needs one certain number`,
    })
  })

  it('says which settings of a line lead to it when nobody binds', async () => {
    writeFileSync(join(folder, 'a.talk'), 'dial *123#\n< Welcome\n')
    const { code, output } = await said('--wait', '0')
    assert.equal(code, 1)
    assert.match(output, /0 of 1 binds after 0 s: let smsc\.host and smsc\.port of a line be 127\.0\.0\.1 and \d+$/)
  })
})
