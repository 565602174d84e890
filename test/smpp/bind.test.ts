import assert from 'node:assert/strict'
import { ID, raw, startPeer, type Peer, type PeerManners } from '../support/peer.ts'
import { until } from '../support/services.ts'
import { inMs, submit, testLine, type TestLine, type TestLineOptions } from './support.ts'

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
    assert.deepEqual(test.line.states().map((row) => row.bind), ['digicel/0.tx', 'digicel/0.rx'])
    const tx = peer.connections.find((one) => one.all(ID.bindTransmitter).length)!
    const rx = peer.connections.find((one) => one.all(ID.bindReceiver).length)!
    const outcome = await test.line.submit(submit(), { lane: 'ussd', deadline: inMs(1000) })
    assert.equal(outcome.kind, 'ok')
    assert.equal(tx.all(ID.submit).length, 1)
    assert.equal(rx.all(ID.submit).length, 0)
  })
})
