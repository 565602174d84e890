/** Regulated SMS (India's DLT) on an SMSC that is not ours: parameters, template and sender as they arrive there. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'

const JOHN = '67570000001'
const TOKENS = { clinic: 'a-token-of-an-application-1', shop: 'a-token-of-an-application-2' }

describeWith(['redis', 'postgres'], 'regulated SMS', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  const dir = mkdtempSync(join(tmpdir(), 'ussd-regulated-'))

  before(async function () {
    this.timeout(60_000)
    smsc = await foreignSmsc()
    const tokens = Object.entries(TOKENS).map(([name, token]) => `sms:${tokenHash(token).toString('hex')} ${name}\n`)
    writeFileSync(join(dir, 'tokens'), tokens.join(''), { mode: 0o600 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.reminders.pollMs = 50
        settings.admin.tokensFile = join(dir, 'tokens')
        const sms = settings.lines[0]!.sms!
        Object.assign(sms, { languages: ['hindi'], long: 'sar', tlvs: { '0x1400': '1101234567890123456' } })
        sms.templates = {
          tag: '0x1401',
          unmatched: 'fail',
          list: [{ id: '1107160000000012345', text: 'Dear {#var#}, your visit is on {#var#}.' }],
        }
        settings.sms.services.clinic = {
          numbers: [],
          owners: ['token:clinic'],
          source: 'CLINIC',
          tlvs: { '0x1402': 'chain' },
        }
      },
    })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  async function ask(token: keyof typeof TOKENS, body: object) {
    const response = await fetch(`http://127.0.0.1:${staged.daemon.admin.port}/v1/sms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS[token]}` },
      body: JSON.stringify({ to: JOHN, ...body }),
    })
    return { status: response.status, said: (await response.json()) as { error?: string } }
  }
  const line = () => staged.settings.lines[0]!.name

  it('arrive with entity and template, under the sender of the service, with what the request adds', async () => {
    const text = 'Dear Ann, your visit is on Monday.'
    assert.equal((await ask('clinic', { text, key: 'a', tlvs: { '0x1403': 'own' } })).status, 201)
    await until(() => smsc.sms.length === 1, 'no SMS came')
    const dlt = { 0x1400: '1101234567890123456', 0x1401: '1107160000000012345' }
    assert.deepEqual(smsc.sms[0], {
      to: JOHN,
      text,
      from: 'CLINIC',
      vendor: { ...dlt, 0x1402: 'chain', 0x1403: 'own' },
    })
    assert.equal((await ask('shop', { text, key: 'a', template: '1107160000000012345' })).status, 201)
    await until(() => smsc.sms.length === 2, 'no second SMS came')
    const { from, vendor } = smsc.sms[1]!
    assert.deepEqual([from, vendor], [staged.settings.lines[0]!.sms!.source, dlt])
  })

  it('are refused when they are asked for, and never sent: with a reason in the log and in the row', async () => {
    const refused = await ask('shop', { text: 'Buy now!', key: 'b', line: line() })
    assert.deepEqual(
      [refused.status, refused.said.error],
      [400, `on line '${line()}' no registered template fits the text`],
    )
    assert.equal((await ask('shop', { text: 'Buy now!', key: 'c' })).status, 201, 'of no line yet')
    const row = () => staged.knex('sms_outbox').where({ key: 'c' }).first<{ state: string; last_error: string }>()
    await until(async () => (await row())?.state === 'failed', 'it has not failed')
    assert.equal((await row()).last_error, 'no registered template fits the text')
    const said = staged.logged().find((it) => it.msg === 'an SMS is not sent: its template')
    assert.deepEqual(
      [said?.why, said?.owner, said?.line],
      ['no registered template fits the text', 'token:shop', line()],
    )
    assert.equal(JSON.stringify(said).includes('Buy now'), false)
    assert.equal(smsc.sms.length, 2)
  })

  it('says at the start which settings do nothing', () => {
    const said = staged.logged().find((it) => it.msg === 'a setting does nothing')
    assert.deepEqual([said?.line, said?.setting], [line(), 'sms.languages'])
    assert.match(String(said?.why), /long: sar/)
  })
})
