import assert from 'node:assert/strict'
import fc from 'fast-check'
import { msisdnOf, readMsisdn, remedyFor, type Numbering } from '../../src/ussd/msisdn.ts'
import { normaliseCode, readCode, routeCode } from '../../src/ussd/service-code.ts'

const PNG: Numbering = { countryCode: '675', nationalDigits: [8] }

describe('MSISDN', () => {
  const forms: [string, number, string, Numbering][] = [
    ['international with a plus', 0, '+67570000001', {}],
    ['international with a plus and TON 1', 1, '+67570000001', {}],
    ['international digits, TON 1', 1, '67570000001', {}],
    ['international digits, TON 0', 0, '67570000001', {}],
    ['dialled with 00', 0, '0067570000001', {}],
    ['dialled with 00 although TON 1', 1, '0067570000001', {}],
    ['national with trunk 0', 0, '070000001', PNG],
    ['national with trunk 0 although TON 1', 1, '070000001', PNG],
    ['national digits, TON 2', 2, '70000001', PNG],
    ['international digits although TON 2', 2, '67570000001', PNG],
    ['national digits of the right length, TON 0', 0, '70000001', PNG],
    ['blanks and hyphens', 0, '+675 7000-0001', {}],
  ]
  for (const [form, ton, digits, numbering] of forms) {
    it(`is one string for ${form}`, () => {
      assert.deepEqual(readMsisdn({ ton, npi: 1, digits }, numbering), { msisdn: '67570000001' })
    })
  }

  const faults: [string, string, string][] = [
    ['', 'empty', 'nothing'],
    [' + '.trim(), 'alphanumeric', 'a lone plus'],
    ['AWEH', 'alphanumeric', 'letters'],
    ['6757000000*', 'alphanumeric', 'other characters'],
    ['1234567890123456', 'too-long', 'sixteen digits'],
    ['9'.repeat(4000), 'too-long', 'four thousand digits'],
    ['121', 'too-short', 'a service number'],
    ['070000001', 'no-country-code', 'a national number without a country'],
  ]
  for (const [digits, fault, what] of faults) {
    it(`refuses ${what}: ${fault}`, () => assert.deepEqual(readMsisdn({ ton: 0, npi: 1, digits }), { fault }))
  }

  it('takes another trunk digit only where the length says national', () => {
    const kazakh = { countryCode: '7', trunkPrefix: '8', nationalDigits: [10] }
    assert.equal(msisdnOf('87070000001', kazakh), '77070000001')
    assert.equal(msisdnOf('77070000001', kazakh), '77070000001')
    assert.equal(msisdnOf('85291234567890', kazakh), '85291234567890')
  })

  const GERMANY: Numbering = { countryCode: '49', nationalDigits: [7, 8, 9, 10, 11] }
  const full: [string, number, string, Numbering, string][] = [
    ['a full number said to be national, no length known', 2, '67570000001', { countryCode: '675' }, 'ambiguous'],
    ['a full number behind a trunk 0, no length known', 0, '067570000001', { countryCode: '675' }, 'ambiguous'],
    ['a full number said to be national, by its length', 2, '67570000001', PNG, '67570000001'],
    ['a full number behind a trunk 0, by its length', 2, '067570000001', PNG, '67570000001'],
    ['a national number that begins as the code does, by its length', 2, '67570001', PNG, '67567570001'],
    ['one with a trunk 0 that begins as the code does, by its length', 0, '067570001', PNG, '67567570001'],
    [
      'a national number that cannot carry the code, no length known',
      2,
      '70000001',
      { countryCode: '675' },
      '67570000001',
    ],
    [
      'a full number that would be over 15 digits with the code',
      2,
      '6757000000001',
      { countryCode: '675' },
      '6757000000001',
    ],
    ['both lengths possible', 2, '491234567', GERMANY, 'ambiguous'],
    ['both lengths possible, TON 0', 0, '491234567', GERMANY, 'ambiguous'],
    ['both lengths possible, but said to be international', 1, '491234567', GERMANY, '491234567'],
    ['a foreign number said to be national', 2, '61412345678', PNG, 'ambiguous'],
    ['a full number said to be national, no country known', 2, '67570000001', {}, 'no-country-code'],
    ["a trunk 8 that may be the number's own", 2, '87070000001', { countryCode: '7', trunkPrefix: '8' }, 'ambiguous'],
    [
      'a number of Hong Kong, said to be international',
      1,
      '85291234567',
      { countryCode: '7', trunkPrefix: '8', nationalDigits: [10] },
      '85291234567',
    ],
    [
      'a trunk 1 that is the country code, too',
      2,
      '12125550123',
      { countryCode: '1', trunkPrefix: '1', nationalDigits: [10] },
      '12125550123',
    ],
  ]
  for (const [what, ton, digits, numbering, expected] of full) {
    it(`never has the code twice: ${what}`, () => {
      const read = readMsisdn({ ton, npi: 1, digits }, numbering)
      assert.equal('fault' in read ? read.fault : read.msisdn, expected)
    })
  }

  it('that carries the code is never given it again, whatever an address says of itself, unless its length says national', () => {
    const lengths = fc.option(fc.uniqueArray(fc.integer({ min: 4, max: 11 }), { minLength: 1, maxLength: 3 }), {
      nil: undefined,
    })
    fc.assert(
      fc.property(
        fc.constantFrom('7', '49', '675'),
        fc.stringMatching(/^[1-9][0-9]{3,10}$/),
        fc.constantFrom(0, 1, 2, 3),
        fc.constantFrom('', '0'),
        lengths,
        (countryCode, own, ton, trunk, nationalDigits) => {
          const written = countryCode + own
          const read = readMsisdn(
            { ton, npi: 1, digits: trunk + written },
            { countryCode, ...(nationalDigits ? { nationalDigits } : {}) },
          )
          if ('fault' in read || read.msisdn === written) return
          assert.equal(read.msisdn, countryCode + written)
          assert.ok(
            nationalDigits?.includes(written.length) && !nationalDigits.includes(own.length),
            'only its length may say that it is national',
          )
        },
      ),
    )
  })

  it('has a remedy for each fault', () => {
    assert.match(remedyFor('ambiguous')!, /msisdn\.nationalDigits/)
    assert.match(remedyFor('source-no-country-code')!, /msisdn\.countryCode/)
    assert.equal(remedyFor('no-session'), undefined)
  })

  it('is unchanged when it is read again', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9][0-9]{6,14}$/), (digits) => {
        assert.equal(msisdnOf(digits), digits)
        assert.equal(msisdnOf(`+${digits}`), digits)
        assert.equal(msisdnOf(`00${digits}`), digits)
      }),
    )
  })
})

