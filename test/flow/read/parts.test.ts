import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check } from '../../../src/cli/check/check.ts'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { drawFlow } from '../../../src/flow/draw/mermaid.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { PARTS_DEEP_MAX } from '../../../src/flow/read/parts.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow, type FlowFiles } from '../../../src/flow/read/read.ts'
import { openFlows } from '../../../src/flow/release/registry.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, handset } from '../support.ts'

const PAY = `
part: pay
spec: 1
languages: [en, tpi]
start: sure
takes: { amount: number, to: text }
screens:
  sure: { menu: 'Pay {vars.amount, number, money} to {vars.to}?', choices: [{ label: 'Yes', to: send }, { label: 'No', to: never }] }
  send: { call: wallet.pay, with: { amount: '{vars.amount}', text: 'to {vars.to}' }, once: true, expect: { reference: text }, to: which }
  which: { branch: [{ if: { not: data.send.reference == 'x data.y' }, to: paid }], else: never }
  paid: { return: paid, give: { receipt: '{data.send.reference}' } }
  never: { return: cancelled }
`
const COMMON = `
part: common
spec: 1
languages: [en]
texts: { en: { goodbye: See you. } }
screens:
  bye: { exit: true }
  help: { end: Call 123. }
`
const MAIN = `
  main: { menu: Shop, choices: [{ label: Rent, to: rent }, { label: Fee, to: fee }, { label: Exit, to: bye }] }
  rent: { input: 'How much?', number: { min: 1, max: 900 }, to: pay-rent }
  pay-rent: { flow: pay, with: { amount: '{answers.rent}', to: the landlord }, gives: { slip: receipt }, to: main, exits: { paid: done } }
  fee: { flow: pay, with: { amount: 5, to: the council }, to: thanks, exits: { cancelled: bye } }
  done: { menu: 'Paid: {vars.slip}', choices: [{ label: Again, to: rent }, { label: Exit, to: bye }] }
  thanks: { end: Thank you. }
`
const HEAD = 'start: main\nlanguages: [en]\ninclude: [common]'
const part = (text: string): FlowFiles => ({
  file: `parts/${/^part: (.*)$/m.exec(text)?.[1]}.yaml`,
  text,
  catalogues: [],
})
const sourceWith = (screens: string, parts: string[], head = HEAD) => ({
  file: 'test.yaml',
  text: fileOf(screens, head),
  catalogues: [],
  parts: parts.map(part),
})
const problems = (screens: string, parts: string[], head = HEAD) =>
  checkSource(sourceWith(screens, parts, head)).map(({ where, what }) => `${where} ${what}`)
const good = () => compileFlow(sourceWith(MAIN, [PAY, COMMON]))
const wallet = () => {
  const calls: unknown[] = []
  return {
    calls,
    answers: (want: { operation: string; args: unknown }) => (
      calls.push(want.args),
      { is: 'data' as const, data: { reference: `r${calls.length}` } as Json }
    ),
  }
}

