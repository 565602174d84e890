/** Each condition of a rule, met and not met; the operation in each of its forms. */
import assert from 'node:assert/strict'
import { compileClassifier, operationOf, type Facts } from '../../../src/smpp/dialect/classify.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { DialectCondition, DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { DIALECTS } from './support.ts'

interface Seen {
  command?: string
  op?: number
  body?: Facts['view']['body']
  tags?: number[]
  text?: string
  carrier?: Partial<Facts['carrier']>
}

function facts({ command = 'deliver_sm', op, body = {}, tags = [], text = '', carrier = {} }: Seen): Facts {
  const tlvs = tags.map((tag) => ({ tag, value: Buffer.from('00', 'hex') }))
  return {
    command,
    op,
    view: { sequence: 1, body, tlvs, text, envelope: null },
    carrier: { raw: Buffer.alloc(0), id: '', step: undefined, end: false, ...carrier },
  }
}

function classifier(...rules: { when: DialectCondition; is: 'begin' | 'input' | 'abort'; why?: string }[]) {
  const profile = loadProfile('standard', DIALECTS)
  profile.inbound.classify = rules
  return compileClassifier(profile)
}

describe('a condition of a rule', () => {
  const conditions: [when: DialectCondition, met: Seen[], unmet: Seen[]][] = [
    [{ pdu: ['data_sm'] }, [{ command: 'data_sm' }], [{}]],
    [{ op: [0, 18] }, [{ op: 18 }, { op: 0 }], [{}, { op: 1 }]],
    [{ op: ['absent'] }, [{}], [{ op: 0 }]],
    [{ op: ['present'] }, [{ op: 0 }, { op: 99 }], [{}]],
    [{ endBit: 1 }, [{ carrier: { end: true } }], [{}]],
    [{ endBit: 0 }, [{}], [{ carrier: { end: true } }]],
    [{ tlvPresent: [1, 2] }, [{ tags: [2, 3, 1] }], [{ tags: [1] }, { tags: [2] }, {}]],
    [{ sessionPresent: true }, [{ carrier: { raw: Buffer.alloc(1) } }], [{}]],
    [{ sessionPresent: false }, [{}], [{ carrier: { raw: Buffer.alloc(1) } }]],
    [{ serviceType: ['USSD', ''] }, [{ body: { service_type: 'USSD' } }, {}], [{ body: { service_type: 'CMT' } }]],
    [{ serviceTypeRe: '^US' }, [{ body: { service_type: 'USSD' } }], [{ body: { service_type: 'XUS' } }, {}]],
    [{ esmType: [4] }, [{ body: { esm_class: 0x44 } }], [{ body: { esm_class: 0x24 } }, {}]],
    [{ esmType: [0x20] }, [{ body: { esm_class: 0x24 } }], [{ body: { esm_class: 0x04 } }]],
    [{ esmType: [0] }, [{}, { body: { esm_class: 0xc3 } }], [{ body: { esm_class: 8 } }]],
    [{ dest: ['123', ''] }, [{ body: { destination_addr: '123' } }, {}], [{ body: { destination_addr: '1234' } }]],
    [
      { fieldPresent: ['service_type', 'source_addr'] },
      [{ body: { service_type: 'U', source_addr: '1' } }],
      [{ body: { service_type: 'U' } }, { body: { service_type: 'U', source_addr: '' } }],
    ],
    [{ textRe: '^[*]' }, [{ text: '*1#' }], [{ text: '1*' }, {}]],
    [{ textEmpty: true }, [{}], [{ text: ' ' }]],
    [{ textEmpty: false }, [{ text: ' ' }], [{}]],
    [{}, [{}], []],
    [{ op: [18], textEmpty: true }, [{ op: 18 }], [{ op: 18, text: '1' }, { op: 1 }]],
  ]
  for (const [when, met, unmet] of conditions) {
    it(`${JSON.stringify(when)} holds, and does not hold`, () => {
      const classify = classifier({ when, is: 'begin' })
      for (const seen of met) assert.equal(classify(facts(seen)).is, 'begin', JSON.stringify(seen))
      for (const seen of unmet) assert.equal(classify(facts(seen)).is, 'sms', JSON.stringify(seen))
    })
  }
})

describe('the rules of a profile', () => {
  it('are asked in their order; where none holds it is an SMS', () => {
    const classify = classifier(
      { when: { op: [1] }, is: 'begin', why: 'asked' },
      { when: { op: ['present'] }, is: 'input' },
    )
    assert.deepEqual(classify(facts({ op: 1 })), { is: 'begin', why: 'asked' })
    assert.deepEqual(classify(facts({ op: 2 })), { is: 'input', why: 'input' })
    assert.deepEqual(classify(facts({})), { is: 'sms', why: 'no-rule' })
  })
})

describe('the operation of a PDU', () => {
  type Op = DialectProfile['inbound']['op']
  function operation(op: Partial<Op>, hex: string): number | undefined {
    const profile = loadProfile('standard', DIALECTS)
    Object.assign(profile.inbound.op, op)
    const tlvs = [{ tag: 0x0501, value: Buffer.from(hex, 'hex') }]
    return operationOf(profile, { sequence: 1, body: {}, tlvs, text: '', envelope: null })
  }
  const forms: [what: string, op: Partial<Op>, hex: string, is: number | undefined][] = [
    ['a number of one octet', {}, '12', 18],
    ['the low sixteen bits of a wide one', {}, '0000ffff0012', 18],
    ['the same of one whose upper bits are set', {}, 'ff0112', 0x0112],
    ['hexadecimal digits', { decode: 'hexString' }, '3132', 0x12],
    ['such digits with NUL and blank', { decode: 'hexString' }, '20313200', 0x12],
    ['sixteen bits of more digits', { decode: 'hexString' }, Buffer.from('10012').toString('hex'), 0x12],
    ['no digits', { decode: 'hexString' }, '7a', undefined],
    ['two decimal digits in an octet', { decode: 'bcd' }, '18', 18],
    ['no decimal digits', { decode: 'bcd' }, 'f8', undefined],
    ['another name of an operation', { alias: { 23: 17 } }, '17', 17],
    ['none where it has no octets', {}, '', undefined],
    ['none where the dialect has none', { from: undefined }, '12', undefined],
  ]
  for (const [what, op, hex, is] of forms) it(`is ${what}`, () => assert.equal(operation(op, hex), is))
})
