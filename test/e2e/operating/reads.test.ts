/** What a GET of the admin server and of the desk asks of the stores: as much for many dialogues as for none. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { readFileSync } from 'node:fs'
import { Server } from 'node:http'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { ROUTE_ROLES } from '../../../src/admin/roles.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, DESK_PAGES, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith, until } from '../../support/services.ts'
import { root, sources } from '../../style/tree.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'a-token-for-all-roles-of-a-test'
const JOHN = '67570000001'
const PHONES = 150
/** Of a page. */
const STATEMENTS_MAX = 2
const SMS = 150

/** An address for each route that only reads. */
const READS: Record<string, string> = {
  'GET /ready': '/ready',
  'GET /metrics': '/metrics',
  'GET /v1/alarms': '/v1/alarms',
  'GET /v1/dialogues': `/v1/dialogues?msisdn=${JOHN}`,
  'GET /v1/flows': '/v1/flows',
  'GET /v1/flows/:name/revisions': '/v1/flows/dental/revisions',
  'GET /v1/flows/:name/history': '/v1/flows/dental/history',
  'GET /v1/flows/:name/funnel': '/v1/flows/dental/funnel',
  'GET /v1/flows/:name/revisions/:revision': '/v1/flows/dental/revisions/REVISION',
  'GET /v1/instances': '/v1/instances',
  'GET /v1/lines': '/v1/lines',
  'GET /v1/lines/:line/events': '/v1/lines/test/events',
  'GET /v1/lines/:line/trace': '/v1/lines/test/trace?form=text&last=5',
  'GET /v1/log': '/v1/log',
  'GET /v1/sms': '/v1/sms?state=due&limit=5',
  'GET /v1/subscribers': `/v1/subscribers?msisdn=${JOHN}`,
  'GET /v1/subscribers/dialogues/:epoch': '/v1/subscribers/dialogues/EPOCH',
  'GET /v1/subscribers/hash': `/v1/subscribers/hash?msisdn=${JOHN}`,
  'GET /v1/test-dials': '/v1/test-dials',
  'GET /v1/openapi.json': '/v1/openapi.json',
}
const UNKNOWN = '01968a1c-7f00-7000-8000-000000000000'
const MORE = [`/v1/sms?msisdn=${JOHN}`, '/v1/sms?state=failed', '/live']
const MORE_PAGES = [
  '/desk/enter',
  '/desk/releases/dental/diff?from=REVISION&to=REVISION',
  '/desk/trace/pcap?line=test&last=5',
  '/desk/live',
  '/desk/lines/live',
  '/desk/lines/test/live',
  '/desk/services/live',
  '/desk/alarms/live',
  '/desk/sms/live',
  '/desk/number/dialogue/EPOCH',
]

interface Asked {
  redis: string[]
  sql: string[]
}

const asking = new AsyncLocalStorage<Asked>()

/** What is asked of the stores within a request is written down with it. Returns what undoes that. */
function listen(): () => void {
  const { emit } = Server.prototype
  const { sendCommand } = Redis.prototype
  const { query } = pg.Client.prototype
  const emitted = emit as (this: Server, event: string, ...of: unknown[]) => boolean
  Server.prototype.emit = function (this: Server, event: string, ...of: unknown[]) {
    const go = () => emitted.call(this, event, ...of)
    return event === 'request' ? asking.run(perRequest, go) : go()
  } as typeof emit
  Redis.prototype.sendCommand = function (...of: Parameters<typeof sendCommand>) {
    asking.getStore()?.redis.push(of[0].name)
    return sendCommand.apply(this, of)
  }
  // Of the daemon's own port and of knex alike.
  pg.Client.prototype.query = function (this: pg.Client, ...of: [{ text?: string } | string, ...unknown[]]) {
    asking.getStore()?.sql.push(typeof of[0] === 'string' ? of[0] : (of[0].text ?? ''))
    return (query as (...all: unknown[]) => unknown).apply(this, of)
  } as typeof query
  return () => {
    Server.prototype.emit = emit
    Redis.prototype.sendCommand = sendCommand
    pg.Client.prototype.query = query
  }
}
let perRequest: Asked = { redis: [], sql: [] }

