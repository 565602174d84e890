/** The ring against a plain list that forgets by the same rule. */
import assert from 'node:assert/strict'
import { Ring } from '../../../src/tools/recorder/ring.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'

const entry = (serial: number, octets: Buffer) => ({
  serial,
  atMs: serial * 10,
  from: serial % 2 ? ('esme' as const) : ('smsc' as const),
  link: 'a/0#x.1',
  port: 65_535 - serial,
  octets,
})

/** A PDU of the SMSC; `command`: 5 is a request. */
function pdu(serial: number, command: number, sequence: number, more: object = {}) {
  const octets = Buffer.alloc(16)
  octets.writeUInt32BE(command >>> 0, 4)
  octets.writeUInt32BE(sequence, 12)
  return { ...entry(serial, octets), from: 'smsc' as const, ...more }
}

describe('the ring of recorded PDUs', () => {
  it('gives back what was put in, the oldest first', () => {
    const ring = new Ring({ pdusMax: 10, octetsMax: 1_000 })
    assert.deepEqual(ring.all(), [])
    const put = [1, 2, 3].map((n) => entry(n, Buffer.alloc(16 + n, n)))
    put.forEach((one) => ring.put(one))
    assert.deepEqual(ring.all(), put)
  })

  it('forgets the oldest above either limit, and nothing else is ever spoilt', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const chance = seededChance(seed)
      const [pdusMax, octetsMax] = [1 + Math.floor(chance() * 20), 200 + Math.floor(chance() * 400)]
      const ring = new Ring({ pdusMax, octetsMax })
      const all: ReturnType<typeof entry>[] = []
      for (let n = 1; n <= 200; n++) {
        const one = entry(n, Buffer.alloc(16 + Math.floor(chance() * 180), n))
        all.push(one)
        ring.put(one)
        const kept = ring.all()
        assert.deepEqual(kept, all.slice(-kept.length), `seed ${seed}, PDU ${n}`)
        assert.ok(kept.length >= 1 && kept.length <= pdusMax)
        assert.ok(kept.reduce((sum, it) => sum + it.octets.length, 0) <= octetsMax)
      }
      const held = ring.all().reduce((sum, it) => sum + it.octets.length, 0)
      // At most one PDU's room is lost at the end of the buffer, and one where the next goes.
      assert.ok(ring.all().length === pdusMax || held > octetsMax - 2 * 196, `seed ${seed}: ${held} of ${octetsMax}`)
    }
  })

  it('leaves out what is larger than the whole buffer', () => {
    const ring = new Ring({ pdusMax: 10, octetsMax: 100 })
    ring.put(entry(1, Buffer.alloc(90)))
    ring.put(entry(2, Buffer.alloc(101)))
    assert.deepEqual(
      ring.all().map((it) => it.serial),
      [1],
    )
  })

  it('does not hold on to the chunk that a PDU was read in', () => {
    const ring = new Ring({ pdusMax: 10, octetsMax: 1_000 })
    const chunk = Buffer.alloc(64, 1)
    ring.put(entry(1, chunk.subarray(0, 20)))
    chunk.fill(9)
    assert.deepEqual(ring.all()[0]!.octets, Buffer.alloc(20, 1))
  })

  it('is told what a request was although others share the last bits of its number, but for those of long ago', () => {
    const ring = new Ring({ pdusMax: 30, octetsMax: 1_000 })
    for (let n = 1; n <= 20; n++) ring.put(pdu(n, 5, 7, { link: `a/0#x.${n}` }))
    for (const n of [1, 12, 13, 20, 21]) ring.mark(`a/0#x.${n}`, 7, 'open')
    const seen = ring.all().flatMap((one) => (one.seen ? one.link : []))
    assert.deepEqual(seen, ['a/0#x.13', 'a/0#x.20'])
  })

  it('does not search for a request that was overwritten, as all are on a line with more at once', () => {
    const ring = new Ring({ pdusMax: 1_000, octetsMax: 100_000 })
    for (let n = 1; n <= 3_000; n++) ring.put(pdu(n, 5, n))
    let looks = 0
    const { readInt8 } = Buffer.prototype
    Buffer.prototype.readInt8 = function (at?: number) {
      looks++
      return readInt8.call(this, at)
    }
    try {
      for (let n = 1; n <= 3_000; n++) ring.mark('a/0#x.1', n, 'code')
    } finally {
      Buffer.prototype.readInt8 = readInt8
    }
    assert.ok(looks <= 6_000, `${looks} looks`)
    assert.deepEqual([...new Set(ring.all().map(({ seen }) => seen))], ['code'])
  })

  it('is told of the newest request of a number what it was, and of nothing else', () => {
    const ring = new Ring({ pdusMax: 6, octetsMax: 1_000 })
    const put = [
      pdu(1, 5, 7),
      pdu(2, 5, 7),
      pdu(3, 5, 7, { link: 'a/0#x.2' }),
      pdu(4, 0x80000004, 7),
      pdu(5, 4, 7, { from: 'esme' }),
      pdu(6, 5, 8),
    ]
    put.forEach((one) => ring.put(one))
    const seen = () => ring.all().map((one) => ('seen' in one ? one.seen : '-'))
    ring.mark('a/0#x.1', 7, 'open')
    ring.mark('a/0#x.1', 9, 'code')
    assert.deepEqual(seen(), ['-', 'open', '-', '-', '-', '-'])
    ring.mark('a/0#x.1', 8, 'code')
    ring.put(pdu(7, 5, 9))
    ring.put(pdu(8, 5, 10))
    assert.deepEqual(seen(), ['-', '-', '-', 'code', '-', '-'], 'whoever takes the place of one that was marked is not')
  })
})
