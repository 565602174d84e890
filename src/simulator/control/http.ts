/**
 * The control HTTP of the simulator, on loopback, or behind a token: the web phone, a JSON API, and a stream of events.
 */
import { serve, type ServerType } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { eventStream } from './events.ts'
import { httpTimes } from '../../base/index.ts'
import { pcapOf } from '../../tools/capture/index.ts'
import { PhoneError, type Phone } from '../phone/index.ts'
import { type Smsc, describePdu, wireOf } from '../smsc/index.ts'
import { guardControl } from './guard.ts'
import { pages } from './pages.ts'

export interface ControlOptions {
  smsc: Smsc
  /** Default 127.0.0.1 and 0, a free port. */
  host?: string
  port?: number
  /** Names that a browser may call it by, besides localhost and the address: against DNS rebinding. */
  allowedHosts?: string[]
  /** Asked of every page and program. Default: none on loopback, else one that is made. */
  token?: string
  /** What a phone played last, as a talk file; undefined: nothing. Absent where nobody sees what back ends answer. */
  talkOf?: TalkOf
}

export type TalkOf = (msisdn: string, left: Phone['left']) => string | undefined

export interface Control {
  readonly url: string
  /** What it asks for, if anything; a page has it behind the # of its address. */
  readonly token: string | undefined
  stop(): Promise<void>
}

/** What a page or a terminal shows of a phone. */
export interface PhoneView {
  /** Rises from view to view: a page is told the same by its stream and in answers, and not in their order. */
  serial: number
  msisdn: string
  screen: Phone['screen']
  waiting: boolean
  failed: string | null
  repeats: number
  inbox: { from: string; text: string; atMs: number; parts: number }[]
}

/** Octets of a request body. */
const BODY_OCTETS_MAX = 16_384

const status = z.int().min(0).max(0xffffffff)
const ms = z.number().min(0).max(3_600_000)
const act = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('refuse'), status }),
  z.strictObject({ is: z.literal('nack'), status }),
  z.strictObject({
    is: z.enum(['ignore', 'drop-response', 'answer-twice', 'wrong-sequence', 'wrong-command', 'half-open', 'unbind']),
  }),
  z.strictObject({ is: z.enum(['delay', 'late']), ms }),
  z.strictObject({ is: z.literal('double'), on: z.enum(['same', 'other']) }),
  z.strictObject({ is: z.literal('cut'), at: z.int().min(0).max(70_000) }),
  z.strictObject({ is: z.literal('close'), when: z.enum(['before', 'after']) }),
])
const bodies = {
  dial: z.strictObject({
    code: z.string().min(1).max(182),
    withinMs: ms.optional(),
    beginOp: z.int().min(0).max(255).optional(),
    number: z.int().min(0).optional(),
    systemId: z.string().max(15).optional(),
  }),
  answer: z.strictObject({ text: z.string().max(1_000), withinMs: ms.optional() }),
  next: z.strictObject({ withinMs: ms.optional() }),
  sms: z.strictObject({ to: z.string().min(1).max(20), text: z.string().max(160) }),
  phone: z.strictObject({
    isOff: z.boolean().optional(),
    confirms: z.boolean().optional(),
    skipRepeats: z.boolean().optional(),
  }),
  fault: z.strictObject({
    on: z.string().max(40),
    msisdn: z.string().max(20).optional(),
    lane: z.enum(['ussd', 'sms']).optional(),
    event: z.string().max(20).optional(),
    times: z.int().min(1).optional(),
    chance: z.number().min(0).max(1).optional(),
    act,
  }),
  receipts: z
    .strictObject({
      send: z.boolean(),
      delayMs: ms,
      order: z.enum(['after-response', 'before-response']),
      times: z.int().min(0).max(5),
      carries: z.enum(['text+tlv', 'text', 'tlv', 'payload']),
      error: z.string().max(3),
      intermediate: z.boolean(),
      state: z.enum(['ENROUTE', 'DELIVRD', 'EXPIRED', 'DELETED', 'UNDELIV', 'ACCEPTD', 'UNKNOWN', 'REJECTD']),
      idForms: z.strictObject({
        response: z.enum(['dec', 'hex', 'HEX', 'padded']),
        receipt: z.enum(['dec', 'hex', 'HEX', 'padded']),
      }),
    })
    .partial(),
  hex: z.strictObject({ hex: z.string().regex(/^(?:[0-9a-fA-F]{2}){1,8000}$/, 'must be pairs of hex digits') }),
}

