/** One captured packet as a TCP segment, whatever wraps it. Null: it is something else. */
import type { Packet } from './pcap-reader.ts'

export interface Segment {
  atMs: number
  /** `10.0.0.1:2775` */
  from: string
  to: string
  sequence: number
  syn: boolean
  /** FIN or RST: later packets on the same ports belong to another connection. */
  over: boolean
  payload: Buffer
}

/** LINKTYPE_* (tcpdump.org/linktypes.html): octets before the network packet, and where its type is. */
const LINK: Readonly<Record<number, { header: number; typeAt?: number }>> = {
  0: { header: 4 }, // NULL
  1: { header: 14, typeAt: 12 }, // ETHERNET
  12: { header: 0 },
  14: { header: 0 },
  101: { header: 0 }, // RAW
  108: { header: 4 }, // LOOP
  113: { header: 16, typeAt: 14 }, // LINUX_SLL
  228: { header: 0 },
  229: { header: 0 }, // IPV4, IPV6
  276: { header: 20, typeAt: 0 }, // LINUX_SLL2
}
const ETHER = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, stacked: 0x88a8, old: 0x9100 }
const TCP = 6
/** Extension headers to skip. (RFC 8200 §4.1) */
const EXTENSIONS = new Set([0, 43, 60, 51, 135])

export function isKnownLink(linkType: number): boolean {
  return linkType in LINK
}

export function segmentOf({ atMs, linkType, octets }: Packet): Segment | null {
  const link = LINK[linkType]
  if (!link || octets.length < link.header + 20) return null
  let network = octets.subarray(link.header)
  if (link.typeAt !== undefined) {
    let type = octets.readUInt16BE(link.typeAt)
    while ((type === ETHER.vlan || type === ETHER.stacked || type === ETHER.old) && network.length >= 4) {
      type = network.readUInt16BE(2)
      network = network.subarray(4)
    }
    if (type !== ETHER.ipv4 && type !== ETHER.ipv6) return null
  }
  const ip = (network[0] ?? 0) >> 4 === 6 ? ipv6Of(network) : ipv4Of(network)
  return ip && tcpOf(atMs, ip)
}

interface Ip {
  source: string
  destination: string
  payload: Buffer
}

/** Skips fragments: SMPP over TCP has none. */
function ipv4Of(octets: Buffer): Ip | null {
  if (octets.length < 20 || (octets[0] as number) >> 4 !== 4 || octets[9] !== TCP) return null
  if ((octets.readUInt16BE(6) & 0x3fff) !== 0) return null
  const header = ((octets[0] as number) & 15) * 4
  // Length 0: the network card splits the packet later.
  const total = octets.readUInt16BE(2) || octets.length
  const address = (at: number) => [...octets.subarray(at, at + 4)].join('.')
  if (header < 20 || total < header) return null
  return { source: address(12), destination: address(16), payload: octets.subarray(header, total) }
}

function ipv6Of(octets: Buffer): Ip | null {
  if (octets.length < 40) return null
  let next = octets[6] as number
  let at = 40
  const end = Math.min(octets.length, 40 + (octets.readUInt16BE(4) || octets.length))
  while (EXTENSIONS.has(next) && at + 8 <= end) {
    const isAuth = next === 51
    next = octets[at] as number
    at += isAuth ? ((octets[at + 1] as number) + 2) * 4 : ((octets[at + 1] as number) + 1) * 8
  }
  if (next !== TCP || at >= end) return null
  const address = (from: number) => octets.toString('hex', from, from + 16).replace(/(.{4})(?=.)/g, '$1:')
  return { source: `[${address(8)}]`, destination: `[${address(24)}]`, payload: octets.subarray(at, end) }
}

function tcpOf(atMs: number, { source, destination, payload }: Ip): Segment | null {
  if (payload.length < 20) return null
  const header = ((payload[12] as number) >> 4) * 4
  if (header < 20 || header > payload.length) return null
  const flags = payload[13] as number
  return {
    atMs,
    from: `${source}:${payload.readUInt16BE(0)}`,
    to: `${destination}:${payload.readUInt16BE(2)}`,
    sequence: payload.readUInt32BE(4),
    syn: (flags & 2) !== 0,
    over: (flags & 5) !== 0,
    payload: payload.subarray(header),
  }
}
