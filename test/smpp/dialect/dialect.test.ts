import assert from 'node:assert/strict'
import { encode } from '../../../src/smpp/pdu/codec.ts'
import { compileDialect, pushPath } from '../../../src/smpp/dialect/dialect.ts'
import { mintSession, uint } from '../../../src/smpp/dialect/carrier.ts'
import { loadDialect, loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { decodeText, encodeText } from '../../../src/smpp/dialect/text.ts'
import type { Incoming, Pdu } from '../../../src/smpp/types.ts'
import { statusPolicy } from '../../../src/ussd/status-policy.ts'
import type { ReturnPath, UssdMessage } from '../../../src/ussd/vocabulary.ts'
import { deliver, DIALECTS } from './support.ts'

const standard = loadDialect('standard', DIALECTS)
const path: ReturnPath = {
  from: [1, 1, '67570000001'],
  to: [0, 1, '123'],
  serviceType: 'USSD',
  carrier: '0702',
  more: { dcs: '15' },
}

function ussd(read: Incoming): UssdMessage {
  assert.ok(read.is === 'ussd', `is ${read.is}`)
  return read.message
}

/** A profile of the repository, changed for one test. */
function variant(name: string, change: (profile: DialectProfile) => void): DialectProfile {
  const profile = loadProfile(name, DIALECTS)
  change(profile)
  return profile
}

describe('the standard dialect, reading', () => {
  const codes: [string, string, string, string][] = [
    ['in the destination only', '*123#', '', '*123#'],
    ['in the destination as digits', '123', '', '*123#'],
    ['in both', '123', '*123#', '*123#'],
    ['deeper in the text', '123', '*123*2*2#', '*123*2*2#'],
    ['deeper in the destination', '*123*2*2#', '*123#', '*123*2*2#'],
    ['in the text without its end', '123', '*123*2', '*123*2#'],
    ['in the text, to no address at all', '', '*123#', '*123#'],
    ['in the text, to an MSISDN', '67571112222', '*123*1#', '*123*1#'],
    ['in the text, to a name', 'AWEH', '*123#', '*123#'],
    ['in the text, to the number of a gateway', '7777', '*123#', '*123#'],
    ['in a starred destination, with another in the text', '*123#', '*999#', '*123#'],
    ['in the destination, with something else in the text', '123', '999', '*123#'],
    ['nowhere', '67571112222', 'hello', ''],
  ]
  for (const [where, destination_addr, text, code] of codes) {
    it(`finds a code that is ${where}`, () => {
      const message = ussd(standard.read(deliver({ body: { destination_addr, short_message: Buffer.from(text) } })))
      assert.deepEqual([message.kind, message.code, message.text], ['begin', code, ''])
    })
  }

  it('takes the text of message_payload when short_message is empty, and of short_message when both are there', () => {
    const tlvs = { 0x0501: '12', 0x0424: Buffer.from('12').toString('hex') }
    assert.equal(ussd(standard.read(deliver({ tlvs, body: { short_message: Buffer.alloc(0) } }))).text, '12')
    assert.equal(ussd(standard.read(deliver({ tlvs, body: { short_message: Buffer.from('1') } }))).text, '1')
  })

  it('reads data_sm like deliver_sm, and nothing else', () => {
    assert.equal(ussd(standard.read(deliver({ command: 'data_sm' }))).kind, 'begin')
    assert.deepEqual(standard.read(deliver({ command: 'alert_notification' })), { is: 'ignore', why: 'no-message' })
  })

  it('leaves a user data header out of the text', () => {
    const body = { esm_class: 0x40, short_message: Buffer.from('0500032b010131', 'hex') }
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '12' }, body }))).text, '1')
  })

  const operations: [string, string][] = [
    ['01', 'begin'],
    ['0001', 'begin'],
    ['00000001', 'begin'],
    ['0000000000000012', 'input'],
  ]
  for (const [hex, kind] of operations) {
    it(`reads an operation of ${hex.length / 2} octets`, () =>
      assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: hex } }))).kind, kind))
  }

  it('takes an operation without octets for absent, and an unknown one for nothing to do', () => {
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '' } }))).kind, 'begin')
    assert.deepEqual(standard.read(deliver({ tlvs: { 0x0501: '' }, body: { service_type: '' } })), { is: 'sms' })
    assert.deepEqual(standard.read(deliver({ tlvs: { 0x0501: '63' } })), { is: 'ignore', why: 'unknown-op' })
  })

  it('knows an intermediate notification by its bit, also where that of the receipt is set with it', () => {
    for (const esm_class of [0x20, 0x24]) {
      assert.equal(standard.read(deliver({ tlvs: {}, body: { service_type: 'CMT', esm_class } })).is, 'receipt')
    }
  })

  it('knows an abort by the end bit without a text, by vendor operations and by esm_class', () => {
    const empty = { short_message: Buffer.alloc(0) }
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '12', 0x1383: '0703' }, body: empty }))).kind, 'abort')
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '12', 0x1383: '0703' } }))).kind, 'input')
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '21', 0x1383: '0703' } }))).kind, 'abort')
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '81' } }))).kind, 'abort')
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x1383: '0702' }, body: { esm_class: 0x18 } }))).kind, 'abort')
    assert.equal(standard.read(deliver({ tlvs: {}, body: { esm_class: 0x18 } })).is, 'ignore')
  })

  it('tells USSD from SMS and receipts', () => {
    assert.equal(
      standard.read(deliver({ tlvs: {}, body: { service_type: '', short_message: Buffer.from('hi') } })).is,
      'sms',
    )
    assert.equal(standard.read(deliver({ tlvs: {}, body: { service_type: 'CMT', esm_class: 4 } })).is, 'receipt')
    assert.equal(standard.read(deliver({ body: { esm_class: 8 } })).is, 'ussd')
  })

  it('gives no turn counter where the carrier is one octet, and the whole path as JSON', () => {
    const message = ussd(standard.read(deliver({ tlvs: { 0x0501: '01', 0x1383: '07' } })))
    assert.equal(message.step, undefined)
    assert.equal(message.network, '7')
    assert.deepEqual(message.returnPath, {
      from: [1, 1, '67570000001'],
      to: [0, 1, '123'],
      serviceType: 'USSD',
      carrier: '07',
      beginOp: 1,
      more: { dcs: '15' },
    })
  })

  it('takes number 0 for none, so that a gateway that always sends zeros has redials; the carrier is still echoed', () => {
    const pdu = deliver({ tlvs: { 0x0501: '01', 0x1383: '0000' } })
    const { network, step, returnPath } = ussd(standard.read(pdu))
    assert.deepEqual([network, step, returnPath.carrier], ['', 0, '0000'])
    const counting = compileDialect(
      variant('standard', (it) => {
        it.inbound.session.zero = 'number'
      }),
    )
    assert.equal(ussd(counting.read(pdu)).network, '0')
  })

  it('remembers the operation of a begin only', () => {
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '12' } }))).returnPath.beginOp, undefined)
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '00' } }))).returnPath.beginOp, 0)
  })

  const sources: [string, string][] = [
    ['', 'empty'],
    ['AWEH', 'alphanumeric'],
    ['1234567890123456', 'too-long'],
    ['070000001', 'no-country-code'],
  ]
  for (const [source_addr, fault] of sources) {
    it(`refuses a source that is ${fault}, without naming it`, () => {
      const read = standard.read(deliver({ body: { source_addr, source_addr_ton: 0 } }))
      assert.deepEqual(read, { is: 'reject', status: 0x0a, why: `source-${fault}` })
    })
  }

  it('makes one subscriber of all forms with the numbering of the line', () => {
    const dialect = loadDialect('standard', DIALECTS, { numbering: { countryCode: '675', nationalDigits: [8] } })
    for (const source_addr of ['+67570000001', '0067570000001', '070000001', '70000001', '67570000001']) {
      assert.equal(ussd(dialect.read(deliver({ body: { source_addr, source_addr_ton: 0 } }))).msisdn, '67570000001')
    }
  })

  const inputs: [string, number, string, string][] = [
    ['with the CR that gateways add', 15, '310d', '1'],
    ['with an @ that somebody typed, which is octet 0', 15, '6100', 'a@'],
    ['in UCS-2 by the CBS scheme', 0x48, '00310032', '12'],
    ['said to be UCS-2 with an odd number of octets', 8, '313233', '123'],
    ['in German by the CBS scheme', 0, '31', '1'],
    ['with a language before it', 0x10, '656e0d31', '1'],
    ['in an unknown coding', 0x77, '31', '1'],
  ]
  for (const [what, data_coding, hex, text] of inputs) {
    it(`reads an answer ${what}`, () => {
      const pdu = deliver({ tlvs: { 0x0501: '12' }, body: { data_coding, short_message: Buffer.from(hex, 'hex') } })
      assert.equal(ussd(standard.read(pdu)).text, text)
    })
  }

  it('cleans what is broken out of an answer', () => {
    const body = { data_coding: 8, short_message: Buffer.from('d80000000031202e0007', 'hex') }
    assert.equal(ussd(standard.read(deliver({ tlvs: { 0x0501: '12' }, body }))).text, '1')
  })
})

