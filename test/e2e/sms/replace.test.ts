import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listSms, replaceCommand } from '../../../src/cli/commands/sms.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { HELD_MS, heldClock } from '../../support/clock.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

describeWith(['redis', 'postgres'], 'the text of an SMS that is on its way', () => {
  let smsc: Smsc
  let staged: Staged
  let url: string
  let said: string[]
  const say = (line: string) => void said.push(line)
  /** What the SMSC holds goes on to the handset when a test says so. */
  const clock = heldClock()
  const file = (role: string, data = staged.settings.data) => join(data, role)

  before(async function () {
    smsc = await startSmsc({ clock, chance: () => 0.999 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.reminders.pollMs = 50
        settings.lines[0]!.sms!.manage = true
        const roles = ['read', 'operate'] as const
        letIn(
          settings,
          { token: 'read-token-of-a-test', roles: 'read', name: 'reader' },
          { token: 'operate-token-of-a-test', roles: ALL_ROLES, name: 'operateer' },
        )
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
  beforeEach(() => {
    said = []
    smsc.receipts.delayMs = HELD_MS
  })
  afterEach(() => smsc.chaos.clear())

  async function owe(msisdn: string, dueMs = FROZEN - 1_000): Promise<string> {
    const [row] = (await staged
      .knex('sms_outbox')
      .insert({
        subject: `test:${randomUUID()}`,
        kind: 'reminder',
        msisdn,
        text: 'At ten',
        due_at: new Date(dueMs),
        expires_at: new Date(FROZEN + 7_200_000),
        wake_at: new Date(Date.now() + dueMs - FROZEN),
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
  const replace = (id: string, text: string) => replaceCommand(id, { url, tokenFile: file('operate'), text }, say)
  const inbox = (msisdn: string) => smsc.phone(msisdn).inbox.map((sms) => sms.text)

  it('is listed without its text, and changed before it leaves', async () => {
    const id = await owe('67570000301', FROZEN + 3_600_000)
    await replace(id, 'At eleven')
    await listSms({ url, tokenFile: file('operate'), msisdn: '+67570000301' }, say)
    assert.equal(said[0], 'changed')
    assert.match(said[1]!, new RegExp(`^ID +SUBSCRIBER +KIND .*\n${id} +67570000301 +reminder +due .*  leaves .*Z +0$`))
    assert.doesNotMatch(said.join(), /At /)
    assert.equal((await staged.knex('sms_outbox').where({ id }).first<{ text: string }>('text'))!.text, 'At eleven')
  })

  it('is replaced at the SMSC that holds it; then it is too late', async () => {
    const msisdn = '67570000302'
    const id = await owe(msisdn)
    await becomes(id, 'accepted')
    await replace(id, 'At eleven')
    assert.deepEqual(said, ['replaced'])
    clock.release()
    await becomes(id, 'delivered')
    assert.deepEqual(inbox(msisdn), ['At eleven'])
    await assert.rejects(
      replace(id, 'At noon'),
      (error: Error) => error.name === 'UsageError' && /409: not replaced: too-late/.test(error.message),
    )
    assert.deepEqual(inbox(msisdn), ['At eleven'])
  })

  for (const [name, status] of [
    ['ESME_RREPLACEFAIL', 0x13],
    ['ESME_RINVCMDID', 0x03],
  ] as const) {
    it(`is cancelled and sent anew where replace_sm is refused with ${name}`, async () => {
      const msisdn = `6757000031${status % 10}`
      smsc.chaos.add({ on: 'replace_sm', act: { is: 'refuse', status } })
      const id = await owe(msisdn)
      await becomes(id, 'accepted')
      await replace(id, 'At eleven')
      assert.deepEqual(said, ['sent-anew'])
      await becomes(id, 'cancelled')
      await until(() => (clock.release(), inbox(msisdn).length > 0), 'it does not come')
      assert.deepEqual(inbox(msisdn), ['At eleven'])
    })
  }

  it('is for those who may support, is written down without the text, and stays where nothing can be done', async () => {
    const id = await owe('67570000303')
    await becomes(id, 'accepted')
    await assert.rejects(
      replaceCommand(id, { url, tokenFile: file('read'), text: 'x' }, say),
      /403: this token has the role read, and this needs support \(its line in admin\.tokensFile: read,support:…\)/,
    )
    await assert.rejects(replace('999999', 'x'), /404: not replaced: none/)
    await assert.rejects(replace('abc', 'x'), /400/)
    staged.settings.lines[0]!.sms!.manage = false
    await assert.rejects(replace(id, 'x'), /409: not replaced: off/)
    const audits = staged.logged().filter((row) => row.what === 'sms replaced')
    assert.ok(audits.some((row) => row.after === 'replaced' && row.who === 'operateer'))
    assert.doesNotMatch(JSON.stringify(staged.logged()), /At eleven|6757000030/)
  })
})
