import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { httpBackend } from '../../../src/backend/http.ts'
import { moduleBackend } from '../../../src/backend/module.ts'
import { Refusal, type CallContext, type CallResult } from '../../../src/backend/types.ts'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { drawFlow } from '../../../src/flow/draw/mermaid.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { openApiOperations } from '../../../src/flow/read/openapi.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { writeTalk } from '../../../src/flow/talk/writer.ts'
import { isRefusalName, refusalInLog } from '../../../src/ussd/refusal-name.ts'
import { realClock } from '../../support/clock.ts'
import { fileOf, flowOf } from '../support.ts'

const SCREENS = `
  main: { menu: Pay?, choices: [{ label: 'Yes', to: pay }] }
  pay:
    call: shop.pay
    once: true
    to: out
    refused: { INSUFFICIENT_FUNDS: poor, 'Not today': { to: later, notice: Closed. }, E-102: later }
  out: { end: Paid. }
  poor: { end: Too little. }
  later: { end: Come again. }
`
const BACKEND = `
backend: shop
spec: 1
operations:
  pay: { does: changes, answers: {}, refusals: { INSUFFICIENT_FUNDS: {}, 'Not today': {}, E-102: {} } }
`
const source = (screens = SCREENS) => ({
  file: 'test.yaml',
  text: fileOf(screens),
  catalogues: [],
  backends: [{ file: 'backends/shop.yaml', text: BACKEND }],
})
const CONTEXT = { msisdn: '67570000001', signal: new AbortController().signal } as CallContext

describe('refusals by any name', () => {
  it('are routed by the name that the back end gives them', async () => {
    const talk = (refusal: string, said: string) =>
      `flow test\ncode *1#\ntalk One\nrefuse shop.pay ${refusal}\ndial *1#\n> 1\n${said}\nended completed\n`
    for (const [refusal, said] of [
      ['INSUFFICIENT_FUNDS', '< Too little.'],
      ['"Not today"', '< Closed.\n< Come again.'],
      ['E-102 {"left": 1}', '< Come again.'],
    ] as const) {
      const [first] = parseTalks('t.talk', talk(refusal, said))
      const failure = await playTalk(first!, flowOf(SCREENS).flow)
      assert.equal(failure, undefined, refusal)
      assert.match(writeTalk(first!), refusal.startsWith('"') ? /refuse shop\.pay "Not today"/ : /refuse shop\.pay \S+/)
    }
  })

  it('are held against what the back end declares', () => {
    assert.deepEqual(
      vetFlow(readFlow(source())).map(({ what }) => what),
      [],
    )
    const misspelt = vetFlow(readFlow(source(SCREENS.replace("'Not today'", "'Not Today'"))))
    assert.deepEqual(
      misspelt.map(({ what, remedy }) => [what, remedy]),
      [
        ["screen 'pay': shop.pay may refuse with 'Not today', which leads nowhere", misspelt[0]!.remedy],
        ["screen 'pay': shop.pay never refuses with 'Not Today'", "did you mean 'Not today'?"],
      ],
    )
  })

  it('must be names that a file and a talk can hold', () => {
    for (const good of ['A', 'E-102', 'Not enough money', 'err.limit/daily', 'مرفوض']) assert.ok(isRefusalName(good))
    for (const bad of ['', ' a', 'a ', 'a"b', 'a\nb', 'x'.repeat(65), '__proto__', 5, null])
      assert.ok(!isRefusalName(bad))
    const [problem] = checkSource(source(SCREENS.replace('E-102', "' E-102'")))
    assert.match(problem!.remedy!, /the name of a refusal/)
    assert.match(problem!.where, /^test\.yaml:\d+:\d+$/)
    assert.deepEqual(
      [refusalInLog('E-102'), refusalInLog('No account of Mary Kila')],
      ['E-102', '(a name that is not one word)'],
    )
  })

  it('come from modules and over HTTP; anything else is no usable answer', async () => {
    const given = async (name: unknown): Promise<CallResult[]> => {
      const server = createServer((_request, response) => {
        response.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify({ refusal: name }))
      })
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const counters = { count: () => undefined }
      const http = httpBackend('shop', { url }, { clock: realClock, chance: Math.random, counters })
      const module = moduleBackend('shop', { operations: { pay: async () => new Refusal(name as string) } })
      try {
        return [await http.call('pay', {}, CONTEXT), await module.call('pay', {}, CONTEXT)]
      } finally {
        await http.close!()
        server.close()
      }
    }
    for (const result of await given('Not enough money'))
      assert.deepEqual([result.is, 'refusal' in result && result.refusal], ['refused', 'Not enough money'])
    for (const name of ['x'.repeat(65), '', 'a\u0000'])
      for (const result of await given(name))
        assert.deepEqual([result.is, 'why' in result && result.why], ['failed', 'nonsense'])
  })

  it('may stand in an OpenAPI document, and are drawn', () => {
    const refusal = { enum: ['LIMIT REACHED', 'x'.repeat(65)] }
    const content = { 'application/json': { schema: { properties: { refusal } } } }
    const { operations } = openApiOperations({
      openapi: '3.0.0',
      paths: { '/pay': { post: { 'x-ussd-does': 'changes', responses: { 409: { content } } } } },
    })
    assert.deepEqual(Object.keys(operations.pay!.refusals!), ['LIMIT REACHED'])
    assert.match(drawFlow(readFlow(source()).definition), /refused Not today/)
  })
})
