/** The octets of the raw loop, by hand: SMPP as the simulator's standard dialect speaks it, and nothing checked. */

/** What matters of a deliver_sm. */
export interface Deliver {
  msisdn: string
  subscriber: number
  /** What was dialled, as an address. */
  code: string
  op: number
  carrier: number
}

const HEADER = 16
const BIND_TRANSCEIVER = 0x09
const SUBMIT_SM = 0x04
const DELIVER_SM_RESP = 0x80000005
const RESPONSE = 0x80000000
const OP = 0x0501
const CARRIER = 0x1383
const [ASKS, ENDS] = [2, 17]
/** TON and NPI of both addresses are 1, as the daemon's are. */
const ADDRESS = '\x01\x01'

/** Cuts a stream into PDUs. */
export function frames(on: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const all = rest.length ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    while (all.length - at >= HEADER) {
      const length = all.readUInt32BE(at)
      if (all.length - at < length) break
      on(all.subarray(at, at + length))
      at += length
    }
    rest = all.subarray(at)
  }
}

export function skim(frame: Buffer): Deliver {
  const source = frame.indexOf(0, HEADER) + 3 // service_type, TON, NPI
  const sourceEnd = frame.indexOf(0, source)
  const code = sourceEnd + 3
  const codeEnd = frame.indexOf(0, code)
  let at = frame.indexOf(0, codeEnd + 4) + 1 // esm_class, protocol_id, priority_flag, schedule_delivery_time
  at = frame.indexOf(0, at) + 5 // validity_period, four octets
  at += frame[at]! + 1
  let [op, carrier] = [0, 0]
  while (at + 4 < frame.length) {
    const tag = frame.readUInt16BE(at)
    if (tag === OP) op = frame[at + 4]!
    else if (tag === CARRIER) carrier = frame.readUInt16BE(at + 4)
    at += 4 + frame.readUInt16BE(at + 2)
  }
  const msisdn = frame.toString('latin1', source, sourceEnd)
  return { msisdn, subscriber: Number(msisdn), code: frame.toString('latin1', code, codeEnd), op, carrier }
}

export function deliverResponse(deliver: Buffer): Buffer {
  const octets = header(DELIVER_SM_RESP, deliver.readUInt32BE(12), HEADER + 1)
  octets[HEADER] = 0 // message_id
  return octets
}

export function screenOf(turn: Deliver, text: string, isLast: boolean, sequence: number): Buffer {
  const body = `USSD\0${ADDRESS}${turn.code}\0${ADDRESS}${turn.msisdn}\0\0\0\0\0\0\0\0\x0f\0`
  const textAt = HEADER + body.length + 1
  const octets = header(SUBMIT_SM, sequence, textAt + text.length + 5 + 6)
  octets.write(body, HEADER, 'latin1')
  octets[textAt - 1] = text.length
  let at = textAt + octets.write(text, textAt, 'latin1')
  at = octets.writeUInt16BE(OP, at)
  at = octets.writeUInt16BE(1, at)
  at = octets.writeUInt8(isLast ? ENDS : ASKS, at)
  at = octets.writeUInt16BE(CARRIER, at)
  at = octets.writeUInt16BE(2, at)
  // The next turn of the same dialogue: octet 2 counts from its second bit.
  octets.writeUInt16BE(((turn.carrier + 2) & 0xfffe) | (isLast ? 1 : 0), at)
  return octets
}

export function bindTransceiver(sequence: number): Buffer {
  const body = 'bench\0bench\0\0\x34\0\0\0'
  const octets = header(BIND_TRANSCEIVER, sequence, HEADER + body.length)
  octets.write(body, HEADER, 'latin1')
  return octets
}

/** A response that has no body. */
export function ok(request: Buffer): Buffer {
  return header((RESPONSE | request.readUInt32BE(4)) >>> 0, request.readUInt32BE(12), HEADER)
}

function header(command: number, sequence: number, length: number): Buffer {
  const octets = Buffer.allocUnsafe(length)
  octets.writeUInt32BE(length, 0)
  octets.writeUInt32BE(command, 4)
  octets.writeUInt32BE(0, 8)
  octets.writeUInt32BE(sequence, 12)
  return octets
}
