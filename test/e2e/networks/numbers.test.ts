import assert from 'node:assert/strict'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { networkCodingOf } from '../../../src/simulator/network/by-name.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { FAREWELL, T1, T4 } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'
import { root } from '../../style/tree.ts'

const SCREEN_MS = 5_000
const NAMED = (screen: string) => screen.replace('John', 'Ann')

/** Two gateways: one numbers its dialogues with one octet, the other with two. */
describeWith(['redis', 'postgres'], 'a network whose numbers of dialogues come round', () => {
  const smscs = new Map<string, Smsc>()
  let staged: Staged
  before(async () => {
    for (const name of ['standard', 'mica']) {
      smscs.set(
        name,
        await startSmsc({
          clock: realClock,
          chance: Math.random,
          coding: networkCodingOf(name, join(root, 'dialects')),
          screenMs: SCREEN_MS,
        }),
      )
    }
    staged = await stageDaemon({
      smscPort: smscs.get('standard')!.port,
      change: (settings) => {
        const [first] = settings.lines
        settings.lines = [...smscs].map(([name, { port }]) => ({
          ...first!,
          name,
          dialect: name,
          smsc: { ...first!.smsc, port },
        }))
        settings.services.push({ ...settings.services[0]!, code: '*124#' })
      },
    })
    await Promise.all([...smscs.values()].map((smsc) => smsc.bound(1)))
    const msisdns = ['67571000001', '67571000002', '67571000003', '67571000004']
    await staged
      .knex('dental_profile')
      .insert(msisdns.map((msisdn) => ({ msisdn, name: 'Ann', language: 'en', created_at: new Date() })))
  })
  after(async () => {
    await staged?.close()
    await Promise.all([...smscs.values()].map((smsc) => smsc.stop()))
  })

  it('is served when the next dial has the number of the one that ended a moment ago', async () => {
    const phone = smscs.get('standard')!.phone('67571000001')
    for (let dial = 0; dial < 3; dial++) {
      assert.equal((await phone.dial('*123#', { number: 7 })).text, NAMED(T1))
      assert.equal((await phone.answer('4')).text, FAREWELL)
      await until(async () => (await accepted()) === 2 * (dial + 1), 'the last text is not acknowledged')
    }
  })

  it('is served when the subscriber hung up and dials again under the same number', async () => {
    const phone = smscs.get('standard')!.phone('67571000002')
    assert.equal((await phone.dial('*123#', { number: 8 })).text, NAMED(T1))
    phone.hangUp()
    await ended('67571000002', 'standard')
    assert.equal((await phone.dial('*123#', { number: 8 })).text, NAMED(T1))
  })

  it('is served when the hang-up and the dial under the same number are read together', async () => {
    const phone = smscs.get('standard')!.phone('67571000002')
    for (let dial = 0; dial < 20; dial++) {
      assert.equal((await phone.dial('*123#', { number: 10 })).text, NAMED(T1))
      assert.equal((await phone.answer('2')).text, T4)
      phone.hangUp()
    }
  })

  it('is served when nobody said that the first dial is over, and another code is dialled under its number', async () => {
    const phone = smscs.get('standard')!.phone('67571000003')
    assert.equal((await phone.dial('*123#', { number: 9 })).text, NAMED(T1))
    assert.equal((await phone.dial('*124#', { number: 9 })).text, NAMED(T1))
    assert.equal((await phone.answer('4')).text, FAREWELL)
  })

  it('of two octets is known for a copy as long as tombstones are kept', async () => {
    const phone = smscs.get('mica')!.phone('67571000004')
    assert.equal((await phone.dial('*123#', { number: 70_00 })).text, NAMED(T1))
    assert.equal((await phone.answer('4')).text, FAREWELL)
    const before = await repeats('mica')
    phone.dial('*123#', { number: 70_00, withinMs: 10 }).catch(() => undefined)
    await until(async () => (await repeats('mica')) > before, 'the copy is not counted as one')
  })

  const accepted = () => staged.daemon.metrics.value('ussd_replies_total', { line: 'standard', result: 'ok' })
  const repeats = (line: string) =>
    staged.daemon.metrics.value('ussd_messages_total', { line, kind: 'begin', result: 'repeat' })
  const ended = (msisdn: string, line: string) =>
    until(async () => {
      const record = await staged.daemon.stores.dialogues.find({ group: line, msisdn })
      return record?.status === 'ended'
    }, 'the hang-up is not heard')
})
