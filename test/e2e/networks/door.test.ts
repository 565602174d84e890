import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { FAILED_MAX } from '../../../src/base/lockout.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { describeWith } from '../../support/services.ts'
import { FAREWELL, T1, T12, T13, T2, T3, T4, T5, T6, T7 } from '../../support/screens.ts'

const BUSY = 503

describeWith(['redis', 'postgres'], 'the HTTP door', () => {
  describe("for callers of Africa's Talking's contract", () => {
    let staged: Staged
    let dir: string
    before(async () => {
      dir = mkdtempSync(join(tmpdir(), 'ussd-door-'))
      writeFileSync(join(dir, 'token'), 'open-sesame-you-rock\n', { mode: 0o600 })
      staged = await stageDaemon({
        smscPort: 1,
        change(settings) {
          settings.lines = []
          settings.door = {
            name: 'door',
            host: '127.0.0.1',
            port: 0,
            path: '/ussd',
            contract: 'africastalking',
            tokens: [],
            proxies: [],
            tokenFile: join(dir, 'token'),
          }
        },
      })
    })
    after(async () => {
      await staged?.close()
      rmSync(dir, { recursive: true, force: true })
    })

    const post = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
      const answer = await fetch(`http://127.0.0.1:${staged.daemon.ingress.port()}/ussd`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { authorization: 'Bearer open-sesame-you-rock', ...headers },
      })
      return { status: answer.status, text: await answer.text() }
    }
    const caller = (phoneNumber: string, sessionId = `ATUid_${randomBytes(6).toString('hex')}`) => ({
      sessionId,
      says: (text: string, headers = {}) =>
        post({ sessionId, phoneNumber, networkCode: '53703', serviceCode: '*123#', text }, headers),
    })
    const con = (text: string) => ({ status: 200, text: `CON ${text}` })
    const end = (text: string) => ({ status: 200, text: `END ${text}` })

    it('is ready without any line, and walks the dental service to a booking', async () => {
      assert.equal((await staged.daemon.readiness()).ready, true)
      const { says } = caller('+67570000001')
      assert.deepEqual(await says(''), con(T1))
      assert.deepEqual(await says('1'), con(T2))
      assert.deepEqual(await says('1*3'), con(T1))
      assert.deepEqual(await says('1*3*9'), con(T12))
      assert.deepEqual(await says('1*3*9*2'), con(T4))
      assert.deepEqual(await says('1*3*9*2*2'), con(T5))
      assert.deepEqual(await says('1*3*9*2*2*1'), con(T6))
      assert.deepEqual(await says('1*3*9*2*2*1*1'), con(T7))
      assert.deepEqual(await says('1*3*9*2*2*1*1*1'), con(T1))
      assert.deepEqual(await says('1*3*9*2*2*1*1*1*4'), end(FAREWELL))
      const { rows } = await staged.knex.raw(
        `SELECT count(*)::int AS n FROM dental_appointment WHERE msisdn = '67570000001'`,
      )
      assert.equal(rows[0].n, 3)
    })

    it('answers a request that is said twice with the same screen, and does it once', async () => {
      const { says } = caller('+67570000002')
      await says('')
      const twice = await Promise.all([says('1'), says('1')])
      assert.deepEqual(twice, [con(T3), con(T3)])
      assert.deepEqual(await says('1'), con(T3), 'again, later')
      assert.deepEqual(await says('1*2'), end(FAREWELL))
      assert.deepEqual(await says('1*2'), end(FAREWELL), 'and after the end')
    })

    it('begins where a caller that dialled deeper says that it is', async () => {
      const { says } = caller('+67570000002')
      assert.match((await says('2*2')).text, /^CON Available Checkup Slots:/)
      assert.match((await says('2*2*1')).text, /^CON Book Checkup at .*\n1\. Confirm\n2\. Cancel$/)
    })

    it('says that nobody has a code', async () => {
      const phone = { sessionId: 'x1', phoneNumber: '+67570000003', serviceCode: '*999#', text: '' }
      assert.deepEqual(await post(phone), end('This service is not available.'))
    })

    it('hears of the end from the caller', async () => {
      const { says, sessionId } = caller('+67570000004')
      await says('')
      const before = await staged.daemon.metrics.value('ussd_dialogues_total', {
        line: 'door',
        reason: 'subscriber-abort',
      })
      const told = await post({
        sessionId,
        phoneNumber: '+67570000004',
        serviceCode: '*123#',
        status: 'Incomplete',
        input: '',
        durationInMillis: '1',
      })
      assert.deepEqual(told, { status: 200, text: '' })
      assert.equal(
        await staged.daemon.metrics.value('ussd_dialogues_total', { line: 'door', reason: 'subscriber-abort' }),
        before + 1,
      )
      const late = await says('1')
      assert.equal(late.status, BUSY, 'an aggregator that ended a dialogue and goes on with it has no turn')
    })

    it('lets nobody in without the token, and takes nothing that is no request', async () => {
      assert.equal((await caller('+67570000005').says('', { authorization: 'Bearer open-sesam' })).status, 401)
      const url = `http://127.0.0.1:${staged.daemon.ingress.port()}`
      const bare = async (path: string, init: RequestInit) =>
        (
          await fetch(url + path, {
            ...init,
            headers: { authorization: 'Bearer open-sesame-you-rock', ...init.headers },
          })
        ).status
      assert.equal(await bare('/ussd', { method: 'GET' }), 405)
      assert.equal(await bare('/', { method: 'POST' }), 404)
      assert.equal(
        await bare('/ussd', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }),
        400,
      )
      assert.equal(await bare('/ussd', { method: 'POST', body: 'x=1', headers: { 'content-type': 'text/plain' } }), 400)
      assert.equal(
        await bare('/ussd', { method: 'POST', body: new URLSearchParams({ sessionId: 'x', serviceCode: '*123#' }) }),
        400,
      )
      assert.equal(
        await bare('/ussd', { method: 'POST', body: new URLSearchParams({ text: 'x'.repeat(20_000) }) }),
        413,
      )
      assert.ok((await staged.daemon.metrics.value('door_requests_total', { status: '401' })) >= 1)
    })

    it('never logs a number, and ends dialogues with a reason like any line', async () => {
      const logged = staged.logged()
      assert.equal(JSON.stringify(logged).includes('6757000'), false)
      const ends = logged.filter((line) => line.msg === 'dialogue ended')
      assert.ok(ends.some((line) => line.reason === 'exit' && line.line === 'door' && line.flow === ends[0]!.flow))
      assert.equal(await staged.daemon.metrics.value('bugs_total'), 0)
    })
  })

  describe('for several callers', () => {
    const KEY = 'a-shared-key-of-a-partner'
    const MARY = '67570000009'
    let staged: Staged
    before(async () => {
      staged = await stageDaemon({
        smscPort: 1,
        change(settings) {
          settings.lines = []
          const key = join(settings.data, 'partner.key')
          writeFileSync(key, KEY, { mode: 0o600 })
          const common = { msisdn: ['675'], addresses: ['127.0.0.0/8'] }
          const tokens = [
            { ...common, name: 'aggregator', token: 'token-of-the-aggregator' },
            { ...common, name: 'other', token: 'token-of-another-caller', services: ['*100#'] },
            { ...common, name: 'partner', hmac: { keyFile: key }, perSecond: 1 },
          ]
          settings.services.push({ code: '*100#', flow: 'dental' })
          const proxies = ['127.0.0.1']
          settings.door = {
            name: 'door',
            host: '127.0.0.1',
            port: 0,
            path: '/ussd',
            contract: 'africastalking',
            tokens,
            proxies,
          }
        },
      })
    })
    after(() => staged?.close())

    const post = async (body: string, headers: Record<string, string>) => {
      const answer = await fetch(`http://127.0.0.1:${staged.daemon.ingress.port()}/ussd`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      })
      return { status: answer.status, text: await answer.text() }
    }
    const form = (text: string, more = {}) =>
      new URLSearchParams({ sessionId: 'one', phoneNumber: MARY, serviceCode: '*123#', text, ...more }).toString()
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const turnedAway = (why: string) => staged.daemon.metrics.value('door_turned_away_total', { why })

    it('keeps the dialogues of each to itself, and to what it may do', async () => {
      const [aggregator, other] = [bearer('token-of-the-aggregator'), bearer('token-of-another-caller')]
      assert.equal((await post(form(''), aggregator)).text, `CON ${T13}`)
      assert.deepEqual(await post(form(''), other), { status: 403, text: 'this caller may not open this service\n' })
      assert.match((await post(form('1'), aggregator)).text, /^CON Enter your name:/)
      // It knows the name of the dialogue. It gets one of its own, with nothing in it.
      assert.equal((await post(form('1*Eve'), other)).text, `CON ${T13}`)
      assert.equal((await post(form('', { phoneNumber: '61412345678' }), aggregator)).status, 403)
      const stolen = { ...aggregator, 'x-forwarded-for': '203.0.113.7' }
      assert.deepEqual(await post(form(''), stolen), {
        status: 403,
        text: 'this caller may not call from this address\n',
      })
      assert.deepEqual(await Promise.all(['service', 'msisdn', 'address'].map(turnedAway)), [1, 1, 1])
    })

    it('takes a signed request once, and at the rate of its caller', async () => {
      const timestamp = String(Date.now())
      const body = form('', { sessionId: 'two', serviceCode: '*100#' })
      const hash = createHash('sha256').update(body).digest('hex')
      const sign = (text: string) => createHmac('sha256', KEY).update(text).digest('hex')
      const headers = {
        'x-ussd-key': 'partner',
        'x-ussd-timestamp': timestamp,
        'x-ussd-signature': sign(`POST\n/ussd\n${timestamp}\n${hash}`),
      }
      assert.equal((await post(`${body}1`, headers)).status, 401)
      assert.equal((await post(body, headers)).status, 200)
      assert.match((await post(body, headers)).text, /used before/)
      const next = String(Number(timestamp) + 1)
      const again = { ...headers, 'x-ussd-timestamp': next, 'x-ussd-signature': sign(`POST\n/ussd\n${next}\n${hash}`) }
      assert.equal((await post(body, again)).status, 429)
      assert.deepEqual(await Promise.all(['signature', 'replay', 'rate'].map(turnedAway)), [1, 1, 1])
    })

    it('locks out who guesses, says so once, and writes every refusal down without a number', async () => {
      const guess = (i: number) => post(form(''), { ...bearer(`guess-${i}`), 'x-forwarded-for': '203.0.113.9' })
      for (let i = 0; i < FAILED_MAX; i++) assert.equal((await guess(i)).status, 401)
      for (let i = 0; i < FAILED_MAX; i++) assert.equal((await guess(i)).status, 429)
      assert.deepEqual([await turnedAway('wrong'), await turnedAway('locked')], [FAILED_MAX, FAILED_MAX])
      const logged = staged.logged()
      const told = logged.filter((line) => line.msg === 'HTTP ingress audit: locked out after too many wrong tokens')
      assert.deepEqual(
        told.map(({ level, address }) => [level, address]),
        [['warn', '203.0.113.9']],
      )
      const audit = logged.filter((line) => line.msg === 'HTTP ingress audit: turned away')
      assert.deepEqual(
        audit.slice(0, 5).map(({ who, why }) => [who, why]),
        [
          ['other', 'service'],
          ['aggregator', 'msisdn'],
          ['aggregator', 'address'],
          ['partner', 'signature'],
          ['partner', 'replay'],
        ],
      )
      assert.doesNotMatch(JSON.stringify(logged), new RegExp(`${MARY}|61412345678|token-of|shared-key|guess-`))
    })
  })

  describe('for other callers', () => {
    const start = (contract: 'arkesel' | 'nalo' | 'hubtel', stage = newStage()) =>
      stageDaemon({
        smscPort: 1,
        with: stage,
        change(settings) {
          settings.lines = []
          settings.stopMs = 0
          settings.door = { name: 'door', host: '127.0.0.1', port: 0, path: '/ussd', contract, tokens: [], proxies: [] }
        },
      })
    const post = async (staged: Staged, body: object) =>
      (
        await fetch(`http://127.0.0.1:${staged.daemon.ingress.port()}/ussd`, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        })
      ).json() as Promise<Record<string, unknown>>

    const rows = [
      {
        contract: 'arkesel' as const,
        ask: (said: string, n: number) => ({
          sessionID: 's1',
          userID: 'u',
          newSession: n === 0,
          msisdn: '67570000001',
          userData: said,
          network: 'MTN',
        }),
        read: (reply: Record<string, unknown>) => ({ text: reply.message, end: !reply.continueSession }),
      },
      {
        contract: 'nalo' as const,
        ask: (said: string, n: number) => ({
          USERID: 'u',
          MSISDN: '67570000001',
          USERDATA: said,
          MSGTYPE: n === 0,
          NETWORK: 'MTN',
          SESSIONID: 's1',
        }),
        read: (reply: Record<string, unknown>) => ({ text: reply.MSG, end: !reply.MSGTYPE }),
      },
      {
        contract: 'hubtel' as const,
        ask: (said: string, n: number) => ({
          Type: n === 0 ? 'Initiation' : 'Response',
          Mobile: '67570000001',
          SessionId: 's1',
          ServiceCode: '123',
          Message: said,
          Operator: 'mtn',
          Sequence: n + 1,
          ClientState: '',
          Platform: 'USSD',
        }),
        read: (reply: Record<string, unknown>) => ({ text: reply.Message, end: reply.Type === 'Release' }),
      },
    ]

    for (const { contract, ask, read } of rows) {
      it(`speaks ${contract}, and carries on after a restart`, async () => {
        const stage = newStage()
        let staged = await start(contract, stage)
        const screens = [read(await post(staged, ask('*123#', 0))), read(await post(staged, ask('1', 1)))]
        await staged.close()
        staged = await start(contract, stage)
        screens.push(read(await post(staged, ask('Anna', 2))), read(await post(staged, ask('4', 3))))
        await staged.close()
        rmSync(stage.data, { recursive: true, force: true })
        assert.deepEqual(screens, [
          { text: T13, end: false },
          { text: 'Enter your name:', end: false },
          { text: T1.replace('John', 'Anna'), end: false },
          { text: FAREWELL, end: true },
        ])
      })
    }
  })

  it('is what settings need that have no line', () => {
    const source = 'redis: embedded\npostgres: embedded\nservices: [{ code: "*123#", flow: dental }]\n'
    assert.throws(() => parseSettings(source, 'x.yaml', {}), /no lines and no door/)
    const { settings } = parseSettings(`${source}door: {}\n`, 'x.yaml', {})
    assert.deepEqual(settings.door, {
      name: 'door',
      host: '127.0.0.1',
      port: 8384,
      path: '/ussd',
      contract: 'africastalking',
      tokens: [],
      proxies: [],
    })
  })
})
