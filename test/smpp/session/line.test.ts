import assert from 'node:assert/strict'
import type { Tap } from '../../../src/smpp/session/link.ts'
import type { LateResponse } from '../../../src/smpp/session/window.ts'
import { fakeClock, realClock, settle } from '../../support/clock.ts'
import { deliver, ID, raw, type PeerConnection, type PeerManners } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { inMs, lineTest, submit } from '../support.ts'

const NOTHING: Partial<PeerManners> = { onSubmit: () => undefined }

describe('a line', () => {
  const on = lineTest()
  const ok = (sequence: number) => raw(ID.response + ID.submit, 0, sequence, `m${sequence}\0`)

  describe('submitting', () => {
    it('gives the message id', async () => {
      await on.start()
      const outcome = await on.ussd()
      assert.deepEqual([outcome.kind, outcome.kind === 'ok' && outcome.messageId], ['ok', 'm2'])
    })

    it('gives the status of a refusal, and of generic_nack', async () => {
      let answer = (sequence: number) => raw(ID.response + ID.submit, 0x45, sequence)
      await on.start({ onSubmit: (pdu) => answer(pdu.sequence) })
      assert.deepEqual(await on.ussd(), { kind: 'refused', status: 0x45 })
      answer = (sequence) => raw(ID.nack, 0x03, sequence)
      assert.deepEqual(await on.ussd(), { kind: 'refused', status: 0x03 })
    })

    it('takes a response without a body, or with a spoilt one, for what its status says', async () => {
      let body = ''
      await on.start({ onSubmit: (pdu) => raw(ID.response + ID.submit, 0, pdu.sequence, body) })
      assert.equal((await on.ussd()).kind, 'ok')
      body = 'no end'
      assert.equal((await on.ussd()).kind, 'ok')
      assert.equal(on.test.count('smpp_tolerated', 'bad-response-body'), 1)
    })

    it('is unsent while nothing is bound', async () => {
      await on.start()
      await on.test.stop()
      assert.deepEqual(await on.ussd(), { kind: 'unsent', why: 'stopped' }, 'no bind comes any more')
      on.test.line.start()
      assert.deepEqual(await on.ussd(), { kind: 'unsent', why: 'no-bind' })
    })

    it('is unsent when it may not leave any more, and says why', async () => {
      await on.start()
      for (const why of ['stale', 'unsure'] as const) {
        const how = { lane: 'ussd', deadline: inMs(1_000), mayLeave: () => why } as const
        assert.deepEqual(await on.test.line.submit(submit('x'), how), { kind: 'unsent', why })
      }
      assert.equal((await on.ussd()).kind, 'ok')
    })

    it('is taken back from the socket where the process stood still, and may not leave any more', async () => {
      let aheadMs = 0
      await on.start({}, { parts: { clock: { ...realClock, now: () => realClock.now() + aheadMs } } })
      let may: 'yes' | 'stale' = 'yes'
      const how = { lane: 'ussd', deadline: inMs(60_000), mayLeave: () => may } as const
      const outcome = on.test.line.submit(submit('x'), how)
      aheadMs = 1_000
      may = 'stale'
      assert.deepEqual(await outcome, { kind: 'unsent', why: 'stale' })
      assert.equal((await on.ussd()).kind, 'ok')
    })

    it('is unsent when it cannot be coded, and the log does not hold the text', async () => {
      await on.start()
      const outcome = await on.test.line.submit(submit('x'.repeat(255)), { lane: 'ussd', deadline: inMs(1_000) })
      assert.deepEqual(outcome, { kind: 'unsent', why: 'uncodable' })
      assert.ok(!JSON.stringify(on.test.logged).includes('xxx'))
    })

    it('is unsent when its lane is full; the other lane is not', async () => {
      await on.start(NOTHING, { limits: { windowSlots: 1, queueMax: { ussd: 1, sms: 1 } } })
      const all = [on.ussd(), on.ussd(), on.sms()]
      assert.deepEqual(await on.ussd(), { kind: 'unsent', why: 'queue-full' })
      assert.deepEqual(await on.sms(), { kind: 'unsent', why: 'queue-full' })
      assert.equal(on.test.count('smpp_unsent', 'queue-full'), 2)
      // Another try of a caller that counts itself what is never sent.
      assert.deepEqual(await on.ussd('x', 1_000, { tries: 1 }), { kind: 'unsent', why: 'queue-full' })
      assert.equal(on.test.count('smpp_unsent', 'queue-full'), 2)
      assert.equal(on.test.count('smpp_limit', 'queueMax.ussd'), 1)
      on.link.socket.destroy()
      assert.deepEqual(
        (await Promise.all(all)).map((one) => one.kind),
        ['lost', 'unsent', 'unsent'],
      )
    })

    it('is given up at its deadline; the late response is reported with its key', async () => {
      await on.start(NOTHING)
      assert.deepEqual(await on.ussd('x', 60, { key: 'reminder-7' }), { kind: 'timeout' })
      on.link.send(ok((await on.link.heard(ID.submit)).sequence))
      await until(() => on.test.late.length === 1, 'not reported')
      const [{ key, lane, outcome }] = on.test.late as [LateResponse]
      assert.deepEqual([key, lane, outcome.kind], ['reminder-7', 'ussd', 'ok'])
      assert.equal(on.test.count('smpp_rx_dropped', 'late-response'), 1)
    })

    it('takes responses in any order', async () => {
      await on.start(NOTHING)
      const all = [on.ussd('a'), on.ussd('b'), on.ussd('c')]
      await on.link.heard(ID.submit, 3)
      const [a, b, c] = on.link.all(ID.submit).map((pdu) => pdu.sequence)
      on.link.send(ok(c!), ok(a!), ok(b!))
      const ids = (await Promise.all(all)).map((one) => one.kind === 'ok' && one.messageId)
      assert.deepEqual(ids, [`m${a}`, `m${b}`, `m${c}`])
    })

    it('does not take the right number with the wrong command', async () => {
      await on.start(NOTHING)
      const outcome = on.ussd()
      const { sequence } = await on.link.heard(ID.submit)
      on.link.send(raw(ID.response + ID.enquire, 0, sequence), raw(ID.response + ID.submit, 0x58, sequence))
      assert.deepEqual(await outcome, { kind: 'refused', status: 0x58 })
      assert.equal(on.test.count('smpp_rx_dropped', 'wrong-command'), 1)
    })

    it('counts a second response and goes on', async () => {
      await on.start({ onSubmit: (pdu) => Buffer.concat([ok(pdu.sequence), ok(pdu.sequence)]) })
      await on.ussd()
      await until(() => on.test.count('smpp_rx_dropped', 'unexpected-response') === 1, 'not counted')
    })

    it('keeps to its window, and lets USSD past the SMS', async () => {
      await on.start(NOTHING, { limits: { windowSlots: 5 } })
      const all = Array.from({ length: 10 }, () => on.sms('s'))
      await on.link.heard(ID.submit, 4)
      all.push(on.ussd('u'))
      const last = await on.link.heard(ID.submit, 5)
      assert.ok(last.body.includes('u\x05\x01'))
      await settle()
      assert.equal(on.link.all(ID.submit).length, 5)
      on.link.socket.destroy()
      assert.equal((await Promise.all(all)).filter((one) => one.kind === 'lost').length, 5)
    })

    it('keeps withheld USSD submits out of the window', async () => {
      await on.start(NOTHING, { limits: { windowSlots: 1 }, habits: { submitResp: 'withheld' } })
      const all = Array.from({ length: 20 }, () => on.ussd())
      all.push(on.sms())
      await on.link.heard(ID.submit, 21)
      on.link.send(...on.link.all(ID.submit).map((pdu) => ok(pdu.sequence)))
      assert.ok((await Promise.all(all)).every((one) => one.kind === 'ok'))
    })

    it('rests its SMS after ESME_RTHROTTLED, and not its USSD', async () => {
      let throttle = true
      const clock = fakeClock()
      await on.start(
        {
          onSubmit: (pdu) => (throttle ? raw(ID.response + ID.submit, 0x58, pdu.sequence) : ok(pdu.sequence)),
        },
        { parts: { clock }, limits: { throttlePauseMs: 150 } },
      )
      assert.deepEqual(await on.sms(), { kind: 'refused', status: 0x58 })
      throttle = false
      const waiting = on.sms('s')
      const answer = await on.ussd('u')
      assert.equal(answer.kind, 'ok')
      assert.equal(on.link.all(ID.submit).length, 2, 'the SMS waits')
      await clock.advance(150)
      assert.equal((await waiting).kind, 'ok')
    })

    it('writes all submits and responses of one event-loop turn at once', async () => {
      await on.start({}, { limits: { windowSlots: 100 } })
      await settle()
      const before = on.test.count('smpp_write')
      const all = Array.from({ length: 50 }, () => on.ussd())
      await settle()
      assert.equal(on.test.count('smpp_write') - before, 1)
      await Promise.all(all)
      const then = on.test.count('smpp_write')
      on.link.send(...Array.from({ length: 50 }, (_, n) => deliver(n + 1)))
      await on.link.heard(ID.response + ID.deliver, 50)
      assert.ok(on.test.count('smpp_write') - then <= 3)
    })
  })

  describe('with several links', () => {
    it('answers on the link that asked, and on another once that is gone', async () => {
      await on.start({}, { links: 2 })
      const second = await on.peer.bound(2)
      second.send(deliver(1))
      await until(() => on.test.requests.length === 1, 'not heard')
      const { id } = on.test.requests[0]!.link
      for (let n = 0; n < 4; n++) await on.ussd('x', 1_000, { link: id })
      assert.deepEqual([on.link.all(ID.submit).length, second.all(ID.submit).length], [0, 4])
      second.socket.destroy()
      await until(() => on.test.line.states().some((row) => row.state !== 'bound'), 'still bound')
      assert.equal((await on.ussd('x', 1_000, { link: id })).kind, 'ok')
      assert.equal(on.link.all(ID.submit).length, 1)
    })

    it('gives new work to the link with least to do', async () => {
      await on.start(NOTHING, { links: 2 })
      const second = await on.peer.bound(2)
      const all = Array.from({ length: 10 }, () => on.ussd())
      await until(() => on.link.all(ID.submit).length + second.all(ID.submit).length === 10, 'not all written')
      assert.equal(on.link.all(ID.submit).length, 5)
      for (const one of [on.link, second]) one.send(...one.all(ID.submit).map((pdu) => ok(pdu.sequence)))
      await Promise.all(all)
    })

    it('sends what waited on a lost link by another, and loses only what was written', async () => {
      let answer = false
      const onSubmit: PeerManners['onSubmit'] = (pdu) => (answer ? ok(pdu.sequence) : undefined)
      await on.start({ onSubmit }, { links: 2, limits: { windowSlots: 2 } })
      const second = await on.peer.bound(2)
      second.send(deliver(1))
      await until(() => on.test.requests.length === 1, 'not heard')
      const all = Array.from({ length: 6 }, () => on.ussd('x', 5_000, { link: on.test.requests[0]!.link.id }))
      await second.heard(ID.submit, 2)
      answer = true
      second.socket.destroy()
      const kinds = (await Promise.all(all)).map((one) => one.kind).toSorted()
      assert.deepEqual(kinds, ['lost', 'lost', 'ok', 'ok', 'ok', 'ok'])
    })
  })

  it('is a group of its own unless it is told another, and names its binds for ever', async () => {
    await on.start()
    assert.deepEqual([on.test.line.name, on.test.line.group], ['digicel', 'digicel'])
    await on.test.stop()
    await on.start({}, { group: 'north', bind: 'pair', links: 2 })
    assert.equal(on.test.line.group, 'north')
    assert.deepEqual(
      on.test.line.states().map(({ bind }) => bind),
      ['digicel/0.tx', 'digicel/0.rx', 'digicel/1.tx', 'digicel/1.rx'],
    )
  })

  it('tells each state of its binds, and knows which of its links are gone', async () => {
    await on.start()
    on.link.send(deliver(1))
    await until(() => on.test.requests.length === 1, 'not heard')
    const { id, line: ofLine, port } = on.test.requests[0]!.link
    const { line } = on.test
    assert.deepEqual([ofLine, port], ['digicel', on.peer.port])
    assert.deepEqual([line.isGone(id), on.test.states.at(-1)], [false, 'bound'])
    on.link.socket.destroy()
    await until(() => on.test.states.includes('waiting'), 'not told')
    assert.equal(line.isGone(id), true)
    const [ofAnother, ofAnotherDaemon] = [id.replace('digicel/', 'north/'), id.replace('#test.', '#other.')]
    assert.deepEqual([line.isGone(ofAnother), line.isGone(ofAnotherDaemon)], [false, false], 'nobody here knows')
  })

  it('stops SMS and reading for a peer that takes no octets, and gives it up in time', async () => {
    await on.start(NOTHING, {
      limits: { outOctetsMax: 20_000, drainMs: 300, windowSlots: 100_000, queueMax: { ussd: 1_000, sms: 50_000 } },
      times: { enquireMs: 60_000 },
    })
    on.link.socket.pause()
    const all: Promise<unknown>[] = []
    const fill = () => {
      for (let n = 0; n < 2_000; n++) all.push(on.sms('x'.repeat(254)))
      return on.test.count('smpp_limit', 'outOctetsMax') > 0
    }
    await until(fill, 'never full', 10_000)
    const written = () => [on.test.count('smpp_tx_submit', 'sms'), on.test.count('smpp_tx_submit', 'ussd')]
    const [before] = written()
    for (let n = 0; n < 10; n++) all.push(on.sms(), on.ussd())
    assert.deepEqual(written(), [before, 10], 'USSD goes on, SMS wait')
    await until(() => on.test.count('smpp_link_lost', 'peer-does-not-read') === 1, 'not given up')
    await on.test.bound()
    assert.ok(on.peer.connections.length >= 2)
    for (const one of on.peer.connections) one.socket.destroy()
    await Promise.all(all)
  })

  it('has room for the SMS that its binds leave them, but for no more than it may send in a second', async () => {
    await on.start({}, { links: 2, limits: { windowSlots: 10 } })
    await until(() => on.test.line.states().every(({ state }) => state === 'bound'), 'not bound')
    assert.equal(on.test.line.smsRoom(), 16)
    await on.test.stop()
    assert.equal(on.test.line.smsRoom(), 0)
    await on.start({}, { links: 2, limits: { windowSlots: 10, smsPerSecond: 2.5 } })
    assert.equal(on.test.line.smsRoom(), 3)
  })

  describe('says how long a reply would wait for a slot', () => {
    let all: Promise<unknown>[] = []
    /** With so many replies that the SMSC does not answer, after so long. */
    async function unanswered(count: number, ms: number, links = 1) {
      const clock = fakeClock()
      const limits = { windowSlots: 10 }
      await on.start(NOTHING, { parts: { clock }, limits, links, times: { enquireMs: 600_000, steadyMs: 600_000 } })
      await until(() => on.test.line.states().every(({ state }) => state === 'bound'), 'not bound')
      const how = { lane: 'ussd', deadline: clock.now() + 60_000 } as const
      all = Array.from({ length: count }, () => on.test.line.submit(submit(), how))
      await clock.advance(ms)
      return clock
    }
    const answer = (link: PeerConnection, from: number) =>
      link.send(
        ...link
          .all(ID.submit)
          .slice(from)
          .map(({ sequence }) => ok(sequence)),
      )
    const waitMs = (ahead: number) => Math.round(on.test.line.waitMs(ahead))
    afterEach(async () => {
      for (const { socket } of on.peer.connections) socket.destroy()
      await Promise.all(all)
    })

    it('over a pause of the SMSC: as long again as it has lasted, and then a slot a tenth of a second', async () => {
      const clock = await unanswered(260, 1_000)
      assert.equal(waitMs(0), 0, 'it only takes its time')
      await clock.advance(1_500)
      assert.equal(waitMs(0), 2_500 + 2_510)
      assert.equal(waitMs(400), 2_500 + 3_910, 'some have no screen yet')
      for (let n = 10; n <= 260; n += 10) {
        await on.link.heard(ID.submit, n)
        answer(on.link, n - 10)
      }
      await Promise.all(all)
      assert.equal(waitMs(0), 0)
    })

    it('so that a hundred dials a second ride over two or three seconds, and no crowd waits for one that is silent', async () => {
      const turnMs = 8_000
      const clock = await unanswered(300, 3_000)
      assert.ok(waitMs(0) <= turnMs)
      assert.ok(waitMs(600) > turnMs, 'a crowd')
      await clock.advance(3_000)
      assert.ok(waitMs(0) > turnMs, 'it lasts')
    })

    it('and knows no pause while one of its links answers', async () => {
      const clock = await unanswered(20, 500, 2)
      const other = await on.peer.bound(2)
      await other.heard(ID.submit, 10)
      answer(other, 0)
      await Promise.race(all)
      await clock.advance(5_000)
      assert.ok(waitMs(30) < 1_000, String(waitMs(30)))
    })
  })

  it('goes on with its SMS when a peer that stood still takes octets again', async () => {
    await on.start(
      {},
      {
        limits: { outOctetsMax: 20_000, windowSlots: 100_000, queueMax: { ussd: 1_000, sms: 50_000 } },
        times: { enquireMs: 60_000 },
      },
    )
    on.link.socket.pause()
    const all: Promise<{ kind: string }>[] = []
    await until(
      () => {
        for (let n = 0; n < 2_000; n++) all.push(on.sms('x'.repeat(254), 15_000))
        return on.test.count('smpp_limit', 'outOctetsMax') > 0
      },
      'never full',
      10_000,
    )
    const later = on.sms('later', 15_000)
    on.link.socket.resume()
    assert.equal((await later).kind, 'ok')
    assert.ok((await Promise.all(all)).every((one) => one.kind === 'ok'))
    assert.equal(on.peer.connections.length, 1)
  })

  it('gives every PDU its own time to arrive', async () => {
    const clock = fakeClock()
    await on.start({}, { parts: { clock }, times: { enquireMs: 60_000 } })
    const half = (n: number) => [deliver(n).subarray(0, 20), deliver(n).subarray(20)] as const
    on.link.send(deliver(1), half(2)[0])
    await until(() => on.test.requests.length === 1, 'not heard')
    await clock.advance(6_000)
    on.link.send(half(2)[1], half(3)[0])
    await until(() => on.test.requests.length === 2, 'not heard')
    await clock.advance(6_000)
    assert.equal(on.test.count('smpp_link_lost'), 0, 'the third PDU has had 6 s')
    await clock.advance(5_000)
    assert.equal(on.test.count('smpp_link_lost', 'pdu-half-sent'), 1)
  })

  it('shows the tap every PDU, the bind without its password', async () => {
    const seen: string[] = []
    const tap: Tap = (direction, octets) => {
      seen.push(direction + octets.readUInt32BE(4).toString(16))
      assert.ok(!octets.includes('secret08'))
    }
    await on.start({}, { parts: { tap } })
    await on.ussd()
    on.link.send(deliver(1))
    await on.link.heard(ID.response + ID.deliver)
    assert.deepEqual(seen, ['out9', 'in80000009', 'out4', 'in80000004', 'in5', 'out80000005'])
  })
})
