import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import type { CallWant } from '../../../src/flow/engine/advance.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const SCREENS = `
  main: { menu: Hello, choices: [{ label: Tell me, to: tell }, { label: Tell Ann, to: other }] }
  tell: { sms: { en: 'Hello {msisdn}', tpi: 'Halo {msisdn}' }, to: done }
  other: { sms: Hello Ann, recipient: '67570000002', to: done, failed: no }
  done: { end: Sent }
  no: { end: Not sent }
`
const HEAD = 'start: main\nlanguages: [en, tpi]'

describe('an SMS from a flow', () => {
  it('asks the daemon for it, in the language of the dialogue, as something that is done once', async () => {
    const calls: CallWant[] = []
    const phone = handset(flowOf(SCREENS, HEAD).flow, (want) => (calls.push(want), { is: 'data', data: {} }))
    await phone.dial({ language: 'tpi' })
    assert.equal((await phone.answer('1')).text, 'Sent')
    assert.deepEqual(
      calls.map(({ backend, operation, args, once }) => [backend, operation, args, once]),
      [['_sms', 'send', { text: 'Halo 67570000001' }, true]],
    )
  })

  it('hands on another recipient, and leads on when it is not allowed', async () => {
    const calls: CallWant[] = []
    const phone = handset(
      flowOf(SCREENS, HEAD).flow,
      (want) => (calls.push(want), { is: 'refused', refusal: 'not-allowed' }),
    )
    await phone.dial()
    assert.equal((await phone.answer('2')).text, 'Not sent')
    assert.deepEqual(calls[0]?.args, { to: '67570000002', text: 'Hello Ann' })
  })

  it('is not sent by what was dialled behind the code', async () => {
    const phone = handset(flowOf(SCREENS, HEAD).flow)
    assert.match((await phone.dial({ dialled: ['1'] })).text, /^Hello/)
  })

  it('is refused where no line can send any', () => {
    const problems = (backends: string[]) =>
      checkSource({ file: 'f.yaml', text: fileOf(SCREENS, HEAD), catalogues: [] }, backends).filter(
        ({ severity }) => severity === 'error',
      )
    assert.deepEqual(problems(['_sms']), [])
    assert.deepEqual(
      problems([]).map(({ what, remedy }) => [what, remedy]),
      [
        [
          "screen 'tell' sends an SMS, but no line of this daemon can send SMS",
          'give a line the setting sms: { source: … }',
        ],
        [
          "screen 'other' sends an SMS, but no line of this daemon can send SMS",
          'give a line the setting sms: { source: … }',
        ],
      ],
    )
  })

  it('can be expected in a talk', async () => {
    const play = async (expected: string) => {
      const [talk] = parseTalks('t.talk', `flow test\ncode *1#\ndial *1#\n> 1\n${expected}`)
      const failure = await playTalk(talk!, flowOf(SCREENS, HEAD).flow)
      return failure && describeFailure(failure)
    }
    assert.equal(await play('sms Hello 67570000001'), undefined)
    assert.match((await play('sms Good bye'))!, /another SMS was sent/)
  })

  const LATER = `
  main: { menu: Hello, choices: [{ label: Remind, to: remind }, { label: Forget, to: forget }] }
  remind:
    sms:
      - text: Soon, {msisdn}
        key: 'visit-{msisdn}'
        before: { of: '2026-12-01T10:00', by: 2h }
        window: { from: '08:00', to: '20:00' }
        recipient: '67570000002'
      - { text: Noted, class: otp }
    parts: 2
    to: done
    failed: no
  forget: { cancel: ['visit-{msisdn}', note], as: it, to: told }
  told: { end: 'It is {data.it.is}' }
  done: { end: Sent }
  no: { end: Not sent }
`
  it('can be several, with moments and keys, one call after the other', async () => {
    const calls: CallWant[] = []
    const phone = handset(
      flowOf(LATER, 'start: main\nlanguages: [en]').flow,
      (want) => (calls.push(want), { is: 'data', data: {} }),
    )
    await phone.dial()
    assert.equal((await phone.answer('1')).text, 'Sent')
    assert.deepEqual(
      calls.map(({ operation, args }) => [operation, args]),
      [
        [
          'send',
          {
            text: 'Soon, 67570000001',
            key: 'visit-67570000001',
            'before-of': '2026-12-01T10:00',
            'before-by': '2h',
            'window-from': '08:00',
            'window-to': '20:00',
            to: '67570000002',
          },
        ],
        ['send', { text: 'Noted', class: 'otp' }],
      ],
    )
  })

  it('is taken back by its keys, and a talk shows what a flow does with that', async () => {
    const [talk] = parseTalks(
      't.talk',
      'flow test\ncode *1#\ndial *1#\n> 2\ncalled _sms.cancel {"key": "note"}\n< It is cancelled',
    )
    assert.equal(await playTalk(talk!, flowOf(LATER, 'start: main\nlanguages: [en]').flow), undefined)
  })

  it('says where a mistake is in the file', () => {
    const problems = (screen: string) =>
      checkSource(
        {
          file: 'f.yaml',
          text: fileOf(`${screen}\n  done: { end: Sent }`, 'start: main\nlanguages: [en]'),
          catalogues: [],
        },
        ['_sms'],
      ).filter(({ severity }) => severity === 'error')
    assert.equal(problems(`  main: { sms: { text: Hello, at: '2026-12-01T10:00' }, to: done }`).length, 0)
    for (const [wrong, what] of [
      [`  main: { sms: { text: Hello, by: 2h }, to: done }`, /by/],
      [`  main: { sms: [], to: done }`, /sms/],
      [`  main: { sms: { text: Hello, window: { from: '8', to: '20:00' } }, to: done }`, /HH:MM|window/],
      [`  main: { cancel: [], to: done }`, /cancel/],
    ] as const)
      assert.match(
        problems(wrong)
          .map((one) => `${one.where} ${one.what}`)
          .join('\n'),
        what,
        wrong,
      )
  })
})
