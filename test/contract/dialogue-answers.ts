/** The contract of dialogue stores: what an answer means. */
import assert from 'node:assert/strict'
import { OLDER_MAX, OVERDUE_MS } from '../../src/dialogue/classify.ts'
import { HEARD_MAX, STEPS } from '../../src/dialogue/heard.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, T0, type Said } from './dialogue-fixture.ts'
import type { Held } from './dialogue-store.ts'

export function answering(held: Held): void {
  describe('to a question', () => next(held))
  describe('with steps', () => stepped(held))
  describe('without steps', () => unstepped(held))
  describe('while a turn is taken', () => taken(held))
  describe('to nothing', () => unknown(held))
}

function next(held: Held) {
  it('takes the next turn and is journalled with where it came from', async () => {
    const { asked, answer, find } = dialogueFixture(held.store)
    const epoch = await asked({ path: { beginOp: 0 } })
    const path = { carrier: '0a02', from: [1, 1, '1'] as [number, number, string] }
    const said: Said = { text: 'Aé "1"\t', step: 4, atMs: T0 + 9, path, link: 'link-b' }
    const { record } = expectIs(await answer(said), 'next')
    assert.equal(record.epoch, epoch)
    assert.equal(record.turn, 2)
    assert.equal(record.status, 'taken')
    assert.deepEqual(record.answer, { kind: 'input', text: 'Aé "1"\t', step: 4 })
    assert.equal(record.returnPath.carrier, '0a02')
    assert.equal(record.returnPath.beginOp, 0, 'what began the dialogue is kept')
    assert.equal(record.touchedMs, T0 + 9)
    assert.equal(record.openedMs, T0)
    assert.equal(record.code, '*123#')
    assert.equal(record.revision, 'dental@9f2c01ab77de')
    assert.deepEqual(record.snapshot, { value: 'main', context: { page: 1 } })
    assert.deepEqual(await find(), record)
  })
  it('answers the same when it is asked again with the same token', async () => {
    const { asked, answer } = dialogueFixture(held.store)
    await asked()
    const first = await answer({ token: 't' })
    assert.deepEqual(await answer({ token: 't', atMs: T0 + 400 }), first)
    assert.equal(expectIs(first, 'next').record.turn, 2)
  })
  it('asked again with the same token has its turn no longer than the first time', async () => {
    const { asked, answer, overdue } = dialogueFixture(held.store)
    await asked()
    await answer({ token: 't' })
    await answer({ token: 't', atMs: T0 + 400 })
    assert.equal((await overdue(T0 + LEASE_MS))[0]?.is, 'abandoned')
  })
  it('that arrives again after its turn rested, with the same token, takes nothing', async () => {
    const { taken: take, rest, answer } = dialogueFixture(held.store)
    const turn = await take()
    await rest(turn)
    assert.equal(expectIs(await answer({ token: turn.token, text: 'else' }), 'repeat').resend, false)
  })
  it('may be an acknowledgement', async () => {
    const { asked, answer } = dialogueFixture(held.store)
    await asked()
    const { record } = expectIs(await answer({ kind: 'notify-ack', text: '' }), 'next')
    assert.deepEqual(record.answer, { kind: 'notify-ack', text: '', step: null })
  })
  it('takes one turn when two different ones race', async () => {
    const { asked, answer } = dialogueFixture(held.store)
    await asked()
    const both = await Promise.all([answer({ text: '1' }), answer({ text: '2' })])
    assert.deepEqual(
      both.map((one) => one.is),
      ['next', 'busy'],
    )
  })
  it('in the same millisecond as the question is the next answer', async () => {
    const { taken: take, rest, answer } = dialogueFixture(held.store)
    await rest(await take({ text: '1' }))
    expectIs(await answer({ text: '1', atMs: T0 }), 'next')
  })
}

