import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const HEAD = 'start: main\nlanguages: [en, tpi]'
const SCREENS = `
  main: { menu: Hello, choices: [{ label: Pay, to: amount }] }
  amount: { input: How much?, number: { min: 1, max: 50 }, to: sure, abandoned: { sms: Dial again. } }
  sure:
    menu: Pay?
    choices: [{ label: Yes, to: done }]
    abandoned:
      sms:
        text: { en: 'You did not pay K{answers.amount, number}.', tpi: 'Yu no peim K{answers.amount, number}.' }
        key: 'pay-{msisdn}'
        in: 10m
        before: { of: '{now}', by: 2h }
        window: { from: '08:00', to: '18:00' }
        recipient: '{msisdn}'
  done: { end: Paid }
`

describe('an SMS for who leaves a screen', () => {
  it('has the values and the language of the dialogue, on its screen only', async () => {
    const { flow } = flowOf(SCREENS, HEAD)
    const phone = handset(flow)
    await phone.dial({ language: 'tpi', now: '2025-05-01T09:00:00Z' })
    assert.equal(flow.ifLeft!(phone.snapshot()), undefined)
    await phone.answer('1')
    assert.deepEqual(flow.ifLeft!(phone.snapshot()), { text: 'Dial again.' })
    await phone.answer('12')
    assert.deepEqual(flow.ifLeft!(phone.snapshot()), {
      text: 'Yu no peim K12.',
      key: 'pay-67570000001',
      in: '10m',
      'before-of': '2025-05-01T09:00:00Z',
      'before-by': '2h',
      'window-from': '08:00',
      'window-to': '18:00',
      to: '67570000001',
    })
    await phone.answer('1')
    assert.equal(flow.ifLeft!(phone.snapshot()), undefined)
  })

  it('changes nothing of the screen, and is a part of the revision', () => {
    const without = SCREENS.replace(', abandoned: { sms: Dial again. }', '')
    assert.notEqual(flowOf(SCREENS, HEAD).flow.revision, flowOf(without, HEAD).flow.revision)
  })

  const problems = (abandoned: string, backends?: string[], head = HEAD) =>
    checkSource(
      {
        file: 'f.yaml',
        text: fileOf(
          `  main: { input: 'Your PIN:', secret: true, length: { min: 4, max: 4 }, to: pay }
  pay: { call: bank.pay, with: { pin: '{answers.main}' }, expect: { left: number }, to: more }
  more: { menu: More?, choices: [{ label: 'No', to: out }], abandoned: ${abandoned} }
  out: { end: Bye. }`,
          head,
        ),
        catalogues: [],
      },
      backends,
    )
  const errors = (...of: Parameters<typeof problems>) =>
    problems(...of)
      .filter(({ severity }) => severity === 'error')
      .map(({ what }) => what)
  const ENGLISH = 'start: main\nlanguages: [en]'

  it('is checked as any SMS: languages, names, secrets, length', () => {
    assert.deepEqual(errors('{ sms: Come back. }', undefined, ENGLISH), [])
    const spoken = problems('{ sms: { en: Come back. } }', undefined, HEAD).map(({ where, what }) => `${where} ${what}`)
    assert.match(spoken.join('\n'), /^f\.yaml:8:\d\d screen 'more': no text in 'tpi'$/m)
    assert.match(errors("{ sms: '{data.none.x}' }", undefined, ENGLISH).join(), /data\.none/)
    assert.match(errors("{ sms: '{answers.main}' }", undefined, ENGLISH).join(), /secret/)
    assert.match(errors('{ text: A }', undefined, ENGLISH).join(), /sms/)
    const long = problems(`{ sms: '${'x'.repeat(170)}' }`, undefined, ENGLISH).map(({ what }) => what)
    assert.match(long.join(), /screen 'more' sends 2 SMS for one text/)
    const allowed = problems(`{ sms: '${'x'.repeat(170)}', parts: 2 }`, undefined, ENGLISH).map(({ what }) => what)
    assert.doesNotMatch(allowed.join(), /sends 2 SMS/)
  })

  it('is refused where no line sends SMS, or no records tell who left', () => {
    const sms = '{ sms: Come back. }'
    assert.deepEqual(errors(sms, ['bank', '_sms', '_sms-left'], ENGLISH), [])
    assert.deepEqual(errors(sms, ['bank'], ENGLISH), [
      "screen 'more' sends an SMS, but no line of this daemon can send SMS",
    ])
    assert.deepEqual(errors(sms, ['bank', '_sms'], ENGLISH), [
      "screen 'more' has abandoned, but this daemon writes no records of dialogues into Postgres, which tell it who left",
    ])
  })

  it('can be expected in a talk, after the subscriber has hung up', async () => {
    const play = async (...steps: string[]) => {
      const [talk] = parseTalks('t.talk', ['flow test', 'code *1#', 'dial *1#', ...steps].join('\n'))
      const failure = await playTalk(talk!, flowOf(SCREENS, HEAD).flow)
      return failure && describeFailure(failure)
    }
    assert.equal(await play('> 1', 'hang up', 'sms Dial again.'), undefined)
    assert.equal(await play('> 1', '> 7', 'lost', 'sms You did not pay K7.'), undefined)
    assert.match((await play('hang up', 'sms Dial again.'))!, /no SMS was sent/)
    assert.match((await play('> 1', '> 7', '> 1', 'sms Dial again.'))!, /no SMS was sent/)
  })
})
