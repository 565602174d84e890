/** Each choice of a profile about our replies, and what is on the wire for it. */
import assert from 'node:assert/strict'
import { compileDialect } from '../../../src/smpp/dialect/dialect.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import type { OutgoingPdu } from '../../../src/smpp/types.ts'
import type { ReturnPath, UssdAction } from '../../../src/ussd/vocabulary.ts'
import { DIALECTS } from './support.ts'

const PATH: ReturnPath = {
  from: [1, 2, '67570000001'],
  to: [3, 4, '123'],
  serviceType: 'USSD',
  carrier: '0702',
  more: { dcs: '15', validity: '000001000000000R' },
}

type Change = (profile: DialectProfile) => void

function written(
  change: Change,
  {
    action = 'continue',
    text = 'x',
    path = {},
  }: { action?: UssdAction; text?: string; path?: Partial<ReturnPath> } = {},
  chance?: () => number,
): OutgoingPdu {
  const profile = loadProfile('standard', DIALECTS)
  change(profile)
  return compileDialect(profile, chance ? { chance } : {}).write({ action, text }, { ...PATH, ...path }).pdu
}

const same: Change = () => undefined
const parameters = ({ tlvs }: OutgoingPdu) => tlvs.map(({ tag, value }) => [tag, value.toString('hex')])
const text = ({ body }: OutgoingPdu) => (body.short_message as Buffer).toString('latin1')
const carrier = (pdu: OutgoingPdu) => pdu.tlvs.find(({ tag }) => tag === 0x1383)?.value.toString('hex')

describe('a reply on the wire', () => {
  it('has every field of submit_sm, the addresses of the message swapped', () => {
    assert.deepEqual(written(same), {
      command: 'submit_sm',
      body: {
        service_type: 'USSD',
        source_addr_ton: 3,
        source_addr_npi: 4,
        source_addr: '123',
        dest_addr_ton: 1,
        dest_addr_npi: 2,
        destination_addr: '67570000001',
        esm_class: 0,
        protocol_id: 0,
        priority_flag: 0,
        schedule_delivery_time: '',
        validity_period: '',
        registered_delivery: 0,
        replace_if_present_flag: 0,
        data_coding: 15,
        sm_default_msg_id: 0,
        short_message: Buffer.from('x'),
      },
      tlvs: [
        { tag: 0x0501, value: Buffer.from([2]) },
        { tag: 0x1383, value: Buffer.from('0704', 'hex') },
      ],
    })
  })
  it('has in data_sm what data_sm has, and its text in message_payload', () => {
    const { command, body, tlvs } = written(({ outbound }) => void (outbound.pdu = 'data_sm'))
    assert.equal(command, 'data_sm')
    assert.deepEqual(Object.keys(body), [
      'service_type',
      'source_addr_ton',
      'source_addr_npi',
      'source_addr',
      'dest_addr_ton',
      'dest_addr_npi',
      'destination_addr',
      'esm_class',
      'registered_delivery',
      'data_coding',
    ])
    assert.deepEqual(
      tlvs.map(({ tag }) => tag),
      [0x0501, 0x1383, 0x0424],
    )
  })

  const addresses: [what: string, addr: Partial<DialectProfile['outbound']['addr']>, wire: (string | number)[]][] = [
    ['as they came', { swap: false }, [1, 2, '67570000001', 3, 4, '123']],
    ['with a source of its own', { source: '99', sourceTon: 5, sourceNpi: 0 }, [5, 0, '99', 1, 2, '67570000001']],
    ['with another form of the destination', { destTon: 0, destNpi: 9 }, [3, 4, '123', 0, 9, '67570000001']],
  ]
  for (const [what, addr, wire] of addresses) {
    it(`has its addresses ${what}`, () => {
      const { body } = written(({ outbound }) => void Object.assign(outbound.addr, addr))
      const { source_addr_ton, source_addr_npi, source_addr, dest_addr_ton, dest_addr_npi, destination_addr } = body
      assert.deepEqual(
        [source_addr_ton, source_addr_npi, source_addr, dest_addr_ton, dest_addr_npi, destination_addr],
        wire,
      )
    })
  }

  it('has the service type of its action, of the profile, or of the message', () => {
    assert.equal(written(({ outbound }) => void (outbound.serviceType = 'USSN')).body.service_type, 'USSN')
    const both: Change = ({ outbound }) => {
      outbound.serviceType = 'USSN'
      outbound.actions.end.serviceType = 'PSSRR'
    }
    assert.equal(written(both, { action: 'end' }).body.service_type, 'PSSRR')
    assert.equal(written(both).body.service_type, 'USSN')
    assert.equal(written(same, { path: { serviceType: 'X' } }).body.service_type, 'X')
  })
  it('has the esm_class, the registered_delivery and the validity of the profile', () => {
    const change: Change = ({ outbound }) => {
      outbound.esmClass = 2
      outbound.registeredDelivery = 1
      outbound.validity = '000000000030000R'
    }
    const { esm_class, registered_delivery, validity_period } = written(change).body
    assert.deepEqual([esm_class, registered_delivery, validity_period], [2, 1, '000000000030000R'])
    const echo: Change = ({ outbound }) => void (outbound.validity = 'echo')
    assert.equal(written(echo).body.validity_period, '000001000000000R')
    assert.equal(written(echo, { path: { more: {} } }).body.validity_period, '')
  })
  it('has its parameters in the order of the profile, the others behind as they are', () => {
    const change: Change = ({ outbound }) => {
      outbound.tlvOrder = [0x1383, 0x1500]
      outbound.actions.continue.tlvs = [
        { tag: 0x1600, hex: '01' },
        { tag: 0x1500, hex: '0203' },
      ]
    }
    assert.deepEqual(parameters(written(change)), [
      [0x1383, '0704'],
      [0x1500, '0203'],
      [0x0501, '02'],
      [0x1600, '01'],
    ])
  })
})

