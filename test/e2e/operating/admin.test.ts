import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { ROLE_NAMES } from '../../../src/admin/roles.ts'
import { FAILED_MAX } from '../../../src/base/lockout.ts'
import { dialoguesCommand } from '../../../src/cli/commands/dialogues.ts'
import { traceCommand } from '../../../src/cli/commands/trace.ts'
import { readPdus } from '../../../src/tools/capture/capture.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { T1, T4 } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const JOHN = '67570000001'
/** As many as the server takes, and more. */
const CONNECTIONS_MAX = 200
const IDLE = 260
const TOKENS = {
  read: 'reading-token-of-a-test',
  operate: 'operating-token-of-a-test',
  trace: 'tracing-token-of-a-test',
}

/** As a caller that writes these headers; `fetch` sets Host itself. */
const askedAs = (port: number, path: string, headers: Record<string, string>) =>
  new Promise<[number, string]>((done, fail) =>
    get({ host: '127.0.0.1', port, path, headers }, (answer) => {
      let text = ''
      answer.on('data', (part: Buffer) => (text += part.toString()))
      answer.on('end', () => done([answer.statusCode!, text]))
    }).on('error', fail),
  )

describeWith(['redis', 'postgres'], 'the admin door', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  let url: string
  const file = (role: keyof typeof TOKENS) => join(staged.settings.data, `${role}.token`)
  const ask = (method: string, path: string, token?: string, body?: string) =>
    fetch(`${url}${path}`, {
      method,
      ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
      ...(body === undefined ? {} : { body }),
    })
  const audit = () => staged.logged().filter((line) => line.msg === 'admin audit')

  before(async () => {
    smsc = await foreignSmsc()
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        letIn(
          settings,
          { token: TOKENS.read, roles: 'read', name: 'reader' },
          { token: TOKENS.operate, roles: ALL_ROLES, name: 'operateer' },
          { token: TOKENS.trace, roles: 'trace', name: 'traceer' },
        )
      },
    })
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
    for (const role of Object.keys(TOKENS) as (keyof typeof TOKENS)[])
      writeFileSync(file(role), `${TOKENS[role]}\n`, { mode: 0o600 })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
  })

  it('says to anybody whether it lives and is ready, and no more without a token', async () => {
    assert.deepEqual(await (await ask('GET', '/live')).json(), { live: true })
    assert.deepEqual(await (await ask('GET', '/ready')).json(), { ready: true })
    const known = (await (await ask('GET', '/ready', TOKENS.read)).json()) as Record<string, unknown>
    assert.ok(known.lines && known.stores)
    const { port } = staged.daemon.admin
    for (const headers of [{ host: '10.42.0.7:8123' }, { host: 'evil.example', origin: 'http://evil.example' }])
      assert.deepEqual(await askedAs(port, '/ready', headers), [200, '{"ready":true}'])
    assert.equal((await ask('GET', `/ready?token=${TOKENS.read}`)).status, 400)
    for (const path of ['/metrics', '/v1/flows', '/v1/lines', `/v1/dialogues?msisdn=${JOHN}`, '/nothing']) {
      assert.equal((await ask('GET', path)).status, 401, path)
    }
    assert.equal((await ask('GET', '/metrics', TOKENS.read)).status, 200)
    assert.equal((await ask('GET', '/nothing', TOKENS.read)).status, 404)
    assert.equal((await ask('GET', `/v1/flows?token=${TOKENS.read}`)).status, 400)
  })

  it('answers with headers that leave a browser nothing to do', async () => {
    const { headers } = await ask('GET', '/v1/lines', TOKENS.read)
    assert.equal(
      headers.get('content-security-policy'),
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    )
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('access-control-allow-origin'), null)
  })

  it('shows support a dialogue without its texts, and ends it politely', async () => {
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await john.answer('2')).text, T4)
    assert.equal((await ask('GET', `/v1/dialogues?msisdn=${JOHN}`, TOKENS.read)).status, 403)
    const said = await (await ask('GET', `/v1/dialogues?msisdn=%2B${JOHN}`, TOKENS.operate)).text()
    const {
      dialogues: [one],
    } = JSON.parse(said) as { dialogues: Record<string, unknown>[] }
    assert.deepEqual([one!.group, one!.msisdn, one!.status, one!.turn], ['test', JOHN, 'resting', 2])
    assert.match(String(one!.flow), /^dental@[0-9a-f]{12}$/)
    assert.doesNotMatch(said, /Checkup|John/)

    assert.equal((await ask('DELETE', `/v1/dialogues/test/${JOHN}`, TOKENS.read)).status, 403)
    const written: string[] = []
    await dialoguesCommand({ url, tokenFile: file('operate'), msisdn: `+${JOHN}`, end: true }, (text) =>
      written.push(text),
    )
    assert.match(written[0]!, /67570000001 {2}resting {2}dental@/)
    assert.match(written[1]!, /^ended/)
    const screen = await john.answer('1')
    assert.deepEqual([screen.text, screen.op, screen.end], ['Service busy. Please try again later.', 17, true])
    assert.equal((await ask('DELETE', `/v1/dialogues/test/${JOHN}`, TOKENS.operate)).status, 404)
    assert.equal(await staged.daemon.metrics.value('ussd_dialogues_total', { reason: 'operator' }), 1)
  })

  it('names lines and binds', async () => {
    const { lines } = (await (await ask('GET', '/v1/lines', TOKENS.read)).json()) as {
      lines: { name: string; dialect: string; binds: { state: string }[] }[]
    }
    assert.deepEqual(
      lines.map(({ name, dialect }) => [name, dialect]),
      [['test', 'standard']],
    )
    assert.match(lines[0]!.binds[0]!.state, /^bound/)
  })

  it('gives out what passed on a line: masked to who may trace, clear to support, and writes that down', async () => {
    const mary = '67570000002'
    assert.equal((await smsc.phone(mary).dial('*123#')).text, T1.replace('John', 'Mary'))
    const path = '/v1/lines/test/trace'
    const text = async (query: string, token: string) => (await ask('GET', `${path}?form=text${query}`, token)).text()
    const masked = await text('', TOKENS.trace)
    assert.match(masked, /> bind_transceiver[\s\S]*< deliver_sm[\s\S]*> submit_sm/)
    assert.doesNotMatch(masked, new RegExp(`${mary}|secret|Welcome`))
    const clear = await text('&clear=true', TOKENS.operate)
    assert.match(clear, new RegExp(`${mary}[\\s\\S]*Welcome`))
    assert.doesNotMatch(clear, /secret/)
    assert.equal((await ask('GET', path, TOKENS.read)).status, 403)
    assert.equal((await ask('GET', `${path}?clear=true`, TOKENS.trace)).status, 403)
    assert.equal((await ask('GET', '/v1/lines/other/trace', TOKENS.trace)).status, 404)
    for (const query of ['last=0', 'last=x', 'msisdn=1', 'clear=1', 'form=pdf', 'what=1']) {
      assert.equal((await ask('GET', `${path}?${query}`, TOKENS.trace)).status, 400, query)
    }
    const what = (name: string) =>
      audit()
        .filter((line) => line.what === name)
        .map(({ who, clear: seen }) => [who, seen])
    assert.deepEqual(
      [what('trace taken'), what('trace refused')],
      [
        [
          ['traceer', false],
          ['operateer', true],
        ],
        [['traceer', undefined]],
      ],
    )

    const out = join(staged.settings.data, 'test.pcap')
    const written: string[] = []
    const say = (line: string) => void written.push(line)
    await traceCommand('test', { url, tokenFile: file('trace'), out, msisdn: `+${mary}` }, say)
    assert.deepEqual(
      readPdus(out).pdus.map((it) => it.pdu.command),
      ['deliver_sm', 'deliver_sm_resp', 'submit_sm', 'submit_sm_resp'],
    )
    await traceCommand('test', { url, tokenFile: file('trace'), text: true, last: 1 }, say)
    assert.match(written.join('\n'), /masked\n[\s\S]*submit_sm_resp/)
    await assert.rejects(
      traceCommand('test', { url, tokenFile: file('trace'), out, clear: true }, say),
      /403: this token has the role trace, and this needs support/,
    )
    await assert.rejects(traceCommand('test', { url, tokenFile: file('trace') }, say), /either --out FILE or --text/)
  })

  it('writes down who did what, before and after; refusals too', async () => {
    const lines = audit()
    const ended = lines.find((line) => line.what === 'dialogue ended')!
    assert.deepEqual(
      [ended.who, ended.role, ended.before, ended.after, ended.msisdn],
      ['operateer', ROLE_NAMES.join(), 'open', 'ended', '675******01'],
    )
    assert.ok(lines.some((line) => line.what === 'DELETE refused' && line.who === 'reader'))
    const kept = async () =>
      (await staged.knex('audit').where({ what: 'dialogue ended', who: 'operateer' })) as object[]
    await until(async () => (await kept()).length > 0, 'no row of it')
    const [row] = (await kept()) as { subscriber: string; detail: string }[]
    assert.match(row!.subscriber, /^[\w-]{12}$/)
    assert.equal((JSON.parse(row!.detail) as { after: string }).after, 'ended')
    assert.doesNotMatch(JSON.stringify(await staged.knex('audit')), new RegExp(JOHN))
    assert.doesNotMatch(JSON.stringify(staged.logged()), new RegExp(`${TOKENS.read}|${TOKENS.operate}|${JOHN}`))
  })

  it('serves a good request beside more idle connections than it takes, from the same address', async () => {
    const { port } = staged.daemon.admin
    const idle = Array.from({ length: IDLE }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    try {
      await Promise.all(idle.map((socket) => once(socket, 'connect')))
      assert.equal((await ask('GET', '/metrics', TOKENS.read)).status, 200)
      const closed = idle.slice(0, IDLE - CONNECTIONS_MAX).map((socket) => socket.closed || once(socket, 'close'))
      await Promise.all(closed)
      assert.ok((await staged.daemon.metrics.value('limits_total', { limit: 'admin_connections' })) > 0)
    } finally {
      for (const socket of idle) socket.destroy()
    }
  })

  it('turns an address away that guesses, and lets a right token of the same address in all the while', async () => {
    for (let i = 0; i < FAILED_MAX; i++) assert.equal((await ask('GET', '/metrics', `guess-${i}`)).status, 401)
    const locked = await ask('GET', '/metrics', 'guess')
    assert.equal(locked.status, 429)
    assert.ok(Number(locked.headers.get('retry-after')) > 0)
    for (let i = 0; i < FAILED_MAX; i++) {
      assert.equal((await ask('GET', '/metrics', `guess-again-${i}`)).status, 429)
      assert.equal((await ask('GET', '/metrics', TOKENS.read)).status, 200)
      assert.equal((await ask('GET', '/v1/lines', TOKENS.operate)).status, 200)
    }
    assert.ok(staged.logged().some((line) => line.msg === 'admin audit: turned away' && line.why === 'wrong'))
    assert.equal(await staged.daemon.metrics.value('admin_turned_away_total', { why: 'locked' }), FAILED_MAX + 1)
    const told = staged.logged().filter((line) => line.msg === 'admin audit: locked out after too many wrong tokens')
    assert.deepEqual([told.length, told[0]!.level], [1, 'warn'], 'once')
  })
})