describeWith(['redis', 'postgres'], 'what a GET asks of the stores', function () {
  this.timeout(120_000)
  let smsc: Smsc
  let staged: Staged
  let browser: DeskBrowser
  let url: string
  let revision: string
  let undo = () => undefined as void

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'mary' })
      },
    })
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
    browser = await browserOf(url).enter(TOKEN)
    const { flows } = (await (await ask('/v1/flows')).json()) as { flows: { name: string; revision: string }[] }
    revision = flows.find(({ name }) => name === 'dental')!.revision
    undo = listen()
  })
  after(async () => {
    undo()
    await staged?.close()
    await smsc?.stop()
  })

  const real = (path: string) => path.replaceAll('REVISION', revision).replace('EPOCH', UNKNOWN)
  const ask = (path: string, more: RequestInit = {}) =>
    fetch(`${url}${real(path)}`, {
      ...more,
      headers: { authorization: `Bearer ${TOKEN}` },
    })
  const pages = [...DESK_PAGES, ...MORE_PAGES]

  /** A stream is left after its first words. */
  async function look(path: string): Promise<Asked> {
    perRequest = { redis: [], sql: [] }
    const mine = perRequest
    const answer = path.startsWith('/desk') ? await browser.get(real(path)) : await ask(path)
    assert.ok(answer.status < 300 || path.endsWith('EPOCH'), `${path}: ${answer.status}`)
    const reader = answer.body!.getReader()
    while (!(await reader.read()).done && !path.includes('/live'));
    await reader.cancel()
    return mine
  }

  async function all(): Promise<Map<string, Asked>> {
    const asked = new Map<string, Asked>()
    for (const path of [...Object.values(READS), ...MORE, ...pages]) asked.set(path, await look(path))
    return asked
  }

  it('is looked at for each GET route of the table, and for each page of the desk', () => {
    const routes = Object.keys(ROUTE_ROLES).filter((route) => route.startsWith('GET '))
    assert.deepEqual(Object.keys(READS).toSorted(), routes.toSorted())
    const paths = sources(['src/desk']).flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/app\.get\(\s*'([^']+)'/g)].map(([, path]) => `/desk${path}`),
    )
    const asked = pages.map((path) => path.split('?')[0]!)
    const fits = (path: string) => new RegExp(`^${path.replace(/\/$/, '').replaceAll(/:\w+/g, '[^/]+')}$`)
    assert.ok(paths.length > 15)
    for (const path of paths)
      assert.ok(
        asked.some((one) => fits(path).test(one)),
        path,
      )
  })

  it('is no census: a count of all dialogues would be seen', async () => {
    const seen: Asked = { redis: [], sql: [] }
    await asking.run(seen, () => staged.daemon.stores.dialogues.census(10))
    assert.ok(
      seen.redis.some((name) => /scan|range/.test(name)),
      seen.redis.join(),
    )
  })

  it('is the same for none and for many dialogues and SMS, and never a scan', async () => {
    const few = await all()
    const dialled = Array.from({ length: PHONES }, (_, n) => smsc.phone(`6757100${String(n).padStart(4, '0')}`))
    // All at once they are refused where the machine is slow, to be dialled again: here they are only to be there.
    const isOpen = (phone: Phone) => phone.dial('*123#').then(Boolean, () => false)
    for (const phone of dialled) await until(() => isOpen(phone), 'a dial is refused again and again')
    for (let n = 0; n < SMS; n++) {
      const body = { to: `6757200${String(n).padStart(4, '0')}`, text: 'Later.', in: '5h' }
      const answer = await fetch(`${url}/v1/sms`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify(body),
      })
      assert.equal(answer.status, 201)
    }
    const many = await all()
    for (const [path, { redis, sql }] of many) {
      assert.ok(redis.length <= few.get(path)!.redis.length, `${path}: ${redis.join()}`)
      assert.ok(sql.length <= few.get(path)!.sql.length, `${path}: ${sql.length}`)
      assert.deepEqual(
        redis.filter((name) => /scan|^keys$|range|smembers|hgetall|hvals|hkeys/i.test(name)),
        [],
        path,
      )
      if (path.startsWith('/desk')) assert.ok(sql.length <= STATEMENTS_MAX, `${path}: ${sql.join('\n')}`)
      // What is counted is a bounded number of rows.
      for (const text of sql) assert.doesNotMatch(text, /\bcount\s*\((?![^]*\bLIMIT\b[^]*\))/i, path)
    }
  })

  it('shows in the list of revisions what was counted on its own time, and how long ago', async function () {
    const rows = async () =>
      (await (await ask('/v1/flows/dental/revisions')).json()) as {
        revisions: { revision: string; open: number | null }[]
        counted: boolean
        countedAgeMs: number | null
      }
    await until(
      async () => Number((await rows()).revisions.find((row) => row.revision === revision)?.open) > 0,
      'not counted',
      60_000,
    )
    const { counted, countedAgeMs } = await rows()
    assert.ok(counted && countedAgeMs !== null && countedAgeMs < 20_000, String(countedAgeMs))
  })
})
