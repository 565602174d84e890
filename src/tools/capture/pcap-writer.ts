/** Writes recorded PDUs as a capture file, with synthetic IP and TCP headers, so that other tools can read them. */

/** One PDU, or as much of it as was written. */
export interface WirePdu {
  atMs: number
  from: 'esme' | 'smsc'
  /** The connection: each becomes a TCP stream of its own. */
  stream: string
  /** The port of the ESME. It differs between streams. */
  esmePort: number
  /** The port of the SMSC. */
  port: number
  octets: Buffer
}

/** LINKTYPE_RAW: packets begin with the IP header. (tcpdump.org/linktypes.html) */
const LINKTYPE_RAW = 101
const IP_OCTETS = 20
const TCP_OCTETS = 20
/** The total length of IPv4 has 16 bits. */
const PAYLOAD_MAX = 60_000

/** ESMEs have 10.0.0.2, the SMSC has 10.0.0.1. Octets stay unchanged: the recorder has masked the passwords. */
export function pcapOf(pdus: readonly WirePdu[]): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(0x40000, 16)
  header.writeUInt32LE(LINKTYPE_RAW, 20)
  const parts: Buffer[] = [header]
  const streams = new Map<string, { esme: number; smsc: number }>()
  for (const one of pdus) {
    let at = streams.get(one.stream)
    if (!at) {
      at = { esme: 1001, smsc: 5001 }
      streams.set(one.stream, at)
      parts.push(...handshake(one))
    }
    for (let from = 0; from < one.octets.length; from += PAYLOAD_MAX) {
      const payload = one.octets.subarray(from, from + PAYLOAD_MAX)
      const [sequence, ack] = one.from === 'esme' ? [at.esme, at.smsc] : [at.smsc, at.esme]
      parts.push(packet({ pdu: one, payload, sequence, ack, flags: 0x18 }))
      at[one.from] += payload.length
    }
  }
  return Buffer.concat(parts)
}

interface Segment {
  pdu: WirePdu
  payload: Buffer
  sequence: number
  ack: number
  /** 0x02 SYN, 0x10 ACK, 0x08 PSH. */
  flags: number
}

function handshake(pdu: WirePdu): Buffer[] {
  const payload = Buffer.alloc(0)
  const by = (from: WirePdu['from']) => ({ pdu: { ...pdu, from }, payload })
  return [
    packet({ ...by('esme'), sequence: 1000, ack: 0, flags: 0x02 }),
    packet({ ...by('smsc'), sequence: 5000, ack: 1001, flags: 0x12 }),
    packet({ ...by('esme'), sequence: 1001, ack: 5001, flags: 0x10 }),
  ]
}

function packet({ pdu, payload, sequence, ack, flags }: Segment): Buffer {
  const length = IP_OCTETS + TCP_OCTETS + payload.length
  const octets = Buffer.alloc(16 + length)
  octets.writeUInt32LE(Math.floor(pdu.atMs / 1000), 0)
  octets.writeUInt32LE(Math.floor((pdu.atMs % 1000) * 1000), 4)
  octets.writeUInt32LE(length, 8)
  octets.writeUInt32LE(length, 12)
  const ip = octets.subarray(16)
  const isEsme = pdu.from === 'esme'
  ip[0] = 0x45
  ip.writeUInt16BE(length, 2)
  ip.writeUInt16BE(0x4000, 6)
  ip[8] = 64
  ip[9] = 6
  ip.set(isEsme ? [10, 0, 0, 2, 10, 0, 0, 1] : [10, 0, 0, 1, 10, 0, 0, 2], 12)
  ip.writeUInt16BE(checksum(ip.subarray(0, IP_OCTETS)), 10)
  const tcp = ip.subarray(IP_OCTETS)
  tcp.writeUInt16BE(isEsme ? pdu.esmePort : pdu.port, 0)
  tcp.writeUInt16BE(isEsme ? pdu.port : pdu.esmePort, 2)
  tcp.writeUInt32BE(sequence >>> 0, 4)
  tcp.writeUInt32BE(ack >>> 0, 8)
  tcp[12] = 0x50
  tcp[13] = flags
  tcp.writeUInt16BE(0xffff, 14)
  payload.copy(tcp, TCP_OCTETS)
  const pseudo = Buffer.alloc(12)
  ip.copy(pseudo, 0, 12, 20)
  pseudo[9] = 6
  pseudo.writeUInt16BE(length - IP_OCTETS, 10)
  tcp.writeUInt16BE(checksum(Buffer.concat([pseudo, tcp])), 16)
  return octets
}

/** The Internet checksum. (RFC 1071) */
function checksum(octets: Buffer): number {
  let sum = 0
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
