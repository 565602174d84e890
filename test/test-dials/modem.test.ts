/** The example of a dialler: a modem, here a program that speaks as mmcli does. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDialler, type Dialler } from '../../src/test-dials/through.ts'
import { root } from '../style/tree.ts'
import { realClock } from '../support/clock.ts'

const MMCLI = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$3" in
  --3gpp-ussd-initiate='*123#') printf "USSD session initiated; new reply from network: 'Welcome\\nto it'\\n" ;;
  --3gpp-ussd-cancel) echo "successfully cancelled USSD session" ;;
  *) echo "error: couldn't initiate USSD session" >&2; exit 1 ;;
esac
`

describe('a dialler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-modem-'))
  let modem: ChildProcess
  let dialler: Dialler
  const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')
  const dial = (code: string, expect?: string) =>
    dialler.dial({ code, timeoutMs: 5_000, expected: expect === undefined ? undefined : (text) => text === expect })

  before(async () => {
    writeFileSync(join(folder, 'mmcli'), MMCLI, { mode: 0o755 })
    modem = spawn(process.execPath, [join(root, 'examples/test-dial/modem.mjs'), '0', '2'], {
      env: { ...process.env, MMCLI: join(folder, 'mmcli') },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(modem.stdout!, 'data')) as [Buffer]
    const url = /http:\S+/.exec(String(said))![0]
    dialler = createDialler({ url, hangUpUrl: url.replace('/dial', '/hang-up') }, { clock: realClock })
  })
  after(async () => {
    await dialler.close()
    modem.kill()
    rmSync(folder, { recursive: true })
  })

  it('dials with a modem, tells the first screen, and hangs up', async () => {
    assert.deepEqual(await dial('*123#'), { result: 'ok', why: '', text: 'Welcome\nto it' })
    assert.deepEqual(asked(), ['-m 2 --3gpp-ussd-initiate=*123#', '-m 2 --3gpp-ussd-cancel'])
    assert.equal((await dial('*123#', 'Goodbye')).result, 'unexpected')
  })

  it('tells where no screen came, and takes nothing that is no code', async () => {
    assert.deepEqual(await dial('*124#'), { result: 'no-answer', why: 'status 504: no screen' })
    assert.deepEqual(await dial('*123#;reboot'), { result: 'dialler', why: 'status 400: not a code' })
  })

  it('that is not there is a fault of the dialler, not of the service', async () => {
    const nobody = createDialler({ url: 'http://127.0.0.1:1/dial' }, { clock: realClock })
    const { result, why } = await nobody.dial({ code: '*123#', timeoutMs: 1_000, expected: undefined })
    assert.deepEqual([result, why], ['dialler', 'ECONNREFUSED'])
    await nobody.close()
  })
})
