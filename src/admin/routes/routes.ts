/**
 * The admin routes that need a token: dialogues, flows, lines. What changes something is written down: who, what,
 * before, after.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Log } from '../../base/index.ts'
import type { AdminRole, Token } from '../access.ts'
import type { AdminService } from '../service.ts'
import type { FlowService } from '../flow-service.ts'
import { flowRoutes } from './flows.ts'
import { pushBy } from './push.ts'
import { smsRoutes } from './sms.ts'
import { traceAnswer } from './trace.ts'

/** What the gate leaves for the routes. */
export interface Admitted {
  Variables: { token: Token | null }
}

export interface RouteDeps {
  desk: AdminService
  flows: FlowService
  log: Log
}

const BODY_OCTETS_MAX = 65_536
/** Of a request that may hold a flow's files: more than the longest that is read. */
const FLOW_OCTETS_MAX = 4_000_000
const PUBLISH = /\/flows\/[^/]+\/publish$/
const MSISDN = /^[1-9]\d{4,14}$/

export function adminRoutes({ desk, flows, log }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  const audit = (token: Token | null, what: string, more: object) =>
    log.warn({ who: token?.name ?? '-', role: token?.role ?? '-', what, ...more }, 'admin audit')

  const limited = (maxSize: number) => bodyLimit({ maxSize, onError: (c) => c.json({ error: 'body too large' }, 413) })
  const [small, large] = [limited(BODY_OCTETS_MAX), limited(FLOW_OCTETS_MAX)]
  app.use((c, next) => (PUBLISH.test(c.req.path) ? large : small)(c, next))
  app.use(async (c, next) => {
    const need: AdminRole = c.req.method === 'GET' ? 'read' : 'operate'
    const token = c.get('token')
    if (need === 'read' || token?.role === 'operate') return next()
    audit(token, `${c.req.method} refused`, { needs: need })
    return c.json({ error: 'this token may only read' }, 403)
  })

  app.get('/dialogues', async (c) => {
    const msisdn = (c.req.query('msisdn') ?? '').replace(/^\+/, '').trim()
    if (!MSISDN.test(msisdn))
      return c.json({ error: 'msisdn: international digits', try: '/v1/dialogues?msisdn=67570000001' }, 400)
    const dialogues = await desk.dialogues(msisdn)
    audit(c.get('token'), 'dialogues looked at', { msisdn, found: dialogues.length })
    return c.json({ dialogues })
  })

  app.delete('/dialogues/:group/:msisdn', async (c) => {
    const { group, msisdn } = c.req.param()
    if (!MSISDN.test(msisdn)) return c.json({ error: 'msisdn: international digits' }, 400)
    const ended = await desk.endDialogue(group, msisdn)
    audit(c.get('token'), 'dialogue ended', {
      group,
      msisdn,
      before: ended ? 'open' : 'none',
      after: ended ? 'ended' : 'none',
    })
    return ended ? c.json({ ended }) : c.json({ error: 'no dialogue is open there' }, 404)
  })

  app.route(
    '/flows',
    flowRoutes(flows, (c, what, more) => audit(c.get('token'), what, more)),
  )

  app.post('/push', async (c) => {
    const done = await pushBy(desk, await c.req.json<unknown>().catch(() => null))
    if ('error' in done) return c.json(done, 400)
    const { asked, ...told } = done
    const { msisdn, flow, line } = asked
    audit(c.get('token'), 'push', { msisdn, flow: flow ?? null, line: line ?? null, after: told.is, sms: told.sms })
    return c.json(told)
  })

  app.route(
    '/sms',
    smsRoutes(desk, (c, what, more) => audit(c.get('token'), what, more)),
  )

  app.get('/lines', (c) => c.json({ lines: desk.lines() }))
  app.post('/lines/reload', async (c) => {
    const done = await desk.reload()
    audit(c.get('token'), 'lines reloaded', 'problem' in done ? { refused: done.problem } : { after: done })
    if ('problem' in done) return c.json({ error: done.problem }, 409)
    if (done.refused.length === 0) return c.json(done)
    const names = done.refused.map(({ line }) => line).join(', ')
    const problems = done.refused.map(
      ({ line, peer, why, detail, remedy }) => `${line} at ${peer}: ${why}: ${detail}: ${remedy}`,
    )
    const others = (['added', 'changed', 'removed'] as const)
      .filter((what) => done[what].length)
      .map((what) => `${what}: ${done[what].join(' ')}`)
    return c.json(
      { ...done, error: `not taken, on with the old settings: ${names}`, problems: [...problems, ...others] },
      409,
    )
  })
  for (const [verb, change] of [
    ['stop', desk.haltLine],
    ['start', desk.resumeLine],
  ] as const) {
    app.post(`/lines/:line/${verb}`, (c) => {
      const name = c.req.param('line')
      const before = desk.lines().find((line) => line.name === name)?.stopped
      if (!change(name))
        return c.json({ error: `there is no line '${name}'`, lines: desk.lines().map((line) => line.name) }, 404)
      const stopped = verb === 'stop'
      audit(c.get('token'), `line ${verb}`, {
        line: name,
        before: before ? 'stopped' : 'serving',
        after: stopped ? 'stopped' : 'serving',
      })
      return c.json({ line: name, stopped })
    })
  }
  app.get('/lines/:line/trace', (c) => traceAnswer(c, desk, audit))
  return app
}
