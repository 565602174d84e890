/** Files of PDUs: every form of capture that tools write, with the troubles of TCP, and logs of hex. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readPdus } from '../../../src/tools/capture/capture.ts'
import { capturedFrames, type Captured } from '../../../src/tools/capture/captured.ts'
import { readHexLog } from '../../../src/tools/capture/hex-log.ts'
import { segmentOf, type Segment } from '../../../src/tools/capture/packet.ts'
import { readCapture } from '../../../src/tools/capture/pcap-reader.ts'
import { reassemble } from '../../../src/tools/capture/reassembly.ts'
import { encode } from '../../../src/smpp/pdu/codec.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { pcapOf } from '../../../src/tools/capture/pcap-writer.ts'
import { speak } from '../infer/spoken.ts'

const DIR = new URL('../../../dialects', import.meta.url).pathname
const spoken = speak(loadProfile('ng-datasm', DIR), seededChance(3))!
const standard = speak(loadProfile('standard', DIR), seededChance(3))!
const hexOf = (pdus: readonly Captured[]) => pdus.map((it) => `${it.from} ${it.octets.toString('hex')}`)

type Link = 'raw' | 'ethernet' | 'vlan' | 'sll' | 'sll2' | 'null'
const LINK_TYPES: Record<Link, number> = { raw: 101, ethernet: 1, vlan: 1, sll: 113, sll2: 276, null: 0 }

interface Form {
  link: Link
  ipv6: boolean
  file: 'pcap' | 'pcap-big' | 'nanos' | 'pcapng' | 'pcapng-big'
}

function packetOf(it: Captured, sequence: number, { link, ipv6 }: Form): Buffer {
  const tcp = Buffer.alloc(20)
  tcp.writeUInt16BE(it.from === 'smsc' ? 7777 : 40_000, 0)
  tcp.writeUInt16BE(it.from === 'smsc' ? 40_000 : 7777, 2)
  tcp.writeUInt32BE(sequence, 4)
  tcp.writeUInt16BE(0x5018, 12)
  const payload = Buffer.concat([tcp, it.octets])
  const [smsc, esme] = ipv6
    ? [Buffer.alloc(16, 1), Buffer.alloc(16, 2)]
    : [Buffer.of(10, 0, 0, 1), Buffer.of(10, 0, 0, 2)]
  const addresses = it.from === 'smsc' ? [smsc!, esme!] : [esme!, smsc!]
  const head = ipv6 ? Buffer.alloc(8) : Buffer.alloc(12)
  if (ipv6) {
    head[0] = 0x60
    head.writeUInt16BE(payload.length + 8, 4)
    head[6] = 0 // hop-by-hop options stand before TCP
  } else {
    head[0] = 0x45
    head.writeUInt16BE(20 + payload.length, 2)
    head[9] = 6
  }
  const options = ipv6 ? [Buffer.of(6, 0, 1, 4, 0, 0, 0, 0)] : []
  const type = Buffer.alloc(2)
  type.writeUInt16BE(ipv6 ? 0x86dd : 0x0800)
  const links: Record<Link, Buffer[]> = {
    raw: [],
    null: [Buffer.of(2, 0, 0, 0)],
    ethernet: [Buffer.alloc(12), type],
    vlan: [Buffer.alloc(12), Buffer.of(0x81, 0, 0, 5), type],
    sll: [Buffer.alloc(14), type],
    sll2: [type, Buffer.alloc(18)],
  }
  // Short frames are filled up on Ethernet: what is after the IP packet is nobody's.
  const filler = link === 'ethernet' ? [Buffer.alloc(6, 0xee)] : []
  return Buffer.concat([...links[link], head, ...addresses, ...options, payload, ...filler])
}

function fileOf(packets: readonly { atMs: number; octets: Buffer; whole?: number }[], { link, file }: Form): Buffer {
  const big = file.endsWith('big')
  const words = (...values: number[]) => {
    const out = Buffer.alloc(values.length * 4)
    values.forEach((value, i) => (big ? out.writeUInt32BE(value >>> 0, i * 4) : out.writeUInt32LE(value >>> 0, i * 4)))
    return out
  }
  if (!file.startsWith('pcapng')) {
    const parts = file === 'nanos' ? 1e6 : 1e3
    const header = words(file === 'nanos' ? 0xa1b23c4d : 0xa1b2c3d4, 0, 0, 0, 65_535, LINK_TYPES[link])
    return Buffer.concat([
      header,
      ...packets.flatMap(({ atMs, octets, whole = octets.length }) => [
        words(Math.floor(atMs / 1000), (atMs % 1000) * parts, octets.length, whole),
        octets,
      ]),
    ])
  }
  const block = (type: number, ...body: Buffer[]) => {
    const inner = Buffer.concat(body)
    const padded = Buffer.concat([inner, Buffer.alloc((4 - (inner.length % 4)) % 4)])
    return Buffer.concat([words(type, padded.length + 12), padded, words(padded.length + 12)])
  }
  const linkType = Buffer.alloc(4)
  if (big) linkType.writeUInt16BE(LINK_TYPES[link], 0)
  else linkType.writeUInt16LE(LINK_TYPES[link], 0)
  return Buffer.concat([
    block(0x0a0d0d0a, words(0x1a2b3c4d, 0, 0xffffffff, 0xffffffff)),
    block(1, linkType, words(0)),
    block(5, words(1, 2, 3)),
    ...packets.map(({ atMs, octets, whole = octets.length }) => {
      const micros = BigInt(atMs) * 1000n
      return block(6, words(0, Number(micros >> 32n), Number(micros & 0xffffffffn), octets.length, whole), octets)
    }),
  ])
}

function captureOf(pdus: readonly Captured[], form: Form): Buffer {
  const next = { smsc: 0xffffff00, esme: 77 } // the SMSC's sequence numbers wrap in it
  return fileOf(
    pdus.map((it) => {
      const octets = packetOf(it, next[it.from] >>> 0, form)
      next[it.from] += it.octets.length
      return { atMs: it.atMs, octets }
    }),
    form,
  )
}

describe('captures', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'capture-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  function read(octets: Buffer | string) {
    const path = join(dir, 'trace')
    writeFileSync(path, octets)
    return readPdus(path)
  }

  for (const file of ['pcap', 'pcap-big', 'nanos', 'pcapng', 'pcapng-big'] as const) {
    it(`reads ${file} of every link type, IPv4 and IPv6, data_sm of both sides told apart`, () => {
      for (const link of Object.keys(LINK_TYPES) as Link[]) {
        for (const ipv6 of [false, true]) {
          const { pdus, remarks } = read(captureOf(spoken.pdus, { link, ipv6, file }))
          assert.deepEqual(hexOf(pdus), hexOf(spoken.pdus), `${link} ${ipv6 ? 'IPv6' : 'IPv4'}`)
          assert.deepEqual(
            pdus.map((it) => it.atMs),
            spoken.pdus.map((it) => it.atMs),
          )
          assert.deepEqual(remarks, [])
        }
      }
    })
  }

  it('says that packets were captured in part only', () => {
    for (const file of ['pcap', 'pcapng'] as const) {
      const whole = standard.pdus.map((it, i) => packetOf(it, 1 + i * 1_000, { link: 'ethernet', ipv6: false, file }))
      const octets = fileOf(
        whole.map((it, i) => ({ atMs: i, octets: it.subarray(0, 96), whole: it.length })),
        {
          link: 'ethernet',
          ipv6: false,
          file,
        },
      )
      assert.match(read(octets).remarks[0]!, /^\d+ packets are incomplete: capture whole packets/, file)
      const heads = fileOf(
        whole.map((it, i) => ({ atMs: i, octets: it.subarray(0, 50), whole: it.length })),
        {
          link: 'ethernet',
          ipv6: false,
          file,
        },
      )
      assert.throws(() => read(heads), /\(\d+ packets are incomplete: capture whole packets \(tcpdump -s 0\)\)/, file)
    }
  })

  it('reads a gzipped capture, and names a link type that it cannot read', () => {
    const octets = captureOf(standard.pdus, { link: 'ethernet', ipv6: false, file: 'pcap' })
    assert.deepEqual(hexOf(read(gzipSync(octets)).pdus), hexOf(standard.pdus))
    assert.throws(
      () => read(gzipSync(octets).subarray(0, 200)),
      /trace is a gzip file that is broken or larger than 512 MB/,
    )
    octets.writeUInt32LE(239, 20)
    assert.throws(() => read(octets), /cannot read packets of link type 239: capture on an Ethernet interface/)
  })

  it('reads the captures that we write', () => {
    const traced = standard.pdus.map(({ atMs, from, octets }) => ({
      atMs,
      from,
      stream: 'a',
      esmePort: 40_001,
      port: 2_775,
      octets,
    }))
    assert.deepEqual(hexOf(read(pcapOf(traced)).pdus), hexOf(standard.pdus))
  })

  it('reads a file that breaks off, up to there', () => {
    const octets = captureOf(standard.pdus, { link: 'raw', ipv6: false, file: 'pcap' })
    const { pdus } = read(octets.subarray(0, octets.length - 5))
    assert.deepEqual(hexOf(pdus), hexOf(standard.pdus.slice(0, -1)))
  })

  it('never throws anything but a sentence for a damaged file', () => {
    const whole = captureOf(standard.pdus, { link: 'ethernet', ipv6: false, file: 'pcapng' })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const damaged = Buffer.from(whole)
        for (const [at, octet] of changes) damaged[at] = octet
        try {
          const segments = [...readCapture(damaged)].flatMap((it) => segmentOf(it) ?? [])
          capturedFrames(reassemble(segments).frames)
        } catch (error) {
          assert.match((error as Error).message, /is not pcap or pcapng/)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('puts segments together that were split, repeated, overlapped and out of order', () => {
    const stream = Buffer.concat(standard.pdus.filter((it) => it.from === 'smsc').map((it) => it.octets))
    const wanted = standard.pdus.filter((it) => it.from === 'smsc').map((it) => it.octets.toString('hex'))
    const start = 0xfffffff0
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 40, maxLength: 80 }),
        fc.nat(),
        (sizes, seed) => {
          const chance = seededChance(seed)
          const cuts: Segment[] = [segment(start - 1, Buffer.alloc(0), true)]
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length] as number
            // Some begin before the end of the one before, some come twice.
            const back = chance() < 0.2 ? Math.min(at, 7) : 0
            cuts.push(segment(start + at - back, stream.subarray(at - back, at + size)))
            if (chance() < 0.2) cuts.push(cuts.at(-1) as Segment)
            at += size
          }
          // Neighbours change places; the first, with the SYN, stays.
          for (let i = 1; i + 3 < cuts.length; i += 2)
            if (chance() < 0.4) [cuts[i], cuts[i + 2]] = [cuts[i + 2]!, cuts[i]!]
          // A SYN that is sent again is the same connection.
          cuts.splice(1 + Math.floor(chance() * (cuts.length - 1)), 0, cuts[0]!)
          const { frames, lostOctets } = reassemble(cuts)
          assert.equal(new Set(frames.map((it) => it.link)).size, 1)
          assert.deepEqual(
            frames.map((it) => it.octets.toString('hex')),
            wanted,
          )
          assert.equal(lostOctets, 0)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('goes on after octets that the capture has lost, and begins in the middle of a PDU', () => {
    const octets = standard.pdus.filter((it) => it.from === 'smsc').map((it) => it.octets)
    const whole = Buffer.concat(octets)
    const first = octets[0]!.length
    const gap = first + octets[1]!.length
    const { frames, lostOctets } = reassemble([segment(5, whole.subarray(5, first)), segment(gap, whole.subarray(gap))])
    assert.deepEqual(
      frames.map((it) => it.octets.toString('hex')),
      octets.slice(2).map((it) => it.toString('hex')),
    )
    assert.ok(lostOctets > 0)
  })

  it('takes a new connection on the same ports for another link', () => {
    const hello = encode({ command: 'enquire_link', body: {}, tlvs: [] })
    assert.ok('octets' in hello)
    const { frames } = reassemble([
      segment(99, Buffer.alloc(0), true),
      segment(100, hello.octets),
      segment(49_999, Buffer.alloc(0), true),
      segment(50_000, hello.octets),
    ])
    assert.equal(new Set(frames.map((it) => it.link)).size, 2)
  })
})

function segment(sequence: number, payload: Buffer, syn = false): Segment {
  return { atMs: 1, from: '10.0.0.1:2775', to: '10.0.0.2:4', sequence: sequence >>> 0, syn, over: false, payload }
}

describe('logs of hex', () => {
  const [pdu] = standard.pdus as [Captured]
  const hex = pdu.octets.toString('hex')
  const spaced = hex.replace(/(..)(?=.)/g, '$1 ')

  it('takes one PDU a line, with times and directions in the forms that people write', () => {
    const lines = [
      hex,
      spaced.toUpperCase(),
      hex.replace(/(..)(?=.)/g, '$1:'),
      `0x${hex}`,
      `2025-05-01T09:00:01.250Z < ${hex}`,
      `09:00:02.5 IN  ${spaced}`,
      `[2025-05-01 09:00:03,100] INFO recv pdu=${hex}`,
      `> ${hex}`,
      'a line without a PDU',
      '',
    ]
    const { frames, bad } = readHexLog(lines.join('\r\n'))
    assert.deepEqual(bad, [])
    assert.deepEqual(
      frames.map((it) => it.octets.toString('hex')),
      Array.from({ length: 8 }, () => hex),
    )
    assert.deepEqual(
      frames.map((it) => it.from),
      [undefined, undefined, undefined, undefined, 'smsc', 'smsc', 'smsc', 'esme'],
    )
    assert.equal(frames[4]?.atMs, Date.parse('2025-05-01T09:00:01.250Z'))
    assert.equal(frames[5]?.atMs, 32_402_500)
  })

  it('names the lines that hold no whole PDU', () => {
    assert.deepEqual(readHexLog(`${hex}\n${hex.slice(0, -2)}`).bad, [2])
  })

  it('tells the sides by commands where the log does not, data_sm by who asked first', () => {
    for (const one of [standard, spoken]) {
      const frames = one.pdus.map(({ atMs, octets }) => ({ atMs, octets, link: 'log' }))
      assert.deepEqual(
        capturedFrames(frames).pdus.map((it) => it.from),
        one.pdus.map((it) => it.from),
      )
    }
  })
})
