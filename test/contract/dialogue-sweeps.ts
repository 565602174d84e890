/** The contract of dialogue stores: what is due, when, and to whom it is given. */
import assert from 'node:assert/strict'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, T0 } from './dialogue-fixture.ts'
import type { Held } from './dialogue-store.ts'

export function sweeping(held: Held): void {
  describe('of a turn', () => leases(held))
  describe('of a reply', () => confirmations(held))
  describe('of a dialogue', () => endings(held))
  describe('of many', () => many(held))
}

function leases(held: Held) {
  it('give a turn whose lease ran out to a new owner, with its journalled answer', async () => {
    const { taken, overdue, find } = dialogueFixture(held.store)
    const { epoch } = await taken({ text: '7' })
    assert.deepEqual(await overdue(T0 + LEASE_MS - 1), [])
    const [found] = await overdue(T0 + LEASE_MS, 'mine')
    assert.ok(found?.is === 'abandoned')
    assert.equal(found.token, 'mine')
    assert.equal(found.record.epoch, epoch)
    assert.equal(found.record.turn, 2)
    assert.equal(found.record.answer.text, '7')
    assert.equal(found.record.status, 'taken')
    assert.equal(found.record.touchedMs, T0, 'how late it is counts from the answer')
    assert.equal(found.previous, null)
    assert.deepEqual(await find(), found.record)
    assert.deepEqual(await overdue(T0 + LEASE_MS), [], 'the new owner has a lease, too')
    assert.equal((await overdue(T0 + 2 * LEASE_MS)).length, 1)
  })
  it('count how often a turn was taken over, and only for that turn', async () => {
    const { asked, taken, answer, overdue, rest, find } = dialogueFixture(held.store)
    const { epoch } = await taken({ text: '7' })
    assert.equal('takeovers' in (await find())!, false)
    for (const n of [1, 2, 3]) {
      const [found] = await overdue(T0 + n * LEASE_MS, `owner${n}`)
      assert.ok(found?.is === 'abandoned')
      assert.equal(found.record.takeovers, n)
      assert.equal((await find())?.takeovers, n)
    }
    assert.equal(await rest({ epoch, token: 'owner3' }), true)
    assert.equal('takeovers' in (await find())!, false, 'it was finished')
    await answer({ text: '8' })
    assert.equal('takeovers' in (await find())!, false, 'the next turn is another')
    await asked({ network: '18' })
    assert.equal('takeovers' in (await find())!, false)
  })
  it('give what stood there before with a first turn', async () => {
    const { asked, begin, overdue } = dialogueFixture(held.store)
    const old = await asked({ network: '16' })
    await begin({ network: '17' })
    const [found] = await overdue(T0 + LEASE_MS)
    assert.ok(found?.is === 'abandoned')
    assert.equal(found.previous?.epoch, old)
    assert.equal(found.previous?.ended, 'superseded')
  })
  it('are not put off by a late confirmation of the turn before', async () => {
    const { taken, confirm, overdue } = dialogueFixture(held.store)
    const { epoch } = await taken()
    await confirm(epoch, 1)
    assert.equal((await overdue(T0 + LEASE_MS))[0]?.is, 'abandoned')
  })
  it('end a dialogue whose turn is never finished when it is too old altogether', async () => {
    const { taken, overdue, rest } = dialogueFixture(held.store)
    const turn = await taken()
    const [found] = await overdue(T0 + LIMITS.totalMs)
    assert.equal(found?.is, 'ended')
    assert.equal(found?.record.ended, 'total')
    assert.equal(await rest(turn), false)
  })
}

