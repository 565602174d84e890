import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc, type ForeignScreen } from '../../support/foreign-smsc.ts'
import { describeWith } from '../../support/services.ts'
import { root } from '../../style/tree.ts'

const MARY = '67570000002'
const ROW =
  '{row.type} ({row.at, date}, {row.clinic} - {row.status, select, done {हो चुका} cancelled {रद्द} other {आने वाला}})'

/** A folder with the dental flow in a third language. */
function folderWithHindi(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-hindi-'))
  const flow = parse(readFileSync(join(root, 'flows/dental.yaml'), 'utf8'))
  flow.languages.push('hi')
  flow.formats.hi = { date: 'dd/MM/yyyy', time: 'h a', timeMinutes: 'h:mm a' }
  flow.screens.mine.row.hi = ROW
  flow.screens.detail.menu.hi =
    '{chosen.appointment.type}\n{chosen.appointment.at, date}, {chosen.appointment.at, time}'
  flow.texts = {
    ...flow.texts,
    hi: {
      busy: 'सेवा अभी व्यस्त है।',
      expired: 'समय समाप्त। फिर डायल करें।',
      overload: 'अभी बहुत लोग हैं। बाद में डायल करें।',
      goodbye: 'धन्यवाद।',
      invalid: 'ग़लत अंक। फिर से:',
      'invalid-short': 'ग़लत अंक।',
      wrong: 'उत्तर ठीक नहीं।',
      more: 'और',
      back: 'वापस',
      resume: 'फिर स्वागत।',
      continue: 'वहीं से आगे',
      'main-menu': 'मुख्य सूची',
    },
  }
  writeFileSync(join(folder, 'dental.yaml'), stringify(flow))
  copyFileSync(join(root, 'flows/dental.tpi.yaml'), join(folder, 'dental.tpi.yaml'))
  copyFileSync(join(root, 'test/e2e/dental/dental.hi.yaml'), join(folder, 'dental.hi.yaml'))
  return folder
}

describeWith(['redis', 'postgres'], 'a flow in a script that needs UCS-2', () => {
  const folder = folderWithHindi()
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged

  before(async () => {
    smsc = await foreignSmsc()
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.flows.dir = folder
      },
    })
    await staged.knex('dental_profile').where({ msisdn: MARY }).update({ language: 'hi', name: 'मेरी' })
    const names = { cleaning: 'सफ़ाई', checkup: 'जाँच', filling: 'भराई' }
    await staged
      .knex('dental_type_name')
      .insert(Object.entries(names).map(([type, name]) => ({ type, language: 'hi', name })))
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is proven like any other: every text translated, every page of 80 characters at most', async () => {
    const source = await sourceOf(folder, 'dental')
    const compilation = compileFlow(source)
    assert.deepEqual(
      [...compilation.warnings, ...proveFlow(compilation, readFlow(source).at)].filter(
        ({ severity }) => severity === 'error',
      ),
      [],
    )
    assert.deepEqual(
      compilation.warnings.filter(({ what }) => /no text in 'hi'/.test(what)),
      [],
    )
    const pages = explore(compilation, { language: 'hi' }).pages.map(({ want }) => want.text)
    assert.ok(pages.some((text) => /[\u0900-\u097f]/.test(text)))
    assert.deepEqual(
      pages.filter((text) => text.length > USSD_PAGE.ucs2),
      [],
    )
  })

  it('runs over SMPP: menus, a list over several pages with numbers that run on, a booking, a farewell', async function () {
    const mary = smsc.phone(MARY)
    const seen: ForeignScreen[] = []
    const press = async (screen: Promise<ForeignScreen>) => (seen.push(await screen), seen.at(-1)!.text)
    assert.equal(await press(mary.dial('*123#')), 'नमस्ते, मेरी!\n1. मेरे समय\n2. नया समय\n3. समय हटाएँ\n4. बंद करें')
    assert.equal(await press(mary.answer('7')), 'ग़लत अंक। फिर से:\n1. मेरे समय\n2. नया समय\n3. समय हटाएँ\n4. बंद करें')
    assert.equal(await press(mary.answer('1')), 'कोई समय नहीं।\n1. नया समय\n2. बंद करें')
    assert.equal(await press(mary.answer('1')), 'क्या कराना है:\n1. सफ़ाई\n2. जाँच\n3. भराई\n4. वापस')
    const first = await press(mary.answer('2'))
    assert.match(first, /^जाँच, खाली समय:\n1\. Koki Dental Clinic \(10\/05\/2025, 9 AM\)\n\d\. और/)
    const more = first.match(/(\d)\. और/)![1]!
    const second = await press(mary.answer(more))
    assert.match(second, /\n?2\. Gerehu Dental Clinic \(12\/05\/2025, 2 PM\)\n/)
    assert.equal(await press(mary.answer('2')), 'जाँच, Gerehu Dental Clinic, 12/05/2025, 2 PM?\n1. हाँ\n2. नहीं')
    assert.equal(await press(mary.answer('1')), 'समय पक्का है! SMS आएगा।\n1. मुख्य सूची')
    await press(mary.answer('1'))
    assert.equal(await press(mary.answer('4')), 'धन्यवाद।')
    assert.equal(seen.at(-1)!.end, true)
    for (const { text } of seen) assert.ok(text.length <= 80, `${text.length}: ${text}`)
    assert.equal((await staged.knex('dental_appointment').where({ msisdn: MARY })).length, 1)
  })
})
