import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { ingressContract, INGRESS_CONTRACTS, type IngressMessage } from '../../src/ingress/contracts.ts'
import { ingressLine, type IngressLine } from '../../src/ingress/line.ts'
import { openIngress, type Ingress } from '../../src/ingress/server.ts'
import { silentLog } from '../../src/base/log/port.ts'
import type { Line, LinkPort, Pdu } from '../../src/smpp/types.ts'
import type { UssdMessage } from '../../src/ussd/vocabulary.ts'
import { fakeClock, realClock } from '../support/clock.ts'
import { until } from '../support/services.ts'

const at = ingressContract('africastalking')
const first = { sessionId: 's', phoneNumber: '+675 7000 0001', serviceCode: '*384#', text: '' }

describe('what callers of the door say', () => {
  it("in Africa's Talking's contract", () => {
    assert.deepEqual(at.hear(first, {}), {
      kind: 'begin',
      session: 's',
      msisdn: '67570000001',
      code: '*384#',
      text: '',
      step: 0,
      fields: first,
    })
    const later = (text: string, headers = {}) => {
      const { fields: _fields, ...rest } = at.hear({ ...first, text }, headers)!
      return rest
    }
    const input = { kind: 'input', session: 's', msisdn: '67570000001' }
    assert.deepEqual(later('1'), { ...input, code: '*384*1#', text: '1', step: 1 })
    assert.deepEqual(later('1*Ann O'), { ...input, code: '', text: 'Ann O', step: 2 })
    assert.deepEqual(later('1*5*7', { 'x-ussd-input': '5*7' }), { ...input, code: '*384*1*5*7#', text: '5*7', step: 3 })
    assert.deepEqual(later('1*5%', { 'x-ussd-input': '5%' }), { ...input, code: '', text: '5%', step: 2 })
    assert.equal(at.hear({ ...first, text: '1*' }, {})!.text, '')
  })

  it('as the news of an end', () => {
    const kind = (status: string) => at.hear({ ...first, status, durationInMillis: '1' }, {})!.kind
    assert.deepEqual(['Incomplete', 'Success', 'Failed'].map(kind), ['abort', 'end', 'end'])
    const hubtel = (Type: string) =>
      ingressContract('hubtel').hear({ Type, Mobile: '67570000001', SessionId: 's', Message: '*1#' }, {})?.kind
    assert.deepEqual(['Initiation', 'response', 'Release', 'Timeout', 'Favorite'].map(hubtel), [
      'begin',
      'input',
      'abort',
      'timeout',
      undefined,
    ])
  })

  it('is not taken without a name, a number or a code', () => {
    for (const contract of INGRESS_CONTRACTS) assert.equal(ingressContract(contract).hear({}, {}), null, contract)
    for (const broken of [
      { sessionId: '' },
      { sessionId: 'x'.repeat(101) },
      { phoneNumber: 'Ann' },
      { phoneNumber: '' },
      { serviceCode: 'menu' },
    ]) {
      assert.equal(at.hear({ ...first, ...broken }, {}), null, JSON.stringify(broken))
    }
  })

  it('and how each is answered', () => {
    const to = (fields: Record<string, string>): IngressMessage => ({
      kind: 'begin',
      session: 's',
      msisdn: '1',
      code: '',
      text: '',
      fields,
    })
    const said = (name: (typeof INGRESS_CONTRACTS)[number], fields = {}) =>
      (['continue', 'notify', 'end'] as const).map(
        (action) => ingressContract(name).say(action, 'Hi\n1. "A"', to(fields)).body,
      )
    assert.deepEqual(said('africastalking'), ['CON Hi\n1. "A"', 'CON Hi\n1. "A"', 'END Hi\n1. "A"'])
    assert.deepEqual(said('arkesel', { sessionID: 's', userID: 'u', msisdn: '1' }).map((body) => JSON.parse(body))[2], {
      sessionID: 's',
      userID: 'u',
      msisdn: '1',
      message: 'Hi\n1. "A"',
      continueSession: false,
    })
    assert.deepEqual(JSON.parse(said('nalo', { USERID: 'u', MSISDN: '1', USERDATA: '2' })[0]!), {
      USERID: 'u',
      MSISDN: '1',
      USERDATA: '2',
      MSG: 'Hi\n1. "A"',
      MSGTYPE: true,
    })
    assert.deepEqual(
      said('hubtel').map((body) => JSON.parse(body).Type),
      ['Response', 'Response', 'Release'],
    )
  })
})

