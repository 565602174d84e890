import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pushRefusalOf } from '../../src/push/refusal.ts'
import { compileDialect } from '../../src/smpp/dialect/dialect.ts'
import { dialectProfile } from '../../src/smpp/dialect/schema.ts'
import { loadProfile } from '../../src/smpp/dialect/load.ts'
import { STATUS } from '../../src/smpp/pdu/status.ts'
import { statusClass } from '../../src/sms/terms/retry-policy.ts'
import { isBusyStatus, STATUS_ROWS, statusPolicy, UNNAMED } from '../../src/ussd/status-policy.ts'
import { packageRoot } from '../../src/base/package-root.ts'

const DIALECTS = join(packageRoot, 'dialects')

/** Whose fault; then for a screen, a push, an SMS, a bind. */
type Case = [status: number, whose: string, screen: string, push: string, sms: string, bind: string]

describe('what a status means', () => {
  // What SMSCs that are not ours are known to answer, and what has to come of it.
  const cases: [who: string, ...Case][] = [
    ['most SMSCs above the agreed rate', 0x58, 'ours', 'next-second', 'next-second', 'next-second', 'later'],
    [
      "Jasmin's and others' full queue of one subscriber",
      0x14,
      'subscriber',
      'next-second',
      'next-second',
      'later',
      'later',
    ],
    ['SMSCs that say only that it failed', 0x45, 'smsc', 'never', 'later', 'later', 'later'],
    ['a vendor beyond the specification', 0x400, 'network', 'never', 'later', 'later', 'later'],
    ['a vendor, the last of its range', 0x4ff, 'network', 'never', 'later', 'later', 'later'],
    ['beyond the range of vendors', 0x500, 'smsc', 'never', 'later', 'never', 'later'],
    ['an SMSC that starts, to a bind; some also to a submit', 0x0d, 'smsc', 'never', 'later', 'later', 'later'],
    ['a bind that is in use', 0x05, 'smsc', 'never', 'later', 'later', 'next-second'],
    ['a wrong password, and a wrong system id', 0x0e, 'smsc', 'never', 'later', 'later', 'never'],
    ['the same', 0x0f, 'smsc', 'never', 'later', 'later', 'never'],
    ['a C gateway to a dialogue that it has not', 0x50, 'ours', 'never', 'later', 'never', 'later'],
    ['an SMSC that forgot our bind', 0x04, 'smsc', 'now', 'never', 'later', 'later'],
    ['a number that nobody has', 0x0b, 'subscriber', 'never', 'never', 'never', 'later'],
    ['a gateway without USSD', 0x15, 'ours', 'never', 'never', 'never', 'later'],
    ['a busy application', 0x64, 'network', 'never', 'next-second', 'later', 'later'],
    ['an SMSC of v5.0 out of order', 0x102, 'smsc', 'never', 'next-second', 'later', 'later'],
  ]
  for (const [who, status, ...means] of cases) {
    it(`from ${who}: 0x${status.toString(16)}`, () => {
      const { whose, screen, push, sms, bind } = statusPolicy(status)
      assert.deepEqual([whose, screen, push, sms, bind], means)
    })
  }

  it('is in one row for each status of the specification, in order, and nothing is in two', () => {
    for (const [name, status] of Object.entries(STATUS)) {
      const rows = STATUS_ROWS.filter(({ from, to }) => status >= from && status <= to)
      assert.equal(rows.length, status === STATUS.ESME_ROK ? 0 : 1, name)
    }
    for (const [i, { from, to }] of STATUS_ROWS.entries()) {
      assert.ok(from <= to && from > (STATUS_ROWS[i - 1]?.to ?? 0), `row of 0x${from.toString(16)}`)
    }
  })

  it('never says "now" to an SMS or a push, and "later" to a screen, which cannot wait', () => {
    for (const { screen, push, sms } of [...STATUS_ROWS, UNNAMED]) {
      assert.notEqual(screen, 'later')
      assert.ok(push !== 'now' && sms !== 'now')
    }
  })
})

describe('who decides by the table', () => {
  it('SMS: what waits, who waits, and what has failed', () => {
    const is = (status: number) => statusClass(status, new Map(), statusPolicy(status))
    assert.deepEqual([0x58, 0x14, 0x45, 0x0d, 0x411, 0x0b, 0x15].map(is), [
      'pause',
      'destination',
      'retry',
      'retry',
      'retry',
      'fail',
      'fail',
    ])
  })

  it('USSD that we begin: absent, too busy, a number that is refused for good, a network that does not do it', () => {
    const is = (status: number) => pushRefusalOf(statusPolicy(status))
    assert.deepEqual([0x08, 0x14, 0x58, 0x64, 0x102].map(is), Array(5).fill('later'))
    assert.deepEqual([0x45, 0x50, 0xfe, 0xff, 0x411, 0x9999].map(is), Array(6).fill('absent'))
    assert.deepEqual([0x03, 0x04, 0x0a, 0x15, 0x43, 0x53, 0xc0, 0xc4].map(is), Array(8).fill('unsupported'))
    assert.deepEqual([0x0b, 0x51].map(is), ['bad-number', 'bad-number'])
  })

  it('the simulated SMSC, of what we answer to its messages', () => {
    const busy = Object.values(STATUS).filter((status) => isBusyStatus(status))
    assert.deepEqual(busy, [0x08, 0x14, 0x58, 0x64])
  })
})

describe('the meanings of a dialect', () => {
  const standard = loadProfile('standard', DIALECTS)
  const dialect = (statusMeaning: Record<string, unknown>) =>
    compileDialect(dialectProfile.parse({ ...standard, responses: { ...standard.responses, statusMeaning } }))

  it('go before the table, key by key; the rest stays', () => {
    const { policy } = dialect({ 1041: { whose: 'subscriber' }, 1059: { screen: 'next-second', sms: 'next-second' } })
    assert.deepEqual(policy(0x411), { ...statusPolicy(0x411), whose: 'subscriber' })
    assert.equal(statusClass(0x411, new Map(), policy(0x411)), 'destination')
    assert.equal(statusClass(0x423, new Map(), policy(0x423)), 'pause')
    assert.deepEqual(policy(0x58), statusPolicy(0x58))
    assert.equal(statusClass(0x423, new Map([[0x423, 'fail']]), policy(0x423)), 'fail', 'the settings of the line')
  })

  it('hold for every other status with *, and know the words of older profiles', () => {
    const { policy } = dialect({ '*': 'dialogue-gone', 8: 'retry-once', 11: 'dialect-wrong' })
    assert.deepEqual(
      [0x58, 0x08, 0x0b].map((status) => policy(status).screen),
      ['never', 'next-second', 'never'],
    )
    assert.deepEqual([policy(0x0b).whose, policy(0x58).sms], ['ours', 'next-second'])
  })

  it('are refused where a lane cannot do it', () => {
    assert.throws(() => dialect({ 20: { screen: 'later' } }))
    assert.throws(() => dialect({ 20: { sms: 'now' } }))
    assert.throws(() => dialect({ x: 'retry-once' }))
  })
})
