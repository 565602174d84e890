/** The contract of dialogue stores: how a turn, and a dialogue, ends. */
import assert from 'node:assert/strict'
import { StoreError } from '../../src/base/errors.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, T0 } from './dialogue-fixture.ts'
import type { Held } from './dialogue-store.ts'

export function ending(held: Held): void {
  describe('rest', () => resting(held))
  describe('renew', () => renewing(held))
  describe('drop', () => dropping(held))
}

function resting(held: Held) {
  it('keeps the outcome of the turn', async () => {
    const { begin, rest, find } = dialogueFixture(held.store)
    await begin({ token: 't', epoch: 'e1' })
    const snapshot = {
      value: { a: 'b' },
      context: { name: 'Ünï "\\" \n \u0001 \ud83d\ude00', n: [1, 2.5, null, true], o: {} },
    }
    assert.equal(await rest({ token: 't', step: 3, text: 'Line\n"two" é €', atMs: T0 + 7, snapshot }), true)
    const record = await find()
    assert.equal(record?.status, 'resting')
    assert.deepEqual(record?.snapshot, snapshot)
    assert.deepEqual(record?.reply, { action: 'continue', text: 'Line\n"two" é €', step: 3, link: 'link-a' })
    assert.equal(record?.revision, 'dental@9f2c01ab77de')
    assert.equal(record?.touchedMs, T0 + 7)
    assert.equal(record?.ended, null)
  })
  it('with a last screen leaves a tombstone that says why', async () => {
    const { taken, rest, find } = dialogueFixture(held.store)
    assert.equal(await rest({ ...(await taken()), ended: 'too-many-wrong' }), true)
    const record = await find()
    assert.equal(record?.status, 'ended')
    assert.equal(record?.ended, 'too-many-wrong')
    assert.equal(record?.turn, 2)
    assert.equal(record?.reply?.action, 'end')
  })
  it('takes any token that is minted, also one that begins with a dash', async () => {
    const { begin, rest, answer } = dialogueFixture(held.store)
    for (const token of ['-_a9', '_-', '--']) {
      const msisdn = `1${token}`
      expectIs(await begin({ msisdn, token }), 'opened')
      assert.equal(await rest({ token }, { msisdn }), true)
      expectIs(await answer({ msisdn, text: '2' }), 'next')
    }
  })
  it('is true again for the token that rested it, and for no other', async () => {
    const { taken, rest } = dialogueFixture(held.store)
    const turn = await taken()
    assert.equal(await rest(turn), true)
    assert.equal(await rest(turn), true)
    assert.equal(await rest({ ...turn, token: 'other' }), false)
    assert.equal(await rest({ ...turn, epoch: 'other' }), false)
  })
  it('is refused after a hang-up, a redial, a takeover, and where there is nothing', async () => {
    const { taken, rest, drop, begin, overdue } = dialogueFixture(held.store)
    const hungUp = await taken({ msisdn: '1' })
    await drop({}, { msisdn: '1' })
    assert.equal(await rest(hungUp, { msisdn: '1' }), false)
    const redialled = await taken({ msisdn: '2' })
    await begin({ msisdn: '2', network: '18' })
    assert.equal(await rest(redialled, { msisdn: '2' }), false)
    const slow = await taken({ msisdn: '3' })
    await overdue(T0 + LEASE_MS, 'sweeper')
    assert.equal(await rest(slow, { msisdn: '3' }), false)
    assert.equal(await rest({ ...slow, token: 'sweeper' }, { msisdn: '3' }), true)
    assert.equal(await rest({ token: 't', epoch: 'e' }, { msisdn: '4' }), false)
  })
  it('is refused after a hang-up even if it had been made before', async () => {
    const { taken, rest, drop } = dialogueFixture(held.store)
    const turn = await taken()
    await rest(turn)
    await drop()
    assert.equal(await rest(turn), false)
  })
  it('refuses a snapshot that is too large, and the turn is still to be rested', async () => {
    const { taken, rest } = dialogueFixture(held.store)
    const turn = await taken()
    const big = { text: 'é'.repeat(LIMITS.snapshotOctetsMax / 2) }
    await assert.rejects(
      () => rest({ ...turn, snapshot: big }),
      (error) => error instanceof StoreError && error.code === 'too-large',
    )
    assert.equal(await rest({ ...turn, snapshot: { text: 'x'.repeat(LIMITS.snapshotOctetsMax - 11) } }), true)
  })
}

