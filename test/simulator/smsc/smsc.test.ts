import assert from 'node:assert/strict'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { startSmsc, type Smsc, type SmscOptions } from '../../../src/simulator/smsc/smsc.ts'
import { HELD_MS, heldClock, realClock } from '../../support/clock.ts'
import { esme, reply, type Esme } from '../esme.ts'

const JOHN = '67570000001'

describe('the simulated SMSC', () => {
  let smsc: Smsc
  const esmes: Esme[] = []

  async function start(options: Partial<SmscOptions> = {}): Promise<Smsc> {
    smsc = await startSmsc({ clock: realClock, chance: seededChance(1), ...options })
    return smsc
  }
  async function connected(): Promise<Esme> {
    const one = await esme(smsc.port)
    esmes.push(one)
    return one
  }
  async function bound(mode?: string): Promise<Esme> {
    const one = await connected()
    assert.equal((await one.bind(mode)).status, 0)
    return one
  }

  afterEach(async () => {
    for (const one of esmes.splice(0)) one.end()
    await smsc.stop()
  })

  describe('binds', () => {
    it('gives its name and version in the response, and lists the bind', async () => {
      await start({ name: 'USSDC' })
      const one = await connected()
      const answer = await one.bind('receiver')
      assert.equal(answer.body['system_id'], 'USSDC')
      assert.deepEqual(answer.tlvs, [{ tag: 0x0210, value: Buffer.of(0x34) }])
      assert.deepEqual(
        smsc.binds().map((row) => [row.systemId, row.mode, row.state]),
        [['aweh', 'receiver', 'bound']],
      )
    })

    it('refuses an unknown system id, a wrong password, and one bind more than allowed', async () => {
      await start({ accounts: [{ systemId: 'aweh', password: 'secret08' }], bindsMax: 1 })
      assert.equal((await (await connected()).bind('transceiver', 'other')).status, 0x0f)
      assert.equal((await (await connected()).bind('transceiver', 'aweh', 'wrong')).status, 0x0e)
      await bound()
      const second = await connected()
      assert.equal((await second.bind()).status, 0x05)
      await second.closed
      assert.equal(smsc.binds().length, 1)
    })

    it('refuses a submit before a bind and on a receiver', async () => {
      await start()
      const one = await connected()
      one.send({ command: 'submit_sm', body: { destination_addr: JOHN } })
      assert.equal((await one.take('submit_sm_resp')).status, 0x04)
      await one.bind('receiver')
      one.send({ command: 'submit_sm', body: { destination_addr: JOHN } })
      assert.equal((await one.take('submit_sm_resp')).status, 0x04)
    })

    it('answers enquire_link, asks for it too, and closes a bind that twice does not answer', async () => {
      await start({ enquireMs: 20 })
      const one = await bound()
      one.send({ command: 'enquire_link' })
      await one.take('enquire_link_resp')
      one.ack(await one.take('enquire_link'))
      await one.take('enquire_link')
      await one.closed
      assert.deepEqual(smsc.binds(), [])
    })

    it('unbinds in good order from either side', async () => {
      await start()
      const one = await bound()
      one.send({ command: 'unbind' })
      await one.take('unbind_resp')
      await one.closed
      const two = await bound()
      smsc
        .peers()
        .find((peer) => peer.state === 'bound')!
        .unbind(1000)
      one.end()
      two.ack(await two.take('unbind'))
      await two.closed
      assert.deepEqual(smsc.binds(), [])
    })

    it('answers an unknown command by generic_nack and stays bound; lost framing by generic_nack and the end', async () => {
      await start()
      const one = await bound()
      one.socket.write(Buffer.from('0000001400010201000000000000019701020304', 'hex'))
      const nack = await one.take('generic_nack')
      assert.deepEqual([nack.status, nack.sequence], [0x03, 0x197])
      one.socket.write(Buffer.from('0000000f000000150000000000000001', 'hex'))
      const last = await one.take('generic_nack')
      assert.deepEqual([last.status, last.sequence], [0x02, 0])
      await one.closed
    })
  })

  describe('USSD', () => {
    it('speaks the octets of the standard vectors', async () => {
      await start({ firstNumber: 7 })
      const one = await bound()
      const phone = smsc.phone('992000000001')
      const first = phone.dial('*3322#')
      const begin = await one.take('deliver_sm')
      assert.deepEqual(
        begin.tlvs.map((t) => [t.tag, t.value.toString('hex')]),
        [
          [0x0501, '01'],
          [0x1383, '0700'],
        ],
      )
      assert.equal(begin.body['destination_addr'], '3322')
      assert.equal((begin.body['short_message'] as Buffer).toString(), '*3322#')
      one.ack(begin)
      one.socket.write(
        Buffer.from(
          '0000006100000004000000000000000a555353440000013333323200010139393230303030303030303100000000000000000f0021417765680a312042616c616e63650a322052656d696e64206d650a3020457869740501000102138300020702',
          'hex',
        ),
      )
      const menu = await first
      assert.equal(menu.text, 'Aweh\n1 Balance\n2 Remind me\n0 Exit')
      assert.deepEqual([menu.open, menu.action, menu.units, menu.over], [true, 'ask', 33, false])
      const second = phone.answer('2')
      const input = await one.take('deliver_sm')
      assert.deepEqual(
        input.tlvs.map((t) => [t.tag, t.value.toString('hex')]),
        [
          [0x0501, '12'],
          [0x1383, '0702'],
        ],
      )
      one.ack(input)
      one.socket.write(
        Buffer.from(
          '0000004900000004000000000000000b555353440000013333323200010139393230303030303030303100000000000000000f0009446f6e652e204279650501000111138300020705',
          'hex',
        ),
      )
      const bye = await second
      assert.deepEqual([bye.text, bye.open, bye.action], ['Done. Bye', false, 'end'])
      assert.equal(smsc.network.count(), 0)
    })

    it('refuses a reply to a dialogue that has ended or has another number', async () => {
      await start()
      const one = await bound()
      const phone = smsc.phone(JOHN)
      const first = phone.dial('*123#')
      const begin = await one.take('deliver_sm')
      one.send(reply(begin, 17, 'Bye', { end: true }))
      await first
      assert.equal((await one.take('submit_sm_resp')).status, 0)
      one.send(reply(begin, 2, 'Late'))
      assert.equal((await one.take('submit_sm_resp')).status, 0x45)
      const again = phone.dial('*123#')
      const anew = await one.take((pdu) => pdu.command === 'deliver_sm')
      one.send(reply(begin, 2, 'For the dialogue before'))
      assert.equal((await one.take('submit_sm_resp')).status, 0x45)
      one.send(reply(anew, 2, 'For this one'))
      assert.equal((await again).text, 'For this one')
    })

    it('tells the ESME of a hang-up and of a network time-out by the end bit', async () => {
      await start()
      const one = await bound()
      for (const leave of ['hangUp', 'timeOut'] as const) {
        const phone = smsc.phone(JOHN)
        const first = phone.dial('*123#')
        one.send(reply(await one.take('deliver_sm'), 2, 'Menu'))
        await first
        phone[leave]()
        const left = await one.take('deliver_sm')
        assert.equal(left.tlvs[0]!.value[0], 18)
        assert.equal(left.tlvs[1]!.value[1]! & 1, 1)
        assert.equal((left.body['short_message'] as Buffer).length, 0)
      }
    })

    it('shows a push, carries the answer back, and confirms a notification by itself', async () => {
      await start()
      const one = await bound()
      const phone = smsc.phone(JOHN)
      const template = {
        tlvs: [{ tag: 0x1383, value: Buffer.of(9, 0) }],
        body: {
          source_addr: JOHN,
          source_addr_ton: 1,
          source_addr_npi: 1,
          destination_addr: '3322',
          dest_addr_npi: 1,
          service_type: 'USSD',
        },
      }
      const push = { command: 'deliver_sm', status: 0, sequence: 0, ...template }
      one.send(reply(push, 2, 'Pay now?'))
      assert.equal((await phone.next()).text, 'Pay now?')
      phone.type('1')
      const input = await one.take('deliver_sm')
      assert.deepEqual(
        input.tlvs.map((t) => t.value.toString('hex')),
        ['12', '0902'],
      )
      assert.equal(input.body['destination_addr'], '3322')
      one.send(reply(input, 3, 'Paid', { end: true }))
      assert.equal((await phone.next()).open, false)
      one.send(reply({ ...push, tlvs: [] }, 3, 'Your parcel is here'))
      assert.equal((await phone.next()).action, 'notify')
      const confirm = await one.take((pdu) => pdu.tlvs.some((t) => t.value[0] === 19))
      assert.equal((confirm.body['short_message'] as Buffer).length, 0)
    })

    it('says how long a text is and that it is too long, and cuts nothing', async () => {
      await start()
      const one = await bound()
      const first = smsc.phone(JOHN).dial('*123#')
      one.send(reply(await one.take('deliver_sm'), 2, 'x'.repeat(183)))
      const screen = await first
      assert.deepEqual([screen.text.length, screen.units, screen.over], [183, 183, true])
    })

    it('reads UCS-2, and types in UCS-2 what GSM 7-bit lacks', async () => {
      await start()
      const one = await bound()
      const phone = smsc.phone(JOHN)
      const first = phone.dial('*123#')
      const menu = reply(await one.take('deliver_sm'), 2, '')
      const text = Buffer.from('Баланс €', 'utf16le').swap16()
      one.send({ ...menu, body: { ...menu.body, data_coding: 8, short_message: text } })
      assert.deepEqual([(await first).text, (await phone.screen)!.units], ['Баланс €', 8])
      phone.type('Да')
      const input = await one.take('deliver_sm')
      assert.equal(input.body['data_coding'], 8)
      assert.equal((input.body['short_message'] as Buffer).toString('hex'), '04140430')
    })

    it('rejects with the story so far when no screen comes, and when the ESME refuses', async () => {
      await start()
      const one = await bound()
      const phone = smsc.phone(JOHN)
      await assert.rejects(phone.dial('*123#', { withinMs: 30 }), /waited 30 ms[^]*dials \*123#/)
      await one.take('deliver_sm')
      const refused = phone.dial('*124#')
      one.ack(await one.take('deliver_sm'), 0x64)
      await assert.rejects(refused, /0x64 ESME_RX_T_APPN[^]*dials \*123#[^]*dials \*124#/)
    })

    it('ends the dialogue itself when the ESME takes too long, and says so to both', async () => {
      await start({ applicationMs: 30 })
      const one = await bound()
      const late = assert.rejects(smsc.phone(JOHN).dial('*123#'), /did not answer within 30 ms/)
      const begin = await one.take('deliver_sm')
      await late
      assert.equal((await one.take('deliver_sm')).tlvs[1]!.value[1]! & 1, 1)
      one.send(reply(begin, 2, 'Too late'))
      assert.equal((await one.take('submit_sm_resp')).status, 0x45)
    })

    it('knows a subscriber by the form that the network writes him in', async () => {
      await start()
      const one = await bound()
      const first = smsc.phone(JOHN, [0, 1, '0067570000001']).dial('*123#')
      const begin = await one.take('deliver_sm')
      assert.equal(begin.body['source_addr'], '0067570000001')
      one.send(reply(begin, 2, 'Menu'))
      assert.equal((await first).text, 'Menu')
    })
  })

  describe('redelivery', () => {
    it('delivers again on a new bind, under a new sequence number, what was not acknowledged', async () => {
      await start()
      const one = await bound()
      const first = smsc.phone(JOHN).dial('*123#')
      const begin = await one.take('deliver_sm')
      one.end()
      await one.closed
      const two = await bound()
      const again = await two.take('deliver_sm')
      assert.deepEqual([again.body, again.tlvs], [begin.body, begin.tlvs])
      two.ack(again)
      two.send(reply(again, 2, 'Menu'))
      assert.equal((await first).text, 'Menu')
      assert.equal(smsc.deliveries.counts.redelivered, 1)
    })

    it('does not deliver again what was acknowledged', async () => {
      await start()
      const one = await bound()
      void smsc
        .phone(JOHN)
        .dial('*123#')
        .catch(() => undefined)
      one.ack(await one.take('deliver_sm'))
      one.send({ command: 'enquire_link' })
      await one.take('enquire_link_resp')
      one.end()
      const two = await bound()
      two.send({ command: 'enquire_link' })
      await two.take('enquire_link_resp')
      assert.deepEqual(
        two.seen.map((pdu) => pdu.command),
        ['bind_transceiver_resp', 'enquire_link_resp'],
      )
    })

    it('keeps the order of one subscriber over a loss', async () => {
      await start()
      const one = await bound()
      const phone = smsc.phone(JOHN)
      const first = phone.dial('*123#')
      one.send(reply(await one.take('deliver_sm'), 2, 'Menu'))
      await first
      one.end()
      await one.closed
      phone.type('1')
      const two = await bound()
      const ops = [await two.take('deliver_sm'), await two.take('deliver_sm')].map((pdu) => pdu.tlvs[0]!.value[0])
      assert.deepEqual(ops, [1, 18])
    })

    it('spreads deliveries over the binds of a system id, and never to a transmitter', async () => {
      await start()
      const transmitter = await bound('transmitter')
      const receivers = [await bound('receiver'), await bound('receiver')]
      for (let i = 0; i < 4; i++)
        void smsc
          .phone(`6757000000${i}`)
          .dial('*123#')
          .catch(() => undefined)
      for (const one of receivers) for (let i = 0; i < 2; i++) one.ack(await one.take('deliver_sm'))
      assert.deepEqual(
        transmitter.seen.map((pdu) => pdu.command),
        ['bind_transmitter_resp'],
      )
    })
  })

  describe('SMS', () => {
    const sms = (text: string, more: Record<string, number> = {}) => ({
      command: 'submit_sm',
      body: {
        source_addr_ton: 5,
        source_addr: 'AWEH',
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: JOHN,
        short_message: Buffer.from(text, 'latin1'),
        ...more,
      },
    })

    it('reaches the phone, and tells of it by a receipt with text and TLVs', async () => {
      await start()
      const one = await bound()
      one.send(sms('Reminder: Checkup', { registered_delivery: 1 }))
      assert.equal((await smsc.phone(JOHN).sms()).text, 'Reminder: Checkup')
      const id = (await one.take('submit_sm_resp')).body['message_id'] as string
      const receipt = await one.take('deliver_sm')
      one.ack(receipt)
      assert.equal(receipt.body['esm_class'], 0x04)
      assert.match(
        (receipt.body['short_message'] as Buffer).toString(),
        new RegExp(
          `^id:${id} sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000 text:Reminder: Checkup$`,
        ),
      )
      assert.deepEqual(
        receipt.tlvs.map((t) => [t.tag, t.value.toString('latin1')]),
        [
          [0x001e, `${id}\0`],
          [0x0427, '\x02'],
        ],
      )
    })

    it('sends no receipt that nobody asked for, and only failures where only these were asked for', async () => {
      await start()
      const one = await bound()
      one.send(sms('a'))
      one.send(sms('b', { registered_delivery: 2 }))
      await one.take('submit_sm_resp')
      await one.take('submit_sm_resp')
      smsc.phone(JOHN).isOff = true
      one.send(sms('c', { registered_delivery: 2 }))
      const receipt = await one.take('deliver_sm')
      assert.match((receipt.body['short_message'] as Buffer).toString(), /stat:UNDELIV err:000 text:c$/)
      assert.deepEqual(
        smsc.phone(JOHN).inbox.map((m) => m.text),
        ['a', 'b'],
      )
    })

    it('has phones that keep as many SMS as they are told to, the newest', async () => {
      await start({ inboxMax: 2 })
      const one = await bound()
      for (const text of ['a', 'b', 'c']) {
        one.send(sms(text))
        await one.take('submit_sm_resp')
      }
      assert.deepEqual(
        smsc.phone(JOHN).inbox.map((m) => m.text),
        ['b', 'c'],
      )
    })

    it('can give the id in hexadecimal and tell of it in decimal, twice, and before the response', async () => {
      await start({
        receipts: { idForms: { response: 'HEX', receipt: 'dec' }, times: 2, order: 'before-response', carries: 'text' },
      })
      const one = await bound()
      one.send(sms('a', { registered_delivery: 1 }))
      await one.take('submit_sm_resp')
      await one.take('deliver_sm')
      await one.take('deliver_sm')
      assert.deepEqual(one.seen.map((pdu) => pdu.command).slice(1), ['deliver_sm', 'deliver_sm', 'submit_sm_resp'])
      assert.equal(one.seen[3]!.body['message_id'], '75BCD15')
      assert.match((one.seen[1]!.body['short_message'] as Buffer).toString(), /^id:123456789 /)
      assert.deepEqual(one.seen[1]!.tlvs, [])
    })

    it('puts parts together that come in any order and twice: UDH, sar and payload', async () => {
      await start()
      const one = await bound()
      const phone = smsc.phone(JOHN)
      const udh = (index: number, text: string) =>
        sms(`\x05\x00\x03\x4d\x02${String.fromCharCode(index)}${text}`, { esm_class: 0x40 })
      one.send(udh(2, 'world'))
      one.send(udh(2, 'world'))
      one.send(udh(1, 'Hello '))
      const joined = await phone.sms()
      assert.deepEqual([joined.text, joined.parts, joined.over], ['Hello world', 2, false])
      const sar = (index: number, text: string) => ({
        ...sms(text),
        tlvs: [
          { tag: 0x020c, value: Buffer.of(0, 7) },
          { tag: 0x020e, value: Buffer.of(2) },
          { tag: 0x020f, value: Buffer.of(index) },
        ],
      })
      one.send(sar(2, 'b'))
      one.send(sar(1, 'a'))
      assert.equal((await phone.sms()).text, 'ab')
      one.send({ ...sms(''), tlvs: [{ tag: 0x0424, value: Buffer.from('p'.repeat(400)) }] })
      assert.equal((await phone.sms()).text, 'p'.repeat(400))
      one.send(sms('x'.repeat(161)))
      assert.equal((await phone.sms()).over, true)
    })

    it('answers query_sm and cancel_sm by message id', async () => {
      await start({ receipts: { delayMs: 60_000 } })
      const one = await bound()
      one.send(sms('later'))
      const message_id = (await one.take('submit_sm_resp')).body['message_id']!
      one.send({ command: 'query_sm', body: { message_id } })
      assert.equal((await one.take('query_sm_resp')).body['message_state'], 1)
      one.send({ command: 'cancel_sm', body: { message_id } })
      assert.equal((await one.take('cancel_sm_resp')).status, 0)
      one.send({ command: 'cancel_sm', body: { message_id } })
      assert.equal((await one.take('cancel_sm_resp')).status, 0x11)
      one.send({ command: 'query_sm', body: { message_id } })
      assert.equal((await one.take('query_sm_resp')).body['message_state'], 4)
      one.send({ command: 'query_sm', body: { message_id: 'none' } })
      assert.equal((await one.take('query_sm_resp')).status, 0x67)
    })

    it('replaces the text of what waits, once it is delivered the handset shows the new one', async () => {
      const clock = heldClock()
      await start({ clock, receipts: { delayMs: HELD_MS } })
      const one = await bound()
      one.send(sms('before'))
      const message_id = (await one.take('submit_sm_resp')).body['message_id']!
      const replace = (body: object) =>
        one.send({
          command: 'replace_sm',
          body: {
            message_id,
            source_addr: sms('').body.source_addr,
            short_message: Buffer.from('after'),
            ...body,
          } as never,
        })
      replace({ source_addr: 'other' })
      assert.equal((await one.take('replace_sm_resp')).status, 0x13)
      replace({})
      assert.equal((await one.take('replace_sm_resp')).status, 0)
      clock.release()
      assert.equal((await smsc.phone(JOHN).sms()).text, 'after')
      replace({})
      assert.equal((await one.take('replace_sm_resp')).status, 0x13)
      smsc.chaos.add({ on: 'replace_sm', act: { is: 'refuse', status: 0x03 } })
      replace({})
      assert.equal((await one.take('replace_sm_resp')).status, 0x03)
    })

    it('carries an SMS from a phone and says how it was acknowledged', async () => {
      await start()
      const one = await bound()
      const sent = smsc.phone(JOHN).send('123', 'STOP')
      const got = await one.take('deliver_sm')
      assert.equal((got.body['short_message'] as Buffer).toString(), 'STOP')
      one.ack(got)
      assert.equal(await sent, 0)
    })
  })

  it('remembers the last PDUs both ways, without the password', async () => {
    await start({ traceMax: 3 })
    await bound()
    const one = await bound()
    one.send({ command: 'enquire_link' })
    await one.take('enquire_link_resp')
    const last = smsc.trace()
    assert.deepEqual(
      last.map((t) => t.direction),
      ['out', 'in', 'out'],
    )
    const all = await startSmsc({ clock: realClock, chance: seededChance(1) })
    const two = await esme(all.port)
    await two.bind()
    assert.ok(!all.trace().some((t) => t.octets.includes('secret08')))
    assert.ok(all.trace()[0]!.octets.includes('********'))
    two.end()
    await all.stop()
  })
})
