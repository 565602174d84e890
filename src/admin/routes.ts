/** The admin routes that need a token: dialogues, flows, lines. What changes something is written down: who, what, before, after. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Log } from '../log-port.ts'
import type { Role, Token } from './access.ts'
import type { Desk } from './desk.ts'
import { pushBy } from './push-route.ts'
import { traceAnswer } from './trace-route.ts'

/** What the gate leaves for the routes. */
export interface Admitted {
  Variables: { token: Token | null }
}

const BODY_OCTETS_MAX = 65_536
const MSISDN = /^[1-9]\d{4,14}$/
const REVISION = /^[a-z][a-z0-9-]{0,63}@[0-9a-f]{12}$/

export function adminRoutes(desk: Desk, log: Log): Hono<Admitted> {
  const app = new Hono<Admitted>()
  const audit = (token: Token | null, what: string, more: object) =>
    log.warn({ who: token?.name ?? '-', role: token?.role ?? '-', what, ...more }, 'admin audit')

  app.use(bodyLimit({ maxSize: BODY_OCTETS_MAX, onError: (c) => c.json({ error: 'body too large' }, 413) }))
  app.use(async (c, next) => {
    const need: Role = c.req.method === 'GET' ? 'read' : 'operate'
    const token = c.get('token')
    if (need === 'read' || token?.role === 'operate') return next()
    audit(token, `${c.req.method} refused`, { needs: need })
    return c.json({ error: 'this token may only read' }, 403)
  })

  app.get('/dialogues', async (c) => {
    const msisdn = (c.req.query('msisdn') ?? '').replace(/^\+/, '').trim()
    if (!MSISDN.test(msisdn)) return c.json({ error: 'msisdn: international digits', try: '/v1/dialogues?msisdn=67570000001' }, 400)
    const dialogues = await desk.dialogues(msisdn)
    audit(c.get('token'), 'dialogues looked at', { msisdn, found: dialogues.length })
    return c.json({ dialogues })
  })

  app.delete('/dialogues/:group/:msisdn', async (c) => {
    const { group, msisdn } = c.req.param()
    if (!MSISDN.test(msisdn)) return c.json({ error: 'msisdn: international digits' }, 400)
    const ended = await desk.endDialogue(group, msisdn)
    audit(c.get('token'), 'dialogue ended', { group, msisdn, before: ended ? 'open' : 'none', after: ended ? 'ended' : 'none' })
    return ended ? c.json({ ended }) : c.json({ error: 'no dialogue is open there' }, 404)
  })

  app.get('/flows', (c) => c.json({ flows: desk.flows() }))

  app.post('/flows/:name/rollback', async (c) => {
    const { name } = c.req.param()
    const body = await c.req.json<unknown>().catch(() => null)
    const revision = (body as { revision?: unknown } | null)?.revision
    if (typeof revision !== 'string' || !REVISION.test(revision) || !revision.startsWith(`${name}@`)) {
      return c.json({ error: 'the body is {"revision": "dental@9f2c01ab77de"}, of the flow in the path' }, 400)
    }
    const done = await desk.rollBack(name, revision)
    audit(c.get('token'), 'flow rolled back', { flow: name, before: done?.before ?? null, after: done?.after ?? null })
    return done ? c.json(done) : c.json({ error: 'there is no such revision' }, 404)
  })

  app.post('/push', async (c) => {
    const done = await pushBy(desk, await c.req.json<unknown>().catch(() => null))
    if ('error' in done) return c.json(done, 400)
    const { asked, ...told } = done
    const { msisdn, flow, line } = asked
    audit(c.get('token'), 'push', { msisdn, flow: flow ?? null, line: line ?? null, after: told.is, sms: told.sms })
    return c.json(told)
  })

  app.get('/lines', (c) => c.json({ lines: desk.lines() }))
  app.get('/lines/:line/trace', (c) => traceAnswer(c, desk, audit))
  return app
}