describe('the operation of a reply', () => {
  it('is that of its action, in the parameter where the profile reads it, or none', () => {
    assert.deepEqual(parameters(written(same, { action: 'notify' }))[0], [0x0501, '03'])
    const elsewhere: Change = ({ inbound, outbound }) => {
      inbound.op.from = { tlv: 0x1401 }
      outbound.tlvOrder = []
    }
    assert.deepEqual(parameters(written(elsewhere))[0], [0x1401, '02'])
    const nowhere: Change = ({ inbound }) => void (inbound.op.from = { field: 'service_type' })
    assert.deepEqual(parameters(written(nowhere))[0], [0x0501, '02'])
    const omitted: Change = ({ outbound }) => void (outbound.actions.continue.op = 'omit')
    assert.deepEqual(
      parameters(written(omitted)).map(([tag]) => tag),
      [0x1383],
    )
  })
  it('is one answer where the dialogue began with an operation that allows no question; a push is no answer', () => {
    const op = (action: UssdAction, beginOp: number) => parameters(written(same, { action, path: { beginOp } }))[0]![1]
    assert.deepEqual([op('continue', 0), op('end', 0), op('continue', 1)], ['10', '10', '02'])
    assert.deepEqual([op('notify', 0), op('push-begin', 0), op('abort', 0)], ['03', '02', '11'])
  })
  it('is that of another action which stands in for it, and its text may stay away', () => {
    const change: Change = ({ outbound }) => {
      outbound.actions.abort = { ...outbound.actions.abort, as: 'notify' }
      outbound.actions.notify = { ...outbound.actions.notify, text: 'empty' }
    }
    const pdu = written(change, { action: 'abort', text: 'never shown' })
    assert.deepEqual([parameters(pdu)[0]![1], text(pdu)], ['03', ''])
  })
})

