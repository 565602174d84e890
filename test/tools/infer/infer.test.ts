/** Profiles inferred from recordings: random dialects, the shipped ones, and what cannot be told. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { infer } from '../../../src/tools/infer/infer.ts'
import { nearestProfile } from '../../../src/tools/infer/nearest-profile.ts'
import { printProfile } from '../../../src/tools/infer/print.ts'
import { dialectNames, loadProfile, merge } from '../../../src/smpp/dialect/load.ts'
import { compileDialect } from '../../../src/smpp/dialect/dialect.ts'
import { dialectProfile, type DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import type { Pdu, Tlv } from '../../../src/smpp/types.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import type { Captured } from '../../../src/tools/capture/captured.ts'
import { judge } from './judge.ts'
import { randomDialect } from './random-dialect.ts'
import { speak, type Spoken } from './spoken.ts'

const DIR = new URL('../../../dialects', import.meta.url).pathname
const standard = loadProfile('standard', DIR)

describe('a profile inferred from a recording', () => {
  it('of 60 random dialects behaves as the dialect, or marks the field doubtful', () => {
    const chance = seededChance(31)
    const wrong: string[] = []
    let [played, sure, doubtful] = [0, 0, 0]
    for (let n = 0; played < 60; n++) {
      const spoken = speak(randomDialect(chance, n), chance)
      if (!spoken) continue
      played++
      const { draft } = infer(spoken.pdus, standard)
      for (const it of judge(spoken, draft)) if (!it.doubted) wrong.push(`${n} ${it.path}: ${it.what}`)
      sure += draft.findings().filter((it) => it.sure).length
      doubtful += draft.findings().filter((it) => !it.sure).length
    }
    assert.deepEqual(wrong, [])
    assert.ok(doubtful * 4 < sure, `${doubtful} doubtful, ${sure} sure: doubt must not be the way out`)
  })

  for (const name of dialectNames(DIR)) {
    it(`of ${name} behaves as ${name}, and ${name} or one that does the same is the nearest`, () => {
      const { spoken, inference } = play(name)
      assert.deepEqual(
        judge(spoken, inference.draft).filter((it) => !it.doubted),
        [],
      )
      const known = dialectNames(DIR).map((it) => loadProfile(it, DIR))
      const nearest = nearestProfile(inference, known)
      assert.ok(nearest)
      const own = nearestProfile(
        inference,
        known.filter((it) => it.name === name),
      )
      assert.ok(own)
      assert.deepEqual([nearest.read, nearest.written], [own.read, own.written])
    })
  }

  it('writes operations as digits where the recorded application does', () => {
    const digits = ({ tag, value }: Tlv) =>
      tag === 0x0501 ? { tag: 0x1420, value: Buffer.from(String(value[0]).padStart(2, '0')) } : { tag, value }
    const pdus = play('standard').spoken.pdus.map((it) => ({
      ...it,
      pdu: { ...it.pdu, tlvs: it.pdu.tlvs.map(digits) },
    }))
    const dialect = compileDialect(infer(pdus, standard).draft.profile())
    const first = pdus.find((it) => it.pdu.command === 'deliver_sm')!
    const read = dialect.read(first.pdu)
    assert.ok(read.is === 'ussd' && read.message.kind === 'begin')
    const written = (['continue', 'end'] as const).map((action) =>
      dialect
        .write({ action, text: 'x' }, read.message.returnPath)
        .pdu.tlvs.find(({ tag }) => tag === 0x1420)
        ?.value.toString(),
    )
    assert.deepEqual(written, ['02', '17'])
  })

  it('knows an application that writes everything in UCS-2 from one whose texts need it', () => {
    const wide = dialectProfile.parse(merge(standard, { outbound: { text: { ucs2: { always: true, echo: [] } } } }))
    const always = speak(wide, seededChance(3))!
    const found = infer(always.pdus, standard).draft
    assert.equal(found.findings().find((it) => it.path === 'outbound.text.ucs2.always')?.sure, true)
    const { ucs2 } = found.profile().outbound.text
    assert.deepEqual([ucs2 !== false && ucs2.always, ucs2 !== false && ucs2.dcs], [true, 8])
    const both = infer(speak(standard, seededChance(3))!.pdus, standard).draft.profile().outbound.text.ucs2
    assert.equal(both !== false && both.always, undefined)
  })

  // All messages have the dialled code as their destination, so that it tells nothing.
  const toCode = (pdu: Pdu) =>
    pdu.command === 'deliver_sm' ? { ...pdu, body: { ...pdu.body, destination_addr: '*123#' } } : pdu
  for (const name of dialectNames(DIR).filter((it) => it !== 'kz')) {
    it(`tells begins from answers though the recording begins within a dialogue: ${name}`, () => {
      const { spoken } = play(name)
      const [first] = spoken.dialogues.find(
        (turns) => turns.filter(({ message }) => message.kind === 'input').length > 1,
      )!
      const isBegin = ({ pdu }: Captured) =>
        pdu.command === first!.deliver.command && pdu.sequence === first!.deliver.sequence
      const pdus = spoken.pdus.filter((it) => !isBegin(it)).map((it) => ({ ...it, pdu: toCode(it.pdu) }))
      const dialect = compileDialect(infer(pdus, standard).draft.profile())
      for (const { deliver, message } of spoken.dialogues.flat()) {
        const read = dialect.read(toCode(deliver))
        assert.equal(read.is === 'ussd' && read.message.kind === 'begin', message.kind === 'begin', message.kind)
      }
    })
  }

  it('is judged wrong where one sure field is wrong', () => {
    const wrongs: [string, unknown][] = [
      ['outbound.actions.end.op', 3],
      ['outbound.esmClass', 1],
      ['outbound.session.mode', 'omit'],
      ['inbound.session.from', []],
      ['outbound.tlvOrder', [0x1383, 0x0501]],
      ['outbound.text.gsm7.dcs', 4],
      ['inbound.endBit.use', 'ignore'],
      ['inbound.code.from', [{ field: 'destination_addr' }]],
      ['inbound.text.byDcs.15', 'ucs2be'],
      ['inbound.classify', [{ when: { op: ['present'] }, is: 'begin' }]],
      ['responses.deliverResp', 'after-submit'],
    ]
    for (const [path, value] of wrongs) {
      const { spoken, inference } = play('standard')
      inference.draft.sure(path, value, 'on purpose')
      assert.ok(
        judge(spoken, inference.draft).some((it) => !it.doubted),
        path,
      )
    }
  })

  it('is YAML that loads as what was inferred', () => {
    const dir = mkdtempSync(join(tmpdir(), 'learn-'))
    try {
      for (const name of dialectNames(DIR)) {
        const { inference } = play(name)
        const file = join(dir, `${name}.yaml`)
        writeFileSync(file, printProfile(inference, { standard, nearest: undefined }))
        const { seen: _a, notes: _b, extends: _c, ...loaded } = loadProfile(file, DIR)
        const { seen: _d, notes: _e, extends: _f, ...inferred } = inference.draft.profile()
        assert.deepEqual(loaded, inferred)
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('holds no number of a subscriber', () => {
    const { inference } = play('comviva')
    assert.doesNotMatch(printProfile(inference, { standard }), /6757000000/)
  })

  it('says that it cannot tell an end where none was seen', () => {
    const { spoken } = play('standard')
    const submits = spoken.pdus.filter((it) => it.pdu.command === 'submit_sm')
    const first = spoken.pdus.slice(0, spoken.pdus.indexOf(submits[0]!) + 1)
    const { draft } = infer(first, standard)
    assert.match(
      printProfile({ recording: infer(first, standard).recording, draft }, { standard }),
      /doubtful: only one dialogue|doubtful: too few|Cannot tell/,
    )
    assert.deepEqual(
      draft.findings().filter((it) => it.sure && !it.path.startsWith('responses.')),
      [],
    )
  })

  it('of nothing is the standard, with nothing found', () => {
    const { draft } = infer([], standard)
    assert.deepEqual(draft.findings(), [])
    assert.deepEqual(
      draft.gaps().map((it) => it.path),
      ['inbound', 'outbound'],
    )
  })
})

function play(name: string): { spoken: Spoken; inference: ReturnType<typeof infer>; profile: DialectProfile } {
  const profile = loadProfile(name, DIR)
  for (let seed = 1; seed < 30; seed++) {
    const spoken = speak(profile, seededChance(seed))
    if (spoken) return { spoken, inference: infer(spoken.pdus, standard, name), profile }
  }
  throw new Error(`${name} cannot be spoken`)
}
