import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { checkSource } from '../../../src/flow/check/check.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { directed, directedValue, isRtl, undirected } from '../../../src/ussd/direction.ts'
import { fit, fits } from '../../../src/ussd/text.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const [LRM, RLM] = ['\u200e', '\u200f']
const HEAD = (language: string) => `start: main\nlanguages: [${language}, en]\nkeys: { back: '0' }`
const screens = (words: { title: string; row: string; exit: string; told: string }, language: string) => `
  main: { call: shop.rows, once: false, expect: { rows: { is: rows, max: 100, fields: { name: { is: text, max: 12 } } } }, to: list, failed: out }
  list:
    list: { ${language}: '${words.title}', en: 'Your bundles:' }
    from: data.main.rows
    row: { ${language}: '${words.row}', en: '{row.name}' }
    choices: [{ label: { ${language}: ${words.exit}, en: Exit }, to: out }]
    to: told
  told: { end: { ${language}: '${words.told}', en: 'Dial *675#: {chosen.list.name}.' } }
  out: { exit: true }
`
const WORDS = {
  ar: { title: 'الباقات:', row: 'باقة {row.name}', exit: 'خروج', told: 'اطلب *675#: {chosen.list.name}.' },
  ur: { title: 'آپ کے بنڈل:', row: 'بنڈل {row.name}', exit: 'باہر', told: '*675# ڈائل کریں: {chosen.list.name}۔' },
  he: { title: 'החבילות שלך:', row: 'חבילה {row.name}', exit: 'יציאה', told: 'חייגו *675#: {chosen.list.name}.' },
} as const
type Language = keyof typeof WORDS
const dialled = async (language: string, rows: Json, own: Language = language as Language) => {
  const phone = handset(flowOf(screens(WORDS[own], own), HEAD(own)).flow, () => ({ is: 'data', data: { rows } }))
  return { phone, first: await phone.dial({ language }) }
}