export async function startControl(options: ControlOptions): Promise<Control> {
  const { smsc } = options
  const host = options.host ?? '127.0.0.1'
  const app = new Hono()
  const viewOf = viewer()
  const stream = eventStream(smsc, viewOf, options.talkOf !== undefined)
  app.use(limit)
  const token = guardControl(app, { host, allowedHosts: options.allowedHosts ?? [], token: options.token })
  pages(app)
  phoneRoutes(app, { smsc, viewOf, talkOf: options.talkOf })
  smscRoutes(app, smsc, stream.faultsChanged)
  app.get('/api/events', stream.serve)
  app.notFound((c) => c.json({ error: 'there is no such thing here' }, 404))
  app.onError((error, c) =>
    error instanceof z.ZodError
      ? c.json({ error: z.prettifyError(error) }, 400)
      : c.json({ error: error.message }, 500),
  )

  const server = await new Promise<ServerType>((done, fail) => {
    const made = serve(
      {
        fetch: app.fetch,
        hostname: host,
        port: options.port ?? 0,
        serverOptions: httpTimes(),
      },
      () => done(made),
    )
    made.once('error', fail)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    token,
    stop() {
      stream.stop()
      if ('closeAllConnections' in server) server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}

type ViewOf = (phone: Phone) => PhoneView

function viewer(): ViewOf {
  let serial = 0
  return (phone) => {
    const { msisdn, screen, waiting, failed, repeats } = phone
    const inbox = phone.inbox.slice(-100).map(({ from, text, atMs, parts }) => ({ from, text, atMs, parts }))
    return { serial: ++serial, msisdn, screen, waiting, failed, repeats, inbox }
  }
}

/** Counted as it comes: a body in chunks does not say how long it will be. */
const limit = bodyLimit({ maxSize: BODY_OCTETS_MAX, onError: (c) => c.json({ error: 'the body is too long' }, 413) })

interface PhoneRoutes {
  smsc: Smsc
  viewOf: ViewOf
  talkOf: TalkOf | undefined
}

function phoneRoutes(app: Hono, { smsc, viewOf, talkOf }: PhoneRoutes): void {
  const phoneOf = (c: Context): Phone => {
    const msisdn = c.req.param('msisdn') ?? ''
    return smsc.phone(
      z
        .string()
        .regex(/^\d{3,15}$/, 'an MSISDN is 3 to 15 digits')
        .parse(msisdn),
    )
  }
  const settled = async (c: Context, work: (phone: Phone) => unknown): Promise<Response> => {
    const phone = phoneOf(c)
    try {
      await work(phone)
      return c.json(viewOf(phone))
    } catch (error) {
      if (error instanceof z.ZodError) throw error
      const view = viewOf(phone)
      const why = error instanceof PhoneError ? error.why : (error as Error).message
      return c.json({ ...view, failed: view.failed ?? why, error: (error as Error).message }, 504)
    }
  }
  app.get('/api/phones', (c) => c.json(smsc.phones().slice(-1_000).map(viewOf)))
  app.get('/api/phones/:msisdn', (c) => c.json(viewOf(phoneOf(c))))
  app.get('/api/phones/:msisdn/story', (c) => c.json(phoneOf(c).story))
  app.get('/api/phones/:msisdn/talk', (c) => {
    if (!talkOf)
      return c.json({ error: 'it does not see what back ends answer: the demo does, and talk --record' }, 404)
    const phone = phoneOf(c)
    const talk = talkOf(phone.msisdn, phone.left)
    return talk === undefined ? c.json({ error: `${phone.msisdn} has dialled nothing` }, 404) : c.text(talk)
  })
  app.post('/api/phones/:msisdn/dial', (c) =>
    settled(c, async (phone) => {
      const { code, ...dialling } = bodies.dial.parse(await c.req.json())
      await phone.dial(code, dialling)
    }),
  )
  app.post('/api/phones/:msisdn/answer', (c) =>
    settled(c, async (phone) => {
      const { text, ...within } = bodies.answer.parse(await c.req.json())
      await phone.answer(text, within)
    }),
  )
  app.post('/api/phones/:msisdn/next', (c) =>
    settled(c, async (phone) => {
      await phone.next(bodies.next.parse(await c.req.json()).withinMs)
    }),
  )
  app.post('/api/phones/:msisdn/hang-up', (c) => settled(c, (phone) => phone.hangUp()))
  app.post('/api/phones/:msisdn/time-out', (c) => settled(c, (phone) => phone.timeOut()))
  app.post('/api/phones/:msisdn/dismiss', (c) => settled(c, (phone) => phone.dismiss()))
  app.post('/api/phones/:msisdn/sms', (c) =>
    settled(c, async (phone) => {
      const { to, text } = bodies.sms.parse(await c.req.json())
      await phone.send(to, text)
    }),
  )
  app.patch('/api/phones/:msisdn', (c) =>
    settled(c, async (phone) => {
      Object.assign(phone, bodies.phone.parse(await c.req.json()))
    }),
  )
}

function smscRoutes(app: Hono, smsc: Smsc, faultsChanged: () => void): void {
  const peerOf = (c: Context) => smsc.peers().find((peer) => peer.id === c.req.param('id'))
  app.get('/api/binds', (c) => c.json(smsc.binds()))
  app.get('/api/strays', (c) => c.json(smsc.strays.count))
  app.post('/api/binds/:id/:act', async (c) => {
    const peer = peerOf(c)
    if (!peer) return c.json({ error: 'there is no such link' }, 404)
    switch (c.req.param('act')) {
      case 'close':
        peer.close()
        break
      case 'unbind':
        peer.unbind(10_000)
        break
      case 'half-open':
        peer.halfOpen()
        break
      case 'inject':
        peer.write(Buffer.from(bodies.hex.parse(await c.req.json()).hex, 'hex'))
        break
      default:
        return c.json({ error: 'close, unbind, half-open or inject' }, 404)
    }
    return c.json(smsc.binds())
  })
  app.get('/api/faults', (c) => c.json(smsc.chaos.list()))
  app.post('/api/faults', async (c) => {
    const fault = bodies.fault.parse(await c.req.json())
    smsc.chaos.add(JSON.parse(JSON.stringify(fault)) as Parameters<Smsc['chaos']['add']>[0])
    faultsChanged()
    return c.json(smsc.chaos.list())
  })
  app.delete('/api/faults', (c) => {
    smsc.chaos.clear()
    faultsChanged()
    return c.json([])
  })
  app.delete('/api/faults/:id', (c) => {
    const isGone = smsc.chaos.remove(Number(c.req.param('id')))
    faultsChanged()
    return isGone ? c.json(smsc.chaos.list()) : c.json({ error: 'there is no such fault' }, 404)
  })
  app.get('/api/receipts', (c) => c.json(smsc.receipts))
  app.patch('/api/receipts', async (c) =>
    c.json(Object.assign(smsc.receipts, bodies.receipts.parse(await c.req.json()))),
  )
  app.get('/api/trace', (c) => {
    const last = smsc.trace().slice(-200)
    return c.json(last.map(({ octets, ...rest }) => ({ ...rest, ...describePdu(octets) })))
  })
  app.get('/api/trace.pcap', (c) => {
    const capture = new Uint8Array(pcapOf(smsc.trace().map((one) => wireOf(one, smsc.port))))
    return c.body(capture, 200, { 'Content-Type': 'application/vnd.tcpdump.pcap' })
  })
}
