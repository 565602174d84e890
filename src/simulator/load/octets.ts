/**
 * The octets of a load run, in the standard dialect: templates are patched, and frames are read only as far as needed.
 */
import { writePdu } from '../codec/index.ts'
import { standardCoding, serviceNumber } from '../network/index.ts'

/** The numbers of a run's subscribers begin here. */
const FIRST_MSISDN = 67_500_000_000
const MSISDN_DIGITS = 11
const HEADER = 16

/** One request of the network with gaps for subscriber, sequence number and carrier. */
export interface Template {
  octets: Buffer
  msisdnAt: number
  carrierAt: number
}

export function template(step: 'begin' | 'input', text: string, code: string): Template {
  const msisdn = String(FIRST_MSISDN)
  const coding = standardCoding()
  const dialogue = coding.open({ number: 0, msisdn, source: [1, 1, msisdn], code, by: 'subscriber', beginOp: 1 })
  const spoken = coding.say(step, dialogue, text)!
  const octets = writePdu({ ...spoken, sequence: 0 })
  const carrier = spoken.tlvs.find((tlv) => tlv.tag === 0x1383)!.value
  if (octets.subarray(-carrier.length).compare(carrier) !== 0)
    throw new Error(`too long for a load run: ${serviceNumber(code)} ${text}`)
  return { octets, msisdnAt: octets.indexOf(`${msisdn}\0`), carrierAt: octets.length - carrier.length }
}

/** A copy of a template for one subscriber. */
export function fill(from: Template, subscriber: number, sequence: number, carrier: number): Buffer {
  const octets = Buffer.allocUnsafe(from.octets.length)
  from.octets.copy(octets)
  octets.writeUInt32BE(sequence, 12)
  octets.writeUInt16BE(carrier, from.carrierAt)
  let rest = FIRST_MSISDN + subscriber
  for (let at = from.msisdnAt + MSISDN_DIGITS - 1; at >= from.msisdnAt; at--) {
    octets[at] = 0x30 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return octets
}

/** What matters in a submit_sm. One object, overwritten by each call. */
export interface Skimmed {
  /** The index of the subscriber. -1: not one of this run. */
  subscriber: number
  /** ussd_service_op; -1: an SMS. */
  op: number
  carrier: number
}

/** Reads a submit_sm only as far as needed. */
export function skim(frame: Buffer, into: Skimmed): void {
  into.subscriber = -1
  into.op = -1
  into.carrier = -1
  let at = frame.indexOf(0, HEADER) + 3 // service_type, TON, NPI
  at = frame.indexOf(0, at) + 3 // source_addr, TON, NPI
  const end = frame.indexOf(0, at)
  let msisdn = 0
  for (let i = at; i < end; i++) msisdn = msisdn * 10 + frame[i]! - 0x30
  into.subscriber = msisdn - FIRST_MSISDN
  at = frame.indexOf(0, end + 4) + 1 // esm_class, protocol_id, priority_flag, schedule_delivery_time
  at = frame.indexOf(0, at) + 5 // validity_period, four octets
  at += frame[at]! + 1
  while (at + 4 < frame.length) {
    const tag = frame.readUInt16BE(at)
    if (tag === 0x0501) into.op = frame[at + 4]!
    else if (tag === 0x1383) into.carrier = frame.readUInt16BE(at + 4)
    at += 4 + frame.readUInt16BE(at + 2)
  }
}

const RESPONSE = writePdu({ command: 'submit_sm_resp', sequence: 0, body: { message_id: '1' } })

export function submitResp(sequence: number): Buffer {
  const octets = Buffer.allocUnsafe(RESPONSE.length)
  RESPONSE.copy(octets)
  octets.writeUInt32BE(sequence, 12)
  return octets
}
