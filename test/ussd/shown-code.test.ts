import assert from 'node:assert/strict'
import { readCode } from '../../src/ussd/service-code.ts'
import { blankDialled, blankedCode, hideDialled, isServed, shownCode } from '../../src/ussd/shown-code.ts'

const ROUTES = [{ code: '*150#' }, { code: '*384*1#', lines: ['digicel'] }, { code: '*' }]

describe('a dialled code as it is shown', () => {
  for (const [written, shown] of [
    ['*150#', '*150#'],
    ['*150*1234#', '*150*#'],
    ['*150*1*2*1234#', '*150*#'],
    ['150*1234', '*150*#'],
    ['#150*1234#', '#150*#'],
    ['*384*1#', '*384*1#'],
    ['*384*1*1234#', '*384*1*#'],
    ['*384*2#', '*384*#'],
    ['*777*1234#', '*777*#'],
    ['*777#', '*777#'],
    // A first part that is nobody's, and too long for a code.
    ['*4815162342#', '**#'],
    ['*4815162342*1#', '**#'],
    ['', ''],
    ['push:topup2', 'push:topup2'],
    ['*15a0*1234#', '*'],
    [`*1${'*22'.repeat(100)}#`, '*'],
  ] as const) {
    it(`${written.slice(0, 30)} as ${shown}`, () => assert.equal(shownCode(written, ROUTES), shown))
  }

  it('is shown the same when it is shown again', () => {
    for (const written of ['*150*1234#', '*384*1*1234#', '*777*1234#', '*150#']) {
      const once = shownCode(written, ROUTES)
      assert.equal(shownCode(once, ROUTES), once)
      assert.equal(hideDialled(`code ${once} ended`, ROUTES), `code ${once} ended`)
    }
  })

  it('is as long as it was where that matters, and still reads as the code of the service', () => {
    for (const written of ['*150*1234#', '150*1234', '*384*1*12*34#', ' *150 *1234#', '*777**1234#']) {
      const blanked = blankedCode(written, ROUTES)
      assert.equal(blanked.length, written.length)
      assert.doesNotMatch(blanked, /12|34/)
    }
    assert.equal(blankedCode('*384*1*12*34#', ROUTES), '*384*1******#')
    assert.equal(readCode(blankedCode('*384*1*12*34#', ROUTES))?.code, '*384*1#')
    assert.equal(blankedCode('*384*1#', ROUTES), '*384*1#')
  })

  it('is a service of ours where one takes it by itself, on whatever line', () => {
    assert.deepEqual(
      ['*150*9#', '*384*1#', '*384#', '*777#', 'x'].map((code) => isServed(code, ROUTES)),
      [true, true, false, false, false],
    )
  })

  it('is found in texts, and nothing else is taken for one', () => {
    assert.equal(
      hideDialled('no service has *777*1234#: 2*3 = 6, digicel/0#3, #1', ROUTES),
      'no service has *777*#: 2*3 = 6, digicel/0#3, #1',
    )
    assert.equal(hideDialled('a*150*1234# b', ROUTES), 'a*150*1234# b', 'part of a word')
  })

  it('is found in octets, without its first star and in UCS-2 too', () => {
    const wide = (text: string) => Buffer.from(text, 'utf16le').swap16().toString('latin1')
    assert.equal(blankDialled('\x01\x01150*1234\0', ROUTES), '\x01\x01150*****\0')
    assert.equal(blankDialled(`\x08\x16${wide('*150*1234#')}`, ROUTES), `\x08\x16${wide('*150*****#')}`)
  })

  it('is looked for to the end of any text, however it repeats itself', () => {
    for (const part of ['*', '1', '*1', '**1', '1*#', '\x001', '\x00*\x001']) {
      const text = `${part.repeat(30_000)}x`
      assert.equal(blankDialled(text, ROUTES).length, text.length)
      assert.ok(hideDialled(text, ROUTES).endsWith('x'))
    }
  })
})
