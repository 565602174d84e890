import assert from 'node:assert/strict'
import { books, check, doubledSms, missingSms, sumOf, sumWhere, tally, type Evidence } from './checker.ts'
import { newDiary } from '../staging/subscriber.ts'

const MSISDN = '67570000001'
const one = { msisdn: MSISDN, clinic: 'C00001' }
const CONFIRMED = 'Confirmed: Checkup at C00001 on 01/05/2025, 9 AM.'
const REMINDER = 'Reminder: Checkup at C00001 on 01/05/2025, 9 AM.'

/** A run in which all went well: one booking, one SMS. */
function evidence(change: (of: Evidence) => void = () => undefined): Evidence {
  const whole: Evidence = {
    diary: { ...newDiary(), pressed: [one], confirmed: [one] },
    bookings: [{ ...one, intention: 'e:5:1', status: 'booked' }],
    sms: [{ id: '1', msisdn: MSISDN, kind: 'confirmation', text: CONFIRMED, state: 'delivered', losses: 0 }],
    taken: new Map([[MSISDN, [CONFIRMED]]]),
    dialoguesOpen: 0,
    metrics: [],
  }
  change(whole)
  return whole
}

const found = (change: (of: Evidence) => void) => check(evidence(change)).map((breach) => breach.invariant)

describe('the checker of the fault campaigns', () => {
  it('finds nothing where nothing is wrong', () => {
    assert.deepEqual(check(evidence()), [])
  })
  it('finds a key without a screen', () => {
    assert.deepEqual(
      found((of) => of.diary.hung.push('a story')),
      ['I1'],
    )
  })
  it('finds a confirmation without its row, and a denial of a row', () => {
    assert.deepEqual(
      found((of) => {
        of.bookings = []
        of.sms = []
        of.taken = new Map()
      }),
      ['I2'],
    )
    assert.deepEqual(
      found((of) => of.diary.refused.push(one)),
      ['I2'],
    )
  })
  it('finds a second booking of one press, of one slot, of one turn', () => {
    const again = { ...one, intention: 'e:9:1', status: 'booked' }
    assert.deepEqual(
      found((of) => of.bookings.push(again)),
      ['I3', 'I3'],
    )
    assert.deepEqual(
      found((of) => {
        of.diary.pressed.push(one)
        of.bookings.push({ ...again, intention: 'e:5:2', status: 'cancelled' })
      }),
      ['I3'],
    )
  })
  it('finds an SMS that is missing, without an end, doubled without a loss, or there three times', () => {
    assert.deepEqual(
      found((of) => {
        of.taken = new Map()
      }),
      ['I4'],
    )
    assert.deepEqual(
      found((of) => {
        of.sms[0]!.state = 'ambiguous'
      }),
      ['I4'],
    )
    assert.deepEqual(
      found((of) => {
        of.sms = []
        of.taken = new Map()
      }),
      ['I4'],
    )
    const copies = (count: number) => new Map([[MSISDN, Array<string>(count).fill(CONFIRMED)]])
    assert.deepEqual(
      found((of) => {
        of.taken = copies(2)
      }),
      ['I4'],
    )
    const lost = (of: Evidence) => {
      of.taken = copies(2)
      of.sms[0]!.losses = 1
    }
    assert.deepEqual(found(lost), [])
    assert.equal(doubledSms(evidence(lost)), 1)
    assert.deepEqual(
      found((of) => {
        lost(of)
        of.taken = copies(3)
      }),
      ['I4'],
    )
  })
  it('finds an SMS that nobody owed, and one that is said not to be sent and was', () => {
    assert.deepEqual(
      found((of) => {
        of.taken = new Map([[MSISDN, [CONFIRMED, 'Confirmed: something else.']]])
      }),
      ['I4'],
    )
    assert.deepEqual(
      found((of) => {
        of.taken = new Map([...of.taken, ['67570000002', [CONFIRMED]]])
      }),
      ['I4'],
    )
    assert.deepEqual(
      found((of) => {
        of.sms[0]!.state = 'expired'
      }),
      ['I4'],
    )
    assert.deepEqual(
      found((of) => {
        of.sms[0]!.state = 'expired'
        of.sms[0]!.losses = 1
      }),
      [],
    )
    assert.deepEqual(
      found((of) => {
        of.sms[0]!.state = 'expired'
        of.taken = new Map()
      }),
      [],
    )
  })
  it('finds an SMS that was given up, where no SMSC refuses and nobody cancels', () => {
    for (const state of ['failed', 'cancelled']) {
      assert.deepEqual(
        found((of) => {
          of.sms[0]!.state = state
          of.sms[0]!.losses = 1
          of.taken = new Map()
        }),
        ['I4'],
        state,
      )
    }
    const lostTwice = (of: Evidence) => {
      of.sms[0]!.state = 'failed'
      of.sms[0]!.losses = 2
      of.taken = new Map()
    }
    assert.deepEqual(found(lostTwice), [], 'a third attempt could be a third copy')
    assert.equal(missingSms(evidence(lostTwice)), 1)
  })
  it('finds a booking that owes no reminder, where one was to come', () => {
    assert.deepEqual(
      found((of) => {
        of.bookings[0]!.reminds = true
      }),
      ['I4'],
    )
    assert.deepEqual(
      found((of) => {
        of.bookings[0]!.reminds = false
      }),
      [],
    )
    assert.deepEqual(
      found((of) => {
        of.bookings[0]!.reminds = true
        of.sms.push({ ...of.sms[0]!, id: '2', kind: 'reminder', text: REMINDER })
        of.taken = new Map([[MSISDN, [CONFIRMED, REMINDER]]])
      }),
      [],
    )
  })
  it('finds what is shown to the wrong subscriber or out of turn, and dialogues that hang', () => {
    assert.deepEqual(
      found((of) => {
        of.diary.foreign.push('a')
        of.diary.odd.push('b')
        of.dialoguesOpen = 2
      }),
      ['I5', 'I5', 'I5'],
    )
  })
  it('finds books that do not balance, over all labels', () => {
    const text = (handled: number) =>
      `# HELP x y\nsmpp_rx_total{line="a",command="deliver_sm"} 5\nsmpp_rx_total{line="b"} 2\n` +
      `smpp_rx_handled_total{line="a"} ${handled}\nsmpp_rx_dropped_total{line="b"} 1\nsmpp_tx_submit_total{line="a"} 3\nsmpp_tx_ok_total{line="a"} 3\n`
    assert.deepEqual(books([text(6)]), [])
    assert.deepEqual(
      books(['closed']).map((breach) => breach.what),
      ['daemon 0: tells no books'],
    )
    assert.deepEqual(
      books([text(6), text(5)]).map((breach) => breach.what),
      ['daemon 1: 1 PDUs received are in no other counter'],
    )
  })
  it('sums a counter over all labels, or over those with a word in them', () => {
    const text = 'limits_total{limit="a"} 3\nlimits_total{limit="ab"} 4\nlimits_total_x{limit="a"} 9\n'
    assert.equal(sumOf(text, 'limits_total'), 7)
    assert.equal(sumWhere(text, 'limits_total', 'a'), 3)
  })
  it('counts breaches by invariant', () => {
    assert.equal(tally(check(evidence((of) => of.diary.hung.push('a', 'b')))).I1, 2)
  })
})