describeWith(['redis', 'postgres'], 'the admin door without tokens', () => {
  it('is open to this machine for figures, and closed for everything else', async () => {
    const smsc = await foreignSmsc()
    const staged = await stageDaemon({ smscPort: smsc.port })
    try {
      const status = async (path: string, method = 'GET') =>
        (await fetch(`http://127.0.0.1:${staged.daemon.admin.port}${path}`, { method })).status
      assert.deepEqual([await status('/live'), await status('/ready'), await status('/metrics')], [200, 200, 200])
      assert.equal(await status('/v1/flows'), 403)
      // Through a proxy of this machine, or a page whose name was made to lead here.
      const { port } = staged.daemon.admin
      const as = async (headers: Record<string, string>) => (await askedAs(port, '/metrics', headers))[0]
      assert.deepEqual(
        [
          await as({ host: 'evil.example' }),
          await as({ 'x-forwarded-for': '203.0.113.9' }),
          await as({ host: 'localhost:8123' }),
        ],
        [403, 403, 200],
      )
      assert.deepEqual([await as({ origin: 'http://evil.example' }), await as({ origin: 'null' })], [403, 403])
      assert.equal(await status(`/v1/dialogues/test/${JOHN}`, 'DELETE'), 403)
      const [, details] = await askedAs(port, '/ready', { host: 'localhost:8123' })
      assert.ok('stores' in JSON.parse(details), 'a program of this machine sees more')
      assert.deepEqual(await askedAs(port, '/ready', { host: 'evil.example' }), [200, '{"ready":true}'])
      assert.deepEqual(await askedAs(port, '/live', { host: 'evil.example' }), [200, '{"live":true}'])
    } finally {
      await staged.close()
      smsc.stop()
    }
  })
})
