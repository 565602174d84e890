/** The desk over real HTTP: the way in and out, what each role sees, and pages at a known cost. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { FAILED_MAX } from '../../../src/base/lockout.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, DESK_PAGES, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith, until } from '../../support/services.ts'

/** Of the heartbeat, of watches and of the outbox. `line-event-within` of all lines is asked once in ten seconds for all pages. */
const BACKGROUND =
  /^(instance|command|silence|desk-sign-outs|sms|hook|flow-release|flow-recall|late|owed|audit-(lock|head|known|append|old)|line-event-within$|line-event-write)/
const ROLES = { operate: 'read,support,operate,publish,push,trace', read: 'read' }
const TOKENS = { operate: 'operating-token-of-a-test', read: 'reading-token-of-a-test' }

describeWith(['redis', 'postgres'], 'the desk', () => {
  const stage = newStage()
  const daemons: Staged[] = []
  let smsc: Smsc
  let [now, file] = [0, '']
  /** Names of the statements of the first daemon. */
  const asked: string[] = []
  const at = (n: number) => `http://127.0.0.1:${daemons[n]!.daemon.admin.port}`
  const audit = (n = 0) => daemons[n]!.logged().filter(({ msg }) => msg === 'admin audit')
  const visit = (n = 0, headers: Record<string, string> = {}): DeskBrowser => browserOf(at(n), headers)
  const tokensFile = (roles: (keyof typeof TOKENS)[]) =>
    roles.map((role) => `${ROLES[role]}:${tokenHash(TOKENS[role]).toString('hex')} ${role}er\n`).join('')

  before(async function () {
    this.timeout(90_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    file = join(stage.data, 'tokens')
    writeFileSync(file, tokensFile(['operate', 'read']), { mode: 0o600 })
    for (const name of ['a', 'b']) {
      const change = (settings: Staged['settings']) => {
        settings.instance = name
        settings.admin.tokensFile = file
      }
      const more = { with: stage, change, now: () => realClock.now() + now }
      daemons.push(await stageDaemon({ smscPort: smsc.port, ...more }))
    }
  })
  before(() => {
    const { sql } = daemons[0]!.daemon.stores
    const run = sql.run.bind(sql)
    sql.run = (statement, ...more) => (asked.push(statement.name), run(statement, ...more))
  })
  after(async () => {
    for (const { close } of daemons) await close()
    await smsc?.stop()
  })

  it('sends a browser to the sign-in and back to where it wanted to be', async () => {
    assert.equal((await fetch(`${at(0)}/`, { redirect: 'manual' })).status, 401)
    const browser = visit()
    assert.equal((await browser.get('/')).headers.get('location'), '/desk')
    const sent = await browser.get('/desk/lines?from=2025-05-01T00:00')
    assert.equal(sent.status, 303)
    const enter = await browser.get(sent.headers.get('location')!)
    assert.match(await enter.text(), /name="to" value="\/desk\/lines\?from=2025-05-01T00:00"/)
    const done = await browser.post('/desk/enter', { token: ` ${TOKENS.operate} `, to: '/desk/lines' })
    assert.equal(done.headers.get('location'), '/desk/lines')
    assert.match(done.headers.get('set-cookie')!, /^desk=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/)
    const page = await browser.text('/desk/lines')
    assert.match(page, /<h1>Lines<\/h1>/)
    assert.match(page, /bound/)
    assert.ok(audit().some(({ what, who }) => what === 'signed in' && who === 'operateer'))
  })

  it('does not lead out of the desk, and tells nobody which token is right', async () => {
    for (const to of ['https://example.net/', '//example.net', '/v1/lines', '/desk/../v1', 'javascript:x']) {
      const done = await visit().post('/desk/enter', { token: TOKENS.read, to })
      assert.equal(done.headers.get('location'), '/desk', to)
    }
    const wrong = await visit().post('/desk/enter', { token: 'nobody-has-this-token' })
    assert.equal(wrong.status, 401)
    assert.equal(wrong.headers.get('set-cookie'), null)
    assert.match(await wrong.text(), /This token is wrong/)
  })

  it('sends pages that a browser runs no foreign word of', async () => {
    const browser = await visit().enter(TOKENS.read)
    const { headers } = await browser.get('/desk')
    const policy = headers.get('content-security-policy')!
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "form-action 'self'",
    ])
      assert.ok(policy.includes(part), part)
    assert.doesNotMatch(policy, /unsafe|data:|\*/)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-frame-options'), 'DENY')
  })

  it('has one cookie for the fleet, and a sign-out that all daemons know', async function () {
    const browser = await visit(0).enter(TOKENS.operate)
    const other = visit(1).with(browser)
    assert.equal((await other.get('/desk')).status, 200)
    const left = await browser.submit('/desk', '/desk/leave', {})
    assert.equal(left.headers.get('location'), '/desk/enter')
    const stolen = visit(0).with(other)
    assert.equal((await stolen.get('/desk')).status, 303)
    await until(async () => (await other.get('/desk')).status === 303, 'the other daemon still lets it in')
  })

  it('changes nothing that does not come from a form of its own', async () => {
    const browser = await visit().enter(TOKENS.operate)
    const stop = '/desk/lines/test/stop'
    const bare = await browser.post(stop, {})
    assert.equal(bare.status, 403)
    const page = await browser.text('/desk/lines/test')
    const form = /name="form" value="([\w-]+)"/.exec(page)![1]!
    const foreign: Record<string, string>[] = [
      { origin: 'https://example.net' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of foreign)
      assert.equal((await browser.post(stop, { form, instance: 'a' }, headers)).status, 403)
    assert.ok((await daemons[0]!.daemon.readiness()).ready)
    assert.equal(
      daemons[0]!.daemon.metrics && (await browser.post('/desk/enter', { token: TOKENS.read }, foreign[0])).status,
      403,
    )
  })

  it('stops and starts a line for who may operate, with an audit line; a reader sees no button', async function () {
    const browser = await visit().enter(TOKENS.operate)
    const done = await browser.submit('/desk/lines/test', '/desk/lines/test/stop', { instance: 'a' })
    assert.equal(done.status, 303, await done.text())
    assert.match(await browser.text('/desk/lines/test'), /stopped/)
    assert.ok(audit().some(({ what, who, line }) => what === 'line stop' && who === 'operateer' && line === 'test'))
    await browser.submit('/desk/lines/test', '/desk/lines/test/start', { instance: 'a' })
    await until(async () => (await daemons[0]!.daemon.readiness()).ready, 'not started')
    const none = await browser.submit('/desk/lines/test', '/desk/lines/nothing/stop', { instance: 'a' })
    assert.equal(none.status, 409)
    assert.match(await none.text(), /there is no line .*nothing/)
    const reader = await visit().enter(TOKENS.read)
    const page = await reader.text('/desk/lines/test')
    assert.doesNotMatch(page, /(stop|start|reload)"/)
    const form = /name="form" value="([\w-]+)"/.exec(page)![1]!
    assert.equal((await reader.post('/desk/lines/test/stop', { form, instance: 'a' })).status, 403)
    assert.ok(
      audit().some(({ what, who, needs }) => what === 'POST refused' && who === 'reader' && needs === 'operate'),
    )
  })

  it('shows the lines of the other daemon too, with the age of what it says', async function () {
    const browser = await visit().enter(TOKENS.read)
    await until(
      async () => /<td[^>]*><div>b <span class="age">\d+ s ago/.test(await browser.text('/desk/lines')),
      'no b',
    )
  })

  it('tells an open page what is new, once, and when it is signed out', async function () {
    const browser = await visit().enter(TOKENS.operate)
    const stream = await browser.stream('/desk/lines/live')
    const first = await stream.next()
    assert.equal(first.event, 'parts')
    assert.match((JSON.parse(first.data) as { lines: string }).lines, /test/)
    await browser.submit('/desk', '/desk/leave', {})
    for (let event = await stream.next(); event.event !== 'left'; event = await stream.next());
    stream.stop()
    assert.equal((await browser.get('/desk/lines/live')).status, 401)
  })

  it('speaks the language of the browser, or the chosen one', async () => {
    const browser = await visit(0, { 'accept-language': 'fr-FR,fr;q=0.9,en;q=0.5' }).enter(TOKENS.read)
    assert.match(await browser.text('/desk'), /<html lang="fr"[\s\S]*Vue d’ensemble/)
    assert.match(await browser.text('/desk?lang=en'), /<html lang="en"/)
    assert.match(await browser.text('/desk'), /<html lang="en"/)
    assert.match(await browser.text('/desk?lang=xx'), /<html lang="en"/)
  })

  it('makes each page with two statements at most, and a stream with none of its own', async () => {
    const browser = await visit().enter(TOKENS.operate)
    for (const path of DESK_PAGES) {
      await browser.get(path)
      asked.length = 0
      assert.equal((await browser.get(path)).status, 200, path)
      const own = asked.filter((name) => !BACKGROUND.test(name))
      assert.ok(own.length <= 2, `${path}: ${own.join()}`)
    }
  })

  it('rolls back and tries revisions for who may publish, with a reason in the history', async function () {
    const browser = await visit().enter(TOKENS.operate)
    const here = '/desk/releases/dental'
    const page = await browser.text(here)
    const revision = /dental@[0-9a-f]{12}/.exec(page)![0]
    const refused = await browser.submit(here, `${here}/rollback`, { revision, note: 'a trial' })
    assert.equal(refused.status, 409)
    assert.match(await refused.text(), /in force already/)
    const none = await browser.submit(here, `${here}/canary-end`, { note: 'for +67570000001' })
    assert.match(await none.text(), /has no trial/)
    const told = audit().find(({ what }) => what === 'flow canary-end refused')
    assert.doesNotMatch(JSON.stringify(told), /67570000001/)
    const reader = await visit().enter(TOKENS.read)
    assert.equal((await reader.submit(here, `${here}/rollback`, { revision, note: 'x' })).status, 403)
    assert.doesNotMatch(await reader.text(here), /rollback/)
    assert.equal((await browser.get(`${here}/diff?from=${revision}&to=${revision}`)).status, 200)
    assert.equal((await browser.get(`${here}/diff?from=x&to=y`)).status, 404)
  })

  it('silences alarms, and shows the audit', async function () {
    const browser = await visit().enter(TOKENS.operate)
    const done = await browser.submit('/desk/alarms', '/desk/alarms/silence', {
      line: 'test',
      for: '2h',
      note: 'works',
    })
    assert.equal(done.status, 303, await done.text())
    const page = await browser.text('/desk/alarms')
    assert.match(page, /works/)
    await until(async () => /alarms silenced/.test(await browser.text('/desk/alarms')), 'not in the audit')
    const id = /silence\/(\d+)\/end/.exec(page)![1]!
    await browser.submit('/desk/alarms', `/desk/alarms/silence/${id}/end`, {})
    assert.doesNotMatch(await browser.text('/desk/alarms'), /silence\/\d+\/end/)
    const wrong = await browser.submit('/desk/alarms', '/desk/alarms/silence', { for: 'ever', note: 'x' })
    assert.equal(wrong.status, 409)
  })

  it('finds a number for support: with a reason that the audit keeps, and masked in a link', async () => {
    const browser = await visit().enter(TOKENS.operate)
    const phone = smsc.phone('67570000002')
    await phone.dial('*123#')
    assert.match(
      await (await browser.submit('/desk/number', '/desk/number', { number: '12', note: 'x' })).text(),
      /5 to 15/,
    )
    const mute = await browser.submit('/desk/number', '/desk/number', { number: '67570000002', note: ' ' })
    assert.match(await mute.text(), /Give a reason/)
    const found = await browser.submit('/desk/number', '/desk/number', { number: '+675 7000 0002', note: 'ticket 7' })
    const page = await found.text()
    assert.match(page, /<code>67570000002<\/code>/)
    assert.match(page, /it waits for the subscriber|its answer is being worked on/)
    assert.ok(audit().some(({ what, note }) => what === 'number of a subscriber uncovered' && note === 'ticket 7'))
    const who = /who=([\w-]+)/.exec(page)![1]!
    const masked = await browser.text(`/desk/number?who=${who}`)
    assert.doesNotMatch(masked, /67570000002/)
    assert.match(masked, /Show the number/)
    const group = /name="group"\s+value="([^"]+)"/.exec(masked)![1]!
    const ended = await browser.submit(`/desk/number?who=${who}`, '/desk/number/end', {
      who,
      group,
      note: 'asked for it',
    })
    assert.equal(ended.status, 303)
    assert.doesNotMatch(await browser.text(`/desk/number?who=${who}`), /number\/end/)
    const reader = await visit().enter(TOKENS.read)
    assert.equal((await reader.get('/desk/number')).status, 403)
    assert.equal((await reader.get(`/desk/number?who=${who}`)).status, 403)
    assert.equal((await browser.get('/desk/number?who=nonsense')).status, 200)
    assert.doesNotMatch(JSON.stringify(daemons[0]!.logged()), /67570000002/)
  })

  it('shows a reader no settings and no trace, and nobody a secret', async () => {
    const reader = await visit().enter(TOKENS.read)
    for (const path of ['/desk/settings', '/desk/trace', '/desk/trace/pcap?line=test'])
      assert.equal((await reader.get(path)).status, 403, path)
    const browser = await visit().enter(TOKENS.operate)
    const settings = await browser.text('/desk/settings?q=smsc')
    assert.match(settings, /lines\.0\.smsc\.systemId/)
    assert.doesNotMatch(settings, /"secret"|&quot;secret&quot;/)
    assert.match(await browser.text('/desk/trace?line=test&last=20'), /bind_transceiver|deliver_sm/)
    assert.equal(
      (await browser.get('/desk/trace/pcap?line=test')).headers.get('content-type'),
      'application/vnd.tcpdump.pcap',
    )
    assert.match(await browser.text('/desk/services/dental'), /<svg [^>]*viewBox/)
  })

  it('has a page for what does not exist, and takes no strange names', async () => {
    const browser = await visit().enter(TOKENS.read)
    for (const path of ['/desk/nothing', '/desk/lines/..%2fx', '/desk/lines/A'])
      assert.equal((await browser.get(path)).status, 404, path)
    assert.match(await browser.text('/desk/lines/unknown'), /There is no line unknown/)
    assert.equal((await browser.get('/desk/lines/test?before=x&from=y&until=%00')).status, 200)
  })

  it('locks nobody out, but tells an address that guesses', async () => {
    for (let n = 0; n < FAILED_MAX; n++) await visit(1).post('/desk/enter', { token: `guess-${n}-of-a-token` })
    assert.equal((await visit(1).post('/desk/enter', { token: 'one-more-guess-of-a-token' })).status, 429)
    assert.equal((await visit(1).post('/desk/enter', { token: TOKENS.read })).status, 303)
  })

  it('signs out who may change something and does nothing, and not a screen on a wall', async () => {
    const operator = await visit().enter(TOKENS.operate)
    const wall = await visit().enter(TOKENS.read)
    now += 1_700_000
    assert.equal((await operator.get('/desk')).status, 200)
    now += 1_700_000
    assert.equal((await operator.get('/desk')).status, 200)
    now += 1_900_000
    assert.equal((await operator.get('/desk')).status, 303)
    assert.equal((await wall.get('/desk')).status, 200)
  })

  it('forgets who had a token that was taken out of the file', async function () {
    const browser = await visit().enter(TOKENS.operate)
    writeFileSync(file, tokensFile(['read']), { mode: 0o600 })
    await until(async () => (await browser.get('/desk')).status === 303, 'still in')
  })
})
