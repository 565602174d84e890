import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode, encode, encodeNack, encodeResponse } from '../../../src/smpp/pdu/codec.ts'
import { framer } from '../../../src/smpp/pdu/framer.ts'

interface Vector {
  id: string
  direction: string
  note: string
  malformed: boolean
  hex: string
  expect?: string
  decoded: Record<string, unknown> & { command: string; tlvs: { tag: string; hex: string }[] }
}

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/pdu-vectors.json', import.meta.url), 'utf8')) as {
  vectors: Vector[]
}

describe('every well-formed PDU vector', () => {
  for (const vector of vectors.filter((v) => !v.malformed)) {
    it(`decodes to its meaning: ${vector.id} (${vector.note})`, () => {
      const { pdu, fault, stray } = decode(Buffer.from(vector.hex, 'hex'))
      assert.equal(fault, undefined)
      assert.equal(stray, 0)
      const { command, command_status, sequence_number, tlvs, text: _text, ...fields } = vector.decoded
      assert.deepEqual([pdu.command, pdu.status, pdu.sequence], [command, command_status, sequence_number])
      assert.deepEqual(
        pdu.tlvs.map((tlv) => [tlv.tag, tlv.value.toString('hex')]),
        tlvs.map((tlv) => [Number(tlv.tag), tlv.hex]),
      )
      const { short_message_hex, sm_length, ...rest } = fields
      const { short_message, ...body } = pdu.body
      for (const [name, value] of Object.entries(rest)) assert.equal(body[name], value, name)
      if (short_message_hex !== undefined) assert.equal((short_message as Buffer).toString('hex'), short_message_hex)
      if (sm_length !== undefined) assert.equal((short_message as Buffer).length, sm_length)
    })
  }

  for (const vector of vectors.filter((v) => !v.malformed && v.direction !== 'mc>esme')) {
    it(`is written again octet for octet: ${vector.id}`, () => {
      const { pdu } = decode(Buffer.from(vector.hex, 'hex'))
      if (pdu.command.endsWith('_resp') || pdu.command === 'generic_nack') {
        const octets =
          pdu.command === 'generic_nack'
            ? encodeNack(pdu.status, pdu.sequence)
            : encodeResponse(pdu.command.replace('_resp', ''), pdu.status, pdu.sequence)
        assert.equal(octets.toString('hex'), vector.hex)
        return
      }
      const encoded = encode(pdu)
      assert.ok('octets' in encoded, JSON.stringify(encoded))
      assert.equal(encoded.octets.toString('hex'), vector.hex)
    })
  }
})

/** What each malformed vector's `expect` says, as a status; undefined: taken; 'framing': the connection is lost. */
const MALFORMED: Record<string, number | 'framing' | undefined> = {
  'x01-len15': 'framing',
  'x02-len_huge': 'framing',
  'x03-tlv_overrun': 0xc0,
  'x04-op_len0': undefined,
  'x06-umr_len1_last': undefined,
  'x08-sm_length_over': 0x01,
  'x09-unterminated': 0x0b,
  'x10-unknown_cmd': 0x03,
  'x11-stray_octets': undefined,
  'x13-payload_and_sm': undefined,
}

describe('every malformed PDU vector', () => {
  for (const vector of vectors.filter((v) => v.malformed)) {
    it(`is treated as its note says: ${vector.id} (${vector.expect})`, () => {
      assert.ok(vector.id in MALFORMED, 'this vector has no expectation here')
      const frames: Buffer[] = []
      const fault = framer((frame) => frames.push(frame)).push(Buffer.from(vector.hex, 'hex'))
      const wanted = MALFORMED[vector.id]
      if (wanted === 'framing') return assert.ok(fault && frames.length === 0)
      assert.equal(frames.length, 1)
      assert.equal(decode(frames[0]!).fault?.status, wanted)
    })
  }

  const read = (id: string) => decode(Buffer.from(vectors.find((v) => v.id === id)!.hex, 'hex'))

  it('keeps an empty ussd_service_op as an empty value and reads on behind it', () => {
    const { pdu } = read('x04-op_len0')
    assert.deepEqual(
      pdu.tlvs.map((t) => [t.tag, t.value.toString('hex')]),
      [
        [0x501, ''],
        [0x1383, '0102'],
      ],
    )
  })

  it('keeps the one octet of a user_message_reference that should have two', () => {
    assert.deepEqual(
      read('x06-umr_len1_last').pdu.tlvs.map((t) => t.value.toString('hex')),
      ['12', '07'],
    )
  })

  it('counts stray octets', () => assert.equal(read('x11-stray_octets').stray, 3))

  it('keeps both texts for the dialect to choose', () => {
    const { pdu } = read('x13-payload_and_sm')
    assert.equal(String(pdu.body.short_message), '1')
    assert.equal(String(pdu.tlvs.find((t) => t.tag === 0x424)?.value), '2')
  })
})
