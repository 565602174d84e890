/** A read-only operator tries everything at the desk: every route that changes something, as the routes themselves say. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import { tokenHash } from '../../../src/admin/access.ts'
import { DESK_ROUTES } from '../../../src/desk/desk.ts'
import type { Entered } from '../../../src/desk/way-in.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, DESK_PAGES, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith } from '../../support/services.ts'

const TOKENS = { operate: 'operating-token-of-a-test', read: 'reading-token-of-a-test' }
const OF = { operate: 'read,support,operate,publish,push,trace', read: 'read' }
const VALUES: Record<string, string> = { line: 'test', id: '1', name: 'dental', epoch: 'x' }

/** Whatever is asked of it. */
const anything: object = new Proxy(() => undefined, { get: () => anything, apply: () => anything })

/** The paths of the routes of this method, with each value that a place may have. */
function pathsOf(method: string): string[] {
  const app = new Hono<Entered>()
  for (const routes of DESK_ROUTES) routes(app, anything as never, anything as never)
  const paths = app.routes.filter((route) => route.method === method).map(({ path }) => path)
  const whole = paths.flatMap((path) => {
    const [place, words] = /:\w+\{((?:[a-z-]+\|)+[a-z-]+)\}/.exec(path) ?? []
    return place ? words!.split('|').map((word) => path.replace(place, word)) : [path]
  })
  return [...new Set(whole)].map(
    (path) => `/desk${path.replaceAll(/:(\w+)(\{[^}]*\}\}?)?/g, (_, name: string) => VALUES[name]!)}`,
  )
}

describeWith(['redis', 'postgres'], 'a read-only operator at the desk', function () {
  this.timeout(60_000)
  let smsc: Smsc
  let staged: Staged
  let reader: DeskBrowser
  let operator: DeskBrowser

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.admin.tokensFile = join(settings.data, 'tokens')
        const line = (role: keyof typeof OF) => `${OF[role]}:${tokenHash(TOKENS[role]).toString('hex')} ${role}er\n`
        writeFileSync(settings.admin.tokensFile, line('operate') + line('read'), { mode: 0o600 })
      },
    })
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    reader = await browserOf(url).enter(TOKENS.read)
    operator = await browserOf(url).enter(TOKENS.operate)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  const refusals = () =>
    staged.logged().filter(({ msg, what, who }) => msg === 'admin audit' && what === 'POST refused' && who === 'reader')

  it('is refused at each route that changes something, with an audit line, and nothing changes', async () => {
    const paths = pathsOf('POST')
    for (const path of [
      'lines/test/hold',
      'sms/1/retry',
      'number/end',
      'releases/dental/rollback',
      'trace/clear',
      'lines/reload',
    ])
      assert.ok(paths.includes(`/desk/${path}`), `${path}: ${paths.join(' ')}`)
    const before = await staged.daemon.readiness()
    const fields = {
      note: 'x',
      number: '67570000001',
      line: 'test',
      for: '1h',
      share: '5',
      instance: 'all',
      revision: 'x',
    }
    for (const [n, path] of paths.entries()) {
      const answer = await reader.submit('/desk', path, fields)
      assert.equal(answer.status, 403, path)
      assert.match(await answer.text(), /You do not have the role/, path)
      assert.equal(refusals().length, n + 1, path)
    }
    assert.deepEqual(await staged.daemon.readiness(), before)
    assert.match(await reader.text('/desk/alarms'), /Nothing is silenced/)
  })

  it('is refused there also with everything that an operator has but the secret of his form', async () => {
    for (const path of pathsOf('POST'))
      for (const form of ['', 'guess', 'x'.repeat(43)])
        assert.equal((await operator.post(path, { form, note: 'x', number: '67570000001' })).status, 403, path)
  })

  it('sees no form that would change something, and no number', async () => {
    for (const path of DESK_PAGES.filter((one) => !/number|trace|settings/.test(one))) {
      const page = await reader.text(path)
      const forms = [...page.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action)
      assert.deepEqual(forms, ['/desk/leave'], path)
    }
  })

  it('changes nothing by looking: no GET does', async () => {
    for (const path of pathsOf('GET').filter((one) => !one.endsWith('/live')))
      assert.ok((await reader.get(path)).status < 500, path)
    assert.ok((await staged.daemon.readiness()).ready)
  })

  it('holds and releases a line for who may: new dials get the text', async () => {
    const here = '/desk/lines/test'
    const held = await operator.submit(here, `${here}/hold`, { instance: 'all', text: 'Back at six.' })
    assert.equal(held.headers.get('location'), here)
    assert.match(await operator.text(here), /held by operateer[\s\S]*<q>Back at six\.<\/q>/)
    assert.match(await operator.text('/desk/lines'), /badge warn">held/)
    assert.equal((await smsc.phone('67570000021').dial('*123#')).text, 'Back at six.')
    await operator.submit(here, `${here}/release`, { instance: 'all' })
    assert.doesNotMatch(await operator.text(here), /held by/)
  })

  it('shows PDUs in clear once, for a reason that the audit keeps', async () => {
    await smsc.phone('67570000022').dial('*123#')
    const here = '/desk/trace?line=test&last=20'
    assert.doesNotMatch(await operator.text(here), /67570000022/)
    const mute = await operator.submit(here, '/desk/trace/clear', { line: 'test', last: '20', note: ' ' })
    assert.equal(mute.status, 409)
    const clear = await operator.submit(here, '/desk/trace/clear', { line: 'test', last: '20', note: 'ticket 9' })
    assert.match(await clear.text(), /In clear[\s\S]*67570000022/)
    const audit = staged.logged().find(({ what, clear: is }) => what === 'trace taken' && is === true)
    assert.equal(audit?.note, 'ticket 9')
    const none = await operator.submit(here, '/desk/trace/clear', { line: 'nothing', last: '20', note: 'x' })
    assert.equal(none.status, 404)
  })
})