function confirmations(held: Held) {
  it('give a reply that nobody saw accepted, and give it again unless it is confirmed: a daemon may die of it', async () => {
    const { asked, confirm, overdue } = dialogueFixture(held.store)
    const epoch = await asked()
    assert.deepEqual(await overdue(T0 + LIMITS.confirmMs - 1), [])
    const [found, ...more] = await overdue(T0 + LIMITS.confirmMs)
    assert.equal(found?.is, 'unconfirmed')
    assert.equal(found?.record.epoch, epoch)
    assert.equal(found?.record.status, 'resting')
    assert.deepEqual(more, [])
    assert.deepEqual(await overdue(T0 + 2 * LIMITS.confirmMs - 1), [])
    assert.equal((await overdue(T0 + 2 * LIMITS.confirmMs))[0]?.is, 'unconfirmed')
    await confirm(epoch)
    assert.deepEqual(await overdue(T0 + LIMITS.idleMs - 1), [])
  })
  it('give nothing of a reply that was confirmed, before or after it was given', async () => {
    const { asked, confirm, overdue } = dialogueFixture(held.store)
    await confirm(await asked())
    assert.deepEqual(await overdue(T0 + LIMITS.idleMs - 1), [])
    const late = await asked({ msisdn: '2' })
    await overdue(T0 + LIMITS.confirmMs)
    await confirm(late, 1, { msisdn: '2' })
    assert.deepEqual(
      (await overdue(T0 + LIMITS.idleMs)).map((one) => one.is),
      ['ended', 'ended'],
    )
  })
  it('do not take a confirmation of another turn or dialogue', async () => {
    const { taken, rest, confirm, overdue } = dialogueFixture(held.store)
    const turn = await taken()
    await rest(turn)
    await confirm(turn.epoch, 1)
    await confirm('other', 2)
    assert.equal((await overdue(T0 + LIMITS.confirmMs))[0]?.is, 'unconfirmed')
  })
  it('survive a confirmation of something that is not there', async () => {
    const { confirm, find } = dialogueFixture(held.store)
    await confirm('e', 1)
    assert.equal(await find(), null)
    assert.equal(await held.store.count(), 0)
  })
  it('give a last screen that nobody saw accepted, once, while its tombstone is young', async () => {
    const { asked, overdue, confirm } = dialogueFixture(held.store)
    await asked({}, { ended: 'completed' })
    await confirm(await asked({ msisdn: '2' }, { ended: 'completed' }), 1, { msisdn: '2' })
    const found = await overdue(T0 + LIMITS.confirmMs)
    assert.deepEqual(
      found.map((one) => [one.is, one.record.status, one.record.key.msisdn]),
      [['unconfirmed', 'ended', '67570000001']],
    )
    assert.deepEqual(await overdue(T0 + LIMITS.confirmMs), [])
    await asked({ msisdn: '3' }, { ended: 'completed' })
    assert.deepEqual(await overdue(T0 + LIMITS.tombstoneMs), [], 'nobody wants it an hour later')
  })
}

