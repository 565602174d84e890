import assert from 'node:assert/strict'
import dns from 'node:dns'
import { realClock } from '../../support/clock.ts'
import { deliver, ID, raw, startPeer, type Peer, type PeerManners } from '../../support/peer.ts'
import { freePort, until } from '../../support/services.ts'
import { inMs, submit, testLine, type TestLine, type TestLineOptions } from '../support.ts'

describe('a bind', () => {
  let peer: Peer
  let test: TestLine

  async function start(manners: Partial<PeerManners> = {}, options: Partial<TestLineOptions> = {}) {
    peer = await startPeer(manners)
    test = testLine({ port: peer.port, ...options })
    test.line.start()
  }

  afterEach(async () => {
    await test.stop()
    await peer.stop()
  })

  it('binds as a transceiver with interface_version 0x34', async () => {
    await start()
    await test.bound()
    const { body } = await (await peer.bound()).heard(ID.bindTransceiver)
    assert.equal(body.toString('latin1'), 'ussd\0secret08\0\0\x34\0\0\0')
    assert.equal(test.line.states()[0]!.bind, 'digicel/0')
    assert.deepEqual(test.states, ['connecting', 'binding', 'bound'])
  })

  it('takes a bind_resp without a body', async () => {
    await start({ onBind: (pdu) => raw(ID.response + pdu.id, 0, pdu.sequence) })
    await test.bound()
  })

  it('binds a transmitter and a receiver, submits on the one and hears on the other', async () => {
    await start({}, { bind: 'pair' })
    await until(() => test.line.states().every((row) => row.state === 'bound'), 'pair not bound')
    assert.deepEqual(
      test.line.states().map((row) => row.bind),
      ['digicel/0.tx', 'digicel/0.rx'],
    )
    const tx = peer.connections.find((one) => one.all(ID.bindTransmitter).length)!
    const rx = peer.connections.find((one) => one.all(ID.bindReceiver).length)!
    const outcome = await test.line.submit(submit(), { lane: 'ussd', deadline: inMs(1000) })
    assert.equal(outcome.kind, 'ok')
    assert.equal(tx.all(ID.submit).length, 1)
    assert.equal(rx.all(ID.submit).length, 0)
  })

  it('says RINVBNDSTS to a request before it is bound, and answers enquire_link', async () => {
    await start({ onBind: () => undefined })
    const link = await peer.bound()
    link.send(deliver(5), raw(ID.enquire, 0, 6))
    const answer = await link.heard(ID.response + ID.deliver)
    assert.deepEqual([answer.status, answer.sequence], [0x04, 5])
    await link.heard(ID.response + ID.enquire)
    assert.equal(test.requests.length, 0)
  })

  it('says RINVBNDSTS to deliver_sm on a transmitter', async () => {
    await start({}, { bind: 'pair' })
    await test.bound()
    await until(() => peer.connections.some((one) => one.all(ID.bindTransmitter).length), 'no transmitter')
    const tx = peer.connections.find((one) => one.all(ID.bindTransmitter).length)!
    tx.send(deliver(5))
    assert.equal((await tx.heard(ID.response + ID.deliver)).status, 0x04)
  })

  it('gives up a bind that is not answered, and comes again', async () => {
    await start(
      { onBind: (pdu, _, n) => (n > 1 ? raw(ID.response + pdu.id, 0, pdu.sequence, 'S\0') : undefined) },
      { times: { bindMs: 400 } },
    )
    await test.bound()
    assert.equal(peer.connections.length, 2)
    assert.ok(peer.connections[0]!.closed)
  })

  it('comes again while the SMSC closes every connection', async () => {
    await start({ onBind: (_, connection) => void connection.socket.destroy() as undefined })
    await peer.connection(4)
    assert.ok(!test.line.bound())
  })

  it('raises an alarm on a wrong password, slows down, and names the password nowhere', async () => {
    await start({ onBind: (pdu) => raw(ID.response + pdu.id, 0x0e, pdu.sequence) })
    await until(() => test.logged.some((one) => one.level === 'error'), 'no alarm')
    assert.equal(test.line.states()[0]!.state, 'waiting')
    assert.equal(test.count('smpp_bind_refused', 'ESME_RINVPASWD'), 1)
    assert.ok(!JSON.stringify(test.logged).includes('secret08'))
    assert.equal(peer.connections.length, 1)
  })

  it('takes generic_nack to its bind for a refusal', async () => {
    await start({ onBind: (pdu) => raw(ID.nack, 0x03, pdu.sequence) })
    await until(() => test.count('smpp_bind_refused', 'ESME_RINVCMDID') > 0, 'not refused')
  })

  it('stands by while another holds the bind, and takes over', async () => {
    let taken = true
    await start({
      onBind: (pdu) => raw(ID.response + pdu.id, taken ? 0x05 : 0, pdu.sequence, taken ? '\0' : 'SMSC\0'),
    })
    await until(() => test.line.states()[0]!.state === 'standby', 'not on standby')
    assert.ok(peer.connections.length > 2)
    taken = false
    await test.bound()
  })

  it('binds to the next host when the first is not there', async () => {
    peer = await startPeer()
    const hosts = [
      { host: '127.0.0.1', port: await freePort() },
      { host: '127.0.0.1', port: peer.port },
    ]
    test = testLine({ port: 0, smsc: { hosts, systemId: 'ussd', password: 'x' } })
    test.line.start()
    await test.bound()
  })

  it('waits for a host whose name cannot be resolved, and does not fall', async () => {
    peer = await startPeer()
    const hosts = [
      { host: 'no-such-host.invalid', port: 2775 },
      { host: '127.0.0.1', port: peer.port },
    ]
    test = testLine({ port: 0, smsc: { hosts, systemId: 'ussd', password: 'x' } })
    test.line.start()
    await test.bound()
  })

  it('looks its host up anew at each attempt', async () => {
    peer = await startPeer()
    const asked: string[] = []
    const { lookup } = dns
    // An SMSC that moves: nobody listens at its first address.
    const moving = (
      name: string,
      options: dns.LookupOptions,
      done: (error: null, found: unknown, family?: number) => void,
    ) => {
      const address = asked.push(name) < 3 ? '127.0.0.9' : '127.0.0.1'
      return options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)
    }
    dns.lookup = moving as unknown as typeof lookup
    try {
      test = testLine({
        port: 0,
        smsc: { hosts: [{ host: 'smsc.example', port: peer.port }], systemId: 'ussd', password: 'x' },
      })
      test.line.start()
      await test.bound()
      assert.deepEqual(asked, ['smsc.example', 'smsc.example', 'smsc.example'])
    } finally {
      dns.lookup = lookup
    }
  })

  it('says which setting no bind request can carry, and not what it is', async () => {
    peer = await startPeer()
    const hosts = [{ host: '127.0.0.1', port: peer.port }]
    test = testLine({ port: 0, smsc: { hosts, systemId: 'ussd', password: 'muchtoolong' } })
    test.line.start()
    await until(() => test.logged.some((one) => one.level === 'error'), 'no error logged')
    assert.match(JSON.stringify(test.logged), /bind_transceiver.password has more than 8 characters/)
    assert.ok(!JSON.stringify(test.logged).includes('muchtoolong'))
  })

  it('answers enquire_link with its number', async () => {
    await start()
    const link = await peer.bound()
    link.send(raw(ID.enquire, 0, 0x7fffffff), raw(ID.enquire, 0, 0xffffffff))
    await link.heard(ID.response + ID.enquire, 2)
    assert.deepEqual(
      link.all(ID.response + ID.enquire).map((pdu) => pdu.sequence),
      [0x7fffffff, 0xffffffff],
    )
  })

  it('asks after silence, and stays while it is answered', async () => {
    await start({}, { times: { enquireMs: 40 } })
    await test.bound()
    await (await peer.bound()).heard(ID.enquire, 4)
    assert.equal(peer.connections.length, 1)
    assert.equal(test.count('smpp_enquire_missed'), 0)
  })

  it('asks on after the clock was set back by an hour', async () => {
    let aheadMs = 0
    const clock = { ...realClock, now: () => Date.now() + aheadMs }
    await start({}, { times: { enquireMs: 40, enquireRespMs: 200 }, parts: { clock } })
    await test.bound()
    const link = await peer.bound()
    aheadMs = -3_600_000
    await link.heard(ID.enquire, link.all(ID.enquire).length + 4)
    assert.equal(peer.connections.length, 1)
  })

  it('destroys a link that answers no more, loses what was written, and binds again', async () => {
    await start(
      { onEnquire: () => undefined, onSubmit: () => undefined },
      {
        times: { enquireMs: 40, enquireRespMs: 40 },
      },
    )
    await test.bound()
    const outcome = await test.line.submit(submit(), { lane: 'ussd', deadline: inMs(10_000) })
    assert.deepEqual(outcome, { kind: 'lost' })
    await peer.bound(2)
    assert.equal(test.count('smpp_enquire_missed'), 2)
    assert.equal(test.count('smpp_link_lost', 'enquire_link-unanswered'), 1)
  })

  it('answers unbind, closes, and binds again', async () => {
    await start()
    await test.bound()
    const link = await peer.bound()
    link.send(raw(ID.unbind, 0, 9))
    assert.equal((await link.heard(ID.response + ID.unbind)).sequence, 9)
    await until(() => link.closed, 'not closed')
    await peer.bound(2)
    await test.bound()
    assert.equal(test.count('smpp_link_lost', 'unbound-by-smsc'), 1)
  })

  it('still hears the response that was under way when the SMSC unbinds', async () => {
    await start({ onSubmit: () => undefined })
    await test.bound()
    const link = await peer.bound()
    const outcome = test.line.submit(submit(), { lane: 'ussd', deadline: inMs(5_000) })
    const { sequence } = await link.heard(ID.submit)
    link.send(raw(ID.unbind, 0, 9), raw(ID.response + ID.submit, 0, sequence, 'late\0'))
    assert.equal((await outcome).kind, 'ok')
    await until(() => link.closed, 'not closed')
  })

  it('unbinds in order when it is stopped: first what is under way, then unbind', async () => {
    await start({ onSubmit: () => undefined })
    await test.bound()
    const link = await peer.bound()
    const outcome = test.line.submit(submit(), { lane: 'ussd', deadline: inMs(5_000) })
    const { sequence } = await link.heard(ID.submit)
    const stopped = test.line.stop(inMs(5_000))
    assert.equal(test.line.bound(), false)
    assert.equal(link.all(ID.unbind).length, 0)
    link.send(raw(ID.response + ID.submit, 0, sequence, 'm\0'))
    assert.equal((await outcome).kind, 'ok')
    await stopped
    assert.equal(link.all(ID.unbind).length, 1)
    assert.equal(test.line.states()[0]!.state, 'closed')
    await until(() => link.closed, 'not closed')
    assert.equal(peer.connections.length, 1)
  })

  it('has what crosses its unbind delivered again: ESME_RX_T_APPN, counted, its handler not asked', async () => {
    await start({ onUnbind: (pdu) => Buffer.concat([deliver(71), raw(ID.response + ID.unbind, 0, pdu.sequence)]) })
    await test.bound()
    const link = await peer.bound()
    await test.line.stop(inMs(5_000))
    const { status, sequence } = await link.heard(ID.response + ID.deliver)
    assert.deepEqual([status, sequence], [0x64, 71])
    assert.equal(test.requests.length, 0)
    assert.equal(test.count('smpp_rx_deferred', 'deliver_sm'), 1)
    assert.equal(test.count('smpp_rx_rejected', 'ESME_RX_T_APPN'), 1)
    assert.deepEqual(test.balance(), { rx: 0, tx: 0 })
  })

  it('takes nothing new while it drains, answers what it took, and only then unbinds', async () => {
    await start({}, { handle: () => undefined })
    await test.bound()
    const link = await peer.bound()
    link.send(deliver(1))
    await until(() => test.requests.length === 1, 'not heard')
    const stopped = test.line.stop(inMs(5_000))
    link.send(deliver(2), raw(ID.enquire, 0, 3))
    assert.deepEqual(
      [(await link.heard(ID.response + ID.deliver)).sequence, link.all(ID.response + ID.deliver)[0]!.status],
      [2, 0x64],
    )
    assert.equal((await link.heard(ID.response + ID.enquire)).status, 0)
    assert.equal(link.all(ID.unbind).length, 0)
    const [first] = test.requests
    first!.link.respond(first!.pdu, 0)
    await stopped
    assert.deepEqual(
      link.all(ID.response + ID.deliver).map((pdu) => [pdu.sequence, pdu.status]),
      [
        [2, 0x64],
        [1, 0],
      ],
    )
    assert.equal(link.all(ID.unbind).length, 1)
    assert.equal(test.requests.length, 1)
  })

  it('puts off what the SMSC sends after its own unbind', async () => {
    await start({}, { handle: () => undefined })
    await test.bound()
    const link = await peer.bound()
    link.send(deliver(1), raw(ID.unbind, 0, 2), deliver(3))
    assert.deepEqual(
      [(await link.heard(ID.response + ID.deliver)).sequence, link.all(ID.response + ID.deliver)[0]!.status],
      [3, 0x64],
    )
    assert.equal(test.requests.length, 1)
  })

  it('stops although the SMSC does not answer unbind', async () => {
    await start({ onUnbind: () => undefined }, { times: { unbindMs: 50 } })
    await test.bound()
    await test.line.stop(inMs(1_000))
    assert.equal(test.line.states()[0]!.state, 'closed')
  })

  it('gives every link its own name for ever', async () => {
    await start()
    await test.bound()
    ;(await peer.bound()).send(deliver(1))
    await until(() => test.requests.length === 1, 'not heard')
    ;(await peer.bound()).socket.destroy()
    ;(await peer.bound(2)).send(deliver(1))
    await until(() => test.requests.length === 2, 'not heard')
    assert.deepEqual(
      test.requests.map((one) => one.link.id),
      ['digicel/0#test.1', 'digicel/0#test.2'],
    )
  })
})
