/** The whole of what a line counts, by name and labels: an operator's alerts and the books rest on both. */
import assert from 'node:assert/strict'
import type { LinkPort, Pdu } from '../../../src/smpp/types.ts'
import { deliver, ID, raw } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { inMs, lineTest, submit } from '../support.ts'

const UNKNOWN = 0x7777
const RESPONSE = ID.response
const BOUND = { 'smpp_rx bind_transceiver_resp': 1, 'smpp_rx_handled bind_transceiver_resp': 1 }
const ASKED = { 'smpp_rx enquire_link': 1, 'smpp_rx_handled enquire_link': 1 }

describe('what a line counts', () => {
  const on = lineTest()

  /** Labels but for that of the line; writes are as many as the event loop has turns. */
  function counted(): Record<string, number> {
    const found = Object.entries(on.test.counts).map(([key, n]) => {
      const [, name, labels] = /^(\w+)(\{.*\})$/.exec(key) as unknown as [string, string, string]
      const { line, ...rest } = JSON.parse(labels) as Record<string, string>
      assert.equal(line, 'digicel')
      return [[name, ...Object.values(rest)].join(' '), n] as const
    })
    return Object.fromEntries(found.filter(([name]) => name !== 'smpp_write'))
  }
  /** Sends these, and an enquire_link behind them that says that all were read. */
  async function says(...octets: Buffer[]): Promise<void> {
    on.link.send(...octets, raw(ID.enquire, 0, 900))
    await on.link.heard(RESPONSE + ID.enquire)
  }

  it('is each request of the SMSC, under its command and what became of it', async () => {
    await on.start()
    await says(
      deliver(1),
      raw(ID.data, 0, 2, 'USSD\0\x01\x0167570000001\0\0\x01*123#\0\0\0\0\x05\x01\0\x01\x01'),
      raw(ID.alert, 0, 3, '\x01\x01675\0\0\x01123\0'),
      raw(ID.outbind, 0, 4, 'a\0b\0'),
      raw(ID.query, 0, 5, 'm\0\0\0\0'),
      raw(UNKNOWN, 0, 6, 'x'),
    )
    assert.deepEqual(counted(), {
      ...BOUND,
      ...ASKED,
      'smpp_rx deliver_sm': 1,
      'smpp_rx_handled deliver_sm': 1,
      'smpp_rx data_sm': 1,
      'smpp_rx_handled data_sm': 1,
      'smpp_rx alert_notification': 1,
      'smpp_rx_handled alert_notification': 1,
      'smpp_rx outbind': 1,
      'smpp_rx_dropped outbind outbind': 1,
      'smpp_rx query_sm': 1,
      'smpp_rx_rejected query_sm ESME_RINVBNDSTS': 1,
      'smpp_rx unknown': 1,
      'smpp_rx_rejected unknown ESME_RINVCMDID': 1,
    })
  })

  it('is each response, those to nothing of ours too', async () => {
    await on.start()
    await on.ussd()
    await says(
      raw(RESPONSE + ID.submit, 0, 777, 'm\0'),
      raw(RESPONSE + UNKNOWN, 0, 778),
      raw(ID.nack, 0x03, 779),
      raw(ID.nack, 0x02, 0),
    )
    assert.deepEqual(counted(), {
      ...BOUND,
      ...ASKED,
      'smpp_tx_submit ussd': 1,
      'smpp_tx_ok ussd': 1,
      'smpp_rx submit_sm_resp': 2,
      'smpp_rx_handled submit_sm_resp': 1,
      'smpp_rx_dropped submit_sm_resp unexpected-response': 1,
      'smpp_rx unknown': 1,
      'smpp_rx_dropped unknown unknown-response': 1,
      'smpp_rx generic_nack': 2,
      'smpp_rx_dropped generic_nack unexpected-response': 1,
      'smpp_rx_dropped generic_nack nack-0': 1,
    })
    assert.equal(on.test.line.bound(), true, 'once may be an accident')
  })

  it('is what we put up with: octets behind the PDU, a field that is too long, a response without its id', async () => {
    await on.start({ onSubmit: (pdu) => raw(RESPONSE + ID.submit, 0, pdu.sequence, 'no end') })
    await on.ussd()
    const long = 'USSD\0\x01\x0167570000001\0\x00\x01*123#\0\x00\x00\x00\0\0\x00\x00\x0f\x00\x011'
    await says(raw(ID.deliver, 0, 1, `${long}\x05\x01\x00\x01\x01\x00`))
    const { 'smpp_tolerated stray-octets': stray, 'smpp_tolerated bad-response-body': bad } = counted()
    assert.deepEqual([stray, bad], [1, 1])
  })

  it('is what a handler does with a request: again, refused, failed', async () => {
    const acts: ((pdu: Pdu, to: LinkPort) => void | Promise<void>)[] = [
      (pdu, to) => to.respond(pdu, 0, 'duplicate'),
      (pdu, to) => to.respond(pdu, 0x64),
      () => Promise.reject(new Error('boom')),
      () => {
        throw new Error('boom')
      },
    ]
    await on.start({}, { handle: (pdu, to) => acts[pdu.sequence - 1]!(pdu, to) })
    await says(...acts.map((_, n) => deliver(n + 1)))
    await on.link.heard(RESPONSE + ID.deliver, acts.length)
    assert.deepEqual(counted(), {
      ...BOUND,
      ...ASKED,
      'smpp_rx deliver_sm': 4,
      'smpp_rx_duplicate deliver_sm': 1,
      'smpp_rx_rejected deliver_sm ESME_RX_T_APPN': 3,
      'smpp_handler_failed threw': 2,
    })
    const logged = on.test.logged.filter(({ message }) => message === 'the handler of a request failed')
    assert.equal(logged.length, 2)
  })

  it('is each request of ours, by its lane and its end', async () => {
    const answers = [0, 0x58, 0x411, 0x99999]
    let n = 0
    await on.start({
      onSubmit: (pdu) => raw(RESPONSE + ID.submit, answers[n++] ?? 0, pdu.sequence, 'm\0'),
    })
    for (let i = 0; i < 3; i++) await on.ussd()
    await on.sms()
    await on.test.line.submit(submit(), { lane: 'ussd', deadline: inMs(1_000), mayLeave: () => 'stale' })
    await on.test.line.submit(submit('x'.repeat(255)), { lane: 'sms', deadline: inMs(1_000) })
    assert.deepEqual(counted(), {
      ...BOUND,
      'smpp_tx_submit ussd': 3,
      'smpp_tx_submit sms': 1,
      'smpp_tx_ok ussd': 1,
      'smpp_tx_refused ussd ESME_RTHROTTLED': 1,
      'smpp_tx_refused ussd vendor': 1,
      'smpp_tx_refused sms other': 1,
      'smpp_unsent ussd stale': 1,
      'smpp_unsent sms uncodable': 1,
      'smpp_rx submit_sm_resp': 4,
      'smpp_rx_handled submit_sm_resp': 4,
    })
  })

  it('is what a lost link takes with it, either way', async () => {
    let held = 0
    await on.start({ onSubmit: () => undefined }, { handle: () => void held++, times: { reconnectMs: 60_000 } })
    const all = [on.ussd('x', 60_000), on.sms('x', 60_000)]
    await on.link.heard(ID.submit, 2)
    on.link.send(deliver(1))
    await until(() => held === 1, 'not heard')
    on.link.socket.destroy()
    await Promise.all(all)
    assert.deepEqual(counted(), {
      ...BOUND,
      'smpp_rx deliver_sm': 1,
      'smpp_rx_dropped deliver_sm link-closed': 1,
      'smpp_tx_submit ussd': 1,
      'smpp_tx_submit sms': 1,
      'smpp_tx_lost ussd': 1,
      'smpp_tx_lost sms': 1,
      'smpp_link_lost closed-by-peer': 1,
    })
    assert.equal(await on.ussd().then(({ kind }) => kind), 'unsent')
    assert.equal(counted()['smpp_unsent ussd no-bind'], 1)
  })

  it('is a refused bind by its status, and what is no SMPP by what it speaks', async () => {
    let n = 0
    await on.start({ onBind: (pdu) => raw(RESPONSE + pdu.id, n++ === 1 ? 0x0e : 0, pdu.sequence, 'S\0') })
    on.link.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    await until(() => counted()['smpp_bind_refused ESME_RINVPASWD'] === 1, 'not refused')
    assert.deepEqual(counted(), {
      'smpp_rx bind_transceiver_resp': 2,
      'smpp_rx_handled bind_transceiver_resp': 2,
      'smpp_framing_fault http': 1,
      'smpp_link_lost framing': 1,
      'smpp_bind_refused ESME_RINVPASWD': 1,
      'smpp_connect_failures wrong-password': 1,
    })
  })

  for (const [why, ends] of [
    ['nack-0', () => on.link.send(raw(ID.nack, 0x02, 0), raw(ID.nack, 0x02, 0))],
    ['unbound-by-smsc', () => on.link.send(raw(ID.unbind, 0, 5))],
    ['closed-by-peer', () => on.link.socket.end()],
    ['pdu-half-sent', () => on.link.send(deliver(1).subarray(0, 20))],
  ] as const) {
    it(`is a link that is lost by ${why}, once`, async () => {
      await on.start({}, { limits: { pduReadMs: 100 } })
      ends()
      await until(() => on.test.count('smpp_link_lost') > 0, 'not lost')
      assert.equal(counted()[`smpp_link_lost ${why}`], 1)
      await on.test.bound()
      assert.equal(on.test.count('smpp_link_lost'), 1)
    })
  }

  it('is a request that crosses our unbind: put off, and rejected with the status that has it come again', async () => {
    await on.start({ onUnbind: (pdu) => (on.link.send(deliver(8)), raw(RESPONSE + ID.unbind, 0, pdu.sequence)) })
    await on.test.stop()
    const { 'smpp_rx_deferred deliver_sm': deferred, 'smpp_rx_rejected deliver_sm ESME_RX_T_APPN': rejected } =
      counted()
    assert.deepEqual([deferred, rejected], [1, 1])
  })
})
