/** `dev`, as a designer uses it: files are saved, keys are pressed over HTTP, and the page's stream tells what came of it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, request } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDev, type DevOptions } from '../../../src/cli/dev/index.ts'
import { newFlow } from '../../../src/cli/flows/flow-new.ts'
import { realClock } from '../../support/clock.ts'
import { runCli } from '../../support/process.ts'
import { listens, until } from '../../support/services.ts'

interface Problem {
  severity: string
  rule: string
  place: string
  what: string
  remedy: string
  excerpt: string
}
interface State {
  current: string
  folderProblem: string | null
  backends: { text: string; isBad: boolean }
  settings: Problem[]
  flows: {
    name: string
    code: string
    is: string
    revision: string | null
    isChecking: boolean
    walked: string
    problems: Problem[]
  }[]
  phone: {
    msisdn: string
    waiting: boolean
    failed: string | null
    said: string
    screen: null | {
      text: string
      open: boolean
      units: number
      most: number
      alphabet: string
      forcedBy: string
      over: boolean
      ended: string
    }
    inbox: { text: string; length: string; parts: number; when?: string }[]
  }
  dialogue: null | {
    flow: string
    screen: string
    revision: string
    visited: string[]
    values: { name: string; value: string }[]
  }
  calls: { operation: string; args: string; by: string; outcome: string; note?: string }[]
  operations: { operation: string; changes: boolean; chosen: string; options: { id: string; shown: string }[] }[]
}

const SHOP = `
flow: shop
spec: 1
start: main
languages: [en]
screens:
  main: { menu: 'Hello.', choices: [{ label: Balance, to: balance }, { label: Pay, to: pin }] }
  balance: { call: bank.balance, once: false, expect: { amount: { is: number, max: 100 } }, to: show }
  show: { end: 'You have {data.balance.amount, number}.' }
  pin: { input: 'PIN?', secret: true, length: { min: 4, max: 4 }, to: amount }
  amount: { input: 'How much?', number: { min: 1, max: 9 }, wrong: From 1 to 9., to: pay }
  pay: { call: bank.pay, with: { amount: '{answers.amount}' }, once: true, to: told, refused: { poor: poor } }
  told: { sms: 'Paid {answers.amount, number}.', to: done }
  done: { end: Paid. }
  poor: { end: Too little. }
`

describe('dev, the loop of a designer', function () {
  this.timeout(60_000)
  const stops: (() => Promise<void> | void)[] = []
  let folder: string
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'ussd-dev-')), 'flows')
    mkdirSync(folder)
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
    rmSync(join(folder, '..'), { recursive: true, force: true })
  })

  const save = (text: string, file = 'shop.yaml') => writeFileSync(join(folder, file), text)
  async function open(options: DevOptions = {}, path: string | undefined = folder) {
    const dev = await startDev(path, { httpPort: 0, ...options, clock: realClock })
    stops.push(() => dev.stop())
    const stream = await watch(dev.url)
    stops.push(stream.stop)
    const post = async (act: string, body: object = {}): Promise<State> => {
      const response = await fetch(`${dev.url}/api/${act}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      assert.equal(response.status, 200, await response.clone().text())
      return (await response.json()) as State
    }
    return {
      ...dev,
      ...stream,
      post,
      dial: (code: string) => post('dial', { code }),
      /** Dials the first flow, and answers. */
      async play(...keys: string[]): Promise<State> {
        let state = await post('dial', { code: '*101#' })
        for (const text of keys) state = await post('answer', { text })
        return state
      },
    }
  }
  const flowIn = (state: State, name = 'shop') => state.flows.find((one) => one.name === name)!
  const checked = (state: State) => state.flows.length > 0 && state.flows.every((one) => !one.isChecking)
  const valueOf = (state: State, name: string) => state.dialogue?.values.find((one) => one.name === name)?.value

  it('plays a flow; shows its screen, its length, what it knows without secrets, its calls and SMS', async () => {
    save(SHOP)
    const { play, when } = await open()
    const first = await play()
    assert.equal(first.phone.screen!.text, 'Hello.\n1. Balance\n2. Pay')
    assert.deepEqual([first.phone.screen!.units, first.phone.screen!.most], [24, 182])
    const amount = await play('2', '4711')
    assert.equal(amount.dialogue!.screen, 'amount')
    assert.deepEqual(amount.dialogue!.visited, ['main', 'pin', 'amount'])
    assert.doesNotMatch(JSON.stringify(amount), /4711/)
    const end = await play('2', '4711', '5')
    assert.equal(end.phone.screen!.text, 'Paid.')
    assert.equal(end.phone.screen!.ended, 'completed')
    assert.equal(valueOf(end, 'answers.amount'), '5')
    assert.deepEqual(
      end.phone.inbox.map(({ text, length }) => [text, length]),
      [['Paid 5.', '7 septets, 1 part']],
    )
    assert.deepEqual(
      [end.calls[0]!.operation, end.calls[0]!.args, end.calls[0]!.by],
      ['bank.pay', '{"amount":5}', 'synthetic'],
    )
    assert.match(flowIn(await when(checked)).walked, /9 of 9 screens|10 of 10 screens/)
  })

  it('says why a page is in UCS-2, and that one is too long', async () => {
    save(`flow: shop\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { end: 'Mānawa ${'x'.repeat(90)}' }\n`)
    const { screen } = (await (await open()).play()).phone
    assert.deepEqual([screen!.alphabet, screen!.forcedBy, screen!.most, screen!.units], ['ucs2', 'ā', 80, 80])
  })

  it('has a saved file while a dialogue is open: the keys are played again, and no back end is asked twice', async () => {
    save(SHOP)
    const { play, when } = await open()
    const before = await play('2', '1234')
    save(SHOP.replace('How much?', 'How many kina?'))
    const after = await when((state) => state.phone.screen?.text === 'How many kina?')
    assert.match(after.phone.said, /played again to the same screen/)
    assert.notEqual(after.dialogue!.revision, before.dialogue!.revision)
    assert.deepEqual(after.calls, [])
  })

  it('says where the same keys lead now, if it is elsewhere', async () => {
    save(SHOP)
    const { play, when } = await open()
    await play('2', '1234')
    save(SHOP.replace('{ label: Pay, to: pin }', '{ label: Gone, to: poor }'))
    const after = await when((state) => state.dialogue?.screen === 'poor')
    assert.match(after.phone.said, /lead to 'poor', and led to 'amount' before/)
  })

  it('goes on with the old revision if the new way leads over a change that was not made, and says so', async () => {
    save(SHOP)
    const { play, when, post } = await open()
    const { dialogue } = await play('2', '1234')
    save(
      SHOP.replace(
        'length: { min: 4, max: 4 }, to: amount }',
        'length: { min: 4, max: 4 }, to: first }\n  first: { call: bank.open, once: true, to: amount }',
      ),
    )
    const after = await when((state) => state.phone.said !== '')
    assert.match(
      after.phone.said,
      /bank\.open, which changes something and was not called: this dialogue goes on with shop@/,
    )
    assert.equal(after.dialogue!.revision, dialogue!.revision)
    assert.equal((await post('answer', { text: '3' })).phone.screen!.text, 'Paid.')
  })

  it('shows what is wrong where it is, from the start and as it is saved; the phone goes on with what was good', async () => {
    save(SHOP.replace('to: show }', 'to: shwo }'))
    const { dial, play, when } = await open()
    const broken = flowIn(await when((state) => state.flows.length > 0))
    assert.equal(broken.is, 'broken')
    const [problem] = broken.problems
    assert.match(problem!.place, /shop\.yaml:8:\d+$/)
    assert.match(`${problem!.what} ${problem!.remedy}`, /shwo.*show/)
    assert.match((await dial('*101#')).phone.failed!, /flow shop has errors/)
    save(SHOP)
    await when((state) => flowIn(state)?.is === 'good')
    await play('2')
    save('flow: shop\n  spec: [')
    const again = await when((state) => flowIn(state).is === 'broken')
    assert.match(flowIn(again).problems[0]!.place, /shop\.yaml:\d+:\d+$/)
    assert.equal(again.phone.screen!.text, 'PIN?')
    assert.equal((await dial('*101#')).phone.screen!.open, true)
  })

  it('has the warnings of check, and the talks that fail', async () => {
    save(SHOP.replace(', secret: true', ''))
    save('flow shop\ntalk Balance\ndial *101#\n> 1\n< You have 1.\n', 'shop.talk')
    const { when } = await open()
    const { problems } = flowIn(await when(checked))
    const rules = problems.map(({ rule }) => rule)
    assert.ok(rules.includes('talk'), rules.join(' '))
    assert.match(problems.find(({ rule }) => rule === 'talk')!.place, /shop\.talk:\d+$/)
    save('flow shop\nbackend bank.balance {"amount": 1}\ntalk Balance\ndial *101#\n> 1\n< You have 1.\n', 'shop.talk')
    await when((state) => checked(state) && !flowIn(state).problems.some(({ rule }) => rule === 'talk'))
  })

  it('goes on when the file of an open dialogue is deleted, and says so', async () => {
    save(SHOP)
    const { play, when, post } = await open()
    await play('2')
    unlinkSync(join(folder, 'shop.yaml'))
    const gone = await when((state) => flowIn(state).is === 'gone')
    assert.match(flowIn(gone).problems[0]!.what, /the file is gone: the phone goes on with shop@/)
    assert.equal((await post('answer', { text: '1234' })).dialogue!.screen, 'amount')
    save(SHOP)
    await when((state) => flowIn(state).is === 'good')
  })

  it('begins with an empty folder, and takes the first flow as it comes', async () => {
    const { dial, when } = await open()
    assert.match((await dial('*101#')).phone.failed!, /no flow has the code/)
    save(SHOP)
    await when((state) => flowIn(state)?.is === 'good')
    assert.equal((await dial('*101#')).phone.screen!.open, true)
  })

  it('has a saved part, and plays one flow alone if it is asked for one', async () => {
    mkdirSync(join(folder, 'parts'))
    const part = (text: string) =>
      save(`part: bye\nspec: 1\nlanguages: [en]\nscreens:\n  bye: { end: ${text} }\n`, 'parts/bye.yaml')
    part('Good bye.')
    save(
      `flow: one\nspec: 1\nstart: main\nlanguages: [en]\ninclude: [bye]\nscreens:\n  main: { menu: Hello, choices: [{ label: Bye, to: bye }] }\n`,
      'one.yaml',
    )
    save(SHOP)
    const { play, when } = await open({}, join(folder, 'one.yaml'))
    assert.equal((await play('1')).phone.screen!.text, 'Good bye.')
    const { flows } = await when(checked)
    assert.deepEqual(
      flows.map(({ name }) => name),
      ['one'],
    )
    const { revision } = flows[0]!
    part('See you.')
    await when((state) => state.flows[0]!.is === 'good' && state.flows[0]!.revision !== revision)
    assert.equal((await play('1')).phone.screen!.text, 'See you.')
  })

  it('takes a hundred saves in a row, and ends with the last', async () => {
    save(SHOP)
    const { when, play } = await open()
    await play()
    for (let n = 1; n <= 100; n++) save(SHOP.replace('Hello.', `Hello ${n}.`))
    const last = await when((state) => state.phone.screen?.text.startsWith('Hello 100.') === true && checked(state))
    assert.equal(flowIn(last).is, 'good')
    assert.ok(last.phone.said !== '')
  })

  it('answers with what a talk recorded, else with synthetic answers, and as the designer chooses', async () => {
    save(SHOP)
    save('flow shop\ncode *55#\nbackend bank.balance {"amount": 7}\ndial *55#\n> 1\n', 'shop.talk')
    const { post } = await open()
    const first = await post('dial', { code: '*55#' })
    const balance = await post('answer', { text: '1' })
    assert.equal(balance.phone.screen!.text, 'You have 7.')
    assert.equal(balance.calls[0]!.by, 'recorded')
    const pay = first.operations.find(({ operation }) => operation === 'bank.pay')!
    assert.equal(pay.changes, true)
    const refusal = pay.options.find(({ id }) => id === 'refuse poor')!
    await post('choose', { flow: 'shop', operation: 'bank.pay', id: refusal.id })
    await post('dial', { code: '*55#' })
    for (const text of ['2', '1234']) await post('answer', { text })
    const end = await post('answer', { text: '3' })
    assert.deepEqual([end.phone.screen!.text, end.calls[0]!.by], ['Too little.', 'chosen'])
  })

  it('resumes a dialogue that the network lost, gives the talk, and follows another number', async () => {
    save(SHOP)
    const { play, post, dial, url } = await open()
    await play('2')
    await post('lose')
    assert.match((await dial('*101#')).phone.screen!.text, /Continue where you stopped/)
    const talk = await (await fetch(`${url}/api/talk`)).text()
    assert.match(talk, /^flow shop\n[\s\S]*\nlost\n/)
    const other = await post('phone', { msisdn: '67570000009' })
    assert.deepEqual([other.phone.msisdn, other.dialogue], ['67570000009', null])
  })

  describe('with the back ends of settings', () => {
    const settings = (url: string, more = '') => {
      const file = join(folder, '..', 'connector.yaml')
      writeFileSync(
        file,
        `
lines: [{ name: a, smsc: { host: 127.0.0.1, systemId: x, password: y }, sms: { source: "123" } }]
services: [{ code: "*77#", flow: shop }]
flows: { dir: ${folder} }
backends: { bank: { http: { url: "${url}" } }${more} }
redis: embedded
postgres: { url: "postgres://nobody@127.0.0.1:1/none" }
data: ${join(folder, '..', 'data')}
dialogue: { turnMs: 3000 }
`,
        { mode: 0o600 },
      )
      return file
    }
    const listening = async <S extends Server>(server: S): Promise<string> => {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      stops.push(() => new Promise((done) => void server.close(() => done())))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }

    it('asks them, by the code of the settings; a module without its database gets other answers', async () => {
      const bank = createHttpServer((_asked, answer) => {
        answer.setHeader('content-type', 'application/json')
        answer.end(JSON.stringify({ amount: 42 }))
      })
      const url = await listening(bank as unknown as Server)
      save(SHOP)
      const module = join(folder, '..', 'slow.mjs')
      writeFileSync(module, 'export const backend = () => ({ operations: {} })\n')
      const { post, when } = await open({ config: settings(url, `, slow: { module: ${module} }`) }, undefined)
      const told = await when(({ backends }) => backends.isBad)
      assert.match(told.backends.text, /Postgres.*slow: recorded or synthetic answers\. Real: bank/)
      await post('dial', { code: '*77#' })
      const { phone, calls } = await post('answer', { text: '1' })
      assert.equal(phone.screen!.text, 'You have 42.', JSON.stringify(calls))
      assert.equal(calls[0]!.by, 'real')
    })

    it('shows what is wrong with the settings, and plays all the same', async () => {
      save(SHOP)
      const file = settings('http://127.0.0.1:1')
      writeFileSync(file, readFileSync(file, 'utf8').replace('name: a,', 'name: a, dialect: standart,'), {
        mode: 0o600,
      })
      const { post, when } = await open({ config: file }, undefined)
      const told = await when((state) => state.settings.length > 0)
      assert.match(told.settings[0]!.place, /connector\.yaml:2:\d+$/)
      assert.match(`${told.settings[0]!.what} ${told.settings[0]!.remedy}`, /standart.*standard/)
      assert.equal((await post('dial', { code: '*77#' })).phone.screen!.open, true)
    })

    it('answers in place of one that cannot be reached, and says so', async () => {
      const gone = createServer()
      const url = await listening(gone)
      await new Promise((done) => gone.close(done))
      save(SHOP)
      const { post } = await open({ config: settings(url) }, undefined)
      await post('dial', { code: '*77#' })
      const { phone, calls } = await post('answer', { text: '1' })
      assert.match(phone.screen!.text, /^You have \d+\.$/)
      assert.deepEqual([calls[0]!.by, calls[0]!.note], ['synthetic', 'bank cannot be reached'])
    })

    it('goes on beside one that hangs: it shows that it waits, hangs up, and is late by itself', async () => {
      const hanging = createServer((socket) => void sockets.add(socket))
      const sockets = new Set<{ destroy(): void }>()
      const url = await listening(hanging)
      stops.push(() => sockets.forEach((socket) => socket.destroy()))
      save(SHOP)
      const { post, when } = await open({ config: settings(url) }, undefined)
      await post('dial', { code: '*77#' })
      const answer = post('answer', { text: '1' })
      await when(({ phone }) => phone.waiting)
      assert.equal((await post('hang-up')).phone.waiting, false)
      assert.equal((await post('dial', { code: '*77#' })).phone.screen!.open, true)
      // The answer that came too late changes nothing of what was dialled after it.
      await answer
      const late = await when(({ calls }) => calls.length > 0)
      assert.deepEqual([late.calls[0]!.by, late.calls[0]!.outcome], ['real', 'fail late'])
      assert.equal(late.dialogue!.screen, 'main')
    })
  })

  it('serves this machine and its own page only', async () => {
    save(SHOP)
    const { url } = await open()
    const page = await fetch(url)
    assert.match(
      page.headers.get('content-security-policy')!,
      /default-src 'none'; script-src 'self'; style-src 'self'/,
    )
    for (const file of [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!)) {
      if (file.startsWith('/api/talk')) continue
      assert.equal((await fetch(`${url}${file}`)).status, 200, file)
    }
    const svg = await (await fetch(`${url}/api/flows/shop/picture`)).text()
    assert.match(svg, /data-screen="amount"/)
    assert.doesNotMatch(svg, /<style|style=/)
    const dial = { method: 'POST', body: '{"code":"*101#"}', headers: { 'content-type': 'application/json' } }
    const foreign = { ...dial, headers: { ...dial.headers, origin: 'http://evil.example' } }
    assert.equal((await fetch(`${url}/api/dial`, foreign)).status, 403)
    assert.equal((await fetch(`${url}/api/dial`, { ...dial, headers: { 'content-type': 'text/plain' } })).status, 415)
    assert.equal(await statusFor(url, 'evil.example'), 403)
    assert.equal((await fetch(`${url}/api/dial`, { ...dial, body: '{"code":7}' })).status, 400)
  })

  it('refuses what it cannot use in a sentence', async () => {
    await assert.rejects(open({}, join(folder, 'none')), /there is no .*none .*flow new NAME --dir/)
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    stops.push(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    await assert.rejects(open({ httpPort: port }), new RegExp(`port ${port} is in use: .*--http-port`))
    await assert.rejects(open({ config: join(folder, 'none.yaml') }), /none\.yaml/)
  })

  it('as a process: prints its address, and ends at Ctrl-C in its first moment and later, with nothing left', async () => {
    save(SHOP)
    const early = runCli(['dev', folder, '--http-port', '0'])
    stops.push(() => early.kill('SIGKILL'))
    await new Promise((done) => early.child.once('spawn', done))
    early.kill('SIGINT')
    await early.exited
    assert.doesNotMatch(early.output().join('\n'), /Open http/)
    const dev = runCli(['dev', folder, '--http-port', '0'])
    stops.push(() => dev.kill('SIGKILL'))
    const urlIn = () => /http:\/\/127\.0\.0\.1:(\d+)/.exec(dev.output().join('\n'))
    await until(() => urlIn() !== null, 'dev does not start', 50_000)
    const [url, port] = urlIn()!
    const { stop } = await watch(url)
    dev.kill('SIGINT')
    assert.equal(await dev.exited, 0, dev.output().join('\n'))
    stop()
    assert.equal(await listens(Number(port)), false)
  })

  it('flow new makes a flow that is good at once, under any name, and overwrites nothing', async () => {
    const said: string[] = []
    for (const name of ['shop', 'my-flow2']) newFlow(name, { dir: folder }, (text) => said.push(text))
    assert.ok(said.includes(join(folder, 'backends', 'shop.yaml')))
    const { when } = await open()
    const state = await when(checked)
    assert.deepEqual(
      state.flows.map(({ name, is, problems }) => [name, is, problems]),
      [
        ['my-flow2', 'good', []],
        ['shop', 'good', []],
      ],
    )
    const codes = state.flows.map(({ code }) => code)
    assert.equal(new Set(codes).size, 2)
    assert.throws(() => newFlow('shop', { dir: folder }, () => undefined), /shop\.yaml.* exists already/)
    for (const name of ['Shop', '../x', ''])
      assert.throws(() => newFlow(name, { dir: folder }, () => undefined), /name/)
  })
})

/** Opens the stream of states, as the page does. `when`: the first state for which this holds, from the latest on. */
async function watch(url: string): Promise<{ when(holds: (state: State) => boolean): Promise<State>; stop(): void }> {
  const stop = new AbortController()
  const response = await fetch(`${url}/api/events`, { signal: stop.signal })
  let latest: State | undefined
  const waiting = new Set<(state: State) => void>()
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        latest = JSON.parse(text.slice(0, end).replace(/^event: state\ndata: /, '')) as State
        text = text.slice(end + 2)
        for (const one of waiting) one(latest)
      }
    }
  }
  void read().catch(() => undefined)
  return {
    stop: () => stop.abort(),
    when: (holds) =>
      new Promise((done) => {
        const look = (state: State) => {
          if (!holds(state)) return
          waiting.delete(look)
          done(state)
        }
        waiting.add(look)
        if (latest) look(latest)
      }),
  }
}

/** `fetch` does not send another Host. */
function statusFor(url: string, host: string): Promise<number> {
  return new Promise((done, fail) => {
    request(url, { headers: { host } }, (answer) => (answer.resume(), done(answer.statusCode!)))
      .once('error', fail)
      .end()
  })
}
