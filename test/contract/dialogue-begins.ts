/** The contract of dialogue stores: what a begin means. */
import assert from 'node:assert/strict'
import { OVERDUE_MS } from '../../src/dialogue/classify.ts'
import { expectIs, LEASE_MS, LIMITS, PATH, dialogueFixture, T0 } from './dialogue-fixture.ts'
import type { Held } from './dialogue-store.ts'

export function opening(held: Held): void {
  describe('that is new', () => fresh(held))
  describe('that came before', () => repeated(held))
  describe('without a network number', () => unnumbered(held))
  describe('of an earlier dialogue', () => past(held))
  describe('whose number comes round', () => recurring(held))
  describe('that was answered while the store was away', () => buried(held))
}

function fresh(held: Held) {
  it('opens a dialogue: turn 1, taken, with everything that was said', async () => {
    const { begin } = dialogueFixture(held.store)
    const { held: written, ...opened } = expectIs(
      await begin({ epoch: 'e1', path: { beginOp: 1, more: { x: 'é "\n ' } } }),
      'opened',
    )
    assert.equal(written.entry.epoch, 'e1')
    assert.deepEqual(opened, {
      is: 'opened',
      previous: null,
      record: {
        key: { group: 'main', msisdn: '67570000001' },
        epoch: 'e1',
        status: 'taken',
        network: '17',
        turn: 1,
        revision: '',
        code: '*123#',
        line: 'akiba',
        snapshot: null,
        answer: { kind: 'begin', text: '', step: null },
        reply: null,
        returnPath: { ...PATH, beginOp: 1, more: { x: 'é "\n ' } },
        openedMs: T0,
        touchedMs: T0,
        ended: null,
      },
    })
  })
  it('answers the same, with the same epoch, when it is asked again with the same token', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({ network: '16' })
    const first = await begin({ token: 't', epoch: 'e1' })
    assert.deepEqual(await begin({ token: 't', epoch: 'e2', atMs: T0 + 400 }), first)
    assert.equal(expectIs(first, 'opened').previous?.network, '16')
  })
  it('asked again with the same token has its turn no longer than the first time', async () => {
    const { begin, overdue } = dialogueFixture(held.store)
    await begin({ token: 't' })
    await begin({ token: 't', atMs: T0 + 400 })
    assert.equal((await overdue(T0 + LEASE_MS))[0]?.is, 'abandoned')
  })
  it('that arrives again after its turn rested, with the same token, takes nothing', async () => {
    const { asked, begin } = dialogueFixture(held.store)
    const epoch = await asked({}, { token: 't' })
    const repeat = expectIs(await begin({ token: 't', link: 'link-b' }), 'repeat')
    assert.deepEqual([repeat.resend, repeat.record.epoch, repeat.record.status], [false, epoch, 'resting'])
  })
  it('with another network number ends the dialogue that was open and gives it as previous', async () => {
    const { begin, asked, find } = dialogueFixture(held.store)
    const old = await asked({ network: '16' })
    const opened = expectIs(await begin({ network: '17', atMs: T0 + 5 }), 'opened')
    assert.equal(opened.previous?.epoch, old)
    assert.equal(opened.previous?.status, 'ended')
    assert.equal(opened.previous?.ended, 'superseded')
    assert.deepEqual(opened.previous?.snapshot, { value: 'main', context: { page: 1 } })
    assert.equal(opened.record.turn, 1)
    assert.equal((await find())?.epoch, opened.record.epoch)
    assert.equal((await find())?.snapshot, null)
  })
  it('gives the tombstone as previous while it is kept, and not after', async () => {
    const { begin, asked, drop } = dialogueFixture(held.store)
    await asked({ network: '16' })
    await drop({}, {}, 'network-abort')
    const soon = expectIs(await begin({ network: '17', atMs: T0 + LIMITS.resumeMs - 1 }), 'opened')
    assert.equal(soon.previous?.ended, 'network-abort')
    await asked({ msisdn: '2', network: '16' }, { ended: 'completed' })
    const late = expectIs(await begin({ msisdn: '2', network: '16', atMs: T0 + LIMITS.tombstoneMs }), 'opened')
    assert.equal(late.previous, null, 'a dialogue that completed is kept no longer than late copies need')
  })
  it('does not meet the same subscriber of another group, nor another subscriber', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({ group: 'a' })
    assert.equal(expectIs(await begin({ group: 'b' }), 'opened').previous, null)
    assert.equal(expectIs(await begin({ group: 'a', msisdn: '67570000002' }), 'opened').previous, null)
  })
  it('takes a group with a colon, and an address that is not digits, as they are', async () => {
    const { begin, find } = dialogueFixture(held.store)
    for (const said of [{ group: 'a:b', msisdn: 'x:y %' }, { group: 'a', msisdn: 'b:x:y %' }, { msisdn: '' }]) {
      expectIs(await begin(said), 'opened')
      assert.deepEqual((await find(said))?.key, { group: said.group ?? 'main', msisdn: said.msisdn })
    }
    const found = await held.store.overdue(T0 + 10_000, 10, 'sweeper', T0 + 20_000)
    assert.deepEqual(found.map((one) => one.record.key.msisdn).toSorted(), ['', 'b:x:y %', 'x:y %'])
  })
}

