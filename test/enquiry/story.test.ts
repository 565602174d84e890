import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { linesOfStory } from '../../src/cli/subscriber-show.ts'
import type { CallMade } from '../../src/dialogue/calls-made.ts'
import type { TurnTexts } from '../../src/dialogue/exact-texts.ts'
import type { StandingDialogue } from '../../src/dialogue/types.ts'
import { momentsOf, stepsOf } from '../../src/dialogue/path.ts'
import { FOUND_MAX, rowsOfDialogue, rowsOfSubscriber } from '../../src/enquiry/rows.ts'
import { dialoguesOf, keptDefinitions, storyOf, type Story } from '../../src/enquiry/story.ts'
import { SCREEN_TYPES } from '../../src/flow/language/index.ts'
import { describeBoth } from '../support/postgres.ts'

const NOW = Date.parse('2026-11-30T00:00:00Z')
const MSISDN = '67570000001'
const EPOCH = '01a229c4-e7e0-7000-8000-000000000001'
/** As if `sealed` were the texts themselves. */
const READING = {
  definitionOf: keptDefinitions(SCREEN_TYPES),
  openTexts: ({ sealed }: { sealed: string }) => (sealed === '' ? null : (JSON.parse(sealed) as TurnTexts[])),
}
const FLOW = `
flow: topup
spec: 1
languages: [en]
start: main
screens:
  main: { menu: "Welcome to Akiba", choices: [ { label: Balance, to: balance }, { label: Buy airtime, to: amount } ] }
  balance: { call: wallet.balance, to: show, failed: sorry }
  show: { end: "You have {data.balance.amount, number}." }
  amount: { input: "How much?", number: { min: 5, max: 20 }, to: pin }
  pin: { input: "Your PIN:", secret: true, to: sorry }
  sorry: { end: "Service busy" }
`

describe('the path of a record', () => {
  it('is read step by step; what is not in its form is left out', () => {
    assert.deepEqual(stepsOf('main:2/4>amount:*/11>told:ack/1>+'), {
      steps: [
        { screen: 'main', key: '2', seconds: 4 },
        { screen: 'amount', key: null, seconds: 11 },
        { screen: 'told', key: null, seconds: 1, isAck: true },
      ],
      isCut: true,
    })
    assert.deepEqual(stepsOf(''), { steps: [], isCut: false })
    assert.deepEqual(stepsOf('what?').steps, [])
  })

  it('tells when a key was pressed: exactly where a call followed, else about', () => {
    const { steps } = stepsOf('main:1/4>amount:*/11>sure:1/3>done:1/2')
    const call = (turn: number, atMs: number, ms: number) => ({ turn, n: 0, atMs, ms }) as CallMade
    assert.deepEqual(momentsOf(steps, [call(2, 4_310, 240), call(4, 19_100, 2_000)]), [
      { atMs: 4_310, isAbout: false },
      { atMs: 15_550, isAbout: true },
      { atMs: 19_100, isAbout: false },
      { atMs: 23_100, isAbout: true },
    ])
    // It was made again by another daemon, half a minute later.
    assert.deepEqual(momentsOf(steps.slice(0, 1), [call(2, 34_000, 240)]), [{ atMs: 4_000, isAbout: true }])
    assert.deepEqual(momentsOf([], []), [])
  })
})

