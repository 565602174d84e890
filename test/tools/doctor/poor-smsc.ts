/**
 * An SMSC as one meets them: transmitter and receiver only, one bind of each, no UCS-2, no headers, no optional
 * parameters but sar, no times, no query_sm, cancel_sm, replace_sm or data_sm, so many requests a second and so many at
 * once, ids in a receipt that no response had. It shares no code with ours but the raw peer of the tests.
 */
import { ID, raw, startPeer, type Peer, type PeerConnection, type RawPdu } from '../../support/peer.ts'

export interface PoorOptions {
  perSecond: number
  /** At once; above: ESME_RMSGQFUL. */
  window: number
  /** The id of a receipt, from the number of the message; null: no receipts. */
  receiptId: ((n: number) => string) | null
  responseId(n: number): string
  /** Closes the connection at a command that it does not know. */
  touchy: boolean
  /** esm_class of receipts. */
  receiptClass: number
  /** Which validity_period it takes; absent: none. */
  takesValidity?: RegExp
}

const POOR: PoorOptions = {
  perSecond: 6,
  window: 4,
  receiptId: (n) => `MC-${n}`,
  responseId: (n) => String(70_000 + n),
  touchy: true,
  receiptClass: 4,
}
const STATUS = {
  alreadyBound: 0x05,
  queueFull: 0x14,
  esmClass: 0x43,
  submitFailed: 0x45,
  throttled: 0x58,
  schedule: 0x61,
  expiry: 0x62,
  badCommand: 0x03,
  optional: 0xc1,
}
/** Long enough that requests written at once are all there before the first response. */
const WORK_MS = 15

export interface PoorSmsc {
  peer: Peer
  /** Destinations of everything that was submitted. */
  destinations: Set<string>
  /** Accepted messages. */
  accepted(): number
  stop(): Promise<void>
}

export async function poorSmsc(options: Partial<PoorOptions> = {}): Promise<PoorSmsc> {
  const poor = { ...POOR, ...options }
  const bound = new Map<number, PeerConnection>()
  const destinations = new Set<string>()
  let [n, pending] = [0, 0]
  let taken: number[] = []
  const peer = await startPeer({
    onBind(pdu, connection) {
      if (pdu.id === ID.bindTransceiver) return raw(ID.response + pdu.id, 0x0d, pdu.sequence)
      if (bound.has(pdu.id) && !bound.get(pdu.id)!.closed)
        return raw(ID.response + pdu.id, STATUS.alreadyBound, pdu.sequence)
      bound.set(pdu.id, connection)
      return raw(ID.response + pdu.id, 0, pdu.sequence, 'POOR\0')
    },
    onUnbind(pdu) {
      for (const [id, connection] of bound) if (connection.all(ID.unbind).includes(pdu)) bound.delete(id)
      return raw(ID.response + ID.unbind, 0, pdu.sequence)
    },
    onSubmit(pdu, connection) {
      if (pdu.id === ID.data) return raw(ID.nack, STATUS.badCommand, pdu.sequence)
      const read = submitted(pdu)
      destinations.add(read.destination)
      const refused = refusalOf(read, poor.takesValidity)
      const answer = (status: number, body = '') => raw(ID.response + ID.submit, status, pdu.sequence, body)
      if (refused) return answer(refused)
      if (pending >= poor.window) return answer(STATUS.queueFull)
      const now = Date.now()
      taken = taken.filter((at) => at > now - 1_000)
      if (taken.length >= poor.perSecond) return answer(STATUS.throttled)
      taken.push(now)
      pending++
      const own = ++n
      setTimeout(() => {
        pending--
        connection.send(answer(0, `${poor.responseId(own)}\0`))
        if (read.wantsReceipt && poor.receiptId) bound.get(ID.bindReceiver)?.send(receipt(own, poor, read.destination))
      }, WORK_MS)
      return undefined
    },
    onOther(pdu, connection) {
      if (pdu.id >= ID.response) return undefined
      const known: number[] = [ID.query, 0x07, 0x08]
      if (poor.touchy && !known.includes(pdu.id)) connection.socket.destroy()
      return raw(ID.nack, STATUS.badCommand, pdu.sequence)
    },
  })
  return { peer, destinations, accepted: () => n, stop: () => peer.stop() }
}

interface Submitted {
  destination: string
  esmClass: number
  dataCoding: number
  schedule: string
  validity: string
  wantsReceipt: boolean
  tags: number[]
}

/** submit_sm by SMPP v3.4 §4.4.1. */
function submitted({ body }: RawPdu): Submitted {
  let at = 0
  const text = () => {
    const end = body.indexOf(0, at)
    const said = body.toString('latin1', at, end)
    at = end + 1
    return said
  }
  const octet = () => body[at++]!
  text()
  at += 2
  text()
  at += 2
  const destination = text()
  const esmClass = octet()
  at += 2
  const [schedule, validity] = [text(), text()]
  const registered = octet()
  octet()
  const dataCoding = octet()
  octet()
  at += 1 + body[at]!
  const tags: number[] = []
  while (at + 4 <= body.length) {
    tags.push(body.readUInt16BE(at))
    at += 4 + body.readUInt16BE(at + 2)
  }
  return { destination, esmClass, dataCoding, schedule, validity, wantsReceipt: (registered & 1) === 1, tags }
}

function refusalOf(
  { dataCoding, esmClass, schedule, validity, tags }: Submitted,
  takesValidity?: RegExp,
): number | undefined {
  if (dataCoding === 8) return STATUS.submitFailed
  if (esmClass & 0x40) return STATUS.esmClass
  if (schedule) return STATUS.schedule
  if (validity && !takesValidity?.test(validity)) return STATUS.expiry
  return tags.some((tag) => tag < 0x020c || tag > 0x020f) ? STATUS.optional : undefined
}

function receipt(sequence: number, { receiptId, receiptClass }: PoorOptions, from: string): Buffer {
  const text = `id:${receiptId!(sequence)} sub:001 dlvrd:001 submit date:2511241800 done date:2511241800 stat:DELIVRD err:000 text:`
  const body = `\0\x01\x01${from}\0\x00\x01123\0${String.fromCharCode(receiptClass)}\x00\x00\0\0\x00\x00\x00\x00${String.fromCharCode(text.length)}${text}`
  return raw(ID.deliver, 0, sequence, body)
}