function repeated(held: Held) {
  it('gets the screen of the open dialogue over the same link, once the SMSC has that screen: nobody redials into silence', async () => {
    const { begin, answer, asked, rest, confirm, find } = dialogueFixture(held.store)
    const epoch = await asked({ text: '' })
    await answer({ text: '2', token: 'second' })
    await rest({ token: 'second', link: 'link-a' })
    const soon = { link: 'link-a', atMs: T0 + 50 }
    assert.equal(expectIs(await begin(soon), 'repeat').resend, false, 'it is on its way')
    assert.equal(expectIs(await begin({ ...soon, atMs: T0 + OVERDUE_MS }), 'repeat').resend, true, 'it is overdue')
    await confirm(epoch, 2)
    const { resend, record } = expectIs(await begin(soon), 'repeat')
    assert.deepEqual([resend, record.turn, record.epoch], [true, 2, epoch])
    assert.equal(expectIs(await begin({ ...soon, link: 'link-b' }), 'repeat').resend, false, 'a copy over another link')
    assert.deepEqual([(await find())!.turn, (await find())!.status], [2, 'resting'], 'nothing was opened')
  })
  it('is a repeat while its turn is taken: nothing to send again', async () => {
    const { begin } = dialogueFixture(held.store)
    const { record } = expectIs(await begin({ link: 'link-a' }), 'opened')
    const repeat = expectIs(await begin({ link: 'link-b', atMs: T0 + 2 }), 'repeat')
    assert.equal(repeat.resend, false)
    assert.deepEqual(repeat.record, record)
  })
  it('is a repeat while the dialogue rests, and the reply goes out again only if it came over another link', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    const epoch = await asked()
    const same = expectIs(await begin({ link: 'link-a' }), 'repeat')
    assert.equal(same.resend, false)
    const other = expectIs(await begin({ link: 'link-b' }), 'repeat')
    assert.equal(other.resend, true)
    assert.equal(other.record.epoch, epoch)
    assert.equal(other.record.reply?.text, 'Welcome to Akiba\n1. Balance')
  })
  it('gets no reply again that the SMSC accepted', async () => {
    const { begin, asked, confirm } = dialogueFixture(held.store)
    await confirm(await asked())
    assert.equal(expectIs(await begin({ link: 'link-b' }), 'repeat').resend, false)
  })
  it('is a repeat, never a redial, as long as the tombstone is young, whatever was dialled', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({}, { ended: 'completed' })
    const late = T0 + LIMITS.tombstoneMs
    const repeat = expectIs(await begin({ code: '*999#', link: 'link-b', atMs: late - 1 }), 'repeat')
    assert.equal(repeat.record.status, 'ended')
    assert.equal(repeat.resend, true, 'the last screen may be lost with its link')
    expectIs(await begin({ atMs: late }), 'opened')
  })
  it('is a repeat however long the dialogue has been open, and of one that is kept for resume only as long as of any other', async () => {
    const { begin, asked, drop } = dialogueFixture(held.store)
    await asked()
    expectIs(await begin({ atMs: T0 + LIMITS.tombstoneMs }), 'repeat')
    await drop()
    expectIs(await begin({ atMs: T0 + LIMITS.tombstoneMs - 1 }), 'repeat')
    assert.equal(expectIs(await begin({ atMs: T0 + LIMITS.tombstoneMs }), 'opened').previous?.ended, 'subscriber-abort')
  })
  it('after the subscriber hung up sends nothing again', async () => {
    const { begin, asked, drop } = dialogueFixture(held.store)
    await asked()
    await drop()
    assert.equal(expectIs(await begin({ link: 'link-b' }), 'repeat').resend, false)
  })
  it('whose reply is not the last one any more sends nothing again', async () => {
    const { begin, taken, rest } = dialogueFixture(held.store)
    await rest(await taken())
    assert.equal(expectIs(await begin({ link: 'link-b' }), 'repeat').resend, false)
  })
  it('opens one dialogue when two copies of it race', async () => {
    const { begin } = dialogueFixture(held.store)
    const both = await Promise.all([begin({ link: 'link-a' }), begin({ link: 'link-b' })])
    assert.deepEqual(both.map((taken) => taken.is).toSorted(), ['opened', 'repeat'])
  })
}

