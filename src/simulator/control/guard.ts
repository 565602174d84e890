/**
 * Who may use the control HTTP. On loopback: pages and programs of this machine. Elsewhere a token is needed too: a
 * program sends it as a bearer; a page has a cookie, which it got for the token behind the # of its address (which no
 * log sees).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { Context, Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { isLoopback, fromForeignPage } from '../../base/index.ts'

export interface GuardOptions {
  host: string
  /** Names that a browser may use besides localhost and the address. They prevent DNS rebinding. */
  allowedHosts: readonly string[]
  /** Absent: created if the host is not loopback. */
  token: string | undefined
}

const TOKEN_OCTETS = 24
const NEEDED =
  'the phone needs the token that `simulate` printed: open the printed address with its #, or give dial --token-file'
const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Returns the token in force, if there is one. */
export function guardControl(app: Hono, { host, allowedHosts, token: given }: GuardOptions): string | undefined {
  const isLocal = isLoopback(host)
  const token = given ?? (isLocal ? undefined : randomBytes(TOKEN_OCTETS).toString('base64url'))
  const hosts = [host, 'localhost', '127.0.0.1', '::1', ...allowedHosts]
  app.use(async (c, next) => {
    const refused = refusal(c, hosts, !isLocal)
    if (refused) return refused
    await next()
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('Cache-Control', 'no-store')
  })
  if (token !== undefined) admit(app, token)
  return token
}

/**
 * Refuses a foreign Host (DNS rebinding needs a name; an address is always ours), a foreign Origin, and anything but
 * JSON.
 */
function refusal(c: Context, hosts: readonly string[], addresses: boolean): Response | undefined {
  const name = (c.req.header('host') ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (!hosts.includes(name) && !(addresses && isIP(name)))
    return c.json({ error: `Host '${name}' is not allowed` }, 403)
  const asked = { method: c.req.method, head: (header: string) => c.req.header(header) }
  if (fromForeignPage(asked, new URL(c.req.url).origin))
    return c.json({ error: 'requests from other web pages are refused' }, 403)
  const hasBody = c.req.method === 'POST' || c.req.method === 'PATCH'
  if (hasBody && !/^application\/json\b/.test(c.req.header('content-type') ?? '')) {
    return c.json({ error: 'the body must be JSON, with content-type application/json' }, 415)
  }
  return undefined
}

/** The files of the page are not secret; everything that the page requests is. */
function admit(app: Hono, token: string): void {
  const [wanted, cookie] = [hash(token), `phone-${hash(token).toString('hex').slice(0, 8)}`]
  const isRight = (said: string | undefined) => said !== undefined && timingSafeEqual(hash(said), wanted)
  app.post('/enter', async (c) => {
    const { token: said } = z.strictObject({ token: z.string().max(200) }).parse(await c.req.json())
    if (!isRight(said)) return c.json({ error: 'the token is wrong' }, 401)
    setCookie(c, cookie, token, { httpOnly: true, sameSite: 'Strict', path: '/' })
    return c.json({})
  })
  app.use('/api/*', async (c, next) => {
    const bearer = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '')?.[1]
    if (isRight(bearer) || isRight(getCookie(c, cookie))) return next()
    return c.json({ error: NEEDED }, 401)
  })
}
