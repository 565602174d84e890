import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { TRAIL_MAX } from '../../../src/flow/plan/keys.ts'
import { fits } from '../../../src/ussd/text.ts'
import { USSD_PAGE, type Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const HEAD = "start: begin\nlanguages: [en, tpi]\nkeys: { back: '0', home: '00' }"
const SHOP = `
  begin: { set: { seen: true }, to: main }
  main: { menu: Shop, choices: [{ label: Goods, to: rows }, { label: Name, to: name }, { label: Bye, to: bye }] }
  rows: { call: shop.rows, to: goods }
  goods: { list: 'Goods:', from: data.rows.rows, row: '{row.name}', keep: [id], to: sure }
  sure: { menu: 'Take {chosen.goods.id}?', choices: [{ label: 'Yes', to: take }] }
  take: { call: shop.take, with: { id: '{chosen.goods.id}' }, once: true, to: taken }
  taken: { menu: Taken., choices: [{ label: More goods, to: rows }, { label: Bye, to: bye }] }
  name: { input: 'Your name?', name: true, to: greeted }
  greeted: { set: { by: '{answers.name}' }, to: hello }
  hello: { menu: 'Hello {vars.by}', choices: [{ label: Name, to: name }, { label: Bye, to: bye }] }
  bye: { exit: true }
`
const rows = Array.from({ length: 40 }, (_, i) => ({ id: `g${i + 1}`, name: `Good number ${i + 1}` }))
const shop = () => {
  const calls: string[] = []
  const answers = (want: { operation: string }) => {
    calls.push(want.operation)
    return { is: 'data' as const, data: (want.operation === 'rows' ? { rows } : {}) as Json }
  }
  return { calls, phone: handset(flowOf(SHOP, HEAD).flow, answers) }
}
const problems = (screens: string, head = HEAD) =>
  checkSource({ file: 'test.yaml', text: fileOf(screens, head), catalogues: [] }).map(({ what }) => what)

const BANK_HEAD = "start: pin\nhome: main\nlanguages: [en, tpi]\nkeys: { back: '0', home: '00' }"
const BANK = `
  pin: { input: 'PIN:', secret: true, to: verify }
  verify: { call: bank.verify, with: { pin: '{answers.pin}' }, once: true, to: main, refused: { wrong: help } }
  help: { menu: Wrong PIN., choices: [{ label: Again, to: pin }, { label: Ask us, to: ask }] }
  ask: { input: 'Your question:', to: bye }
  main: { menu: Bank, choices: [{ label: Name, to: name }, { label: Out, to: bye }, { label: Lock, to: pin }] }
  name: { input: 'Your name?', name: true, to: bye }
  bye: { exit: true }
`

describe('a Home that is not the first screen', () => {
  /** Its only PIN is 1234: `00` is a wrong one. */
  const bank = () =>
    handset(flowOf(BANK, BANK_HEAD).flow, ({ args }) =>
      args.pin === '1234' ? { is: 'data', data: {} } : { is: 'refused', refusal: 'wrong' },
    )

  it('leads to the screen behind the PIN, and not to the PIN', async () => {
    const phone = bank()
    assert.equal((await phone.dial()).text, 'PIN:')
    assert.doesNotMatch((await phone.answer('1234')).text, /Home/)
    assert.equal((await phone.answer('1')).text, 'Your name?\n0. Back\n00. Home')
    assert.match((await phone.answer('00')).text, /^Bank\n1\. Name/)
  })

  it('leads to the first screen as long as the dialogue was not there: nobody gets past the PIN', async () => {
    const phone = bank()
    await phone.dial()
    assert.match((await phone.answer('1111')).text, /^Wrong PIN\.\n1\. Again\n2\. Ask us\n00\. Home$/)
    assert.equal((await phone.answer('00')).text, 'PIN:')
    assert.match((await phone.answer('00')).text, /^Wrong PIN/)
  })

  it('is forgotten where the flow starts again', async () => {
    const phone = bank()
    await phone.dial()
    await phone.answer('1234')
    assert.equal((await phone.answer('3')).text, 'PIN:\n0. Back')
    assert.match((await phone.answer('00')).text, /^Wrong PIN/)
  })

  it('is forgotten when a lost dialogue is resumed before its PIN', async () => {
    const phone = bank()
    await phone.dial()
    await phone.answer('1234')
    const lost = phone.snapshot()
    await phone.dial({ resume: lost })
    assert.match((await phone.answer('1')).text, /^PIN:/)
    assert.match((await phone.answer('00')).text, /^Wrong PIN/)
  })

  it('is walked: the explorer takes it', () => {
    const compilation = flowOf(BANK, BANK_HEAD)
    assert.deepEqual(
      proveFlow(compilation, () => ''),
      [],
    )
    const { pages } = explore(compilation, { language: 'en' })
    const named = pages.find(({ screen }) => screen === 'name')
    assert.equal(named?.edges.find(({ told }) => told === '00')?.to?.screen, 'main')
    const asked = pages.find(({ screen }) => screen === 'help')
    assert.equal(asked?.edges.find(({ told }) => told === '00')?.to?.screen, 'pin')
  })

  it('is checked: its name, its key, and what it would change', () => {
    const head = (home: string, keys = "keys: { home: '00' }") =>
      `start: pin\nhome: ${home}\nlanguages: [en, tpi]\n${keys}`
    assert.match(problems(BANK, head('mian')).join('\n'), /home leads to 'mian', but there is no such screen/)
    assert.match(problems(BANK, head('main', 'zone: UTC')).join('\n'), /home: main has no effect/)
    assert.match(problems(BANK, head('verify')).join('\n'), /the key 00 leads to 'verify', which changes something/)
  })
})

describe('the keys for Back and Home', () => {
  it('stand only where they lead somewhere', async () => {
    const { phone } = shop()
    assert.equal((await phone.dial()).text, 'Shop\n1. Goods\n2. Name\n3. Bye')
    assert.match((await phone.answer('0')).text, /^Invalid choice/)
    assert.equal((await phone.answer('2')).text, 'Your name?\n0. Back\n00. Home')
    assert.equal((await phone.answer('0')).text, 'Shop\n1. Goods\n2. Name\n3. Bye')
  })

  it('are in the language of the dialogue', async () => {
    const { phone } = shop()
    await phone.dial({ language: 'tpi' })
    assert.match((await phone.answer('2')).text, /\n0\. Go bek\n00\. Go long stat$/)
  })

  it('go back to the page of a list that was shown, with its rows as they were and no call again', async () => {
    const { phone, calls } = shop()
    await phone.dial()
    await phone.answer('1')
    const first = await phone.answer('x')
    const more = /(\d+)\. More/.exec(first.text)?.[1] as string
    const second = await phone.answer(more)
    assert.doesNotMatch(second.text, /[1-9]\d*\. Back/)
    const chosen = /^(\d+)\. Good number/m.exec(second.text)?.[1] as string
    assert.match((await phone.answer(chosen)).text, new RegExp(`^Take g${chosen}\\?`))
    assert.equal((await phone.answer('0')).text, second.text)
    assert.match((await phone.answer('0')).text, /^Goods:\n1\. Good number 1\n/)
    assert.match((await phone.answer('0')).text, /^Shop\n/)
    assert.deepEqual(calls, ['rows'])
  })

  it('step over screens that show nothing, and forget a circle that was walked', async () => {
    const { phone } = shop()
    await phone.dial()
    await phone.answer('2')
    assert.match((await phone.answer('Ann Kila')).text, /^Hello Ann Kila/)
    await phone.answer('1')
    assert.match((await phone.answer('Mary')).text, /^Hello Mary/)
    assert.match((await phone.answer('0')).text, /^Your name\?/)
    assert.match((await phone.answer('0')).text, /^Shop/)
  })

  it('never lead behind a call that changed something', async () => {
    const { phone, calls } = shop()
    await phone.dial()
    await phone.answer('1')
    await phone.answer('1')
    assert.equal((await phone.answer('1')).text, 'Taken.\n1. More goods\n2. Bye\n00. Home')
    assert.match((await phone.answer('0')).text, /^Invalid choice/)
    await phone.answer('1')
    assert.match((await phone.answer('0')).text, /^Taken\./)
    assert.deepEqual(calls, ['rows', 'take', 'rows'])
  })

  it('go home, with nothing left to go back to', async () => {
    const { phone } = shop()
    await phone.dial()
    await phone.answer('1')
    await phone.answer('2')
    assert.equal((await phone.answer(' 00 ')).text, 'Shop\n1. Goods\n2. Name\n3. Bye')
    assert.equal((phone.snapshot().context.trail as Json[]).length, 1)
  })

  it('may be dialled, and then pay for nothing', async () => {
    const { phone, calls } = shop()
    assert.match((await phone.dial({ dialled: ['1', '0', '2'] })).text, /^Your name\?/)
    assert.match((await phone.dial({ dialled: ['1', '1', '1'] })).text, /^Take g1\?/)
    assert.match((await phone.dial({ dialled: ['1', '2', '0', '00', '2'] })).text, /^Take g2\?/)
    assert.match((await phone.dial({ dialled: ['1', '00', '2'] })).text, /^Your name\?/)
    assert.ok(!calls.includes('take'))
  })

  it('go back further after a dialogue that was lost has been taken up', async () => {
    const { phone } = shop()
    await phone.dial()
    await phone.answer('1')
    await phone.answer('2')
    const lost = phone.snapshot()
    await phone.dial({ resume: lost as never })
    assert.match((await phone.answer('1')).text, /^Goods:/)
    assert.match((await phone.answer('0')).text, /^Shop/)
  })

  it('remember so many screens at most', async () => {
    const chain = Array.from(
      { length: 30 },
      (_, i) => `  s${i}: { menu: Screen ${i}, choices: [{ label: On, to: ${i === 29 ? 'bye' : `s${i + 1}`} }] }`,
    ).join('\n')
    const phone = handset(
      flowOf(`${chain}\n  bye: { exit: true }`, "start: s0\nlanguages: [en]\nkeys: { back: '*' }").flow,
    )
    await phone.dial()
    for (let i = 0; i < 29; i++) await phone.answer('1')
    assert.equal((phone.snapshot().context.trail as Json[]).length, TRAIL_MAX)
    for (let i = 0; i < TRAIL_MAX - 1; i++) await phone.answer('*')
    assert.doesNotMatch((await phone.answer('*')).text, /\*\. Back/)
  })

  it('leave room for their lines on every page, in either alphabet', async () => {
    for (const name of ['Good', 'Товар']) {
      const many = rows.map(({ id }, i) => ({ id, name: `${name} ${'x'.repeat(i)}` }))
      const phone = handset(flowOf(SHOP, HEAD).flow, () => ({ is: 'data', data: { rows: many } }))
      await phone.dial()
      for (let want = await phone.answer('1'); ;) {
        assert.ok(fits(want.text, USSD_PAGE), want.text)
        const more = /(\d+)\. More/.exec(want.text)?.[1]
        if (more === undefined) break
        want = await phone.answer(more)
      }
    }
  })

  it('are other ones, or none, where a screen says so', async () => {
    const flow = flowOf(
      `
  main: { menu: A, choices: [{ label: B, to: b }] }
  b: { menu: B, choices: [{ label: C, to: c }], keys: { back: '#', home: false } }
  c: { menu: C, choices: [{ label: A, to: main }, { label: Bye, to: bye }], keys: false }
  bye: { exit: true }`,
      "start: main\nlanguages: [en]\nkeys: { back: '0', home: '00' }",
    ).flow
    const phone = handset(flow)
    await phone.dial()
    assert.equal((await phone.answer('1')).text, 'B\n1. C\n#. Back')
    assert.equal((await phone.answer('1')).text, 'C\n1. A\n2. Bye')
  })

  it('are proven: each that is printed leads somewhere', () => {
    const source = { file: 'test.yaml', text: fileOf(SHOP, HEAD.replace(', tpi', '')), catalogues: [] }
    assert.deepEqual(proveFlow(flowOf(SHOP, HEAD.replace(', tpi', '')), readFlow(source).at), [])
  })

  it('make a screen without choices one that can be left', () => {
    const told =
      '  main: { menu: A, choices: [{ label: B, to: b }, { label: C, to: c }] }\n  b: { menu: Told. }\n  c: { exit: true }'
    assert.deepEqual(problems(told, "start: main\nlanguages: [en]\nkeys: { home: '0' }"), [])
    assert.match(problems(told, 'start: main\nlanguages: [en]').join(), /no key to press/)
  })

  it('are refused where they cannot be told from answers, or change something', () => {
    const one = (screen: string, head = HEAD.replace('begin', 'main').replace(', tpi', '')) =>
      problems(`  main: ${screen}\n  bye: { exit: true }`, head).join()
    assert.match(
      one('{ input: the key N?, number: { min: 0, max: 5 }, to: bye }'),
      /0 goes back or home, so nobody can answer 0/,
    )
    assert.equal(one('{ input: N?, number: { min: 0, max: 5 }, to: bye, keys: false }'), '')
    assert.equal(one('{ input: N?, number: { min: 5, max: 9 }, to: bye }'), '')
    assert.match(
      one("{ menu: A, choices: [{ label: B, to: bye }], keys: { home: '0' } }"),
      /the key 0 is used for both back and home/,
    )
    assert.match(one('{ menu: A, choices: [{ label: B, to: bye }], back: bye }'), /has both a line and a key for Back/)
    assert.match(
      one("{ menu: A, choices: [{ label: B, to: bye }], keys: { home: '12' } }"),
      /not a key|not false or a key|'home'/,
    )
    const start = "start: pay\nlanguages: [en]\nkeys: { home: '0' }"
    assert.match(
      one('{ menu: A, choices: [{ label: B, to: bye }] }\n  pay: { call: a.b, once: true, to: main }', start),
      /the key 0 leads to 'pay', which changes something without a question/,
    )
  })
})
