import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cancelCommand, listSms, retryCommand } from '../../../src/cli/commands/sms.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'

const HOUR = 3_600_000

describeWith(['redis', 'postgres'], 'SMS that failed, at the terminal of an operator', () => {
  let smsc: Smsc
  let staged: Staged
  let url: string
  let said: string[]
  const say = (line: string) => void said.push(line)
  const file = (role: string, data = staged.settings.data) => join(data, role)
  const may = (role: string) => ({ url, tokenFile: file(role) })

  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: () => 0.999 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.reminders.pollMs = 50
        const roles = ['read', 'support', 'sms'] as const
        letIn(settings, ...roles.map((role) => ({ token: `${role}-token-of-a-test`, roles: role, name: `${role}er` })))
        for (const role of roles) writeFileSync(file(role, settings.data), `${role}-token-of-a-test`, { mode: 0o600 })
      },
    })
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })
  beforeEach(() => (said = []))
  afterEach(() => smsc.chaos.clear())

  async function owe(row: object): Promise<string> {
    const at = new Date(FROZEN - 1_000)
    const whole = {
      subject: `test:${randomUUID()}`,
      kind: 'reminder',
      text: 'At ten',
      due_at: at,
      wake_at: at,
      created_at: at,
      expires_at: new Date(FROZEN + HOUR),
      ...row,
    }
    const [made] = (await staged.knex('sms_outbox').insert(whole).returning('id')) as { id: string }[]
    return made!.id
  }
  const becomes = (id: string, state: string) =>
    until(
      async () => (await staged.knex('sms_outbox').where({ id }).first<{ state: string }>('state'))?.state === state,
      `it never is ${state}`,
    )
  const audits = (what: string) => staged.logged().filter((row) => row.msg === 'admin audit' && row.what === what)

  it('one that the SMSC refuses has a line and a count, is listed with its reason, and goes out when it is sent again', async () => {
    smsc.chaos.add({ on: 'submit_sm', act: { is: 'refuse', status: 0x0b } })
    const id = await owe({ msisdn: '67570000401' })
    await becomes(id, 'failed')
    await until(() => staged.logged().some((row) => row.msg === 'SMS given up'), 'no line')
    const line = staged.logged().find((row) => row.msg === 'SMS given up')!
    assert.deepEqual([line.sms, line.msisdn, line.line, line.why], [id, '675******01', 'test', 'refused'])
    assert.match(String(line.subscriber), /^[\w-]{12}$/)
    assert.equal(await staged.daemon.metrics.value('sms_given_up_total', { line: 'test', why: 'refused' }), 1)

    await listSms({ ...may('support'), state: 'failed', since: '2h' }, say)
    assert.match(said[0]!, /^ID +SUBSCRIBER +KIND +STATE .* WHY\n/)
    assert.match(
      said[0]!,
      new RegExp(
        `\n${id} +67570000401 +reminder +failed .* the SMSC refused it with 0x0B .*: the subscriber's number is not accepted$`,
      ),
    )
    await assert.rejects(
      retryCommand(id, may('read'), say),
      /403: this token has the role read, and this needs support/,
    )
    await assert.rejects(retryCommand(id, may('sms'), say), /403/)
    smsc.chaos.clear()
    await retryCommand(id, may('support'), say)
    assert.equal(said.at(-1), 'due')
    await until(() => smsc.phone('67570000401').inbox.length === 1, 'it does not come')
    const [audit] = audits('sms retried')
    assert.deepEqual([audit!.who, audit!.sms, audit!.before, audit!.after], ['supporter', id, 'failed', 'due'])
    assert.doesNotMatch(JSON.stringify(staged.logged()), /At ten|67570000401/)
  })

  it('one without a response is asked about first: it may come twice', async () => {
    const lost = {
      state: 'ambiguous',
      msisdn: '67570000402',
      losses: 1,
      submitted_at: new Date(),
      wake_at: new Date(Date.now() + HOUR),
    }
    const id = await owe(lost)
    await assert.rejects(
      retryCommand(id, may('support'), say, undefined),
      /409: it was sent, and the SMSC did not answer: the handset may have it, and would get it twice.*--yes/,
    )
    const questions: string[] = []
    const answering = (is: boolean) => async (question: string) => (questions.push(question), is)
    await retryCommand(id, may('support'), say, answering(false))
    assert.deepEqual(said, ['not sent'])
    assert.match(questions[0]!, /the handset may have it\. Send it again\? \[y\/N\]/)
    await retryCommand(id, may('support'), say, answering(true))
    assert.equal(said.at(-1), 'due')
    const other = await owe({ ...lost, msisdn: '67570000403' })
    await retryCommand(other, { ...may('support'), yes: true }, say, undefined)
    assert.equal(said.at(-1), 'due')
    const after = audits('sms retried')
      .filter(({ sms }) => sms === id)
      .map((row) => row.after)
    assert.deepEqual(after, ['twice', 'twice', 'twice', 'due'])
  })

  it('one whose time is over needs another one; one that is due is taken back by its number', async () => {
    const old = await owe({
      state: 'expired',
      msisdn: '67570000404',
      expires_at: new Date(FROZEN - 1),
      settled_at: new Date(),
    })
    await assert.rejects(retryCommand(old, may('support'), say), /409: its time is over.*--for 2h/)
    await assert.rejects(
      retryCommand(old, { ...may('support'), for: 'soon' }, say),
      /400: for: 'soon' is not a duration/,
    )
    await retryCommand(old, { ...may('support'), for: '2h' }, say)
    await until(() => smsc.phone('67570000404').inbox.length === 1, 'it does not come')

    const due = await owe({ msisdn: '67570000405', wake_at: new Date(Date.now() + HOUR) })
    await listSms({ ...may('support'), state: 'due', last: 1 }, say)
    assert.match(said.at(-1)!, new RegExp(`\n${due} `))
    await cancelCommand(due, may('support'), say)
    assert.equal(said.at(-1), 'cancelled')
    await assert.rejects(cancelCommand('999999', may('support'), say), /404: there is no SMS of this id/)
    await assert.rejects(cancelCommand(undefined, may('support'), say), /say the number of the SMS, or --key/)
    assert.deepEqual(
      audits('sms cancelled').map(({ sms, after }) => [sms, after]),
      [
        [due, 'cancelled'],
        ['999999', 'none'],
      ],
    )
  })

  it('goes on page by page, also for programs, and says what is wrong with a question', async () => {
    for (let n = 0; n < 3; n++)
      await owe({ state: 'failed', msisdn: '67570000406', settled_at: new Date(), last_error: 'refused' })
    await listSms({ ...may('support'), state: 'failed', last: 2 }, say)
    const cursor = /more: --cursor (\S+)$/.exec(said.at(-1)!)![1]!
    await listSms({ ...may('support'), state: 'failed', last: 2, cursor, json: true }, say)
    assert.equal((JSON.parse(said.at(-1)!) as { sms: unknown[] }).sms.length, 1)
    for (const [asked, why] of [
      [{ state: 'failed', since: 'yesterday' }, /400: since: 'yesterday' is not a time of day \(10:00\)/],
      [{ state: 'failed', cursor: 'x' }, /400: cursor: not one of ours/],
      [{ state: 'lost' }, /400: state: .*state is one of failed, expired, ambiguous, submitting, due/],
      [{ msisdn: '67570000406', state: 'failed' }, /say --msisdn NUMBER, or --state/],
      [{}, /say --msisdn NUMBER, or --state/],
    ] as const)
      await assert.rejects(listSms({ ...may('support'), ...asked }, say), why)
  })

  it('shows how deep the outbox is without asking the database at a scrape', async () => {
    const figures = await staged.daemon.metrics.registry.metrics()
    for (const name of ['sms_outbox_due', 'sms_outbox_later', 'sms_outbox_oldest_seconds', 'sms_outbox_ambiguous'])
      assert.match(figures, new RegExp(`# TYPE ${name} gauge`))
  })
})
