/** Times of a zone, as the pages of the desk show them. */
import assert from 'node:assert/strict'
import { clockOfZone, dayOfZone } from '../../src/desk/pages/kit.ts'

const ZONES = [
  'UTC',
  'Pacific/Port_Moresby',
  'Europe/Paris',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/St_Johns',
]
const MINUTE = 60_000

function shownBy(zone: string) {
  const form = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const
  const format = new Intl.DateTimeFormat('sv-SE', { ...form, second: '2-digit', timeZone: zone })
  return (atMs: number) => format.format(atMs)
}

describe('times of a zone at the desk', () => {
  for (const zone of ZONES)
    it(`are those of the calendar, also around the changes of summer time: ${zone}`, () => {
      const shown = shownBy(zone)
      // Changes of 2026 in these zones: in March, April and October.
      for (const day of [
        '2026-03-08',
        '2026-03-29',
        '2026-04-04',
        '2026-10-03',
        '2026-10-25',
        '2026-11-01',
        '2026-12-31',
      ])
        for (let n = 0; n < 2_880; n += 7) {
          const atMs = Date.parse(`${day}T00:00:00Z`) + n * MINUTE + 59_999
          assert.equal(`${dayOfZone(atMs, zone)} ${clockOfZone(atMs, zone)}`, shown(atMs), `${zone} ${atMs}`)
        }
    })
})
