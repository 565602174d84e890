import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DateTime } from 'luxon'
import type { NewSms } from '../../../src/plugin/index.ts'
import { planSms } from '../../../src/sms/outbox/plan.ts'
import { quietUntil, QUIET_HOURS_DEFAULT, type QuietHours } from '../../../src/sms/terms/quiet-hours.ts'

const HOUR = 3_600_000
const MORESBY = 'Pacific/Port_Moresby'
const ms = (local: string, zone = MORESBY) => DateTime.fromISO(local, { zone }).toMillis()
const local = (at: number, zone = MORESBY) => DateTime.fromMillis(at, { zone }).toFormat("yyyy-MM-dd'T'HH:mm")
/** As the dental sample asks for them. */
function reminders(
  { startsMs, zone }: { startsMs: number; zone: string },
  nowMs: number,
  {
    leads = ['24h', '2h'],
    quietHours = QUIET_HOURS_DEFAULT,
  }: { leads?: string[]; quietHours?: QuietHours | null } = {},
): (NewSms & { leavesMs: number })[] {
  const of = new Date(startsMs).toISOString()
  const wishes = leads.map((by) => ({ key: by, text: 'Reminder', before: { of, by } }))
  return planSms(wishes, { nowMs, zone, quietHours }) as (NewSms & { leavesMs: number })[]
}
const plan = (starts: string, now: string, zone = MORESBY, quietHours: QuietHours | null = QUIET_HOURS_DEFAULT) =>
  reminders({ startsMs: ms(starts, zone), zone }, ms(now, zone), { quietHours }).map(({ leavesMs }) =>
    local(leavesMs, zone),
  )

function leavesTwoHours({ from, to }: QuietHours): boolean {
  const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
  return (minutes(from) - minutes(to) + 1440) % 1440 >= 120 || from === to
}

