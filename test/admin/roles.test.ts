/** Which token may do what, over HTTP: every route, with every role. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { readTokens, tokenHash } from '../../src/admin/access.ts'
import { ROLE_NAMES, ROUTE_ROLES, ROLES } from '../../src/admin/roles.ts'
import { adminApp, type AdminDeps } from '../../src/admin/server.ts'
import { tokenCommand } from '../../src/cli/commands/token.ts'

const { getRequestListener } = createRequire(import.meta.url)('@hono/node-server') as typeof import('@hono/node-server')
const tokenOf = (roles: string) => `a-token-for-${roles}-of-a-test`
const line = (roles: string) => `${roles}:${tokenHash(tokenOf(roles)).toString('hex')} ${roles.replaceAll(',', '.')}`

/** A stand-in that answers whatever is asked of it: what routes do is tested elsewhere. */
const anything = (): unknown => new Proxy(() => ({}), { get: (_, key) => (key === 'then' ? undefined : anything()) })

/** The face of a route that is for a role, where the other one is for others. */
const FACES: Record<string, string> = { 'sms GET /v1/sms': '?key=x' }

describe('the roles of admin tokens', () => {
  const logged: object[] = []
  const noted: object[] = []
  const tell = (more: object) => void logged.push(more)
  const files = [...ROLE_NAMES, 'read,operate', 'trace,support']
  const app = adminApp({
    registry: { metrics: async () => '', contentType: 'text/plain' } as unknown as Registry,
    readiness: async () => ({ ready: true, parts: {} }),
    service: anything(),
    flows: anything(),
    fleet: anything(),
    tokens: readTokens('tokens', files.map(line).join('\n')),
    now: () => 0,
    counters: { count: () => undefined },
    audit: { note: (entry: object) => void noted.push(entry) },
    log: { debug: tell, info: tell, warn: tell, error: tell },
  } as unknown as AdminDeps)
  let server: Server
  before(async () => {
    server = createServer(getRequestListener(app.fetch))
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  after(() => void server.close())

  async function ask(roles: string, route: string) {
    const [method, path] = route.split(' ') as [string, string]
    const { port } = server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}${path.replaceAll(/:\w+/g, 'x')}`, {
      method,
      headers: { authorization: `Bearer ${tokenOf(roles)}`, connection: 'close' },
    })
    const body = (await answer.json().catch(() => ({}))) as { error?: string; needs?: string }
    return { status: answer.status, ...body }
  }
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)

  it('stand in one table, each route of the server once', () => {
    assert.deepEqual(
      [...new Set(routes)].filter((route) => route !== 'GET /live').toSorted(),
      Object.keys(ROUTE_ROLES).toSorted(),
    )
  })

  it('open what the table says, and nothing else; a refusal names the role that is missing', async () => {
    for (const [route, needs] of Object.entries(ROUTE_ROLES))
      for (const roles of files) {
        const has = roles.split(',')
        const { status, error } = await ask(roles, `${route}${FACES[`${roles} ${route}`] ?? ''}`)
        if (needs.some((role) => has.includes(role)))
          assert.ok(status !== 401 && status !== 403, `${roles}: ${route}: ${status}`)
        else assert.equal(status, 403, `${roles}: ${route}`)
        if (status !== 403) continue
        assert.match(error!, /^this token has the roles? .*, and this needs \w+/)
      }
    assert.equal((await ask('push', 'GET /v1/nothing')).status, 404)
    assert.deepEqual(await ask('push', 'POST /v1/lines/:line/stop'), {
      status: 403,
      error: 'this token has the role push, and this needs operate (its line in admin.tokensFile: push,operate:…)',
      needs: 'operate',
    })
    assert.ok(logged.some((row) => 'needs' in row && row.needs === 'operate' && 'who' in row && row.who === 'push'))
    const [last] = noted.slice(-1)
    const more = { path: '/v1/lines/:line/stop', needs: 'operate' }
    assert.deepEqual(last, { who: 'push', role: 'push', what: 'POST refused', more })
  })

  it('divide a route of two faces: own SMS by key, those of a subscriber by number; PDUs in clear for support', async () => {
    assert.deepEqual([(await ask('sms', 'GET /v1/sms?msisdn=67570000001')).needs], ['support'])
    assert.deepEqual([(await ask('support', 'GET /v1/sms?key=x')).needs], ['sms'])
    assert.deepEqual([(await ask('trace', 'GET /v1/lines/x/trace?clear=true')).needs], ['support'])
    assert.notEqual((await ask('trace,support', 'GET /v1/lines/x/trace?clear=true')).status, 403)
  })

  it('are written into the line by a command, each by its name', () => {
    const said: string[] = []
    tokenCommand(['read', 'push'], {}, (text) => void said.push(text))
    const [token] = readTokens('tokens', `${said[1]!.split(/ {2,}/)[1]!} mary`)
    assert.deepEqual(token!.roles, ['read', 'push'])
    said.length = 0
    tokenCommand(['read', 'push'], { json: true }, (text) => void said.push(text))
    const told = JSON.parse(said.join('\n')) as { roles: string[]; token: string; line: string }
    assert.deepEqual(readTokens('tokens', `${told.line} mary`)[0]!.roles, told.roles)
    assert.equal(tokenHash(told.token).toString('hex'), told.line.split(':')[1])
    for (const role of Object.keys(ROLES)) assert.doesNotThrow(() => tokenCommand([role], {}, () => undefined), role)
    assert.throws(
      () => tokenCommand(['boss'], {}, () => undefined),
      /'boss' is not a role: write read, support, .* or sms/,
    )
  })
})
