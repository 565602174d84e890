import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { decodeGsm7, encodeGsm7, GSM7_DEFAULT, GSM7_EXTENSION } from '../../src/ussd/gsm7.ts'
import {
  decodeNational,
  encodeNational,
  LANGUAGES,
  NO_SHIFT,
  shiftElements,
  shiftFor,
} from '../../src/ussd/national.ts'
import { LOCKING_TABLES, SINGLE_TABLES } from '../../src/ussd/national-tables.ts'

interface Language {
  nli: number
  locking: string | null
  single: string
}
const file = new URL('../vectors/gsm-7bit-tables.json', import.meta.url)
const { languages } = JSON.parse(readFileSync(file, 'utf8')) as { languages: Record<string, Language> }

describe('national language shift tables', () => {
  it('are the published ones, character by character', () => {
    for (const [name, { nli, locking, single }] of Object.entries(languages)) {
      if (name === 'default') {
        assert.equal(GSM7_DEFAULT, locking)
        const extension = Array.from({ length: 128 }, (_, septet) => GSM7_EXTENSION.get(septet) ?? ' ').join('')
        assert.equal(extension, single)
        continue
      }
      assert.equal(LANGUAGES[name as keyof typeof LANGUAGES], nli)
      assert.equal(LOCKING_TABLES.get(nli) ?? null, locking, name)
      assert.equal(SINGLE_TABLES.get(nli), single, name)
    }
    assert.equal(LOCKING_TABLES.size, 12)
    assert.equal(SINGLE_TABLES.size, 13)
  })

  const samples: [string, string, { locking: number; single: number }, string][] = [
    ['Turkish, single shift', 'dağ', { locking: 0, single: 1 }, '64611b67'],
    ['Spanish, single shift', 'más', { locking: 0, single: 2 }, '6d1b6173'],
    ['Portuguese, both', 'não Φ', { locking: 3, single: 3 }, '6e7b6f201b12'],
    ['Hindi, both', 'अA', { locking: 6, single: 6 }, '031b41'],
  ]
  for (const [what, text, shift, hex] of samples) {
    it(`code ${what}`, () => {
      assert.equal(encodeNational(text, shift)?.toString('hex'), hex)
      assert.equal(decodeNational(Buffer.from(hex, 'hex'), shift), text)
    })
  }

  it('leave the default alphabet alone under a single shift', () => {
    assert.equal(decodeNational(Buffer.from('041b04', 'hex'), { locking: 0, single: 1 }), 'èè')
  })

  it('are not used for an identifier that nobody assigned', () => {
    assert.equal(decodeNational(Buffer.from('41', 'hex'), { locking: 77, single: 200 }), 'A')
  })

  it('bring every text back that they can code', () => {
    const shifts = Object.values(LANGUAGES).flatMap((nli) => [
      { locking: nli, single: nli },
      { locking: 0, single: nli },
    ])
    const characters = [...new Set([...LOCKING_TABLES.values(), ...SINGLE_TABLES.values()].join(''))]
    const texts = fc.array(fc.constantFrom(...characters), { maxLength: 12 }).map((it) => it.join(''))
    fc.assert(
      fc.property(fc.constantFrom(...shifts), texts, (shift, text) => {
        const octets = encodeNational(text, shift)
        if (octets) assert.equal(decodeNational(octets, shift), text)
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.constantFrom(...shifts), fc.nat(127), (shift, septet) => {
        const character = decodeNational(Buffer.from([septet]), shift)
        if (character !== '') assert.equal(decodeNational(encodeNational(character, shift) as Buffer, shift), character)
      }),
    )
  })

  it('without a shift are the default alphabet', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => assert.equal(decodeNational(octets, NO_SHIFT), decodeGsm7(octets))),
    )
    assert.deepEqual(encodeNational('5€', NO_SHIFT), encodeGsm7('5€'))
  })

  it('are chosen for the fewest septets, the default ones first', () => {
    const all = Object.values(LANGUAGES)
    assert.deepEqual(shiftFor('plain', all), NO_SHIFT)
    assert.deepEqual(shiftFor('dağ', all), { locking: 1, single: 0 })
    assert.deepEqual(shiftFor('más', [2]), { locking: 0, single: 2 })
    assert.deepEqual(shiftFor('Привет', all), null)
    assert.equal(shiftElements({ locking: 3, single: 3 }).toString('hex'), '250103240103')
  })
})
