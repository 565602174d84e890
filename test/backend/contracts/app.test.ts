import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { loadContract, parseContract } from '../../../src/backend/contracts/load.ts'
import { ProblemsError } from '../../../src/base/errors.ts'
import { count, fits } from '../../../src/ussd/text.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { fakeClock, settle } from '../../support/clock.ts'
import { freePort, until } from '../../support/services.ts'
import { stub, type Stub } from './stub.ts'
import { EPOCH, MSISDN, walk, type Walk } from './walk.ts'

const at = loadContract('africastalking')
const con = (text: string) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: `CON ${text}` })
const end = (text: string) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: `END ${text}` })

describe('an application behind us', () => {
  let app: Stub
  let open: Walk[]
  const start = (more: Partial<Parameters<typeof walk>[0]> = {}) => {
    const walked = walk({ contract: at, settings: { url: app.url }, ...more })
    open.push(walked)
    return walked
  }
  const sent = (i: number) => Object.fromEntries(new URLSearchParams(app.heard.at(i)!.body))

  beforeEach(async () => {
    open = []
    app = await stub()
  })
  afterEach(async () => {
    await Promise.all(open.map((walked) => walked.close()))
    await app.close()
  })

  it('gets all that was entered, and the newest answer by itself where it holds a star', async () => {
    app.says(con('Hello'))
    const walked = start()
    await walked.dial()
    await walked.answer('1')
    await walked.answer('5*7 ä')
    assert.deepEqual(
      app.heard.map((_, i) => sent(i).text),
      ['', '1', '1*5*7 ä'],
    )
    assert.equal(decodeURIComponent(String(app.heard[2]!.headers['x-ussd-input'])), '5*7 ä')
    assert.deepEqual(
      app.heard.map((it) => it.headers['idempotency-key']),
      [`${EPOCH}:1:0`, `${EPOCH}:2:0`, `${EPOCH}:3:0`],
    )
  })

  it('gets what was dialled behind its code as if it had been entered', async () => {
    app.says(con('Hello'))
    const walked = start()
    await walked.dial('*384*2*9#', ['2', '9'])
    assert.deepEqual([sent(0).serviceCode, sent(0).text], ['*384#', '2*9'])
    await walked.answer('1')
    assert.equal(sent(1).text, '2*9*1')
    app.heard.length = 0
    await start({ contract: loadContract('hubtel') }).dial('*384*2*9#', ['2', '9'])
    assert.equal(JSON.parse(app.heard[0]!.body).Message, '*384*2*9#')
  })

  it('is asked at its own path and query, with what the settings send along', async () => {
    app.says({ status: 200, headers: {}, body: 'END Bye' })
    await start({
      contract: loadContract('crossgate'),
      settings: {
        url: `${app.url}?key=a%26b`,
        headers: { 'x-tenant': 'png' },
        token: 'secret',
        networks: { digicel: '53703' },
      },
    }).dial()
    const [asked] = app.heard
    assert.match(asked!.target, /^\/ussd\?key=a%26b&session_id=[^&]+&msisdn=67570000001&network_code=53703&/)
    assert.equal(asked!.headers['x-tenant'], 'png')
    assert.equal(asked!.headers.authorization, 'Bearer secret')
  })

  describe('says a long text', () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i + 1}. Clinic number ${i + 1} of the town`)
    const long = `Choose:\n${rows.join('\n')}`

    it('and it is paged by line; its numbers stay its own, from any page', async () => {
      app.says(con(long))
      const walked = start()
      let want = await walked.dial()
      const pages: string[] = []
      for (;;) {
        assert.ok(want.do === 'ask' && fits(want.text, USSD_PAGE), JSON.stringify(want))
        pages.push(want.text)
        if (!want.text.endsWith('\n98. More')) break
        want = await walked.answer('98')
      }
      assert.ok(pages.length > 2)
      assert.equal(pages.map((page) => page.replace(/\n98\. More$/, '')).join('\n'), long)
      assert.equal(app.heard.length, 1, 'leafing is no business of the application')
      app.says(end('Chosen'))
      assert.equal(((await walked.answer('2')) as { text: string }).text, 'Chosen')
      assert.equal(sent(1).text, '2')
    })

    it('and the way on takes a number that the text does not use', async () => {
      app.says(con(`${long}\n98. Back`))
      assert.match(((await start().dial()) as { text: string }).text, /\n99\. More$/)
    })

    it('and it ends the dialogue on its last page', async () => {
      app.says(end(`${'All the words of a long farewell. '.repeat(9)}Bye.`))
      const walked = start()
      let want = await walked.dial()
      const pages: string[] = []
      while (want.do === 'ask') {
        pages.push(want.text)
        want = await walked.answer('anything')
      }
      assert.equal(want.do === 'end' && want.reason, 'completed')
      assert.ok(pages.length >= 1 && want.do === 'end' && want.text.endsWith('Bye.'))
      assert.ok(pages.every((page) => count(page, 'gsm7') <= 182))
      assert.equal(app.heard.length, 1)
    })

    it('in another script, by the length that it has there, and loses nothing', async () => {
      const text = 'ខ្ញុំ សួស្តី '.repeat(30).trim()
      app.says(con(text))
      const walked = start()
      let want = (await walked.dial()) as { text: string }
      let read = ''
      for (let page = 0; page < 30; page++) {
        assert.ok(fits(want.text, USSD_PAGE))
        read += want.text.replace(/\n98\. More$/, ' ')
        if (!want.text.endsWith('More')) break
        want = (await walked.answer('98')) as { text: string }
      }
      assert.equal(read.replace(/\s+/g, ' '), text)
    })

    it('beyond all reason, and it is cut and counted', async () => {
      app.says(con('x '.repeat(30_000)))
      const walked = start()
      await walked.dial()
      assert.deepEqual(
        walked.counted.filter((it) => it.name === 'limits_total').map((it) => it.labels.limit),
        ['app-text'],
      )
      app.says(con('x'.repeat(70_000)))
      assert.equal(((await start().dial()) as { text: string }).text, 'BUSY')
    })
  })

  it('may let a blank slip before its mark, send Latin-1, and characters that no handset shows', async () => {
    app.says((_heard, response) =>
      response
        .writeHead(200, { 'content-type': 'text/plain' })
        .end(Buffer.from('\r\n CON Soci\xe9t\xe9\r\n\x001. Oui', 'latin1')),
    )
    assert.deepEqual(await start().dial(), { do: 'ask', text: 'Société\n1. Oui', screen: 'said' })
    app.says({ status: 200, headers: {}, body: '\ufeffEND Fin' })
    assert.deepEqual(await start().dial(), { do: 'end', text: 'Fin', screen: 'closed', reason: 'completed' })
  })

  it('is answered for with the busy text when it is late, and the request is cut off', async () => {
    const clock = fakeClock()
    let closed = false
    app.says((_heard, response) => void response.on('close', () => (closed = true)))
    const walked = start({ clock })
    const dialled = walked.dial()
    await until(() => app.heard.length === 1, 'no request came')
    await clock.advance(7_000)
    await settle()
    assert.deepEqual(await dialled, { do: 'end', text: 'BUSY', screen: 'busy', reason: 'backend-failed' })
    assert.equal((walked.results[0] as { why?: string }).why, 'late')
    await until(() => closed, 'the request was left open')
  })

  it('is answered for when nobody listens, or what listens is no web server', async () => {
    const walked = start({ settings: { url: `http://127.0.0.1:${await freePort()}/` } })
    assert.equal(((await walked.dial()) as { text: string }).text, 'BUSY')
    assert.equal((walked.results[0] as { why?: string }).why, 'down')
    const rude = createServer((socket) => void socket.end('SMTP ready\r\n')).listen(0, '127.0.0.1')
    await until(() => rude.listening, 'does not listen')
    const other = start({ settings: { url: `http://127.0.0.1:${(rude.address() as { port: number }).port}/` } })
    assert.equal(((await other.dial()) as { text: string }).text, 'BUSY')
    rude.close()
  })

  it('gets its state back, and may not hand out more than a dialogue can keep', async () => {
    const hubtel = loadContract('hubtel')
    const says = (ClientState: string) =>
      app.says({ status: 200, headers: {}, body: JSON.stringify({ Type: 'Response', Message: 'Hi', ClientState }) })
    says('basket=3')
    const walked = start({ contract: hubtel })
    await walked.dial()
    await walked.answer('1')
    assert.deepEqual(
      app.heard.map((it) => JSON.parse(it.body).ClientState),
      ['', 'basket=3'],
    )
    says('x'.repeat(3_000))
    assert.equal(((await walked.answer('2')) as { text: string }).text, 'BUSY')
  })

  it('is not told of an end that nobody told it the beginning of, nor without an address for it', async () => {
    app.says(con('Hello'))
    const walked = start()
    await walked.dial()
    await walked.end('idle')
    assert.equal(app.heard.length, 1, 'africastalking tells ends to closeUrl only')
  })

  it('is told the true end once, and its refusal to hear of it harms nobody', async () => {
    app.says(con('Hello'))
    const walked = start({ settings: { url: app.url, closeUrl: `${app.url}/events` } })
    await walked.dial()
    app.says({ status: 500, headers: {}, body: 'x' })
    await walked.answer('1')
    await walked.end('backend-failed')
    const told = Object.fromEntries(new URLSearchParams(app.heard.at(-1)!.body))
    assert.equal(app.heard.at(-1)!.target, '/ussd/events')
    assert.deepEqual([told.status, told.input, told.lastAppResponse, told.hopsCount], ['Failed', '1', 'CON Hello', '2'])
    assert.equal(told.phoneNumber, `+${MSISDN}`)
    assert.deepEqual(walked.counted.at(-1), {
      name: 'backend_calls_total',
      labels: { backend: 'app:shop', operation: 'close', result: 'nonsense' },
    })
  })

  it('cannot be made to remember for ever: a dialogue that enters too much ends', async () => {
    app.says(con('More?'))
    const walked = start()
    await walked.dial()
    let want = await walked.answer('x'.repeat(250))
    for (let i = 0; want.do === 'ask' && i < 20; i++) want = await walked.answer('x'.repeat(250))
    assert.deepEqual(want, { do: 'end', text: 'BUSY', screen: 'busy', reason: 'backend-failed' })
  })
})

describe('a contract profile', () => {
  it('says all that is wrong with it at once, with its line', () => {
    const source = `
name: Mine
seen: me
ask:
  format: form
  fields: { id: "{sesion}", deep: { er: "{nothing}" } }
reply:
  as: text
  continue: { prefix: CON, field: x, is: [1] }
  end: { header: h }
`
    const problems = (() => {
      try {
        parseContract(source, 'mine.yaml')
      } catch (error) {
        return (error as ProblemsError).problems
      }
      return []
    })()
    assert.deepEqual(
      problems.map(({ where }) => where.split(':').slice(0, 2).join(':')),
      ['mine.yaml:2', 'mine.yaml:6', 'mine.yaml:6', 'mine.yaml:9', 'mine.yaml:10'],
    )
    assert.match(problems[1]!.what, /\{sesion\}/)
    assert.throws(() => loadContract('africastalkin'), /did you mean 'africastalking'/)
  })
})
