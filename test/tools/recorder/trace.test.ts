/** The recorder on a real line: what it keeps, what it gives out, and what other tools make of that. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPdus } from '../../../src/tools/capture/capture.ts'
import { infer } from '../../../src/tools/infer/infer.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { createDrops } from '../../../src/tools/recorder/drops.ts'
import { traceCapture, traceText } from '../../../src/tools/recorder/export.ts'
import { createMasking } from '../../../src/tools/recorder/masking.ts'
import { createRecorder, type Recorder } from '../../../src/tools/recorder/recorder.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { profileCoding } from '../../../src/simulator/network/profile-encoder.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { compileDialect } from '../../../src/smpp/dialect/dialect.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { Line } from '../../../src/smpp/types.ts'
import { realClock } from '../../support/clock.ts'
import { until } from '../../support/services.ts'
import { testLine, type TestLine } from '../../smpp/support.ts'
import { root } from '../../style/tree.ts'

const DIR = join(root, 'dialects')
const [JOHN, MARY] = ['67570000001', '67570000002'] as const

describe('the flight recorder', () => {
  let smsc: Smsc
  let test: TestLine
  let recorder: Recorder
  let dir: string

  async function start(
    dialect: string,
    more: { pdusMax?: number; onState?: (bind: string, state: string) => void } = {},
  ) {
    const profile = loadProfile(dialect, DIR)
    const compiled = compileDialect(profile, { chance: Math.random })
    smsc = await startSmsc({
      clock: realClock,
      chance: seededChance(1),
      coding: profileCoding(profile),
      firstNumber: 111,
      screenMs: 5_000,
    })
    recorder = createRecorder({
      limits: { pdusMax: more.pdusMax ?? 1_000, octetsMax: 262_144 },
      now: realClock.now,
      masking: createMasking(Buffer.from('k')),
    })
    test = testLine({
      port: smsc.port,
      parts: {
        dialect: compiled,
        ...(recorder.tap ? { tap: recorder.tap } : {}),
        ...(more.onState ? { onState: more.onState } : {}),
      },
      handle: async (pdu, link) => {
        link.respond(pdu, 0)
        const read = compiled.read(pdu)
        if (read.is !== 'ussd' || (read.message.kind !== 'begin' && read.message.kind !== 'input')) return
        const isMenu = read.message.kind === 'begin' || read.message.text === '1'
        const reply = isMenu
          ? { action: 'continue' as const, text: 'Menu for Mary\n1. More\n2. Bye' }
          : { action: 'end' as const, text: 'Goodbye, Mary.' }
        await (test.line as Line).submit(compiled.write(reply, read.message.returnPath).pdu, {
          lane: 'ussd',
          deadline: realClock.now() + 5_000,
        })
      },
    })
    test.line.start()
    await smsc.bound(1)
    await test.bound()
  }

  async function dialogue(msisdn: string): Promise<void> {
    const phone = smsc.phone(msisdn)
    assert.equal((await phone.dial('*123#')).open, true)
    assert.equal((await phone.answer('1')).open, true)
    assert.equal((await phone.answer('2')).open, false)
  }

  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'ussd-trace-'))))
  afterEach(async () => {
    await test.stop()
    await smsc.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it('keeps both directions in order, with true times, and no password', async () => {
    await start('standard')
    const before = realClock.now()
    await dialogue(JOHN)
    const all = recorder.trace('digicel', { clear: true })
    const names = traceText(all)
      .split('\n')
      .filter((line) => /^[<>] /.test(line))
      .map((line) => line.replace(/ \d+$/, ''))
    assert.deepEqual(names.slice(0, 6), [
      '> bind_transceiver',
      '< bind_transceiver_resp',
      '< deliver_sm',
      '> deliver_sm_resp',
      '> submit_sm',
      '< submit_sm_resp',
    ])
    assert.ok(all.slice(2).every((it, i) => it.atMs >= before && it.atMs <= realClock.now() && it.serial === i + 3))
    assert.ok(!Buffer.concat(all.map((it) => it.octets)).includes('secret08'))
    assert.match(traceText(all), /Goodbye, Mary/)
    assert.ok(traceText(all).includes(JOHN))
  })

  it('shows no number and no text of a subscriber unless asked to', async () => {
    await start('standard')
    await dialogue(JOHN)
    const masked = recorder.trace('digicel')
    const octets = Buffer.concat(masked.map((it) => it.octets))
    for (const word of [JOHN, 'Mary', 'Goodbye', 'Menu']) assert.ok(!octets.includes(word), word)
    assert.ok(traceText(masked).includes('*123#'))
    assert.equal(masked.length, recorder.trace('digicel', { clear: true }).length)
  })

  it('gives the last so many, and only what concerns one subscriber: his requests and their responses', async () => {
    await start('standard')
    await dialogue(JOHN)
    await dialogue(MARY)
    assert.equal(recorder.trace('digicel', { last: 5 }).length, 5)
    assert.deepEqual(recorder.trace('digicel', { last: 5 }), recorder.trace('digicel').slice(-5))
    // Three turns: two requests and two responses each.
    await until(() => recorder.trace('digicel', { msisdn: MARY }).length === 12, 'not twelve')
    const hers = recorder.trace('digicel', { msisdn: MARY, clear: true })
    assert.ok(!Buffer.concat(hers.map((it) => it.octets)).includes(JOHN))
    assert.deepEqual(recorder.trace('digicel', { msisdn: '67579999999' }), [])
    assert.deepEqual(recorder.trace('other'), [])
  })

  it('is not there at all when it is switched off', async () => {
    await start('standard', { pdusMax: 0 })
    assert.equal(recorder.tap, undefined)
    await dialogue(JOHN)
    assert.deepEqual(recorder.trace('digicel'), [])
  })

  for (const dialect of ['standard', 'mica', 'huawei-le', 'kz']) {
    it(`makes captures of which the profile can be inferred, masked too: ${dialect}`, async () => {
      await start(dialect)
      for (const msisdn of [JOHN, MARY, JOHN]) await dialogue(msisdn)
      const fields = (clear: boolean) => {
        const file = join(dir, `${clear}.pcap`)
        writeFileSync(file, traceCapture(recorder.trace('digicel', { clear })))
        const { pdus, remarks } = readPdus(file)
        assert.deepEqual(remarks, [])
        const { recording, draft } = infer(pdus, loadProfile('standard', DIR))
        assert.equal(recording.dialogues.length, 3)
        return draft
          .findings()
          .filter((it) => /^inbound\.(session|op|code|classify)|^outbound\.(session|actions)/.test(it.path))
          .map(({ path, value, sure }) => ({ path, value, sure }))
      }
      assert.deepEqual(fields(false), fields(true))
    })
  }

  it('makes captures that Wireshark finds nothing wrong with', async function () {
    this.timeout(60_000)
    await start('standard')
    await dialogue(JOHN)
    // A second link of the same bind: a TCP stream of its own.
    smsc.peers()[0]!.close()
    await until(() => test.count('smpp_link_lost') === 1, 'not lost')
    await test.bound()
    await dialogue(MARY)
    for (const clear of [false, true]) {
      const file = join(dir, 'line.pcap')
      const all = recorder.trace('digicel', { clear })
      writeFileSync(file, traceCapture(all))
      const ran = spawnSync(join(root, 'scripts/tshark-check.sh'), [file, String(smsc.port)], {
        encoding: 'utf8',
        env: { ...process.env, CHECKSUMS: '1' },
      })
      if (ran.status === 77) this.skip() // no tshark on this machine
      assert.equal(ran.status, 0, ran.stdout + ran.stderr)
      assert.match(ran.stdout, new RegExp(`^${all.length} PDUs, 0 malformed`))
    }
  })

  it('keeps what led to the loss of a bind, masked, so many captures and no more; a farewell is no loss', async () => {
    const drops = () => createDrops({ recorder, dir, filesMax: 2, now: realClock.now, log: silentLog })
    let heard: ReturnType<typeof drops> | undefined
    const states: string[] = []
    await start('standard', {
      onState: (bind, state) => {
        states.push(state)
        heard?.onState('digicel', bind, state)
      },
    })
    heard = drops()
    heard.onState('digicel', 'digicel/0', 'bound')
    writeFileSync(join(dir, 'notes.txt'), 'not ours')
    await dialogue(JOHN)
    const lose = async (how: (smsc: Smsc) => void) => {
      const before = states.filter((it) => it === 'bound').length
      how(smsc)
      await until(() => states.filter((it) => it === 'bound').length > before, 'not bound again')
      await heard!.idle()
    }
    await lose(() => smsc.peers()[0]!.close())
    const [first] = captures()
    assert.ok(first)
    const { pdus } = readPdus(join(dir, first))
    assert.equal(pdus.at(-1)!.pdu.command, 'submit_sm_resp')
    assert.ok(!readFileSync(join(dir, first)).includes(JOHN))
    await lose(() => smsc.peers()[0]!.unbind(1_000))
    assert.deepEqual(captures(), [first])
    for (let i = 0; i < 3; i++) await lose(() => smsc.peers()[0]!.close())
    assert.equal(captures().length, 2)
    assert.ok(!captures().includes(first))
    assert.ok(readdirSync(dir).includes('notes.txt'))
  })

  const captures = () =>
    readdirSync(dir)
      .filter((name) => name.endsWith('.pcap'))
      .toSorted()
})
