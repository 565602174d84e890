/** The simulator against an ESME that shares no code with it: the npm package smpp. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import { startSmsc, type Smsc } from '../../src/simulator/smsc/smsc.ts'
import { realClock } from '../support/clock.ts'

interface ForeignPdu {
  command: string
  command_status: number
  sequence_number: number
  response(): ForeignPdu
  [field: string]: unknown
}
interface ForeignSession {
  on(event: string, listener: (pdu: ForeignPdu) => void): void
  send(pdu: ForeignPdu): void
  close(): void
  bind_transceiver(fields: object, answered: (pdu: ForeignPdu) => void): void
  submit_sm(fields: object, answered: (pdu: ForeignPdu) => void): void
  unbind(answered: (pdu: ForeignPdu) => void): void
}
interface Foreign {
  connect(options: object, connected: () => void): ForeignSession
}

/** Its own copy, as the package comes: the daemon's codec changes the tables of the shared one. */
function untouched(): Foreign {
  const load = createRequire(import.meta.url)
  const shared = Object.keys(load.cache).filter((file) => /node_modules[\\/]smpp[\\/]/.test(file))
  const kept = shared.map((file) => [file, load.cache[file]] as const)
  for (const file of shared) delete load.cache[file]
  const own = load('smpp') as Foreign
  for (const [file, module] of kept) load.cache[file] = module
  return own
}

const smpp = untouched()
const JOHN = '67570000001'

describe('the simulator and a foreign ESME', () => {
  let smsc: Smsc
  let session: ForeignSession

  beforeEach(async () => {
    smsc = await startSmsc({ clock: realClock, chance: seededChance(1), name: 'USSDC' })
    session = await new Promise((done) => {
      const made = smpp.connect({ host: '127.0.0.1', port: smsc.port }, () => done(made))
      made.on('error', () => undefined)
    })
    const answer = await new Promise<ForeignPdu>((done) =>
      session.bind_transceiver({ system_id: 'aweh', password: 'secret08', interface_version: 0x34 }, done),
    )
    assert.deepEqual([answer.command_status, answer['system_id'], answer['sc_interface_version']], [0, 'USSDC', 0x34])
  })
  afterEach(async () => {
    session.close()
    await smsc.stop()
  })

  const submit = (fields: object) => new Promise<ForeignPdu>((done) => session.submit_sm(fields, done))

  it('talk USSD: begin, menu, answer, end', async () => {
    session.on('deliver_sm', (pdu) => {
      session.send(pdu.response())
      const isBegin = pdu['ussd_service_op'] === 1
      const carrier = Buffer.from(pdu['its_session_info'] as Buffer)
      carrier[1] = isBegin ? 2 : 5
      session.submit_sm(
        {
          service_type: 'USSD',
          source_addr: pdu['destination_addr'],
          destination_addr: pdu['source_addr'],
          data_coding: 0x0f,
          short_message: Buffer.from(isBegin ? 'Menu' : 'Bye'),
          ussd_service_op: isBegin ? 2 : 17,
          its_session_info: carrier,
        },
        () => undefined,
      )
    })
    const phone = smsc.phone(JOHN)
    assert.equal((await phone.dial('*123#')).text, 'Menu')
    const last = await phone.answer('1')
    assert.deepEqual([last.text, last.open], ['Bye', false])
  })

  it('carry an SMS and its receipt', async () => {
    const receipt = new Promise<ForeignPdu>((done) =>
      session.on('deliver_sm', (pdu) => {
        session.send(pdu.response())
        done(pdu)
      }),
    )
    const answer = await submit({ destination_addr: JOHN, short_message: 'Reminder', registered_delivery: 1 })
    assert.equal((await smsc.phone(JOHN).sms()).text, 'Reminder')
    const told = await receipt
    assert.equal(told['esm_class'], 4)
    assert.equal(told['receipted_message_id'], answer['message_id'])
    assert.equal(told['message_state'], 2)
    assert.match((told['short_message'] as { message: string }).message, /stat:DELIVRD/)
  })

  it('see refusals and unbind', async () => {
    smsc.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'refuse', status: 0x58 } })
    assert.equal((await submit({ destination_addr: JOHN, short_message: 'a' })).command_status, 0x58)
    const gone = await new Promise<ForeignPdu>((done) => session.unbind(done))
    assert.equal(gone.command_status, 0)
  })
})
