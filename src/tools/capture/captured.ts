/** One captured PDU: from a capture file, a hex log, or a probing bind. */
import { decode } from '../../smpp/pdu/index.ts'
import type { Pdu } from '../../smpp/index.ts'

export type Side = 'smsc' | 'esme'

export interface Captured {
  /** Milliseconds of the wall clock. A log without times counts its lines. */
  atMs: number
  /** The connection of the PDU. Sequence numbers are looked up within one connection. */
  link: string
  from: Side
  pdu: Pdu
  octets: Buffer
}

/** A frame, and what is known of its origin. */
export interface Frame {
  atMs: number
  link: string
  octets: Buffer
  /** Who sent it, if the source says so. */
  from?: Side
}

/** Commands that only one side sends. (SMPP v3.4 §2.3, table 2-1) */
const SENDERS: Readonly<Record<string, Side>> = {
  bind_transceiver: 'esme',
  bind_transmitter: 'esme',
  bind_receiver: 'esme',
  submit_sm: 'esme',
  submit_multi: 'esme',
  query_sm: 'esme',
  cancel_sm: 'esme',
  replace_sm: 'esme',
  deliver_sm_resp: 'esme',
  bind_transceiver_resp: 'smsc',
  bind_transmitter_resp: 'smsc',
  bind_receiver_resp: 'smsc',
  submit_sm_resp: 'smsc',
  submit_multi_resp: 'smsc',
  query_sm_resp: 'smsc',
  cancel_sm_resp: 'smsc',
  replace_sm_resp: 'smsc',
  deliver_sm: 'smsc',
  outbind: 'smsc',
  alert_notification: 'smsc',
}

/** The result for a list of frames: those that are PDUs, and how many are not. */
export interface CapturedFrames {
  pdus: Captured[]
  broken: number
}

/**
 * The frames as PDUs, in order. Both sides send data_sm: its sender is what the source says, or else follows from the
 * addresses.
 */
export function capturedFrames(frames: readonly Frame[]): CapturedFrames {
  const pdus: Captured[] = []
  const unsure: number[] = []
  let broken = 0
  for (const { octets, from, ...where } of frames) {
    const decoded = decode(octets)
    if (decoded.fault) {
      broken++
      continue
    }
    const side = SENDERS[decoded.pdu.command] ?? from
    if (side === undefined) unsure.push(pdus.length)
    pdus.push({ ...where, octets, pdu: decoded.pdu, from: side ?? 'smsc' })
  }
  for (const at of unsure) (pdus[at] as Captured).from = sideOf(pdus, at, new Set(unsure))
  return { pdus, broken }
}

/**
 * The first data_sm between two addresses is the subscriber's begin: a dialogue starts with it. Further data_sm in the
 * same direction come from the SMSC too. A response comes from the other side than its request.
 */
function sideOf(pdus: readonly Captured[], at: number, unsure: ReadonlySet<number>): Side {
  const { pdu, link } = pdus[at] as Captured
  if (pdu.command.endsWith('_resp')) {
    const command = pdu.command.slice(0, -'_resp'.length)
    const asked = pdus.findLast(
      (it, i) => i < at && it.link === link && it.pdu.command === command && it.pdu.sequence === pdu.sequence,
    )
    return asked?.from === 'smsc' ? 'esme' : 'smsc'
  }
  const [source, destination] = [pdu.body.source_addr, pdu.body.destination_addr]
  const first = pdus.find(
    (it, i) =>
      it.pdu.command === pdu.command &&
      (i === at || unsure.has(i)) &&
      [it.pdu.body.source_addr, it.pdu.body.destination_addr].includes(longer(source, destination)),
  )
  return first?.pdu.body.source_addr === source ? 'smsc' : 'esme'
}

/** A subscriber's number is longer than that of a service. */
function longer(a: unknown, b: unknown): string {
  return String(a ?? '').length >= String(b ?? '').length ? String(a ?? '') : String(b ?? '')
}