describe('a right-to-left text', () => {
  it('is told by its language, or by the script that the language names', () => {
    for (const language of ['ar', 'ar-EG', 'he', 'ur', 'fa', 'ps', 'ku-Arab', 'ckb'])
      assert.ok(isRtl(language), language)
    for (const language of ['en', 'fr', 'ku', 'sw', 'hi', 'az-Latn', 'ur-Latn', 'tpi'])
      assert.ok(!isRtl(language), language)
  })

  it('has marks where a sign, a digit or a Latin letter begins or ends a line, and around codes', () => {
    assert.equal(directed('رصيدك'), 'رصيدك', 'a line of letters needs none')
    assert.equal(directed('الباقات:\n1. خروج'), `الباقات:${RLM}\n${RLM}1. خروج`)
    assert.equal(directed('اطلب *675#'), `اطلب ${LRM}*675#${LRM}`)
    assert.equal(directed('اتصل +675 7000 0001 الآن؟'), `اتصل ${LRM}+675 7000 0001${LRM} الآن؟`)
    assert.equal(directed('MTN: رصيدك'), `${RLM}MTN: رصيدك`)
    assert.equal(directed('Balance: 5'), 'Balance: 5', 'nothing in a text without such letters')
    assert.equal(directed('א\n\nב.'), `א\n\nב.${RLM}`)
  })

  it('keeps the parts of a value that reads from the left in their order', () => {
    for (const [value, shown] of [
      ['1,234.50', '1,234.50'],
      ['10/05/2025', '10/05/2025'],
      ['Digicel PNG 5', 'Digicel PNG 5'],
      ['-12.50', `${LRM}-12.50${LRM}`],
      ['2025-05-10', `${LRM}2025-05-10${LRM}`],
      ['1 GB (day)', `${LRM}1 GB (day)${LRM}`],
      ['أحمد', 'أحمد'],
      ['', ''],
      ['...', '...'],
    ])
      assert.equal(directedValue(value!), shown)
  })

  it('is marked once, takes its marks off, and fits with them, whatever it is', () => {
    const pieces = fc.array(fc.constantFrom('رصيد', 'ב', 'a', '1. ', '*675#', '\n', ':', ' ', '+675 7', '-', RLM, 'ê'))
    const texts = pieces.map((all) => all.join(''))
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 40 }), (text, ucs2) => {
        const marked = directed(text)
        assert.equal(directed(marked), marked)
        assert.equal(undirected(marked), undirected(text))
        const limit = { septets: ucs2, ucs2, isRtl: true as const }
        const kept = fit(text, limit)
        assert.ok(text.startsWith(kept) && (kept === '' || fits(directed(kept), { septets: ucs2, ucs2 })))
      }),
    )
  })

  for (const language of ['ar', 'ur', 'he'] as const) {
    it(`leaves the flow with its marks in '${language}', on pages that hold them: none, one, a thousand rows`, async () => {
      const { title, exit } = WORDS[language]
      assert.equal((await dialled(language, [])).first.text, directed(`${title}\n1. ${exit}`))
      const { phone, first } = await dialled(language, [{ name: '1 GB (day)' }])
      const row = WORDS[language].row.replace('{row.name}', `${LRM}1 GB (day)${LRM}`)
      assert.equal(first.text, `${title}${RLM}\n${RLM}1. ${row}\n${RLM}2. ${exit}`)
      assert.match((await phone.answer('1')).text, /\u200e\*675#\u200e/)
      const many = await dialled(
        language,
        Array.from({ length: 1000 }, (_, i) => ({ name: `B${i}-x` })),
      )
      for (let page = many.first, n = 0; n < 30; n++) {
        assert.ok(fits(page.text, USSD_PAGE), page.text)
        for (const line of page.text.split('\n').slice(1)) assert.ok(line.startsWith(RLM), JSON.stringify(line))
        const more = /^\u200f(\d+)\. (?!.*B\d)/m.exec(page.text)?.[1]
        page = await many.phone.answer(more ?? '1')
      }
    })
  }

  it('is marked in no other language of the same flow', async () => {
    const { first } = await dialled('en', [{ name: '1 GB (day)' }], 'ar')
    assert.equal(first.text, 'Your bundles:\n1. 1 GB (day)\n2. Exit')
  })

  it('passes the check and the walk, which press its numbers, and is measured with its marks', () => {
    const source = (told: string) => ({
      file: 'test.yaml',
      text: fileOf(screens({ ...WORDS.ar, told }, 'ar'), HEAD('ar')),
      catalogues: [],
    })
    assert.deepEqual(
      checkSource(source(WORDS.ar.told)).filter(({ severity }) => severity === 'error'),
      [],
    )
    const compilation = flowOf(screens(WORDS.ar, 'ar'), HEAD('ar'))
    assert.deepEqual(
      proveFlow(compilation, () => '').filter(({ severity }) => severity === 'error'),
      [],
    )
    assert.ok(explore(compilation, { language: 'ar' }).pages.some(({ screen }) => screen === 'told'))
    const asks = (word: string) => {
      const text = fileOf(
        `  main: { notify: '${word}', to: out }\n  out: { exit: true }`,
        'start: main\nlanguages: [ar]',
      )
      return checkSource({ file: 'test.yaml', text, catalogues: [] })
        .map(({ what }) => what)
        .filter((what) => what.includes('page'))
    }
    const letters = 'ا'.repeat(78)
    assert.equal(asks(`${letters} ا`).filter((what) => what.includes('longer')).length, 0, '80 letters')
    assert.equal(
      asks(`${letters} .`).filter((what) => what.includes('longer')).length,
      1,
      '80 units and a mark at the end',
    )
  })

  it('is written in a talk without marks', async () => {
    const text = `flow test\ncode *1#\nlanguage ar\nbackend shop.rows {"rows": [{"name": "B-1"}]}\ntalk One\ndial *1#\n< الباقات:\n< 1. باقة B-1\n< 2. خروج\n> 1\n< اطلب *675#: B-1.\n`
    const failure = await playTalk(parseTalks('t.talk', text)[0]!, flowOf(screens(WORDS.ar, 'ar'), HEAD('ar')).flow)
    assert.equal(failure && describeFailure(failure), undefined)
  })

  it('takes no override of direction from a value', async () => {
    const { first } = await dialled('en', [{ name: 'a\u202eb\u2066c' }], 'ar')
    assert.match(first.text, /1\. abc\n/)
  })

  it('has the direction of each line on the page of the simulated phone', () => {
    const web = (name: string) => readFileSync(`src/simulator/web/${name}`, 'utf8')
    assert.match(web('handset.html'), /<pre id="text"[^>]* dir="auto"/)
    assert.match(web('inbox.js'), /body\.dir = 'auto'/)
    assert.match(web('phone.css'), /unicode-bidi: plaintext/)
  })
})