function unnumbered(held: Held) {
  it('is a repeat only of a young dialogue of the same code that is still at turn 1', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({ network: '' })
    const copy = await begin({ network: '', atMs: T0 + LIMITS.duplicateBeginMs - 1 })
    assert.equal(expectIs(copy, 'repeat').resend, true, 'who redials must not meet silence')
    expectIs(await begin({ network: '', atMs: T0 + LIMITS.duplicateBeginMs }), 'opened')
  })
  it('is a redial where the dialogue that stands has a number: 0 reads as none, and a copy would have the number', async () => {
    const { begin } = dialogueFixture(held.store)
    expectIs(await begin({ network: '255' }), 'opened')
    assert.equal(expectIs(await begin({ network: '', atMs: T0 + 1 }), 'opened').previous?.network, '255')
  })
  it('with another code is a redial', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    const old = await asked({ network: '' })
    assert.equal(expectIs(await begin({ network: '', code: '*124#' }), 'opened').previous?.epoch, old)
  })
  it('after an answer, or after the end, is a redial', async () => {
    const { begin, taken, asked, drop } = dialogueFixture(held.store)
    await taken({ network: '' })
    expectIs(await begin({ network: '' }), 'opened')
    await asked({ network: '', msisdn: '2' })
    await drop({}, { msisdn: '2' })
    expectIs(await begin({ network: '', msisdn: '2' }), 'opened')
  })
}

