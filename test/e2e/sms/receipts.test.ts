import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { ID, raw, startPeer, type Peer } from '../../support/peer.ts'
import { describeWith, until } from '../../support/services.ts'

/** What a deliver_sm may say beside its text, C-strings of any length. (SMPP v3.4 §4.6.1) */
interface Said {
  serviceType?: string
  from?: string
  to?: string
  esmClass?: number
  schedule?: string
  validity?: string
  text?: string
  /** Optional parameters, in hex. */
  parameters?: string
}

function deliver(sequence: number, said: Said): Buffer {
  const {
    serviceType = '',
    from = '',
    to = '123',
    esmClass = 0x04,
    schedule = '',
    validity = '',
    text = '',
    parameters = '',
  } = said
  const octet = (value: number) => String.fromCharCode(value)
  const body =
    `${serviceType}\0\x01\x01${from}\0\x00\x01${to}\0${octet(esmClass)}\x00\x00${schedule}\0${validity}\0` +
    `\x00\x00\x00\x00${octet(text.length)}${text}`
  return raw(ID.deliver, 0, sequence, Buffer.concat([Buffer.from(body, 'latin1'), Buffer.from(parameters, 'hex')]))
}

const receiptOf = (id: string, state = 'DELIVRD') =>
  `id:${id} sub:001 dlvrd:001 submit date:2505010900 done date:2505010900 stat:${state} err:000 text:`

/** user_message_reference of a submit_sm. (SMPP v3.4 §5.3.2.17) */
const referenceIn = (body: Buffer) => body.subarray(body.indexOf(Buffer.from('02040002', 'hex')) + 4).readUInt16BE()
const echoing = (reference: number) => `02040002${reference.toString(16).padStart(4, '0')}`

