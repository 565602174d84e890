import assert from 'node:assert/strict'
import type { BindState } from '../../../src/admin/index.ts'
import {
  certificateConditions,
  goneConditions,
  lineConditions,
  storeConditions,
} from '../../../src/daemon/watch/conditions.ts'

const NOW = Date.parse('2026-12-01T03:00:00Z')
const DAY = 86_400_000
const bind = (state: string, more: Partial<BindState> = {}): BindState => ({
  bind: 'north/0',
  state,
  since: '2026-12-01T02:00:00.000Z',
  peer: '10.0.0.5:2775',
  ...more,
})
const subjects = (all: { subject: string }[]) => all.map(({ subject }) => subject)

describe('what is so that somebody should know of', () => {
  const lines = (...binds: BindState[]) => [{ line: 'north', binds }]
  const held = () => true

  it('is a bind that is down, not one that is bound, and standby only where nobody of ours has the line', () => {
    const down = bind('waiting', { why: 'wrong-password', detail: '0x0E ESME_RINVPASWD', remedy: 'correct it' })
    const [one] = lineConditions(lines(down), held)
    assert.deepEqual(one, {
      alarm: 'line-down',
      subject: 'north/0',
      line: 'north',
      severity: 'critical',
      sinceMs: NOW - 3_600_000,
      why: '10.0.0.5:2775: wrong-password: 0x0E ESME_RINVPASWD',
      remedy: 'correct it',
    })
    assert.deepEqual(lineConditions(lines(bind('bound')), held), [])
    assert.deepEqual(lineConditions(lines(bind('standby')), held), [])
    assert.deepEqual(subjects(lineConditions(lines(bind('standby')), () => false)), ['north/0'])
    assert.deepEqual(subjects(lineConditions(lines(bind('connecting')), held)), ['north/0'])
  })

  it('is a store that does not answer, and a clock that differs', () => {
    const well = { ok: true, kind: 'redis', durable: true, notes: ['no eviction'] }
    const postgres = { ok: true, kind: 'server' as const, notes: [] }
    assert.deepEqual(storeConditions(undefined, {}), [])
    assert.deepEqual(storeConditions({ ok: true, dialogues: well, postgres }, {}), [])
    const check = { ok: false, dialogues: { ...well, ok: false }, postgres: { ...postgres, ok: false } }
    assert.deepEqual(subjects(storeConditions(check, { redis: 2_300 })), ['redis', 'postgres', 'redis'])
  })

  it('is a daemon that is gone, which the first of the others tells', () => {
    const row = (name: string, ageMs: number) => ({ name, ageMs, isGone: ageMs > 15_000 })
    const all = [row('a', 60_000), row('b', 1_000), row('c', 2_000), row('d', 180_000)]
    const told = goneConditions(all, { own: 'b', nowMs: NOW })
    assert.deepEqual(
      told.map(({ subject, sinceMs }) => [subject, NOW - sinceMs!]),
      [
        ['a', 60_000],
        ['d', 180_000],
      ],
    )
    assert.deepEqual(goneConditions(all, { own: 'c', nowMs: NOW }), [])
    assert.deepEqual(goneConditions([], { own: 'c', nowMs: NOW }), [])
  })

  it('is a certificate that ends soon, at once, and critical in its last days', () => {
    const ends = new Map([
      ['a', NOW + 22 * DAY],
      ['b', NOW + 20 * DAY],
      ['c', NOW + 2 * DAY],
      ['d', NOW - DAY],
    ])
    const found = certificateConditions(ends, { days: 21, nowMs: NOW })
    assert.deepEqual(
      found.map(({ subject, severity, atOnce }) => [subject, severity, atOnce]),
      [
        ['b', 'warning', true],
        ['c', 'critical', true],
        ['d', 'critical', true],
      ],
    )
    assert.deepEqual(certificateConditions(ends, { days: 0, nowMs: NOW }), [])
  })
})
