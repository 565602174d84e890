import assert from 'node:assert/strict'
import type { LinkPort, Pdu } from '../../../src/smpp/types.ts'
import { realClock, settle } from '../../support/clock.ts'
import { deliver, ID, raw, startPeer } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { lineTest, testLine } from '../support.ts'

describe('a line, hearing requests of the SMSC,', () => {
  const on = lineTest()

  async function losesTwoLinks(times: { enquireMs: number; enquireRespMs: number }) {
    const mute = await startPeer({ onEnquire: () => undefined })
    const other = testLine({ port: mute.port, times })
    other.line.start()
    await until(() => other.count('smpp_link_lost', 'enquire_link-unanswered') === 2, 'no link lost')
    await other.stop()
    await mute.stop()
  }

  it('gives deliver_sm and data_sm to the handler and answers each with its own response', async () => {
    await on.start()
    on.link.send(deliver(41), raw(ID.data, 0, 42, 'USSD\0\x01\x0167570000001\0\0\x01*123#\0\0\0\0\x05\x01\0\x01\x01'))
    const answers = [await on.link.heard(ID.response + ID.deliver), await on.link.heard(ID.response + ID.data)]
    assert.deepEqual(
      answers.map((one) => [one.status, one.sequence, one.body.toString('hex')]),
      [
        [0, 41, '00'],
        [0, 42, '00'],
      ],
    )
    assert.deepEqual(
      on.test.requests.map((one) => one.pdu.command),
      ['deliver_sm', 'data_sm'],
    )
    assert.equal(on.test.requests[0]!.pdu.body.destination_addr, '*123#')
  })

  it('handles a crowd of requests in pieces, in order, and others have their turn between', async () => {
    const many = Array.from({ length: 200 }, (_, n) => n + 1)
    let [turn, nowMs, isOver] = [0, Date.now(), false]
    const turns: number[] = []
    // Each look at the clock takes a millisecond.
    const clock = { ...realClock, now: () => ++nowMs }
    const handle = (pdu: Pdu, to: LinkPort) => {
      turns.push(turn)
      to.respond(pdu, 0)
    }
    await on.start({}, { handle, parts: { clock } })
    const count = () => {
      turn++
      if (!isOver) setImmediate(count)
    }
    count()
    on.link.send(...many.map((n) => deliver(n)))
    await on.link.heard(ID.response + ID.deliver, many.length)
    isOver = true
    assert.deepEqual(
      on.link.all(ID.response + ID.deliver).map((pdu) => pdu.sequence),
      many,
    )
    const most = Math.max(...turns.map((one) => turns.filter((other) => other === one).length))
    assert.ok(most <= 20, `${most} in one turn of the event loop`)
  })

  it('gives no response to alert_notification', async () => {
    await on.start()
    on.link.send(raw(ID.alert, 0, 3, '\x01\x01675\0\0\x01123\0'), raw(ID.enquire, 0, 4))
    await on.link.heard(ID.response + ID.enquire)
    assert.equal(on.link.received.length, 2)
  })

  it('answers a request once, whatever the handler does', async () => {
    await on.start({}, { handle: (pdu, to) => [0, 0x64, 0].forEach((status) => to.respond(pdu, status)) })
    on.link.send(deliver(1), raw(ID.enquire, 0, 2))
    await on.link.heard(ID.response + ID.enquire)
    assert.equal(on.link.all(ID.response + ID.deliver).length, 1)
  })

  it('answers both of two requests with one number', async () => {
    await on.start()
    on.link.send(deliver(7), deliver(7))
    await on.link.heard(ID.response + ID.deliver, 2)
    assert.equal(on.test.requests.length, 2)
  })

  it('keeps repeats apart in its books', async () => {
    await on.start({}, { handle: (pdu, to) => to.respond(pdu, 0, 'duplicate') })
    on.link.send(deliver(1))
    await on.link.heard(ID.response + ID.deliver)
    assert.equal(on.test.count('smpp_rx_duplicate'), 1)
  })

  it('answers RX_T_APPN for a handler that throws or rejects, counts a bug, and goes on', async () => {
    const failures = [
      () => {
        throw new Error('boom')
      },
      () => Promise.reject(new Error('boom')),
      (pdu: unknown, to: LinkPort) => to.respond(pdu as never, 0),
    ]
    await on.start({}, { handle: (pdu, to) => failures[pdu.sequence - 1]!(pdu, to) as never })
    on.link.send(deliver(1), deliver(2), deliver(3))
    await on.link.heard(ID.response + ID.deliver, 3)
    const statuses = new Map(on.link.all(ID.response + ID.deliver).map((pdu) => [pdu.sequence, pdu.status]))
    assert.deepEqual(
      [1, 2, 3].map((n) => statuses.get(n)),
      [0x64, 0x64, 0],
    )
    assert.equal(on.test.count('smpp_handler_failed', 'threw'), 2)
    assert.equal(on.peer.connections.length, 1)
  })

  it('answers RX_T_APPN for a handler that never answers', async () => {
    await on.start({}, { handle: () => undefined, limits: { answerMs: 50 } })
    on.link.send(deliver(1))
    assert.equal((await on.link.heard(ID.response + ID.deliver)).status, 0x64)
    assert.equal(on.test.count('smpp_handler_failed', 'silent'), 1)
  })

  it('stops reading at its limit of unanswered requests, keeps the link, and answers all in the end', async () => {
    const held: (() => void)[] = []
    await on.start(
      {},
      {
        handle: (pdu, to) => void held.push(() => to.respond(pdu, 0)),
        limits: { unansweredMax: 50 },
        times: { enquireMs: 40, enquireRespMs: 20 },
      },
    )
    const wave = (from: number) => Array.from({ length: 1_000 }, (_, n) => deliver(from + n))
    on.link.send(...wave(1))
    await until(() => on.test.count('smpp_limit', 'unansweredMax') === 1, 'no limit')
    for (let from = 1_001; from < 20_000; from += 1_000) on.link.send(...wave(from))
    // Silence of our own making must not count as the peer's: meanwhile a line with a mute peer loses two links.
    await losesTwoLinks({ enquireMs: 40, enquireRespMs: 20 })
    assert.ok(held.length < 5_000, `${held.length} held`)
    assert.equal(on.peer.connections.length, 1)
    const release = () => held.splice(0).forEach((answer) => answer())
    await until(() => (release(), on.link.all(ID.response + ID.deliver).length === 20_000), 'not all answered')
  })

  it('answers a flood of 2,000 and an enquire_link in the midst of it', async () => {
    await on.start({}, { handle: async (pdu, to) => (await settle(), to.respond(pdu, 0)) })
    const flood = Array.from({ length: 2_000 }, (_, n) => deliver(n + 100))
    flood.splice(1_000, 0, raw(ID.enquire, 0, 5))
    on.link.send(...flood)
    await on.link.heard(ID.response + ID.deliver, 2_000)
    await on.link.heard(ID.response + ID.enquire)
  })

  it('counts what it did not answer before the link was lost', async () => {
    let late: (() => void) | undefined
    await on.start({}, { handle: (pdu, to) => void (late = () => to.respond(pdu, 0)) })
    on.link.send(deliver(1))
    await until(() => late !== undefined, 'not heard')
    on.link.socket.destroy()
    await until(() => on.test.count('smpp_rx_dropped', 'link-closed') === 1, 'not counted')
    late!()
  })
})
