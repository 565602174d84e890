import assert from 'node:assert/strict'
import type { Link } from '../../src/smpp/types.ts'
import type { Tap } from '../../src/smpp/link.ts'
import type { Late } from '../../src/smpp/window.ts'
import { fakeClock, settle } from '../support/clock.ts'
import { deliver, ID, raw, startPeer, type Peer, type PeerConnection, type PeerManners } from '../support/peer.ts'
import { until } from '../support/services.ts'
import { inMs, submit, testLine, type TestLine, type TestLineOptions } from './support.ts'

const NOTHING: Partial<PeerManners> = { onSubmit: () => undefined }

describe('a line', () => {
  let peer: Peer
  let test: TestLine
  let link: PeerConnection

  async function start(manners: Partial<PeerManners> = {}, options: Partial<TestLineOptions> = {}) {
    peer = await startPeer(manners)
    test = testLine({ port: peer.port, ...options })
    test.line.start()
    await until(() => test.line.states().every((row) => row.state === 'bound'), 'not bound')
    link = await peer.bound()
  }

  const ussd = (text = 'x', ms = 5_000, more = {}) =>
    test.line.submit(submit(text), { lane: 'ussd', deadline: inMs(ms), ...more })
  const sms = (text = 'x', ms = 5_000, more = {}) =>
    test.line.submit(submit(text), { lane: 'sms', deadline: inMs(ms), ...more })
  const ok = (sequence: number) => raw(ID.response + ID.submit, 0, sequence, `m${sequence}\0`)

  async function losesTwoLinks(times: { enquireMs: number; enquireAnswerMs: number }) {
    const mute = await startPeer({ onEnquire: () => undefined })
    const other = testLine({ port: mute.port, times })
    other.line.start()
    await until(() => other.count('smpp_link_lost', 'enquire_link-unanswered') === 2, 'no link lost')
    await other.stop()
    await mute.stop()
  }

  afterEach(async () => {
    await test.stop()
    await peer.stop()
    assert.deepEqual(test.balance(), { rx: 0, tx: 0 }, 'the books balance')
  })

  describe('submitting', () => {
    it('gives the message id', async () => {
      await start()
      const outcome = await ussd()
      assert.deepEqual([outcome.kind, outcome.kind === 'ok' && outcome.messageId], ['ok', 'm2'])
    })

    it('gives the status of a refusal, and of generic_nack', async () => {
      let answer = (sequence: number) => raw(ID.response + ID.submit, 0x45, sequence)
      await start({ onSubmit: (pdu) => answer(pdu.sequence) })
      assert.deepEqual(await ussd(), { kind: 'refused', status: 0x45 })
      answer = (sequence) => raw(ID.nack, 0x03, sequence)
      assert.deepEqual(await ussd(), { kind: 'refused', status: 0x03 })
    })

    it('takes a response without a body, or with a spoilt one, for what its status says', async () => {
      let body = ''
      await start({ onSubmit: (pdu) => raw(ID.response + ID.submit, 0, pdu.sequence, body) })
      assert.equal((await ussd()).kind, 'ok')
      body = 'no end'
      assert.equal((await ussd()).kind, 'ok')
      assert.equal(test.count('smpp_tolerated', 'bad-response-body'), 1)
    })

    it('is unsent while nothing is bound', async () => {
      await start()
      await test.stop()
      assert.deepEqual(await ussd(), { kind: 'unsent', why: 'no-bind' })
    })

    it('is unsent when it cannot be coded, and the log does not hold the text', async () => {
      await start()
      const outcome = await test.line.submit(submit('x'.repeat(255)), { lane: 'ussd', deadline: inMs(1_000) })
      assert.deepEqual(outcome, { kind: 'unsent', why: 'uncodable' })
      assert.ok(!JSON.stringify(test.logged).includes('xxx'))
    })

    it('is unsent when its lane is full; the other lane is not', async () => {
      await start(NOTHING, { limits: { windowSlots: 1, queueMax: { ussd: 1, sms: 1 } } })
      const all = [ussd(), ussd(), sms()]
      assert.deepEqual(await ussd(), { kind: 'unsent', why: 'queue-full' })
      assert.deepEqual(await sms(), { kind: 'unsent', why: 'queue-full' })
      assert.equal(test.count('smpp_limit', 'queueMax.ussd'), 1)
      link.socket.destroy()
      assert.deepEqual((await Promise.all(all)).map((one) => one.kind), ['lost', 'unsent', 'unsent'])
    })

    it('is given up at its deadline; the late response is reported with its key', async () => {
      await start(NOTHING)
      assert.deepEqual(await ussd('x', 60, { key: 'reminder-7' }), { kind: 'timeout' })
      link.send(ok((await link.heard(ID.submit)).sequence))
      await until(() => test.late.length === 1, 'not reported')
      const [{ key, lane, outcome }] = test.late as [Late]
      assert.deepEqual([key, lane, outcome.kind], ['reminder-7', 'ussd', 'ok'])
      assert.equal(test.count('smpp_rx_dropped', 'late-response'), 1)
    })

    it('takes responses in any order', async () => {
      await start(NOTHING)
      const all = [ussd('a'), ussd('b'), ussd('c')]
      await link.heard(ID.submit, 3)
      const [a, b, c] = link.all(ID.submit).map((pdu) => pdu.sequence)
      link.send(ok(c!), ok(a!), ok(b!))
      const ids = (await Promise.all(all)).map((one) => one.kind === 'ok' && one.messageId)
      assert.deepEqual(ids, [`m${a}`, `m${b}`, `m${c}`])
    })

    it('does not take the right number with the wrong command', async () => {
      await start(NOTHING)
      const outcome = ussd()
      const { sequence } = await link.heard(ID.submit)
      link.send(raw(ID.response + ID.enquire, 0, sequence), raw(ID.response + ID.submit, 0x58, sequence))
      assert.deepEqual(await outcome, { kind: 'refused', status: 0x58 })
      assert.equal(test.count('smpp_rx_dropped', 'wrong-command'), 1)
    })

    it('counts a second response and goes on', async () => {
      await start({ onSubmit: (pdu) => Buffer.concat([ok(pdu.sequence), ok(pdu.sequence)]) })
      await ussd()
      await until(() => test.count('smpp_rx_dropped', 'unexpected-response') === 1, 'not counted')
    })

    it('keeps to its window, and lets USSD past the SMS', async () => {
      await start(NOTHING, { limits: { windowSlots: 5 } })
      const all = Array.from({ length: 10 }, () => sms('s'))
      await link.heard(ID.submit, 4)
      all.push(ussd('u'))
      const last = await link.heard(ID.submit, 5)
      assert.ok(last.body.includes('u\x05\x01'))
      await settle()
      assert.equal(link.all(ID.submit).length, 5)
      link.socket.destroy()
      assert.equal((await Promise.all(all)).filter((one) => one.kind === 'lost').length, 5)
    })

    it('keeps withheld USSD submits out of the window', async () => {
      await start(NOTHING, { limits: { windowSlots: 1 }, habits: { submitResp: 'withheld' } })
      const all = Array.from({ length: 20 }, () => ussd())
      all.push(sms())
      await link.heard(ID.submit, 21)
      link.send(...link.all(ID.submit).map((pdu) => ok(pdu.sequence)))
      assert.ok((await Promise.all(all)).every((one) => one.kind === 'ok'))
    })

    it('rests its SMS after ESME_RTHROTTLED, and not its USSD', async () => {
      let throttle = true
      await start({
        onSubmit: (pdu) => (throttle ? raw(ID.response + ID.submit, 0x58, pdu.sequence) : ok(pdu.sequence)),
      }, { limits: { throttlePauseMs: 150 } })
      assert.deepEqual(await sms(), { kind: 'refused', status: 0x58 })
      throttle = false
      const waiting = sms('s')
      const answer = await ussd('u')
      assert.equal(answer.kind, 'ok')
      assert.equal(link.all(ID.submit).length, 2, 'the SMS waits')
      assert.equal((await waiting).kind, 'ok')
    })

    it('writes all submits and responses of one event-loop turn at once', async () => {
      await start({}, { limits: { windowSlots: 100 } })
      await settle()
      const before = test.count('smpp_write')
      const all = Array.from({ length: 50 }, () => ussd())
      await settle()
      assert.equal(test.count('smpp_write') - before, 1)
      await Promise.all(all)
      const then = test.count('smpp_write')
      link.send(...Array.from({ length: 50 }, (_, n) => deliver(n + 1)))
      await link.heard(ID.response + ID.deliver, 50)
      assert.ok(test.count('smpp_write') - then <= 3)
    })
  })

  describe('with several links', () => {
    it('answers on the link that asked, and on another once that is gone', async () => {
      await start({}, { links: 2 })
      const second = await peer.bound(2)
      second.send(deliver(1))
      await until(() => test.requests.length === 1, 'not heard')
      const { id } = test.requests[0]!.link
      for (let n = 0; n < 4; n++) await ussd('x', 1_000, { link: id })
      assert.deepEqual([link.all(ID.submit).length, second.all(ID.submit).length], [0, 4])
      second.socket.destroy()
      await until(() => test.line.states().some((row) => row.state !== 'bound'), 'still bound')
      assert.equal((await ussd('x', 1_000, { link: id })).kind, 'ok')
      assert.equal(link.all(ID.submit).length, 1)
    })

    it('gives new work to the link with least to do', async () => {
      await start(NOTHING, { links: 2 })
      const second = await peer.bound(2)
      const all = Array.from({ length: 10 }, () => ussd())
      await until(() => link.all(ID.submit).length + second.all(ID.submit).length === 10, 'not all written')
      assert.equal(link.all(ID.submit).length, 5)
      for (const one of [link, second]) one.send(...one.all(ID.submit).map((pdu) => ok(pdu.sequence)))
      await Promise.all(all)
    })

    it('sends what waited on a lost link by another, and loses only what was written', async () => {
      let answer = false
      const onSubmit: PeerManners['onSubmit'] = (pdu) => (answer ? ok(pdu.sequence) : undefined)
      await start({ onSubmit }, { links: 2, limits: { windowSlots: 2 } })
      const second = await peer.bound(2)
      second.send(deliver(1))
      await until(() => test.requests.length === 1, 'not heard')
      const all = Array.from({ length: 6 }, () => ussd('x', 5_000, { link: test.requests[0]!.link.id }))
      await second.heard(ID.submit, 2)
      answer = true
      second.socket.destroy()
      const kinds = (await Promise.all(all)).map((one) => one.kind).toSorted()
      assert.deepEqual(kinds, ['lost', 'lost', 'ok', 'ok', 'ok', 'ok'])
    })
  })

  describe('hearing', () => {
    it('gives deliver_sm and data_sm to the handler and answers each with its own response', async () => {
      await start()
      link.send(deliver(41), raw(ID.data, 0, 42, 'USSD\0\x01\x0167570000001\0\0\x01*123#\0\0\0\0\x05\x01\0\x01\x01'))
      const answers = [await link.heard(ID.response + ID.deliver), await link.heard(ID.response + ID.data)]
      assert.deepEqual(answers.map((one) => [one.status, one.sequence, one.body.toString('hex')]),
        [[0, 41, '00'], [0, 42, '00']])
      assert.deepEqual(test.requests.map((one) => one.pdu.command), ['deliver_sm', 'data_sm'])
      assert.equal(test.requests[0]!.pdu.body.destination_addr, '*123#')
    })

    it('gives no response to alert_notification', async () => {
      await start()
      link.send(raw(ID.alert, 0, 3, '\x01\x01675\0\0\x01123\0'), raw(ID.enquire, 0, 4))
      await link.heard(ID.response + ID.enquire)
      assert.equal(link.received.length, 2)
    })

    it('answers a request once, whatever the handler does', async () => {
      await start({}, { handle: (pdu, to) => [0, 0x64, 0].forEach((status) => to.respond(pdu, status)) })
      link.send(deliver(1), raw(ID.enquire, 0, 2))
      await link.heard(ID.response + ID.enquire)
      assert.equal(link.all(ID.response + ID.deliver).length, 1)
    })

    it('answers both of two requests with one number', async () => {
      await start()
      link.send(deliver(7), deliver(7))
      await link.heard(ID.response + ID.deliver, 2)
      assert.equal(test.requests.length, 2)
    })

    it('keeps repeats apart in its books', async () => {
      await start({}, { handle: (pdu, to) => to.respond(pdu, 0, 'duplicate') })
      link.send(deliver(1))
      await link.heard(ID.response + ID.deliver)
      assert.equal(test.count('smpp_rx_duplicate'), 1)
    })

    it('answers RX_T_APPN for a handler that throws or rejects, counts a bug, and goes on', async () => {
      const failures = [
        () => { throw new Error('boom') },
        () => Promise.reject(new Error('boom')),
        (pdu: unknown, to: Link) => to.respond(pdu as never, 0),
      ]
      await start({}, { handle: (pdu, to) => failures[pdu.sequence - 1]!(pdu, to) as never })
      link.send(deliver(1), deliver(2), deliver(3))
      await link.heard(ID.response + ID.deliver, 3)
      const statuses = new Map(link.all(ID.response + ID.deliver).map((pdu) => [pdu.sequence, pdu.status]))
      assert.deepEqual([1, 2, 3].map((n) => statuses.get(n)), [0x64, 0x64, 0])
      assert.equal(test.count('smpp_handler_failed', 'threw'), 2)
      assert.equal(peer.connections.length, 1)
    })

    it('answers RX_T_APPN for a handler that never answers', async () => {
      await start({}, { handle: () => undefined, limits: { answerMs: 50 } })
      link.send(deliver(1))
      assert.equal((await link.heard(ID.response + ID.deliver)).status, 0x64)
      assert.equal(test.count('smpp_handler_failed', 'silent'), 1)
    })

    it('stops reading at its limit of unanswered requests, keeps the link, and answers all in the end', async () => {
      const held: (() => void)[] = []
      await start({}, {
        handle: (pdu, to) => void held.push(() => to.respond(pdu, 0)),
        limits: { unansweredMax: 50 },
        times: { enquireMs: 40, enquireAnswerMs: 20 },
      })
      const wave = (from: number) => Array.from({ length: 1_000 }, (_, n) => deliver(from + n))
      link.send(...wave(1))
      await until(() => test.count('smpp_limit', 'unansweredMax') === 1, 'no limit')
      for (let from = 1_001; from < 20_000; from += 1_000) link.send(...wave(from))
      // Silence of our own making must not count as the peer's: meanwhile a line with a mute peer loses two links.
      await losesTwoLinks({ enquireMs: 40, enquireAnswerMs: 20 })
      assert.ok(held.length < 5_000, `${held.length} held`)
      assert.equal(peer.connections.length, 1)
      const release = () => held.splice(0).forEach((answer) => answer())
      await until(() => (release(), link.all(ID.response + ID.deliver).length === 20_000), 'not all answered')
    })

    it('answers a flood of 2,000 and an enquire_link in the midst of it', async () => {
      await start({}, { handle: async (pdu, to) => (await settle(), to.respond(pdu, 0)) })
      const flood = Array.from({ length: 2_000 }, (_, n) => deliver(n + 100))
      flood.splice(1_000, 0, raw(ID.enquire, 0, 5))
      link.send(...flood)
      await link.heard(ID.response + ID.deliver, 2_000)
      await link.heard(ID.response + ID.enquire)
    })

    it('counts what it did not answer before the link was lost', async () => {
      let late: (() => void) | undefined
      await start({}, { handle: (pdu, to) => void (late = () => to.respond(pdu, 0)) })
      link.send(deliver(1))
      await until(() => late !== undefined, 'not heard')
      link.socket.destroy()
      await until(() => test.count('smpp_rx_dropped', 'link-closed') === 1, 'not counted')
      late!()
    })
  })

  it('stops SMS and reading for a peer that takes no octets, and gives it up in time', async () => {
    await start(NOTHING, {
      limits: { outOctetsMax: 20_000, drainMs: 300, windowSlots: 100_000, queueMax: { ussd: 1_000, sms: 50_000 } },
    })
    link.socket.pause()
    const all: Promise<unknown>[] = []
    const fill = () => {
      for (let n = 0; n < 2_000; n++) all.push(sms('x'.repeat(254)))
      return test.count('smpp_limit', 'outOctetsMax') > 0
    }
    await until(fill, 'never full', 10_000)
    const written = () => [test.count('smpp_tx_submit', 'sms'), test.count('smpp_tx_submit', 'ussd')]
    const [before] = written()
    for (let n = 0; n < 10; n++) all.push(sms(), ussd())
    assert.deepEqual(written(), [before, 10], 'USSD goes on, SMS wait')
    await until(() => test.count('smpp_link_lost', 'peer-does-not-read') === 1, 'not given up')
    await test.bound()
    assert.ok(peer.connections.length >= 2)
    for (const one of peer.connections) one.socket.destroy()
    await Promise.all(all)
  })

  it('goes on with its SMS when a peer that stood still takes octets again', async () => {
    await start({}, {
      limits: { outOctetsMax: 20_000, windowSlots: 100_000, queueMax: { ussd: 1_000, sms: 50_000 } },
    })
    link.socket.pause()
    const all: Promise<{ kind: string }>[] = []
    await until(() => {
      for (let n = 0; n < 2_000; n++) all.push(sms('x'.repeat(254), 15_000))
      return test.count('smpp_limit', 'outOctetsMax') > 0
    }, 'never full', 10_000)
    const later = sms('later', 15_000)
    link.socket.resume()
    assert.equal((await later).kind, 'ok')
    assert.ok((await Promise.all(all)).every((one) => one.kind === 'ok'))
    assert.equal(peer.connections.length, 1)
  })

  it('gives every PDU its own time to arrive', async () => {
    const clock = fakeClock()
    await start({}, { parts: { clock }, times: { enquireMs: 60_000 } })
    const half = (n: number) => [deliver(n).subarray(0, 20), deliver(n).subarray(20)] as const
    link.send(deliver(1), half(2)[0])
    await until(() => test.requests.length === 1, 'not heard')
    await clock.advance(6_000)
    link.send(half(2)[1], half(3)[0])
    await until(() => test.requests.length === 2, 'not heard')
    await clock.advance(6_000)
    assert.equal(test.count('smpp_link_lost'), 0, 'the third PDU has had 6 s')
    await clock.advance(5_000)
    assert.equal(test.count('smpp_link_lost', 'pdu-half-sent'), 1)
  })

  it('shows the tap every PDU but the bind', async () => {
    const seen: string[] = []
    const tap: Tap = (direction, octets) => void seen.push(direction + octets.readUInt32BE(4).toString(16))
    await start({}, { parts: { tap } })
    await ussd()
    link.send(deliver(1))
    await link.heard(ID.response + ID.deliver)
    assert.deepEqual(seen, ['in80000009', 'out4', 'in80000004', 'in5', 'out80000005'])
  })
})

