import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { readPdu, writePdu, octetsOfText, textField, tlv } from '../../../src/simulator/codec/codec.ts'
import { pduFramer } from '../../../src/simulator/codec/framer.ts'

interface Vector {
  id: string
  note: string
  malformed: boolean
  hex: string
  decoded: Record<string, unknown> & { tlvs: { tag: string; hex: string }[] }
}

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/pdu-vectors.json', import.meta.url), 'utf8')) as {
  vectors: Vector[]
}

describe('the coder of the simulator', () => {
  for (const vector of vectors.filter((v) => !v.malformed)) {
    it(`reads ${vector.id} as another encoder meant it, and writes the same octets (${vector.note})`, () => {
      const octets = Buffer.from(vector.hex, 'hex')
      const read = readPdu(octets)
      assert.ok(read.ok)
      const {
        command,
        command_status,
        sequence_number,
        sm_length,
        short_message_hex,
        tlvs,
        text: _,
        ...rest
      } = vector.decoded
      const pdu = read.pdu
      assert.deepEqual([pdu.command, pdu.status, pdu.sequence], [command, command_status, sequence_number])
      if (short_message_hex !== undefined) {
        const short = pdu.body['short_message'] as Buffer
        assert.equal(short.toString('hex'), short_message_hex)
        assert.equal(short.length, sm_length)
      }
      // Some vectors leave TON and NPI out of what they decode; the octets below hold them to it.
      for (const [name, value] of Object.entries(rest)) assert.deepEqual([name, pdu.body[name]], [name, value])
      assert.deepEqual(
        pdu.tlvs.map((t) => [t.tag, t.value.toString('hex')]),
        tlvs.map((t) => [Number(t.tag), t.hex]),
      )
      const { body, ...bare } = pdu
      assert.equal(writePdu(octets.length === 16 ? bare : { ...bare, body }).toString('hex'), vector.hex)
    })
  }

  const read = (id: string) => readPdu(Buffer.from(vectors.find((v) => v.id.startsWith(id))!.hex, 'hex'))

  it('names the status for broken octets, and keeps the sequence number to answer with', () => {
    const bad = (id: string) => {
      const result = read(id)
      assert.ok(!result.ok)
      return [result.status, result.sequence]
    }
    assert.deepEqual(bad('x03'), [0xc0, 400])
    assert.deepEqual(bad('x08'), [0x01, 405])
    assert.deepEqual(bad('x09'), [0x0b, 406])
    assert.deepEqual(bad('x10'), [0x03, 407])
  })

  it('takes a TLV without length for absent and does not read its neighbour', () => {
    const result = read('x04')
    assert.ok(result.ok)
    assert.equal(tlv(result.pdu, 0x0501), undefined)
    assert.equal(tlv(result.pdu, 0x1383)!.toString('hex'), '0102')
  })

  it('counts stray octets after the last TLV and still gives the PDU', () => {
    const result = read('x11')
    assert.ok(result.ok)
    assert.equal(result.stray, 3)
    assert.equal(octetsOfText(result.pdu).toString(), '1')
  })

  it('reads any octets without throwing', () => {
    const frame = fc.tuple(
      fc.constantFrom(1, 2, 4, 5, 9, 0x103, 0x80000004, 0x15, 77),
      fc.uint8Array({ maxLength: 90 }),
    )
    fc.assert(
      fc.property(frame, ([id, tail]) => {
        const octets = Buffer.concat([Buffer.alloc(16), tail])
        octets.writeUInt32BE(octets.length, 0)
        octets.writeUInt32BE(id, 4)
        const result = readPdu(octets)
        assert.ok(result.ok || result.status > 0)
      }),
      { numRuns: 2000 },
    )
  })

  it('gives back every submit_sm that it wrote', () => {
    const ascii = fc.string({ maxLength: 20, unit: fc.constantFrom(...'0123456789abc*#') })
    const any = fc.record({
      source: ascii,
      destination: ascii,
      short: fc.uint8Array({ maxLength: 254 }),
      tlvs: fc.array(fc.record({ tag: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(any, ({ source, destination, short, tlvs }) => {
        const given = tlvs.map((t) => ({ tag: t.tag, value: Buffer.from(t.value) }))
        const result = readPdu(
          writePdu({
            command: 'submit_sm',
            sequence: 9,
            tlvs: given,
            body: { source_addr: source, destination_addr: destination, short_message: Buffer.from(short) },
          }),
        )
        assert.ok(result.ok)
        assert.equal(textField(result.pdu.body, 'source_addr'), source)
        assert.equal(textField(result.pdu.body, 'destination_addr'), destination)
        assert.deepEqual(Buffer.from(result.pdu.body['short_message'] as Buffer), Buffer.from(short))
        assert.deepEqual(
          result.pdu.tlvs.map((t) => ({ tag: t.tag, value: Buffer.from(t.value) })),
          given,
        )
      }),
    )
  })

  it('refuses to write a short_message that sm_length cannot hold', () => {
    const body = { short_message: Buffer.alloc(256) }
    assert.throws(() => writePdu({ command: 'submit_sm', sequence: 1, body }), /256 octets/)
  })
})

describe('the framer of the simulator', () => {
  const stream = Buffer.concat(vectors.filter((v) => !v.malformed).map((v) => Buffer.from(v.hex, 'hex')))
  const whole = vectors.filter((v) => !v.malformed).map((v) => v.hex)

  it('gives the same frames however the octets are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sizes) => {
        const frames: string[] = []
        const cut = pduFramer((frame) => void frames.push(frame.toString('hex')))
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!
          assert.ok(cut.push(stream.subarray(at, at + size)))
          at += size
        }
        assert.deepEqual(frames, whole)
        assert.equal(cut.pending(), 0)
      }),
      { numRuns: 60 },
    )
  })

  for (const id of ['x01', 'x02']) {
    it(`gives up at ${id} and reads nothing after it`, () => {
      let seen = 0
      const cut = pduFramer(() => void seen++)
      assert.equal(cut.push(Buffer.from(vectors.find((v) => v.id.startsWith(id))!.hex, 'hex')), false)
      assert.equal(cut.push(stream), false)
      assert.equal(seen, 0)
    })
  }
})
