/** The last PDUs in both directions, and how to show one. Passwords are masked before a PDU is kept. */
import type { WirePdu } from '../../tools/capture/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { readPdu, octetsOfText, COMMANDS_BY_ID, nameOfStatus, TAGS, readSms, readUssd } from '../codec/index.ts'
import type { Peer } from './peer.ts'

export interface Traced {
  /** Increases over the whole life of the SMSC. */
  serial: number
  atMs: number
  /** in: from the ESME. */
  direction: 'in' | 'out'
  peer: string
  remotePort: number
  octets: Buffer
}

export interface Trace {
  record(peer: Peer, direction: 'in' | 'out', octets: Buffer): void
  all(): Traced[]
}

export function createTrace(max: number, clock: Clock, onRecord: (traced: Traced) => void): Trace {
  const ring: Traced[] = []
  let serial = 0
  return {
    record(peer, direction, octets) {
      if (max === 0) return
      const traced: Traced = {
        serial: ++serial,
        atMs: clock.now(),
        direction,
        peer: peer.id,
        remotePort: peer.remotePort,
        octets: blotted(octets),
      }
      // Only now and then, and not for each PDU: shifting a long array is slow.
      if (ring.push(traced) > max * 2) ring.splice(0, ring.length - max)
      onRecord(traced)
    },
    all: () => ring.slice(-max),
  }
}

/** In the form for a capture file. */
export function wireOf({ atMs, direction, peer, remotePort, octets }: Traced, port: number): WirePdu {
  return { atMs, from: direction === 'in' ? 'esme' : 'smsc', stream: peer, esmePort: remotePort, port, octets }
}

/** A PDU in words, for a page or a terminal. */
export interface Described {
  command: string
  sequence: number
  status: string
  /** One line: addresses, operation, text. */
  summary: string
  fields: [string, string][]
  hex: string
}

export function describePdu(octets: Buffer): Described {
  const hex = octets.toString('hex')
  const whole = octets.length >= 16 && octets.readUInt32BE(0) === octets.length
  if (!whole)
    return {
      command: 'octets',
      sequence: 0,
      status: '',
      summary: `${octets.length} octets, not a whole PDU`,
      fields: [],
      hex,
    }
  const decoded = readPdu(octets)
  const status = nameOfStatus(octets.readUInt32BE(8))
  if (!decoded.ok) {
    return { command: decoded.command, sequence: decoded.sequence, status, summary: decoded.why, fields: [], hex }
  }
  const { command, sequence, body, tlvs } = decoded.pdu
  const op = tlvs.find((tlv) => tlv.tag === 0x0501)?.value[0]
  const dataCoding = typeof body['data_coding'] === 'number' ? body['data_coding'] : 0
  const octetsSaid = octetsOfText(decoded.pdu)
  const said = (op === undefined ? readSms : readUssd)(octetsSaid, dataCoding).text
  const fields: [string, string][] = Object.entries(body).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? spaced(value) : String(value),
  ])
  for (const { tag, value } of tlvs) {
    fields.push([`${TAGS.get(tag) ?? 'tlv'} 0x${tag.toString(16).padStart(4, '0')}`, spaced(value)])
  }
  if (said !== '') fields.push(['text', said])
  const route = 'source_addr' in body ? `${body['source_addr']} → ${body['destination_addr'] ?? ''}` : ''
  const id = body['message_id'] ? `id ${body['message_id']}` : ''
  const parts = [route, op === undefined ? '' : `op ${op}`, said ? JSON.stringify(said) : '', id]
  return { command, sequence, status, summary: parts.filter(Boolean).join(' · '), fields, hex }
}

/** `1b 65 0d`. */
const spaced = (octets: Buffer): string => octets.toString('hex').replace(/..(?=.)/g, '$& ')

/** A copy with the password of a bind or outbind masked. Its lengths stay correct. */
function blotted(octets: Buffer): Buffer {
  const copy = Buffer.from(octets)
  const name = copy.length > 16 ? (COMMANDS_BY_ID.get(copy.readUInt32BE(4))?.name ?? '') : ''
  const hasPassword = (name.startsWith('bind_') && !name.endsWith('_resp')) || name === 'outbind'
  if (!hasPassword) return copy
  const start = copy.indexOf(0, 16) + 1
  const end = copy.indexOf(0, start)
  if (start > 0 && end > start) copy.fill(0x2a, start, end)
  return copy
}
