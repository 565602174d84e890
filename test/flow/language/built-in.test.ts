import assert from 'node:assert/strict'
import { assumedIn } from '../../../src/flow/check/assumed.ts'
import { checkSource } from '../../../src/flow/check/check.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { BUILT_IN, builtIn, TEXT_KEYS, UNREVIEWED } from '../../../src/flow/terms/built-in-texts.ts'
import { alphabetOf } from '../../../src/ussd/text.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const MENU = '  main: { menu: { LANG: Salut }, choices: [{ label: { LANG: A }, to: out }] }\n  out: { exit: true }'
const source = (language: string) => ({
  file: 'test.yaml',
  text: fileOf(MENU.replaceAll('LANG', language), `start: main\nlanguages: [${language}]`),
  catalogues: [],
})

describe('built-in texts', () => {
  it('are there in every language, and fit beside a page of their own', () => {
    for (const [language, texts] of Object.entries(BUILT_IN)) {
      assert.deepEqual(Object.keys(texts), TEXT_KEYS, language)
      const wanted = language === 'ar' ? 'ucs2' : 'gsm7'
      for (const text of Object.values<string>(texts)) {
        assert.equal(alphabetOf(text), wanted, `${language}: ${text}`)
        assert.ok(text.length <= 80, `${language}: ${text}`)
      }
    }
  })

  it('speak the language that a flow names, also as that of a country', async () => {
    for (const [language, words] of [
      ['fr', /^Choix incorrect/],
      ['pt-MZ', /^Escolha errada/],
      ['sw', /^Chaguo si sahihi/],
      ['ar-EG', /اختيار غير صحيح/],
      ['ho', /^Invalid choice/],
    ] as const) {
      const phone = handset(flowOf(MENU.replaceAll('LANG', language), `start: main\nlanguages: [${language}]`).flow)
      await phone.dial({ language })
      const said = await phone.answer('9')
      assert.match(said.do === 'ask' ? said.text : '', words, language)
    }
    assert.equal(builtIn('back', 'pt-BR'), 'Voltar')
  })

  it('make check ask for texts only in languages that have none, and say which ones nobody has reviewed', () => {
    const lacking = (language: string) => checkSource(source(language)).filter(({ rule }) => rule === 'built-in')
    assert.deepEqual(lacking('fr'), [])
    assert.deepEqual(lacking('pt-MZ'), [])
    assert.equal(lacking('ho').length, 1)
    const assumed = (language: string) => assumedIn(readFlow(source(language)).definition)
    assert.deepEqual(assumed('en'), [])
    assert.deepEqual(assumed('fr'), ['right, though no native speaker has read them: built-in texts in fr'])
    assert.deepEqual([...UNREVIEWED], Object.keys(BUILT_IN).slice(1))
  })
})
