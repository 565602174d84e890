import assert from 'node:assert/strict'
import { downMs, downWithin, outagesOf } from '../../src/desk/outages.ts'

const MIN = 60_000
const at = (minute: number) => new Date(minute * MIN)
const event = (minute: number, what: string, more: object = {}) => ({
  at: at(minute),
  instance: 'a',
  line: 'digicel',
  bind: 'digicel/0',
  event: what,
  why: null,
  detail: null,
  since: null,
  ...more,
})

describe('outages of lines', () => {
  it('go from down to up, with the reason of their beginning', () => {
    const down = event(10, 'down', { why: 'closed', since: at(9) })
    const [outage, ...more] = outagesOf([event(20, 'up', { since: at(9) }), down], 0)
    assert.deepEqual(more, [])
    assert.deepEqual([outage!.fromMs, outage!.toMs, outage!.why], [9 * MIN, 20 * MIN, 'closed'])
  })
  it('that last have no end', () => {
    assert.equal(outagesOf([event(10, 'down')], 0)[0]!.toMs, null)
  })
  it('that began before what was read have their beginning from their end', () => {
    const [outage] = outagesOf([event(20, 'up', { since: at(5) })], 10 * MIN)
    assert.equal(outage!.fromMs, 5 * MIN)
  })
  it('a start is not one, and a stop ends one', () => {
    assert.deepEqual(outagesOf([event(20, 'up', { since: at(19) })], 10 * MIN), [])
    assert.equal(outagesOf([event(10, 'down'), event(15, 'closed')], 0)[0]!.toMs, 15 * MIN)
  })
  it('are of one bind of one daemon, and events of the line itself are none', () => {
    const other = { instance: 'b' }
    const outages = outagesOf([event(1, 'down'), event(2, 'up', other), event(3, 'stopped', { bind: null })], 0)
    assert.deepEqual(
      outages.map(({ toMs }) => toMs),
      [null],
    )
  })
  it('are added up without counting a minute twice, within a time', () => {
    const spans = downWithin(
      [
        { fromMs: 0, toMs: 5 },
        { fromMs: 3, toMs: 8 },
        { fromMs: 20, toMs: null },
      ],
      1,
      25,
    )
    assert.deepEqual(spans, [
      { fromMs: 1, toMs: 8 },
      { fromMs: 20, toMs: 25 },
    ])
    assert.equal(downMs(spans), 12)
    assert.deepEqual(downWithin([{ fromMs: 0, toMs: 1 }], 2, 3), [])
  })
})
