/** The other end of a link, raw: a TCP server that speaks octets, with no codec of ours or of npm in it. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { until } from './services.ts'

export const ID = {
  nack: 0x80000000,
  bindReceiver: 0x01,
  bindTransmitter: 0x02,
  query: 0x03,
  submit: 0x04,
  deliver: 0x05,
  unbind: 0x06,
  bindTransceiver: 0x09,
  outbind: 0x0b,
  enquire: 0x15,
  alert: 0x102,
  data: 0x103,
  response: 0x80000000,
} as const

export interface RawPdu {
  id: number
  status: number
  sequence: number
  body: Buffer
}

/** A PDU from its parts. */
export function raw(id: number, status: number, sequence: number, body: Buffer | string = ''): Buffer {
  const octets = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const header = Buffer.alloc(16)
  header.writeUInt32BE(16 + octets.length, 0)
  header.writeUInt32BE(id >>> 0, 4)
  header.writeUInt32BE(status, 8)
  header.writeUInt32BE(sequence, 12)
  return Buffer.concat([header, octets])
}

/** deliver_sm with a one-octet text and ussd_service_op 1. */
export function deliver(sequence: number, text = '1'): Buffer {
  const body = 'USSD\0\x01\x0167570000001\0\x00\x01*123#\0\x00\x00\x00\0\0\x00\x00\x0f\x00'
  return raw(ID.deliver, 0, sequence, `${body}${String.fromCharCode(text.length)}${text}\x05\x01\x00\x01\x01`)
}

export interface PeerConnection {
  readonly socket: Socket
  readonly received: RawPdu[]
  closed: boolean
  send(...octets: Buffer[]): void
  /** Waits until that many PDUs of this command have come; gives the last. */
  heard(id: number, count?: number): Promise<RawPdu>
  all(id: number): RawPdu[]
}

export interface Peer {
  readonly port: number
  readonly connections: PeerConnection[]
  /** Waits for connection number n, counted from 1. */
  connection(n?: number): Promise<PeerConnection>
  /** Waits for connection number n and its bind. */
  bound(n?: number): Promise<PeerConnection>
  stop(): Promise<void>
}

/** What the peer does by itself; every one can be replaced. `undefined` answers nothing. */
export interface PeerManners {
  onBind(pdu: RawPdu, connection: PeerConnection, n: number): Buffer | undefined
  onEnquire(pdu: RawPdu): Buffer | undefined
  onSubmit(pdu: RawPdu, connection: PeerConnection): Buffer | undefined
  onUnbind(pdu: RawPdu): Buffer | undefined
  /** Any other request or response. */
  onOther(pdu: RawPdu, connection: PeerConnection): Buffer | undefined
}

const MANNERS: PeerManners = {
  onBind: (pdu) => raw(ID.response + pdu.id, 0, pdu.sequence, 'SMSC\0'),
  onEnquire: (pdu) => raw(ID.response + ID.enquire, 0, pdu.sequence),
  onSubmit: (pdu) => raw(ID.response + ID.submit, 0, pdu.sequence, `m${pdu.sequence}\0`),
  onUnbind: (pdu) => raw(ID.response + ID.unbind, 0, pdu.sequence),
  onOther: () => undefined,
}

const BINDS: number[] = [ID.bindReceiver, ID.bindTransmitter, ID.bindTransceiver]

export async function startPeer(manners: Partial<PeerManners> = {}, port = 0): Promise<Peer> {
  const acts = { ...MANNERS, ...manners }
  const connections: PeerConnection[] = []
  const server: Server = createServer((socket) => {
    const connection = attach(socket)
    connections.push(connection)
    const n = connections.length
    read(socket, (pdu) => {
      connection.received.push(pdu)
      let answer: Buffer | undefined
      if (BINDS.includes(pdu.id)) answer = acts.onBind(pdu, connection, n)
      else if (pdu.id === ID.enquire) answer = acts.onEnquire(pdu)
      else if (pdu.id === ID.submit || pdu.id === ID.data) answer = acts.onSubmit(pdu, connection)
      else if (pdu.id === ID.unbind) answer = acts.onUnbind(pdu)
      else answer = acts.onOther(pdu, connection)
      if (answer) socket.write(answer)
    })
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const connection = async (n = 1) => {
    await until(() => connections.length >= n, `connection ${n} did not come`)
    return connections[n - 1]!
  }
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    connection,
    async bound(n = 1) {
      const one = await connection(n)
      await until(() => one.received.some((pdu) => BINDS.includes(pdu.id)), `bind ${n} did not come`)
      return one
    },
    async stop() {
      for (const one of connections) one.socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

function attach(socket: Socket): PeerConnection {
  socket.setNoDelay(true)
  const connection: PeerConnection = {
    socket,
    received: [],
    closed: false,
    send: (...octets) => void socket.write(Buffer.concat(octets)),
    all: (id) => connection.received.filter((pdu) => pdu.id === id >>> 0),
    async heard(id, count = 1) {
      const story = () =>
        connection.received
          .map((pdu) => pdu.id.toString(16))
          .join(' ')
          .slice(0, 300)
      await until(() => connection.all(id).length >= count, `0x${id.toString(16)} x${count} not heard`).catch(
        (error: Error) => Promise.reject(new Error(`${error.message}; heard: ${story()}`)),
      )
      return connection.all(id)[count - 1]!
    },
  }
  socket.on('error', () => undefined)
  socket.on('close', () => (connection.closed = true))
  return connection
}

function read(socket: Socket, each: (pdu: RawPdu) => void): void {
  let held = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 16 && held.length >= held.readUInt32BE(0)) {
      const length = held.readUInt32BE(0)
      each({
        id: held.readUInt32BE(4),
        status: held.readUInt32BE(8),
        sequence: held.readUInt32BE(12),
        body: Buffer.from(held.subarray(16, length)),
      })
      held = held.subarray(length)
    }
  })
}