describe('a drop in mid-PDU', () => {
  it('at any octet of a dialogue loses no whole PDU, takes no half one, and is followed by a new bind', async () => {
    const stream = Buffer.concat([deliver(1, 'first'), raw(ID.enquire, 0, 2), deliver(3, 'second')])
    const ends = [deliver(1, 'first').length, stream.length]
    let dropAt = 0
    const peer = await startPeer({
      onBind(pdu, connection) {
        connection.socket.write(raw(ID.response + pdu.id, 0, pdu.sequence, 'S\0'))
        connection.socket.end(stream.subarray(0, dropAt))
        return undefined
      },
    })
    for (dropAt = 0; dropAt <= stream.length; dropAt++) {
      const test = testLine({ port: peer.port })
      const n = peer.connections.length
      test.line.start()
      await until(() => peer.connections.length > n && peer.connections[n]!.closed, `no close after ${dropAt}`)
      await until(() => test.count('smpp_link_lost') > 0, 'not noticed')
      const texts = test.requests.filter((one) => one.link.id.endsWith('.1'))
        .map((one) => String(one.pdu.body.short_message))
      assert.deepEqual(texts, ['first', 'second'].filter((_, i) => dropAt >= ends[i]!), `dropped at ${dropAt}`)
      await test.stop()
      assert.deepEqual(test.balance(), { rx: 0, tx: 0 })
    }
    await peer.stop()
  })
})
