/** What is around every page of the desk: headers, the language, who may see it, and pages for what went wrong. */
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getCookie, setCookie } from 'hono/cookie'
import { secureHeaders } from 'hono/secure-headers'
import type { Counters, Log } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import { html, type Markup, plainPage } from './pages/index.ts'
import { may } from './visitor.ts'
import { isOwnPage, type Entered, type WayIn } from './way-in.ts'
import { chosenWords } from './words/index.ts'

type Ctx = Context<Entered>
type Next = () => Promise<void>

/** A form of the desk has a few short fields. */
const FORM_OCTETS_MAX = 16_384
const LANGUAGE_COOKIE = 'desk-language'
const YEAR_SECONDS = 31_536_000

/** `framedBy`: the origin of a page that may show the desk within it: in the demo. */
export function deskHeaders(app: Hono<Entered>, framedBy: string | undefined): void {
  const [self, none] = [["'self'"], ["'none'"]]
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: none,
        scriptSrc: self,
        styleSrc: self,
        imgSrc: self,
        connectSrc: self,
        formAction: self,
        baseUri: none,
        frameAncestors: framedBy === undefined ? none : [framedBy],
      },
      crossOriginResourcePolicy: 'same-origin',
      xFrameOptions: framedBy === undefined ? 'DENY' : false,
    }),
  )
  app.use(async (c, next) => {
    await next()
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
  })
  app.use(bodyLimit({ maxSize: FORM_OCTETS_MAX, onError: (c) => c.text('the form is too large', 413) }))
}

/** A page that says what went wrong, and leads back. */
export function troublePage(c: Ctx, status: 403 | 404 | 409 | 500 | 503, why: string | Markup, back = '/desk') {
  const { enter } = c.get('words')
  const body = html`<div class="problem" role="alert">${why}</div>
    <p><a href="${back}">${back === '/desk' ? enter.back : back}</a></p>`
  return c.html(plainPage(c.get('saying'), String(status), body), status)
}

export function troublePages(app: Hono<Entered>, log: Log): void {
  app.notFound((c) => troublePage(c, 404, c.get('words').enter.missing))
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.routePath }, 'a page of the desk failed')
    return troublePage(c, 500, c.get('words').enter.failed)
  })
}

/** The language, and the zone of this daemon. */
export function speaking({ clock }: { clock: Clock }) {
  const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions()
  return async (c: Ctx, next: Next) => {
    const asked = c.req.query('lang')
    const words = chosenWords([asked, getCookie(c, LANGUAGE_COOKIE)], c.req.header('accept-language'))
    if (asked === words.language)
      setCookie(c, LANGUAGE_COOKIE, asked, { path: '/desk', maxAge: YEAR_SECONDS, sameSite: 'Lax', httpOnly: true })
    c.set('words', words)
    c.set('saying', { words, nowMs: clock.now(), zone })
    return next()
  }
}

/** Nobody can be let in, or another web page sent this. */
export function ownPagesOnly(wayIn: WayIn, counters: Counters) {
  return async (c: Ctx, next: Next) => {
    const { enter } = c.get('words')
    if (wayIn.isClosed()) return troublePage(c, 403, enter.closed)
    if (c.req.method !== 'POST' || isOwnPage(c)) return next()
    counters.count('admin_turned_away_total', { why: 'page' })
    return troublePage(c, 403, enter.foreign)
  }
}

/** Everything behind it is for somebody who is in, and may read. */
export function entering(wayIn: WayIn) {
  return async (c: Ctx, next: Next) => {
    const visitor = wayIn.visitorOf(c)
    const { path, method, url } = c.req
    const isStream = path.endsWith('/live')
    if (!visitor) {
      if (isStream || method !== 'GET') return c.text('signed out', 401)
      const to = encodeURIComponent(url.slice(url.indexOf('/', 8)))
      const over = c.req.header('cookie')?.includes('desk=') ? '&over=1' : ''
      return c.redirect(`/desk/enter?to=${to}${over}`, 303)
    }
    if (!may(visitor, 'read')) return troublePage(c, 403, c.get('words').enter.lacks('read'))
    c.set('visitor', visitor)
    if (!isStream) wayIn.renew(c)
    return next()
  }
}