describe('the door', () => {
  let door: Ingress
  let line: IngressLine
  let turns: { message: UssdMessage; on: Line; link: LinkPort }[]
  let play: (pdu: Pdu, on: Line, link: LinkPort) => Promise<unknown>
  let outcomes: string[]

  beforeEach(async () => {
    turns = []
    outcomes = []
    play = async (own, on) => {
      const { message } = on.dialect.read(own) as { message: UssdMessage }
      const { pdu } = on.dialect.write({ action: 'continue', text: `turn ${turns.length}` }, message.returnPath)
      outcomes.push((await on.submit(pdu, { lane: 'ussd', deadline: Date.now() + 5_000 })).kind)
    }
    line = ingressLine({
      name: 'door',
      contract: at,
      clock: realClock,
      instance: 'i',
      async onRequest(pdu, on, link) {
        const incoming = on.dialect.read(pdu)
        assert.ok(incoming.is === 'ussd')
        turns.push({ message: incoming.message, on, link })
        await play(pdu, on, link)
      },
    })
    door = await openIngress({
      host: '127.0.0.1',
      port: 0,
      path: '/ussd',
      contract: at,
      line,
      now: () => Date.now(),
      counters: { count: () => undefined },
      log: silentLog,
    })
  })
  afterEach(() => door.stop())

  const post = async (text: string, sessionId = 's') => {
    const answer = await fetch(`http://127.0.0.1:${door.port}/ussd`, {
      method: 'POST',
      body: new URLSearchParams({ ...first, sessionId, text }),
      headers: { connection: 'close' },
    })
    return [answer.status, await answer.text()]
  }

  it('gives each request its own link, and counts its turns on', async () => {
    assert.deepEqual(await post(''), [200, 'CON turn 1'])
    assert.deepEqual(await post('1'), [200, 'CON turn 2'])
    const [a, b] = turns
    assert.notEqual(a!.link.id, b!.link.id)
    assert.deepEqual([a!.message.step, b!.message.step], [0, 1])
    assert.equal(b!.on.dialect.write({ action: 'end', text: 'x' }, b!.message.returnPath).step, 2)
    await until(() => outcomes.length === 2, 'outcomes are missing')
    assert.deepEqual(outcomes, ['ok', 'ok'])
  })

  it('without a token takes nothing from a page in a browser, from another name, through a proxy, or of another kind', async () => {
    const own = `127.0.0.1:${door.port}`
    const form = 'application/x-www-form-urlencoded'
    const body = new URLSearchParams(first).toString()
    const as = (headers: Record<string, string>) =>
      new Promise<[number, string]>((done, fail) => {
        const call = request(
          {
            host: '127.0.0.1',
            port: door.port,
            method: 'POST',
            path: '/ussd',
            headers: { 'content-type': form, ...headers },
          },
          (answer) => {
            let text = ''
            answer
              .setEncoding('utf8')
              .on('data', (more: string) => (text += more))
              .on('end', () => done([answer.statusCode!, text]))
          },
        )
        call.on('error', fail).end(body)
      })
    const foreigners: Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `http://${own}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { host: 'evil.example' },
      { host: `evil.example:${door.port}`, origin: `http://evil.example:${door.port}` },
      { 'x-forwarded-for': '203.0.113.9' },
    ]
    for (const foreign of foreigners) {
      const [status, text] = await as(foreign)
      assert.equal(status, 403, JSON.stringify(foreign))
      assert.match(text, /^refused: the .*; set door\.tokenFile/)
    }
    assert.deepEqual(await as({ 'content-type': 'text/plain' }), [415, `content-type: ${form} or application/json\n`])
    assert.equal(turns.length, 0, 'nobody heard of it')
    assert.deepEqual([(await as({ host: 'localhost' }))[0], turns.length], [200, 1])
  })

  it('on an address for others, where anybody may call it without a token, still takes nothing from a page', async () => {
    await door.stop()
    const json = ingressContract('nalo')
    door = await openIngress({
      host: '0.0.0.0',
      port: 0,
      path: '/ussd',
      contract: json,
      line,
      now: () => Date.now(),
      counters: { count: () => undefined },
      log: silentLog,
    })
    const as = async (headers: Record<string, string>) =>
      (
        await fetch(`http://127.0.0.1:${door.port}/ussd`, {
          method: 'POST',
          headers: { connection: 'close', 'content-type': 'application/json', ...headers },
          body: JSON.stringify({
            USERID: 'u',
            MSISDN: '67570000001',
            USERDATA: '*384#',
            MSGTYPE: true,
            SESSIONID: 's',
          }),
        })
      ).status
    assert.deepEqual(
      [await as({ origin: 'http://evil.example' }), await as({ 'sec-fetch-site': 'cross-site' })],
      [403, 403],
    )
    assert.equal(
      await as({ 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'a form needs no leave of a browser: JSON does',
    )
    assert.equal(turns.length, 0)
    assert.equal(await as({ 'x-forwarded-for': '203.0.113.9' }), 200)
  })

  it('knows when a caller was gone before its answer: the reply counts as not delivered', async () => {
    let go = (): void => undefined
    const answer = play
    play = async (...args) => {
      if (turns.length === 1) await new Promise<void>((done) => (go = done))
      await answer(...args)
    }
    const body = new URLSearchParams({ ...first, sessionId: 'gone' }).toString()
    const call = request({
      port: door.port,
      method: 'POST',
      path: '/ussd',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length },
    })
    call.on('error', () => undefined)
    call.end(body)
    await until(() => turns.length === 1, 'no request came')
    call.destroy()
    // By the time that another caller has been served, the first one's end has been seen.
    await post('', 'another')
    go()
    await until(() => outcomes.length === 2, 'no outcome')
    assert.deepEqual(outcomes, ['ok', 'timeout'])
    const late = line.line.dialect.write({ action: 'end', text: 'x' }, turns[0]!.message.returnPath)
    assert.deepEqual(
      await line.line.submit(late.pdu, { lane: 'ussd', deadline: Date.now() + 100 }),
      { kind: 'timeout' },
      'and so does a second one',
    )
  })

  it('says that it has nothing to say, rather than nothing', async () => {
    play = async () => undefined
    assert.deepEqual(await post(''), [503, 'this dialogue is busy, or it has ended\n'])
    play = async () => {
      throw new Error('bug')
    }
    assert.deepEqual(await post('', 'other'), [500, 'failed\n'])
  })

  it('cuts what is over a page, and leaves other scripts alone', async () => {
    const { dialect } = line.line
    const path = {
      from: [1, 1, ''] as [number, number, string],
      to: [0, 1, ''] as [number, number, string],
      serviceType: '',
      carrier: '',
    }
    const long = dialect.write({ action: 'end', text: 'x'.repeat(200) }, path)
    assert.deepEqual([long.cut, String(long.pdu.body.text).length], [true, 182])
    const khmer = dialect.write({ action: 'end', text: 'សួស្តី' }, path)
    assert.deepEqual([khmer.cut, khmer.pdu.body.text], [false, 'សួស្តី'])
  })

  it('does not wait for a caller that never finishes its request', async () => {
    const socket = connect(door.port, '127.0.0.1')
    socket.write(
      'POST /ussd HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nsess',
    )
    await until(() => socket.bytesWritten > 0, 'not written')
    socket.destroy()
    assert.deepEqual(await post(''), [200, 'CON turn 1'])
  })

  it('gives up on a caller that does not take its answer by the deadline', async () => {
    const clock = fakeClock()
    const own = ingressLine({
      name: 'door',
      contract: at,
      clock,
      instance: 'i',
      async onRequest(pdu, on) {
        const incoming = on.dialect.read(pdu)
        assert.ok(incoming.is === 'ussd')
        const { pdu: reply } = on.dialect.write({ action: 'end', text: 'x' }, incoming.message.returnPath)
        outcomes.push((await on.submit(reply, { lane: 'ussd', deadline: clock.now() + 1_000 })).kind)
      },
    })
    const said = await own.take(at.hear(first, {})!)
    assert.equal(said!.text, 'x')
    await clock.advance(1_000)
    assert.deepEqual(outcomes, ['timeout'])
  })
})
