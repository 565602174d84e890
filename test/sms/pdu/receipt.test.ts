import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isLikeReceipt, readReceipt } from '../../../src/sms/pdu/receipt.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { pduOf, vector, vectors } from '../../smpp/dialect/support.ts'

const DONE = Date.UTC(2026, 10, 24, 9, 1)

function textReceipt(text: string | Buffer, changes: Record<string, number> = {}): Pdu {
  const pdu = pduOf(vector('r02'))
  return { ...pdu, body: { ...pdu.body, ...changes, short_message: Buffer.from(text) } }
}

const read = (text: string | Buffer, changes: Record<string, number> = {}) =>
  readReceipt(textReceipt(text, changes), 'a')

describe('delivery receipts', () => {
  const table: [string, object][] = [
    ['r01', { messageId: '0123456789', state: 'delivered', error: '000', doneMs: DONE }],
    ['r02', { messageId: '0123456789', state: 'undeliverable', error: '00b', doneMs: DONE }],
    ['r03', { messageId: '123456789', state: 'delivered', error: '000', doneMs: DONE }],
    ['r05', { messageId: '12345', state: 'enroute', error: '000', doneMs: DONE }],
    ['r06', { messageId: '12345', state: 'expired', error: '3:27', doneMs: DONE }],
    ['r07', { messageId: 'abc-DEF-9', state: 'undeliverable', error: '', doneMs: null }],
  ]
  for (const [id, wanted] of table) {
    it(`are read from ${vector(id).id} (${vector(id).note})`, () => {
      const receipt = readReceipt(pduOf(vector(id)), 'a')
      assert.deepEqual(receipt, { line: 'a', from: '992000000001', reference: null, ...wanted })
    })
  }

  it('take the id of the parameter although its NUL is missing', () => {
    const pdu = pduOf(vector('r07'))
    const receipt = readReceipt(
      { ...pdu, tlvs: [{ tag: 0x1e, value: Buffer.from('abc123') }, ...pdu.tlvs.slice(1)] },
      'a',
    )
    assert.equal(receipt?.messageId, 'abc123')
  })

  it('believe the parameters before the text', () => {
    const pdu = pduOf(vector('r01'))
    const text = Buffer.from('id:other stat:UNDELIV')
    assert.equal(readReceipt({ ...pdu, body: { ...pdu.body, short_message: text } }, 'a')?.messageId, '0123456789')
    assert.equal(readReceipt({ ...pdu, body: { ...pdu.body, short_message: text } }, 'a')?.state, 'delivered')
  })

  it('give the reference where the SMSC echoes it, of whatever width', () => {
    const pdu = textReceipt('stat:DELIVRD')
    assert.equal(
      readReceipt({ ...pdu, tlvs: [{ tag: 0x204, value: Buffer.from([0, 0, 0x12, 0x34]) }] }, 'a')?.reference,
      0x1234,
    )
    assert.equal(readReceipt({ ...pdu, tlvs: [{ tag: 0x204, value: Buffer.from([7]) }] }, 'a')?.reference, 7)
  })

  it('are read with their keys in any order and case, and with keys missing', () => {
    assert.equal(read('STAT:DELIVRD ID:9 ERR:000')?.messageId, '9')
    assert.equal(read('stat:DELIVRD err:001 id:7f')?.error, '001')
    assert.equal(read('id: 55 stat: ACCEPTD err: text: hello')?.error, '')
    assert.equal(read('id: 55 stat: ACCEPTD')?.state, 'accepted')
    assert.equal(
      read('id:1 sub:001 dlvrd:001 submitdate:2611240900 donedate:261124090130 stat:REJECTD')?.doneMs,
      DONE + 30_000,
    )
  })

  it('are read where commas or semicolons part the keys, and quotes stand around values', () => {
    for (const text of [
      'id:77,sub:001,stat:DELIVRD,err:000',
      'id:"77" stat:"DELIVRD" err:"000"',
      'ID:77;STAT:DELIVRD;ERR:000;',
    ]) {
      const { messageId, state, error } = read(text) ?? {}
      assert.deepEqual([messageId, state, error], ['77', 'delivered', '000'], text)
    }
  })

  it('do not take what the subscriber was sent for the receipt', () => {
    const receipt = read('id:1 stat:DELIVRD err:000 Text:id:2 stat:UNDELIV')
    assert.deepEqual([receipt?.messageId, receipt?.state], ['1', 'delivered'])
  })

  const dates: [string, number | null][] = [
    ['2611240901', DONE],
    ['261124090100', DONE],
    ['202611240901', DONE],
    ['20261124090100', DONE],
    ['2613240901', null],
    ['2602300901', null],
    ['26112409', null],
    ['never', null],
    ['', null],
  ]
  for (const [written, doneMs] of dates) {
    it(`date '${written}' is ${doneMs === null ? 'none' : 'read'}`, () => {
      assert.equal(read(`id:1 done date:${written} stat:DELIVRD`)?.doneMs, doneMs)
    })
  }

  it('count dates from the clock of the SMSC', () => {
    const receipt = readReceipt(textReceipt('id:1 done date:2611241901 stat:DELIVRD'), 'a', { offsetMinutes: 600 })
    assert.equal(receipt?.doneMs, DONE)
  })

  it('are ASCII although data_coding says UCS-2, and UCS-2 where they are', () => {
    assert.equal(read('id:12 stat:DELIVRD', { data_coding: 8 })?.state, 'delivered')
    const ucs2 = Buffer.from('id:12 stat:EXPIRED', 'utf16le').swap16()
    assert.equal(read(ucs2, { data_coding: 8 })?.state, 'expired')
  })

  const words: [string, string][] = [
    ['DELIVRD', 'delivered'],
    ['DELIVERED', 'delivered'],
    ['EXPIRED', 'expired'],
    ['DELETED', 'deleted'],
    ['UNDELIV', 'undeliverable'],
    ['ACCEPTD', 'accepted'],
    ['UNKNOWN', 'unknown'],
    ['REJECTD', 'rejected'],
    ['ENROUTE', 'enroute'],
    ['FAILED', 'undeliverable'],
    ['WHATEVER', 'unknown'],
  ]
  for (const [word, state] of words)
    it(`stat:${word} is ${state}`, () => assert.equal(read(`id:1 stat:${word}`)?.state, state))

  it('are told without their bits by both parameters, or by a text that begins with an id and names a state', () => {
    const like = ['id:1 sub:001 dlvrd:001 stat:DELIVRD', ' ID: 1 STAT: EXPIRED', 'id:1,stat:DELIVRD']
    for (const text of like) assert.equal(isLikeReceipt(textReceipt(text)), true, text)
    for (const text of ['', 'STOP', 'My id: 7', 'id:7', 'identity: stat:x', 'Hello id:1 stat:DELIVRD']) {
      assert.equal(isLikeReceipt(textReceipt(text)), false, text)
    }
    const pdu = textReceipt('')
    assert.equal(
      isLikeReceipt({
        ...pdu,
        tlvs: [
          { tag: 0x1e, value: Buffer.from('1\0') },
          { tag: 0x427, value: Buffer.of(2) },
        ],
      }),
      true,
    )
    assert.equal(isLikeReceipt({ ...pdu, tlvs: [{ tag: 0x1e, value: Buffer.from('1\0') }] }), false)
  })

  it('are none without an id and a reference, or without a word on the state', () => {
    assert.equal(read('stat:DELIVRD'), null)
    assert.equal(read('id:12'), null)
    assert.equal(read('Hello id:12, how are you?'), null)
    assert.equal(read(''), null)
  })

  it('are read from any octets without throwing, and never come from an ordinary SMS of ours', () => {
    const values = fc.uint8Array({ maxLength: 80 })
    fc.assert(
      fc.property(values, fc.constantFrom(0, 1, 8, 0x1e), values, (octets, data_coding, tlv) => {
        const pdu = textReceipt(Buffer.from(octets), { data_coding })
        const tlvs = [0x1e, 0x427, 0x423, 0x204].map((tag) => ({ tag, value: Buffer.from(tlv) }))
        for (const variant of [pdu, { ...pdu, tlvs }]) readReceipt(variant, 'a')
      }),
    )
    for (const { decoded, direction, id } of vectors) {
      if (direction === 'esme>mc' && decoded.command === 'submit_sm' && id.startsWith('m')) {
        assert.equal(readReceipt(pduOf(vector(id)), 'a'), null, id)
      }
    }
  })
})
