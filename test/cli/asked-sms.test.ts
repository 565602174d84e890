/** `check` knows moments of SMS that cannot be read or are over, and keys that nobody cancels. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { smsProblems } from '../../src/cli/check/asked-sms.ts'
import { check } from '../../src/cli/check/check.ts'
import { readFlow } from '../../src/flow/read/read.ts'

const NOW = Date.parse('2025-05-01T09:00:00+10:00')

const flow = (sms: string, cancel = '') => `flow: visits
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Hi, choices: [{ label: Remind me, to: remind }, { label: Stop, to: ${cancel ? 'undo' : 'out'} }] }
  remind:
    sms: ${sms}
    to: out
    failed: out
${cancel ? `  undo: { cancel: ${cancel}, to: out, failed: out }\n` : ''}  out: { end: Bye. }
`
function told(sms: string, cancel?: string): string[] {
  const read = readFlow({ file: 'visits.yaml', text: flow(sms, cancel), catalogues: [] })
  return smsProblems(read, { nowMs: NOW, zone: 'Pacific/Port_Moresby' }).map(
    ({ severity, where, what }) => `${severity} ${where.replace('visits.yaml:', '')} ${what}`,
  )
}

describe('check and the SMS of a flow', () => {
  it('warns of a moment that is over, in the zone of the settings', () => {
    const over = 'the moment of this SMS is over: nobody gets it'
    assert.deepEqual(told('{ text: A, at: 2025-05-01T08:58 }'), [`warning 8:25 screen 'remind': ${over}`])
    assert.deepEqual(told('{ text: A, at: 2025-05-01T08:59:30 }'), [], 'within the minute that a request may take')
    assert.deepEqual(told('[{ text: A }, { text: B, before: { of: 2025-05-02T08:00, by: 24h } }]'), [
      `warning 8:49 screen 'remind_2': ${over}`,
    ])
  })

  it('refuses what is no moment', () => {
    assert.match(told('{ text: A, at: soon }')[0]!, /^error 8:25 screen 'remind': at is not a moment in ISO 8601/)
    assert.match(told('{ text: A, in: 5 weeks }')[0]!, /^error .* in is not a duration, such as 90m/)
    assert.match(told('{ text: A, in: 5h, at: 2025-05-03T10:00 }')[0]!, /^error .* give one of at, in and before$/)
    assert.match(told('{ text: A, at: 2028-05-03T10:00 }')[0]!, /^error .* more than two years ahead$/)
  })

  it('knows those for who leaves a screen, with their places', () => {
    const left = (sms: string) => {
      const text = flow('A').replace('menu: Hi,', `menu: Hi, abandoned: { sms: ${sms} },`)
      const read = readFlow({ file: 'visits.yaml', text, catalogues: [] })
      return smsProblems(read, { nowMs: NOW, zone: 'UTC' }).map(({ severity, where, what }) => [severity, where, what])
    }
    assert.deepEqual(left('A'), [])
    assert.deepEqual(left('{ text: A, in: 10m }'), [])
    assert.deepEqual(left('{ text: A, in: soon }'), [
      ['error', 'visits.yaml:6:54', "screen 'main': in is not a duration, such as 90m, 24h or 2d"],
    ])
    assert.match(String(left('{ text: A, in: 2h, key: back }')[0]), /warning,.*no screen cancels the SMS 'back'/)
  })

  it('says nothing of moments that are filled in, or of none', () => {
    for (const sms of [
      '{ text: A }',
      'A',
      "{ text: A, at: '{data.x.at}' }",
      "{ text: A, before: { of: '{now}', by: 2h } }",
    ])
      assert.deepEqual(told(sms), [], sms)
  })

  it('warns of a key that nobody cancels, and of one that no SMS has', () => {
    const keyed = (key: string) => `{ text: A, in: 24h, key: '${key}' }`
    const alone = (key: string) => [`warning 8:35 screen 'remind': no screen cancels the SMS '${key}'`]
    assert.deepEqual(told(keyed('visit-1')), alone('visit-1'))
    assert.deepEqual(told(keyed('visit-1'), 'visit-1'), [])
    assert.deepEqual(told(keyed('visit-{msisdn}'), "'visit-{answers.n}'"), [], 'they may be the same')
    assert.deepEqual(told(keyed('visit-{msisdn}'), "'{answers.key}'"), [])
    assert.deepEqual(told(keyed('visit-{msisdn}'), "'= answers.key'"), [])
    assert.deepEqual(told(keyed('visit-1'), 'vist-1'), [
      ...alone('visit-1'),
      `warning 11:19 screen 'undo': no screen of this flow asks for an SMS 'vist-1'`,
    ])
    assert.equal(told(keyed('visit-{msisdn}-soon'), "'visit-{msisdn}-day'").length, 2)
    assert.deepEqual(told('{ text: A, key: now }'), [], 'what leaves at once cannot be taken back')
    assert.deepEqual(told('{ text: A, in: 1h, class: otp, key: code }'), [])
  })

  it('is told by the command', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ussd-asked-sms-'))
    try {
      writeFileSync(join(folder, 'visits.yaml'), flow('{ text: A, at: 2020-01-01T09:00, key: visit }'))
      const said: string[] = []
      await check([folder], (text) => said.push(text))
      assert.match(said[0]!, /visits: good/)
      const warned = said.filter((text) => text.includes('warning:'))
      assert.match(warned[0]!, /visits\.yaml:8:25: warning: .*is over: nobody gets it \(write a later one/)
      assert.match(warned[1]!, /visits\.yaml:8:\d+: warning: .*no screen cancels the SMS 'visit' \(add a screen/)
      assert.equal(warned.length, 2)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
