import assert from 'node:assert/strict'
import type { Settings } from '../../../src/config/schema.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

type Numbers = Partial<Settings['lines'][number]['msisdn']>

/** What each line knows of the numbers of its country. */
const LINES: Record<string, Numbers> = {
  bare: { countryCode: '675' },
  lengths: { countryCode: '675', nationalDigits: [7, 8] },
  abroad: {},
}
const NATIONAL = { source_addr_ton: 2, source_addr_npi: 1 }
const dial = (source_addr: string) => ({
  ...NATIONAL,
  source_addr,
  service_type: 'USSD',
  dest_addr_ton: 0,
  dest_addr_npi: 1,
  destination_addr: '*123#',
  data_coding: 15,
  short_message: Buffer.from('*123#'),
  ussd_service_op: 1,
  its_session_info: Buffer.from([9, 0]),
})

describeWith(['redis', 'postgres'], 'an SMSC that calls full numbers national', () => {
  const smscs = new Map<string, Awaited<ReturnType<typeof foreignSmsc>>>()
  let staged: Staged
  before(async function () {
    for (const name of Object.keys(LINES)) smscs.set(name, await foreignSmsc())
    staged = await stageDaemon({
      smscPort: smscs.get('bare')!.port,
      change: (settings) => {
        const [first] = settings.lines
        settings.lines = [...smscs].map(([name, { port }]) => ({
          ...first!,
          name,
          smsc: { ...first!.smsc, port },
          msisdn: { ...first!.msisdn, ...LINES[name] },
        }))
      },
    })
    await until(() => [...smscs.values()].every((smsc) => smsc.bound() === 1), 'the lines do not bind')
  })
  after(async () => {
    await staged?.close()
    for (const smsc of smscs.values()) smsc.stop()
  })

  const ofDialogue = (group: string, msisdn: string) => staged.daemon.stores.dialogues.find({ group, msisdn })
  const refused = (line: string) => staged.logged().findLast((it) => it.msg === 'PDU refused' && it.line === line)

  it('lengths tell: the dialogue is of the subscriber who dialled, not of one with the code twice', async () => {
    const screen = await smscs.get('lengths')!.say('67570000001', dial('67570000001'))
    assert.match(screen.text, /^Welcome, John/)
    assert.equal((await ofDialogue('lengths', '67570000001'))?.status, 'resting')
    assert.equal(await ofDialogue('lengths', '67567570000001'), null)
  })

  it('no length known: refused with 0x0A, and the log says the remedy', async () => {
    await assert.rejects(smscs.get('bare')!.say('67570000001', dial('67570000001')), /deliver_sm_resp 10$/)
    assert.equal(await ofDialogue('bare', '67567570000001'), null)
    assert.equal(refused('bare')?.why, 'source-ambiguous')
    assert.match(String(refused('bare')?.remedy), /set msisdn\.nationalDigits/)
  })

  it('no country code: refused with 0x0A, and the log says the remedy', async () => {
    await assert.rejects(smscs.get('abroad')!.say('67570000001', dial('67570000001')), /deliver_sm_resp 10$/)
    assert.equal(refused('abroad')?.why, 'source-no-country-code')
    assert.match(String(refused('abroad')?.remedy), /set msisdn\.countryCode/)
  })

  it("an SMS of such a number is nobody's STOP, and the log says the remedy", async () => {
    const sms = { ...NATIONAL, source_addr: '67570000001', destination_addr: '123', short_message: Buffer.from('STOP') }
    smscs
      .get('bare')!
      .say('no screen comes', sms)
      .catch(() => undefined)
    const said = () => staged.logged().find((it) => it.why === 'source-ambiguous' && String(it.msg).startsWith('SMS'))
    await until(() => said() !== undefined, 'the SMS is not taken')
    assert.match(String(said()?.remedy), /set msisdn\.nationalDigits/)
    const { rows } = await staged.knex.raw('SELECT count(*)::int AS n FROM sms_opt_out')
    assert.equal(rows[0].n, 0)
  })
})
