import assert from 'node:assert/strict'
import { chaos, seededChance, type Fault } from '../../../src/simulator/smsc/chaos.ts'
import { startSmsc, type Smsc, type SmscOptions } from '../../../src/simulator/smsc/smsc.ts'
import { until } from '../../support/services.ts'
import { HELD_MS, heldClock, realClock } from '../../support/clock.ts'
import { esme, reply, type Esme } from '../esme.ts'

const JOHN = '67570000001'
const isBegin = (pdu: { command: string; tlvs: { tag: number; value: Buffer }[] }): boolean =>
  pdu.command === 'deliver_sm' && pdu.tlvs.some((t) => t.tag === 0x0501 && t.value[0] === 1)

describe('faults', () => {
  it('strike only what they name, and as often as they say', () => {
    const faults = chaos(seededChance(1))
    faults.add({ on: 'submit_sm', msisdn: JOHN, lane: 'ussd', times: 2, act: { is: 'ignore' } })
    assert.equal(faults.pick({ on: 'submit_sm', msisdn: '1', lane: 'ussd' }), undefined)
    assert.equal(faults.pick({ on: 'submit_sm', msisdn: JOHN, lane: 'sms' }), undefined)
    assert.equal(faults.pick({ on: 'deliver_sm', msisdn: JOHN, lane: 'ussd' }), undefined)
    const subject = { on: 'submit_sm', msisdn: JOHN, lane: 'ussd' } as const
    assert.deepEqual(
      [1, 2, 3].map(() => faults.pick(subject)?.is),
      ['ignore', 'ignore', undefined],
    )
    assert.deepEqual(faults.list(), [])
  })

  it('strike by chance, and the same way again for the same seed', () => {
    const run = (seed: number): string => {
      const faults = chaos(seededChance(seed))
      faults.add({ on: 'any', chance: 0.3, act: { is: 'ignore' } })
      return Array.from({ length: 1000 }, () => (faults.pick({ on: 'submit_sm' }) ? 'x' : '.')).join('')
    }
    assert.equal(run(5), run(5))
    assert.notEqual(run(5), run(6))
    const struck = run(5).split('x').length - 1
    assert.ok(struck > 240 && struck < 360, `${struck} of 1000`)
  })

  it('can be called off', () => {
    const faults = chaos(seededChance(1))
    const callOff = faults.add({ on: 'bind', act: { is: 'ignore' } })
    assert.equal(faults.pick({ on: 'bind_receiver' })?.is, 'ignore')
    callOff()
    assert.equal(faults.pick({ on: 'bind_receiver' }), undefined)
  })
})

