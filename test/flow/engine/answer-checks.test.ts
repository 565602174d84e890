import assert from 'node:assert/strict'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { flowOf, handset } from '../support.ts'

const asking = (checks: string, more = '') =>
  flowOf(
    `
  main: { input: 'Say:', checks: [${checks}], ${more} to: done }
  done: { end: 'Kept {answers.main}' }
  help: { end: Help }
`,
    'start: main\nlanguages: [en]\nzone: Pacific/Port_Moresby',
  )

async function answered(checks: string, text: string, now = '2025-01-15T20:00:00Z') {
  const phone = handset(asking(checks).flow)
  await phone.dial({ now, msisdn: '67570000001' })
  return (await phone.answer(text)).text
}

const again = (wrong: string) => `${wrong}\nSay:`

/** A check, an answer, and what is kept of it; undefined: told off. */
const ROWS: [check: string, answer: string, kept: string | undefined][] = [
  ['date: {}', '5/3/2025', '2025-03-05'],
  ['date: {}', '29/2/2025', undefined],
  ['date: {}', '29/02/2024', '2024-02-29'],
  ['date: {}', '5/3/25', undefined],
  ['date: { format: ddMMyyyy }', '05032025', '2025-03-05'],
  ['date: { min: 2025-03-05 }', '5/3/2025', '2025-03-05'],
  ['date: { min: 2025-03-05 }', '4/3/2025', undefined],
  ['date: { max: 2025-03-05 }', '6/3/2025', undefined],
  // At 20:00 UTC it is the 16th in Port Moresby.
  ['date: { min: today }', '16/1/2025', '2025-01-16'],
  ['date: { min: today }', '15/1/2025', undefined],
  ['date: { max: today }', '17/1/2025', undefined],
  ["phone: { country: '675', digits: [8] }", '70000002', '67570000002'],
  ["phone: { country: '675', digits: [8] }", '+675 7000 0002', '67570000002'],
  ["phone: { country: '675', digits: [8] }", '0061412345678', '61412345678'],
  ["phone: { country: '675', digits: [8] }", '6757000000', undefined],
  ["phone: { country: '675', digits: [8] }", 'seven', undefined],
  ["phone: { country: '675', digits: [8] }", '12', undefined],
  ['oneOf: [Prepaid, Postpaid]', ' prepaid ', 'Prepaid'],
  ['oneOf: [Prepaid, Postpaid]', 'pre', undefined],
  ['checksum: luhn', '79927398713', '79927398713'],
  ['checksum: luhn', '4111 1111 1111 1111', '4111 1111 1111 1111'],
  ['checksum: luhn', '79927398710', undefined],
  ['checksum: luhn', '0', undefined],
  ['checksum: mod97', 'GB82 WEST 1234 5698 7654 32', 'GB82 WEST 1234 5698 7654 32'],
  ['checksum: mod97', 'GB82WEST12345698765431', undefined],
  ['number: { max: 10 }', '10', '10'],
  ['number: { max: 10 }', '11', undefined],
  ['length: { min: 3 }', 'abc', 'abc'],
  ['length: { min: 3 }', 'ab', undefined],
  ["pattern: '[A-Z]\\d'", 'B7', 'B7'],
  ["pattern: '[A-Z]\\d'", 'B77', undefined],
  ['if: "answers.main != {msisdn}"', '67570000002', '67570000002'],
  ['if: "answers.main != {msisdn}"', '67570000001', undefined],
]

