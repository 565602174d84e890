/** What is played on a phone of the simulator, at the real daemon, becomes a talk that passes. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { addTalk } from '../../../src/cli/flows/record.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { recordedText, talkRecorder } from '../../../src/flow/talk/recorder.ts'
import { startControl, type Control } from '../../../src/simulator/control/http.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { dialTerminal, remotePhone, recordedTalkOf, writtenLines } from '../../../src/simulator/control/terminal.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith } from '../../support/services.ts'

const JOHN = '67570000001'

describeWith(['redis', 'postgres'], 'a phone of the simulator, recorded', () => {
  let smsc: Smsc
  let control: Control
  let staged: Staged
  let laterMs = 0
  const folder = mkdtempSync(join(tmpdir(), 'ussd-recorded-'))
  const file = join(folder, 'john.talk')

  before(async function () {
    this.timeout(60_000)
    const recorder = talkRecorder()
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    control = await startControl({
      smsc,
      talkOf: (msisdn, left) => {
        const recorded = recorder.talk(msisdn, left ?? undefined)
        return recorded && recordedText(recorded)
      },
    })
    staged = await stageDaemon({
      smscPort: smsc.port,
      watch: recorder.watch,
      now: () => realClock.now() + laterMs,
      change: (settings) => {
        settings.dialogue.sweepMs = 50
        settings.dialogue.confirmMs = 2 * settings.dialogue.idleMs
      },
    })
  })
  after(async () => {
    await staged?.close()
    await control?.stop()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const dialled = async (...answers: string[]) => {
    await dialTerminal({
      phone: remotePhone(control.url, JOHN),
      code: '*123#',
      typed: writtenLines(answers),
      output: new PassThrough(),
      isTty: false,
    })
    addTalk(file, await recordedTalkOf(control.url, JOHN), () => undefined)
    return readFileSync(file, 'utf8')
      .split(/^talk /m)
      .at(-1)!
  }

  it('gives talks that pass: booked and hung up, lost and taken up again, left by the menu', async function () {
    const booked = await dialled('2', '2', '1', '1')
    assert.match(booked, /^\*123#, then 2, 2, 1, 1\n[^]*called dental\.book \{[^]*Appointment confirmed![^]*hang up\n$/)
    const phone = smsc.phone(JOHN)
    await phone.dial('*123#')
    await phone.answer('2')
    laterMs += staged.settings.dialogue.idleMs
    assert.equal((await phone.next()).open, false)
    const resumed = await dialled('1', '3')
    assert.match(resumed, /\nlost\n[^]*< Welcome back\.\n[^]*\n> 1\n/)
    assert.match(await dialled('4'), /ended exit\n$/)
    const { flow } = compileFlow(await sourceOf('flows', 'dental'))
    const talks = parseTalks(file, readFileSync(file, 'utf8'))
    assert.equal(talks.length, 3)
    for (const talk of talks) {
      const failure = await playTalk(talk, flow)
      assert.equal(failure && describeFailure(failure), undefined)
    }
  })

  it('gives none of a number that has not dialled, and none where nobody looks', async () => {
    await assert.rejects(recordedTalkOf(control.url, '67579999999'), /gives no talk: 67579999999 has not dialled yet/)
    const plain = await startControl({ smsc })
    await assert.rejects(
      recordedTalkOf(plain.url, JOHN),
      /does not see the answers of back ends: use the demo or talk --record/,
    )
    await plain.stop()
    assert.ok(existsSync(file))
  })
})
