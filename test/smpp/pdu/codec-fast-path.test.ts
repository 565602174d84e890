import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { decode, decodeAny, encode, encodeAny, type Writable } from '../../../src/smpp/pdu/codec.ts'
import { readFast, writeSubmit } from '../../../src/smpp/pdu/codec-fast-path.ts'

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/pdu-vectors.json', import.meta.url), 'utf8')) as {
  vectors: { id: string; hex: string; decoded: { command: string } }[]
}
const octetsOf = (id: string) => Buffer.from(vectors.find((one) => one.id === id)!.hex, 'hex')

/** Values that fit a field, and values that do not. */
const integer = fc.oneof(
  { weight: 8, arbitrary: fc.nat(255) },
  fc.constantFrom(undefined, -1, 256, 1.5, NaN, -0, '1', Buffer.of(1)),
)
const cString = (octetsMax: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: fc.constantFrom(...'0129*#Aé\xff'), maxLength: octetsMax - 1 }) },
    fc.string({ unit: fc.constantFrom(...'09\0€'), maxLength: octetsMax + 2 }),
    fc.constantFrom(undefined, 7, Buffer.of(1)),
  )
const octets = (most: number) => fc.uint8Array({ maxLength: most }).map((value) => Buffer.from(value))
const text = fc.oneof({ weight: 8, arbitrary: octets(254) }, octets(300), fc.constantFrom(undefined, 'text', 5))
const tag = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 0xffff }) }, fc.constantFrom(-1, 70_000, 1.5))

const writable: fc.Arbitrary<Writable> = fc.record({
  command: fc.constant('submit_sm'),
  status: fc.constantFrom(0, 0x45),
  sequence: fc.nat(0x7fffffff),
  body: fc.record({
    service_type: cString(6),
    source_addr_ton: integer,
    source_addr_npi: integer,
    source_addr: cString(21),
    dest_addr_ton: integer,
    dest_addr_npi: integer,
    destination_addr: cString(21),
    esm_class: integer,
    protocol_id: integer,
    priority_flag: integer,
    schedule_delivery_time: cString(17),
    validity_period: cString(17),
    registered_delivery: integer,
    replace_if_present_flag: integer,
    data_coding: integer,
    sm_default_msg_id: integer,
    short_message: text,
  }),
  tlvs: fc.array(fc.record({ tag, value: octets(20) }), { maxLength: 4 }),
})

describe('the short cut for the commonest PDUs', () => {
  it('is taken for the ordinary ones', () => {
    assert.ok(readFast(octetsOf('u01-pssr_ind')))
    assert.ok(readFast(octetsOf('u04-submit_sm_resp')))
    assert.ok(writeSubmit(decode(octetsOf('u03-ussr_req')).pdu))
  })

  it('writes every submit_sm as the general codec does, or leaves it to that', () => {
    let taken = 0
    fc.assert(
      fc.property(writable, (pdu) => {
        if (writeSubmit(pdu)) taken++
        assert.deepEqual(encode(pdu), encodeAny(pdu))
      }),
      { numRuns: 5_000, seed: 11 },
    )
    assert.ok(taken > 200, `taken ${taken} times`)
  })

  it('takes every submit_sm that the general codec can write', () => {
    fc.assert(
      fc.property(writable, (pdu) => assert.equal(!!writeSubmit(pdu), 'octets' in encodeAny(pdu))),
      { numRuns: 5_000, seed: 12 },
    )
  })

  it('reads every mutated vector as the general codec does, or leaves it to that', () => {
    const hot = vectors
      .filter((one) => /deliver_sm$|submit_sm_resp/.test(one.decoded.command))
      .map((one) => Buffer.from(one.hex, 'hex'))
    let taken = 0
    fc.assert(
      fc.property(
        fc.nat(hot.length - 1),
        fc.array(fc.tuple(fc.nat(300), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0xff))), { maxLength: 4 }),
        fc.integer({ min: -20, max: 12 }),
        (pick, changes, resize) => {
          const from = hot[pick]!
          const frame = Buffer.alloc(Math.max(16, from.length + resize))
          from.copy(frame)
          for (const [at, value] of changes) if (at >= 8) frame[at % frame.length] = value
          frame.writeUInt32BE(frame.length, 0)
          if (readFast(frame)) taken++
          assert.deepEqual(decode(frame), decodeAny(frame))
        },
      ),
      { numRuns: 20_000, seed: 13 },
    )
    assert.ok(taken > 3_000, `taken ${taken} times`)
  })
})
