import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { startControl, type Control } from '../../../src/simulator/control/http.ts'
import type { PhoneView } from '../../../src/simulator/control/phone-view.ts'
import { simulate } from '../../../src/simulator/simulate.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { dialTerminal, remotePhone, typedLines, writtenLines } from '../../../src/simulator/control/terminal.ts'
import { realClock } from '../../support/clock.ts'
import { freePort } from '../../support/services.ts'
import { esme, reply, type Esme } from '../esme.ts'

const JOHN = '67570000001'
const MENU = 'Welcome, John!\n1. Check\n2. Exit'

describe('the control HTTP of the simulator', () => {
  let smsc: Smsc
  let control: Control
  let one: Esme

  beforeEach(async () => {
    smsc = await startSmsc({ clock: realClock, chance: seededChance(1) })
    control = await startControl({ smsc })
    one = await esme(smsc.port)
    await one.bind()
  })
  afterEach(async () => {
    one.end()
    await control.stop()
    await smsc.stop()
  })

  /** Answers every dial with a menu, `1` with an end and an SMS, anything else with the menu again. */
  async function serve(): Promise<void> {
    for (;;) {
      const pdu = await one.take('deliver_sm')
      one.ack(pdu)
      const isOver = (pdu.tlvs[1]?.value[1] ?? 0) & 1
      if (isOver) continue
      const said = (pdu.body['short_message'] as Buffer).toString()
      if (said !== '1') one.send(reply(pdu, 2, MENU))
      else {
        one.send({
          command: 'submit_sm',
          body: { source_addr: 'CLINIC', destination_addr: JOHN, short_message: Buffer.from('Booked.') },
        })
        one.send(reply(pdu, 17, 'Bye', { end: true }))
      }
    }
  }
  const served = (): void => void serve().catch(() => undefined)
  const get = (path: string) => fetch(`${control.url}${path}`)
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${control.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  const phone = (act: string, body: unknown = {}) =>
    post(`/api/phones/${JOHN}/${act}`, body).then((r) => r.json() as Promise<PhoneView>)

  it('serves every file of the page under a policy that forbids anything inline or foreign', async () => {
    const web = new URL('../../../src/simulator/web/', import.meta.url)
    // The handset is put into the pages.
    const files = readdirSync(web).filter((file) => file !== 'handset.html')
    assert.match(await (await get('/')).text(), /data-key="1"/)
    for (const file of files) {
      const answer = await get(file === 'index.html' ? '/' : `/${file}`)
      assert.equal(answer.status, 200, file)
      const policy = answer.headers.get('content-security-policy')!
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
      assert.doesNotMatch(policy, /unsafe|data:|\*/)
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      const content = await answer.text()
      if (file.endsWith('.html')) assert.doesNotMatch(content, /\son\w+=|style=|<style|<script>/)
      if (file.endsWith('.js'))
        assert.doesNotMatch(content, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/)
    }
    assert.equal((await get('/..%2fhttp.ts')).status, 404)
    assert.equal((await get('/nothing')).status, 404)
  })

  it('dials, answers, hangs up, and shows the inbox', async () => {
    served()
    const first = await phone('dial', { code: '*123#' })
    assert.deepEqual([first.screen?.text, first.screen?.open, first.waiting, first.failed], [MENU, true, false, null])
    const last = await phone('answer', { text: '1' })
    assert.deepEqual([last.screen?.text, last.screen?.open], ['Bye', false])
    assert.deepEqual(
      last.inbox.map((sms) => [sms.from, sms.text]),
      [['CLINIC', 'Booked.']],
    )
    assert.equal((await phone('dismiss')).screen, null)
    await phone('dial', { code: '*123#' })
    assert.equal((await phone('hang-up')).screen, null)
    assert.equal(smsc.network.count(), 0)
  })

  it('says why a dial came to nothing, with the story', async () => {
    const answer = await post(`/api/phones/${JOHN}/dial`, { code: '*123#', withinMs: 20 })
    assert.equal(answer.status, 504)
    const view = (await answer.json()) as PhoneView & { error: string }
    assert.match(view.error, /waited 20 ms[^]*dials \*123#/)
    assert.equal(view.failed, 'the phone waited 20 ms for a screen, which did not arrive')
    await phone('hang-up')
    const none = (await (await post(`/api/phones/${JOHN}/answer`, { text: '1' })).json()) as PhoneView & {
      error: string
    }
    assert.match(none.error, /no dialogue is open[^]*dials \*123#/)
    assert.equal(none.failed, 'no dialogue is open on this phone: dial first', 'people are told it without the story')
  })

  it('refuses what is no MSISDN, no JSON, no such field, and too much', async () => {
    assert.equal((await post('/api/phones/abc/dial', { code: '*123#' })).status, 400)
    const more = await post(`/api/phones/${JOHN}/dial`, { code: '*123#', more: 1 })
    assert.equal(more.status, 400)
    assert.doesNotMatch(((await more.json()) as { error: string }).error, /[{}]/, 'in words, not as JSON in a text')
    assert.equal((await post(`/api/phones/${JOHN}/dial`, {}, { 'content-type': 'text/plain' })).status, 415)
    assert.equal((await post(`/api/phones/${JOHN}/answer`, { text: 'x'.repeat(20_000) })).status, 413)
    const chunks = new ReadableStream({
      start: (to) => (to.enqueue(Buffer.from(`{"text":"${'x'.repeat(20_000)}"}`)), to.close()),
    })
    const chunked = {
      method: 'POST',
      body: chunks,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    } as RequestInit
    assert.equal((await fetch(`${control.url}/api/phones/${JOHN}/answer`, chunked)).status, 413)
    assert.equal((await post('/api/faults', { on: 'submit_sm', act: { is: 'explode' } })).status, 400)
    assert.deepEqual(smsc.chaos.list(), [])
  })

  it('refuses other hosts (DNS rebinding) and other pages', async () => {
    assert.equal(await statusOf(control, { host: 'evil.example' }), 403)
    assert.equal(
      (await post('/api/faults', { on: 'bind', act: { is: 'ignore' } }, { origin: 'http://evil.example' })).status,
      403,
    )
    assert.equal(
      (await post('/api/faults', { on: 'bind', act: { is: 'ignore' } }, { origin: control.url })).status,
      200,
    )
  })

  /** As a browser names it: fetch lets nobody choose the Host. */
  const statusOf = (at: Control, headers: Record<string, string>, path = '/api/binds') =>
    new Promise<number>((done, fail) => {
      const { port } = new URL(at.url)
      request({ host: '127.0.0.1', port, path, headers }, (r) => (r.resume(), done(r.statusCode!)))
        .on('error', fail)
        .end()
    })

  it('asks for nothing on loopback, and wants its token wherever else it listens', async () => {
    assert.equal(control.token, undefined)
    const open = await startControl({ smsc, host: '0.0.0.0' })
    try {
      const token = open.token!
      assert.match(token, /^[\w-]{32}$/)
      const asked = (headers: Record<string, string>, path?: string) =>
        statusOf(open, { host: '192.0.2.1:8080', ...headers }, path)
      assert.deepEqual(
        [
          await asked({}),
          await asked({ authorization: 'Bearer x' }),
          await asked({ authorization: `Bearer ${token}` }),
        ],
        [401, 401, 200],
      )
      assert.equal(await asked({}, '/api/events'), 401)
      assert.equal(await asked({}, `/api/binds?token=${token}`), 401)
      assert.deepEqual([await asked({}, '/'), await asked({}, '/phone.js')], [200, 200])
      const named = { host: 'evil.example', authorization: `Bearer ${token}` }
      assert.equal(await statusOf(open, named), 403, 'a name that is not ours, though the token is right')
    } finally {
      await open.stop()
    }
  })

  it('gives a page a cookie for the token, which no script reads and no other page sends', async () => {
    const closed = await startControl({ smsc, token: 'a token of ours, in a file' })
    try {
      const enter = (token: string, headers: Record<string, string> = {}) =>
        fetch(`${closed.url}/enter`, {
          method: 'POST',
          body: JSON.stringify({ token }),
          headers: { 'content-type': 'application/json', ...headers },
        })
      assert.equal((await enter('another')).status, 401)
      assert.equal((await enter(closed.token!, { origin: 'http://evil.example' })).status, 403)
      const cookie = (await enter(closed.token!)).headers.get('set-cookie')!
      assert.match(cookie, /^phone-[0-9a-f]{8}=.+; Path=\/; HttpOnly; SameSite=Strict$/)
      const given = cookie.split(';')[0]!
      assert.equal((await fetch(`${closed.url}/api/phones`, { headers: { cookie: given } })).status, 200)
      assert.equal(
        (await fetch(`${closed.url}/api/phones`, { headers: { cookie: `${given.split('=')[0]}=x` } })).status,
        401,
      )
    } finally {
      await closed.stop()
    }
  })

  it('switches faults on and off, kills links, and injects octets', async () => {
    const added = (await (
      await post('/api/faults', { on: 'submit_sm', times: 3, act: { is: 'refuse', status: 'ESME_RTHROTTLED' } })
    ).json()) as { id: number }[]
    assert.deepEqual(
      smsc.chaos.list().map((fault) => fault.act),
      [{ is: 'refuse', status: 88 }],
    )
    assert.equal((await post('/api/faults', { on: 'submit_sm', act: { is: 'refuse', status: 'NONE' } })).status, 400)
    assert.equal((await fetch(`${control.url}/api/faults/${added[0]!.id}`, { method: 'DELETE' })).status, 200)
    assert.equal((await fetch(`${control.url}/api/faults/${added[0]!.id}`, { method: 'DELETE' })).status, 404)
    const [bind] = (await (await get('/api/binds')).json()) as { id: string; state: string }[]
    assert.equal(bind!.state, 'bound')
    await post(`/api/binds/${bind!.id}/inject`, { hex: '00000010000000150000000000000099' })
    assert.equal((await one.take('enquire_link')).sequence, 0x99)
    await post(`/api/binds/${bind!.id}/close`, {})
    await one.closed
    assert.equal((await post(`/api/binds/${bind!.id}/close`, {})).status, 404)
  })

  it('tells a page what happens as it happens', async () => {
    served()
    const stop = new AbortController()
    const stream = await fetch(`${control.url}/api/events`, { signal: stop.signal })
    assert.match(stream.headers.get('content-type')!, /^text\/event-stream/)
    const reader = stream.body!.getReader()
    const decoder = new TextDecoder()
    let seen = ''
    const until = async (what: RegExp): Promise<void> => {
      while (!what.test(seen)) seen += decoder.decode((await reader.read()).value, { stream: true })
    }
    await until(/event: hello\ndata: .*"systemId":"aweh".*\n\n/)
    await phone('dial', { code: '*123#' })
    await until(/event: phone\ndata: .*Welcome, John/)
    await until(/event: pdu\ndata: .*"command":"deliver_sm".*\*123#/)
    one.end()
    await until(/event: binds\ndata: \[\]/)
    stop.abort()
  })

  it('gives the trace as a capture file that begins like one', async () => {
    const octets = Buffer.from(await (await get('/api/trace.pcap')).arrayBuffer())
    assert.equal(octets.readUInt32LE(0), 0xa1b2c3d4)
    assert.ok(octets.includes('aweh') && !octets.includes('secret08'))
  })

  describe('the phone in a terminal', () => {
    async function run(options: { answers?: string[]; stdin?: string; isTty?: boolean }) {
      const input = new PassThrough()
      const output = new PassThrough()
      if (options.stdin !== undefined) input.end(options.stdin)
      const outcome = await dialTerminal({
        phone: remotePhone(control.url, JOHN),
        code: '*123#',
        output,
        isTty: options.isTty ?? false,
        typed: options.answers ? writtenLines(options.answers) : typedLines(input),
        withinMs: 2_000,
      })
      output.end()
      return { ...outcome, said: await text(output) }
    }

    it('plays given answers and prints each screen, and the SMS that came', async () => {
      served()
      const { ended, screens, said } = await run({ answers: ['7', '1'] })
      assert.deepEqual([ended, screens], [true, [MENU, MENU, 'Bye']])
      assert.equal(said, `${MENU}\n${MENU}\nBye\nSMS from CLINIC: Booked.\n`)
    })

    it('shows a notification and what comes after it', async () => {
      const playing = run({ answers: ['1'] })
      one.send(reply(await one.take('deliver_sm'), 3, 'It is sent.'))
      const isAck = (pdu: { tlvs: { value: Buffer }[] }) => pdu.tlvs.some(({ value }) => value[0] === 19)
      one.send(reply(await one.take(isAck), 2, MENU))
      one.send(reply(await one.take('deliver_sm'), 17, 'Bye', { end: true }))
      const { ended, screens } = await playing
      assert.deepEqual([ended, screens], [true, ['It is sent.', MENU, 'Bye']])
    })

    it('reads answers from lines, and hangs up when they end', async () => {
      served()
      const { ended, said } = await run({ stdin: '7\n' })
      assert.equal(ended, false)
      assert.match(said, /\(hung up\)/)
      assert.equal(smsc.network.count(), 0)
    })

    it('frames the screen for a person', async () => {
      served()
      assert.match((await run({ stdin: '1\n', isTty: true })).said, /┌─+┐\n│ Welcome, John! +│\n/)
    })

    it('says what to do when no simulator is there', async () => {
      const url = `http://127.0.0.1:${await freePort()}`
      const io = { typed: writtenLines([]), output: new PassThrough(), isTty: false }
      await assert.rejects(
        dialTerminal({ phone: remotePhone(url, JOHN), code: '*123#', ...io }),
        /no simulator answers at .*ussd-connector simulate/,
      )
    })
  })
})

describe('the simulator as a program', () => {
  it('says where it listens, and is gone when it is told to stop', async () => {
    const stop = new AbortController()
    const lines: string[] = []
    const ready = new Promise<{ smsc: Smsc; control: Control }>((onReady) => {
      void simulate({
        clock: realClock,
        chance: seededChance(1),
        smpp: { port: 0 },
        http: { port: 0 },
        say: (line) => void lines.push(line),
        signal: stop.signal,
        onReady,
      }).then(() => lines.push('stopped'))
    })
    const { smsc, control } = await ready
    assert.equal(lines[0], `SMSC on 127.0.0.1:${smsc.port}, dialect standard; phone at ${control.url}/`)
    stop.abort()
    while (lines.at(-1) !== 'stopped') await new Promise((done) => setImmediate(done))
    await assert.rejects(fetch(control.url))
  })
})