describe('the standard dialect, writing', () => {
  it('counts the turns on and wraps after 127', () => {
    const carrier = (from: string) => {
      const { pdu, step } = standard.write({ action: 'continue', text: 'x' }, { ...path, carrier: from })
      return [pdu.tlvs.find((tlv) => tlv.tag === 0x1383)?.value.toString('hex'), step]
    }
    assert.deepEqual(carrier('0700'), ['0702', 1])
    assert.deepEqual(carrier('0702'), ['0704', 2])
    assert.deepEqual(carrier('07fe'), ['0700', 0])
    assert.deepEqual(carrier('07'), ['07', undefined])
    assert.deepEqual(carrier(''), [undefined, undefined])
  })

  it('gives the same octets for the same reply: a repeat is a repeat', () => {
    const write = () => JSON.stringify(standard.write({ action: 'continue', text: 'x' }, path))
    assert.equal(write(), write())
  })

  it('cuts a text over the page at a character, and says so', () => {
    const over = standard.write({ action: 'end', text: 'x'.repeat(300) }, path)
    assert.equal(over.cut, true)
    assert.equal((over.pdu.body.short_message as Buffer).length, 182)
    const cyrillic = standard.write({ action: 'end', text: `${'Я'.repeat(79)}😀` }, path)
    assert.equal(cyrillic.cut, true)
    assert.equal((cyrillic.pdu.body.short_message as Buffer).length, 158)
    assert.equal(standard.write({ action: 'end', text: 'x'.repeat(182) }, path).cut, false)
  })

  it('gives typographic characters up rather than halve the page', () => {
    const { pdu } = standard.write({ action: 'end', text: '“It’s” – ok' }, path)
    assert.equal((pdu.body.short_message as Buffer).toString('latin1'), '"It\'s" - ok')
    assert.equal(pdu.body.data_coding, 15)
  })

  it('answers in the coding that the network used where it is one of those it may use', () => {
    const coding = (dcs: string | undefined, text: string) =>
      standard.write({ action: 'end', text }, { ...path, ...(dcs === undefined ? {} : { more: { dcs } }) }).pdu.body
        .data_coding
    assert.equal(coding('0', 'x'), 0)
    assert.equal(coding('1', 'x'), 15)
    assert.equal(coding('8', 'x'), 15)
    assert.equal(coding('72', 'Я'), 0x48)
    assert.equal(coding('0', 'Я'), 8)
  })

  it('answers a phase-1 handset once, with PSSD response', () => {
    const op = (action: 'continue' | 'end') =>
      standard.write({ action, text: 'x' }, { ...path, beginOp: 0 }).pdu.tlvs.find((tlv) => tlv.tag === 0x0501)
        ?.value[0]
    assert.deepEqual([op('continue'), op('end')], [16, 16])
  })

  it('opens a dialogue of its own with a fresh number, and closes it with USSN', () => {
    const profile = loadProfile('standard', DIALECTS)
    const opened = pushPath(profile, { msisdn: '67570000001', source: '123', n: 300 })
    const begin = standard.write({ action: 'push-begin', text: 'Pay now?' }, opened).pdu
    assert.deepEqual(
      begin.tlvs.map((tlv) => tlv.value.toString('hex')),
      ['02', '2c00'],
    )
    assert.deepEqual([begin.body.destination_addr, begin.body.source_addr], ['67570000001', '123'])
    const end = standard.write({ action: 'push-end', text: 'Paid' }, opened).pdu
    assert.deepEqual(
      end.tlvs.map((tlv) => tlv.value.toString('hex')),
      ['03', '2c03'],
    )
  })

  it('takes a status for what the table of all statuses says', () => {
    for (const status of [0x04, 0x0b, 0x14, 0x15, 0x45, 0x58, 0x64, 0xfe, 0x405, 0x9999])
      assert.deepEqual(standard.policy(status), statusPolicy(status))
  })
})

