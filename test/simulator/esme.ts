/** A small ESME over a plain TCP socket for the tests of the simulator: octets in, octets out, and a script. */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import type { Pdu, PduBody, Tlv } from '../../src/smpp/types.ts'
import { readPdu, writePdu } from '../../src/simulator/codec/codec.ts'
import { pduFramer } from '../../src/simulator/codec/framer.ts'

export interface Esme {
  socket: Socket
  /** Everything that came, in order. */
  seen: Pdu[]
  /** The first PDU, come or to come, that nobody has taken and that fits. */
  take(fits: string | ((pdu: Pdu) => boolean)): Promise<Pdu>
  send(pdu: { command: string; status?: number; sequence?: number; body?: PduBody; tlvs?: Tlv[] }): number
  /** Acknowledges a deliver_sm. */
  ack(pdu: Pdu, status?: number): void
  bind(mode?: string, systemId?: string, password?: string): Promise<Pdu>
  closed: Promise<void>
  isClosed(): boolean
  end(): void
}

export async function esme(port: number): Promise<Esme> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setNoDelay(true)
  const seen: Pdu[] = []
  const untaken: Pdu[] = []
  const waiting: { fits(pdu: Pdu): boolean; take(pdu: Pdu): void; fail(why: Error): void }[] = []
  let sequence = 0
  let isClosed = false
  const cut = pduFramer((frame) => {
    const result = readPdu(Buffer.from(frame))
    if (!result.ok) throw new Error(`the simulator sent ${frame.toString('hex')}: ${result.why}`)
    seen.push(result.pdu)
    const at = waiting.findIndex((one) => one.fits(result.pdu))
    if (at < 0) untaken.push(result.pdu)
    else waiting.splice(at, 1)[0]!.take(result.pdu)
  })
  socket.on('data', (octets) => void cut.push(octets))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((done) =>
    socket.on('close', () => {
      isClosed = true
      for (const one of waiting.splice(0)) one.fail(new Error(`closed; seen: ${seen.map((p) => p.command).join(' ')}`))
      done()
    }),
  )
  const self: Esme = {
    socket,
    seen,
    closed,
    isClosed: () => isClosed,
    take(wanted) {
      const fits = typeof wanted === 'string' ? (pdu: Pdu) => pdu.command === wanted : wanted
      const at = untaken.findIndex(fits)
      if (at >= 0) return Promise.resolve(untaken.splice(at, 1)[0]!)
      return new Promise((take, fail) => waiting.push({ fits, take, fail }))
    },
    send(pdu) {
      const used = pdu.sequence ?? ++sequence
      socket.write(writePdu({ body: {}, ...pdu, sequence: used }))
      return used
    },
    ack: (pdu, status = 0) => void self.send({ command: `${pdu.command}_resp`, sequence: pdu.sequence, status }),
    bind(mode = 'transceiver', systemId = 'aweh', password = 'secret08') {
      self.send({ command: `bind_${mode}`, body: { system_id: systemId, password, interface_version: 0x34 } })
      return self.take(`bind_${mode}_resp`)
    },
    end: () => socket.destroy(),
  }
  return self
}

/** What the ESME says to a deliver_sm in the standard reading: addresses swapped, carrier echoed with the next turn. */
export function reply(
  to: Pdu,
  op: number,
  text: string,
  more: { turn?: number; end?: boolean } = {},
): { command: string; body: PduBody; tlvs: Tlv[] } {
  const carrier = Buffer.from(to.tlvs.find((t) => t.tag === 0x1383)?.value ?? Buffer.alloc(2))
  carrier[1] = ((more.turn ?? 1) << 1) | (more.end ? 1 : 0)
  const b = to.body
  return {
    command: 'submit_sm',
    body: {
      service_type: b['service_type'],
      source_addr_ton: b['dest_addr_ton'],
      source_addr_npi: b['dest_addr_npi'],
      source_addr: b['destination_addr'],
      dest_addr_ton: b['source_addr_ton'],
      dest_addr_npi: b['source_addr_npi'],
      destination_addr: b['source_addr'],
      data_coding: 0x0f,
      short_message: Buffer.from(text, 'latin1'),
    },
    tlvs: [
      { tag: 0x0501, value: Buffer.of(op) },
      { tag: 0x1383, value: carrier },
    ],
  }
}
