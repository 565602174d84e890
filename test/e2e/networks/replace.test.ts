import assert from 'node:assert/strict'
import type { ConfiguredLine } from '../../../src/config/schema.ts'
import { tryOut, type LineContender } from '../../../src/daemon/lines/replacement.ts'
import { fakeClock, settle } from '../../support/clock.ts'
import { startPeer, ID, raw, type Peer, type PeerManners } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { testLine } from '../../smpp/support.ts'

describe('a line that is tried in place of another', () => {
  const clock = fakeClock()
  const peers: Peer[] = []
  const lines: LineContender[] = []

  async function peerOf(manners: Partial<PeerManners> = {}): Promise<Peer> {
    const peer = await startPeer(manners)
    peers.push(peer)
    return peer
  }
  function contender(port: number): LineContender {
    const made: LineContender = {
      settings: { name: 'digicel', bind: 'transceiver' } as ConfiguredLine,
      line: testLine({
        port,
        times: { connectMs: 20_000, bindMs: 20_000, enquireMs: 3_600_000 },
        parts: {
          clock,
          onState: () => made.onBindState?.(),
        },
      }).line,
    }
    lines.push(made)
    return made
  }
  const parts = {
    clock,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    leave: (old: LineContender) => old.line.stop(clock.now()),
    isWanted: () => true,
  }
  async function bound(one: LineContender): Promise<void> {
    one.line.start()
    await until(() => one.line.bound(), 'not bound')
  }
  async function decided<T>(verdict: Promise<T>): Promise<T> {
    let isOver = false
    void verdict.finally(() => (isOver = true))
    await until(async () => (await settle(), isOver), 'no verdict')
    return verdict
  }

  afterEach(async () => {
    await Promise.all(lines.splice(0).map(({ line }) => line.stop(0)))
    await Promise.all(peers.splice(0).map((peer) => peer.stop()))
  })

  it('an SMSC that leaves a second bind without an answer: after 10 s the old one makes room', async () => {
    const { port } = await peerOf({
      onBind: (pdu, _, n) => (n === 2 ? undefined : raw(ID.response + pdu.id, 0, pdu.sequence, 'S\0')),
    })
    const [old, next] = [contender(port), contender(port)]
    await bound(old)
    const trial = tryOut(old, next, parts)
    await (await peers[0]!.bound(2)).heard(ID.bindTransceiver)
    await clock.advance(9_999)
    assert.equal(old.line.bound(), true)
    await clock.advance(2)
    assert.deepEqual(await decided(trial.verdict), { is: 'taken' })
    assert.deepEqual([old.line.bound(), next.line.bound()], [false, true])
  })

  it('another SMSC that does not answer: the old one stays, however long', async () => {
    const [{ port }, silent] = [await peerOf(), await peerOf({ onBind: () => undefined })]
    const [old, next] = [contender(port), contender(silent.port)]
    await bound(old)
    const trial = tryOut(old, next, parts)
    await (await silent.bound()).heard(ID.bindTransceiver)
    await clock.advance(10_001)
    const verdict = await decided(trial.verdict)
    assert.equal(verdict.is === 'refused' && verdict.refusal.why, 'silent')
    assert.deepEqual([old.line.bound(), peers[0]!.connections.length, silent.connections.length], [true, 1, 1])
  })

  it('an SMSC that hangs up on a second connection: the old one makes room, and is back if that does not help', async () => {
    let helps = true
    const { port } = await peerOf({
      onBind(pdu, connection) {
        const isSecond = peers[0]!.connections.some((one) => one !== connection && !one.closed)
        if (!isSecond && (helps || connection === peers[0]!.connections[0] || peers[0]!.connections.length > 3)) {
          return raw(ID.response + pdu.id, 0, pdu.sequence, 'S\0')
        }
        return void connection.socket.end() as undefined
      },
    })
    for (helps of [false, true]) {
      const [old, next] = [contender(port), contender(port)]
      await bound(old)
      const verdict = await decided(tryOut(old, next, parts).verdict)
      assert.equal(verdict.is, helps ? 'taken' : 'refused')
      await until(() => (helps ? next : old).line.bound(), 'neither serves')
      await Promise.all([old, next].map(({ line }) => line.stop(clock.now())))
      await until(() => peers[0]!.connections.every(({ closed }) => closed), 'not closed')
    }
  })

  it('called off while it is tried: it is stopped, and the old one serves', async () => {
    const { port } = await peerOf({
      onBind: (pdu, _, n) => (n === 2 ? undefined : raw(ID.response + pdu.id, 0, pdu.sequence, 'S\0')),
    })
    const [old, next] = [contender(port), contender(port)]
    await bound(old)
    const trial = tryOut(old, next, parts)
    await (await peers[0]!.bound(2)).heard(ID.bindTransceiver)
    trial.callOff()
    assert.deepEqual(await decided(trial.verdict), { is: 'called-off' })
    assert.deepEqual([old.line.bound(), next.line.states()[0]!.state], [true, 'closed'])
  })
})