describeBoth('what one subscriber saw and did', (database) => {
  let knex: Knex

  beforeEach(async () => {
    knex = database.db.knex
    await knex.raw('TRUNCATE cdr, cdr_text, sms_outbox, sms_part, flow_revision CASCADE')
  })

  const at = (ms: number) => new Date(NOW + ms)
  async function record(more: object = {}): Promise<void> {
    await knex('cdr').insert({
      day: '2026-11-30',
      epoch: EPOCH,
      kind: 'dialogue',
      opened_at: at(300_000),
      ended_at: at(318_250),
      msisdn: MSISDN,
      line: 'operator-a',
      code: '*384#',
      flow: 'topup@9f2c01ab77de',
      reason: 'completed',
      screen: 'show',
      turns: 2,
      total_ms: 18_250,
      wait_ms: 4_000,
      backend_ms: 310,
      language: 'en',
      channel: 'ussd',
      instance: 'd1',
      path: 'main:1/4',
      parts: 0,
      detail: '',
      calls: '2.0wallet.balance=data/310@4012',
      ...more,
    })
  }
  const keep = () =>
    knex('flow_revision').insert({
      revision: 'topup@9f2c01ab77de',
      name: 'topup',
      source: JSON.stringify({ file: 'topup.yaml', text: FLOW, catalogues: [] }),
      created_at: at(0),
    })
  async function story(open: StandingDialogue[] = [], asked: { sinceMs?: number; untilMs?: number } = {}) {
    const found = await rowsOfSubscriber(database.db.sql, {
      msisdn: MSISDN,
      sinceMs: NOW,
      untilMs: NOW + 3_600_000,
      open: open.map(({ revision }) => revision),
      ...asked,
    })
    return storyOf(found, open, READING)
  }
  const told = (one: Story) =>
    linesOfStory({
      ...one,
      msisdn: MSISDN,
      subscriber: 'abcdefghijkl',
      since: at(0).toISOString(),
      until: at(3_600_000).toISOString(),
      zone: 'Pacific/Port_Moresby',
    }).join('\n')

  it('is nothing where there is nothing, and of nobody else', async () => {
    await record({ msisdn: '67570000002' })
    assert.deepEqual(await story(), { dialogues: [], sms: [], isCut: false })
    assert.match(told(await story()), /nothing: no dialogue, no refused dial, no SMS$/)
  })

  it('is each screen, each key by its words, each call with its key, and why it ended; times are local and UTC', async () => {
    await keep()
    await record()
    const page = told(await story())
    assert.equal(
      page,
      `67570000001  in the log: subscriber abcdefghijkl
from 2026-11-30 10:00:00 to 2026-11-30 11:00:00 Pacific/Port_Moresby (UTC 2026-11-30T00:00:00.000Z to 2026-11-30T01:00:00.000Z)

2026-11-30 10:05:00 (00:05:00Z)  dialogue ${EPOCH}  *384# on operator-a topup@9f2c01ab77de en
    [main]           | Welcome to Akiba
                     | 1. Balance
                     | 2. Buy airtime
    pressed 1: Balance, after 4 s (10:05:04)
  10:05:04  called wallet.balance: answered, 310 ms
    [show]           | You have {balance.amount}.
  10:05:18  ended (completed) after 18.3 s: the flow came to its end
            2 turns, 4.0 s waiting for the subscriber, 0.3 s in back ends`,
    )
  })

  it('says what was typed only as typed, and a secret as a secret; and is told where the revision is gone', async () => {
    await record({
      path: 'main:2/3>amount:*/2>pin:*/5',
      screen: 'sorry',
      reason: 'backend-failed',
      calls: '4.0!wallet.pay=failed:late/2000@9000',
    })
    const gone = told(await story())
    assert.match(gone, /\[main\] +\| \(its revision is not kept, or .+\)\n +pressed 2, after 3 s \(about 10:05:03\)/)
    await keep()
    const page = told(await story())
    assert.match(page, /pressed 2: Buy airtime, after 3 s/)
    assert.match(page, /\[amount\] +\| How much\?\n +typed an answer, or pressed what no line has, after 2 s/)
    assert.match(page, /\[pin\] +\| Your PIN:\n +typed a secret, after 5 s/)
    assert.match(
      page,
      new RegExp(
        `called wallet.pay, which changes something \\(key ${EPOCH}:4:0\\): no answer in time: it may have been carried out, 2000 ms`,
      ),
    )
    assert.match(page, /ended \(backend-failed\).*a back end had no usable answer: see its call/)
  })

  it('has dialogues that are open, dials that were turned away, deferred answers, and those of a release without calls', async () => {
    await keep()
    await record({ calls: null })
    await record({
      kind: 'deferred',
      epoch: EPOCH,
      detail: 'sms',
      calls: null,
      opened_at: at(320_000),
      ended_at: at(330_000),
    })
    await record({
      kind: 'refused',
      epoch: 'refused-1',
      reason: 'overload',
      screen: '',
      path: '',
      opened_at: at(400_000),
      ended_at: at(400_000),
    })
    const open = {
      key: { group: 'g', msisdn: MSISDN },
      epoch: 'open-1',
      status: 'resting',
      line: 'operator-a',
      turn: 1,
      revision: 'topup@9f2c01ab77de',
      snapshot: { value: 'main', context: { language: 'en' } },
      openedMs: NOW + 500_000,
      touchedMs: NOW + 500_100,
      ended: null,
    } as unknown as StandingDialogue
    const { dialogues } = await story([open])
    assert.deepEqual(
      dialogues.map(({ kind, isOpen, why }) => [kind, isOpen, why]),
      [
        ['dialogue', false, 'the flow came to its end'],
        ['deferred', false, 'the flow came to its end; told by SMS'],
        ['refused', false, 'too many were dialling, or this one dialled too fast'],
        ['dialogue', true, 'open: it waits for the subscriber'],
      ],
    )
    const page = told(await story([open]))
    assert.match(page, /dial turned away refused-1/)
    assert.match(page, /open-1 .*\n +\[main\] +\| Welcome to Akiba/)
  })

  it('has the way of an open dialogue, its calls, and the key that is worked on; and one that has no record yet', async () => {
    await keep()
    const open = {
      key: { group: 'g', msisdn: MSISDN },
      epoch: EPOCH,
      status: 'resting',
      line: 'operator-a',
      turn: 2,
      revision: 'topup@9f2c01ab77de',
      snapshot: { value: 'amount', context: { language: 'en' } },
      openedMs: NOW + 500_000,
      touchedMs: NOW + 504_300,
      ended: null,
      track: { path: 'main:2/4', waitMs: 4_010, backendMs: 250, calls: '2.0wallet.limits=data/250@4012' },
    } as unknown as StandingDialogue
    assert.match(
      told(await story([open])),
      /pressed 2: Buy airtime, after 4 s \(10:08:24\)\n {2}10:08:24 {2}called wallet\.limits: answered, 250 ms\n +\[amount\] +\| How much\?\n.*open: it waits for the subscriber\n +2 turns, 4\.0 s waiting for the subscriber, 0\.3 s in back ends$/,
    )
    const taken = {
      ...open,
      status: 'taken',
      turn: 3,
      touchedMs: NOW + 510_000,
      track: { ...open.track!, path: 'main:2/4>amount:*/6' },
    } as StandingDialogue
    const page = told(await story([taken]))
    assert.match(
      page,
      /answered, after 6 s: what it was is not known yet \(about 10:08:30\)\n.*its answer is being worked on/,
    )
    const ended = { ...open, status: 'ended', ended: 'idle' } as StandingDialogue
    assert.match(told(await story([ended])), /ended \(idle\) after 4\.3 s: no answer in time/)
    await record()
    assert.equal((await story([ended])).dialogues.length, 1, 'its record is there by now')
  })

  it('has exact texts where they are kept, and says where they cannot be opened or were too long', async () => {
    await keep()
    await record({ turns: 4, path: 'main:2/3>amount:*/2>pin:*/5', screen: 'sorry', calls: null })
    const texts: TurnTexts[] = [
      [1, null, 'Welcome to Akiba\n1. Balance (K3)'],
      [2, '2', 'How much? K5 to K20'],
      [3, '15', null],
      [4, null, 'Service is busy, John'],
    ]
    const put = (sealed: string) =>
      knex('cdr_text')
        .insert({ day: '2026-11-30', epoch: EPOCH, kind: 'dialogue', msisdn: MSISDN, sealed })
        .onConflict(['day', 'epoch', 'kind'])
        .merge()
    await put(JSON.stringify(texts))
    const page = told(await story())
    assert.match(page, /\[main\] +\| Welcome to Akiba\n +\| 1\. Balance \(K3\)\n +pressed 2: Buy airtime, after 3 s/)
    assert.match(page, /\[amount\] +\| How much\? K5 to K20\n +typed 15, after 2 s/)
    assert.match(page, /\[pin\] +\| Your PIN:\n +typed a secret, after 5 s/)
    assert.match(page, /\[sorry\] +\| Service is busy, John\n/)
    const [one] = dialoguesOf(await rowsOfDialogue(database.db.sql, { epoch: EPOCH, open: [] }), [], READING)
    assert.deepEqual(
      one!.steps.map(({ isExact, typed }) => [isExact, typed]),
      [
        [true, undefined],
        [true, '15'],
        [undefined, undefined],
      ],
    )
    await put(JSON.stringify([texts[0], [0, null, null]]))
    assert.match(
      told(await story()),
      /\[amount\] +\| How much\?\n +typed an answer.*(.*\n)+.*there was no room for all/,
    )
    await put('')
    assert.match(
      told(await story()),
      /\[main\] +\| Welcome to Akiba\n +\| 1\. Balance\n(.*\n)+.*their key is not in privacy/,
    )
  })

  it('is of one dialogue by its epoch, with the deferred answer of it, and of no other', async () => {
    await keep()
    await record()
    await record({
      kind: 'deferred',
      detail: 'sms',
      calls: null,
      path: '',
      opened_at: at(300_000),
      ended_at: at(330_000),
    })
    await record({ kind: 'sms', epoch: 'sms-1' })
    const found = await rowsOfDialogue(database.db.sql, { epoch: EPOCH, open: [] })
    const dialogues = dialoguesOf(found, [], READING)
    assert.deepEqual(
      dialogues.map(({ kind, steps }) => [kind, steps.map(({ chose, at: when }) => [chose, when])]),
      [
        ['dialogue', [['Balance', '2026-11-30T00:05:04.012Z']]],
        ['deferred', []],
      ],
    )
    for (const epoch of ['sms-1', 'x', EPOCH.replace(/1$/, '2')])
      assert.deepEqual((await rowsOfDialogue(database.db.sql, { epoch, open: [] })).records, [])
  })

  it('has the SMS of that time and those that are still to leave, with attempts, reasons in words, and receipts', async () => {
    const sms = {
      subject: 'dental:1',
      kind: 'reminder',
      msisdn: MSISDN,
      line: 'operator-a',
      text: 'secret text',
      due_at: at(0),
      expires_at: at(9e6),
    }
    const [sent] = (await knex('sms_outbox')
      .insert({
        ...sms,
        owner: 'flow:topup',
        state: 'failed',
        attempts: 1,
        last_error: 'receipt: expired',
        created_at: at(1),
        wake_at: at(1),
        submitted_at: at(2),
        settled_at: at(3),
      })
      .returning('id')) as { id: string }[]
    await knex('sms_part').insert({
      sms: sent!.id,
      part: 1,
      line: 'operator-a',
      message_id: 'A1',
      message_key: 'a1',
      state: 'failed',
      told_at: at(2_500),
    })
    await knex('sms_outbox').insert({
      ...sms,
      subject: 'dental:2',
      state: 'delivered',
      created_at: at(-9e8),
      wake_at: at(-9e8),
      submitted_at: at(-9e8),
      settled_at: at(-9e8),
    })
    await knex('sms_outbox').insert({
      ...sms,
      subject: 'dental:3',
      state: 'due',
      created_at: at(-9e8),
      wake_at: at(9e6),
    })
    const found = await story()
    assert.deepEqual(
      found.sms.map(({ state, owner }) => [state, owner]),
      [
        ['due', 'module:dental'],
        ['failed', 'flow:topup'],
      ],
    )
    const page = told(found)
    assert.match(
      page,
      /SMS \d+ {2}reminder of flow:topup on operator-a: failed, 1 tries\n.*sent 2026-11-30 10:00:00 \(00:00:00Z\), settled .*\n +the SMSC tried until its time was over.*\n +part 1: failed 2026-11-30 10:00:02 \(00:00:02Z\) \(message id A1\)/,
    )
    assert.match(page, /due, 0 tries\n +leaves 2026-11-30 12:30:00 \(02:30:00Z\)/)
    assert.doesNotMatch(page, /secret text/)
  })

  it('is bounded, and says so', async () => {
    await knex.raw(
      `INSERT INTO cdr (day, epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms, wait_ms,
        backend_ms, language, channel, instance, path, parts, detail)
      SELECT '2026-11-30', 'e' || n, 'dialogue', ?::timestamptz + n * interval '1 second', ?::timestamptz + n * interval '1 second',
        ?, 'l', 'c', 'f', 'idle', '', 1, 0, 0, 0, '', 'ussd', 'd', '', 0, '' FROM generate_series(1, 500) n`,
      [at(0), at(0), MSISDN],
    )
    const { dialogues, isCut } = await story()
    assert.deepEqual([dialogues.length, isCut, dialogues.at(-1)!.epoch], [FOUND_MAX, true, 'e500'])
    assert.equal((await story([], { sinceMs: NOW + 450_000 })).dialogues.length, 51)
  })
})
