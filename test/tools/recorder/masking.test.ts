/** What is personal goes, all else stays as it was, on every vector that there is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode, encode } from '../../../src/smpp/pdu/codec.ts'
import { createMasking } from '../../../src/tools/recorder/masking.ts'
import type { PduBody, Tlv } from '../../../src/smpp/types.ts'

interface Vector {
  id: string
  malformed: boolean
  hex: string
  decoded: { command: string }
}
const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/pdu-vectors.json', import.meta.url), 'utf8')) as {
  vectors: Vector[]
}

const masking = createMasking(Buffer.from('a key of a test'))
const submit = (body: PduBody, tlvs: Tlv[] = []) => {
  const coded = encode({
    command: 'submit_sm',
    sequence: 7,
    body: { source_addr: '123', destination_addr: '67570000001', ...body },
    tlvs,
  })
  assert.ok('octets' in coded)
  return coded.octets
}
const masked = (body: PduBody, tlvs: Tlv[] = []) => {
  const before = submit(body, tlvs)
  const after = masking.mask(before)
  assert.equal(after.length, before.length)
  const { pdu, fault } = decode(after)
  assert.equal(fault, undefined)
  return pdu
}
const text = (body: PduBody) => (masked(body).body.short_message as Buffer).toString('latin1')

describe('masking of recorded PDUs', () => {
  for (const { id, malformed, hex, decoded } of vectors) {
    it(`keeps ${id} ${malformed ? 'framed' : 'valid'}, and no number of it`, () => {
      const octets = Buffer.from(hex, 'hex')
      if (octets.length < 16 || octets.readUInt32BE(0) !== octets.length) return
      const after = masking.mask(octets)
      const hasPassword = /^(bind_[a-z]+|outbind)$/.test(decoded.command) && !decoded.command.endsWith('_resp')
      if (!hasPassword) assert.equal(after.length, octets.length)
      assert.deepEqual(after.subarray(4, 16), octets.subarray(4, 16), 'the header')
      const [was, is] = [decode(octets), decode(after)]
      if (was.fault) return
      assert.equal(is.fault, undefined)
      for (const name of ['source_addr', 'destination_addr']) {
        const number = String(was.pdu.body[name] ?? '')
        if (/\d{7,}/.test(number)) assert.ok(!after.includes(number), `${name} ${number}`)
        else assert.equal(is.pdu.body[name], was.pdu.body[name])
      }
      assert.deepEqual(
        is.pdu.tlvs.map((it) => [it.tag, it.value.length]),
        was.pdu.tlvs.map((it) => [it.tag, it.value.length]),
      )
      assert.deepEqual(
        [is.pdu.body.data_coding, is.pdu.body.esm_class],
        [was.pdu.body.data_coding, was.pdu.body.esm_class],
      )
    })
  }

  it('maps a number always to the same one of its length, under another key to another', () => {
    const number = masking.number('67570000001')
    assert.match(number, /^675\d{8}$/)
    assert.notEqual(number, '67570000001')
    assert.equal(masking.number('67570000001'), number)
    assert.notEqual(masking.number('67570000002'), number)
    assert.notEqual(createMasking(Buffer.from('another')).number('67570000001'), number)
    assert.equal(masked({}).body.destination_addr, number)
    assert.equal(masked({ destination_addr: '+67570000001' }).body.destination_addr, `+${number}`)
    assert.equal(masked({}).body.source_addr, '123')
  })

  it('writes texts over in their own coding', () => {
    assert.equal(text({ short_message: Buffer.from('Hello Mary') }), 'xxxxxxxxxx')
    assert.equal(text({ short_message: Buffer.from('1') }), 'x')
    assert.equal(text({ data_coding: 8, short_message: Buffer.from('041f0440', 'hex') }), '\0x\0x')
    assert.equal(text({ data_coding: 0x48, short_message: Buffer.from('041f0440', 'hex') }), '\0x\0x')
    assert.equal(text({ data_coding: 4, short_message: Buffer.from([0xff, 1, 2]) }), 'xxx')
    assert.equal(text({ short_message: Buffer.from('48656c6c6f', 'latin1') }), '7878787878')
    const packed = masked({ data_coding: 15, short_message: Buffer.from('31d98c56b3dd1a', 'hex') }).body
      .short_message as Buffer
    // Eight septets of x, packed. (3GPP TS 23.038 §6.1.2.1)
    assert.equal(packed.toString('hex'), '783c1e8fc7e3f1')
  })

  it('keeps the header of a part, and writes over what stands after it', () => {
    const header = Buffer.from('050003aa0201', 'hex')
    const after = masked({ esm_class: 0x40, short_message: Buffer.concat([header, Buffer.from('Part one')]) })
    assert.equal((after.body.short_message as Buffer).toString('hex'), `050003aa0201${'78'.repeat(8)}`)
  })

  it('keeps a dialled code, but not the digits behind it', () => {
    assert.equal(text({ short_message: Buffer.from('*123#') }), '*123#')
    const deep = text({ short_message: Buffer.from('*123*67570000001*4711#') })
    assert.equal(deep, `*123*${'*'.repeat(16)}#`)
  })

  describe('of what is dialled, and of answers', () => {
    const own = createMasking(Buffer.from('k'), [{ code: '*150#' }, { code: '*384*1#' }, { code: '*' }])
    const [SAID, SEEN] = ['4711', '4711 Quokka'] as const
    const deliver = (said: string, more: PduBody = {}, tlvs: Tlv[] = []) => {
      const coded = encode({
        command: 'deliver_sm',
        sequence: 7,
        body: {
          source_addr: '67570000001',
          destination_addr: '150',
          short_message: Buffer.from(said),
          ...more,
        },
        tlvs,
      })
      assert.ok('octets' in coded)
      return coded.octets
    }
    const both = (octets: Buffer, seen?: 'code' | 'open') => [
      own.mask(octets, seen),
      own.clear({ octets, from: 'smsc', ...(seen ? { seen } : {}) }),
    ]
    const said = (octets: Buffer) => (decode(octets).pdu.body.short_message as Buffer).toString('latin1')
    const to = (octets: Buffer) => decode(octets).pdu.body.destination_addr

    it('keeps the service code, in the text, in either address and in parameters, in clear too', () => {
      const wide = (text: string) => Buffer.from(text, 'utf16le').swap16()
      const octets = deliver('*384*1*4711#', { destination_addr: '384*1*4711' }, [
        { tag: 0x1400, value: Buffer.from('*384*1*4711#\0') },
        { tag: 0x1401, value: wide('*150*4711#') },
        { tag: 0x0203, value: Buffer.from('\xa0*150*4711', 'latin1') },
      ])
      for (const after of both(octets, 'code')) {
        assert.equal(after.length, octets.length)
        assert.deepEqual([said(after), to(after)], ['*384*1*****#', '384*1*****'])
        const values = decode(after).pdu.tlvs.map(({ value }) => value)
        assert.deepEqual(values, [
          Buffer.from('*384*1*****#\0'),
          wide('*150*****#'),
          Buffer.from('\xa0*150*****', 'latin1'),
        ])
      }
      const reply = submit({ source_addr: '*150*4711#', short_message: Buffer.from('Menu') })
      assert.equal(decode(own.clear({ octets: reply, from: 'esme' })).pdu.body.source_addr, '*150*****#')
      assert.equal(decode(own.mask(reply)).pdu.body.source_addr, '*150*****#')
    })

    it("shows of a code that is nobody's its first part, where it is known that it was dialled", () => {
      for (const after of both(deliver('*777*4711#'), 'code')) assert.equal(said(after), '*777*****#')
      for (const after of both(deliver('*777*4711#')))
        assert.equal(said(after), 'xxxxxxxxxx', 'a PIN may be typed like that')
      for (const after of both(deliver('*4711#'))) assert.equal(said(after), 'xxxxxx')
      for (const after of both(deliver('*150*4711#'))) assert.equal(said(after), '*150*****#')
    })

    it('shows an answer in clear only where it is known to be no secret', () => {
      const twice = (text: string) =>
        deliver(text, {}, [
          { tag: 0x1400, value: Buffer.from(`${text}\0`) },
          { tag: 0x1383, value: Buffer.of(1, 2) },
        ])
      for (const after of both(twice(SAID))) {
        assert.equal(said(after), 'xxxx')
        assert.ok(!after.includes(SAID))
        assert.deepEqual(decode(after).pdu.tlvs[1]!.value, Buffer.of(1, 2))
      }
      assert.equal(said(own.clear({ octets: deliver(SEEN), from: 'smsc', seen: 'open' })), SEEN)
      assert.equal(said(own.mask(deliver(SEEN), 'open')), 'x'.repeat(SEEN.length))
      const payload = deliver('', {}, [{ tag: 0x0424, value: Buffer.from(SAID) }])
      assert.ok(both(payload).every((after) => !after.includes(SAID)))
    })

    it('gives in clear what it need not change as it was, and of what cannot be read the header', () => {
      const stray = Buffer.concat([deliver(SEEN), Buffer.from('x')])
      stray.writeUInt32BE(stray.length, 0)
      for (const octets of [deliver(SEEN), stray])
        assert.deepEqual(own.clear({ octets, from: 'smsc', seen: 'open' }), octets)
      const broken = deliver(SEEN)
      broken[broken.length - SEEN.length - 1] = 200
      assert.ok(
        own
          .clear({ octets: broken, from: 'smsc', seen: 'open' })
          .subarray(16)
          .every((octet) => octet === 0),
      )
    })
  })

  it('keeps what a receipt says, but not the text it repeats', () => {
    const receipt =
      'id:123456789 sub:001 dlvrd:001 submit date:2511241800 done date:2511241801 stat:DELIVRD err:000 text:'
    assert.equal(
      text({ esm_class: 4, short_message: Buffer.from(`${receipt}Your balance is 120.`) }),
      `${receipt}${'x'.repeat(20)}`,
    )
  })

  it('writes over numbers in parameters, as text or as digits in halves of octets, and leaves what is technical', () => {
    const after = masked({}, [
      { tag: 0x0501, value: Buffer.of(2) },
      { tag: 0x1383, value: Buffer.of(7, 2) },
      { tag: 0x001e, value: Buffer.from('123456789\0') },
      { tag: 0x0202, value: Buffer.from('a0363735', 'hex') },
      { tag: 0x0203, value: Buffer.from('\xa0537030000000001', 'latin1') },
      { tag: 0x1502, value: Buffer.from('3507030000000f1', 'latin1') },
      { tag: 0x1503, value: Buffer.from('5073000000000010', 'hex') },
      { tag: 0x0424, value: Buffer.from('Hello') },
      { tag: 0x1777, value: Buffer.from('00001267', 'hex') },
    ])
    const [op, its, id, short, imsi, vendor, bcd, payload, number] = after.tlvs.map((it) => it.value)
    assert.deepEqual([op!.toString('hex'), its!.toString('hex'), id!.toString()], ['02', '0702', '123456789\0'])
    assert.equal(short!.toString('hex'), 'a0363735')
    assert.ok(!imsi!.includes('537030000000001') && imsi![0] === 0xa0)
    assert.ok(!vendor!.includes('3507030000000'))
    assert.notEqual(bcd!.toString('hex'), '5073000000000010')
    assert.match(bcd!.toString('hex'), /^\d{16}$/)
    assert.equal(payload!.toString(), 'xxxxx')
    assert.equal(number!.toString('hex'), '00001267', 'a counter is no number of a subscriber')
  })

  it('never shows a password, however the bind is broken', () => {
    const bind = (hex: string) => {
      const octets = Buffer.from(hex, 'hex')
      octets.writeUInt32BE(octets.length, 0)
      return masking.mask(octets)
    }
    const head = '00000000000000090000000000000001'
    const [id, secret] = [Buffer.from('ussd\0').toString('hex'), Buffer.from('secret08').toString('hex')]
    for (const body of [`${id}${secret}0000340000 00`.replace(' ', ''), `${id}${secret}`, secret, `${id}${secret}00`]) {
      const after = bind(head + body)
      assert.ok(!after.includes('secret08'), body)
      assert.equal(after.readUInt32BE(0), after.length)
    }
    assert.equal(decode(bind(`${head}${id}${secret}000034000000`)).pdu.body.password, '********')
  })

  it('leaves of what cannot be read only its header', () => {
    const unknown = Buffer.concat([Buffer.from('00000000000002080000000000000001', 'hex'), Buffer.from('67570000001')])
    unknown.writeUInt32BE(unknown.length, 0)
    const after = masking.mask(unknown)
    assert.equal(after.length, unknown.length)
    assert.ok(after.subarray(16).every((octet) => octet === 0))
  })
})
