import assert from 'node:assert/strict'
import { Alarm } from '../../../src/smpp/session/alarm.ts'
import { type EndedRequest, OpenRequests } from '../../../src/smpp/session/open-requests.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { fakeClock } from '../../support/clock.ts'

const ANSWER_MS = 1_000

function stage() {
  const clock = fakeClock()
  const [counted, written]: [string[], number[]] = [[], []]
  const state = { changes: 0, silent: 0 }
  const alone = new OpenRequests({ answerMs: ANSWER_MS, unansweredMax: 4, unansweredOctetsMax: 1_000 } as never, clock)
  const alarm = new Alarm(clock, () => {
    for (const one of alone.overdue()) {
      state.silent++
      counted.push('smpp_handler_failed silent')
      requests.answer(one, 0x64)
    }
    alarm.by(alone.dueMs())
  })
  const carryOut = ({ counter, labels, octets }: EndedRequest) => {
    counted.push([counter, ...Object.values(labels)].join(' '))
    if (octets) written.push(octets.readUInt32BE(12))
  }
  /** Does what a link does. */
  const requests = {
    open(pdu: Pdu, octets: number) {
      const limit = alone.open(pdu, octets)
      if (limit) counted.push(`smpp_limit ${limit}`)
      if (limit) state.changes++
      alarm.by(alone.dueMs())
    },
    answer(pdu: Pdu, status: number, as?: 'duplicate') {
      const wasFull = alone.full()
      const ended = alone.answer(pdu, status, as)
      if (ended) carryOut(ended)
      if (wasFull !== alone.full()) state.changes++
    },
    close: () => alone.close().forEach(carryOut),
    full: () => alone.full(),
    size: () => alone.size(),
  }
  const request = (sequence: number): Pdu => ({ command: 'deliver_sm', status: 0, sequence, body: {}, tlvs: [] })
  const open = (pdu: Pdu, octets = 100) => requests.open(pdu, octets)
  return { clock, counted, written, state, alone, requests, request, open }
}

describe('requests that are not answered yet', () => {
  it('are answered once each, and counted by what was said', () => {
    const { requests, request, written, counted, open } = stage()
    const [first, second, third] = [request(1), request(2), request(3)]
    for (const one of [first, second, third]) open(one)
    requests.answer(second, 0)
    requests.answer(first, 0x64)
    requests.answer(third, 0, 'duplicate')
    requests.answer(second, 0)
    assert.deepEqual([written, requests.size()], [[2, 1, 3], 0])
    assert.deepEqual(
      counted.map((one) => one.split(' ')[0]),
      ['smpp_rx_handled', 'smpp_rx_rejected', 'smpp_rx_duplicate'],
    )
  })

  it('are too many from the limit on, down to half of it', () => {
    const { requests, request, state, counted, open } = stage()
    const all = [1, 2, 3, 4, 5].map((n) => request(n))
    for (const one of all.slice(0, 3)) open(one)
    assert.equal(requests.full(), false)
    for (const one of all.slice(3)) open(one)
    assert.deepEqual([requests.full(), state.changes], [true, 1])
    assert.deepEqual(counted, ['smpp_limit unansweredMax'])
    for (const one of all.slice(0, 2)) requests.answer(one, 0)
    assert.equal(requests.full(), true)
    requests.answer(all[2]!, 0)
    assert.deepEqual([requests.full(), state.changes], [false, 2])
    requests.answer(all[3]!, 0)
    assert.equal(state.changes, 2, 'told once')
  })

  it('are too many octets from the limit on, down to half of it', () => {
    const { requests, request, state, counted, open } = stage()
    const [first, second, third] = [request(1), request(2), request(3)]
    open(first, 499)
    open(second, 500)
    assert.equal(requests.full(), false)
    open(third, 1)
    assert.deepEqual([requests.full(), counted], [true, ['smpp_limit unansweredOctetsMax']])
    requests.answer(third, 0)
    requests.answer(third, 0)
    assert.equal(requests.full(), true, 'each is counted once')
    requests.answer(first, 0)
    assert.deepEqual([requests.full(), state.changes], [false, 2])
    requests.close()
    open(first, 999)
    assert.equal(requests.full(), false, 'nothing is left of a link that is gone')
  })

  it('are given back to the SMSC when their handler says nothing, each in its own time', async () => {
    const { requests, request, clock, state, written, counted, open } = stage()
    open(request(1))
    await clock.advance(ANSWER_MS / 2)
    open(request(2))
    await clock.advance(ANSWER_MS / 2)
    assert.deepEqual([written, state.silent], [[1], 1])
    await clock.advance(ANSWER_MS / 2 - 1)
    assert.deepEqual(written, [1])
    await clock.advance(1)
    assert.deepEqual([written, state.silent, requests.size()], [[1, 2], 2, 0])
    assert.equal(counted.filter((one) => one === 'smpp_handler_failed silent').length, 2)
  })

  it('say when the oldest of them is due, and nothing once none is left', async () => {
    const { alone, requests, request, clock, open } = stage()
    const startMs = clock.now()
    open(request(1))
    await clock.advance(ANSWER_MS / 2)
    open(request(2))
    assert.equal(alone.dueMs(), startMs + ANSWER_MS)
    await clock.advance(ANSWER_MS / 2)
    assert.equal(alone.dueMs(), startMs + 1.5 * ANSWER_MS)
    requests.close()
    assert.equal(alone.dueMs(), Infinity)
  })

  it('are dropped with their link, and counted', async () => {
    const { requests, request, clock, written, counted, open } = stage()
    open(request(1))
    requests.close()
    await clock.advance(2 * ANSWER_MS)
    assert.deepEqual([written, counted, requests.size()], [[], ['smpp_rx_dropped deliver_sm link-closed'], 0])
  })
})
