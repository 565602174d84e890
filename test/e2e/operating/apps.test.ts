import assert from 'node:assert/strict'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { menuApp, PROVIDERS, type MenuApp } from '../../support/menu-app.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'

const rows = Object.entries(PROVIDERS).flatMap(([library, { providers }]) =>
  providers.map((provider) => ({ library, provider })),
)
const codeOf = (i: number) => `*38${i}#`

describeWith(['redis', 'postgres'], 'applications that already exist, behind the daemon', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  let menus: MenuApp
  let own: Stub
  let xml: Stub
  let vumi: Stub

  before(async () => {
    smsc = await foreignSmsc()
    menus = await menuApp()
    own = await stub()
    xml = await stub()
    vumi = await stub()
    const listen = { host: '127.0.0.1', port: await freePort() }
    vumi.says((heard, response) => {
      response.writeHead(200).end('{}')
      const asked = JSON.parse(heard.body) as { message_id: string; content: string | null }
      if (JSON.parse(heard.body).channel_data.session_event === 'close') return
      const content = asked.content === null ? 'Name?' : `Hello ${asked.content}.`
      const channel_data = { session_event: asked.content === null ? 'resume' : 'close' }
      void fetch(`http://127.0.0.1:${listen.port}/channels/test/messages/`, {
        method: 'POST',
        body: JSON.stringify({ reply_to: asked.message_id, content, channel_data }),
      })
    })
    const common = { timeoutMs: 2_000, headers: {}, networks: {}, concurrent: 10, octetsMax: 65_536 }
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change(settings) {
        rows.forEach(({ library, provider }, i) => {
          settings.services.push({ code: codeOf(i), app: `shop-${i}` })
          const url = `http://127.0.0.1:${menus.port}/${library}/${provider}`
          settings.apps[`shop-${i}`] = {
            ...common,
            contract: provider === 'cross-switch' ? 'emergent' : provider.toLowerCase(),
            url,
          }
        })
        settings.services.push({ code: '*400#', app: 'own' })
        settings.services.push({ code: '*401#', app: 'xml' }, { code: '*402#', app: 'vumi' })
        settings.apps.xml = { ...common, contract: 'restcomm', url: xml.url }
        settings.apps.vumi = { ...common, contract: 'junebug', url: vumi.url, listen }
        settings.apps.own = { ...common, contract: 'africastalking', url: own.url, closeUrl: `${own.url}/events` }
      },
    })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
    menus?.stop()
    await own?.close()
    await xml?.close()
    await vumi?.close()
  })

  rows.forEach(({ library, provider }, i) => {
    it(`walks an application written with ${library} for ${provider}`, async () => {
      const phone = smsc.phone(`6757000010${i}`)
      assert.deepEqual(await phone.dial(codeOf(i)), { text: 'Akiba\n1. Balance\n2. Buy airtime', op: 2, end: false })
      assert.deepEqual(await phone.answer('2'), { text: 'Enter amount:', op: 2, end: false })
      assert.deepEqual(await phone.answer('15'), { text: 'Bought K 15.', op: 17, end: true })
      assert.equal((await phone.dial(codeOf(i))).end, false)
      assert.deepEqual(await phone.answer('1'), { text: `Balance of +6757000010${i}: K 12.50`, op: 17, end: true })
    })
  })

  it('plays a deep dial into an application', async () => {
    const phone = smsc.phone('67570000120')
    assert.deepEqual(await phone.dial('*380*2*7#'), { text: 'Bought K 7.', op: 17, end: true })
    assert.deepEqual(
      await phone.dial('*381*2#'),
      { text: 'Akiba\n1. Balance\n2. Buy airtime', op: 2, end: false },
      'this library starts its menu anew for hubtel whatever was dialled',
    )
  })

  it('tells an application that the subscriber hung up, and never sends a screen then', async () => {
    const phone = smsc.phone('67570000121')
    await phone.dial(codeOf(1))
    await phone.hangUp()
    const path = '/ussd-menu-builder/hubtel'
    await until(() => menus.heard[path]!.some((body) => JSON.parse(body).Type === 'Release'), 'no Release came')
    const told = JSON.parse(menus.heard[path]!.at(-1)!)
    assert.deepEqual([told.Type, told.Mobile, told.Sequence], ['Release', '67570000121', 1])
  })

  it('tells the true end to the events address: success, hang-up, a failure of the application', async () => {
    const phone = smsc.phone('67570000122')
    const told = async (n: number) => {
      const events = () => own.heard.filter((it) => it.target === '/ussd/events')
      await until(() => events().length >= n, 'no notice came')
      const { status, errorMessage, input, lastAppResponse } = Object.fromEntries(
        new URLSearchParams(events()[n - 1]!.body),
      )
      return { status, errorMessage, input, lastAppResponse }
    }
    const says = (body: string) => own.says({ status: 200, headers: {}, body })
    says('CON Name?')
    await phone.dial('*400#')
    says('END Thanks.')
    assert.equal((await phone.answer('Ann')).text, 'Thanks.')
    assert.deepEqual(await told(1), {
      status: 'Success',
      errorMessage: '',
      input: 'Ann',
      lastAppResponse: 'END Thanks.',
    })
    says('CON Name?')
    await phone.dial('*400#')
    await phone.hangUp()
    assert.deepEqual(await told(2), {
      status: 'Incomplete',
      errorMessage: 'subscriber-abort',
      input: '',
      lastAppResponse: 'CON Name?',
    })
    await phone.dial('*400#')
    says('Oops')
    assert.deepEqual(await phone.answer('Ann'), { text: 'Service busy. Please try again later.', op: 17, end: true })
    assert.deepEqual(await told(3), {
      status: 'Failed',
      errorMessage: 'backend-failed',
      input: 'Ann',
      lastAppResponse: 'CON Name?',
    })
    assert.equal(
      await staged.daemon.metrics.value('ussd_dialogues_total', { flow: 'app:own', reason: 'backend-failed' }),
      1,
    )
  })

  it('walks an application whose replies come later', async () => {
    const phone = smsc.phone('67570000123')
    assert.deepEqual(await phone.dial('*402#'), { text: 'Name?', op: 2, end: false })
    assert.deepEqual(await phone.answer('Bob'), { text: 'Hello Bob.', op: 17, end: true })
    assert.deepEqual(
      vumi.heard.map((it) => JSON.parse(it.body).channel_data.session_event),
      ['new', 'resume'],
    )
  })

  it('keeps the cookie of an application that speaks XML, and tells it of a new dial in the place of an answer', async () => {
    const phone = smsc.phone('67570000124')
    const ask = (text: string) =>
      xml.says({
        status: 200,
        headers: { 'content-type': 'text/xml', 'set-cookie': 'JSESSIONID=A1; Path=/' },
        body: `<dialog mapMessagesSize="1"><unstructuredSSRequest_Request invokeId="7" dataCodingScheme="15" string="${text}"/></dialog>`,
      })
    ask('1. Yes&#10;2. No')
    assert.deepEqual(await phone.dial('*401#'), { text: '1. Yes\n2. No', op: 2, end: false })
    ask('Sure?')
    assert.equal((await phone.answer('1')).text, 'Sure?')
    assert.equal(xml.heard[1]!.headers.cookie, 'JSESSIONID=A1')
    assert.match(xml.heard[1]!.body, /<unstructuredSSRequest_Response invokeId="7" dataCodingScheme="15" string="1">/)
    await phone.dial('*401#')
    await until(() => xml.heard.some((it) => it.body.includes('mapUserAbortChoice')), 'the application was not told')
    const abort = xml.heard.find((it) => it.body.includes('mapUserAbortChoice'))!
    const idOf = (body: string) => /localId="(\d+)"/.exec(body)![1]
    assert.equal(idOf(abort.body), idOf(xml.heard[0]!.body), 'it is the old dialogue that is over')
    assert.equal(abort.headers.cookie, 'JSESSIONID=A1')
    await phone.hangUp()
  })

  it('never logs a number or what an application said', () => {
    const logged = JSON.stringify(staged.logged())
    assert.equal(logged.includes('6757000'), false)
    assert.equal(logged.includes('Akiba'), false)
    assert.doesNotMatch(logged, /\bAnn\b/)
  })
})

