/** Where profiles find the network's number, its counter and the end bit: each place, each form, and their edges. */
import assert from 'node:assert/strict'
import {
  endBitInSession,
  endBitOf,
  getSession,
  mintSession,
  putSession,
  readPlace,
  readPlaceText,
  sessionId,
  setStep,
  stepOf,
  tlvOf,
  uint,
  withEndBit,
  type PduTarget,
  type PduView,
} from '../../../src/smpp/dialect/carrier.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { DialectPlace, DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { DIALECTS } from './support.ts'

const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex')
const octets = (digits: string) => Buffer.from(digits, 'hex')

function view(changes: Partial<PduView> = {}): PduView {
  return { sequence: 4711, body: {}, tlvs: [], text: '', envelope: null, ...changes }
}

type Session = DialectProfile['inbound']['session']

/** The standard profile with another place or form of the number. */
function withSession(session: Partial<Session>, change: (profile: DialectProfile) => void = () => undefined) {
  const profile = loadProfile('standard', DIALECTS)
  Object.assign(profile.inbound.session, session)
  change(profile)
  return profile
}

describe('the octets at a place', () => {
  const seen = view({
    body: { destination_addr: 'Zürich', protocol_id: 7 },
    tlvs: [
      { tag: 0x0202, value: octets('a0313233') },
      { tag: 0x0202, value: octets('ff') },
    ],
    text: 'Ä1',
    envelope: { type: '2', params: new Map([['4', 'ç9']]) },
  })
  const places: [what: string, place: DialectPlace, octets: string, text: string][] = [
    ['the first parameter of the tag', { tlv: 0x0202 }, 'a0313233', '\u00a0123'.trim()],
    ['a parameter without its first octet', { tlv: 0x0202, skip: 1 }, '313233', '123'],
    ['no parameter', { tlv: 0x0203 }, '', ''],
    ['a constant', { const: 'é7' }, 'e937', 'é7'],
    ['the end of a constant', { const: 'é7', skip: 1 }, '37', '7'],
    ['a parameter of the envelope, UTF-8', { envelope: 4 }, 'c3a739', 'ç9'],
    ['the end of one', { envelope: 4, skip: 2 }, '39', '9'],
    ['no parameter of the envelope', { envelope: 5 }, '', ''],
    ['the text, UTF-8', { field: 'short_message' }, 'c38431', 'Ä1'],
    ['the end of the text', { field: 'short_message', skip: 2 }, '31', '1'],
    ['the sequence number in digits', { field: 'sequence_number' }, '34373131', '4711'],
    ['its end', { field: 'sequence_number', skip: 2 }, '3131', '11'],
    ['a field, Latin-1', { field: 'destination_addr' }, '5afc72696368', 'Zürich'],
    ['the end of a field', { field: 'destination_addr', skip: 4 }, '6368', 'ch'],
    ['a field that is a number', { field: 'protocol_id' }, '37', '7'],
    ['a field that is absent', { field: 'service_type' }, '', ''],
  ]
  for (const [what, place, raw, text] of places) {
    it(`are those of ${what}`, () => {
      assert.equal(hex(readPlace(place, seen)), raw)
      assert.equal(readPlaceText(place, seen), text)
    })
  }
  it('of an envelope are none without one', () => assert.equal(readPlace({ envelope: 4 }, view()).length, 0))
  it('have no NULs and no blanks around them as a text', () =>
    assert.equal(readPlaceText({ tlv: 1 }, view({ tlvs: [{ tag: 1, value: Buffer.from(' a\0b\0 ') }] })), 'ab'))
  it('are the value of the tag, or none', () => {
    assert.equal(hex(tlvOf(seen.tlvs, 0x0202)), 'a0313233')
    assert.equal(tlvOf([], 0x0202).length, 0)
  })
})

