import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { decode, encode, encodeResponse } from '../../../src/smpp/pdu/codec.ts'
import { framer } from '../../../src/smpp/pdu/framer.ts'
import { statusLabel, statusText } from '../../../src/smpp/pdu/status.ts'

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/pdu-vectors.json', import.meta.url), 'utf8')) as {
  vectors: { hex: string; malformed: boolean }[]
}
const good = vectors.filter((v) => !v.malformed).map((v) => Buffer.from(v.hex, 'hex'))
const submit = (body = {}, tlvs: { tag: number; value: Buffer }[] = []) =>
  encode({ command: 'submit_sm', body: { short_message: Buffer.from('x'), ...body }, tlvs })

describe('the framer', () => {
  it('gives the same PDUs however the octets are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(good.length - 1), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
        (picks, cuts) => {
          const pdus = picks.map((n) => good[n]!)
          const stream = Buffer.concat(pdus)
          const frames: string[] = []
          const one = framer((frame) => void frames.push(frame.toString('hex')))
          let at = 0
          for (const cut of cuts) {
            one.push(stream.subarray(at, at + cut))
            at = Math.min(stream.length, at + cut)
          }
          one.push(stream.subarray(at))
          assert.deepEqual(
            frames,
            pdus.map((pdu) => pdu.toString('hex')),
          )
          assert.equal(one.partial(), false)
          assert.equal(one.completed(), pdus.length)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('cuts at every octet of two PDUs and says where one is half there', () => {
    const stream = Buffer.concat([good[3]!, good[12]!])
    for (let cut = 0; cut <= stream.length; cut++) {
      let frames = 0
      const one = framer(() => frames++)
      one.push(stream.subarray(0, cut))
      assert.equal(one.partial(), cut !== 0 && cut !== good[3]!.length && cut !== stream.length)
      one.push(stream.subarray(cut))
      assert.equal(frames, 2)
    }
  })

  it('takes the longest legal PDU and no longer one', () => {
    const pdu = Buffer.alloc(70_000)
    pdu.writeUInt32BE(70_000)
    let frames = 0
    assert.equal(framer(() => frames++).push(pdu), undefined)
    assert.equal(frames, 1)
    pdu.writeUInt32BE(70_001)
    assert.equal(framer(() => frames++).push(pdu)?.commandLength, 70_001)
    assert.equal(framer(() => frames++, 20).push(good[12]!)?.commandLength, good[12]!.length)
    assert.equal(frames, 1)
  })

  it('takes nothing more after framing is lost', () => {
    let frames = 0
    const one = framer(() => frames++)
    assert.ok(one.push(Buffer.from('00000001', 'hex')))
    assert.equal(one.push(good[3]!), undefined)
    assert.equal(frames, 0)
  })

  it('names what the peer seems to speak', () => {
    const speaks = (octets: string | Buffer) => framer(() => undefined).push(Buffer.from(octets as string))?.speaks
    assert.equal(speaks(Buffer.from('15030100020228', 'hex')), 'tls')
    assert.equal(speaks(Buffer.from('16030100c6010000c20303', 'hex')), 'tls')
    assert.equal(speaks('HTTP/1.1 400 Bad Request'), 'http')
    assert.equal(speaks('GET / HTTP/1.1'), 'http')
    assert.equal(speaks('PROXY TCP4 127.0.0.1'), 'proxy')
    assert.equal(speaks('SSH-2.0-OpenSSH_9'), 'ssh')
    assert.equal(speaks('220 mail.example ESMTP'), 'text')
    assert.equal(speaks(Buffer.alloc(64)), 'nothing-known')
  })
})

describe('the decoder', () => {
  it('throws at nothing: 50,000 seeded mutations of the vectors', () => {
    const seed = 0x5eed
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: -12, max: 12 }),
        (pick, changes, resize) => {
          const from = good[pick]!
          const length = Math.max(16, from.length + resize)
          const octets = Buffer.alloc(length)
          from.copy(octets)
          for (const [at, value] of changes) octets[at % length] = value
          octets.writeUInt32BE(length, 0)
          const { pdu, fault } = decode(octets)
          if (fault) assert.ok(fault.status > 0)
          for (const { value } of pdu.tlvs) assert.ok(value.length <= length)
        },
      ),
      { numRuns: 50_000, seed },
    )
  })

  it('throws at nothing: arbitrary bodies behind every command', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.uint8Array({ maxLength: 120 }), (pick, body) => {
        const octets = Buffer.concat([good[pick]!.subarray(0, 16), body])
        octets.writeUInt32BE(octets.length, 0)
        decode(octets)
      }),
      { numRuns: 5_000, seed: 7 },
    )
  })

  it('keeps octets over 0x7F in C-strings', () => {
    const coded = submit({ source_addr: 'Äwéh' })
    assert.ok('octets' in coded)
    assert.equal(decode(coded.octets).pdu.body.source_addr, 'Äwéh')
  })

  it('keeps the message id of a response although its NUL is missing', () => {
    const { pdu, fault } = decode(
      Buffer.concat([Buffer.from('00000013800000040000000000000001', 'hex'), Buffer.from('abc')]),
    )
    assert.equal(pdu.body.message_id, 'abc')
    assert.equal(fault?.why, 'message_id-unterminated')
  })

  it('keeps order and repetition of optional parameters', () => {
    const tlvs = [
      [0x1501, 'b'],
      [0x0501, '\x02'],
      [0x1501, 'a'],
    ].map(([tag, text]) => ({ tag: tag as number, value: Buffer.from(text as string) }))
    const coded = submit({}, tlvs)
    assert.ok('octets' in coded)
    assert.deepEqual(
      decode(coded.octets).pdu.tlvs.map((t) => [t.tag, String(t.value)]),
      [
        [0x1501, 'b'],
        [0x0501, '\x02'],
        [0x1501, 'a'],
      ],
    )
  })

  it('brings every submit_sm back', () => {
    const text = (max: number) => fc.string({ unit: fc.constantFrom(...'09*#AZaz+éÿ\x01'), maxLength: max })
    fc.assert(
      fc.property(
        text(5),
        text(20),
        text(20),
        fc.nat(255),
        fc.uint8Array({ maxLength: 254 }),
        fc.array(fc.tuple(fc.integer({ min: 0x1400, max: 0x3fff }), fc.uint8Array({ maxLength: 30 })), {
          maxLength: 6,
        }),
        (service_type, source_addr, destination_addr, data_coding, octets, pairs) => {
          const tlvs = pairs.map(([tag, value]) => ({ tag, value: Buffer.from(value) }))
          const body = { service_type, source_addr, destination_addr, data_coding, short_message: Buffer.from(octets) }
          const coded = submit(body, tlvs)
          assert.ok('octets' in coded)
          const { pdu, fault } = decode(coded.octets)
          assert.equal(fault, undefined)
          for (const [name, value] of Object.entries(body)) assert.deepEqual(pdu.body[name], value)
          assert.deepEqual(pdu.tlvs, tlvs)
        },
      ),
    )
  })
})

