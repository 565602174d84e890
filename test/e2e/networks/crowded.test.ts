import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPdu } from '../../../src/simulator/codec/index.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const BUSY = 'Service busy. Please try again later.'
const DIALS = 300
/** Ten slots at 100 ms are a hundred screens a second, so within the time of a turn some two hundred. */
const SLOT_MS = 100
const TURN_MS = 2_000
const [OK, THROTTLED, AGAIN] = [0, 0x58, 0x64]

describeWith(['redis', 'postgres'], 'a crowd that the SMSC cannot show its screens in time', function () {
  this.timeout(120_000)
  const dir = mkdtempSync(join(tmpdir(), 'ussd-crowd-'))
  let smsc: Smsc
  let staged: Staged

  async function start(overload: 'text' | 'throttled', temporaryMs = 0): Promise<void> {
    const dialect = join(dir, `${overload}.yaml`)
    writeFileSync(
      dialect,
      `name: ${overload}\nextends: standard\nseen: a test\nconfidence: inferred\nnotes: []\nresponses: { overload: ${overload} }\n`,
    )
    smsc = await startSmsc({
      clock: realClock,
      chance: Math.random,
      screenMs: 60_000,
      traceMax: 100_000,
      deliveries: { temporaryMs, attemptsMax: 1_000 },
    })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.lines[0]!.dialect = dialect
        settings.dialogue.turnMs = TURN_MS
      },
    })
    smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', act: { is: 'delay', ms: SLOT_MS } })
    // It has measured what a slot takes.
    for (let n = 0; n < 25; n++) await smsc.phone(String(67_576_000_000 + n)).dial('*123#')
  }
  afterEach(async () => {
    await staged?.close()
    await smsc?.stop()
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  /** All at once. Answers what each phone is shown. */
  function dialAll(): Promise<string[]> {
    const dial = (n: number) => smsc.phone(String(67_577_000_000 + n)).dial('*123#')
    return Promise.all(
      Array.from({ length: DIALS }, (_, n) =>
        dial(n).then(
          ({ text }) => text,
          () => '',
        ),
      ),
    )
  }

  /** How often each status answered a dial of the crowd. */
  function statuses(from: number): Map<number, number> {
    const counts = new Map<number, number>()
    for (const { direction, octets, serial } of smsc.trace()) {
      const decoded = readPdu(octets)
      if (serial <= from || direction !== 'in' || !decoded.ok || decoded.pdu.command !== 'deliver_sm_resp') continue
      counts.set(decoded.pdu.status, (counts.get(decoded.pdu.status) ?? 0) + 1)
    }
    return counts
  }
  const lastTraced = () => smsc.trace().at(-1)!.serial
  const limited = (limit: string) => staged.daemon.metrics.value('limits_total', { limit })

  it('is acknowledged where it gets a screen or a text; what is left is given back', async () => {
    await start('text')
    const from = lastTraced()
    const shown = await dialAll()
    const counts = statuses(from)
    const [texts, none] = [shown.filter((text) => text === BUSY).length, shown.filter((text) => text === '').length]
    const screens = DIALS - texts - none
    assert.equal(counts.get(OK), screens + texts, 'acknowledged, and shown nothing')
    assert.equal(counts.get(AGAIN) ?? 0, none)
    const turnedAway = await limited('turn_ms')
    assert.ok(screens > 0 && turnedAway > 0, `${screens} were admitted, ${turnedAway} turned away`)
  })

  it('is throttled where the dialect says so, and served in the end by a centre that delivers again', async () => {
    await start('throttled', 500)
    const from = lastTraced()
    const shown = await dialAll()
    // A text instead of a screen: Redis was too slow on this machine.
    assert.equal(shown.filter((text) => text === '').length, 0)
    // The screen may be ahead of the acknowledgement.
    await until(() => statuses(from).get(OK) === DIALS, 'not all are acknowledged')
    const counts = statuses(from)
    assert.deepEqual([...counts.keys()].toSorted(), [OK, THROTTLED])
    assert.equal(counts.get(THROTTLED), await limited('turn_ms'))
  })
})
