/**
 * An SMSC that shares no code with ours: npm smpp's server side. It speaks the standard reading of USSD, and is what
 * shows that the daemon does not merely get along with its own simulator.
 */
import npmSmpp from 'smpp'
import { once } from 'node:events'

/** What npm smpp gives; it has no types for its server. */
interface ForeignPdu {
  command: string
  command_status: number
  sequence_number: number
  source_addr?: string
  destination_addr?: string
  short_message?: Buffer | { message: Buffer | string }
  ussd_service_op?: number
  its_session_info?: Buffer
  data_coding?: number
  registered_delivery?: number
  response(fields?: object): ForeignPdu
}

interface ForeignServer {
  listen(port: number, host: string): void
  close(): void
  address(): { port: number }
}

const smpp = npmSmpp as unknown as {
  createServer(options: object, onSession: (session: ForeignSession) => void): ForeignServer
}

interface ForeignSession {
  on(event: string, listener: (pdu: ForeignPdu) => void): void
  send(pdu: unknown, answered?: (pdu: ForeignPdu) => void): boolean
  deliver_sm(fields: object, answered?: (pdu: ForeignPdu) => void): void
  close(): void
  destroy(): void
}

export interface ForeignScreen {
  text: string
  /** ussd_service_op */
  op: number
  /** The end bit of its_session_info. */
  end: boolean
}

export interface ForeignSms {
  to: string
  text: string
  from: string
  /** Parameters that npm smpp does not know, by tag, as Latin-1. Absent: none. */
  vendor?: Record<string, string>
}

const GSM =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'

/** They are the keys that are numbers. */
function vendorOf(pdu: ForeignPdu): Pick<ForeignSms, 'vendor'> {
  const own = Object.entries(pdu).filter(([key, value]) => /^\d+$/.test(key) && value instanceof Buffer)
  return own.length === 0
    ? {}
    : { vendor: Object.fromEntries(own.map(([key, value]) => [key, (value as Buffer).toString('latin1')])) }
}

/** Starts it on a free loopback port. */
export async function foreignSmsc() {
  const sessions: ForeignSession[] = []
  const screens = new Map<string, ForeignScreen[]>()
  const waiting = new Map<string, (screen: ForeignScreen) => void>()
  const sms: ForeignSms[] = []
  let number = 0
  let messageId = 0
  const server = smpp.createServer({}, (session: ForeignSession) => {
    session.on('error', () => undefined)
    for (const command of ['bind_transceiver', 'bind_receiver', 'bind_transmitter']) {
      session.on(command, (pdu) => {
        session.send(pdu.response({ system_id: 'foreign' }))
        if (command !== 'bind_transmitter') sessions.push(session)
      })
    }
    session.on('enquire_link', (pdu) => void session.send(pdu.response()))
    session.on('unbind', (pdu) => {
      session.send(pdu.response())
      session.close()
    })
    session.on('close', () => void sessions.splice(sessions.indexOf(session), 1))
    session.on('submit_sm', (pdu) => {
      session.send(pdu.response({ message_id: `f${++messageId}` }))
      const to = pdu.destination_addr!.replace('+', '')
      if (pdu.ussd_service_op === undefined)
        return void sms.push({ to, text: textOf(pdu), from: pdu.source_addr!, ...vendorOf(pdu) })
      const screen = { text: textOf(pdu), op: pdu.ussd_service_op, end: Boolean((pdu.its_session_info?.[1] ?? 0) & 1) }
      const wait = waiting.get(to)
      waiting.delete(to)
      if (wait) wait(screen)
      else screens.set(to, [...(screens.get(to) ?? []), screen])
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server as never, 'listening')

  const say = (fields: object) => new Promise<ForeignPdu>((done) => sessions.at(-1)!.deliver_sm(fields, done))
  const next = (msisdn: string) =>
    new Promise<ForeignScreen>((done, fail) => {
      const early = screens.get(msisdn)?.shift()
      if (early) return done(early)
      waiting.set(msisdn, done)
      setTimeout(() => fail(new Error('no screen within 30 s')), 30_000).unref()
    })

  return {
    port: server.address().port,
    /** Any deliver_sm; gives the screen that the subscriber then sees, wherever the daemon addresses it. */
    async say(msisdn: string, fields: object): Promise<ForeignScreen> {
      const answer = await say(fields)
      if (answer.command_status !== 0) throw new Error(`deliver_sm_resp ${answer.command_status}`)
      return next(msisdn)
    },
    /** One that gets no screen: the status of its response. */
    async deliver(fields: object): Promise<number> {
      return (await say(fields)).command_status
    },
    sms,
    bound: () => sessions.length,
    /** A subscriber of this network: dials, answers, hangs up; each gives the next screen. */
    phone(msisdn: string) {
      let own = 0
      let turn = 0
      const carrier = (end: number) => Buffer.from([own, (turn << 1) | end])
      const base = (code: string) => ({
        service_type: 'USSD',
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: msisdn,
        dest_addr_ton: 0,
        dest_addr_npi: 1,
        destination_addr: code,
        data_coding: 15,
      })
      return {
        async dial(code: string): Promise<ForeignScreen> {
          own = ++number % 256
          turn = 0
          const answer = await say({
            ...base(code),
            short_message: Buffer.from(code),
            ussd_service_op: 1,
            its_session_info: carrier(0),
          })
          if (answer.command_status !== 0) throw new Error(`deliver_sm_resp ${answer.command_status}`)
          return next(msisdn)
        },
        async answer(text: string): Promise<ForeignScreen> {
          turn++
          await say({
            ...base('123'),
            short_message: Buffer.from(text),
            ussd_service_op: 18,
            its_session_info: carrier(0),
          })
          return next(msisdn)
        },
        async hangUp(): Promise<void> {
          await say({
            ...base('123'),
            short_message: Buffer.alloc(0),
            ussd_service_op: 18,
            its_session_info: carrier(1),
          })
        },
      }
    },
    stop(): void {
      for (const session of sessions.slice()) session.destroy()
      server.close()
    },
  }
}

function textOf(pdu: ForeignPdu): string {
  const octets = Buffer.isBuffer(pdu.short_message) ? pdu.short_message : (pdu.short_message?.message ?? '')
  if (typeof octets === 'string') return octets
  if (pdu.data_coding === 8 || pdu.data_coding === 0x48) return Buffer.from(octets).swap16().toString('utf16le')
  return [...octets].map((octet) => GSM[octet]).join('')
}
