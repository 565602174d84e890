import assert from 'node:assert/strict'
import fc from 'fast-check'
import { QUIET_HOURS_DEFAULT } from '../../../src/sms/terms/quiet-hours.ts'
import { durationMsOf, instantOf, whenOf, type AskedMoment, type MomentRules } from '../../../src/sms/terms/when.ts'

const ZONE = 'Pacific/Port_Moresby'
const NOW = Date.parse('2025-05-01T09:00:00+10:00')
const RULES: MomentRules = { class: 'reminder', zone: ZONE, quietHours: QUIET_HOURS_DEFAULT, nowMs: NOW }
const local = (ms: number) => new Date(ms + 10 * 3_600_000).toISOString().slice(0, 16)

/** The moment in Port Moresby, and how it was moved. */
function due(asked: AskedMoment, rules: Partial<MomentRules> = {}) {
  const when = whenOf(asked, { ...RULES, ...rules })
  return when.is === 'due' ? [local(when.leavesMs), when.moved, local(when.expiresMs)] : when.is
}

describe('when an SMS that was asked for is due', () => {
  it('now, at a moment, after a time, before an event', () => {
    assert.deepEqual(due({}, { class: 'transactional' }), ['2025-05-01T09:00', null, '2025-05-02T09:00'])
    assert.deepEqual(due({ at: '2025-05-03T10:00' }), ['2025-05-03T10:00', null, '2025-05-04T10:00'])
    assert.deepEqual(due({ at: '2025-05-03T10:00Z' }), ['2025-05-03T20:00', null, '2025-05-04T20:00'])
    assert.deepEqual(due({ at: '2025-05-03T10:00+0200' }), ['2025-05-03T18:00', null, '2025-05-04T18:00'])
    assert.deepEqual(due({ in: '90m' }), ['2025-05-01T10:30', null, '2025-05-02T10:30'])
    assert.deepEqual(due({ before: { of: '2025-05-03T10:00', by: '24h' } }), [
      '2025-05-02T10:00',
      null,
      '2025-05-03T10:00',
    ])
  })
  it('in quiet hours: before an event earlier, everything else later, and it says which', () => {
    assert.deepEqual(due({ before: { of: '2025-05-03T08:00', by: '2h' } }), [
      '2025-05-02T20:55',
      'earlier',
      '2025-05-03T08:00',
    ])
    assert.deepEqual(due({ at: '2025-05-03T06:00' }), ['2025-05-03T07:00', 'later', '2025-05-04T07:00'])
    assert.deepEqual(due({ in: '13h' }), ['2025-05-02T07:00', 'later', '2025-05-03T07:00'])
    assert.deepEqual(
      due({}, { class: 'campaign', nowMs: Date.parse('2025-05-01T22:00:00+10:00') })[0],
      '2025-05-02T07:00',
    )
  })
  it('quiet hours do not hold for what a subscriber waits for, and a window of its own replaces them', () => {
    for (const urgent of ['otp', 'transactional'] as const)
      assert.deepEqual(due({ at: '2025-05-03T03:00' }, { class: urgent }).slice(0, 2), ['2025-05-03T03:00', null])
    const window = { from: '10:00', to: '12:00' }
    assert.deepEqual(due({ at: '2025-05-03T09:00', window }).slice(0, 2), ['2025-05-03T10:00', 'later'])
    assert.deepEqual(due({ at: '2025-05-03T12:00', window }, { class: 'otp' }).slice(0, 2), [
      '2025-05-04T10:00',
      'later',
    ])
    assert.deepEqual(due({ at: '2025-05-03T11:59', window }).slice(0, 2), ['2025-05-03T11:59', null])
  })
  it('a moment that is over, or that quiet hours moved into the past, is past; a minute is nothing', () => {
    assert.equal(due({ at: '2025-05-01T08:00' }), 'past')
    assert.equal(due({ before: { of: '2025-05-01T10:00', by: '2h' } }), 'past')
    assert.deepEqual(due({ at: '2025-05-01T08:59:30' })[0], '2025-05-01T09:00')
    const night = Date.parse('2025-05-01T23:00:00+10:00')
    assert.equal(due({ before: { of: '2025-05-02T08:00', by: '2h' } }, { nowMs: night }), 'past')
  })
  it('what is wrong is said', () => {
    const wrong = (asked: AskedMoment) => {
      const when = whenOf(asked, RULES)
      return when.is === 'wrong' ? when.what : when.is
    }
    assert.match(wrong({ at: '2025-05-03T10:00', in: '2h' }), /one of at, in and before/)
    for (const at of ['tomorrow', '', '2025-02-30T10:00', `${'9'.repeat(50)}`])
      assert.match(wrong({ at }), /^at is not a moment/)
    assert.match(wrong({ in: '2 hours' }), /^in is not a duration/)
    assert.match(wrong({ before: { of: 'x', by: '2h' } }), /^before\.of/)
    assert.match(wrong({ before: { of: '2025-05-03T10:00', by: 'x' } }), /^before\.by/)
    assert.match(wrong({ at: '2325-05-03T10:00' }), /two years/)
  })
  it('a local time that the clocks skip is as far behind the change; one that comes twice is the first', () => {
    const at = (written: string, zone: string) => new Date(instantOf(written, zone)!).toISOString()
    assert.equal(at('2025-03-30T02:30', 'Europe/Berlin'), '2025-03-30T01:30:00.000Z')
    assert.equal(at('2025-10-26T02:30', 'Europe/Berlin'), '2025-10-26T00:30:00.000Z')
    assert.equal(at('2025-10-26T02:30+01:00', 'Europe/Berlin'), '2025-10-26T01:30:00.000Z')
    assert.equal(at('2025-11-02T01:30', 'America/New_York'), '2025-11-02T05:30:00.000Z')
    assert.equal(at('2025-10-05T02:15', 'Australia/Lord_Howe'), '2025-10-04T15:45:00.000Z')
    assert.equal(at('2025-05-03', ZONE), '2025-05-02T14:00:00.000Z', 'a day begins')
    assert.equal(durationMsOf('1d'), 86_400_000)
  })
  it('is never in quiet hours, never before the present, and before its event', () => {
    const zones = ['Pacific/Port_Moresby', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia']
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 366 * 24 * 60 }),
        fc.integer({ min: 1, max: 72 * 60 }),
        fc.boolean(),
        (zone, startMinutes, minutes, isBefore) => {
          const nowMs = Date.parse('2025-01-01T00:00:00Z') + startMinutes * 60_000
          const event = new Date(nowMs + 96 * 3_600_000).toISOString()
          const asked = isBefore ? { before: { of: event, by: `${minutes}m` } } : { in: `${minutes}m` }
          const when = whenOf(asked, { ...RULES, zone, nowMs })
          assert.equal(when.is, 'due')
          if (when.is !== 'due') return
          const hour = Number(
            new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone: zone }).format(
              when.leavesMs,
            ),
          )
          assert.ok(hour >= 7 && hour < 21, `${zone} ${new Date(when.leavesMs).toISOString()}`)
          assert.ok(when.leavesMs >= nowMs && when.leavesMs < when.expiresMs)
          assert.ok(isBefore ? when.leavesMs <= when.dueMs : when.leavesMs >= when.dueMs)
        },
      ),
      { numRuns: 300 },
    )
  })
})