describe("the network's number of a dialogue", () => {
  const forms: [decode: Session['decode'], raw: string, id: string, more?: Partial<Session>][] = [
    ['octet1', '0702', '7'],
    ['octet1', 'ff', '255'],
    ['opaque16', '07a1', '07a1'],
    ['opaque16', '07a1', '06a0', { mask: 0xfefe }],
    ['opaque16', '07a1ff', '07a1'],
    ['opaque16', '0007', '0700', { swap16: true }],
    ['id15be', '0003', '1'],
    ['id15be', 'fffe', '32767'],
    ['id15be', '00030f', '1'],
    ['id15le', '2c03', '300'],
    ['id15le', '2c', '44'],
    ['uint', '0000012c', '300'],
    ['uint', '2c01', '300', { swap16: true }],
    ['uint', '2c0100', '2883840', { swap16: true }],
    ['hex', '00ab', '00ab'],
    ['ascii', '20413742002000', 'A7B'],
    ['dec', '30303132', '12'],
    ['dec', '6e723a303030', '0'],
    ['dec', Buffer.from('9'.repeat(30)).toString('hex'), '9'.repeat(20)],
  ]
  for (const [decode, raw, id, more = {}] of forms) {
    it(`is ${id.slice(0, 12)} in ${raw.slice(0, 12)} as ${decode}${JSON.stringify(more)}`, () => {
      const profile = withSession({ decode, ...more })
      assert.equal(sessionId(profile, octets(raw)), id)
    })
  }
  it('leaves the octets as they came where it swaps them', () => {
    const raw = octets('2c01')
    sessionId(withSession({ decode: 'uint', swap16: true }), raw)
    assert.equal(hex(raw), '2c01')
  })

  it('comes from the first place with octets', () => {
    const profile = withSession({ decode: 'ascii', from: [{ tlv: 0x1383 }, { field: 'service_type' }], zero: 'number' })
    const body = { service_type: 'S1' }
    assert.equal(getSession(profile, view({ body })).id, 'S1')
    const both = view({ body, tlvs: [{ tag: 0x1383, value: Buffer.from('T1') }] })
    assert.deepEqual([getSession(profile, both).id, hex(getSession(profile, both).raw)], ['T1', '5431'])
    assert.deepEqual(
      [getSession(profile, view()).id, getSession(profile, view()).raw.length],
      ['', 0],
      'and is none where there are none',
    )
  })
  it('is none if it is zero, unless zero is a number', () => {
    const seen = view({ body: { service_type: '000' } })
    const from = [{ field: 'service_type' }] as DialectPlace[]
    assert.equal(getSession(withSession({ decode: 'ascii', from }), seen).id, '')
    assert.equal(getSession(withSession({ decode: 'ascii', from, zero: 'number' }), seen).id, '000')
    const ten = view({ body: { service_type: '0100' } })
    assert.equal(getSession(withSession({ decode: 'ascii', from }), ten).id, '0100')
  })
  it('has the destination in its name where numbers repeat between service numbers', () => {
    const profile = withSession({ decode: 'octet1', withDest: true })
    const tlvs = [{ tag: 0x1383, value: octets('0700') }]
    assert.equal(getSession(profile, view({ tlvs, body: { destination_addr: '123' } })).id, '7@123')
    assert.equal(getSession(profile, view({ tlvs })).id, '7@')
    assert.equal(getSession(profile, view({ body: { destination_addr: '123' } })).id, '', 'no number, no name')
  })
})

describe('the turn counter', () => {
  const standard = loadProfile('standard', DIALECTS)
  it('is the upper seven bits of octet 2, where the dialect has it', () => {
    assert.equal(stepOf(standard, octets('07ff')), 127)
    assert.equal(stepOf(standard, octets('0702')), 1)
    assert.equal(stepOf(standard, octets('070255')), 1)
    assert.equal(stepOf(standard, octets('07')), undefined)
    assert.equal(stepOf(withSession({ step: 'none' }), octets('0702')), undefined)
  })
  it('is written beside the end bit, and wraps', () => {
    const withStep = (raw: Buffer, step: number) => (setStep(raw, step), raw)
    assert.equal(hex(withStep(octets('0703'), 5)), '070b')
    assert.equal(hex(withStep(octets('0702'), 128)), '0700')
    assert.equal(hex(withStep(octets('0702'), 127)), '07fe')
    assert.equal(hex(withStep(octets('07'), 5)), '07')
    assert.equal(hex(withStep(octets('0702aa'), 1)), '0702aa')
  })
})

describe('the end bit', () => {
  const at = (endBit: Partial<DialectProfile['inbound']['endBit']>) =>
    withSession({}, (profile) => void Object.assign(profile.inbound.endBit, endBit))
  const carrier = (digits: string) => [{ tag: 0x1383, value: octets(digits) }]

  it('is read where the profile has it, and as the network means it', () => {
    assert.equal(endBitOf(at({}), carrier('0701')), true)
    assert.equal(endBitOf(at({}), carrier('07fe')), false)
    assert.equal(endBitOf(at({ bit: 7 }), carrier('0780')), true)
    assert.equal(endBitOf(at({ octet: 0 }), carrier('0700')), true)
    assert.equal(endBitOf(at({ use: 'inverted' }), carrier('0701')), false)
    assert.equal(endBitOf(at({ use: 'inverted' }), carrier('0700')), true)
    assert.equal(endBitOf(at({ use: 'ignore' }), carrier('0701')), false)
    assert.equal(endBitOf(at({ use: 'inverted' }), carrier('07')), false, 'none in a shorter carrier')
    assert.equal(endBitOf(at({ tlv: 0x1400 }), carrier('0701')), false)
  })
  it('is written without a change of its neighbours', () => {
    assert.equal(hex(withEndBit(at({}), octets('0702'), true)), '0703')
    assert.equal(hex(withEndBit(at({}), octets('0703'), false)), '0702')
    assert.equal(hex(withEndBit(at({ bit: 7 }), octets('0702'), true)), '0782')
    assert.equal(hex(withEndBit(at({ use: 'inverted' }), octets('0702'), false)), '0703')
    assert.equal(hex(withEndBit(at({ use: 'inverted' }), octets('0703'), true)), '0702')
    assert.equal(hex(withEndBit(at({ use: 'ignore' }), octets('0702'), true)), '0702')
    assert.equal(hex(withEndBit(at({}), octets('07'), true)), '07')
  })
  it('is in the number of the dialogue only if both have one parameter', () => {
    assert.equal(endBitInSession(at({})), true)
    assert.equal(endBitInSession(at({ tlv: 0x1400 })), false)
    assert.equal(endBitInSession(withSession({ from: [{ field: 'service_type' }, { tlv: 0x1383 }] })), true)
  })
})

