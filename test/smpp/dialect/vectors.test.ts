import assert from 'node:assert/strict'
import { compileDialect } from '../../../src/smpp/dialect/dialect.ts'
import { loadDialect, loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { Dialect } from '../../../src/smpp/types.ts'
import type { ReturnPath, UssdAction, UssdMessage } from '../../../src/ussd/vocabulary.ts'
import { DIALECTS, pduOf, vector } from './support.ts'

/** Vector, dialect, event, number of the dialogue, code, text, turn counter, meta. */
type Inbound = [
  string,
  string,
  UssdMessage['kind'],
  string,
  string,
  string,
  (number | undefined)?,
  Record<string, string>?,
]

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
  ['d01', 'sixdee', 'begin', '129', '*3322#', ''],
  ['d03', 'sixdee', 'abort', '129', '', ''],
  ['d08', 'smpp-plus', 'begin', '12345', '*3322#', '', undefined, { imsi: '436010000000001', vlr: '992920000000' }],
  ['d29', 'eyeline', 'notify-ack', '4386@226', '', ''],
  ['d11', 'huawei-le', 'abort', '300', '', ''],
  ['d14', 'huawei-st', 'begin', '', '*7777#', ''],
  ['d16', 'huawei-st', 'abort', '', '', ''],
  ['d04', 'huawei-python', 'begin', '12345', '*123#', ''],
  ['d32', 'bcea', 'abort', '', '', ''],
  ['d18', 'comviva', 'begin', 'SID42', '*3322#', ''],
  ['d20', 'c-gateway', 'begin', '40961', '*100#', '', undefined, { imsi: '520010000000001', vlr: '66810000001' }],
  ['d21', 'c-gateway', 'input', '40961', '', '2'],
  ['d22', 'c-gateway', 'abort', '', '', ''],
  ['d25', 'tj', 'begin', '', '*3322*0#', ''],
  ['d25', 'standard', 'begin', '', '*3322*0#', ''],
  ['d26', 'kz', 'begin', '', '*201#', '', undefined, { imsi: '401770000000001', vlr: '77070100003' }],
  ['d25', 'babilon', 'begin', '', '*3322*0#', ''],
  ['u05', 'babilon', 'input', '', '', '2'],
  ['u01', 'ng-node', 'begin', '7', '*3322#', ''],
  ['u05', 'ng-node', 'input', '7', '', '2'],
  ['u01', 'cloudhopper', 'begin', '0700', '*3322#', ''],
  ['u01', 'its-u32', 'begin', '1792', '*3322#', ''],
]

describe('what the captured and documented PDUs mean', () => {
  for (const [id, name, kind, network, code, text, step, meta] of INBOUND) {
    it(`${name}: ${vector(id).id} is ${kind} (${vector(id).note})`, () => {
      const read = loadDialect(name, DIALECTS).read(pduOf(vector(id)))
      assert.equal(read.is, 'ussd')
      assert.ok(read.is === 'ussd')
      const { message } = read
      assert.deepEqual(
        [message.kind, message.network, message.code, message.text, message.step],
        [kind, network, code, text, step],
      )
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
  ['u11', 'standard', { ...toSubscriber, beginOp: 0, more: { dcs: '0' } }, 'continue', 'ok'],
  ['u21', 'standard', { ...toSubscriber, more: { dcs: '15' } }, 'end', 'x'.repeat(182)],
  ['d09', 'smpp-plus', 'd08', 'end', 'Bye'],
  ['d06', 'mica+0x17', { ...toSubscriber, serviceType: '', carrier: '3039', more: { dcs: '0' } }, 'end', 'Bye'],
  ['d07', 'sixdee', { ...toSubscriber, serviceType: '', carrier: '162e', more: { dcs: '0' } }, 'end', 'Bye'],
  ['d10', 'huawei-le', { ...toSubscriber, to: [3, 9, '7777'], carrier: '2c00' }, 'push-end', 'never shown'],
  [
    'd12',
    'huawei-le',
    { ...toSubscriber, to: [3, 9, '7777'], carrier: '2c02', more: { dcs: '21' } },
    'end',
    'USSD text',
  ],
  ['d15', 'huawei-st', 'd14', 'end', 'USSD response'],
  ['d17', 'bcea', { from: [1, 1, '628170000001'], to: [1, 1, '*111'] }, 'push-begin', '1. First\n0. Help'],
  ['d19', 'comviva', 'd18', 'end', 'Bye'],
  ['d23', 'c-gateway', { ...toSubscriber, more: { dcs: '0' } }, 'abort', 'never shown'],
  ['d27', 'ng-datasm', { from: [1, 1, '2347000000001'], carrier: '41314232433300' }, 'continue', 'Welcome'],
  [
    'd31',
    'ng-node',
    { from: [1, 1, '2347000000001'], to: [0, 1, '372'], serviceType: 'USSD', carrier: '5a00' },
    'continue',
    '1 Next',
  ],
  ['d02', 'vumi-tata', { ...toSubscriber, serviceType: '', carrier: '0102', more: { dcs: '0' } }, 'end', 'Bye'],
]

describe('what is written, octet by octet', () => {
  for (const [id, name, answered, action, text] of OUTBOUND) {
    it(`${name}: ${vector(id).id} (${vector(id).note})`, () => {
      const dialect = writer(name)
      const { pdu, cut } = dialect.write({ action, text }, pathOf(name, answered))
      const wanted = pduOf(vector(id))
      assert.equal(cut, false)
      assert.equal(pdu.command, wanted.command)
      // Of data_sm the vector lists fewer parameters than the PDU has.
      for (const [field, value] of Object.entries(wanted.body)) assert.deepEqual(pdu.body[field], value, field)
      assert.deepEqual(pdu.tlvs, wanted.tlvs)
    })
  }
})

/** Random step 21 for the one dialect that draws; `mica+0x17` ends with the octet of the Vumi slip. */
function writer(name: string): Dialect {
  const [file = '', slip] = name.split('+')
  const profile = loadProfile(file, DIALECTS)
  if (slip) profile.outbound.actions.end.op = Number(slip)
  return compileDialect(profile, { chance: () => 21.5 / 128 })
}

function pathOf(name: string, answered: string | Partial<ReturnPath>): ReturnPath {
  if (typeof answered !== 'string') {
    return { from: [0, 0, ''], to: [0, 0, ''], serviceType: '', carrier: '', ...answered }
  }
  const read = loadDialect(name, DIALECTS).read(pduOf(vector(answered)))
  assert.ok(read.is === 'ussd')
  return read.message.returnPath
}
