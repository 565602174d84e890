import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DateTime } from 'luxon'
import { isoIn, minutesAhead, showDate, showTime } from '../../../src/base/time/dates.ts'

/** Clocks change at a minute past midnight, by half an hour, by a whole day, twice a year around Ramadan, or never. */
const ZONES = [
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Pacific/Port_Moresby',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'UTC',
  'UTC+5:45',
]
const moments = fc.integer({ min: Date.UTC(1890), max: Date.UTC(2040) })
const HOUR_MS = 3_600_000

const plain = (ms: number, zone: string) => DateTime.fromMillis(ms, { zone })

describe('the offset of a zone, asked once a day', () => {
  for (const zone of ZONES) {
    it(`is that of each moment in ${zone}, and is written as luxon writes it`, () => {
      fc.assert(
        fc.property(moments, (ms) => {
          assert.equal(minutesAhead(zone, ms), plain(ms, zone).offset)
          for (const at of [ms, Math.floor(ms / 1_000) * 1_000])
            assert.equal(isoIn(at, zone), plain(at, zone).toISO({ suppressMilliseconds: true }))
        }),
        { numRuns: 300 },
      )
    })

    it(`is that of each moment around a change of the clocks in ${zone}`, () => {
      // At each hour, and a minute before and after it.
      for (let ms = Date.UTC(2009); ms < Date.UTC(2010); ms += HOUR_MS)
        for (const at of [ms - 60_000, ms, ms + 60_000, ms + HOUR_MS / 2])
          assert.equal(minutesAhead(zone, at), plain(at, zone).offset, new Date(at).toISOString())
    })
  }

  it('is none for a zone that does not exist, and for a moment that is none', () => {
    assert.ok(Number.isNaN(minutesAhead('Mars/Olympus', 0)))
    assert.ok(Number.isNaN(minutesAhead('Europe/Berlin', NaN)))
    assert.equal(isoIn(NaN, 'Europe/Berlin'), null)
    assert.equal(isoIn(0, 'Mars/Olympus'), null)
    assert.equal(isoIn(8e15, 'UTC'), plain(8e15, 'UTC').toISO({ suppressMilliseconds: true }))
  })
})

describe('a moment that is shown', () => {
  it('may be milliseconds or a text of the same digits', () => {
    const zone = 'Pacific/Port_Moresby'
    assert.equal(showDate(20250510, zone), '01/01/1970')
    assert.equal(showDate('20250510', zone), '10/05/2025')
    assert.equal(showDate(20250510, zone), '01/01/1970')
    assert.equal(showTime(0, zone), '10 AM')
    assert.equal(showTime(0, zone), '10 AM')
  })
})