function recurring(held: Held) {
  const copyMs = 20_000
  it('is a copy of one that is open only if it is dialled alike', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    const first = await asked({ network: '17', copyMs })
    assert.equal(expectIs(await begin({ network: '17', copyMs, atMs: T0 + copyMs - 1 }), 'repeat').resend, true)
    const other = expectIs(await begin({ network: '17', copyMs, code: '*124#', atMs: T0 + 1 }), 'opened')
    assert.equal(other.previous?.epoch, first)
  })
  it('ends nothing however late it comes to an open dialogue, and gets its screen over any link: it may be a redial', async () => {
    const { begin, taken, rest, confirm, answer } = dialogueFixture(held.store)
    const turn = await taken({ network: '17', copyMs })
    const late = { network: '17', copyMs, link: 'link-b', atMs: T0 + copyMs }
    assert.equal(expectIs(await begin(late), 'repeat').resend, false, 'its screen is still to come')
    await rest({ ...turn, atMs: T0 + copyMs })
    assert.equal(expectIs(await begin({ ...late, isGone: false }), 'repeat').resend, false, 'it is on its way')
    await confirm(turn.epoch, 2)
    const { resend, record } = expectIs(await begin(late), 'repeat')
    assert.deepEqual([resend, record.epoch, record.turn], [true, turn.epoch, 2])
    assert.equal(expectIs(await begin({ ...late, atMs: T0 + copyMs - 1 }), 'repeat').resend, false, 'a copy, likely')
    assert.equal(expectIs(await answer({ atMs: T0 + copyMs + 1 }), 'next').record.turn, 3)
  })
  it('is a copy where this daemon stood still, and the dialogue was open before or was opened meanwhile', async () => {
    const { begin, asked, taken, find } = dialogueFixture(held.store)
    const late = { copyMs, atMs: T0 + 50_000 }
    const turn = await taken({ network: '17', copyMs })
    for (const stillFromMs of [T0 - 10_000, T0 + copyMs - 1])
      expectIs(await begin({ network: '17', ...late, stillFromMs }), 'repeat')
    assert.equal((await find())?.epoch, turn.epoch)
    await asked({ network: '', msisdn: '2' })
    expectIs(await begin({ network: '', msisdn: '2', stillFromMs: T0, atMs: T0 + 30_000 }), 'repeat')
    expectIs(await begin({ network: '18', msisdn: '2', ...late, stillFromMs: T0 }), 'opened')
  })
  it('is a redial as soon as the last reply of that one, beyond the first, was accepted, or it was ended from outside', async () => {
    const { begin, asked, taken, rest, drop, confirm } = dialogueFixture(held.store)
    await asked({ network: '16', copyMs })
    const turn = await taken({ network: '17', copyMs })
    await rest({ ...turn, ended: 'completed' })
    for (const network of ['16', '17']) expectIs(await begin({ network, copyMs, atMs: T0 + 1 }), 'repeat')
    await confirm(turn.epoch, 2)
    expectIs(await begin({ network: '17', copyMs, atMs: T0 + 1 }), 'opened')
    await asked({ network: '17', copyMs, msisdn: '2' })
    await drop({}, { msisdn: '2' })
    expectIs(await begin({ network: '17', copyMs, msisdn: '2', atMs: T0 + 1 }), 'opened')
  })
  it('gets the reply of one that ended with its first reply once more: it may be a redial, or a copy', async () => {
    const { begin, asked, confirm } = dialogueFixture(held.store)
    await confirm(await asked({ network: '17', copyMs }, { ended: 'completed', text: 'Your balance is 5.' }))
    const soon = expectIs(await begin({ network: '17', copyMs, atMs: T0 + copyMs - 1 }), 'repeat')
    assert.deepEqual([soon.resend, soon.record.reply?.text], [true, 'Your balance is 5.'])
    expectIs(await begin({ network: '17', copyMs, atMs: T0 + copyMs }), 'opened')
  })
  it('gets the last reply of one that ended a moment ago once more, until that reply was accepted: it may be a redial, or a copy', async () => {
    const { begin, asked, taken, rest, confirm } = dialogueFixture(held.store)
    const turn = await taken({ network: '17', copyMs })
    await rest({ ...turn, ended: 'completed', text: 'Goodbye.' })
    const soon = expectIs(await begin({ network: '17', copyMs, atMs: T0 + 1 }), 'repeat')
    assert.deepEqual([soon.resend, soon.record.reply?.text, soon.record.turn], [true, 'Goodbye.', 2])
    await confirm(turn.epoch, 2)
    expectIs(await begin({ network: '17', copyMs, atMs: T0 + 1 }), 'opened')
    await asked({ network: '17', copyMs, msisdn: '2' })
    assert.equal(
      expectIs(await begin({ network: '17', copyMs, msisdn: '2', atMs: T0 + 1 }), 'repeat').resend,
      false,
      'this one goes on',
    )
  })
  it('is no copy of an earlier dialogue once that long has passed since it was dialled', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({ network: '16', copyMs })
    await asked({ network: '17', copyMs, atMs: T0 + 15_000 })
    expectIs(await begin({ network: '16', copyMs, atMs: T0 + copyMs - 1 }), 'repeat')
    expectIs(await begin({ network: '16', copyMs, atMs: T0 + copyMs }), 'opened')
  })
  it('is never a copy for longer than tombstones are kept', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({ network: '17', copyMs: LIMITS.tombstoneMs + 1 }, { ended: 'completed' })
    expectIs(await begin({ network: '17', copyMs: LIMITS.tombstoneMs + 1, atMs: T0 + LIMITS.tombstoneMs }), 'opened')
  })
}

