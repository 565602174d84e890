import assert from 'node:assert/strict'
import { inboundTodo } from '../../../src/smpp/session/inbound.ts'
import type { Pdu } from '../../../src/smpp/types.ts'

const FAULT = { status: 0xc0, why: 'tlv-past-end' }
const BOUND = [true, false] as const
const LEAVING = [true, true] as const
const NOT_BOUND = [false, false] as const

function todo(command: string, [receives, isLeaving]: readonly [boolean, boolean] = BOUND, fault?: typeof FAULT) {
  const pdu: Pdu = { command, status: 0, sequence: 7, body: {}, tlvs: [] }
  return inboundTodo(pdu, fault, receives, isLeaving)
}

describe('what is to be done with a PDU of the SMSC', () => {
  it('is for the gateway, if it is a message on a bind that receives', () => {
    for (const command of ['deliver_sm', 'data_sm']) {
      assert.deepEqual(todo(command), { do: 'hand' })
      assert.deepEqual(todo(command, LEAVING), { do: 'defer', status: 0x64 })
      assert.deepEqual(todo(command, NOT_BOUND), { do: 'refuse', status: 0x04, why: 'bind-state' })
      assert.deepEqual(todo(command, BOUND, FAULT), { do: 'refuse', ...FAULT })
      assert.deepEqual(todo(command, LEAVING, FAULT), { do: 'refuse', ...FAULT }, 'it would not be better later')
      assert.deepEqual(todo(command, NOT_BOUND, FAULT), { do: 'refuse', status: 0x04, why: 'bind-state' })
    }
  })

  it('is a matter of the link, whatever its state', () => {
    for (const state of [BOUND, LEAVING, NOT_BOUND]) {
      assert.deepEqual(todo('enquire_link', state), { do: 'answer', status: 0 })
      assert.deepEqual(todo('unbind', state), { do: 'unbind', status: 0 })
      assert.deepEqual(todo('alert_notification', state), { do: 'note' })
      assert.deepEqual(todo('outbind', state), { do: 'drop', reason: 'outbind' })
    }
  })

  it('is a refusal of what an ESME does not get, or nobody knows', () => {
    for (const command of ['submit_sm', 'bind_receiver', 'submit_multi'])
      assert.deepEqual(todo(command), { do: 'refuse', status: 0x04, why: 'bind-state' }, command)
    assert.deepEqual(todo('unknown_0x00010200'), { do: 'refuse', status: 0x03, why: 'unknown-command' })
    assert.deepEqual(todo('unknown_0x7f010200'), { do: 'refuse', status: 0x03, why: 'unknown-command' })
  })

  it('is to find the request of a response; one that is in no table is never answered', () => {
    for (const command of ['submit_sm_resp', 'enquire_link_resp', 'bind_transceiver_resp', 'generic_nack'])
      assert.deepEqual(todo(command, NOT_BOUND, FAULT), { do: 'match' }, command)
    for (const command of ['unknown_0x80010200', 'unknown_0xffffffff'])
      assert.deepEqual(todo(command), { do: 'drop', reason: 'unknown-response' }, command)
    const nack: Pdu = { command: 'generic_nack', status: 2, sequence: 0, body: {}, tlvs: [] }
    assert.deepEqual(inboundTodo(nack, undefined, ...BOUND), { do: 'drop', reason: 'nack-0' })
  })
})
