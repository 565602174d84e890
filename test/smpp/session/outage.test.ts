import assert from 'node:assert/strict'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { fakeClock, settle, type FakeClock } from '../../support/clock.ts'
import { ID, raw, startPeer, type Peer, type PeerManners } from '../../support/peer.ts'
import { freePort, until } from '../../support/services.ts'
import { testLine, type TestLine, type TestLineOptions } from '../support.ts'

/** Times of a real line, on a clock that the test moves: sockets are real. */
const TIMES = {
  connectMs: 5_000,
  bindMs: 10_000,
  enquireMs: 3_600_000,
  reconnectMs: 1_000,
  reconnectMaxMs: 30_000,
  steadyMs: 10_000,
  refusedMs: 60_000,
  refusedMaxMs: 900_000,
  takenMs: 2_000,
  takenForMs: 10_000,
  standbyMs: 30_000,
  unboundMs: 5_000,
}
/** The longest pause between tries of an SMSC that refuses for the moment, with the quarter that chance may add. */
const STEP_MS = 1_000

describe('a bind that is not up', () => {
  let clock: FakeClock
  let test: TestLine | undefined
  let peer: Peer | undefined

  afterEach(async () => {
    await test?.stop()
    await peer?.stop()
    if (test) assert.deepEqual(test.balance(), { rx: 0, tx: 0 }, 'the books balance')
    test = peer = undefined
  })

  function line(port: number, options: Partial<TestLineOptions> = {}): TestLine {
    clock = fakeClock()
    test = testLine({ port, ...options, times: { ...TIMES, ...options.times }, parts: { clock, ...options.parts } })
    test.line.start()
    return test
  }

  async function at(manners: Partial<PeerManners>, options: Partial<TestLineOptions> = {}): Promise<TestLine> {
    peer = await startPeer(manners)
    return line(peer.port, options)
  }

  const refusing = (status: () => number): Partial<PeerManners> => ({
    onBind: (pdu) => raw(ID.response + pdu.id, status(), pdu.sequence, status() ? '' : 'SMSC\0'),
  })
  const row = () => test!.line.states()[0]!
  const said = (message: RegExp) => test!.logged.filter((one) => message.test(one.message))
  const warnings = () => test!.logged.filter(({ level }) => level === 'warn' || level === 'error')
  /** Waits, by socket, until it waits, by clock. */
  const waits = () =>
    until(() => ['waiting', 'standby'].includes(row().state) && row().down !== undefined, 'does not wait')

  async function tries(count: number): Promise<void> {
    for (;;) {
      await waits()
      if (row().down!.tries >= count) return
      const before = row().down!.tries
      while (row().down?.tries === before && ['waiting', 'standby'].includes(test!.states.at(-1)!))
        await clock.advance(STEP_MS)
      await until(() => row().down === undefined || row().down!.tries > before, 'no try')
    }
  }

  it('is one warning for 50 tries at a closed port, with peer, reason, remedy; since when is that of the outage', async () => {
    const port = await freePort()
    line(port)
    const sinceMs = clock.now()
    await tries(50)
    assert.deepEqual(
      warnings().map(({ level, message }) => [level, message]),
      [['warn', 'the bind is down']],
    )
    const fields = warnings()[0]!.fields as Record<string, unknown>
    assert.equal(fields.peer, `127.0.0.1:${port}`)
    assert.equal(fields.why, 'connection-refused')
    assert.match(String(fields.remedy), /nothing listens/)
    // Once in ten minutes how many tries it was, and nothing else: not try for try.
    const still = test!.logged.filter(({ level }) => level === 'info')
    assert.deepEqual(new Set(still.map(({ message }) => message)), new Set(['the bind is still down']))
    assert.equal(still.length, Math.floor((clock.now() - sinceMs - 1) / 600_000))
    assert.ok((still[0]!.fields as { tries: number }).tries > 10)
    assert.equal(test!.count('smpp_connect_failures', '"why":"connection-refused"'), 50)
    const { nextMs } = row()
    assert.ok(nextMs! > clock.now() && nextMs! <= clock.now() + 37_500, 'the next try, within the longest pause')
    assert.deepEqual(
      [row().since, row().peer, row().down!.why, row().down!.detail],
      [sinceMs, `127.0.0.1:${port}`, 'connection-refused', 'ECONNREFUSED'],
    )
    assert.ok(clock.now() - sinceMs > 15 * 60_000)
    // It is over.
    peer = await startPeer({}, port)
    await clock.advance(40_000)
    await until(() => test!.line.bound(), 'not bound')
    const [over] = said(/up again/)
    assert.deepEqual([over!.level, (over!.fields as { tries: number }).tries], ['info', 50])
    assert.ok((over!.fields as { downMs: number }).downMs > 15 * 60_000)
    assert.equal(row().down, undefined)
    assert.ok(row().since > sinceMs)
    assert.equal(row().nextMs, undefined)
    const told = test!.outages.map(({ is, peer, why, sinceMs: at, tries: count }) => [is, peer, why, at, count])
    assert.deepEqual(told, [
      ['down', `127.0.0.1:${port}`, 'connection-refused', sinceMs, 1],
      ['up', `127.0.0.1:${port}`, 'connection-refused', sinceMs, 50],
    ])
    await test!.stop()
    assert.deepEqual(
      test!.outages.slice(2).map(({ is, why }) => [is, why]),
      [['closed', 'stopped']],
    )
  })

  it('is an SMSC that drops each bind after 20 s: tried again within 5 s, one warning each time', async () => {
    await at({})
    let downMs = 0
    for (let n = 1; n <= 5; n++) {
      await peer!.bound(n)
      await until(() => test!.line.bound(), 'not bound')
      await clock.advance(20_000)
      peer!.connections[n - 1]!.socket.destroy()
      await until(() => row().state === 'waiting', 'not lost')
      const lostMs = clock.now()
      assert.equal(row().since, lostMs)
      while (peer!.connections.length === n && test!.states.at(-1) === 'waiting') await clock.advance(50)
      downMs += clock.now() - lostMs
      assert.ok(clock.now() - lostMs <= 5_000)
    }
    assert.ok(downMs < 5_000, `${downMs} ms down in 100 s`)
    await until(() => test!.line.bound(), 'not bound')
    assert.deepEqual(
      warnings().map(({ message }) => message),
      Array.from({ length: 5 }, () => 'the bind was down, and is up again'),
    )
    assert.equal((warnings()[0]!.fields as { why: string }).why, 'lost')
  })

  it('is an SMSC that starts: ESME_RBINDFAIL is tried again in seconds, one alarm names both readings', async () => {
    let status = 0x0d
    await at(refusing(() => status))
    const sinceMs = clock.now()
    await tries(5)
    assert.ok(clock.now() - sinceMs < 20_000, `${clock.now() - sinceMs} ms for five tries`)
    const alarms = test!.logged.filter(({ level }) => level === 'error')
    assert.equal(alarms.length, 1)
    assert.match(JSON.stringify(alarms[0]!.fields), /0x0D ESME_RBINDFAIL.*starting.*refuses this account/)
    status = 0
    await clock.advance(20_000)
    await until(() => test!.line.bound(), 'not bound')
  })

  for (const [status, why] of [
    [0x0e, 'wrong-password'],
    [0x0f, 'wrong-password'],
    [0x05, 'already-bound'],
    [0x08, 'bind-refused'],
    [0x411, 'bind-refused'],
    [0x58, 'throttled'],
  ] as const) {
    it(`is a refusal with 0x${status.toString(16)}: ${why}`, async () => {
      await at(refusing(() => status))
      await waits()
      assert.deepEqual([row().down!.why, row().down!.tries], [why, 1])
      assert.equal(warnings().length, 1)
      assert.equal(warnings()[0]!.level, why === 'wrong-password' ? 'error' : 'warn')
      assert.ok(!JSON.stringify(test!.logged).includes('secret08'))
    })
  }

  it('stands by for hours in one warning, and shows standby also while it tries', async () => {
    const held = refusing(() => 0x05)
    const shown = new Set<string>()
    await at({ onBind: (pdu, connection, n) => (shown.add(row().state), held.onBind!(pdu, connection, n)) })
    await tries(7)
    assert.equal(test!.states.at(-1), 'standby')
    shown.clear()
    for (let n = 0; n < 5; n++) {
      const before = peer!.connections.length
      await clock.advance(30_000)
      await until(() => peer!.connections.length > before && test!.states.at(-1) === 'standby', 'not tried')
    }
    assert.deepEqual([...shown], ['standby'])
    assert.equal(warnings().length, 1)
    assert.ok(test!.logged.filter(({ level }) => level === 'info').length < 2, 'nothing try for try')
  })

  it('is a host without an address', async () => {
    line(0, { smsc: { hosts: [{ host: 'no-such-host.invalid', port: 2775 }], systemId: 'ussd', password: 'x' } })
    await waits()
    assert.equal(row().down!.why, 'unresolvable')
    assert.equal(row().peer, 'no-such-host.invalid:2775')
  })

  it('is a host that no packet comes back from', async () => {
    const refuse = (code: string) => () => {
      // No test may rely on a network that swallows packets: the system's word for it.
      const socket = new Socket()
      setImmediate(() => socket.destroy(Object.assign(new Error(code), { code })))
      return socket
    }
    for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']) {
      line(2775, { parts: { connect: refuse(code) } })
      await waits()
      assert.deepEqual([row().down!.why, row().down!.detail], ['unreachable', code])
      await test!.stop()
    }
    line(2775, { parts: { connect: () => new Socket() } })
    await clock.advance(5_000)
    await waits()
    assert.deepEqual([row().down!.why, row().down!.detail], ['unreachable', 'connect-timeout'])
  })

  it('is a peer that takes the connection and says nothing', async () => {
    await at({ onBind: () => undefined })
    await peer!.bound()
    await clock.advance(10_000)
    await waits()
    assert.deepEqual([row().down!.why, row().down!.detail], ['silent', 'bind-timeout'])
  })

  it('is a peer that hangs up, and one that is no SMSC', async () => {
    await at({ onBind: (_, connection) => void connection.socket.end() as undefined })
    await waits()
    assert.equal(row().down!.why, 'connection-closed')
    await test!.stop()
    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((done) => web.listen(0, '127.0.0.1', done))
    line((web.address() as AddressInfo).port)
    await waits()
    assert.equal(row().down!.why, 'not-smpp')
    web.close()
  })

  it('names each address of a round, and the setting that no bind request can carry, once', async () => {
    const [one, other] = [await freePort(), await freePort()]
    const hosts = [
      { host: '127.0.0.1', port: one },
      { host: '127.0.0.1', port: other },
    ]
    line(0, { smsc: { hosts, systemId: 'ussd', password: 'x' } })
    await waits()
    assert.deepEqual((warnings()[0]!.fields as { tried: string[] }).tried, [
      `127.0.0.1:${one} connection-refused`,
      `127.0.0.1:${other} connection-refused`,
    ])
    await test!.stop()
    peer = await startPeer()
    line(0, { smsc: { hosts: [{ host: '127.0.0.1', port: peer.port }], systemId: 'ussd', password: 'muchtoolong' } })
    await tries(4)
    assert.equal(row().down!.why, 'uncodable')
    assert.deepEqual(
      warnings().map(({ level }) => level),
      ['error'],
    )
    assert.ok(!JSON.stringify(test!.logged).includes('muchtoolong'))
  })

  for (const bind of ['transceiver', 'pair'] as const) {
    it(`waits, behind the first of its line, for a password that is good: one try of a wrong one, not four (${bind})`, async () => {
      let status = 0x0e
      await at(
        refusing(() => status),
        { bind, links: bind === 'pair' ? 2 : 4 },
      )
      await waits()
      await clock.advance(59_000)
      assert.equal(peer!.connections.length, 1)
      const [first, ...behind] = test!.line.states()
      assert.deepEqual(
        behind.map(({ state, down }) => [state, down!.why, down!.detail]),
        Array.from({ length: 3 }, () => ['closed', 'waits-for-first', first!.bind]),
      )
      status = 0
      await clock.advance(2_000)
      await until(() => test!.line.states().every(({ state }) => state === 'bound'), 'not bound')
    })
  }

  it('keeps none of its line waiting when it is down for another reason than the password', async () => {
    await at(
      { onBind: (pdu, _, n) => raw(ID.response + pdu.id, n === 1 ? 0x08 : 0, pdu.sequence, n === 1 ? '' : 'SMSC\0') },
      { links: 3 },
    )
    await until(() => test!.line.states().filter(({ state }) => state === 'bound').length === 2, 'not bound')
    assert.equal(row().state, 'waiting')
  })

  it('is over when it is stopped, and begins with a start', async () => {
    line(await freePort())
    await tries(3)
    await test!.line.stop(clock.now())
    assert.deepEqual([row().state, row().down], ['closed', undefined])
    await clock.advance(5_000)
    test!.line.start()
    assert.equal(row().since, clock.now())
    await settle()
    await tries(1)
  })
})
