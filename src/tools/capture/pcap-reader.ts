/** Reads packets from capture files: classic pcap and pcapng, in either byte order. */
import { UsageError } from '../../base/index.ts'

export interface Packet {
  atMs: number
  /** LINKTYPE_* number. (tcpdump.org/linktypes.html) */
  linkType: number
  octets: Buffer
  /** The end of the packet was not captured (snaplen). */
  isCut: boolean
}

const MICROS = 0xa1b2c3d4
const NANOS = 0xa1b23c4d
const SECTION = 0x0a0d0d0a
/** The mark of a pcapng section in its own byte order. */
const BYTE_ORDER = 0x1a2b3c4d
const BLOCK = { section: SECTION, interface: 1, simple: 3, enhanced: 6 }
/** No packet of any network is longer. */
const PACKET_OCTETS_MAX = 1 << 20
const TSRESOL = 9

export function isCapture(octets: Buffer): boolean {
  if (octets.length < 24) return false
  const magic = octets.readUInt32BE(0)
  return magic === SECTION || endianOf(octets) !== undefined
}

/** Packets up to the end, or up to where the file breaks off. Throws UsageError if the file is not a capture. */
export function* readCapture(octets: Buffer): Generator<Packet> {
  if (octets.length >= 12 && octets.readUInt32BE(0) === SECTION) return yield* readPcapng(octets)
  const order = endianOf(octets)
  if (octets.length < 24 || !order) throw new UsageError('the file is not pcap or pcapng')
  const read = (at: number) => (order.big ? octets.readUInt32BE(at) : octets.readUInt32LE(at))
  // The upper half has flags about checksums at the end of a frame.
  const linkType = read(20) & 0xffff
  for (let at = 24; at + 16 <= octets.length;) {
    const length = read(at + 8)
    if (length > PACKET_OCTETS_MAX || at + 16 + length > octets.length) return
    const atMs = read(at) * 1000 + read(at + 4) / (order.nanos ? 1e6 : 1e3)
    yield { atMs, linkType, octets: octets.subarray(at + 16, at + 16 + length), isCut: read(at + 12) > length }
    at += 16 + length
  }
}

function endianOf(octets: Buffer): { big: boolean; nanos: boolean } | undefined {
  const [big, little] = [octets.readUInt32BE(0), octets.readUInt32LE(0)]
  if (big === MICROS || big === NANOS) return { big: true, nanos: big === NANOS }
  return little === MICROS || little === NANOS ? { big: false, nanos: little === NANOS } : undefined
}

interface Interface {
  linkType: number
  /** How many ticks of a time stamp make a millisecond. */
  perMs: number
}

/** Blocks of pcapng. (draft-ietf-opsawg-pcapng §3) */
function* readPcapng(octets: Buffer): Generator<Packet> {
  let big = false
  let interfaces: Interface[] = []
  const u32 = (at: number) => (big ? octets.readUInt32BE(at) : octets.readUInt32LE(at))
  for (let at = 0; at + 12 <= octets.length;) {
    if (octets.readUInt32BE(at) === SECTION) {
      big = octets.readUInt32BE(at + 8) === BYTE_ORDER
      interfaces = []
    }
    const [type, length] = [u32(at), u32(at + 4)]
    if (length < 12 || length % 4 !== 0 || at + length > octets.length) return
    const end = at + length - 4
    if (type === BLOCK.interface && length >= 20) interfaces.push(interfaceOf(octets.subarray(at + 8, end), big))
    if (type === BLOCK.enhanced && length >= 32) {
      const { linkType, perMs } = interfaces[u32(at + 8)] ?? { linkType: 1, perMs: 1000 }
      const ticks = u32(at + 12) * 2 ** 32 + u32(at + 16)
      const packet = octets.subarray(at + 28, Math.min(at + 28 + u32(at + 20), end))
      yield { atMs: ticks / perMs, linkType, octets: packet, isCut: u32(at + 24) > packet.length }
    }
    if (type === BLOCK.simple) {
      const packet = octets.subarray(at + 12, Math.min(at + 12 + u32(at + 8), end))
      yield { atMs: at, linkType: interfaces[0]?.linkType ?? 1, octets: packet, isCut: u32(at + 8) > packet.length }
    }
    at += length
  }
}

function interfaceOf(block: Buffer, big: boolean): Interface {
  const u16 = (at: number) => (big ? block.readUInt16BE(at) : block.readUInt16LE(at))
  let perMs = 1000
  for (let at = 8; at + 4 <= block.length;) {
    const [code, length] = [u16(at), u16(at + 2)]
    const resolution = block[at + 4]
    if (code === TSRESOL && length === 1 && resolution !== undefined) {
      const perSecond = resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution
      perMs = perSecond / 1000
    }
    at += 4 + Math.ceil(length / 4) * 4
  }
  return { linkType: u16(0), perMs }
}