describe('a misbehaving SMSC', () => {
  let smsc: Smsc
  const esmes: Esme[] = []

  async function start(fault: Fault | null, options: Partial<SmscOptions> = {}): Promise<Esme> {
    smsc = await startSmsc({ clock: realClock, chance: seededChance(1), ...options })
    const one = await bound()
    if (fault) smsc.chaos.add(fault)
    return one
  }
  async function bound(): Promise<Esme> {
    const one = await esme(smsc.port)
    esmes.push(one)
    await one.bind()
    return one
  }
  const dial = () =>
    void smsc
      .phone(JOHN)
      .dial('*123#', { withinMs: 1000 })
      .catch(() => undefined)
  const sms = { command: 'submit_sm', body: { destination_addr: JOHN, short_message: Buffer.from('hello') } }
  /** All that came before the answer to this enquire_link. */
  async function sofar(one: Esme): Promise<string[]> {
    one.send({ command: 'enquire_link' })
    await one.take('enquire_link_resp')
    return one.seen.map((pdu) => pdu.command).slice(1, -1)
  }

  afterEach(async () => {
    for (const one of esmes.splice(0)) one.end()
    await smsc.stop()
  })

  it('throttles and says its queue is full, so many times, and then takes the message', async () => {
    const one = await start({ on: 'submit_sm', lane: 'sms', times: 1, act: { is: 'refuse', status: 0x58 } })
    smsc.chaos.add({ on: 'submit_sm', lane: 'sms', times: 1, act: { is: 'refuse', status: 0x14 } })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) {
      one.send(sms)
      statuses.push((await one.take('submit_sm_resp')).status)
    }
    assert.deepEqual(statuses, [0x58, 0x14, 0])
    assert.equal(smsc.phone(JOHN).inbox.length, 1)
  })

  it('answers by generic_nack', async () => {
    const one = await start({ on: 'submit_sm', act: { is: 'nack', status: 0x08 } })
    const sequence = one.send(sms)
    const nack = await one.take('generic_nack')
    assert.deepEqual([nack.status, nack.sequence], [0x08, sequence])
  })

  it('swallows a request, or processes it and swallows the response', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'ignore' } })
    one.send(sms)
    assert.deepEqual(await sofar(one), [])
    assert.equal(smsc.phone(JOHN).inbox.length, 0)
    smsc.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'drop-response' } })
    one.send(sms)
    assert.deepEqual(await sofar(one).then((seen) => seen.filter((c) => c === 'submit_sm_resp')), [])
    assert.equal(smsc.phone(JOHN).inbox.length, 1)
  })

  it('answers late, after what came later', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'delay', ms: 20 } })
    const first = one.send(sms)
    const second = one.send(sms)
    assert.equal((await one.take('submit_sm_resp')).sequence, second)
    assert.equal((await one.take('submit_sm_resp')).sequence, first)
  })

  it('answers twice, under a wrong sequence number, or with a wrong command', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'answer-twice' } })
    const sequence = one.send(sms)
    assert.equal((await one.take('submit_sm_resp')).sequence, sequence)
    assert.equal((await one.take('submit_sm_resp')).sequence, sequence)
    smsc.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'wrong-sequence' } })
    const other = one.send(sms)
    assert.equal((await one.take('submit_sm_resp')).sequence, other + 1000)
    smsc.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'wrong-command' } })
    const third = one.send(sms)
    assert.equal((await one.take('enquire_link_resp')).sequence, third)
  })

  it('delivers twice on one bind, under two sequence numbers', async () => {
    const one = await start({ on: 'deliver_sm', event: 'begin', times: 1, act: { is: 'double', on: 'same' } })
    dial()
    const [first, second] = [await one.take('deliver_sm'), await one.take('deliver_sm')]
    assert.notEqual(first.sequence, second.sequence)
    assert.deepEqual([first.body, first.tlvs], [second.body, second.tlvs])
  })

  it('delivers twice on two binds', async () => {
    const one = await start({ on: 'deliver_sm', times: 1, act: { is: 'double', on: 'other' } })
    const two = await bound()
    dial()
    assert.equal(smsc.deliveries.underWay(JOHN), 2, 'a copy is under way as its original is')
    const [first, second] = [await one.take('deliver_sm'), await two.take('deliver_sm')]
    assert.ok(isBegin(first))
    assert.ok(isBegin(second))
    one.ack(first)
    await until(() => smsc.deliveries.underWay(JOHN) === 1, 'the first is still under way')
    two.ack(second)
    await until(() => smsc.deliveries.underWay(JOHN) === 0, 'the copy is still under way')
  })

  it('delivers the opening PDU again after the dialogue went on', async () => {
    const clock = heldClock()
    const one = await start({ on: 'deliver_sm', event: 'begin', times: 1, act: { is: 'late', ms: HELD_MS } }, { clock })
    const first = smsc.phone(JOHN).dial('*123#')
    const begin = await one.take('deliver_sm')
    one.ack(begin)
    one.send(reply(begin, 2, 'Menu'))
    await first
    smsc.phone(JOHN).type('1')
    const opOf = (pdu: Awaited<ReturnType<Esme['take']>>) => pdu.tlvs[0]!.value[0]
    assert.equal(opOf(await one.take('deliver_sm')), 18)
    clock.release()
    assert.equal(opOf(await one.take('deliver_sm')), 1)
    assert.equal(smsc.deliveries.counts.late, 1)
  })

  for (const at of [0, 3, 16, 40]) {
    it(`dies ${at} octets into a delivery, and delivers it again on the next bind`, async () => {
      const one = await start({ on: 'deliver_sm', times: 1, act: { is: 'cut', at } })
      const octets: Buffer[] = []
      one.socket.on('data', (data: Buffer) => void octets.push(data))
      dial()
      await one.closed
      assert.equal(Buffer.concat(octets).length, at)
      const two = await bound()
      assert.ok(isBegin(await two.take('deliver_sm')))
    })
  }

  it('dies in the middle of a response, after processing the request', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'cut', at: 10 } })
    one.send(sms)
    await one.closed
    assert.equal(smsc.phone(JOHN).inbox.length, 1)
    assert.deepEqual(
      one.seen.map((pdu) => pdu.command),
      ['bind_transceiver_resp'],
    )
  })

  it('dies before it processes a request', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'close', when: 'before' } })
    one.send(sms)
    await one.closed
    assert.equal(smsc.phone(JOHN).inbox.length, 0)
  })

  it('dies after it processed a request', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'close', when: 'after' } })
    one.send(sms)
    await one.closed
    assert.equal(smsc.phone(JOHN).inbox.length, 1)
  })

  it('goes half-open: the connection stands and nothing is answered any more', async () => {
    const one = await start({ on: 'enquire_link', times: 1, act: { is: 'half-open' } })
    one.send({ command: 'enquire_link' })
    const two = await bound()
    one.send({ command: 'enquire_link' })
    dial()
    assert.ok(isBegin(await two.take('deliver_sm')))
    assert.equal(one.isClosed(), false)
    assert.deepEqual(
      one.seen.map((pdu) => pdu.command),
      ['bind_transceiver_resp'],
    )
    assert.deepEqual(
      smsc.peers().map((peer) => peer.isHalfOpen),
      [true, false],
    )
  })

  it('unbinds after a request', async () => {
    const one = await start({ on: 'submit_sm', times: 1, act: { is: 'unbind' } })
    one.send(sms)
    assert.equal((await one.take('submit_sm_resp')).status, 0)
    one.ack(await one.take('unbind'))
    await one.closed
  })

  it('refuses binds with any status, and may leave a bind without an answer', async () => {
    await start({ on: 'bind', times: 1, act: { is: 'refuse', status: 0x0d } })
    const two = await esme(smsc.port)
    esmes.push(two)
    assert.equal((await two.bind()).status, 0x0d)
    smsc.chaos.add({ on: 'bind', times: 1, act: { is: 'ignore' } })
    void two.bind().catch(() => undefined)
    assert.deepEqual(await sofar(two), [])
  })

  it('sends any octets that it is told to', async () => {
    const one = await start(null)
    smsc.peers()[0]!.write(Buffer.from('00000010000000150000000000000099', 'hex'))
    assert.equal((await one.take('enquire_link')).sequence, 0x99)
  })

  it('counts responses that no request waited for', async () => {
    const one = await start(null)
    one.send({ command: 'deliver_sm_resp', sequence: 4711 })
    await sofar(one)
    assert.equal(smsc.strays.count, 1)
  })

  it('tries again what was refused for now, if it is told to', async () => {
    const one = await start(null, { deliveries: { temporaryMs: 10 } })
    dial()
    one.ack(await one.take('deliver_sm'), 0x64)
    assert.ok(isBegin(await one.take('deliver_sm')))
  })

  it('gives a delivery up after so many attempts, and the phone hears of it', async () => {
    const one = await start(null, { deliveries: { responseMs: 10, attemptsMax: 2 } })
    await assert.rejects(smsc.phone(JOHN).dial('*123#'), /not answered after 2 attempts/)
    await one.take('deliver_sm')
    await one.take('deliver_sm')
  })

  it('sends a message of a network that says it once only once, and no fault strikes it', async () => {
    const said = { msisdn: JOHN, systemId: '', lane: 'ussd', event: 'input', attempts: 0, once: true } as const
    const one = await start({ on: 'deliver_sm', act: { is: 'double', on: 'same' } }, { deliveries: { responseMs: 10 } })
    const told = new Promise((done) => {
      const body = { short_message: Buffer.from('1') }
      smsc.deliveries.send({ ...said, command: 'deliver_sm', body, tlvs: [], done })
    })
    await one.take('deliver_sm')
    assert.deepEqual(await told, { kind: 'given-up', why: 'not answered after 1 attempts' })
    assert.deepEqual(await sofar(one), ['deliver_sm'])
    assert.deepEqual([smsc.deliveries.counts.sent, smsc.deliveries.counts.redelivered], [1, 0])
  })
})