function buried(held: Held) {
  const end = T0 + LIMITS.tombstoneMs
  it('leaves a tombstone where nothing stands: a copy is a repeat, a redial a dialogue that goes on when the copy comes', async () => {
    const { begin, bury, find, asked } = dialogueFixture(held.store)
    assert.equal(await bury({ network: '16', atMs: T0 + 5 }), true)
    const { status, ended, network, turn, snapshot, touchedMs } = (await find())!
    assert.deepEqual(
      { status, ended, network, turn, snapshot, touchedMs },
      { status: 'ended', ended: 'store-failed', network: '', turn: 1, snapshot: null, touchedMs: T0 + 5 },
    )
    assert.equal(await held.store.count(), 0)
    assert.equal(expectIs(await begin({ network: '16', link: 'link-b' }), 'repeat').resend, false)
    const epoch = await asked({ network: '17' })
    assert.equal(expectIs(await begin({ network: '16', atMs: end - 1 }), 'repeat').record.epoch, epoch)
    expectIs(await begin({ network: '16', atMs: end }), 'opened')
  })
  it('is a past number of the dialogue that stands by now, which goes on as it was', async () => {
    const { begin, bury, answer, find, overdue, asked } = dialogueFixture(held.store)
    const token = 'own'
    expectIs(await begin({ network: '17', token }), 'opened')
    const before = await find()
    assert.equal(await bury({ network: '16' }), true)
    assert.deepEqual(await find(), before)
    expectIs(await begin({ network: '16' }), 'repeat')
    const [due] = await overdue(T0 + LEASE_MS)
    assert.deepEqual([due?.is, due?.record.epoch], ['abandoned', before!.epoch], 'its lease stands')
    await asked({ network: '17', msisdn: '2' })
    assert.equal(await bury({ network: '16', msisdn: '2' }), true)
    expectIs(await begin({ network: '16', msisdn: '2' }), 'repeat')
    expectIs(await answer({ network: '17', msisdn: '2', atMs: end + 1 }), 'next')
  })
  it('keeps a tombstone that stands as long as the number wants', async () => {
    const { begin, bury, asked, drop } = dialogueFixture(held.store)
    await asked({ network: '17' }, { ended: 'completed' })
    await drop()
    assert.equal(await bury({ network: '16', atMs: T0 + 5 }, end + 5_000), true)
    expectIs(await begin({ network: '16', atMs: end + 4_999 }), 'repeat')
    assert.equal(expectIs(await begin({ network: '16', atMs: end + 5_000 }), 'opened').previous, null, 'and no longer')
  })
  it('is known already where its begin, or another burial, came through', async () => {
    const { bury, asked } = dialogueFixture(held.store)
    await asked({ network: '16' })
    assert.equal(await bury({ network: '16' }), false)
    await asked({ network: '17' })
    assert.equal(await bury({ network: '16' }), false)
    assert.equal(await bury({ network: '15' }), true)
    assert.equal(await bury({ network: '15' }), false)
  })
  it('ends what its begin opened unseen, where nobody has played it: a redial of the same number is served', async () => {
    const { begin, bury, find, asked, overdue } = dialogueFixture(held.store)
    const copyMs = 20_000
    expectIs(await begin({ network: '16', token: 't', copyMs }), 'opened')
    assert.equal(await bury({ network: '16', token: 't', copyMs, atMs: T0 + 5 }, T0 + copyMs), true)
    const { status, ended, touchedMs } = (await find())!
    assert.deepEqual([status, ended, touchedMs, await held.store.count()], ['ended', 'store-failed', T0 + 5, 0])
    assert.deepEqual(await overdue(T0 + LEASE_MS), [])
    assert.equal(await bury({ network: '16', token: 't', copyMs, atMs: T0 + 6 }, T0 + copyMs), false)
    expectIs(await begin({ network: '16', copyMs, atMs: T0 + 7 }), 'opened')
    const epoch = await asked({ network: '16', msisdn: '2' }, { token: 't' })
    assert.equal(await bury({ network: '16', msisdn: '2', token: 't' }), false, 'this one was played')
    assert.equal((await find({ msisdn: '2' }))?.epoch, epoch)
    expectIs(await begin({ network: '16', msisdn: '3', token: 't' }), 'opened')
    assert.equal(await bury({ network: '16', msisdn: '3', token: 'u' }), false, 'that was another')
    assert.equal(await bury({ network: '16', msisdn: '3', token: 't' }), true)
    expectIs(await begin({ network: '16', msisdn: '3' }), 'repeat')
  })
  it('is forgotten with the oldest of eight, and takes the place of a tombstone that ran out', async () => {
    const { begin, bury, asked } = dialogueFixture(held.store)
    await asked({ network: '99' })
    for (let n = 0; n <= 8; n++) assert.equal(await bury({ network: `n ${n}` }), true)
    for (let n = 1; n <= 8; n++) expectIs(await begin({ network: `n ${n}` }), 'repeat')
    expectIs(await begin({ network: 'n 0' }), 'opened')
    await asked({ network: '99', msisdn: '2' }, { ended: 'completed' })
    assert.equal(await bury({ network: '98', msisdn: '2', atMs: end }, end + 1_000), true)
    assert.equal(
      expectIs(await begin({ network: '97', msisdn: '2', atMs: end }), 'opened').previous?.ended,
      'store-failed',
    )
  })
  it('whose number comes round is a copy only while another dialogue is open', async () => {
    const { begin, bury, asked } = dialogueFixture(held.store)
    const copyMs = 20_000
    await bury({ network: '16', copyMs }, T0 + copyMs)
    expectIs(await begin({ network: '16', copyMs, atMs: T0 + 1 }), 'opened')
    await bury({ network: '16', copyMs, msisdn: '2' }, T0 + copyMs)
    const epoch = await asked({ network: '17', copyMs, msisdn: '2' })
    assert.equal(
      expectIs(await begin({ network: '16', copyMs, msisdn: '2', atMs: T0 + copyMs - 1 }), 'repeat').record.epoch,
      epoch,
    )
  })
}

