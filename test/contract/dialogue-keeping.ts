/** The contract of dialogue stores: find, count, erase, check, close, and what is there after a restart. */
import assert from 'node:assert/strict'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import { StoreError } from '../../src/base/errors.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, T0 } from './dialogue-fixture.ts'
import type { Held } from './dialogue-store.ts'

export function keeping(held: Held): void {
  describe('here and now', () => present(held))
  describe('over a restart', () => restarted(held))
}

function present(held: Held) {
  it('finds nothing where nothing is, and looks without touching', async () => {
    const { find, taken, overdue } = dialogueFixture(held.store)
    assert.equal(await find(), null)
    await taken()
    const record = await find()
    assert.deepEqual(await find(), record)
    assert.equal((await overdue(T0 + LEASE_MS)).length, 1)
  })
  it('counts 0, 1 and 1000 open dialogues, and not those that ended', async () => {
    const { asked, drop } = dialogueFixture(held.store)
    assert.equal(await held.store.count(), 0)
    await asked()
    assert.equal(await held.store.count(), 1)
    // Some at a time: a thousand at once may pass Redis's time-out on a machine that has other things to do.
    for (let n = 0; n < 999; n += 37)
      await Promise.all(Array.from({ length: 37 }, (_, i) => asked({ msisdn: String(n + i) })))
    assert.equal(await held.store.count(), 1_000)
    await drop()
    assert.equal(await held.store.count(), 999)
  })
  it('tells how many open dialogues there are on each flow revision, and whether it looked at all', async () => {
    const { asked, drop, begin } = dialogueFixture(held.store)
    assert.deepEqual(await held.store.census(10), { open: new Map(), whole: true })
    for (const msisdn of ['1', '2', '3', '4']) await asked({ msisdn })
    await begin({ msisdn: '5' })
    await drop({}, { msisdn: '4' })
    const census = await held.store.census(10)
    assert.deepEqual(
      [census.open.get('dental@9f2c01ab77de'), census.open.get(''), census.open.size, census.whole],
      [3, 1, 2, true],
    )
    const part = await held.store.census(2)
    assert.deepEqual([[...part.open.values()].reduce((sum, n) => sum + n, 0), part.whole], [2, false])
  })
  it('erases everything of one MSISDN, in all groups, open or ended, and nothing else', async () => {
    const { asked, find, drop, begin, overdue } = dialogueFixture(held.store)
    await asked({ group: 'a' })
    await asked({ group: 'b' })
    await drop({}, { group: 'b' })
    await asked({ msisdn: '6757000000' })
    await asked({ msisdn: '167570000001' })
    assert.equal(await held.store.erase('67570000001'), 2)
    assert.equal(await find({ group: 'a' }), null)
    assert.equal(await held.store.erase('67570000001'), 0)
    assert.equal(await held.store.count(), 2)
    assert.equal((await overdue(T0 + LIMITS.totalMs)).length, 2)
    assert.equal(expectIs(await begin({ group: 'a' }), 'opened').previous, null)
  })
  it('takes a pattern for the MSISDN that it is not', async () => {
    const { asked } = dialogueFixture(held.store)
    await asked()
    assert.equal(await held.store.erase('*'), 0)
    assert.equal(await held.store.erase('6757000000?'), 0)
    assert.equal(await held.store.count(), 1)
  })
  it('says what could be lost', async () => {
    const { durable, notes } = await held.store.check()
    assert.equal(typeof durable, 'boolean')
    if (!durable) assert.notEqual(notes.length, 0)
  })
  it('fails every call after it was closed', async () => {
    await held.store.close()
    await held.store.close()
    const { begin, find, key } = dialogueFixture(held.store)
    const down = (error: unknown) => error instanceof StoreError && error.code === 'down'
    await assert.rejects(() => begin(), down)
    await assert.rejects(() => find(), down)
    await assert.rejects(() => held.store.count(), down)
    await assert.rejects(() => held.store.overdue(T0, 1, 't', T0), down)
    await assert.rejects(() => held.store.check(), down)
    held.store.confirm({ key: key(), epoch: 'e', turn: 1, openedMs: T0, touchedMs: T0, ended: null })
  })
}

function restarted(held: Held) {
  it('has everything again: dialogues, tombstones, tokens, past numbers, deadlines', async function () {
    if (!held.place.durable) return this.skip()
    const before = dialogueFixture(held.store)
    const turn = await before.taken({ msisdn: '1', text: '7' })
    const confirmed = await before.asked({ msisdn: '2', network: '16' })
    await before.asked({ msisdn: '3', network: '16' })
    await before.asked({ msisdn: '3', network: '17' }, { ended: 'completed' })
    await before.confirm(confirmed, 1, { msisdn: '2' })
    await before.begin({ msisdn: '2', network: '17' })
    await before.drop({}, { msisdn: '2' })
    const records = await Promise.all(['1', '2', '3'].map((msisdn) => before.find({ msisdn })))
    await held.store.close()

    const store = await held.place.open(LIMITS)
    const after = dialogueFixture(store)
    assert.deepEqual(await Promise.all(['1', '2', '3'].map((msisdn) => after.find({ msisdn }))), records)
    assert.equal(expectIs(await after.begin({ msisdn: '3', network: '16' }), 'repeat').resend, false)
    assert.equal(expectIs(await after.begin({ msisdn: '3', network: '17', link: 'link-b' }), 'repeat').resend, true)
    const due = await after.overdue(T0 + LIMITS.confirmMs)
    assert.deepEqual(
      due.map((one) => [one.is, one.record.key.msisdn]),
      [
        ['abandoned', '1'],
        ['unconfirmed', '3'],
      ],
    )
    assert.equal(await after.rest(turn, { msisdn: '1' }), false, 'the turn was taken over')
  })
  it('has a renewed lease and a first turn with what stood before it', async function () {
    if (!held.place.durable) return this.skip()
    const before = dialogueFixture(held.store)
    const old = await before.asked({ network: '16' })
    await before.begin({ token: 't', epoch: 'e' })
    await held.store.renew(before.key(), 'e', 't', T0 + 60_000)
    await held.store.close()
    const after = dialogueFixture(await held.place.open(LIMITS))
    assert.deepEqual(await after.overdue(T0 + 59_999), [])
    const again = expectIs(await after.begin({ token: 't', epoch: 'other' }), 'opened')
    assert.equal(again.record.epoch, 'e')
    assert.equal(again.previous?.epoch, old)
  })
  it('keeps what was erased erased', async function () {
    if (!held.place.durable) return this.skip()
    await dialogueFixture(held.store).asked()
    await held.store.erase('67570000001')
    await held.store.close()
    const found: DialogueRecord | null = await dialogueFixture(await held.place.open(LIMITS)).find()
    assert.equal(found, null)
  })
}
