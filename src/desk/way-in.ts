/**
 * Who gets into the desk: by the cookie of a token that was typed once, by a trusted proxy, or, in the demo, from this
 * machine. And how one gets in and out. What changes something is taken from our own pages only.
 */
import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { createAccess, type Token } from '../admin/index.ts'
import { createRefusals, notFromHere, type Counters, type Log } from '../base/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Settings } from '../config/index.ts'
import { html, plainPage, type Saying } from './pages/index.ts'
import type { FromProxy, TrustedProxy } from './proxy.ts'
import { formSecret, isSame, newSession, openedSession, sealedSession, type SessionLimits } from './session.ts'
import type { SignOuts } from './sign-outs.ts'
import { DESK_ROLES, rolesOf, type Visitor } from './visitor.ts'

/** A line of the audit: in the log, and kept. */
export type AuditLine = (who: Pick<Visitor, 'name' | 'roles'>, what: string, more: object) => void

export function auditLine({ log, audit }: { log: Log; audit: Pick<Audit, 'note'> }): AuditLine {
  return ({ name, roles }, what, more) => {
    const by = { who: name, role: roles.join(), what }
    log.warn({ ...by, ...more }, 'admin audit')
    audit.note({ ...by, more })
  }
}

export interface WayInDeps {
  /** A reload changes what is in it. */
  settings: Settings['admin']
  /** The list changes when the file does. */
  tokens: readonly Token[]
  proxy: TrustedProxy
  key: string
  signOuts: SignOuts
  /** The demo: who is on this machine is in. */
  isOpenHere: boolean
  now(): number
  counters: Counters
  log: Log
  audit: AuditLine
}

export interface Entered {
  Bindings: HttpBindings
  Variables: { visitor: Visitor; saying: Saying; words: Saying['words'] }
}

type Ctx = Context<Entered>

/** A screen on a wall shows for a month what needs no more than the role read. */
const WALL: SessionLimits = { idleMs: Infinity, longestMs: 30 * 86_400_000 }
/** A cookie is written again when it is older. */
const RENEW_MS = 30_000
const [COOKIE, SECURE_COOKIE] = ['desk', '__Host-desk']

export type WayIn = ReturnType<typeof createWayIn>

/** Whether it comes from this machine. Which page sent it, `isOwnPage` says. */
function isFromHere({ peer, head }: FromProxy): boolean {
  const plain = (name: string) => (name === 'origin' || name === 'sec-fetch-site' ? undefined : head(name))
  return notFromHere({ method: 'GET', address: peer, head: plain }) === undefined
}

function asked(c: Ctx): FromProxy {
  return { peer: c.env.incoming.socket.remoteAddress ?? '', head: (name) => c.req.header(name) }
}

export function createWayIn(deps: WayInDeps) {
  const { tokens, proxy, key, signOuts, now } = deps
  const limits = (token: Token): SessionLimits => (rolesOf(token).join() === 'read' ? WALL : deps.settings.desk)

  function cookieOf(c: Ctx): string {
    return proxy.isSecure(asked(c)) ? SECURE_COOKIE : COOKIE
  }

  function byCookie(c: Ctx): Visitor | undefined {
    const opened = openedSession(getCookie(c, cookieOf(c)) ?? '', { key, tokens, nowMs: now(), limits })
    if (!opened || signOuts.isOut(opened.session.id)) return undefined
    const { session, token } = opened
    return {
      name: token.name,
      roles: rolesOf(token),
      by: 'token',
      secret: formSecret(key, session.id),
      session: session.id,
    }
  }

  function visitorOf(c: Ctx): Visitor | undefined {
    const user = proxy.userOf(asked(c))
    if (user) return { ...user, by: 'proxy', secret: formSecret(key, `user ${user.name}`) }
    if (deps.isOpenHere && isFromHere(asked(c)))
      return { name: '-', roles: DESK_ROLES, by: 'machine', secret: formSecret(key, 'machine') }
    return byCookie(c)
  }

  function remember(c: Ctx, token: Token, session: ReturnType<typeof newSession>): void {
    const name = cookieOf(c)
    const secure = name === SECURE_COOKIE
    const maxAge = Math.min(limits(token).longestMs / 1_000, 400 * 86_400)
    // Lax: a link to a page of the desk, in a ticket, is to work.
    setCookie(c, name, sealedSession(session, key, token), {
      httpOnly: true,
      sameSite: 'Lax',
      secure,
      path: '/',
      maxAge,
    })
  }

  /** The session goes on: not for streams, which nobody asks for. */
  function renew(c: Ctx): void {
    const opened = openedSession(getCookie(c, cookieOf(c)) ?? '', { key, tokens, nowMs: now(), limits })
    if (opened && now() - opened.session.seenMs > RENEW_MS)
      remember(c, opened.token, { ...opened.session, seenMs: now() })
  }

  return {
    visitorOf,
    renew,
    isClosed: () => tokens.length === 0 && !deps.isOpenHere && deps.settings.trustedProxy === undefined,
    routes: () => doors(deps, { remember, cookieOf, visitorOf, longestMs: WALL.longestMs }),
  }
}

