import assert from 'node:assert/strict'
import { UsageError } from '../../../src/base/errors.ts'
import { COMMAND_STATUS } from '../../../src/simulator/codec/commands.ts'
import { answerFault, answerTold, statusNamed } from '../../../src/simulator/smsc/answers.ts'
import { STATUS } from '../../../src/smpp/pdu/status.ts'
import { STATUS_ROWS } from '../../../src/ussd/status-policy.ts'
import { statusEffect } from '../../../src/ussd/status-words.ts'

describe('a status that the SMSC is to answer', () => {
  it('is a fault of one lane: always, so often, or for a share', () => {
    const act = { is: 'refuse', status: 0x58 }
    assert.deepEqual(
      ['sms=ESME_RTHROTTLED', 'ussd=0x58*3', 'sms=88@20%'].map((written) => answerFault(written)),
      [
        { on: 'submit_sm', lane: 'sms', act },
        { on: 'submit_sm', lane: 'ussd', times: 3, act },
        { on: 'submit_sm', lane: 'sms', chance: 0.2, act },
      ],
    )
    assert.equal(statusNamed('esme_rmsgqful'), 0x14)
  })
  it('that is none is refused with a remedy', () => {
    const wrong = [
      ['sms=ESME_RTHROTTLE', /there is no status 'ESME_RTHROTTLE': did you mean 'ESME_RTHROTTLED'\?/],
      ['push=0x58', /write sms=STATUS or ussd=STATUS/],
      ['sms=constructor', /there is no status 'constructor'/],
    ] as const
    for (const [written, why] of wrong)
      assert.throws(
        () => answerFault(written),
        (error) => error instanceof UsageError && why.test(error.message),
      )
  })
  it('is told with what a daemon then does, by the table by which it decides', () => {
    const told = (written: string) => answerTold(answerFault(written))
    assert.match(
      told('sms=ESME_RMSGQFUL'),
      /^SMS get 0x14 ESME_RMSGQFUL \(.*full\): .*other SMS to this subscriber wait/,
    )
    assert.match(told('ussd=ESME_RTHROTTLED*2'), /^the next 2 screens get 0x58 .*: the screen is sent again after 1 to/)
    assert.match(
      told('sms=0x9999@5%'),
      /^5 % of the SMS get 0x9999 \(a status that no table names\): the SMS has failed$/,
    )
    for (const { from, screen, sms } of STATUS_ROWS) {
      assert.equal(/sent again/.test(statusEffect('ussd', from)), screen === 'now' || screen === 'next-second')
      assert.equal(/has failed/.test(statusEffect('sms', from)), sms === 'never')
    }
  })
  it('has the same number on both ends', () => {
    assert.deepEqual(COMMAND_STATUS, STATUS)
  })
})
