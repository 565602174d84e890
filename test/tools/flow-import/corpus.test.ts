/** Journeys as people write them: each passes the check and its made talks, and nothing of it is left out silently. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { importJourney, reportOf } from '../../../src/tools/flow-import/import.ts'
import { readJinja } from '../../../src/tools/flow-import/jinja.ts'
import { talksOf } from '../../../src/flow/explore/paths.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'

const HERE = 'test/tools/flow-import/corpus'
const beside = (file: string, from: string) => ({
  file: join(dirname(from), file),
  text: readFileSync(join(dirname(from), file), 'utf8'),
})
const TYPES = ['initial', 'input', 'menu', 'quit', 'http', 'router', 'update_session', 'function', 'custom']

const imported = (name: string) =>
  importJourney({ file: name, text: readFileSync(join(HERE, name), 'utf8') }, { flow: name.split('.')[0]! }, beside)
const told = (name: string, isLost: boolean) =>
  imported(name)
    .remarks.filter(({ lost }) => lost === isLost)
    .map(({ where, what }) => `${where.replace(name, '')} ${what}`.replace(/^:/, ''))
const screens = (name: string) =>
  compileFlow({ file: 'a.yaml', text: imported(name).text, catalogues: [] }).definition.screens

describe('a corpus of journeys', () => {
  const files = readdirSync(HERE)

  it('has screens of all nine types', () => {
    const all = files.map((file) => readFileSync(join(HERE, file), 'utf8')).join('\n')
    for (const type of TYPES) assert.match(all, new RegExp(`type: ${type}_screen`))
  })

  for (const file of files) {
    it(`${file} passes the check, and talks go through it`, async () => {
      const journey = imported(file)
      const source = { file: 'a.yaml', text: journey.text, catalogues: [] }
      assert.deepEqual(
        checkSource(source).filter(({ severity }) => severity === 'error'),
        [],
      )
      const compilation = compileFlow(source)
      const { text, talks } = talksOf(compilation)
      for (const talk of parseTalks('made.talk', text)) {
        const failure = await playTalk(talk, compilation.flow)
        assert.equal(failure && describeFailure(failure), undefined)
      }
      assert.ok(talks > 5)
      for (const { where } of journey.remarks) assert.match(where, /^\w+\.yaml:\d+$/)
      for (const line of reportOf(journey)) assert.doesNotMatch(line, /undefined|\[object/)
    })
  }

  it('tells of the wallet what was not imported, each at its line', () => {
    assert.deepEqual(told('wallet.yaml', true), [
      "6 the variable 'stamp' is computed, so it was not imported",
      "91 'retries' under http_request of the screen 'send' was not imported",
      "105 'new_pin' looks like a secret, but is stored in clear text",
    ])
    assert.deepEqual(told('wallet.yaml', false), [
      '5 the page length of 160 characters is ignored',
      '15 WALLET_KEY comes from the environment, and is not passed on',
      '15 WALLET_URL comes from the environment, and is not passed on',
      '15 WALLET_TOKEN comes from the environment, and is not passed on',
      '15 headers of the request are not in the flow',
      '43 WALLET_URL comes from the environment, and is not passed on',
      "56 the option 'Exit' answers to '0'",
      "91 the argument 'session' is not a simple value",
      '91 WALLET_URL comes from the environment, and is not passed on',
      '90 the journey queued this request; the flow makes it while the subscriber waits',
      '98 SUPPORT_NUMBER comes from the environment',
      "34 'userPin' is secret",
      "111 'again' is secret",
    ])
  })

  it('tells of the clinic what was not imported, each at its line', () => {
    assert.deepEqual(told('clinic.yaml', true), [
      '48 the class clinic.screens.Doctor is a program',
      "53 the argument 'tags' is not a simple value",
      "23 'colour' of the screen 'region' was not imported",
      "24 'sorted' under items of the screen 'region' was not imported",
    ])
    assert.deepEqual(told('clinic.yaml', false), [
      '5 the page length of 140 characters is ignored',
      '6 the flow does not report sessions',
      '10 the function clinic.visits.upcoming sees the whole session',
      "38 the option 'Book' is shown as 'B) '",
      "56 'Booked for {{ booking.at }}.{% if far %} It is far.{% endif %}' is too complex for a flow",
    ])
  })

  it('makes secrets of PINs, money of currencies, and keeps the environment out of calls', () => {
    const wallet = screens('wallet.yaml')
    assert.deepEqual(wallet['enter-pin']?.kind === 'input' && [wallet['enter-pin'].secret, wallet['enter-pin'].as], [
      true,
      'user-pin',
    ])
    assert.deepEqual(wallet['check-pin']?.kind === 'call' && wallet['check-pin'].with, {
      pin: '{answers.user-pin}',
      number: '{msisdn}',
    })
    assert.deepEqual(wallet.account?.kind === 'call' && wallet.account.with, {
      channel: 'ussd',
      phone_number: '{msisdn}',
    })
    assert.deepEqual(
      wallet.main?.kind === 'menu' && (wallet.main.menu as Record<string, string>).en,
      'Balance KES {data.account.balance, number, money}',
    )
    assert.match(JSON.stringify(wallet.done), /Sent \{answers\.amount, number, money\}\. 1,500\.00 left today\./)
    const clear = wallet['choose-pin']
    assert.equal(clear?.kind === 'input' && clear.secret, undefined)
  })

  it('sets what the journey sets at its beginning', () => {
    assert.deepEqual(screens('wallet.yaml')['initial-screen'], {
      kind: 'set',
      set: { tries: 0, greeting: 'Hello {msisdn}' },
      to: 'account',
    })
  })
})

describe('tests of Jinja', () => {
  const name = { is: 'name', parts: ['a'] }
  it('ask whether something is there, or none', () => {
    assert.deepEqual(readJinja('a is defined'), name)
    assert.deepEqual(readJinja('a is not none'), name)
    assert.deepEqual(readJinja('a is not defined'), { is: 'not', of: name })
    assert.deepEqual(readJinja('a is none'), { is: 'not', of: name })
    assert.deepEqual(readJinja("a|f('x', 2)"), {
      is: 'filter',
      name: 'f',
      of: name,
      args: [
        { is: 'value', value: 'x' },
        { is: 'value', value: 2 },
      ],
    })
    for (const more of ['a is number', 'a is not', 'a|f(', 'a|f(b c)']) assert.equal(readJinja(more), undefined, more)
  })
})