describe('the encoder', () => {
  const fault = (coded: ReturnType<typeof submit>) => ('fault' in coded ? coded.fault : 'coded')

  it('refuses a NUL, which would shift all fields behind it, and does not repeat the content', () => {
    assert.match(fault(submit({ destination_addr: '254\x007' })), /submit_sm.destination_addr has a NUL/)
    assert.ok(!fault(submit({ destination_addr: '254\x007' })).includes('254'))
  })

  it('refuses what is over its length', () => {
    assert.match(fault(submit({ source_addr: '1'.repeat(21) })), /source_addr has more than 20 characters/)
    assert.match(fault(submit({ service_type: 'USSDXX' })), /service_type has more than 5/)
    assert.match(fault(submit({ short_message: Buffer.alloc(255) })), /short_message has more than 254 octets/)
    assert.match(fault(submit({}, [{ tag: 0x0424, value: Buffer.alloc(65_536) }])), /0x424 has more than 65535/)
    const many = Array.from({ length: 65 }, () => ({ tag: 0x1400, value: Buffer.alloc(0) }))
    assert.match(fault(submit({}, many)), /more than 64/)
    assert.match(
      fault(
        submit(
          {},
          [1, 2].map((tag) => ({ tag, value: Buffer.alloc(40_000) })),
        ),
      ),
      /more than 70000/,
    )
    assert.equal(fault(submit({ short_message: Buffer.alloc(254) })), 'coded')
  })

  it('refuses what is not of the type of its field', () => {
    for (const value of [256, -1, 1.5, NaN, '1']) assert.match(fault(submit({ esm_class: value })), /not an integer/)
    assert.match(fault(submit({ source_addr: 5 })), /not a string/)
    assert.match(fault(submit({ source_addr: '€' })), /above 0xFF/)
    assert.match(fault(submit({ short_message: 'text' })), /must be octets/)
    assert.match(fault(submit({}, [{ tag: 70_000, value: Buffer.alloc(0) }])), /tag/)
    assert.match(fault(encode({ command: 'submit_multi', body: {}, tlvs: [] })), /not a command that we can write/)
    assert.match(fault(encode({ command: 'nonsense', body: {}, tlvs: [] })), /not a command that we can write/)
  })

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('source_addr', 'esm_class', 'short_message', 'validity_period'), fc.anything()),
        (body) => void submit(body as never),
      ),
    )
  })

  it('gives deliver_sm_resp and data_sm_resp their message_id, also with an error', () => {
    assert.equal(encodeResponse('deliver_sm', 0x64, 7).toString('hex'), '0000001180000005000000640000000700')
    assert.equal(encodeResponse('data_sm', 0, 7).toString('hex'), '0000001180000103000000000000000700')
    assert.equal(encodeResponse('enquire_link', 0, 7).toString('hex'), '00000010800000150000000000000007')
  })

  it('answers a command that it does not know with generic_nack', () => {
    assert.equal(encodeResponse('unknown_0x00010201', 3, 407).toString('hex'), '00000010800000000000000300000197')
  })
})

describe('a status', () => {
  it('has few names as a label, and all of its digits in text', () => {
    assert.deepEqual([0x58, 0x411, 0x12345].map(statusLabel), ['ESME_RTHROTTLED', 'vendor', 'other'])
    assert.deepEqual([0x58, 0x411].map(statusText), ['0x58 ESME_RTHROTTLED', '0x411'])
  })
})