function endings(held: Held) {
  it('end a dialogue that rested too long, and leave its tombstone', async () => {
    const { asked, confirm, overdue, begin, answer } = dialogueFixture(held.store)
    const epoch = await asked()
    await confirm(epoch)
    const at = T0 + LIMITS.idleMs
    const [found] = await overdue(at)
    assert.equal(found?.is, 'ended')
    assert.equal(found?.record.ended, 'idle')
    assert.equal(found?.record.touchedMs, at)
    assert.deepEqual(await overdue(at), [])
    expectIs(await answer({ atMs: at }), 'unknown')
    assert.equal(expectIs(await begin({ network: '18', atMs: at }), 'opened').previous?.ended, 'idle')
  })
  it('end a dialogue that is too old altogether, however young its last answer', async () => {
    const { asked, answer, rest, confirm, overdue } = dialogueFixture(held.store)
    const epoch = await asked()
    const late = T0 + LIMITS.totalMs - 1_000
    await answer({ token: 't', atMs: late })
    await rest({ token: 't', atMs: late })
    await confirm(epoch, 2)
    assert.deepEqual(await overdue(T0 + LIMITS.totalMs - 1), [])
    assert.equal((await overdue(T0 + LIMITS.totalMs))[0]?.record.ended, 'total')
  })
  it('end one that rested too long unconfirmed, without sending the reply again', async () => {
    const { asked, overdue } = dialogueFixture(held.store)
    await asked()
    assert.deepEqual(
      (await overdue(T0 + LIMITS.idleMs)).map((one) => one.is),
      ['ended'],
    )
  })
  it('leave their text to be sent until it is confirmed: whoever seized it may die before that', async () => {
    const { asked, confirm, overdue, find, drop } = dialogueFixture(held.store)
    const farewell = ({ ended }: DialogueRecord) => ({ action: 'end', text: `over: ${ended}` }) as const
    const at = T0 + LIMITS.idleMs
    for (const msisdn of ['1', '2', '3']) await confirm(await asked({ msisdn }), 1, { msisdn })
    const ended = await overdue(at, 'sweeper', 9, farewell)
    assert.deepEqual(
      ended.map(({ is, record }) => [is, record.ended, record.reply?.text]),
      [1, 2, 3].map(() => ['ended', 'idle', 'over: idle']),
    )
    assert.equal(await held.store.count(), 3, 'their texts are owed')
    await confirm((await find({ msisdn: '2' }))!.epoch, 1, { msisdn: '2' })
    await drop({}, { msisdn: '3' })
    assert.deepEqual(await overdue(at + LIMITS.confirmMs - 1), [])
    const [found, ...more] = await overdue(at + LIMITS.confirmMs)
    assert.deepEqual(
      [found?.is, found?.record.key.msisdn, found?.record.reply?.text],
      ['unconfirmed', '1', 'over: idle'],
    )
    assert.deepEqual(more, [])
  })
  it('with a text that nobody has confirmed make no redial a copy, and no key of before, and no turn rests behind it', async () => {
    const { asked, taken, begin, answer, overdue, rest } = dialogueFixture(held.store)
    const copyMs = 300_000
    const farewell = () => ({ action: 'end', text: 'over' }) as const
    await asked({ copyMs, text: '' })
    const turn = await taken({ msisdn: '2' })
    const at = T0 + LIMITS.totalMs
    assert.equal((await overdue(at, 'sweeper', 9, farewell)).length, 2)
    assert.equal(await rest({ ...turn, atMs: at }, { msisdn: '2' }), false)
    expectIs(await answer({ msisdn: '2', atMs: at, link: 'link-b' }), 'unknown')
    const copy = await begin({ msisdn: '2', atMs: at, link: 'link-b' })
    assert.equal(expectIs(copy, 'repeat').resend, false, 'a number that is not used again')
    assert.equal(expectIs(await begin({ copyMs, atMs: at + 1, link: 'link-b' }), 'opened').previous?.ended, 'idle')
  })
  it('count from the last answer', async () => {
    const { asked, answer, rest, confirm, overdue } = dialogueFixture(held.store)
    const epoch = await asked()
    await answer({ token: 't', atMs: T0 + 50_000 })
    await rest({ token: 't', atMs: T0 + 50_001 })
    await confirm(epoch, 2)
    assert.deepEqual(await overdue(T0 + 50_000 + LIMITS.idleMs), [])
    assert.equal((await overdue(T0 + 50_001 + LIMITS.idleMs)).length, 1)
  })
  it('do not concern what was dropped', async () => {
    const { asked, taken, drop, overdue } = dialogueFixture(held.store)
    await asked()
    await taken({ msisdn: '2' })
    await drop()
    await drop({}, { msisdn: '2' })
    assert.deepEqual(await overdue(T0 + LIMITS.totalMs), [])
    assert.equal(await held.store.count(), 0)
  })
}

function many(held: Held) {
  it('are given soonest first, at most as many as asked for, each to one of those who ask', async () => {
    const { taken, overdue } = dialogueFixture(held.store)
    for (let n = 0; n < 30; n++) await taken({ msisdn: `6757000${100 + n}`, atMs: T0 + 29 - n })
    const at = T0 + LEASE_MS + 29
    const first = await overdue(at, 'a', 3)
    assert.deepEqual(
      first.map((one) => one.record.key.msisdn),
      ['6757000129', '6757000128', '6757000127'],
    )
    const rest = (
      await Promise.all([overdue(at, 'b', 20), overdue(at, 'c', 20), overdue(at, 'd', 20), overdue(at, 'e', 20)])
    ).flat()
    rest.push(...(await overdue(at, 'f', 100)))
    assert.equal(rest.length, 27)
    assert.equal(new Set([...first, ...rest].map((one) => one.record.key.msisdn)).size, 30)
  })
  it('are none where nothing is kept', async () => {
    const { overdue } = dialogueFixture(held.store)
    assert.deepEqual(await overdue(T0), [])
  })
}