function past(held: Held) {
  it('is a repeat of which nothing is sent again', async () => {
    const { begin, asked, find } = dialogueFixture(held.store)
    await asked({ network: '16' })
    const epoch = await asked({ network: '17' })
    const repeat = expectIs(await begin({ network: '16', link: 'link-b' }), 'repeat')
    assert.equal(repeat.resend, false)
    assert.equal((await find())?.epoch, epoch)
  })
  it('is a redial once the time of tombstones is over', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    await asked({ network: '16' })
    await asked({ network: '17', atMs: T0 + 1_000 })
    const end = T0 + 1_000 + LIMITS.tombstoneMs
    expectIs(await begin({ network: '16', atMs: end - 1 }), 'repeat')
    expectIs(await begin({ network: '16', atMs: end }), 'opened')
  })
  it('is remembered for the last eight numbers, counted from when each ended', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    for (let n = 0; n <= 9; n++) await asked({ network: `n ${n}` })
    for (let n = 1; n <= 9; n++) expectIs(await begin({ network: `n ${n}` }), 'repeat')
    expectIs(await begin({ network: 'n 0' }), 'opened')
  })
  it('is remembered though dialogues without a number came between', async () => {
    const { begin, asked } = dialogueFixture(held.store)
    for (let n = 1; n <= 8; n++) {
      await asked({ network: `n ${n}` })
      await asked({ network: '' })
    }
    await asked({ network: 'n 9' })
    for (let n = 1; n <= 8; n++) expectIs(await begin({ network: `n ${n}` }), 'repeat')
  })
  it('counts an ended dialogue from its end, not from the redial', async () => {
    const { begin, asked, drop } = dialogueFixture(held.store)
    await asked({ network: '16' })
    await drop()
    await asked({ network: '17', atMs: T0 + 100_000 })
    expectIs(await begin({ network: '16', atMs: T0 + LIMITS.tombstoneMs - 1 }), 'repeat')
    expectIs(await begin({ network: '16', atMs: T0 + LIMITS.tombstoneMs }), 'opened')
  })
}