describe('what a profile may ask for', () => {
  it('other meanings of a status, one by one or for all', () => {
    const eyeline = loadDialect('eyeline', DIALECTS)
    assert.deepEqual([eyeline.policy(0x58).screen, eyeline.policy(0x58).sms], ['never', 'next-second'])
    assert.equal(loadDialect('c-gateway', DIALECTS).policy(0x50).screen, 'never')
    assert.deepEqual(loadDialect('c-gateway', DIALECTS).habits, {
      deliverResp: 'immediate',
      submitResp: 'withheld',
      unknownInput: 'expired',
      overload: 'text',
      messageIdUseless: true,
      messageIdBases: { response: 'as-is', receipt: 'as-is' },
      sameKeyMs: 1_000,
    })
  })

  it('an operation written as digits or as two decimal digits in an octet', () => {
    for (const [decode, hex] of [
      ['hexString', '3132'],
      ['bcd', '18'],
    ] as const) {
      const profile = variant('standard', (it) => {
        it.inbound.op.decode = decode
      })
      assert.equal(ussd(compileDialect(profile).read(deliver({ tlvs: { 0x0501: hex } }))).kind, 'input', decode)
    }
  })

  it('a number with its octets swapped, and one with the destination in its name', () => {
    const swapped = variant('mica', (it) => {
      it.inbound.session.swap16 = true
      it.inbound.session.withDest = true
    })
    const message = ussd(compileDialect(swapped).read(deliver({ tlvs: { 0x0501: '12', 0x0204: '0100' } })))
    assert.equal(message.network, '1@123')
    assert.equal(message.returnPath.carrier, '0100')
  })

  it('a number of any width', () => {
    const mica = loadDialect('mica', DIALECTS)
    for (const hex of ['07', '0007', '00000007', '0000000000000007']) {
      assert.equal(ussd(mica.read(deliver({ tlvs: { 0x0501: '12', 0x0204: hex } }))).network, '7')
    }
    assert.equal(uint(Buffer.alloc(0)), 0n)
  })

  it('no PDU without a number', () => {
    const strict = compileDialect(
      variant('mica', (it) => {
        it.inbound.session.fallback = 'none'
      }),
    )
    const read = strict.read(deliver({ tlvs: { 0x0501: '12' } }))
    assert.deepEqual(read, { is: 'reject', status: 0xc3, why: 'no-session' })
  })

  it('packed octets, with CR where seven bits are left', () => {
    const packed = compileDialect(
      variant('standard', (it) => {
        it.outbound.text.gsm7.packed = true
        it.inbound.text.byDcs['15'] = 'gsm7packed'
      }),
    )
    const { pdu } = packed.write({ action: 'continue', text: '1 Yes\n2 No\n0 Ex' }, path)
    assert.equal((pdu.body.short_message as Buffer).toString('hex'), '3150b63c57c840ceb702062ae21b')
    const body = { short_message: Buffer.from('31d98c56b3dd1a', 'hex') }
    assert.equal(ussd(packed.read(deliver({ tlvs: { 0x0501: '12' }, body }))).text, '1234567')
  })

  it('lines ended by CR, or by CR and LF, counted as they are sent', () => {
    const crlf = compileDialect(
      variant('standard', (it) => {
        it.outbound.text.newline = '\r\n'
      }),
    )
    assert.equal(
      (crlf.write({ action: 'end', text: 'a\nb' }, path).pdu.body.short_message as Buffer).toString('hex'),
      '610d0a62',
    )
    assert.equal(crlf.write({ action: 'end', text: `${'x'.repeat(180)}\ny` }, path).cut, true)
  })

  it('UCS-2 with a language before it, which makes the page one character shorter', () => {
    const lang = compileDialect(
      variant('standard', (it) => {
        it.outbound.text.ucs2 = { dcs: 0x11, echo: [], langPrefix: 'en' }
      }),
    )
    assert.deepEqual(lang.page, { septets: 182, ucs2: 79 })
    assert.equal(
      (lang.write({ action: 'end', text: 'Да' }, path).pdu.body.short_message as Buffer).toString('hex'),
      '653704140430',
    )
  })

  it('nothing but UCS-2, whose page is that of all texts', () => {
    const wide = compileDialect(
      variant('standard', (it) => {
        it.outbound.text.ucs2 = { dcs: 0x08, echo: [], always: true }
      }),
    )
    assert.deepEqual(wide.page, { septets: 80, ucs2: 80 })
    const { pdu, cut } = wide.write({ action: 'continue', text: 'Say “yes” €' }, path)
    assert.deepEqual([pdu.body.data_coding, cut], [0x08, false])
    assert.equal(
      (pdu.body.short_message as Buffer).toString('hex'),
      Buffer.from('Say “yes” €', 'utf16le').swap16().toString('hex'),
    )
    assert.equal(wide.write({ action: 'end', text: 'x'.repeat(81) }, path).cut, true)
  })

  it('no UCS-2 at all: what is left becomes a question mark', () => {
    const plain = compileDialect(
      variant('standard', (it) => {
        it.outbound.text.ucs2 = false
      }),
    )
    const { pdu } = plain.write({ action: 'end', text: '“Да” ę' }, path)
    assert.equal((pdu.body.short_message as Buffer).toString('latin1'), '"??" e')
  })

  it('one action in the place of another', () => {
    const quiet = compileDialect(
      variant('standard', (it) => {
        it.outbound.actions.notify.as = 'end'
      }),
    )
    assert.equal(quiet.write({ action: 'notify', text: 'x' }, path).pdu.tlvs[0]?.value[0], 17)
  })

  it('validity, addresses, and the text in message_payload', () => {
    const other = compileDialect(
      variant('standard', (it) => {
        it.outbound.validity = 'echo'
        it.outbound.payload = 'message_payload'
        it.outbound.addr = { swap: true, source: '3322', sourceTon: 3, destNpi: 9 }
      }),
    )
    const { returnPath } = ussd(other.read(deliver({ body: { validity_period: '000000000100000R' } })))
    const { pdu } = other.write({ action: 'end', text: 'x' }, returnPath)
    assert.equal(pdu.body.validity_period, '000000000100000R')
    assert.deepEqual([pdu.body.source_addr, pdu.body.source_addr_ton, pdu.body.dest_addr_npi], ['3322', 3, 9])
    assert.equal((pdu.body.short_message as Buffer).length, 0)
    assert.equal(pdu.tlvs.find((tlv) => tlv.tag === 0x0424)?.value.toString(), 'x')
  })

  it('message_payload by itself where an envelope is over 254 octets', () => {
    const { pdu } = loadDialect('comviva', DIALECTS).write(
      { action: 'end', text: 'x'.repeat(182) },
      { ...path, carrier: '' },
    )
    assert.equal((pdu.body.short_message as Buffer).length, 0)
    assert.ok((pdu.tlvs.find((tlv) => tlv.tag === 0x0424)?.value.length ?? 0) > 254)
  })

  it('a code that is a part of its place', () => {
    const read = (re: string) =>
      compileDialect(
        variant('standard', (it) => {
          Object.assign(it.inbound.code, {
            from: [{ field: 'destination_addr', skip: 0 }],
            prefix: '*',
            suffix: '#',
            re,
          })
        }),
      ).read(deliver({ body: { destination_addr: '77123' }, tlvs: { 0x0501: '01' } }))
    assert.equal(ussd(read('^77(\\d+)$')).code, '*123#')
    assert.equal(ussd(read('\\d{3}$')).code, '*123#')
  })

  it('the number of the dialogue in protocol_id, in a PDU that can be sent', () => {
    const odd = compileDialect(
      variant('standard', (it) => {
        Object.assign(it.inbound.session, { from: [{ field: 'protocol_id', skip: 0 }], decode: 'uint', step: 'none' })
        it.outbound.session.mode = 'echo'
      }),
    )
    const message = ussd(odd.read(deliver({ body: { protocol_id: 48 }, tlvs: { 0x0501: '01' } })))
    const { pdu } = odd.write({ action: 'continue', text: 'x' }, message.returnPath)
    assert.equal(pdu.body.protocol_id, 48)
    assert.ok('octets' in encode(pdu))
  })

  it('digits of a subscriber written half by half (IMSI)', () => {
    const imsi = variant('standard', (it) => {
      it.inbound.meta = [
        { name: 'imsi', from: { tlv: 0x1502 }, decode: 'tbcd' },
        { name: 'raw', from: { tlv: 0x1502 }, decode: 'hex' },
      ]
    })
    const { meta } = ussd(compileDialect(imsi).read(deliver({ tlvs: { 0x0501: '01', 0x1502: '35170000000000f1' } })))
    assert.deepEqual(meta, { imsi: '537100000000001', raw: '35170000000000f1' })
  })

  it('an envelope that is none is read as a text', () => {
    const comviva = loadDialect('comviva', DIALECTS)
    const pdu: Pdu = deliver({ tlvs: { 0x0501: '12' }, body: { short_message: Buffer.from('2') } })
    assert.equal(ussd(comviva.read(pdu)).text, '2')
  })
})