interface Doors {
  remember(c: Ctx, token: Token, session: ReturnType<typeof newSession>): void
  cookieOf(c: Ctx): string
  visitorOf(c: Ctx): Visitor | undefined
  longestMs: number
}

/** Signing in and out. */
function doors(deps: WayInDeps, { remember, cookieOf, visitorOf, longestMs }: Doors): Hono<Entered> {
  const { tokens, proxy, signOuts, now, counters, log, audit } = deps
  const access = createAccess(tokens)
  const note = createRefusals({
    now,
    count: (why) => counters.count('admin_turned_away_total', { why }),
    tell: (refusal) => log.warn(refusal, 'admin audit: turned away'),
  })
  const app = new Hono<Entered>()
  app.get('/enter', (c) =>
    c.html(enterPage(c.get('saying'), wayBack(c.req.query('to')), c.req.query('over') ? 'over' : undefined)),
  )
  app.post('/enter', async (c) => {
    const form = await formOf(c)
    const to = wayBack(form.to)
    const address = proxy.addressOf(asked(c))
    const verdict = access.check({ header: `Bearer ${(form.token ?? '').trim()}`, address }, now())
    if (verdict.is !== 'known') {
      const why = verdict.is === 'nobody' ? 'wrong' : verdict.is
      note({ why, address, method: 'POST' })
      return c.html(enterPage(c.get('saying'), to, why), why === 'locked' ? 429 : 401)
    }
    const { token } = verdict
    if (!rolesOf(token).includes('read')) return c.html(enterPage(c.get('saying'), to, 'noRead'), 403)
    const session = newSession(token, now())
    remember(c, token, session)
    audit({ name: token.name, roles: rolesOf(token) }, 'signed in', { address })
    return c.redirect(to, 303)
  })
  app.post('/leave', async (c) => {
    const visitor = visitorOf(c)
    if (visitor?.session !== undefined && isSame((await formOf(c)).form ?? '', visitor.secret)) {
      await signOuts.end(visitor.session, now() + longestMs)
      audit(visitor, 'signed out', {})
    }
    deleteCookie(c, cookieOf(c), { path: '/', secure: cookieOf(c) === SECURE_COOKIE })
    return c.redirect(visitor?.by === 'proxy' && proxy.signOutUrl ? proxy.signOutUrl : '/desk/enter', 303)
  })
  return app
}

/** Only into the desk. */
function wayBack(to: string | undefined): string {
  const isOurs = to !== undefined && /^\/desk(\/[\w/.@-]*)?(\?[\w=&.:%+@-]*)?$/.test(to) && !to.includes('..')
  return isOurs ? to : '/desk'
}

type Trouble = 'wrong' | 'weak' | 'locked' | 'noRead' | 'over'

function enterPage(saying: Saying, to: string, trouble: Trouble | undefined) {
  const { enter } = saying.words
  return plainPage(
    saying,
    enter.title,
    html`<p>${enter.lead}</p>
      ${trouble ? html`<p class="problem" role="alert">${enter[trouble]}</p>` : ''}
      <form method="post" action="/desk/enter" class="enter">
        <input type="hidden" name="to" value="${to}" />
        <label class="field"
          >${enter.token}
          <input
            type="password"
            name="token"
            maxlength="200"
            autocomplete="current-password"
            spellcheck="false"
            required
            autofocus
        /></label>
        <button type="submit" class="primary">${enter.go}</button>
      </form>`,
  )
}

/** The fields of a form that are texts. */
export async function formOf(c: Context): Promise<Partial<Record<string, string>>> {
  const body = await c.req.parseBody().catch(() => ({}))
  return Object.fromEntries(Object.entries(body).filter((one): one is [string, string] => typeof one[1] === 'string'))
}

/**
 * Whether a browser sends this for a page of ours. It says so itself (`Sec-Fetch-Site`); an older one says at least
 * where the page is from.
 */
export function isOwnPage(c: Context): boolean {
  const [site, origin] = [c.req.header('sec-fetch-site'), c.req.header('origin')]
  if (site !== undefined) return site === 'same-origin'
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === c.req.header('host'))
}