describe('a number that is written back', () => {
  function written(place: DialectPlace | undefined, raw: Buffer): PduTarget {
    const target: PduTarget = { body: {}, tlvs: [], envelope: new Map() }
    putSession(withSession({ from: place ? [place, { field: 'validity_period' }] : [] }), target, raw)
    return target
  }
  const tlvsOf = ({ tlvs }: PduTarget) => tlvs.map(({ tag, value }) => [tag, hex(value)])

  it('goes to the first place, with zeros for what was skipped', () => {
    assert.deepEqual(tlvsOf(written({ tlv: 0x0203 }, octets('0702'))), [[0x0203, '0702']])
    assert.deepEqual(tlvsOf(written({ tlv: 0x0203, skip: 2 }, octets('0702'))), [[0x0203, '00000702']])
    assert.deepEqual(written({ envelope: 6 }, Buffer.from('ç1')).envelope, new Map([['6', 'ç1']]))
    assert.deepEqual(written({ field: 'service_type' }, octets('e937')).body, { service_type: 'é7' })
  })
  it('is a number in protocol_id: its digits, else its last octet', () => {
    const at = (raw: string | Buffer) => written({ field: 'protocol_id' }, Buffer.from(raw)).body['protocol_id']
    assert.deepEqual([at('48'), at('255'), at('256'), at('1000')], [48, 255, 0, 0x30])
    assert.equal(at(octets('0709')), 9)
    assert.equal(at('7a'), 0x61)
  })
  it('goes nowhere without a place or octets, nor into the text or the sequence number', () => {
    const none = { body: {}, tlvs: [], envelope: new Map() }
    for (const place of [undefined, { field: 'short_message' }, { field: 'sequence_number' }, { const: '7' }] as const)
      assert.deepEqual(written(place, octets('0702')), none, JSON.stringify(place))
    assert.deepEqual(written({ tlv: 0x0203 }, Buffer.alloc(0)), none)
  })
})

describe('a number that we make', () => {
  const made: [decode: Session['decode'], n: number, raw: string, more?: Partial<Session>][] = [
    ['octet1', 300, '2c00'],
    ['opaque16', 3, '0006'],
    ['opaque16', 0x8001, '0002'],
    ['opaque16', 0x7fff, 'ff00', { mask: 0xff00 }],
    ['opaque16', 3, '0600', { swap16: true }],
    ['id15be', 0x8001, '0002'],
    ['id15be', 1, '0200', { swap16: true }],
    ['id15le', 300, '2c02'],
    ['id15le', 0xffff, 'fffe'],
    ['dec', -12.7, '3132'],
    ['uint', 300, '012c', { octets: 2 }],
    ['uint', 300, '2c01', { octets: 2, swap16: true }],
    ['uint', 300, '0000012c', { octets: 4, swap16: true }],
    ['uint', 0x1ff, 'ff', { octets: 1 }],
    ['hex', 300, '00012c', { octets: 3 }],
    ['ascii', 171, '30303030414200'],
    ['ascii', 171, '303030304142', { from: [{ field: 'service_type' }] }],
    ['ascii', 171, '303030304142', { from: [] }],
  ]
  for (const [decode, n, raw, more = {}] of made) {
    it(`is ${raw} for ${n} as ${decode}${JSON.stringify(more)}`, () =>
      assert.equal(hex(mintSession(withSession({ decode, ...more }), n)), raw))
  }
  it('has no end bit, also where the network means the opposite', () => {
    const inverted = withSession({ decode: 'octet1' }, (profile) => {
      profile.inbound.endBit.use = 'inverted'
    })
    assert.equal(hex(mintSession(inverted, 7)), '0701')
  })
})

describe('a big-endian number', () => {
  it('has any width, of which the first sixteen octets count', () => {
    assert.equal(uint(octets('0102')), 258n)
    assert.equal(uint(Buffer.concat([Buffer.alloc(15), octets('07ff')])), 7n)
  })
})
