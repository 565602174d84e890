import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeGsm7, encodeGsm7, packSeptets, uncodableAt, unpackSeptets } from '../../src/ussd/gsm7.ts'
import { decodeUcs2, encodeAscii, encodeLatin1, encodeUcs2 } from '../../src/ussd/octets.ts'
import {
  alphabetOf,
  asciiDigits,
  boundaryAt,
  clean,
  count,
  fit,
  fits,
  INPUT_UNITS_MAX,
  toGsm7Text,
  transliterate,
  trimAnswer,
} from '../../src/ussd/text.ts'
import { USSD_PAGE } from '../../src/ussd/vocabulary.ts'

const hex = (octets: Buffer | null) => octets?.toString('hex')

describe('GSM 7-bit', () => {
  it('writes one septet an octet, extension characters as an escape pair', () => {
    assert.equal(hex(encodeGsm7('Fee 5€ [x] {y} ~|^\\')), '46656520351b65201b3c781b3e201b28791b29201b3d1b401b141b2f')
    assert.equal(hex(encodeGsm7('@_$')), '001102')
  })

  it('says which character it does not have', () => {
    assert.equal(encodeGsm7('naïve'), null)
    assert.equal(uncodableAt('naïve'), 2)
    assert.equal(uncodableAt('plain'), -1)
    assert.equal(uncodableAt('\u001b'), 0)
    assert.equal(uncodableAt('\uffff'), 0)
  })

  it('shows the default character for an unknown escape pair, a blank for a doubled escape, nothing for a lone one', () => {
    assert.equal(decodeGsm7(Buffer.from('1b41', 'hex')), 'A')
    assert.equal(decodeGsm7(Buffer.from('1b1b41', 'hex')), ' A')
    assert.equal(decodeGsm7(Buffer.from('411b', 'hex')), 'A')
  })

  it('packs with CR where seven bits are left over (15 septets, 7 septets, and a text that ends in CR)', () => {
    const pack = (text: string) => hex(packSeptets(encodeGsm7(text) as Buffer))
    assert.equal(pack('1 Yes\n2 No\n0 Ex'), '3150b63c57c840ceb702062ae21b')
    assert.equal(pack('1234567'), '31d98c56b3dd1a')
    assert.equal(pack('1234567\r'), '31d98c56b3dd1a0d')
    assert.equal(pack(''), '')
  })

  it('reads packed octets without the padding CR, and keeps a doubled one', () => {
    const unpack = (octets: string) => decodeGsm7(unpackSeptets(Buffer.from(octets, 'hex')))
    assert.equal(unpack('3150b63c57c840ceb702062ae21b'), '1 Yes\n2 No\n0 Ex')
    assert.equal(unpack('31d98c56b3dd1a'), '1234567')
    assert.equal(unpack('31d98c56b3dd1a0d'), '1234567\r\r')
  })

  it('holds 182 septets in 160 octets', () => {
    assert.equal(packSeptets(encodeGsm7('x'.repeat(182)) as Buffer).length, 160)
  })

  it('brings every text of its alphabet back, unpacked and packed', () => {
    fc.assert(
      fc.property(gsm7Text(), (text) => {
        const octets = encodeGsm7(text) as Buffer
        assert.equal(decodeGsm7(octets), text)
        const back = decodeGsm7(unpackSeptets(packSeptets(octets)))
        // A final CR on an octet boundary comes back doubled, which a handset shows the same. (23.038 §6.1.2.3.1)
        assert.ok(back === text || (text.endsWith('\r') && back === `${text}\r`))
      }),
    )
  })

  it('reads any octets without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        assert.equal(typeof decodeGsm7(octets), 'string')
        assert.equal(typeof decodeGsm7(unpackSeptets(octets)), 'string')
        assert.equal(typeof decodeUcs2(octets), 'string')
      }),
    )
  })
})

describe('octets of other alphabets', () => {
  it('writes UCS-2 big-endian and reads it with or without a byte order mark, dropping an odd octet', () => {
    assert.equal(hex(encodeUcs2('Да😀')), '04140430d83dde00')
    assert.equal(decodeUcs2(Buffer.from('0414043007', 'hex')), 'Да')
    assert.equal(decodeUcs2(Buffer.from('feff0414', 'hex')), 'Д')
    assert.equal(decodeUcs2(Buffer.from('fffe1404', 'hex')), 'Д')
  })

  it('does not change the octets that it reads', () => {
    const octets = Buffer.from('04140430', 'hex')
    decodeUcs2(octets)
    assert.equal(hex(octets), '04140430')
  })

  it('writes ? for what Latin-1 and ASCII lack, one for each character', () => {
    assert.equal(encodeLatin1('Olá 😀').toString('latin1'), 'Olá ?')
    assert.equal(encodeAscii('Olá').toString('latin1'), 'Ol?')
  })
})

