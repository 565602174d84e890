import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { deliver, ID, raw, startPeer, type Peer, type PeerConnection } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { testLine, type TestLine } from '../support.ts'

interface Case {
  id: string
  title: string
  hex: string
  correct: string
  repeat?: number
}

const { cases } = JSON.parse(readFileSync(new URL('../../vectors/smpp-fuzz-cases.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

/**
 * What each case gets. 'closed': generic_nack ESME_RINVCMDLEN with sequence 0, close, bind again · a number: the status
 * of the response, and the link stays · 'nack': generic_nack ESME_RINVCMDID with the same number, and the link stays
 * · 'quiet': no answer, and the link stays.
 */
const EXPECTED: Record<string, number | 'closed' | 'nack' | 'quiet' | 'half' | 'unbound'> = {
  L00: 'closed',
  L01: 'closed',
  L04: 'closed',
  L08: 'closed',
  L15: 'closed',
  L16385: 'half',
  L64K: 0,
  L7F: 'closed',
  L80: 'closed',
  LSHORT: 0x02,
  LLONG: 'half',
  TLSALERT: 'closed',
  TLSHELLO: 'closed',
  PROXY: 'closed',
  SSH: 'closed',
  CRLF: 'closed',
  NUL64: 'closed',
  UNKREQ: 'nack',
  UNKRESP: 'quiet',
  VEND: 'nack',
  NACK0: 'quiet',
  ALERT: 'quiet',
  OUTBIND: 'quiet',
  SUBMIT2ESME: 0x04,
  BIND2ESME: 0x04,
  SEQ0: 0,
  STATUSREQ: 0,
  CSLONG: 0x0a,
  SMLEN255: 0x01,
  SMLEN0: 0xc0,
  TRAIL1: 0,
  GARBAFTER: 'closed',
  // An empty ussd_service_op means absent, an integer of odd width has a clear value: taken, on purpose.
  TLVEND0: 0,
  TLVINT16S: 0,
  TLVINT32S: 0,
  TLVLONG8: 0,
  TLVOVER: 0xc0,
  TLVUNKOVER: 0xc0,
  TLVDUP: 0,
  TLVSESS0: 0xc2,
  TLVSESS1: 0,
  TLVCBNUM: 0xc2,
  TLVCBNUM2: 0xc2,
  TLVCBATAG: 0xc2,
  TLVBILL: 0xc2,
  TLVBCT: 0xc2,
  TLVBAI: 0xc2,
  TLVMANY: 0xc0,
  TLVPAY: 0,
  UDHOVER: 0x01,
  UDH0: 0,
  UDHEMPTY: 0,
  UDHNLI: 0x01,
  DCS15: 0,
  DCSF5: 0,
  DCS48: 0,
  DCS11: 0,
  DCS01: 0,
  UCS2ODD: 0,
  UCS2NUL: 0,
  TIMEBAD: 0,
  TIMEBAD2: 0,
  SMULTI: 0x04,
  SMULTIR: 'quiet',
  JSONBOMB: 0,
  UNBIND: 'unbound',
  FLOOD2000: 0,
}

describe('hostile octets after the bind', function () {
  let peer: Peer
  let test: TestLine

  beforeEach(async () => {
    peer = await startPeer()
    test = testLine({
      port: peer.port,
      limits: { pduReadMs: 80 },
      times: { refusedMs: 60_000, refusedMaxMs: 60_000 },
    })
    test.line.start()
    await test.bound()
  })

  afterEach(async () => {
    await test.stop()
    await peer.stop()
  })

  for (const one of cases) {
    it(`are survived: ${one.id}, ${one.title} (${one.correct})`, async () => {
      const link = await peer.bound()
      const expected = EXPECTED[one.id]
      assert.ok(expected !== undefined, 'this case has no expectation here')
      const octets = Buffer.from(one.hex, 'hex')
      for (const pdu of repeated(octets, one.repeat ?? 1)) link.send(pdu)
      if (expected === 'closed' || expected === 'half') return boundAgain(link, expected === 'closed')
      if (expected === 'unbound') return unboundAndBack(link)
      await probe(link)
      assert.equal(peer.connections.length, 1, 'the link stays')
      if (expected !== 'quiet') await answered(link, octets, expected, one.repeat ?? 1)
      else
        assert.deepEqual(
          link.received.map((pdu) => pdu.id),
          [ID.bindTransceiver, ID.response + ID.enquire],
        )
      assert.deepEqual(test.balance(), { rx: 0, tx: 0 })
    })
  }

  function* repeated(octets: Buffer, times: number): Generator<Buffer> {
    const first = octets.length >= 16 ? octets.readUInt32BE(12) : 0
    for (let n = 0; n < times; n++) {
      const copy = Buffer.from(octets)
      if (n) copy.writeUInt32BE(first + n, 12)
      yield copy
    }
  }

  async function answered(link: PeerConnection, octets: Buffer, expected: number | 'nack', times: number) {
    const id = expected === 'nack' ? ID.nack : ID.response + octets.readUInt32BE(4)
    await link.heard(id, times)
    const answers = link.all(id)
    assert.equal(answers.length, times)
    assert.equal(answers[0]!.status, expected === 'nack' ? 0x03 : expected)
    const first = octets.readUInt32BE(12)
    answers.forEach((answer, n) => assert.equal(answer.sequence, first + n))
    if (id === ID.response + ID.deliver) assert.equal(answers[0]!.body.toString('hex'), '00')
  }

  async function boundAgain(link: PeerConnection, nacked: boolean) {
    await until(() => link.closed, 'the connection was not closed', 5_000)
    if (nacked)
      assert.deepEqual(
        link.all(ID.nack).map((pdu) => [pdu.status, pdu.sequence]),
        [[2, 0]],
      )
    await probe(await peer.bound(2))
  }

  async function unboundAndBack(link: PeerConnection) {
    assert.equal((await link.heard(ID.response + ID.unbind)).sequence, 0x16)
    await until(() => link.closed, 'the connection was not closed', 5_000)
    await probe(await peer.bound(2))
  }

  async function probe(link: PeerConnection) {
    link.send(raw(ID.enquire, 0, 777))
    assert.equal((await link.heard(ID.response + ID.enquire)).sequence, 777)
  }

  it('may be parameters that are empty or of an odd width: those do not cost the message that they came with', async () => {
    const link = await peer.bound()
    const tags = ['0204', '020a', '020c', '020e', '020f', '0202', '0203', '0423', '0427', '0501']
    const odd = [...tags.map((tag) => `${tag}0000`), '04230002031b', '04230004031b0000'].map((hex) =>
      Buffer.from(hex, 'hex'),
    )
    for (const [n, parameter] of odd.entries()) {
      link.send(raw(ID.deliver, 0, 100 + n, Buffer.concat([deliver(0).subarray(16), parameter])))
    }
    await link.heard(ID.response + ID.deliver, odd.length)
    assert.deepEqual(
      link.all(ID.response + ID.deliver).map((pdu) => pdu.status),
      odd.map(() => 0),
    )
  })

  it('are not kept: a half-sent PDU of the longest kind holds no claimed length', async () => {
    const link = await peer.bound()
    const before = process.memoryUsage().arrayBuffers
    link.send(Buffer.from('0001116f000000050000000000000001', 'hex'))
    await until(() => test.count('smpp_link_lost', 'pdu-half-sent') === 1, 'not closed', 5_000)
    assert.ok(process.memoryUsage().arrayBuffers - before < 2_000_000)
  })

  it('say in the log what the peer seems to speak', async () => {
    const link = await peer.bound()
    link.send(Buffer.from('15030100020228', 'hex'))
    await until(() => link.closed, 'not closed')
    assert.equal(test.count('smpp_framing_fault', 'tls'), 1)
    assert.ok(test.logged.some((one) => one.level === 'error' && JSON.stringify(one.fields).includes('"tls"')))
  })

  it('do not touch the PDU before them', async () => {
    const link = await peer.bound()
    link.send(deliver(5), Buffer.from('deadbeefcafebabe', 'hex'))
    await until(() => link.closed, 'not closed')
    assert.equal((await link.heard(ID.response + ID.deliver)).sequence, 5)
  })
})