describe('service code', () => {
  const forms: [string, string][] = [
    ['*123#', '*123#'],
    ['123', '*123#'],
    ['*123', '*123#'],
    ['123#', '*123#'],
    [' * 123 # ', '*123#'],
    ['**123#', '*123#'],
    ['*123**2#', '*123*2#'],
    ['*123*2*2#', '*123*2*2#'],
    ['*123*2*', '*123*2#'],
    ['#100#', '#100#'],
    ['*#06#', '*#06#'],
    ['*123#2#', '*123*2#'],
  ]
  for (const [written, code] of forms) it(`'${written}' is ${code}`, () => assert.equal(normaliseCode(written), code))

  for (const written of ['', '*', '#', '*#', 'hello', '*12a#', '+67570000001', '*'.repeat(200), '1'.repeat(200)]) {
    it(`'${written.slice(0, 20)}' is no code`, () => assert.equal(readCode(written), null))
  }
})

describe('routing by service code', () => {
  const routes = [
    { code: '*123#', flow: 'dental' },
    { code: '*123*9#', flow: 'staff' },
    { code: '*123*9#', flow: 'staff-b', lines: ['b'] },
    { code: '*555#', flow: 'only-b', lines: ['b'] },
  ]
  const to = (code: string, line: string) => {
    const found = routeCode(routes, code, line)
    return found && [found.route.flow, found.dialled]
  }

  it('takes the longest code and gives the rest', () => {
    assert.deepEqual(to('*123#', 'a'), ['dental', []])
    assert.deepEqual(to('*123*2*2#', 'a'), ['dental', ['2', '2']])
    assert.deepEqual(to('*123*9*1#', 'a'), ['staff', ['1']])
  })

  it('compares whole parts', () => assert.equal(to('*1234#', 'a'), undefined))

  it('keeps a row to its lines, and there prefers it', () => {
    assert.deepEqual(to('*123*9#', 'b'), ['staff-b', []])
    assert.equal(to('*555#', 'a'), undefined)
    assert.deepEqual(to('*555*1#', 'b'), ['only-b', ['1']])
  })

  it('gives what no other row takes to the row for everything', () => {
    const all = [...routes, { code: '*', flow: 'rest' }]
    assert.equal(routeCode(all, '*777*1#', 'a')?.route.flow, 'rest')
    assert.deepEqual(routeCode(all, 'nonsense', 'a')?.dialled, [])
    assert.equal(routeCode(all, '*123#', 'a')?.route.flow, 'dental')
  })

  it('tells *100# from #100#', () => assert.equal(routeCode([{ code: '*100#' }], '#100#', 'a'), undefined))
})
