import assert from 'node:assert/strict'
import fc from 'fast-check'
import { msisdnOf, readMsisdn, type Numbering } from '../../src/ussd/msisdn.ts'
import { normaliseCode, readCode, route } from '../../src/ussd/service-code.ts'

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

  it('is unchanged when it is read again', () => {
    fc.assert(fc.property(fc.stringMatching(/^[1-9][0-9]{6,14}$/), (digits) => {
      assert.equal(msisdnOf(digits), digits)
      assert.equal(msisdnOf(`+${digits}`), digits)
      assert.equal(msisdnOf(`00${digits}`), digits)
    }))
  })
})

describe('service code', () => {
  const forms: [string, string][] = [
    ['*123#', '*123#'], ['123', '*123#'], ['*123', '*123#'], ['123#', '*123#'], [' * 123 # ', '*123#'],
    ['**123#', '*123#'], ['*123**2#', '*123*2#'], ['*123*2*2#', '*123*2*2#'], ['*123*2*', '*123*2#'],
    ['#100#', '#100#'], ['*#06#', '*#06#'], ['*123#2#', '*123*2#'],
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
    const found = route(routes, code, line)
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
    assert.equal(route(all, '*777*1#', 'a')?.route.flow, 'rest')
    assert.deepEqual(route(all, 'nonsense', 'a')?.dialled, [])
    assert.equal(route(all, '*123#', 'a')?.route.flow, 'dental')
  })

  it('tells *100# from #100#', () => assert.equal(route([{ code: '*100#' }], '#100#', 'a'), undefined))
})
