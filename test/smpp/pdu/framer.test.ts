import assert from 'node:assert/strict'
import { framer, PDU_OCTETS_MAX, type Speaks } from '../../../src/smpp/pdu/framer.ts'

/** A PDU of that many octets, header included; all but its length is filled with `fill`. */
function pdu(octets: number, fill = 7): Buffer {
  const made = Buffer.alloc(octets, fill)
  made.writeUInt32BE(octets)
  return made
}

function cutter(octetsMax?: number) {
  const frames: Buffer[] = []
  const one = framer((frame) => void frames.push(frame), octetsMax)
  return { ...one, frames, lengths: () => frames.map((frame) => frame.length) }
}

describe('the framer', () => {
  it('takes PDUs from a bare header to the longest, 70 000 octets', () => {
    assert.equal(PDU_OCTETS_MAX, 70_000)
    const { push, lengths, partial, completed } = cutter()
    assert.equal(push(Buffer.concat([pdu(16), pdu(17), pdu(70_000)])), undefined)
    assert.deepEqual(lengths(), [16, 17, 70_000])
    assert.deepEqual([partial(), completed()], [false, 3])
  })
  it('refuses lengths below a header and over the longest, and takes nothing after that', () => {
    for (const length of [0, 1, 4, 15, 70_001, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const { push, frames, partial } = cutter()
      const lie = pdu(16)
      lie.writeUInt32BE(length)
      assert.equal(push(lie)?.commandLength, length)
      assert.equal(push(pdu(16)), undefined)
      assert.deepEqual([frames.length, partial()], [0, false])
    }
  })
  it('refuses a length as soon as its four octets are there', () => {
    const { push } = cutter()
    for (const octet of [0, 0, 0]) assert.equal(push(Buffer.of(octet)), undefined)
    assert.equal(push(Buffer.of(15))?.commandLength, 15)
  })
  it('knows the limit that it is given', () => {
    const { push, lengths } = cutter(20)
    assert.equal(push(pdu(20)), undefined)
    assert.equal(push(pdu(21))?.commandLength, 21)
    assert.deepEqual(lengths(), [20])
  })
  it('stops after the PDU where it may not go on, and goes on there, with what came meanwhile behind', () => {
    const lengths: number[] = []
    let left = 2
    const one = framer(
      (frame) => void lengths.push(frame.length),
      undefined,
      () => --left > 0,
    )
    one.push(Buffer.concat([pdu(16), pdu(17), pdu(18), pdu(19), pdu(20).subarray(0, 7)]))
    assert.deepEqual([lengths, one.waiting(), one.completed()], [[16, 17], true, 2])
    left = 1
    one.push(pdu(20).subarray(7))
    assert.deepEqual([lengths, one.waiting()], [[16, 17, 18], true])
    left = 9
    one.goOn()
    assert.deepEqual([lengths, one.waiting(), one.partial()], [[16, 17, 18, 19, 20], false, false])
  })
  it('does not wait for itself with a PDU that has only begun', () => {
    const one = framer(
      () => undefined,
      undefined,
      () => false,
    )
    one.push(Buffer.concat([pdu(16), pdu(99).subarray(0, 50)]))
    one.goOn()
    assert.deepEqual([one.waiting(), one.partial(), one.completed()], [false, true, 1])
    one.push(pdu(99).subarray(50))
    assert.deepEqual([one.waiting(), one.partial(), one.completed()], [false, false, 2])
  })
  it('tells of a fault where it goes on, once', () => {
    const one = framer(
      () => undefined,
      undefined,
      () => false,
    )
    assert.equal(one.push(Buffer.concat([pdu(16), Buffer.from('00000003ffff', 'hex')])), undefined)
    assert.equal(one.goOn()?.commandLength, 3)
    assert.deepEqual([one.goOn(), one.waiting()], [undefined, false])
  })
  it('keeps what came before a fault, and tells where it is', () => {
    const { push, lengths, completed } = cutter()
    const fault = push(Buffer.concat([pdu(18), Buffer.from('00000003ffff', 'hex')]))
    assert.deepEqual(fault, { commandLength: 3, speaks: 'smpp' })
    assert.deepEqual([lengths(), completed()], [[18], 1])
  })
  it('says at every octet whether a PDU has begun, and hands it on with its last one', () => {
    const octets = Buffer.concat([pdu(16, 1), pdu(20, 2)])
    const { push, frames, partial, completed } = cutter()
    for (const [i, octet] of octets.entries()) {
      push(Buffer.of(octet))
      const done = i >= 35 ? 2 : i >= 15 ? 1 : 0
      assert.deepEqual([completed(), partial()], [done, i !== 15 && i !== 35], `after octet ${i}`)
    }
    assert.deepEqual(Buffer.concat(frames), octets)
  })
  it('joins what came in any three pieces', () => {
    const octets = Buffer.concat([pdu(16, 1), pdu(19, 2), pdu(16, 3)])
    for (let a = 0; a <= octets.length; a++) {
      for (let b = a; b <= octets.length; b++) {
        const { push, frames, lengths, partial } = cutter()
        for (const piece of [octets.subarray(0, a), octets.subarray(a, b), octets.subarray(b)])
          assert.equal(push(piece), undefined)
        assert.deepEqual([lengths(), partial()], [[16, 19, 16], false])
        assert.deepEqual(Buffer.concat(frames), octets)
      }
    }
  })
  it('waits for the whole of a long PDU before it joins the pieces: a view where one chunk held all, one copy where not', () => {
    const { push, frames } = cutter()
    const whole = Buffer.concat([pdu(16), pdu(30)])
    push(whole)
    assert.ok(frames.every((frame) => frame.buffer === whole.buffer))
    let joined = 0
    const { concat } = Buffer
    Buffer.concat = (...args) => (joined++, concat(...args))
    try {
      const long = pdu(5_000)
      for (let at = 0; at < long.length; at += 100) push(long.subarray(at, at + 100))
    } finally {
      Buffer.concat = concat
    }
    assert.deepEqual([frames.length, joined], [3, 1])
  })

  const OPENINGS: [string | Buffer, Speaks][] = [
    [Buffer.from('1503030002', 'hex'), 'tls'],
    [Buffer.from('1403000002', 'hex'), 'tls'],
    [Buffer.from('1703040002', 'hex'), 'tls'],
    [Buffer.from('1803030002', 'hex'), 'nothing-known'],
    [Buffer.from('1603050002', 'hex'), 'nothing-known'],
    ['HTTP/1.1 400', 'http'],
    ['GET / HTTP/1.1', 'http'],
    ['POST / ', 'http'],
    ['HEAD / ', 'http'],
    ['OPTIONS *', 'http'],
    ['PROXY TCP4', 'proxy'],
    [Buffer.from('0d0a0d0a000d0a51', 'hex'), 'proxy'],
    ['SSH-2.0-x', 'ssh'],
    ['hello, you', 'text'],
    [Buffer.from('hello yo\xff', 'latin1'), 'text'],
    ['\r\n\t hello', 'text'],
    [Buffer.from('ffffffffffffffff', 'hex'), 'nothing-known'],
    [Buffer.from('68656c6c6fff6f6f', 'hex'), 'nothing-known'],
  ]
  for (const [octets, speaks] of OPENINGS) {
    it(`knows ${speaks} by its first octets: ${JSON.stringify(String(octets)).slice(0, 20)}`, () => {
      assert.equal(cutter().push(Buffer.from(octets))?.speaks, speaks)
    })
  }
  it('takes text after a good PDU for a slip, and TLS still for TLS', () => {
    const slip = cutter()
    assert.equal(slip.push(Buffer.concat([pdu(16), Buffer.from('hello, you')]))?.speaks, 'smpp')
    const tls = cutter()
    assert.equal(tls.push(Buffer.concat([pdu(16), Buffer.from('1503030002', 'hex')]))?.speaks, 'tls')
  })
})
