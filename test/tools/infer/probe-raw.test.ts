/** The probe against a network that speaks octets of its own. */
import assert from 'node:assert/strict'
import { probeCommand } from '../../../src/cli/smsc/probe.ts'
import { PROBE_TEXT } from '../../../src/tools/infer/probe.ts'
import { ID, raw, startPeer, type Peer, type PeerConnection, type RawPdu } from '../../support/peer.ts'

interface Said {
  sequence: number
  op?: number
  parameter: string
  text?: string
  service?: string
}

function deliver({ sequence, op, parameter, text = '', service = 'USSD' }: Said): Buffer {
  const head = `${service}\0\x01\x0167570000001\0\x00\x01123\0\x00\x00\x00\0\0\x00\x00\x0f\x00`
  const tlvs = Buffer.concat([
    op === undefined ? Buffer.alloc(0) : Buffer.of(5, 1, 0, 1, op),
    Buffer.from(parameter, 'hex'),
  ])
  return raw(
    ID.deliver,
    0,
    sequence,
    Buffer.concat([Buffer.from(head, 'latin1'), Buffer.of(text.length), Buffer.from(text), tlvs]),
  )
}

describe('the probe, at a network that is not our simulator', () => {
  let peer: Peer

  beforeEach(async () => {
    peer = await startPeer()
  })
  afterEach(() => peer.stop())

  async function probed(dials: (link: PeerConnection) => Promise<void>): Promise<string> {
    const lines: string[] = []
    const running = probeCommand(
      {
        host: '127.0.0.1',
        port: peer.port,
        systemId: 'probe',
        password: 'secret',
        bind: 'transceiver',
        seconds: 15,
        calls: 2,
        lingerMs: 0,
        ask: true,
      },
      (text) => lines.push(text),
      new AbortController().signal,
    )
    await dials(await peer.bound())
    await running
    return lines.join('\n')
  }

  const has = (pdu: RawPdu, text: string) => pdu.body.includes(text, 0, 'latin1')

  /** One call that is ended, then one that is asked and hung up on. */
  async function hangUp(
    link: PeerConnection,
    begin: (sequence: number) => Buffer,
    abort: (question: RawPdu) => Buffer,
  ) {
    link.send(begin(1))
    assert.ok(has(await link.heard(ID.submit), PROBE_TEXT.end))
    link.send(begin(2))
    const question = await link.heard(ID.submit, 2)
    assert.ok(has(question, PROBE_TEXT.ask))
    link.send(abort(question))
    await link.heard(ID.unbind)
    assert.equal(link.all(ID.submit).length, 2, 'a hang-up is not answered')
  }

  it('knows a hang-up by the profile that asked, though the turn was counted meanwhile', async () => {
    const said = await probed((link) =>
      hangUp(
        link,
        (sequence) => deliver({ sequence, op: 1, parameter: '138300020700', text: '*123#' }),
        () => deliver({ sequence: 3, op: 18, parameter: '138300020703' }),
      ),
    )
    assert.match(said, /not answered: abort, by standard/)
  })

  it('takes what comes after its question for the answer, in whatever words the network says so', async () => {
    const said = await probed(async (link) => {
      const say = (sequence: number, service: string, text: string) =>
        link.send(deliver({ sequence, service, parameter: '0204000202bc', text }))
      say(1, 'UBEG', '*123#')
      await link.heard(ID.submit)
      say(2, 'UBEG', '*123#')
      assert.ok(has(await link.heard(ID.submit, 2), PROBE_TEXT.ask))
      say(3, 'UCON', '1')
      assert.ok(has(await link.heard(ID.submit, 3), PROBE_TEXT.end))
      await link.heard(ID.unbind)
    })
    assert.match(said, /serviceType: \[UCON\] \}, is: input/)
    assert.match(said, /from: null +# doubtful: our own replies/)
  })

  it('says nothing to a message without a text in a dialect that nobody knows', async () => {
    const said = await probed((link) =>
      hangUp(
        link,
        (sequence) => deliver({ sequence, op: 1, parameter: '1777000400000007', text: '*123#' }),
        () => deliver({ sequence: 3, op: 34, parameter: '1777000400000007' }),
      ),
    )
    assert.match(said, /not answered: no text, it may be a hang-up/)
  })
})