describe('the number of the dialogue in a reply', () => {
  const mode =
    (session: Partial<DialectProfile['outbound']['session']>, more: Change = () => undefined): Change =>
    (profile) => {
      Object.assign(profile.outbound.session, session)
      more(profile)
    }

  it('counts on with the lowest bit as the end, echoes, is masked, or is left out', () => {
    assert.equal(carrier(written(same)), '0704')
    assert.equal(carrier(written(same, { action: 'end' })), '0705')
    assert.equal(carrier(written(same, { action: 'push-begin' })), '0702', 'a new one goes out as it was made')
    assert.equal(carrier(written(same, { path: { carrier: '07fe' } })), '0700')
    assert.equal(carrier(written(mode({ mode: 'echo' }))), '0702')
    assert.equal(carrier(written(mode({ mode: 'omit' }))), undefined)
    const masked = mode({ mode: 'echo-masked' }, ({ inbound }) => void (inbound.session.mask = 0xf0ff))
    assert.equal(carrier(written(masked, { path: { carrier: '3702' } })), '3002')
    assert.equal(carrier(written(masked, { path: { carrier: '37' } })), '37', 'a mask is for two octets')
    assert.equal(carrier(written(mode({ mode: 'echo-masked' }), { path: { carrier: '3702' } })), '3702')
  })
  it('has a random step, always odd, where the gateway wants another octet each time', () => {
    const random = mode({ randomSeq: true })
    assert.equal(carrier(written(random, {}, () => 0.5)), '0780', 'but for the end bit of the action')
    const noEnd = mode({ randomSeq: true }, ({ outbound }) => void delete outbound.actions.continue.endBit)
    assert.equal(carrier(written(noEnd, {}, () => 0.5)), '0781')
    assert.equal(carrier(written(noEnd, {}, () => 127.9 / 128)), '07ff')
    assert.equal(carrier(written(noEnd, { path: { carrier: '07' } }, () => 0.5)), '07')
    assert.equal(carrier(written(noEnd)), '0705', 'without chance it counts on')
  })
  it('keeps the end bit of the message where the action has none, and has none where it is elsewhere', () => {
    const none = mode({ mode: 'echo' }, ({ outbound }) => void delete outbound.actions.end.endBit)
    assert.equal(carrier(written(none, { action: 'end', path: { carrier: '0703' } })), '0703')
    const elsewhere = mode({ mode: 'echo' }, ({ inbound }) => void (inbound.endBit.tlv = 0x1400))
    assert.deepEqual(parameters(written(elsewhere, { action: 'end' })), [
      [0x0501, '11'],
      [0x1383, '0702'],
    ])
  })
  it('is beside a bare parameter with the end bit alone, where the gateway wants that', () => {
    const bare: Change = ({ inbound, outbound }) => {
      outbound.session = { mode: 'echo', randomSeq: false, bare: true }
      inbound.session.from = [{ field: 'validity_period' }]
    }
    assert.deepEqual(parameters(written(bare, { action: 'end' }))[1], [0x1383, '0001'])
    assert.deepEqual(parameters(written(bare))[1], [0x1383, '0000'])
    const wide: Change = (profile) => (bare(profile), void (profile.inbound.endBit.octet = 2))
    assert.deepEqual(parameters(written(wide, { action: 'end' }))[1], [0x1383, '000001'])
    const without: Change = (profile) => (bare(profile), void delete profile.outbound.actions.end.endBit)
    assert.deepEqual(parameters(written(without, { action: 'end' })).length, 1)
    const within: Change = ({ outbound }) => void (outbound.session.bare = true)
    assert.deepEqual(parameters(written(within, { action: 'end' })).length, 2, 'once, where it is in the number')
  })
  it('tells its step only where the dialect counts', () => {
    const step = (change: Change) => {
      const profile = loadProfile('standard', DIALECTS)
      change(profile)
      return compileDialect(profile).write({ action: 'continue', text: 'x' }, PATH)
    }
    assert.equal(step(same).step, 2)
    assert.equal('step' in step(({ inbound }) => void (inbound.session.step = 'none')), false)
  })
})

