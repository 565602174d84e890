/** Who gets in at the admin server: first by the token, then by the roles that it has. */
import type { Context } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Audit } from '../audit/index.ts'
import { createRefusals, FAILED_EACH_MS, notFromHere, type Counters, type Log } from '../base/index.ts'
import { createAccess, type Token } from './access.ts'
import { lacks, rolesFor } from './roles.ts'
import type { Admitted, RouteDeps } from './routes/index.ts'

export interface GateDeps {
  tokens: readonly Token[]
  now(): number
  counters: Counters
  log: Log
  audit: Pick<Audit, 'note'>
}

type Next = () => Promise<void>

const WEAK = 'this token can be guessed and is not accepted: make another one (ussd-connector token)'
const TOKEN_IN_QUERY = /[?&](access_token|token|bearer|authorization)=/i

/** Where logs of proxies would show it. */
export function hasTokenInQuery(c: Context<Admitted>): boolean {
  return TOKEN_IN_QUERY.test(c.req.url)
}

/** Why a request is not of a program of this machine. Undefined: it is. */
export function notHereOf(c: Context<Admitted>): string | undefined {
  const address = c.env.incoming.socket.remoteAddress ?? ''
  return notFromHere({ method: c.req.method, address, head: (name) => c.req.header(name) })
}

/** Admits a request with a valid token, or answers it. */
export function tokenGate({ tokens, now, counters, log, audit }: GateDeps) {
  const access = createAccess(tokens)
  const note = createRefusals({
    now,
    count: (why) => counters.count('admin_turned_away_total', { why }),
    tell(refusal) {
      log.warn(refusal, 'admin audit: turned away')
      audit.note({ who: '-', role: '-', what: 'turned away', more: refusal })
    },
  })
  return async (c: Context<Admitted>, next: Next) => {
    const { method } = c.req
    const address = c.env.incoming.socket.remoteAddress ?? ''
    const notHere = notHereOf(c)
    const refused = (why: string, status: 400 | 401 | 403, error: string) => {
      note({ why, address, method })
      return c.json({ error }, status)
    }
    if (hasTokenInQuery(c))
      return refused('query', 400, 'send the token in the Authorization header: logs show addresses')
    c.set('token', null)
    if (!tokens.length) {
      if (notHere === undefined && !c.req.path.startsWith('/v1')) return next()
      return refused(
        'closed',
        403,
        `closed${notHere ? `, ${notHere}` : ''}: set admin.tokensFile (ussd-connector token)`,
      )
    }
    const verdict = access.check({ header: c.req.header('authorization'), address }, now())
    if (verdict.is === 'known') {
      c.set('token', verdict.token)
      return next()
    }
    if (verdict.is === 'locked') {
      counters.count('admin_turned_away_total', { why: 'locked' })
      if (verdict.isFirst) {
        log.warn({ address }, 'admin audit: locked out after too many wrong tokens')
        audit.note({ who: '-', role: '-', what: 'locked out', more: { address } })
      }
      c.header('retry-after', String(FAILED_EACH_MS / 1_000))
      return c.json({ error: 'too many wrong tokens: try again in a minute; a right token still works' }, 429)
    }
    c.header('www-authenticate', 'Bearer')
    const remedy = verdict.is === 'weak' ? WEAK : 'send a bearer token in the Authorization header'
    return refused(verdict.is, 401, remedy)
  }
}

/** Lets a token do what its roles are for. Without any token in the file, the gate before has let nobody in to more. */
export function roleGate(audit: RouteDeps['audit']) {
  return async (c: Context<Admitted>, next: Next) => {
    const token = c.get('token')
    // A request that no route takes is not found, with any token.
    const matched = matchedRoutes(c).filter(({ method }) => method !== 'ALL')
    if (!token || matched.length === 0) return next()
    const needs = rolesFor(matched) ?? []
    if (needs.some((role) => token.roles.includes(role))) return next()
    audit(c, `${c.req.method} refused`, { path: matched[0]!.path, needs: needs.join() })
    return c.json(lacks(token.roles, needs), 403)
  }
}
