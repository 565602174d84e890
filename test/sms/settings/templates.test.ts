import assert from 'node:assert/strict'
import { inertSettings, smsSchema } from '../../../src/sms/settings/line.ts'
import { fitsTemplate, templateOf } from '../../../src/sms/settings/templates.ts'

describe('a text and a registered template', () => {
  const fit: [text: string, template: string][] = [
    ['Hello', 'Hello'],
    ['Dear Ann, come on Monday.', 'Dear {#var#}, come on {#var#}.'],
    ['Dear , come on .', 'Dear {#var#}, come on {#var#}.'],
    ['Dear Ann, come on ., come on Monday.', 'Dear {#var#}, come on {#var#}.'],
    ['1234 is your code', '{#numeric#} is your code'],
    [`${'x'.repeat(60)} end`, '{#var#}{#var#} end'],
    ['Line\nbreak', 'Line\r\nbreak'],
    ['aaab', 'a{#var#}ab'],
  ]
  for (const [text, template] of fit)
    it(`fit: ${JSON.stringify(template)}`, () => assert.ok(fitsTemplate(text, template), text))

  const unfit: [text: string, template: string][] = [
    ['Hello!', 'Hello'],
    ['hello', 'Hello'],
    [' Hello', 'Hello'],
    ['Dear Ann, come on Monday', 'Dear {#var#}, come on {#var#}.'],
    [`${'x'.repeat(31)} end`, '{#var#} end'],
    [`${'x'.repeat(61)} end`, '{#var#}{#var#} end'],
    ['Dear Ann', 'Dear {#var#}, come'],
    ['', 'Hello'],
  ]
  for (const [text, template] of unfit)
    it(`do not fit: ${JSON.stringify(text.slice(0, 30))}`, () => assert.ok(!fitsTemplate(text, template), template))

  it('are matched with the first that fits', () => {
    const list = [
      { id: '1', text: 'Hi {#var#}' },
      { id: '2', text: 'Hi Ann' },
    ]
    assert.deepEqual([templateOf('Hi Ann', list)?.id, templateOf('Ho', list)], ['1', undefined])
  })

  it('take few steps, however often a piece could begin', () => {
    const text = `${'a'.repeat(1_600)}b`
    assert.equal(fitsTemplate(text, '{#var#}a'.repeat(100)), false)
  })
})

describe('shift tables that do nothing', () => {
  const inert = (sms: object) =>
    inertSettings({ name: 'one', timers: { responseMs: 1 }, sms: smsSchema.parse({ source: '1', ...sms }) })

  it('are told with the setting that is in their way, and the remedy', () => {
    assert.deepEqual(inert({ languages: ['hindi'], long: 'sar' }), [
      {
        line: 'one',
        setting: 'sms.languages',
        why: 'with long: sar no SMS can name a shift table: set long: udh16, or remove languages',
      },
    ])
    assert.match(inert({ languages: ['hindi'], long: 'payload' })[0]!.why, /long: payload/)
    assert.match(inert({ languages: ['hindi'], alphabet: 'latin1' })[0]!.why, /alphabet: latin1.*set alphabet: gsm7/)
  })

  it('are not told where they work, or where there are none', () => {
    for (const sms of [{ languages: ['hindi'] }, { languages: ['hindi'], long: 'udh8' }, { long: 'sar' }])
      assert.deepEqual(inert(sms), [])
    assert.deepEqual(inertSettings({ name: 'two', timers: { responseMs: 1 } }), [])
  })
})

describe('a rate of SMS above the cap of the whole line', () => {
  const inert = (sms: object, perSecond?: number) =>
    inertSettings({
      name: 'one',
      timers: { responseMs: 1 },
      sms: smsSchema.parse({ source: '1', ...sms }),
      submits: { perSecond },
    })

  it('is told, with both', () => {
    assert.deepEqual(inert({ perSecond: 101 }, 100), [
      {
        line: 'one',
        setting: 'sms.perSecond',
        why: '101 is more than submits.perSecond (100), the cap of the whole line: lower it, or remove it',
      },
    ])
  })

  it('is not told where it may be, where there is no cap, or where nobody has set it', () => {
    assert.deepEqual([inert({ perSecond: 100 }, 100), inert({ perSecond: 1_000 }), inert({}, 10)], [[], [], []])
  })
})
