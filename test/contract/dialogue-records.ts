/** The contract of dialogue stores: each dialogue that ends leaves one call detail record, until it was collected. */
import assert from 'node:assert/strict'
import type { CallRecord } from '../../src/dialogue/cdr.ts'
import type { DialogueStore, WaitingRecord } from '../../src/dialogue/types.ts'
import { dialogueFixture, LIMITS, recordingOf, T0 } from './dialogue-fixture.ts'
import type { Held } from './dialogue-store.ts'

export function recordsOfDialogues(held: Held): void {
  const waiting = () => waitingIn(held.store)
  const records = async () => (await waiting()).map(({ record }) => record)
  const reasons = async () => (await records()).map(({ epoch, reason }) => `${epoch} ${reason}`).toSorted()

  it('tell of a dialogue from its dial to its last screen', async () => {
    const { asked, answer, rest } = dialogueFixture(held.store)
    const screen = (value: string) => ({ value, context: { language: 'tpi' } })
    const epoch = await asked({ code: '*123*77#' }, { snapshot: screen('main'), atMs: T0 + 100 })
    await answer({ token: 't2', atMs: T0 + 4_100, text: '1' })
    const heard = { choice: '1', backendMs: 250 }
    await rest({ token: 't2', epoch, atMs: T0 + 4_400, snapshot: screen('name'), heard })
    await answer({ token: 't3', atMs: T0 + 15_400, text: 'John Doe' })
    await rest({ token: 't3', epoch, atMs: T0 + 15_400, snapshot: screen('done'), ended: 'completed' })
    assert.deepEqual(await records(), [
      {
        epoch,
        kind: 'dialogue',
        openedMs: T0,
        endedMs: T0 + 15_400,
        msisdn: '67570000001',
        line: 'akiba',
        code: '*123*',
        channel: 'ussd',
        flow: 'dental@9f2c01ab77de',
        reason: 'completed',
        screen: 'done',
        turns: 3,
        waitMs: 15_000,
        backendMs: 250,
        language: 'tpi',
        instance: 'd1',
        path: 'main:1/4>name:*/11',
        detail: '',
      } satisfies CallRecord,
    ])
  })

  it('of a dialogue that never finished a turn has no screen', async () => {
    const { begin, drop } = dialogueFixture(held.store)
    await begin({ epoch: 'e1' })
    await drop({})
    const [record] = await records()
    assert.deepEqual(
      [record!.reason, record!.screen, record!.path, record!.flow, record!.turns],
      ['subscriber-abort', '', '', '', 1],
    )
  })

  it('are one each, whatever ended it: the subscriber, a deadline, another dial, its last screen', async () => {
    const { asked, drop, overdue, begin } = dialogueFixture(held.store)
    const hungUp = await asked({ msisdn: '1', network: '1' })
    const idle = await asked({ msisdn: '2', network: '2' })
    const replaced = await asked({ msisdn: '3', network: '3' })
    await drop({}, { msisdn: '1' })
    await drop({}, { msisdn: '1' })
    await begin({ msisdn: '3', network: '33', epoch: 'e33', token: 'a' })
    await begin({ msisdn: '3', network: '33', epoch: 'e33', token: 'a' })
    const rested = await asked({ msisdn: '4', network: '4' }, { ended: 'completed' })
    await overdue(T0 + LIMITS.idleMs)
    await overdue(T0 + LIMITS.idleMs + 1)
    assert.deepEqual(
      (await reasons()).filter((one) => !one.startsWith('e33')),
      [`${hungUp} subscriber-abort`, `${idle} idle`, `${replaced} superseded`, `${rested} completed`].toSorted(),
    )
    const waited = (await records()).find(({ epoch }) => epoch === idle)
    assert.equal(waited?.waitMs, LIMITS.idleMs, 'until the end the subscriber was waited for')
  })

  it('have the SMS for who left the screen where it rests, and none where the screen was answered', async () => {
    const { asked, answer, rest, drop, overdue, begin } = dialogueFixture(held.store)
    const heard = { backendMs: 0, ifLeft: { text: 'Come back' } }
    const hungUp = await asked({ msisdn: '1', network: '1' }, { heard })
    const idle = await asked({ msisdn: '2', network: '2' }, { heard })
    const replaced = await asked({ msisdn: '3', network: '3' }, { heard })
    const answered = await asked({ msisdn: '4', network: '4' }, { heard })
    await answer({ token: 't4', msisdn: '4', network: '4' })
    await drop({}, { msisdn: '4' })
    const wentOn = await asked({ msisdn: '5', network: '5' }, { heard })
    await answer({ token: 't5', msisdn: '5', network: '5' })
    await rest({ token: 't5', epoch: wentOn }, { msisdn: '5' })
    await drop({}, { msisdn: '5' })
    const done = await asked({ msisdn: '6', network: '6' }, { heard, ended: 'completed' })
    const ours = await asked({ msisdn: '7', network: '7' }, { heard })
    await drop({}, { msisdn: '7' }, 'operator')
    await drop({}, { msisdn: '1' })
    await begin({ msisdn: '3', network: '33', epoch: 'e33', token: 'a' })
    await overdue(T0 + LIMITS.idleMs)
    const asks = new Map((await records()).map(({ epoch, ifLeft }) => [epoch, ifLeft]))
    for (const epoch of [hungUp, idle, replaced]) assert.deepEqual(asks.get(epoch), { text: 'Come back' }, epoch)
    for (const epoch of [answered, wentOn, done, ours]) {
      assert.ok(asks.has(epoch))
      assert.equal(asks.get(epoch), undefined, epoch)
    }
  })

  it('are two where one write replaces a dialogue and ends the next', async () => {
    const { asked, key } = dialogueFixture(held.store)
    const first = await asked({ network: '1' })
    const { store } = held
    const taken = await store.open(
      {
        key: key(),
        network: '2',
        answer: { kind: 'begin', text: '', step: null },
        code: '*123#',
        line: 'akiba',
        link: 'l',
        returnPath: { from: [1, 1, '67570000001'], to: [0, 1, '123'], serviceType: '', carrier: '' },
        token: 'once',
        nowMs: T0 + 5,
        leaseUntilMs: T0 + 9,
        epoch: 'second',
      },
      () => ({
        nowMs: T0 + 5,
        revision: 'dental@9f2c01ab77de',
        snapshot: { value: 'closed', context: {} },
        reply: { action: 'end', text: 'x', step: null, link: 'l' },
        ended: 'exit',
      }),
    )
    assert.ok(taken.is === 'opened' && taken.isOver)
    assert.deepEqual(await reasons(), [`${first} superseded`, 'second exit'].toSorted())
  })

  it('wait until they were collected, and no longer; twice is the same', async () => {
    const { asked, drop } = dialogueFixture(held.store)
    for (const msisdn of ['1', '2', '3']) await asked({ msisdn, network: msisdn })
    for (const msisdn of ['1', '2', '3']) await drop({}, { msisdn })
    assert.equal(await held.store.records!.count(), 3)
    const [one, ...others] = await waiting()
    await held.store.records!.remove([one!.at])
    await held.store.records!.remove([one!.at])
    assert.deepEqual((await waiting()).map(({ at }) => at).toSorted(), others.map(({ at }) => at).toSorted())
    await held.store.records!.remove(others.map(({ at }) => at))
    assert.equal(await held.store.records!.count(), 0)
  })

  it('are handed to whoever follows, who can remove them by the same name', async () => {
    const { asked, drop } = dialogueFixture(held.store)
    const seen: WaitingRecord[] = []
    const epochs = () => seen.map(({ record }) => record.epoch)
    held.store.records!.follow((kept) => void seen.push(...kept))
    const epoch = await asked({})
    assert.deepEqual(epochs(), [])
    await drop({})
    assert.deepEqual(epochs(), [epoch])
    await held.store.records!.remove(seen.map(({ at }) => at))
    assert.equal(await held.store.records!.count(), 0)
  })

  it('wait also where no dialogue ends: once, however often they are kept, and up to the bound', async () => {
    const { asked, drop, key } = dialogueFixture(held.store)
    await asked({})
    await drop({})
    const [first] = await records()
    const deferred: CallRecord = { ...first!, kind: 'deferred', detail: 'sms' }
    const { store } = held
    for (const _ of [1, 2]) assert.equal(await store.records!.keep(key(), deferred), true)
    assert.deepEqual((await records()).map(({ kind, detail }) => `${kind} ${detail}`).toSorted(), [
      'deferred sms',
      'dialogue ',
    ])
    const [one] = await waiting()
    await store.records!.replace(one!.at, key({ msisdn: 'erased-x' }), { ...one!.record, msisdn: 'erased-x' })
    assert.equal((await records()).filter(({ msisdn }) => msisdn === 'erased-x').length, 1)
    assert.equal(await store.records!.count(), 2)
    await store.records!.remove((await waiting()).map(({ at }) => at))
    assert.equal(await store.records!.count(), 0)
    await store.close()
    const small = await held.place.open(LIMITS, { recording: recordingOf(1) })
    assert.equal(await small.records!.keep(key(), deferred), true)
    assert.equal(await small.records!.keep(key(), { ...deferred, epoch: 'another' }), false)
    assert.equal(await small.records!.count(), 1)
  })

  it('survive the daemon, where dialogues do', async () => {
    if (!held.place.durable) return
    const { asked, drop } = dialogueFixture(held.store)
    const epoch = await asked({})
    await drop({})
    await held.store.close()
    const again = await held.place.open(LIMITS)
    assert.deepEqual(
      (await waitingIn(again)).map(({ record }) => record.epoch),
      [epoch],
    )
  })

  it('have a bound: what finds no room is told, and the dialogue ends all the same', async () => {
    let full = 0
    await held.store.close()
    const store = await held.place.open(LIMITS, { recording: recordingOf(1, (count) => (full += count)) })
    const { asked, drop } = dialogueFixture(store)
    await asked({ network: '1' })
    await drop({})
    const second = await asked({ network: '2', atMs: T0 + LIMITS.tombstoneMs })
    const ended = await drop({}, { atMs: T0 + LIMITS.tombstoneMs })
    assert.equal(ended?.epoch, second)
    assert.equal(await store.records!.count(), 1)
    assert.equal(full, 1)
  })
}

async function waitingIn(store: DialogueStore): Promise<WaitingRecord[]> {
  const found: WaitingRecord[] = []
  for await (const page of store.records!.pages(2)) found.push(...page)
  return found.toSorted((a, b) => (a.record.epoch < b.record.epoch ? -1 : 1))
}
