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
})