describe('a part', () => {
  it('is called with values, and returns values', async () => {
    const { calls, answers } = wallet()
    const phone = handset(good().flow, answers)
    await phone.dial()
    await phone.answer('1')
    assert.equal((await phone.answer('70')).text, 'Pay 70.00 to the landlord?\n1. Yes\n2. No')
    assert.equal((await phone.answer('1')).text, 'Paid: r1\n1. Again\n2. Exit')
    assert.deepEqual(calls, [{ amount: 70, text: 'to the landlord' }])
  })

  it('leads by the name of its return', async () => {
    const phone = handset(good().flow, wallet().answers)
    await phone.dial()
    await phone.answer('2')
    assert.deepEqual(await phone.answer('2'), { do: 'end', screen: 'bye', text: 'See you.', reason: 'exit' })
    await phone.dial({ dialled: ['2'] })
    assert.equal((await phone.answer('1')).text, 'Thank you.')
  })

  it('is begun anew at each call', async () => {
    const { answers } = wallet()
    const phone = handset(good().flow, answers)
    await phone.dial()
    await phone.answer('1')
    await phone.answer('70')
    await phone.answer('1')
    await phone.answer('1')
    assert.match((await phone.answer('80')).text, /^Pay 80\.00/)
    const { data, vars } = phone.snapshot().context as { data: object; vars: object }
    assert.deepEqual([data, vars], [{}, { slip: 'r1', 'pay-rent_amount': 80, 'pay-rent_to': 'the landlord' }])
  })

  it('is walked, proven and drawn as one flow with what uses it', () => {
    const source = sourceWith(MAIN, [PAY, COMMON])
    assert.deepEqual(checkSource(source), [])
    assert.deepEqual(proveFlow(good(), readFlow(source).at), [])
    assert.match(drawFlow(good().definition), /s_pay_rent__sure --> s_pay_rent__send : Yes/)
  })

  it('is never paid in by a dialled answer, nor resumed into', async () => {
    const { calls, answers } = wallet()
    const { flow } = good()
    const phone = handset(flow, answers)
    assert.match((await phone.dial({ dialled: ['2', '1', '1'] })).text, /^Pay 5\.00 to the council/)
    assert.equal(flow.resumable(phone.snapshot()), false)
    await phone.dial({ dialled: ['1'] })
    await phone.answer('70')
    assert.match((await phone.dial({ resume: phone.snapshot() as never })).text, /^Welcome back/)
    assert.match((await phone.answer('1')).text, /^How much/)
    assert.deepEqual(calls, [])
  })

  it('is gone through backwards by the key for Back, and never behind what it paid', async () => {
    const { flow } = compileFlow(sourceWith(MAIN, [PAY, COMMON], `${HEAD}\nkeys: { back: '0', home: '00' }`))
    const phone = handset(flow, wallet().answers)
    await phone.dial()
    await phone.answer('1')
    await phone.answer('70')
    assert.match((await phone.answer('0')).text, /^How much/)
    await phone.answer('71')
    assert.doesNotMatch((await phone.answer('1')).text, /0\. Back/)
  })

  it('speaks the languages of the flow, by its own catalogue', async () => {
    const catalogue = {
      file: 'parts/pay.tpi.yaml',
      text: "language: tpi\ntexts: { 'Pay {vars.amount, number, money} to {vars.to}?': 'Baim {vars.to} long {vars.amount}?', 'Yes': 'Yesa', 'No': 'Nogat' }",
    }
    const source = sourceWith(MAIN, [PAY, COMMON], HEAD.replace('[en]', '[en, tpi]'))
    const found = { ...source, parts: [{ ...part(PAY), catalogues: [catalogue] }, part(COMMON)] }
    assert.ok(checkSource(found).every(({ severity }) => severity === 'warning'))
    const phone = handset(compileFlow(found).flow, wallet().answers)
    await phone.dial({ language: 'tpi' })
    assert.equal((await phone.answer('2')).text, 'Baim the council long 5?\n1. Yesa\n2. Nogat')
  })

  it('is handed texts in the language of the dialogue, from a part within a part too', async () => {
    const asks = `part: asks\nspec: 1\nlanguages: [en]\nstart: q\ntakes: { why: text, n: number }\nscreens:\n  q: { input: 'PIN {vars.why} {vars.n}', to: back }\n  back: { return: done }\n`
    const within = `part: within\nspec: 1\nlanguages: [en, tpi]\nstart: go\nscreens:\n  go: { flow: asks, with: { why: { en: to pay, tpi: bilong baim }, n: 2 }, to: done }\n  done: { return: done }\n`
    const screens = `  main: { flow: asks, with: { why: { en: 'for {msisdn}', tpi: 'bilong {msisdn}' }, n: 1 }, to: next }\n  next: { flow: within, to: bye }\n  bye: { end: Bye }`
    const source = sourceWith(screens, [asks, within], 'start: main\nlanguages: [en, tpi]')
    const { flow, definition } = compileFlow(source)
    const said = async (language: string) => {
      const phone = handset(flow)
      return [(await phone.dial({ language })).text, (await phone.answer('1')).text, (await phone.answer('2')).text]
    }
    assert.deepEqual(await said('en'), ['PIN for 67570000001 1', 'PIN to pay 2', 'Bye'])
    assert.deepEqual(await said('tpi'), ['PIN bilong 67570000001 1', 'PIN bilong baim 2', 'Bye'])
    assert.equal(
      Object.values(definition.screens).filter(({ kind }) => kind === 'input').length,
      2,
      'laid out once for all languages',
    )
    assert.deepEqual(proveFlow(compileFlow(source), readFlow(source).at), [])
    const lacking = checkSource(
      sourceWith(screens.replace(", tpi: 'bilong {msisdn}'", ''), [asks, within], 'start: main\nlanguages: [en, tpi]'),
    )
    assert.deepEqual(
      lacking
        .filter(({ what }) => what.includes("'why'"))
        .map(({ severity, where, what, remedy }) => [severity, where, what, remedy]),
      [
        [
          'warning',
          'test.yaml:6:36',
          "screen 'main': no text in 'tpi' for 'why'",
          'the part gets the text of the first language: translate it',
        ],
      ],
    )
    const one = compileFlow(sourceWith(screens, [asks, within], 'start: main\nlanguages: [en]'))
    assert.equal((await handset(one.flow).dial()).text, 'PIN for 67570000001 1')
    assert.equal(one.definition.screens.main?.kind, 'set')
  })

  it('leaves quoted braces and other paths alone', async () => {
    const quoting =
      'part: q\nspec: 1\nlanguages: [en]\nstart: said\nscreens:\n  said: { set: { data: x }, to: shown }\n  shown: { end: "\'{data.x}\' {msisdn} {vars.data}" }\n'
    const { flow } = compileFlow(
      sourceWith('  main: { flow: q, to: out }\n  out: { exit: true }', [quoting], 'start: main\nlanguages: [en]'),
    )
    assert.equal((await handset(flow).dial()).text, '{data.x} 67570000001 x')
  })

  it('changes the revision of what uses it, and of nothing else', () => {
    const revision = (pay: string, common = COMMON) => compileFlow(sourceWith(MAIN, [pay, common])).flow.revision
    assert.equal(revision(PAY), revision(`# a comment\n${PAY}`))
    assert.notEqual(revision(PAY), revision(PAY.replace("'No'", "'Never'")))
    assert.equal(
      revision(PAY),
      revision(PAY, COMMON.replace('Call 123.', 'Call 124.')),
      'a screen that nothing leads to',
    )
  })
})