describe('the text of a reply', () => {
  it('is in short_message up to 254 octets, then in message_payload; an empty one is nowhere else', () => {
    const long: Change = ({ limits }) => void Object.assign(limits, { septets: 254, octets: 254, ucs2: 127 })
    const fits = written(long, { text: 'x'.repeat(254) })
    assert.deepEqual([text(fits).length, parameters(fits).length], [254, 2])
    const payload: Change = ({ outbound }) => void (outbound.payload = 'message_payload')
    assert.deepEqual(parameters(written(payload))[2], [0x0424, '78'])
    assert.equal(text(written(payload)), '')
    assert.equal(parameters(written(payload, { text: '' })).length, 2)
  })
  it('is remembered coded, short or long, and the same the second time', () => {
    const dialect = compileDialect(loadProfile('standard', DIALECTS))
    for (const shown of ['Grüße', 'y'.repeat(600)]) {
      const twice = [1, 2].map(() => dialect.write({ action: 'end', text: shown }, PATH))
      assert.deepEqual(twice[0], twice[1])
      assert.equal(twice[0]!.cut, shown.length > 182)
    }
  })
  it('is written as hexadecimal digits where the gateway wants them, without accents that ASCII lacks', () => {
    const digits: Change = ({ outbound }) => void (outbound.text.wrap = 'asciiHex')
    assert.equal(text(written(digits, { text: 'Né' })), '4e65')
    const wide = written(digits, { text: 'Я' })
    assert.deepEqual([text(wide), wide.body.data_coding], ['042f', 8])
  })
  it('is in an envelope with the parameters of the action and of the profile', () => {
    const envelope: Change = ({ outbound, inbound }) => {
      outbound.text.wrap = 'comviva'
      outbound.text.envelope = { type: '8', text: 3, params: { '9': 'on' } }
      outbound.actions.continue.envelope = { '7': 'ask' }
      inbound.session.from = [{ envelope: 5 }]
      outbound.session.mode = 'echo'
    }
    const base64 = (value: string) => Buffer.from(value).toString('base64')
    assert.equal(
      text(written(envelope, { text: 'hi', path: { carrier: Buffer.from('S7').toString('hex') } })),
      `8|3:${base64('hi')}|7:${base64('ask')}|5:${base64('S7')}|9:${base64('on')}`,
    )
    const formless: Change = (profile) => (envelope(profile), void delete profile.outbound.text.envelope)
    assert.equal(text(written(formless, { text: 'hi' })), 'hi')
  })
  it('ends its lines as the profile says, whichever way they came', () => {
    const cr: Change = ({ outbound }) => void (outbound.text.newline = '\r')
    assert.equal(text(written(cr, { text: 'a\r\nb\rc\nd' })), 'a\rb\rc\rd')
  })
  it('keeps its accents where giving them up would not avoid UCS-2, or the profile says no', () => {
    const ucs2 = (pdu: OutgoingPdu) =>
      Buffer.from(pdu.body.short_message as Buffer)
        .swap16()
        .toString('utf16le')
    assert.equal(text(written(same, { text: '“ę”' })), '"e"')
    assert.equal(ucs2(written(same, { text: '“Я”' })), '“Я”')
    const literal: Change = ({ outbound }) => void (outbound.text.translit = false)
    assert.equal(ucs2(written(literal, { text: '“ę”' })), '“ę”')
  })
  it('echoes the data_coding of the message only where its alphabet is the one', () => {
    const dcs = (shown: string, seen: string, change: Change = same) =>
      written(change, { text: shown, path: { more: { dcs: seen } } }).body.data_coding
    assert.deepEqual([dcs('x', '0'), dcs('x', '72'), dcs('Я', '72'), dcs('Я', '0')], [0, 15, 72, 8])
    const plain: Change = ({ outbound }) => void (outbound.text.ucs2 = false)
    assert.equal(dcs('Я', '72', plain), 15)
  })
})
