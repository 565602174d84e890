import assert from 'node:assert/strict'
import { loadDialect } from '../../src/smpp/dialect-load.ts'
import type { ReturnPath, UssdAction, UssdMessage } from '../../src/ussd/types.ts'
import { DIALECTS, pduOf, vector } from './dialect-support.ts'

/** Vector, dialect, event, number of the dialogue, code, text, turn counter, meta. */
type Inbound = [string, string, UssdMessage['kind'], string, string, string, number?, Record<string, string>?]

const INBOUND: Inbound[] = [
  ['u01', 'standard', 'begin', '7', '*3322#', '', 0],
  ['u05', 'standard', 'input', '7', '', '2', 1],
  ['u08', 'standard', 'notify-ack', '', '', ''],
  ['u10', 'standard', 'begin', '', '*3322#', ''],
  ['u18', 'standard', 'input', '', '', 'Да'],
  ['u22', 'standard', 'input', '', '', 'my long answer'],
  ['d01', 'vumi-tata', 'begin', '0102', '*3322#', ''],
  ['d03', 'vumi-tata', 'abort', '0102', '', ''],
  ['d04', 'mica', 'begin', '12345', '*123#', ''],
  ['d05', 'mica', 'abort', '12345', '', ''],
  ['d34', 'mica', 'begin', '12853', '*372#', ''],
  ['d01', 'msisdn-only', 'begin', '', '*3322#', ''],
  ['u05', 'msisdn-only', 'input', '', '', '2'],
]

describe('what the captured and documented PDUs mean', () => {
  for (const [id, name, kind, network, code, text, step, meta] of INBOUND) {
    it(`${name}: ${vector(id).id} is ${kind} (${vector(id).note})`, () => {
      const read = loadDialect(name, DIALECTS).read(pduOf(vector(id)))
      assert.equal(read.is, 'ussd')
      assert.ok(read.is === 'ussd')
      const { message } = read
      assert.deepEqual([message.kind, message.network, message.code, message.text, message.step],
        [kind, network, code, text, step])
      assert.equal(message.msisdn, vector(id).decoded.source_addr)
      if (meta) assert.deepEqual(message.meta, meta)
    })
  }

  for (const id of ['r01', 'r02', 'r05', 'r06', 'r07']) {
    it(`standard: ${vector(id).id} is a receipt`, () => {
      assert.deepEqual(loadDialect('standard', DIALECTS).read(pduOf(vector(id))), { is: 'receipt' })
    })
  }
})

/** Vector that we must write, dialect, vector (or path) that it answers, what we say. */
type Outbound = [string, string, string | Partial<ReturnPath>, UssdAction, string]

const toSubscriber: Partial<ReturnPath> = { from: [1, 1, '992000000001'], to: [0, 1, '3322'], serviceType: 'USSD' }

const OUTBOUND: Outbound[] = [
  ['u03', 'standard', 'u01', 'continue', 'Aweh\n1 Balance\n2 Remind me\n0 Exit'],
  ['u06', 'standard', { ...toSubscriber, carrier: '0702', more: { dcs: '15' } }, 'end', 'Done. Bye'],
  ['u07', 'standard', toSubscriber, 'notify', 'Your parcel is here'],
  ['u09', 'standard', { ...toSubscriber, carrier: '0900' }, 'push-begin', 'Pay now? 1 yes 2 no'],
  ['u11', 'standard', 'u10', 'end', 'ok'],
  ['u16', 'standard', { ...toSubscriber, carrier: '0704', more: { dcs: '15' } }, 'continue', 'Баланс 5€'],
  ['u25', 'standard', { ...toSubscriber, carrier: '0900', more: { dcs: '0' } }, 'push-end', 'Paid'],
  ['d02', 'vumi-tata', { ...toSubscriber, serviceType: '', carrier: '0102', more: { dcs: '0' } }, 'end', 'Bye'],
]

describe('what is written, octet by octet', () => {
  for (const [id, name, answered, action, text] of OUTBOUND) {
    it(`${name}: ${vector(id).id} (${vector(id).note})`, () => {
      const dialect = loadDialect(name, DIALECTS)
      const { pdu, cut } = dialect.write({ action, text }, pathOf(name, answered))
      const wanted = pduOf(vector(id))
      assert.equal(cut, false)
      assert.equal(pdu.command, wanted.command)
      assert.deepEqual(pdu.body, wanted.body)
      assert.deepEqual(pdu.tlvs, wanted.tlvs)
    })
  }
})

function pathOf(name: string, answered: string | Partial<ReturnPath>): ReturnPath {
  if (typeof answered !== 'string') {
    return { from: [0, 0, ''], to: [0, 0, ''], serviceType: '', carrier: '', ...answered }
  }
  const read = loadDialect(name, DIALECTS).read(pduOf(vector(answered)))
  assert.ok(read.is === 'ussd')
  return read.message.returnPath
}
