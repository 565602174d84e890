import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { profileText } from '../../../src/cli/smsc/dialect.ts'
import { readPdus } from '../../../src/tools/capture/capture.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import type { HandsetScreen } from '../../../src/simulator/network/network.ts'
import { pcapOf } from '../../../src/tools/capture/pcap-writer.ts'
import { profileCoding } from '../../../src/simulator/network/profile-encoder.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { wireOf } from '../../../src/simulator/smsc/trace.ts'
import type { DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { randomDialect } from '../../tools/infer/random-dialect.ts'
import { speak } from '../../tools/infer/spoken.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { pressed } from '../../support/pressed.ts'
import { FAREWELL, T1, T3, T4, T5 } from '../../support/screens.ts'
import { describeWith } from '../../support/services.ts'

const SEED = 20_261_124
const DIALECTS = 8

/** Dialects at random that their own network can speak. None of them is in dialects/. */
function unseen(): DialectProfile[] {
  const chance = seededChance(SEED)
  const found: DialectProfile[] = []
  for (let n = 0; found.length < DIALECTS; n++) {
    const profile = randomDialect(chance, n)
    if (speak(profile, chance)) found.push(profile)
  }
  return found
}

describeWith(['redis', 'postgres'], 'an SMSC whose dialect nobody has seen: recorded, learnt, served', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-learnt-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const profile of unseen()) {
    it(`${profile.name}: from a capture of three dialogues to a daemon that serves the walk`, async function () {
      this.timeout(60_000)
      const smsc = await startSmsc({ clock: realClock, chance: seededChance(SEED), coding: profileCoding(profile) })
      const truth = join(folder, `${profile.name}.yaml`)
      writeFileSync(truth, stringify(profile))
      try {
        await served(smsc, truth, ['67570000001', '67570000002', '67570000001'])
        const capture = join(folder, `${profile.name}.pcap`)
        writeFileSync(capture, pcapOf(smsc.trace().map((one) => wireOf(one, smsc.port))))
        const { pdus, remarks } = readPdus(capture)
        const learnt = join(folder, `${profile.name}-learnt.yaml`)
        writeFileSync(learnt, profileText(pdus, remarks, `${profile.name}-learnt`))
        await served(smsc, learnt, ['67570000001', '67570000002'])
      } finally {
        await smsc.stop()
      }
    })
  }
})

/** Some dialects end lines with CR. */
function lines({ text }: HandsetScreen): string {
  return text.replace(/\r\n?/g, '\n')
}

/** A daemon with that profile; the subscribers walk one after the other. */
async function served(smsc: Smsc, dialect: string, subscribers: string[]): Promise<void> {
  let staged: Staged | undefined
  try {
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.lines[0]!.dialect = dialect
        settings.lines[0]!.sms = undefined
        settings.stopMs = 0
      },
    })
    await smsc.bound(1)
    for (const msisdn of subscribers) {
      const phone = smsc.phone(msisdn)
      const john = msisdn === '67570000001'
      const first = john ? T1 : T1.replace('John', 'Mary')
      let shown = await phone.dial('*123#')
      assert.equal(lines(shown), first)
      const steps: [string, string][] = [
        ['2', T4],
        ['2', T5],
        ['3', T4],
        ['4', first],
        ...(john ? [] : ([['1', T3]] as [string, string][])),
      ]
      for (const [key, text] of steps) {
        shown = await pressed(phone, key, shown.text)
        assert.equal(lines(shown), text, phone.story.join('\n'))
      }
      const last = await pressed(phone, john ? '4' : '2', shown.text)
      assert.deepEqual([last.text, last.open], [FAREWELL, false])
    }
  } finally {
    await staged?.close()
  }
}