describe('length and cutting', () => {
  it('counts extension characters twice and surrogate pairs as two units', () => {
    assert.equal(count('5€', 'gsm7'), 3)
    assert.equal(count('😀', 'ucs2'), 2)
    assert.equal(alphabetOf('Баланс'), 'ucs2')
    assert.equal(alphabetOf('5€ {x}'), 'gsm7')
  })

  it('takes 182 septets or 80 units for one page, and no more', () => {
    assert.ok(fits('x'.repeat(182), USSD_PAGE))
    assert.ok(!fits('x'.repeat(183), USSD_PAGE))
    assert.ok(!fits(`${'x'.repeat(181)}€`, USSD_PAGE))
    assert.ok(fits('Я'.repeat(80), USSD_PAGE))
    assert.ok(!fits('Я'.repeat(81), USSD_PAGE))
  })

  it('never leaves half of an escape pair, a surrogate pair or a letter without its mark', () => {
    const page = { septets: 5, ucs2: 3 }
    assert.equal(fit('abcd€', page), 'abcd')
    assert.equal(fit('Я😀😀', page), 'Я😀')
    assert.equal(fit('ЯЯ😀', page), 'ЯЯ')
    assert.equal(fit('ЯЯи\u0306', page), 'ЯЯ')
    assert.equal(fit('abcde\u0301', page), 'abcd')
  })

  it('keeps a long GSM beginning although the whole needs UCS-2', () => {
    const text = `${'x'.repeat(150)}Я`
    assert.equal(fit(text, USSD_PAGE), 'x'.repeat(150))
  })

  it('cuts inside a cluster that alone is over the limit', () => {
    assert.equal(fit(`e${'\u0301'.repeat(200)}`, USSD_PAGE).length, 80)
  })

  it('always gives a beginning that fits, and the text itself when it fits', () => {
    const page = fc.record({ septets: fc.integer({ min: 0, max: 40 }), ucs2: fc.integer({ min: 0, max: 40 }) })
    const texts = fc.string({ unit: fc.oneof(fc.constantFrom('a', '€', 'Я', '😀', '\u0301', '\r', '\n'), fc.string()) })
    fc.assert(
      fc.property(texts, page, (text, limit) => {
        const start = fit(text, limit)
        assert.ok(text.startsWith(start))
        assert.ok(fits(start, limit))
        if (fits(text, limit)) assert.equal(start, text)
      }),
    )
  })

  it('finds the boundary of surrogates at both ends of a text', () => {
    assert.equal(boundaryAt('😀', 1), 0)
    assert.equal(boundaryAt('a😀', 2), 1)
    assert.equal(boundaryAt('ab', 9), 2)
    assert.equal(boundaryAt('ab', -1), 0)
  })
})

describe('transliteration', () => {
  it('makes typographic characters plain', () => {
    assert.equal(transliterate('“It’s” — 5\u202f000…'), '"It\'s" - 5 000...')
  })

  it('takes only the marks that GSM 7-bit lacks', () => {
    assert.equal(transliterate('é ê ñ ş ç Ł œ ø'), 'é e ñ s c L oe ø')
  })

  it('leaves Cyrillic, Greek and emoji alone', () => {
    assert.equal(transliterate('Привет, й ά 😀'), 'Привет, й ά 😀')
  })

  it('gives ? for what is left, one for each character, and then all is codable', () => {
    assert.equal(toGsm7Text('Привет 😀'), '?????? ?')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(uncodableAt(toGsm7Text(text)), -1)))
  })
})

describe('input', () => {
  it('drops NUL, controls, lone surrogates and direction overrides', () => {
    assert.equal(clean('a\u0000b\u0007c\ud800d\u202ee\u0085f\ufefff'), 'abcde\nff')
  })

  it('folds line ends and tabs', () => {
    assert.equal(clean('1\r\n2\r3\t4'), '1\n2\n3 4')
  })

  it('is no longer than its limit and never ends in half a pair', () => {
    assert.equal(clean('9'.repeat(10_000)).length, INPUT_UNITS_MAX)
    assert.equal(clean(`${'9'.repeat(INPUT_UNITS_MAX - 1)}😀`).length, INPUT_UNITS_MAX - 1)
  })

  it('is clean after any input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, octets) => {
        for (const cleaned of [clean(text), clean(decodeUcs2(octets))]) {
          assert.doesNotMatch(cleaned, /\p{Cs}/u)
          assert.doesNotMatch(cleaned, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
          assert.equal(clean(cleaned), cleaned)
        }
      }),
    )
  })

  it('takes an answer without its blanks, its digits as ASCII', () => {
    assert.equal(trimAnswer(' \u00a012\n'), '12')
    assert.equal(trimAnswer('\u200b٣'), '3')
    assert.equal(asciiDigits('٠١٢٣٤٥٦٧٨٩'), '0123456789')
    assert.equal(asciiDigits('۱۲ १२ １２ 𝟙𝟚'), '12 12 12 12')
  })
})

function gsm7Text(): fc.Arbitrary<string> {
  const all = [...'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà^{}\\[~]|€\f']
  return fc.array(fc.constantFrom(...all), { maxLength: 200 }).map((characters) => characters.join(''))
}