function stepped(held: Held) {
  /** Turn 3 was answered with '1' at step 6; its reply went out with this step over link-a. */
  const answered = async (replied: number | null, said: Said = {}) => {
    const it = dialogueFixture(held.store)
    await it.rest(await it.taken({ ...said, step: 4 }), said)
    await it.answer({ ...said, step: 6, text: '1', token: 'third' })
    await it.rest({ token: 'third', step: replied }, said)
    return it
  }
  it('is a repeat if step and text are the last ones and the reply counted on', async () => {
    const { answer } = await answered(7)
    assert.equal(expectIs(await answer({ step: 6 }), 'repeat').resend, false)
    assert.equal(expectIs(await answer({ step: 6, link: 'link-b' }), 'repeat').resend, true)
  })
  it('gets no reply again that the SMSC accepted: over another link it could come after a newer screen', async () => {
    const it = await answered(7)
    await it.confirm((await it.find())!.epoch, 3)
    assert.equal(expectIs(await it.answer({ step: 6, link: 'link-b' }), 'repeat').resend, false)
  })
  it('is a repeat even if the reply was seen to arrive', async () => {
    const it = await answered(7)
    await it.confirm((await it.find())!.epoch, 3)
    expectIs(await it.answer({ step: 6, link: 'link-b' }), 'repeat')
  })
  it('is the next one where the peer never counts, though its step and text are the last ones', async () => {
    const it = dialogueFixture(held.store)
    // It says 4 again although the reply had counted on to 5: from then on its steps are not believed.
    await it.asked({ step: 4, text: '' }, { step: 5 })
    for (const token of ['second', 'third', 'fourth']) {
      expectIs(await it.answer({ step: 4, text: '1', token }), 'next')
      await it.rest({ token, step: 5 })
    }
  })
  it('is a repeat again once a counter that stood still counts on: a copy must not confirm', async () => {
    const it = dialogueFixture(held.store)
    await it.asked({ step: 0, text: '' }, { step: 1 })
    expectIs(await it.answer({ step: 2, text: '2', token: 'second' }), 'next')
    await it.rest({ token: 'second', step: 3 })
    expectIs(await it.answer({ step: 2, text: '1', token: 'third' }), 'next')
    await it.rest({ token: 'third', step: 3 })
    expectIs(await it.answer({ step: 6, text: '1', token: 'fourth' }), 'next')
    await it.rest({ token: 'fourth', step: 7 })
    expectIs(await it.answer({ step: 6, text: '1', token: 'copy' }), 'repeat')
    expectIs(await it.answer({ step: 2, text: '1', token: 'older' }), 'repeat')
    expectIs(await it.answer({ step: 8, text: '1', token: 'fifth' }), 'next')
  })
  it('is the next one where the counter goes back, and none of its steps is believed until it is ahead again', async () => {
    const it = dialogueFixture(held.store)
    await it.asked({ step: null, text: '' }, { step: 40 })
    for (const [token, step, replied] of [
      ['second', 30, 31],
      ['third', 28, 29],
      ['fourth', 29, 30],
    ] as const) {
      expectIs(await it.answer({ step, text: token, token }), 'next')
      await it.rest({ token, step: replied })
    }
    expectIs(await it.answer({ step: 34, text: '1', token: 'fifth' }), 'next')
    await it.rest({ token: 'fifth', step: 35 })
    expectIs(await it.answer({ step: 30, text: 'second', token: 'late' }), 'repeat')
    expectIs(await it.answer({ step: 30, text: '9', token: 'sixth' }), 'next')
  })
  it('is the next one in a dialogue that we began where the peer never counts: its first step is behind ours', async () => {
    const it = dialogueFixture(held.store)
    for (const [msisdn, step, ours] of [
      ['1', 0, 1],
      ['2', 120, 5],
    ] as const) {
      await it.asked({ msisdn, step: null, text: '' }, { step: ours })
      for (const token of ['second', 'third', 'fourth']) {
        expectIs(await it.answer({ msisdn, step, text: '1', token }), 'next')
        await it.rest({ token, step: (step + 1) % STEPS }, { msisdn })
      }
    }
  })
  it('is a repeat in a dialogue that we began where the peer counts from our step on', async () => {
    const it = dialogueFixture(held.store)
    for (const [msisdn, step] of [
      ['1', 1],
      ['2', 2],
    ] as const) {
      await it.asked({ msisdn, step: null, text: '' }, { step: 1 })
      expectIs(await it.answer({ msisdn, step, text: '1', token: 'second' }), 'next')
      await it.rest({ token: 'second', step: step + 1 }, { msisdn })
      expectIs(await it.answer({ msisdn, step, text: '1', token: 'third' }), 'repeat')
    }
  })
  it('is a repeat if it is a late copy of an answer before the last one, however far behind', async () => {
    const { answer, rest } = await answered(7)
    assert.equal(expectIs(await answer({ step: 4 }), 'repeat').resend, false)
    for (let step = 8; step < 8 + 4 * (HEARD_MAX - 2); step += 4) {
      const token = `step${step}`
      expectIs(await answer({ step, text: token, token }), 'next')
      await rest({ token, step: step + 1 })
    }
    expectIs(await answer({ step: 4 }), 'repeat')
  })
  it('is the next one under a counter that went back, though only a little: nobody has heard that key', async () => {
    for (const [msisdn, step, text] of [
      ['1', 4, '2'],
      ['2', 5, '1'],
      ['3', 2, '1'],
      ['4', 6 - OLDER_MAX + STEPS, '1'],
    ] as const) {
      const { answer, rest } = await answered(7, { msisdn })
      expectIs(await answer({ msisdn, step, text, token: 'back' }), 'next')
      await rest({ token: 'back', step: (step + 1) % STEPS }, { msisdn })
      expectIs(await answer({ msisdn, step, text }), 'repeat')
      expectIs(await answer({ msisdn, step: (step + 2) % STEPS, text: '3' }), 'next')
    }
  })
  it('is the next one where the counter went back and comes by an earlier key again, and a copy of that is none', async () => {
    const { answer, rest, confirm, find } = await answered(7)
    expectIs(await answer({ step: 2, text: '2', token: 'back' }), 'next')
    await rest({ token: 'back', step: 3 })
    await confirm((await find())!.epoch, 4)
    assert.equal(expectIs(await answer({ step: 6 }), 'repeat').resend, true, 'who did press it must not meet silence')
    expectIs(await answer({ step: 4, token: 'again' }), 'next')
    await rest({ token: 'again', step: 5 })
    expectIs(await answer({ step: 4 }), 'repeat')
  })
  it('is a copy of a key whose own counter stalled: its screen comes again, as often as it comes, and nothing is done', async () => {
    const it = dialogueFixture(held.store)
    const epoch = await it.asked({ step: 0, text: '' }, { step: 1 })
    for (const [token, text] of [
      ['second', '2'],
      ['third', '1'],
    ] as const) {
      expectIs(await it.answer({ step: 2, text, token }), 'next')
      await it.rest({ token, step: 3 })
    }
    const late = { step: 2, atMs: T0 + 1_500 }
    assert.equal(expectIs(await it.answer({ ...late, text: '1' }), 'repeat').resend, false, 'the screen is on its way')
    await it.confirm(epoch, 3)
    for (const text of ['1', '1', '2'])
      assert.equal(expectIs(await it.answer({ ...late, text }), 'repeat').resend, true, text)
    assert.equal((await it.find())?.turn, 3)
    expectIs(await it.answer({ ...late, step: 4, text: '1' }), 'next')
  })
  it('is a copy by its step alone where the dialogue has asked for a secret: its text is not remembered', async () => {
    const it = dialogueFixture(held.store)
    await it.asked({ step: 0, text: '' }, { step: 1, snapshot: { context: { gate: 'pin' } } })
    for (const [token, step] of [
      ['second', 2],
      ['third', 4],
    ] as const) {
      expectIs(await it.answer({ step, text: '1234', token }), 'next')
      await it.rest({ token, step: step + 1, snapshot: { context: { gate: 'pin' } } })
    }
    expectIs(await it.answer({ step: 2, text: '9' }), 'repeat')
    expectIs(await it.answer({ step: 1, text: '9' }), 'next')
  })
  it('is never a late copy by its step alone where the last one, or it, has none, or where only a begin stands before it', async () => {
    const it = dialogueFixture(held.store)
    await it.rest(await it.taken({ msisdn: '1', step: null }), { msisdn: '1' })
    expectIs(await it.answer({ msisdn: '1', step: STEPS - 8, text: '2' }), 'next')
    await it.rest(await it.taken({ msisdn: '2', step: 6 }), { msisdn: '2' })
    expectIs(await it.answer({ msisdn: '2', step: null, text: '2' }), 'next')
    await it.asked({ msisdn: '3', step: 9 })
    expectIs(await it.answer({ msisdn: '3', step: 4 }), 'next')
  })
  it('is the next one after the steps have wrapped', async () => {
    const it = dialogueFixture(held.store)
    await it.rest(await it.taken({ step: 127 }))
    expectIs(await it.answer({ step: 0, text: '1' }), 'next')
  })
  it('is the next one with another step, over whatever link', async () => {
    const { answer } = await answered(7)
    expectIs(await answer({ step: 8, link: 'link-b' }), 'next')
  })
  it('is the next one with another text', async () => {
    const { answer } = await answered(7)
    expectIs(await answer({ step: 6, text: '2', link: 'link-b' }), 'next')
  })
  it('is told by link and confirmation where the peer never counts on', async () => {
    for (const replied of [6, null]) {
      const it = await answered(replied)
      expectIs(await it.answer({ step: 6, link: 'link-b' }), 'repeat')
      expectIs(await it.answer({ step: 6, link: 'link-a' }), 'next')
      await it.drop()
      await held.store.erase('67570000001')
    }
  })
}