describe('a part that is used wrongly', () => {
  const says = (screens: string, parts: string[], what: RegExp, head?: string) => {
    const found = problems(screens, parts, head)
    assert.ok(
      found.some((problem) => what.test(problem)),
      `${what}\n${found.join('\n')}`,
    )
  }
  const out = '  bye: { exit: true }'
  const plain = 'start: main\nlanguages: [en]'
  const calling = (name: string, of: string) =>
    `part: ${name}\nspec: 1\nlanguages: [en]\nstart: go\nscreens:\n  go: { flow: ${of}, to: done }\n  done: { return: done }\n`

  it('is named, with its place', () => {
    says(`  main: { flow: pya, to: bye }\n${out}`, [PAY], /test\.yaml:6:17 there is no part 'pya'/, plain)
    says(MAIN, [PAY], /test\.yaml:5:11 there is no part 'common'/)
    says(
      MAIN,
      [PAY.replace('{vars.to}', '{vars.too}'), COMMON],
      /parts\/pay\.yaml:\d+:\d+ screen 'pay-rent_sure': nothing sets 'vars\.pay-rent_too'/,
    )
    says(
      MAIN,
      [PAY.replace('to: send }', 'to: snd }'), COMMON],
      /parts\/pay\.yaml:\d+:\d+ screen 'pay-rent_sure' goes to 'pay-rent_snd'/,
    )
    says(MAIN, [PAY.replace('menu:', 'mneu:'), COMMON], /parts\/pay\.yaml:\d+:\d+ screen 'sure': unknown key 'mneu'/)
  })

  it('is told what it hands over and gets back', () => {
    const call = (written: string) => `  main: { flow: pay, ${written}, to: bye }\n${out}`
    says(call('with: { amount: 5 }'), [PAY], /calls part 'pay' without 'to'/, plain)
    says(call('with: { amount: 5, to: x, of: y }'), [PAY], /passes 'of' to part 'pay', which does not take it/, plain)
    says(
      call('with: { amount: five, to: x }'),
      [PAY],
      /passes "five" as 'amount' to part 'pay', which takes a number there/,
      plain,
    )
    says(call('with: { amount: 5, to: x }, exits: { payed: bye }'), [PAY], /'pay' never returns 'payed'/, plain)
    says(call('with: { amount: 5, to: x }, gives: { r: receit }'), [PAY], /'pay' never gives 'receit'/, plain)
    says(`  main: { flow: common, to: bye }\n${out}`, [COMMON], /calls part 'common', which has no start:/, plain)
  })

  it('is told of two ways out that lead on alike because nobody named them', () => {
    const call = (exits: string) =>
      `  main: { flow: pay, with: { amount: 5, to: x }, to: done${exits} }\n  done: { end: Paid. }\n${out}`
    const doubts = (exits: string, pay = PAY) =>
      checkSource(sourceWith(call(exits), [pay], plain))
        .filter(({ what }) => !what.includes('no screen leads to'))
        .map(({ severity, where, what, remedy }) => `${severity} ${where} ${what} (${remedy})`)
    assert.deepEqual(doubts(''), [
      "warning test.yaml:6:9 screen 'main' goes to 'done' whether the part returns 'paid' or 'cancelled' (list all but one of them under exits: { cancelled: … })",
    ])
    assert.deepEqual(doubts(', exits: { cancelled: bye }'), [])
    assert.deepEqual(doubts(', exits: { cancelled: done }'), [], 'said outright')
    assert.deepEqual(
      doubts('', PAY.replace('else: never', 'else: paid').replace('to: never', 'to: paid')),
      [],
      'a return that nothing leads to',
    )
  })

  it('leads in no circle, and not too deep', () => {
    says(
      `  main: { flow: a, to: bye }\n${out}`,
      [calling('a', 'b'), calling('b', 'a')],
      /calls 'a' in a circle: a > b > a/,
      plain,
    )
    const chain = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i, all) => calling(name, all[i + 1] ?? 'common'))
    says(
      `  main: { flow: a, to: bye }\n${out}`,
      [...chain, COMMON],
      new RegExp(`calls parts more than ${PARTS_DEEP_MAX} deep: a > b > c > d > e > f`),
      plain,
    )
    const including = (name: string, of: string) =>
      `part: ${name}\nspec: 1\nlanguages: [en]\ninclude: [${of}]\nscreens: { ${name}: { exit: true } }\n`
    says(
      `  main: { exit: true }`,
      [including('a', 'b'), including('b', 'a')],
      /include each other in a circle: a > b > a/,
      `${plain}\ninclude: [a]`,
    )
  })

  it('collides with nothing, and returns only where it was called', () => {
    says(`${MAIN}\n${out}`, [PAY, COMMON], /two screens are called 'bye': the other is at test\.yaml/)
    says(`  main: { return: done }`, [], /'main' has return:, but no flow called this file as a part/, plain)
    says(PAY, [], /the file is a part: it cannot serve a service code|is no/, plain)
    assert.match(checkSource({ ...part(PAY) })[0]?.what ?? '', /the file is a part/)
  })
})