function renewing(held: Held) {
  it('keeps a turn from being taken over, for the one who has it', async () => {
    const { taken, overdue, key } = dialogueFixture(held.store)
    const { epoch, token } = await taken()
    assert.equal(await held.store.renew(key(), epoch, token, T0 + 9_000), true)
    assert.deepEqual(await overdue(T0 + 8_999), [])
    assert.equal((await overdue(T0 + 9_000))[0]?.is, 'abandoned')
    assert.equal(await held.store.renew(key(), epoch, token, T0 + 20_000), false)
    assert.equal(await held.store.renew(key(), epoch, 'other', T0 + 20_000), false)
    assert.equal(await held.store.renew(key(), epoch, 'sweeper', T0 + 20_000), true)
  })
  it('is refused once the turn rested, or where there is nothing', async () => {
    const { asked, key } = dialogueFixture(held.store)
    assert.equal(await held.store.renew(key(), 'e', 't', T0 + 9_000), false)
    const epoch = await asked({}, { token: 't' })
    assert.equal(await held.store.renew(key(), epoch, 't', T0 + 9_000), false)
  })
}

function dropping(held: Held) {
  it('ends what is open, taken or resting, and gives it with the reason', async () => {
    const { asked, begin, drop, find } = dialogueFixture(held.store)
    const epoch = await asked()
    const dropped = await drop({}, { atMs: T0 + 5 }, 'network-abort')
    assert.equal(dropped?.epoch, epoch)
    assert.equal(dropped?.status, 'ended')
    assert.equal(dropped?.ended, 'network-abort')
    assert.equal(dropped?.touchedMs, T0 + 5)
    assert.deepEqual(await find(), dropped)
    await begin({ msisdn: '2' })
    assert.equal((await drop({}, { msisdn: '2' }, 'drained'))?.ended, 'drained')
  })
  it('ends nothing twice, and nothing that is not there', async () => {
    const { asked, drop } = dialogueFixture(held.store)
    assert.equal(await drop(), null)
    await asked()
    await drop()
    assert.equal(await drop(), null)
  })
  it('ends only the dialogue of that network number or epoch', async () => {
    const { asked, drop } = dialogueFixture(held.store)
    const epoch = await asked({ network: '17' })
    assert.equal(await drop({ network: '18' }), null)
    assert.equal(await drop({ epoch: 'other' }), null)
    assert.equal(await drop({ epoch, network: '18' }), null)
    assert.equal((await drop({ network: '17', epoch }))?.epoch, epoch)
    await asked({ network: '17', msisdn: '2' })
    assert.notEqual(await drop({ network: '' }, { msisdn: '2' }), null, 'no number on either side: the MSISDN decides')
    await asked({ network: '', msisdn: '3' })
    assert.notEqual(await drop({ network: '18' }, { msisdn: '3' }), null)
  })
  it('gives a hang-up to one of two who report it', async () => {
    const { asked, drop } = dialogueFixture(held.store)
    await asked()
    const both = await Promise.all([drop(), drop()])
    assert.equal(both.filter((one) => one !== null).length, 1)
  })
  it('after a last screen that was refused keeps it from being sent again', async () => {
    const { asked, drop, overdue, begin } = dialogueFixture(held.store)
    await asked({}, { ended: 'completed' })
    assert.equal(await drop({}, {}, 'refused'), null)
    assert.deepEqual(await overdue(T0 + LIMITS.confirmMs), [])
    assert.equal(expectIs(await begin({ link: 'link-b' }), 'repeat').resend, false)
  })
}
