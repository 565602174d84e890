import assert from 'node:assert/strict'
import { loadKit } from '../../../src/backend/contracts/kit.ts'
import { contractNames, loadContract } from '../../../src/backend/contracts/load.ts'
import { listContracts, testContract } from '../../../src/cli/flows/contracts.ts'
import { stub, type Stub } from './stub.ts'

describe('the command contract', () => {
  let app: Stub
  let exitCode: typeof process.exitCode
  beforeEach(async () => {
    exitCode = process.exitCode
    process.exitCode = 0
    app = await stub()
  })
  afterEach(async () => {
    process.exitCode = exitCode
    await app.close()
  })
  const test = async (name: string, more: object = {}) => {
    const said: string[] = []
    await testContract(name, { code: '*384*2#', msisdn: '67570000001', answers: '', ...more }, (line) =>
      said.push(line),
    )
    return { said, code: process.exitCode }
  }

  it('lists what comes along', () => {
    const said: string[] = []
    listContracts({}, (line) => said.push(line))
    assert.deepEqual(
      said.map((line) => line.split(' ')[0]),
      ['CONTRACT', ...contractNames()],
    )
    said.length = 0
    listContracts({ json: true }, (line) => said.push(line))
    const told = JSON.parse(said.join('\n')) as { name: string; hasKit: boolean; answersLater: boolean }[]
    assert.deepEqual(
      told.map(({ name }) => name),
      contractNames(),
    )
    assert.deepEqual(
      told.filter(({ answersLater }) => answersLater).map(({ name }) => name),
      contractNames().filter((name) => loadContract(name).later),
    )
    assert.ok(told.every(({ name, hasKit }) => hasKit === (loadKit(name) !== undefined)))
  })

  it('holds our side of every contract to its kit', async () => {
    for (const name of contractNames()) {
      const said = loadKit(name)!.turns.map(({ input }, i) => `ok      ${i === 0 ? 'dial' : `answer ${input}`}`)
      assert.deepEqual(await test(name), { said, code: 0 }, name)
    }
  })

  it('dials an application, and says what was wrong with its answer', async () => {
    app.says({ status: 200, headers: {}, body: 'CON Hello\n1. Go' })
    assert.deepEqual(await test('africastalking', { url: app.url, code: '*384#', answers: '1' }), {
      said: ['> dial *384#\n< Hello\n< 1. Go', '> answer 1\n< Hello\n< 1. Go'],
      code: 0,
    })
    assert.equal(new URLSearchParams(app.heard[1]!.body).get('text'), '1')
    app.says({ status: 200, headers: {}, body: 'Hello' })
    assert.deepEqual(await test('africastalking', { url: app.url, code: '*384#' }), {
      said: ['> dial *384#\nFAILED  nonsense: begin: the reply does not say whether the dialogue goes on or ends'],
      code: 1,
    })
  })

  it('dials as the account and the operator that the application knows', async () => {
    app.says({ status: 200, headers: {}, body: '{"message":"Hi","reply":false,"MSG":"Hi","MSGTYPE":false}' })
    await test('moolre', { url: app.url, code: '*203*109#', network: '3' })
    await test('nalo', { url: app.url, account: 'NALOTest' })
    const [moolre, nalo] = app.heard.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    assert.deepEqual([moolre!.network, moolre!.extension, nalo!.USERID], [3, 109, 'NALOTest'])
  })

  it('says of each contract where it is described in public, or that nobody can look it up', () => {
    const said: string[] = []
    listContracts({}, (line) => said.push(line))
    const of = (name: string) => said.find((line) => line.startsWith(`${name} `))!
    assert.match(of('moolre'), /read 2026-\d\d-\d\d https:\/\/docs\.moolre\.com\/ussd$/)
    assert.match(of('beem'), /no public source: ask the provider, and compare$/)
    assert.match(of('junebug'), /https:\S+, answers later$/)
    for (const line of said.slice(1)) assert.match(line, /read \d{4}-\d\d-\d\d http|no public source/)
  })

  it('fails where the dialogue ends before the answers do', async () => {
    app.says({ status: 200, headers: {}, body: 'END Bye' })
    assert.deepEqual(await test('africastalking', { url: app.url, answers: '1,2' }), {
      said: ['> dial *384*2#\n< Bye\nends', 'the dialogue ended with 2 answers left'],
      code: 1,
    })
  })
})