/** Three SMSCs: one names its messages, one numbers them in hexadecimal, the last calls each of them 0. */
describeWith(['redis', 'postgres'], 'receipts as SMSCs write them', () => {
  const peers = new Map<string, Peer>()
  let staged: Staged
  let sequence = 100

  before(async function () {
    let [named, numbered] = [0, 0x1a_0000]
    const names: Record<string, () => string> = {
      named: () => `m${++named}`,
      numbered: () => (++numbered).toString(16).toUpperCase(),
      useless: () => '0',
    }
    for (const [line, name] of Object.entries(names)) {
      peers.set(
        line,
        await startPeer({ onSubmit: (pdu) => raw(ID.response + ID.submit, 0, pdu.sequence, `${name()}\0`) }),
      )
    }
    staged = await stageDaemon({
      smscPort: peers.get('named')!.port,
      change: (settings) => {
        const [first] = settings.lines
        settings.lines = [...peers].map(([name, { port }]) => ({
          ...first!,
          name,
          dialect: name === 'useless' ? 'c-gateway' : 'standard',
          smsc: { ...first!.smsc, port },
        }))
        settings.reminders.pollMs = 50
      },
    })
    await Promise.all([...peers.values()].map((peer) => peer.bound()))
  })
  after(async () => {
    await staged?.close()
    for (const peer of peers.values()) await peer.stop()
  })

  /** Owes an SMS; gives its id and what the SMSC was told once it has it. */
  async function accepted(
    line: string,
    msisdn: string,
    text = 'Your appointment is tomorrow',
  ): Promise<{ id: string; submits: Buffer[] }> {
    const [row] = (await staged
      .knex('sms_outbox')
      .insert({
        subject: `test:${randomUUID()}`,
        kind: 'reminder',
        msisdn,
        line,
        text,
        due_at: new Date(FROZEN - 1000),
        expires_at: new Date(FROZEN + 3_600_000),
        wake_at: new Date(0),
        created_at: new Date(),
      })
      .returning('id')) as { id: string }[]
    await until(async () => (await stateOf(row!.id)) === 'accepted', 'it is not accepted')
    const submits = peers
      .get(line)!
      .connections[0]!.all(ID.submit)
      .map(({ body }) => body)
      .filter((body) => body.includes(`${msisdn}\0`))
    return { id: row!.id, submits }
  }
  const stateOf = async (id: string) =>
    (await staged.knex('sms_outbox').where({ id }).first<{ state: string }>('state'))?.state

  /** The status that it is answered with. */
  async function said(line: string, what: Said): Promise<number> {
    const link = peers.get(line)!.connections[0]!
    const own = ++sequence
    link.send(deliver(own, what))
    const answer = () => link.all(ID.response + ID.deliver).find((pdu) => pdu.sequence === own)
    await until(() => answer() !== undefined, 'it is not answered')
    return answer()!.status
  }

  describe('with a field that they do not need, and that is too long', () => {
    const LONG: [string, Said][] = [
      ['service_type', { serviceType: 'smscsim' }],
      ['schedule_delivery_time', { schedule: '2025-05-01T09:00:00+10:00' }],
      ['validity_period', { validity: 'tomorrow, at the same time' }],
      ['destination_addr', { to: '1'.repeat(30) }],
      ['source_addr', { from: '+675 7000 0031 (mobile phone)' }],
      ['all of them, and long', { serviceType: 'x'.repeat(9_000), to: '1'.repeat(9_000), schedule: '0'.repeat(9_000) }],
      ['callback_num', { parameters: `03810020${'31'.repeat(32)}` }],
      ['source_subaddress', { parameters: `02020020${'31'.repeat(32)}` }],
    ]
    for (const [field, what] of LONG) {
      it(`${field}: taken, counted, and the SMS is delivered`, async () => {
        const before = await tolerated()
        const { id } = await accepted('named', '67570000031')
        const { message_id: name } = (await staged.knex('sms_part').where({ sms: id }).first<{ message_id: string }>())!
        assert.equal(await said('named', { from: '67570000031', ...what, text: receiptOf(name) }), 0)
        assert.equal(await stateOf(id), 'delivered')
        assert.equal(await tolerated(), before + 1)
      })
    }
    const tolerated = () => staged.daemon.metrics.value('smpp_tolerated', { line: 'named', what: 'field-length' })

    it('so is an SMS of a subscriber, but not where nobody could tell whose it is', async () => {
      const sms = { esmClass: 0, from: '67570000032', text: 'hello' }
      assert.equal(await said('named', { ...sms, serviceType: 'smscsim' }), 0)
      assert.equal(await said('named', { ...sms, from: '6'.repeat(30) }), 0x0a)
      assert.equal(await staged.daemon.metrics.value('sms_incoming_total', { line: 'named', result: 'unknown' }), 1)
    })

    it('a dial whose answer would have to carry it is refused, and the log says the remedy', async () => {
      const dial = { esmClass: 0, from: '67570000033', text: '*123#', parameters: '0501000101' }
      assert.equal(await said('named', { ...dial, serviceType: 'smscsim' }), 0x15)
      const refused = staged.logged().findLast((it) => it.msg === 'PDU refused')
      assert.equal(refused?.why, 'service_type-too-long')
      assert.match(String(refused?.remedy), /outbound/)
      assert.equal(await said('named', { ...dial, serviceType: 'USSD', schedule: '2025-05-01T09:00:00+10:00' }), 0)
    })
  })

  describe('of an SMSC whose message ids say nothing', () => {
    it('are matched by the user_message_reference that they echo', async () => {
      const [first, second] = [await accepted('useless', '67570000041'), await accepted('useless', '67570000041')]
      const reference = referenceIn(second.submits[1]!)
      const receipt = { from: '67570000041', parameters: echoing(reference) }
      assert.equal(await said('useless', { ...receipt, text: receiptOf('0') }), 0)
      assert.deepEqual([await stateOf(first.id), await stateOf(second.id)], ['accepted', 'delivered'])
    })

    it('are not, where they name another subscriber: references come round', async () => {
      const { id, submits } = await accepted('useless', '67570000042')
      const parameters = echoing(referenceIn(submits[0]!))
      await said('useless', { from: '67570000049', text: receiptOf('0'), parameters })
      assert.equal(await stateOf(id), 'accepted')
      await said('useless', { from: '67570000042', text: receiptOf('0', 'UNDELIV'), parameters })
      assert.equal(await stateOf(id), 'failed')
    })

    it('settle an SMS of several parts when there is one for each', async () => {
      const { id, submits } = await accepted('useless', '67570000043', 'word '.repeat(50).trim())
      assert.equal(submits.length, 2)
      const receipt = { from: '67570000043', text: receiptOf('0'), parameters: echoing(referenceIn(submits[0]!)) }
      await said('useless', receipt)
      assert.equal(await stateOf(id), 'accepted')
      await said('useless', receipt)
      assert.equal(await stateOf(id), 'delivered')
    })
  })

  it('of an SMSC that numbers in hexadecimal, and in its receipts in decimal: five show it, and the rest arrive', async () => {
    const ids: string[] = []
    for (let n = 0; n < 6; n++) {
      const { id } = await accepted('numbered', '67570000061')
      const { message_id: name } = (await staged.knex('sms_part').where({ sms: id }).first<{ message_id: string }>())!
      await said('numbered', { from: '67570000061', text: receiptOf(`00${parseInt(name, 16)}`) })
      ids.push(id)
    }
    assert.equal(await stateOf(ids[5]!), 'delivered')
    const known = staged.logged().find((it) => it.msg === 'the form of message ids in receipts is known')
    assert.deepEqual([known?.line, known?.form], ['numbered', 'hex-to-dec'])
  })

  it('without any message id are matched by the reference, too', async () => {
    const { id, submits } = await accepted('named', '67570000051')
    const parameters = `${echoing(referenceIn(submits[0]!))}0427000102`
    assert.equal(await said('named', { from: '67570000051', text: '', parameters }), 0)
    assert.equal(await stateOf(id), 'delivered')
  })
})