describe('the plan of reminders', () => {
  it('is a day and two hours before', () => {
    assert.deepEqual(plan('2025-05-10T09:00', '2025-05-01T09:00'), ['2025-05-09T09:00', '2025-05-10T07:00'])
  })

  it('moves what falls into quiet hours to before they begin, in the zone of the clinic', () => {
    assert.deepEqual(plan('2025-05-10T08:59', '2025-05-01T09:00'), ['2025-05-09T08:59', '2025-05-09T20:55'])
    assert.deepEqual(plan('2025-05-10T23:30', '2025-05-01T09:00'), ['2025-05-09T20:55', '2025-05-10T20:55'])
    assert.deepEqual(plan('2025-05-10T03:00', '2025-05-01T09:00'), ['2025-05-08T20:55', '2025-05-09T20:55'])
    assert.deepEqual(plan('2025-05-10T08:00', '2025-05-01T09:00', 'Europe/Lisbon'), [
      '2025-05-09T08:00',
      '2025-05-09T20:55',
    ])
  })

  it('leaves the edges of the quiet hours right: their begin is quiet, their end is not', () => {
    assert.deepEqual(plan('2025-05-11T21:00', '2025-05-01T09:00'), ['2025-05-10T20:55', '2025-05-11T19:00'])
    assert.deepEqual(plan('2025-05-11T20:59', '2025-05-01T09:00'), ['2025-05-10T20:59', '2025-05-11T18:59'])
    assert.deepEqual(plan('2025-05-11T07:00', '2025-05-01T09:00'), ['2025-05-10T07:00', '2025-05-10T20:55'])
  })

  it('drops what is past, and moves nothing to before now', () => {
    assert.deepEqual(plan('2025-05-10T09:00', '2025-05-09T10:00'), ['2025-05-10T07:00'])
    assert.deepEqual(plan('2025-05-10T09:00', '2025-05-10T08:00'), [])
    assert.deepEqual(plan('2025-05-10T08:30', '2025-05-09T22:00'), [])
    assert.deepEqual(plan('2025-05-10T09:00', '2025-05-11T08:00'), [])
  })

  it('makes one of two that fall together, and each is useless once the next is due', () => {
    const starts = { startsMs: ms('2025-05-10T06:00'), zone: MORESBY }
    const both = reminders(starts, ms('2025-05-01T09:00'), { leads: ['2h', '3h', '30h'] })
    assert.deepEqual(
      both.map((one) => [local(one.leavesMs), local(one.expiresMs)]),
      [
        ['2025-05-08T20:55', '2025-05-09T20:55'],
        ['2025-05-09T20:55', '2025-05-10T06:00'],
      ],
    )
  })

  it('knows quiet hours within one day, and none', () => {
    const siesta = { from: '13:00', to: '15:00' }
    assert.deepEqual(plan('2025-05-10T16:00', '2025-05-01T09:00', 'Europe/Rome', siesta), [
      '2025-05-09T16:00',
      '2025-05-10T12:55',
    ])
    assert.deepEqual(plan('2025-05-10T03:00', '2025-05-01T09:00', MORESBY, null), [
      '2025-05-09T03:00',
      '2025-05-10T01:00',
    ])
    assert.deepEqual(plan('2025-05-10T03:00', '2025-05-01T09:00', MORESBY, { from: '08:00', to: '08:00' }), [
      '2025-05-09T03:00',
      '2025-05-10T01:00',
    ])
  })

  it('counts leads in elapsed time over a clock change', () => {
    // Lisbon: 30 March 2025 01:00 becomes 02:00; 26 October 2025 02:00 becomes 01:00.
    assert.deepEqual(plan('2025-03-30T12:00', '2025-03-01T09:00', 'Europe/Lisbon'), [
      '2025-03-29T11:00',
      '2025-03-30T10:00',
    ])
    assert.deepEqual(plan('2025-10-26T12:00', '2025-10-01T09:00', 'Europe/Lisbon'), [
      '2025-10-25T13:00',
      '2025-10-26T10:00',
    ])
  })

  it('never reminds in quiet hours, too early by more than a day, or too late, in any zone around its clock changes', () => {
    const zones = [
      'Europe/Lisbon',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Cairo',
      'Africa/Casablanca',
      'America/St_Johns',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Asia/Beirut',
      'America/Havana',
      MORESBY,
    ]
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`)
    const quiet = fc.oneof(fc.constant(QUIET_HOURS_DEFAULT), fc.record({ from: time, to: time }).filter(leavesTwoHours))
    const startsMs = fc.integer({ min: ms('2010-01-01'), max: ms('2030-01-01') })
    fc.assert(
      fc.property(fc.constantFrom(...zones), quiet, startsMs, (zone, quietHours, starts) => {
        const planned = reminders({ startsMs: starts, zone }, starts - 10 * 24 * HOUR, { quietHours })
        assert.ok(planned.length >= 1)
        for (const { leavesMs, dueMs, expiresMs } of planned) {
          assert.equal(quietUntil(leavesMs, quietHours, zone), null)
          assert.ok(leavesMs <= dueMs && leavesMs < expiresMs && expiresMs <= starts)
          assert.ok(leavesMs > starts - 24 * HOUR - 26 * HOUR && [24, 2].includes((starts - dueMs) / HOUR))
        }
        const until = quietUntil(starts, quietHours, zone)
        if (until !== null)
          assert.ok(until > starts && until <= starts + 26 * HOUR && quietUntil(until, quietHours, zone) === null)
      }),
      { numRuns: 1500 },
    )
  })

  it('says when quiet hours end', () => {
    const until = (at: string) => quietUntil(ms(at), QUIET_HOURS_DEFAULT, MORESBY)
    assert.equal(until('2025-05-10T20:59'), null)
    assert.equal(local(until('2025-05-10T21:00')!), '2025-05-11T07:00')
    assert.equal(local(until('2025-05-11T06:59')!), '2025-05-11T07:00')
    assert.equal(until('2025-05-11T07:00'), null)
  })
})