function unstepped(held: Held) {
  const answered = async (said: Said = {}) => {
    const it = dialogueFixture(held.store)
    await it.rest(await it.taken(said), said)
    return it
  }
  it('gets the current screen where the dialogue went on while this daemon stood still: it may be an older key', async () => {
    const { asked, answer, find } = dialogueFixture(held.store)
    await asked({ atMs: T0 + 5_000 })
    const late: Said = { text: '1', stillFromMs: T0 + 1_000, atMs: T0 + 9_000 }
    assert.equal(expectIs(await answer(late), 'repeat').resend, true)
    assert.equal((await find())?.turn, 1)
    expectIs(await answer({ ...late, stillFromMs: T0 + 5_001 }), 'next')
    await asked({ msisdn: '2', atMs: T0 + 5_000 })
    expectIs(await answer({ ...late, msisdn: '2', step: 4 }), 'next')
  })
  it('is a repeat over another link while the reply is not confirmed, and the reply goes out again', async () => {
    const { answer } = await answered()
    assert.equal(expectIs(await answer({ link: 'link-b' }), 'repeat').resend, true)
  })
  it('whose reply may be lost, or may have been answered, is not silence for long: that reply is due once it is late', async () => {
    const it = await answered()
    assert.equal(expectIs(await it.answer({ link: 'link-b', isGone: false }), 'repeat').resend, false)
    assert.deepEqual(await it.overdue(T0 + OVERDUE_MS - 1), [])
    const [found] = await it.overdue(T0 + OVERDUE_MS)
    assert.deepEqual([found?.is, found?.record.turn], ['unconfirmed', 2])
  })
  it('that came again before its reply was accepted makes nothing due', async () => {
    const it = await answered()
    expectIs(await it.answer({ link: 'link-b', isGone: false }), 'repeat')
    await it.confirm((await it.find())!.epoch, 2)
    assert.deepEqual(await it.overdue(T0 + LIMITS.idleMs - 1), [])
  })
  it('is the next one over the same link: a subscriber may press a key twice', async () => {
    const { answer } = await answered()
    assert.equal(expectIs(await answer({ link: 'link-a' }), 'next').record.turn, 3)
  })
  it('is the next one over another link once the reply is confirmed', async () => {
    const it = await answered()
    await it.confirm((await it.find())!.epoch, 2)
    expectIs(await it.answer({ link: 'link-b' }), 'next')
  })
  it('is the next one with another text, or of another kind', async () => {
    const { answer } = await answered()
    expectIs(await answer({ link: 'link-b', text: '2' }), 'next')
    const other = await answered({ msisdn: '2', text: '' })
    expectIs(await other.answer({ msisdn: '2', link: 'link-b', kind: 'notify-ack', text: '' }), 'next')
  })
}

