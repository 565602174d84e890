import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pushCommand } from '../../../src/cli/commands/push.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { FAREWELL, T1, T2 } from '../../support/screens.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const JOHN = '67570000001'
const TOKENS = { read: 'reading-token-of-a-test', operate: 'operating-token-of-a-test' }
const SUBMIT_SM = 4
/**
 * Pushes are numbered from an octet of this value on, and the SMSC's dialogues from 1: to the simulated network, a push
 * that happens to have the number of one of the subscriber's last dialogues is a late screen of it.
 */
const FIRST_PUSH = 128
const chance = () => (Math.floor(Math.random() * 256) * 256 + FIRST_PUSH + Math.random()) / 65_536
const ask = (msisdn: string, more: object = {}) => ({ msisdn, flow: 'dental', ttlMs: 3_000, ...more })

describeWith(['redis', 'postgres'], 'USSD that we begin', () => {
  let smsc: Smsc
  let staged: Staged

  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      chance,
      change: (settings) => {
        settings.reminders.pollMs = 50
        letIn(
          settings,
          { token: TOKENS.read, roles: 'read', name: 'reader' },
          { token: TOKENS.operate, roles: ALL_ROLES, name: 'operateer' },
        )
        writeFileSync(join(settings.data, 'operate'), TOKENS.operate, { mode: 0o600 })
        settings.reminders.channel = 'push-then-sms'
        settings.dialogue.confirmMs = 1_000
        settings.push.templates = ['Private {#var#}']
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })
  afterEach(() => smsc.chaos.clear())

  const push = () => staged.daemon.push
  const noneOpen = () => until(async () => (await staged.daemon.stores.dialogues.count()) === 0, 'a dialogue hangs')
  /** ussd_service_op of each submit_sm to that phone. */
  const ops = (msisdn: string) =>
    smsc
      .trace()
      .filter(
        ({ direction, octets }) =>
          direction === 'in' && octets.readUInt32BE(4) === SUBMIT_SM && octets.includes(`${msisdn}\0`),
      )
      .map(({ octets }) => octets[octets.indexOf(Buffer.from('05010001', 'hex')) + 4])

  it('shows the first screen of a flow, goes on with the answers, and ends as the network wants it', async () => {
    const john = smsc.phone(JOHN)
    const shown = await push().push(ask(JOHN))
    assert.deepEqual([shown.is, shown.sms], ['shown', false])
    assert.deepEqual([(await john.next()).text, john.screen?.open], [T1, true])
    assert.equal((await john.answer('1')).text, T2)
    await john.answer('3')
    const last = await john.answer('4')
    assert.deepEqual([last.text, last.open], [FAREWELL, false])
    assert.deepEqual(ops(JOHN), [2, 2, 2, 3], 'USSR requests, and a USSN to end with: there is no PSSR to answer')
    const end = staged.logged().findLast((line) => line.msg === 'dialogue ended')
    assert.deepEqual([end?.reason, end?.epoch], ['exit', shown.epoch])
    await noneOpen()
  })

  it("takes no number that the subscriber's last dialogue had: to the network that would be a late screen of it", async () => {
    const john = smsc.phone(JOHN)
    await push().push(ask(JOHN))
    const { carrier } = await john.next()
    await john.answer('4')
    const next = (Number.parseInt(carrier.slice(0, 2), 16) + 1) & 0xff
    assert.equal((await john.dial('*123#', { number: next })).text, T1)
    await john.answer('4')
    await noneOpen()
    assert.equal((await push().push(ask(JOHN))).is, 'shown')
    assert.equal(Number.parseInt((await john.next()).carrier.slice(0, 2), 16), (next + 1) & 0xff)
    await john.answer('4')
    await noneOpen()
  })

  it('speaks the language that was asked for', async () => {
    const nobody = smsc.phone('67570000098')
    await push().push(ask('67570000098', { flow: 'language', language: 'tpi' }))
    const screen = await nobody.next()
    assert.deepEqual([screen.text, screen.open], ['Welkam! Nem bilong yu i no stap.', false])
    assert.deepEqual(ops('67570000098'), [3], 'what ends with its first screen is a notification')
    await noneOpen()
  })

  it("never pushes a subscriber's own dialogue aside: an SMS says it instead", async () => {
    const john = smsc.phone(JOHN)
    await john.dial('*123#')
    const before = john.inbox.length
    assert.deepEqual(await push().push(ask(JOHN, { sms: 'We tried to reach you.' })), { is: 'busy', sms: true })
    assert.deepEqual(await push().notify({ msisdn: JOHN, text: 'x', ttlMs: 1_000 }), { is: 'busy', sms: false })
    await until(() => john.inbox.length > before, 'no SMS came')
    assert.equal(john.inbox.at(-1)?.text, 'We tried to reach you.')
    assert.equal((await john.answer('1')).text, T2)
    john.hangUp()
    await noneOpen()
  })

  it('knows that a handset is away, and leaves no dialogue behind', async () => {
    const away = smsc.phone('67570000051')
    away.isOff = true
    const outcome = await push().push(ask('67570000051', { flow: 'dental', sms: 'Dial *123#' }))
    assert.deepEqual([outcome.is, outcome.status, outcome.sms], ['absent', 0x45, true])
    await noneOpen()
    const rows = await staged
      .knex('sms_outbox')
      .where({ kind: 'push', msisdn: '67570000051' })
      .select<{ text: string }[]>('text')
    assert.deepEqual(rows, [{ text: 'Dial *123#' }])
  })

  const REFUSALS: [string, number][] = [
    ['absent', 0x45],
    ['absent', 0x50],
    ['absent', 0x411],
    ['later', 0x58],
    ['later', 0x08],
    ['later', 0x102],
    ['unsupported', 0x15],
    ['unsupported', 0xc1],
    ['bad-number', 0x0b],
  ]
  for (const [reason, status] of REFUSALS) {
    it(`takes 0x${status.toString(16)} for ${reason}, of a question and of a notification`, async () => {
      const msisdn = '67570000052'
      smsc.chaos.add({ on: 'submit_sm', msisdn, lane: 'ussd', times: 2, act: { is: 'refuse', status } })
      const asked = await push().push(ask(msisdn))
      const told = await push().notify({ msisdn, text: 'x', ttlMs: 3_000 })
      assert.deepEqual([asked.is, asked.status, told.is, told.status], [reason, status, reason, status])
      assert.equal(staged.logged().findLast((line) => line.msg === 'dialogue ended')?.reason, 'refused')
      await noneOpen()
    })
  }

  it('notifies with a text that wants no answer', async () => {
    const john = smsc.phone(JOHN)
    const outcome = await push().notify({ msisdn: JOHN, text: 'Your balance is low.', ttlMs: 3_000 })
    assert.equal(outcome.is, 'shown')
    const screen = await john.next()
    assert.deepEqual([screen.text, screen.open], ['Your balance is low.', false])
  })

  it('leafs through a text longer than a screen, in both alphabets', async () => {
    for (const [word, units] of [
      ['reminder', 182],
      ['ногтем', 80],
    ] as const) {
      const phone = smsc.phone('67570000053')
      const text = Array.from({ length: 40 }, (_, i) => `${word}${i}`).join(' ')
      assert.equal((await push().notify({ msisdn: '67570000053', text, ttlMs: 3_000 })).is, 'shown')
      let screen = await phone.next()
      let read = ''
      while (screen.open) {
        assert.ok(screen.text.length <= units && !screen.over)
        read += `${screen.text.replace(/\n98\. More$/, '')} `
        screen = await phone.answer('98')
      }
      assert.equal(read + screen.text, text)
      await noneOpen()
    }
  })

  it('takes a screen whose response was lost for unknown, owes the SMS, and meets its answer with an end', async () => {
    const john = smsc.phone('67570000003')
    smsc.chaos.add({ on: 'submit_sm', msisdn: '67570000003', lane: 'ussd', times: 1, act: { is: 'drop-response' } })
    const outcome = await push().push(ask('67570000003', { sms: 'Dial *123#' }))
    assert.deepEqual([outcome.is, outcome.sms], ['unknown', true])
    await john.next()
    assert.equal((await john.answer('1')).open, false)
  })

  it('believes the answer when the response was lost', async () => {
    const john = smsc.phone(JOHN)
    smsc.chaos.add({ on: 'submit_sm', msisdn: JOHN, lane: 'ussd', times: 1, act: { is: 'drop-response' } })
    const pushing = push().push(ask(JOHN, { sms: 'Dial *123#' }))
    await john.next()
    assert.equal((await john.answer('1')).text, T2)
    assert.deepEqual((await pushing).is, 'shown')
    assert.equal((await john.answer('3')).text, T1)
    john.hangUp()
    await noneOpen()
  })

  it('says that there is no such flow, and no such line', async () => {
    assert.deepEqual(await push().push(ask(JOHN, { flow: 'nowhere' })), { is: 'no-flow', sms: false })
    assert.deepEqual(await push().push(ask(JOHN, { line: 'nowhere' })), { is: 'unsent', sms: false })
  })

  async function owe(msisdn: string, text: string): Promise<string> {
    const [row] = (await staged
      .knex('sms_outbox')
      .insert({
        subject: `test:${msisdn}`,
        kind: 'reminder',
        msisdn,
        text,
        due_at: new Date(FROZEN - 1_000),
        expires_at: new Date(FROZEN + 3_600_000),
        wake_at: new Date(0),
        created_at: new Date(),
      })
      .returning('id')) as { id: string }[]
    return row!.id
  }
  const becomes = (id: string, state: string) =>
    until(
      async () => (await staged.knex('sms_outbox').where({ id }).first<{ state: string }>('state'))?.state === state,
      `it never is ${state}`,
    )

  it('reminds on the screen, where the visit can be confirmed, and sends no SMS then', async () => {
    await noneOpen()
    const john = smsc.phone(JOHN)
    const before = john.inbox.length
    const id = await owe(JOHN, 'By SMS')
    const screen = await john.next()
    assert.equal(screen.text, 'Reminder: Checkup at Gerehu Dental Clinic on 15/05/2025, 10 AM.\n1. Confirm\n2. Cancel')
    const last = await john.answer('1')
    assert.deepEqual([last.text, last.open], ['Thank you. We expect you.', false])
    await becomes(id, 'accepted')
    const { rows } = await staged.knex.raw('SELECT count(confirmed_at)::int AS n FROM dental_appointment')
    assert.equal(rows[0].n, 1)
    await noneOpen()
    assert.equal(john.inbox.length, before)
  })

  it('reminds by SMS who is in a dialogue', async () => {
    const mary = smsc.phone('67570000002')
    await mary.dial('*123#')
    const id = await owe('67570000002', 'By SMS')
    await becomes(id, 'delivered')
    assert.equal(mary.inbox.at(-1)?.text, 'By SMS')
    mary.hangUp()
    await noneOpen()
  })

  describe('over the admin door', () => {
    const url = () => `http://127.0.0.1:${staged.daemon.admin.port}`
    const post = (token: string, body: unknown) =>
      fetch(`${url()}/v1/push`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })

    it('is for those who may push, and written down without the text', async () => {
      const body = { msisdn: `+${JOHN}`, text: 'Private words' }
      assert.equal((await post('nobody', body)).status, 401)
      assert.equal((await post(TOKENS.read, body)).status, 403)
      const answer = await post(TOKENS.operate, body)
      assert.equal(answer.status, 200)
      assert.deepEqual(await answer.json(), { is: 'shown', sms: false })
      assert.equal((await smsc.phone(JOHN).next()).text, 'Private words')
      const audit = staged.logged().findLast((line) => line.msg === 'admin audit')
      assert.deepEqual([audit?.what, audit?.after], ['push', 'shown'])
      assert.equal(JSON.stringify(staged.logged()).includes('Private words'), false)
    })

    it('says what is wrong with a request', async () => {
      for (const body of [
        null,
        {},
        { msisdn: JOHN },
        { msisdn: JOHN, text: 'x', flow: 'dental' },
        { msisdn: 'x', text: 'x' },
        { msisdn: JOHN, text: 'x', a: 1 },
      ]) {
        const answer = await post(TOKENS.operate, body)
        assert.equal(answer.status, 400)
        assert.match(((await answer.json()) as { error: string }).error, /^send the body/)
      }
    })

    it('takes words that were agreed upon only, so many a second, and so many a day; and says which limit it was', async () => {
      const told = async (body: object) => {
        const answer = await post(TOKENS.operate, { msisdn: JOHN, ...body })
        const { error } = (await answer.json()) as { error?: string }
        return { status: answer.status, error: error ?? '', after: Number(answer.headers.get('retry-after')) }
      }
      const free = await told({ text: 'You have won a car' })
      assert.deepEqual([free.status, free.after], [403, 0])
      assert.match(free.error, /fits none of push\.templates: .*push\.freeText: true/)
      assert.equal((await told({ flow: 'nowhere', sms: 'You have won a car' })).status, 403)
      const burst = await Promise.all(Array.from({ length: 60 }, () => told({ flow: 'crowded' })))
      const late = burst.find(({ status }) => status === 429)!
      assert.deepEqual(
        [late.error, late.after],
        ['push.perSecond: more than 5 pushes a second of token operateer and flow crowded', 1],
      )
      await staged.knex('push_day').update({ pushes: 10_000 }).where({ flow: '' })
      const over = await told({ text: 'Private words' })
      assert.equal(over.status, 429)
      assert.match(
        over.error,
        /^push\.perDay: 10000 pushes of token operateer and texts on \d{4}-\d\d-\d\d .*; again from midnight on$/,
      )
      assert.ok(over.after > 0 && over.after <= 86_400, String(over.after))
      for (const limit of ['push_words', 'push_rate', 'push_day'])
        assert.ok((await staged.daemon.metrics.value('limits_total', { limit })) > 0, limit)
      assert.equal(staged.logged().filter(({ what }) => what === 'push refused').length >= 4, true)
    })

    it('is a command', async () => {
      const said: string[] = []
      const tokenFile = join(staged.settings.data, 'operate')
      await pushCommand({ url: url(), tokenFile, msisdn: JOHN, flow: 'dental' }, (text) => said.push(text))
      assert.match(said[0]!, /^shown {2}[0-9a-f-]{36}$/)
      assert.equal((await smsc.phone(JOHN).next()).text, T1)
      await pushCommand({ url: url(), tokenFile, msisdn: JOHN, flow: 'dental' }, (text) => said.push(text))
      await pushCommand({ url: url(), tokenFile, msisdn: JOHN, flow: 'nowhere' }, (text) => said.push(text))
      assert.deepEqual(said.slice(1), [
        'busy  the subscriber is in another dialogue with us',
        'no-flow  there is no such flow (ussd-connector flow status lists the flows)',
      ])
      smsc.phone(JOHN).hangUp()
      await noneOpen()
    })
  })
})