describe('checks of an answer', () => {
  for (const [check, answer, kept] of ROWS) {
    it(`{ ${check} } ${kept === undefined ? 'refuses' : 'takes'} '${answer}'`, async () => {
      assert.equal(
        await answered(`{ ${check}, wrong: No. }`, answer),
        kept === undefined ? again('No.') : `Kept ${kept}`,
      )
    })
  }

  it('are told one at a time, in order, with the prompt on the same page', async () => {
    const phone = handset(
      asking('{ length: { min: 3 }, wrong: Too short. }, { pattern: "a.*", wrong: Not an a. }, { length: { max: 4 } }')
        .flow,
    )
    await phone.dial()
    assert.equal((await phone.answer('b')).text, again('Too short.'))
    assert.equal((await phone.answer('bbb')).text, again('Not an a.'))
    assert.equal((await phone.answer('aaaaa')).text, again('Invalid answer. Please try again.'))
    assert.equal((await phone.answer('aaa')).text, 'Kept aaa')
  })

  it('leave a number a number, so that later screens can compare and show it', async () => {
    const { flow } = flowOf(`
  main: { input: 'Say:', number: {}, checks: [{ if: answers.main > 2, wrong: More. }, { length: { max: 2 }, wrong: Less. }], to: done }
  done: { end: '{answers.main, number, money}' }
`)
    const phone = handset(flow)
    await phone.dial()
    assert.equal((await phone.answer('2')).text, again('More.'))
    assert.equal((await phone.answer('123')).text, again('Less.'))
    assert.equal((await phone.answer('12')).text, '12.00')
  })

  it('forget which one was broken once an answer is right', async () => {
    const phone = handset(asking('{ length: { min: 3 }, wrong: Too short. }').flow)
    await phone.dial()
    await phone.answer('b')
    assert.equal(phone.snapshot().context.broken, 0)
    await phone.answer('bbb')
    assert.equal('broken' in phone.snapshot().context, false)
  })
})

describe('attempts', () => {
  it('lead to a screen of the flow after so many wrong answers in a row', async () => {
    const phone = handset(asking('{ length: { min: 3 } }', 'attempts: 3, giveUp: help,').flow)
    await phone.dial()
    await phone.answer('a')
    assert.match((await phone.answer('a')).text, /Say:$/)
    assert.deepEqual(await phone.answer('a'), { do: 'end', text: 'Help', screen: 'help', reason: 'completed' })
  })

  it('end the dialogue where no screen is named', async () => {
    const phone = handset(asking('{ length: { min: 3 } }', 'attempts: 1,').flow)
    await phone.dial()
    assert.deepEqual(await phone.answer('a'), {
      do: 'end',
      text: 'Thank you. Goodbye.',
      screen: '_goodbye',
      reason: 'too-many-wrong',
    })
  })
})

describe('the walk over checks', () => {
  it('makes up answers that each rule takes, and wrong ones until the input gives up', () => {
    for (const check of [
      "phone: { country: '675', digits: [8] }",
      'date: { min: today }',
      'oneOf: [a, b]',
      'checksum: luhn',
      'checksum: mod97',
      "pattern: 'x\\d'",
      'number: { min: 7 }',
    ]) {
      const compilation = asking(`{ ${check} }`, 'attempts: 2, giveUp: help,')
      const screens = new Set(explore(compilation, { language: 'en' }).states.map(({ screen }) => screen))
      assert.deepEqual([...screens].toSorted(), ['done', 'help', 'main'], check)
      assert.deepEqual(
        proveFlow(compilation, () => ''),
        [],
        check,
      )
    }
  })

  it('says where no made-up answer passes', () => {
    const found = proveFlow(asking('{ oneOf: [a] }, { oneOf: [b] }', 'giveUp: help,'), () => '')
    assert.deepEqual(
      found.map(({ what }) => what),
      ["synthetic answers do not reach screen 'done'"],
    )
  })
})

describe('a path in braces in a condition', () => {
  it('is read, where a bare word is a word', async () => {
    const { flow } = flowOf(`
  main: { branch: [{ if: 'line == {language}', to: a }, { if: 'language in [xx, {line}]', to: a }, { if: 'language == {line}', to: a }], else: b }
  a: { end: same }
  b: { end: other }
`)
    assert.equal((await handset(flow).dial({ line: 'en' })).text, 'same')
    assert.equal((await handset(flow).dial({ line: 'x' })).text, 'other')
  })
})
