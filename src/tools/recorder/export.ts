/** What was recorded, as a capture file and as a listing for people. */
import { capturedFrames, showPdu, pcapOf } from '../capture/index.ts'
import type { RecordedPdu } from './ring.ts'

/** The first of the ports that systems assign. (RFC 6335 §6) */
const PORT_FIRST = 49_152
const PORTS = 16_384

/** Each connection is a TCP stream of its own, to the port that it had. */
export function traceCapture(recorded: readonly RecordedPdu[]): Buffer {
  const ports = new Map<string, number>()
  for (const { link } of recorded) if (!ports.has(link)) ports.set(link, PORT_FIRST + (ports.size % PORTS))
  return pcapOf(recorded.map(({ link, ...pdu }) => ({ ...pdu, stream: link, esmePort: ports.get(link)! })))
}

/** A block of lines per PDU: time, connection, then as `probe` shows it. */
export function traceText(recorded: readonly RecordedPdu[]): string {
  return recorded
    .map(({ atMs, from, link, octets }) => {
      const heading = `${new Date(atMs).toISOString()}  ${link}`
      const [decoded] = capturedFrames([{ atMs, link, from, octets }]).pdus
      const lines = decoded
        ? showPdu({ ...decoded, from }, 'as-they-are')
        : [`${from === 'smsc' ? '<' : '>'} cannot be read`, `    ${octets.toString('hex')}`]
      return [heading, ...lines, ''].join('\n')
    })
    .join('\n')
}