describeWith(['redis', 'postgres'], 'an application whose subscriber falls silent', () => {
  it('hears that time was up, with what it had last said; its next screen counts for a new dialogue', async () => {
    const smsc = await foreignSmsc()
    const app = await stub()
    let laterMs = 0
    const staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      now: () => realClock.now() + laterMs,
      change(settings) {
        settings.dialogue.sweepMs = 50
        settings.dialogue.confirmMs = 2 * settings.dialogue.idleMs
        settings.services = [{ code: '*400#', app: 'own' }]
        settings.apps.own = {
          contract: 'hubtel',
          url: app.url,
          timeoutMs: 2_000,
          headers: {},
          networks: { test: 'mtn' },
          concurrent: 10,
          octetsMax: 65_536,
        }
      },
    })
    try {
      app.says({
        status: 200,
        headers: {},
        body: JSON.stringify({ Type: 'Response', Message: 'Name?', ClientState: 'asked' }),
      })
      const phone = smsc.phone('67570000130')
      await phone.dial('*400#')
      laterMs += staged.settings.dialogue.idleMs
      await until(() => app.heard.length === 2, 'the application was not told')
      const [first, told] = app.heard.map((it) => JSON.parse(it.body) as Record<string, unknown>)
      assert.deepEqual(
        [told!.Type, told!.SessionId, told!.ClientState, told!.Operator],
        ['Timeout', first!.SessionId, 'asked', 'mtn'],
      )
      assert.equal(
        (await phone.dial('*400#')).text,
        'Your menu has expired. Please dial again.',
        'the text of the end comes first',
      )
      await until(() => app.heard.length === 3, 'not asked again')
      assert.notEqual(JSON.parse(app.heard[2]!.body).SessionId, first!.SessionId)
    } finally {
      await staged.close()
      smsc.stop()
      await app.close()
    }
  })
})