describe('a folder with parts', () => {
  let folder: string
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parts-'))
    await mkdir(join(folder, 'parts'))
    await write('test.yaml', fileOf(MAIN, HEAD))
    await write('parts/pay.yaml', PAY)
    await write('parts/common.yaml', COMMON)
    await write('parts/other.yaml', 'part: broken')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('gives a flow the parts that it leads to', async () => {
    const { parts } = await sourceOf(folder, 'test')
    assert.deepEqual(
      parts?.map(({ file }) => file.slice(folder.length)),
      ['/parts/common.yaml', '/parts/pay.yaml'],
    )
  })

  it('is checked with a warning for a part that no flow uses, catalogues aside; none where one file is checked, or a flow is broken', async () => {
    const warned = async (path: string) => {
      const said: string[] = []
      await check([path], (line) => said.push(line))
      return said.filter((line) => line.includes('uses this part')).map((line) => line.replace(folder, ''))
    }
    await write('parts/pay.tpi.yaml', 'language: tpi\ntexts: {}')
    const other =
      '  /parts/other.yaml:1:1: warning: no flow uses this part (include it in a flow, call it from one, or delete it) [unused-part]'
    assert.deepEqual(await warned(folder), [other])
    assert.deepEqual(await warned(join(folder, 'test.yaml')), [])
    await write('plain.yaml', 'flow: plain\nspec: 1\nstart: main\nlanguages: [en]\nscreens: { main: { end: x } }')
    assert.deepEqual(await warned(folder), [other], 'used by one of two')
    await write('plain.yaml', 'flow: plain\nspec: 1\nstart: mian\nlanguages: [en]\nscreens: { main: { end: x } }')
    assert.deepEqual(await warned(folder), [])
    process.exitCode = 0
    await rm(join(folder, 'plain.yaml'))
    await rm(join(folder, 'parts'), { recursive: true })
    await write('test.yaml', 'flow: test\nspec: 1\nstart: main\nlanguages: [en]\nscreens: { main: { end: x } }')
    assert.deepEqual(await warned(folder), [], 'no folder of parts')
  })

  it('keeps a dialogue on the parts that it began with, from the archive too', async () => {
    const kept = new Map<string, string>()
    const archive = {
      put: async (revision: string, _name: string, source: string) => void kept.set(revision, source),
      get: async (revision: string) => kept.get(revision),
    }
    const { flows } = await openFlows({ folder, archive })
    const before = flows.current('test')?.revision as string
    await write('parts/pay.yaml', PAY.replace("'No'", "'Never'"))
    const { served } = await flows.reload()
    assert.equal(served.length, 1)
    const other = await openFlows({ folder: join(folder, 'parts'), archive })
    const phone = handset((await other.flows.pinned(before)) as never, wallet().answers)
    await phone.dial()
    assert.match((await phone.answer('2')).text, /2\. No$/)
  })

  it('leaves in force what was served when a part is broken', async () => {
    const { flows } = await openFlows({ folder })
    const before = flows.current('test')?.revision
    await write('parts/pay.yaml', PAY.replace('spec: 1', 'spec: 9'))
    const { refused, problems: found } = await flows.reload()
    assert.deepEqual(refused, ['test'])
    assert.match(found[0]?.where ?? '', /parts\/pay\.yaml:3/)
    assert.equal(flows.current('test')?.revision, before)
  })
})