describe('an @ at the end of an answer', () => {
  it('is dropped only where the dialect says that its gateway adds it', () => {
    const dropping = compileDialect(
      variant('standard', (it) => {
        it.inbound.text.stripTrailing = ['\r', '@']
      }),
    )
    const pdu = deliver({ tlvs: { 0x0501: '12' }, body: { short_message: Buffer.from('3100', 'hex') } })
    assert.equal(ussd(dropping.read(pdu)).text, '1')
    assert.equal(ussd(standard.read(pdu)).text, '1@')
  })
})

describe('helpers for the other end', () => {
  it('mint numbers that are read back', () => {
    assert.equal(mintSession(loadProfile('huawei-le', DIALECTS), 300).toString('hex'), '2c02')
    assert.equal(mintSession(loadProfile('vumi-tata', DIALECTS), 0x81).toString('hex'), '0102')
    assert.equal(mintSession(loadProfile('smpp-plus', DIALECTS), 12345).toString('hex'), '00003039')
    assert.equal(mintSession(loadProfile('c-gateway', DIALECTS), 40961).toString(), '40961')
  })

  it('code and decode every coding', () => {
    for (const coding of ['gsm7', 'gsm7packed', 'latin1', 'ascii', 'utf8', 'dcs10'] as const) {
      assert.equal(decodeText(encodeText('Pay 5 now', coding), coding), 'Pay 5 now', coding)
    }
    for (const coding of ['ucs2be', 'dcs11', 'utf8'] as const)
      assert.equal(decodeText(encodeText('Да 😀', coding), coding), 'Да 😀', coding)
    assert.equal(encodeText('Да', 'gsm7').toString(), '??')
  })
})
