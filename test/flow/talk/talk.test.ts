import assert from 'node:assert/strict'
import { ProblemsError } from '../../../src/base/errors.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { flowOf } from '../support.ts'

const { flow } = flowOf(`
  main: { call: shop.rows, to: list }
  list: { list: Rows, from: data.main.rows, row: '{row.name}', to: name, empty: bye }
  name: { input: 'Name?', to: told }
  told: { notify: Told., to: bye }
  bye: { exit: true }
`)
const play = async (text: string) => {
  const [talk] = parseTalks('t.talk', `flow test\nbackend shop.rows {"rows": [{"name": "One"}]}\n${text}`)
  const failure = await playTalk(talk as never, flow)
  return failure && describeFailure(failure)
}

describe('a talk', () => {
  it('that goes as written passes', async () => {
    const good =
      'dial *1#\ncalled shop.rows {}\n< Rows\n< 1. One\n> 1\n< Name?\n> "x"\n< Told.\nack\n< Thank you. Goodbye.\nended exit'
    assert.equal(await play(good), undefined)
  })

  it('that goes another way shows what was expected beside what came', async () => {
    assert.equal(
      await play('dial *1#\n< Rows\n< 1. Two\n'),
      [
        "t.talk:4: the text differs, on screen 'list'",
        '    expected   | got',
        '    Rows       | Rows',
        '  ! 1. Two     | 1. One',
      ].join('\n'),
    )
  })

  it('sets lines that are alike beside each other, whatever came between them or did not come', async () => {
    assert.equal(
      await play('dial *1#\n> 1\n< Your\n< Name?\n'),
      [
        "t.talk:5: the text differs, on screen 'name'",
        '    expected   | got',
        '  - Your       |',
        '    Name?      | Name?',
      ].join('\n'),
    )
    assert.equal(
      await play('dial *1#\n< 1. One\n'),
      [
        "t.talk:4: the text differs, on screen 'list'",
        '    expected   | got',
        '  +            | Rows',
        '    1. One     | 1. One',
      ].join('\n'),
    )
  })

  it('shows arguments that are long one by one, and what is on show instead of an end', async () => {
    const long = JSON.stringify({ first: 'a'.repeat(40), second: 'b'.repeat(40) })
    assert.match((await play(`dial *1#\ncalled shop.rows ${long}`))!, /! first: "a+" +\| \{\}\n {2}- second: "b+" +\|$/)
    assert.match(
      (await play('dial *1#\nended'))!,
      /the dialogue did not end\n.*\n {2}! ended {6}\| Rows\n {2}\+ {12}\| 1\. One$/,
    )
  })

  const failures: [string, string, RegExp][] = [
    ['answers nobody', '> 1', /t\.talk:3: no dialogue is open: dial first/],
    [
      'goes on after the end',
      'backend shop.rows {"rows": []}\ndial *1#\n> 1',
      /t\.talk:5: the dialogue has ended: Thank you/,
    ],
    ['says that it ended, and it did not', 'dial *1#\nended', /t\.talk:4: the dialogue did not end/],
    [
      'ends for another reason',
      'backend shop.rows {"rows": []}\ndial *1#\nended completed',
      /the dialogue ended for another reason\n.*\n.*completed +\| exit/,
    ],
    ['expects a call that was not made', 'dial *1#\n> 1\ncalled shop.rows', /t\.talk:5: shop\.rows was not called/],
    [
      'expects a call with something else',
      'dial *1#\ncalled shop.rows {"a": 1}',
      /called with other arguments\n.*\n.*\{"a":1\} +\| \{\}/,
    ],
    ['hangs up before it dialled', 'hang up', /t\.talk:3: no dialogue is open/],
    ['dials another code', 'code *1#\ndial *2#', /\*2# does not begin with \*1/],
    ['expects before it dialled', '< Rows', /nothing was dialled yet/],
  ]
  for (const [title, text, expected] of failures)
    it(`fails if it ${title}`, async () => assert.match((await play(text)) ?? '', expected))

  describe('of a word by SMS', () => {
    const balance = flowOf(
      `
  ask: { call: wallet.balance, expect: { kina: { is: number, max: 9999 } }, to: buy, failed: sorry }
  buy: { call: wallet.buy, once: true, to: bought, failed: told }
  bought: { end: Bought. }
  told: { end: 'You have K{data.ask.kina}.' }
  sorry: { end: "Not now.\\nDial *1#." }
`,
      'start: ask\nlanguages: [en]',
    ).flow
    const said = async (text: string, of = balance) => {
      const [talk] = parseTalks('t.talk', `flow test\nbackend wallet.balance {"kina": 12}\n${text}`)
      const failure = await playTalk(talk as never, of)
      return failure && describeFailure(failure)
    }
    it('is answered by the SMS that the flow ends with, and makes no call that changes something', async () => {
      assert.equal(
        await said('write BALANCE\nsms You have K12.\nended backend-failed\ncalled wallet.balance'),
        undefined,
      )
      assert.equal(await said('fail wallet.balance down\nwrite BALANCE\n< Not now.\n< Dial *1#.'), undefined)
      assert.match((await said('write BALANCE\ncalled wallet.buy'))!, /wallet\.buy was not called/)
      assert.match(
        (await said('write BALANCE\nsms You have K13.'))!,
        /another SMS was sent\n.*\n.*K13\. +\| You have K12\./,
      )
    })
    it('is not the answer of a dial', async () => {
      const text = 'backend wallet.buy {}\ndial *1#\n< Bought.\nsms Bought.'
      assert.match((await said(text))!, /no SMS was sent/)
    })
    it('fails if the flow asks, and if there is no word', async () => {
      const asking = flowOf('  main: { menu: Which?, choices: [{ label: One, to: out }] }\n  out: { end: Bye. }').flow
      assert.match((await said('write ASK', asking))!, /starts no flow that asks, and screen 'main' does/)
      assert.throws(() => parseTalks('t.talk', 'write'), /which word\?/)
    })
  })

  it('fails if it does not say what a back end answers', async () => {
    const [talk] = parseTalks('t.talk', 'dial *1#')
    assert.match(
      (await playTalk(talk as never, flow))?.what ?? '',
      /calls shop\.rows, but the talk has no answer for it/,
    )
  })

  it('is told from what is none, all lines at once', () => {
    assert.throws(
      () =>
        parseTalks(
          't.talk',
          'dail *1#\nbackend shop {}\nbackend shop.rows {\nfail shop.rows soon\nrefuse shop.rows\nhang on',
        ),
      (error) => {
        assert.ok(error instanceof ProblemsError)
        assert.deepEqual(
          error.problems.map(({ where, what }) => `${where} ${what}`),
          [
            "t.talk:1:1 unknown line 'dail'",
            "t.talk:2:1 'shop' is not a back end and operation such as wallet.balance",
            "t.talk:3:1 '{' is not JSON",
            "t.talk:4:1 'soon' must be one of: late, down, nonsense, refused-call",
            't.talk:5:1 write the name of the refusal: refuse shop.rows <name>, in double quotes if it has blanks',
            "t.talk:6:1 unknown line 'hang'",
          ],
        )
        assert.equal(error.problems[0]?.remedy, "did you mean 'dial'?")
        return true
      },
    )
  })

  it('shares what stands before the first title, and nothing else', () => {
    const talks = parseTalks('t.talk', 'flow a\nlanguage tpi\ntalk One\ndial *1#\ntalk Two\ndial *2#\n')
    assert.deepEqual(
      talks.map(({ title, flow: name, steps }) => [title, name, steps.map((step) => step.do)]),
      [
        ['One', 'a', ['language', 'dial']],
        ['Two', 'a', ['language', 'dial']],
      ],
    )
  })

  it('says of a screen that was not meant which answer the flow could not use', async () => {
    const { flow } = flowOf(
      '  main: { call: w.x, expect: { name: text, left: number }, to: in, refused: { wrong: in }, failed: down }\n  in: { end: In }\n  down: { end: Down }',
    )
    const what = async (stub: string) => {
      const [talk] = parseTalks('a.talk', `code *1#\ntalk A\n${stub}\ndial *1#\n< In`)
      return (await playTalk(talk!, flow))?.what
    }
    assert.equal(
      await what('backend w.x {"name": 5}'),
      "the text differs, on screen 'down'; the answer of w.x to screen 'main' lacks expected fields: name, left",
    )
    assert.equal(
      await what('refuse w.x worng'),
      "the text differs, on screen 'down'; the refusal 'worng' of w.x to screen 'main' leads nowhere",
    )
    assert.equal(await what('fail w.x late'), "the text differs, on screen 'down'")
    assert.equal(await what('refuse w.x wrong'), undefined)
  })
})