function taken(held: Held) {
  it('is a repeat of nothing to send if it is the same, and busy if it is another', async () => {
    const it = dialogueFixture(held.store)
    await it.taken({ step: 4 })
    assert.equal(expectIs(await it.answer({ step: 4, link: 'link-b' }), 'repeat').resend, false)
    assert.equal(expectIs(await it.answer({ step: null }), 'repeat').resend, false)
    expectIs(await it.answer({ step: 5 }), 'busy')
    expectIs(await it.answer({ text: '2', step: 4 }), 'busy')
    assert.equal((await it.find())?.turn, 2)
  })
  it('finds a begin that is still taken busy', async () => {
    const { begin, answer } = dialogueFixture(held.store)
    await begin()
    expectIs(await answer({ text: '' }), 'busy')
  })
}

function unknown(held: Held) {
  it('is unknown without a dialogue, and with another network number', async () => {
    const { answer, asked } = dialogueFixture(held.store)
    expectIs(await answer(), 'unknown')
    await asked({ network: '17' })
    expectIs(await answer({ network: '18' }), 'unknown')
  })
  it('finds its dialogue by MSISDN where either side has no network number', async () => {
    const { answer, asked } = dialogueFixture(held.store)
    await asked({ network: '' })
    expectIs(await answer({ network: '18' }), 'next')
    await asked({ network: '17', msisdn: '2' })
    expectIs(await answer({ network: '', msisdn: '2' }), 'next')
  })
  it('is unknown after a hang-up and after an ending of our own', async () => {
    const { answer, asked, drop } = dialogueFixture(held.store)
    await asked()
    await drop()
    expectIs(await answer({ text: '' }), 'unknown')
  })
  it('after the last screen is a repeat if it is a late copy, else unknown', async () => {
    const { answer, taken: take, rest } = dialogueFixture(held.store)
    await rest({ ...(await take()), ended: 'completed' })
    assert.equal(expectIs(await answer(), 'repeat').resend, false)
    assert.equal(expectIs(await answer({ link: 'link-b' }), 'repeat').resend, true)
    expectIs(await answer({ text: '2' }), 'unknown')
    expectIs(await answer({ atMs: T0 + LIMITS.tombstoneMs }), 'unknown')
    const said = { msisdn: '2', link: 'link-b' }
    await rest({ ...(await take({ msisdn: '2' })), ended: 'failed' }, said)
    expectIs(await answer({ ...said, atMs: T0 + LIMITS.tombstoneMs - 1 }), 'repeat')
    expectIs(await answer({ ...said, atMs: T0 + LIMITS.tombstoneMs }), 'unknown')
  })
}
