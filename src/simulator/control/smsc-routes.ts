/** Routes of the SMSC: its links, faults, receipts and trace. */
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { pcapOf } from '../../tools/capture/index.ts'
import { describePdu, statusNamed, wireOf, type Smsc } from '../smsc/index.ts'

/** A number, or a name such as ESME_RTHROTTLED. */
const status = z.union([z.int(), z.string().max(40)]).transform((written, issue) => {
  const found = statusNamed(String(written))
  if (found !== undefined && found <= 0xffffffff) return found
  issue.addIssue({ code: 'custom', message: 'must be a status such as ESME_RTHROTTLED or 88' })
  return z.NEVER
})
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

export function smscRoutes(app: Hono, smsc: Smsc, faultsChanged: () => void): void {
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
        return c.json({ error: 'the fault must be close, unbind, half-open or inject' }, 404)
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
