/** Dialects through the whole simulated SMSC: what is more than one PDU. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { compileDialect, pushPath } from '../../../src/smpp/dialect/dialect.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { writePdu } from '../../../src/simulator/codec/codec.ts'
import { startSmsc, type Smsc, type SmscOptions } from '../../../src/simulator/smsc/smsc.ts'
import { networkCodingOf } from '../../../src/simulator/network/by-name.ts'
import { realClock } from '../../support/clock.ts'
import { esme, type Esme } from '../esme.ts'

const DIR = join(packageRoot, 'dialects')
const JOHN = '67570000001'

describe('the simulated SMSC in other dialects', () => {
  let smsc: Smsc
  let one: Esme | undefined

  async function start(dialect: string, options: Partial<SmscOptions> = {}) {
    smsc = await startSmsc({
      clock: realClock,
      chance: seededChance(1),
      coding: networkCodingOf(dialect, DIR),
      ...options,
    })
    one = await esme(smsc.port)
    await one.bind()
    const profile = loadProfile(dialect, DIR)
    return { bound: one, profile, dialect: compileDialect(profile) }
  }
  afterEach(async () => {
    one?.end()
    one = undefined
    await smsc.stop()
  })

  function pathOf(dialect: ReturnType<typeof compileDialect>, pdu: Pdu) {
    const read = dialect.read(pdu)
    assert.equal(read.is, 'ussd')
    return (read as Extract<typeof read, { is: 'ussd' }>).message.returnPath
  }

  it('plays a dialogue keyed by user_message_reference, and ends it with 17', async () => {
    const { bound, dialect } = await start('mica')
    const phone = smsc.phone(JOHN)
    const first = phone.dial('*123#')
    const begin = await bound.take('deliver_sm')
    bound.send(dialect.write({ action: 'continue', text: 'Menu' }, pathOf(dialect, begin)).pdu)
    assert.deepEqual(await first.then((s) => [s.text, s.open]), ['Menu', true])
    const second = phone.answer('1')
    const input = await bound.take('deliver_sm')
    bound.send(dialect.write({ action: 'end', text: 'Bye' }, pathOf(dialect, input)).pdu)
    assert.deepEqual(await second.then((s) => [s.text, s.open]), ['Bye', false])
    bound.send(dialect.write({ action: 'continue', text: 'Late' }, pathOf(dialect, input)).pdu)
    const statuses = [
      await bound.take('submit_sm_resp'),
      await bound.take('submit_sm_resp'),
      await bound.take('submit_sm_resp'),
    ]
    assert.deepEqual(
      statuses.map((pdu) => pdu.status),
      [0, 0, 0x45],
    )
  })

  it('withholds the response to a question until the subscriber answers, and refuses it if he hangs up', async () => {
    const { bound, dialect } = await start('c-gateway')
    const phone = smsc.phone(JOHN)
    const first = phone.dial('*123#')
    const path = pathOf(dialect, await bound.take('deliver_sm'))
    const question = bound.send(dialect.write({ action: 'continue', text: 'Menu' }, path).pdu)
    await first
    bound.send({ command: 'enquire_link' })
    await bound.take('enquire_link_resp')
    assert.ok(!bound.seen.some((pdu) => pdu.command === 'submit_sm_resp'))
    phone.type('1')
    const answered = await bound.take('submit_sm_resp')
    assert.deepEqual([answered.sequence, answered.status], [question, 0])
    await bound.take('deliver_sm')
    bound.send(dialect.write({ action: 'continue', text: 'Next' }, path).pdu)
    await phone.next()
    phone.hangUp()
    assert.equal((await bound.take('submit_sm_resp')).status, 0x50)
  })

  it('names a pushed dialogue in the submit_sm_resp where the gateway does that', async () => {
    const { bound, dialect, profile } = await start('smpp-plus')
    bound.send(
      dialect.write(
        { action: 'push-begin', text: 'Pay now?' },
        pushPath(profile, { msisdn: JOHN, source: '123', n: 1 }),
      ).pdu,
    )
    const granted = (await bound.take('submit_sm_resp')).tlvs.find((t) => t.tag === 0x1501)
    assert.equal((await smsc.phone(JOHN).next()).text, 'Pay now?')
    smsc.phone(JOHN).type('1')
    const input = await bound.take('deliver_sm')
    assert.deepEqual(input.tlvs.find((t) => t.tag === 0x1501)?.value, granted?.value)
  })

  it('answers an operation that the dialect does not have by ESME_RINVOPTPARAMVAL, not by an SMS', async () => {
    const { bound } = await start('standard')
    const tlvs = [{ tag: 0x0501, value: Buffer.of(77) }]
    bound.send({ command: 'submit_sm', body: { destination_addr: JOHN, short_message: Buffer.from('x') }, tlvs })
    assert.equal((await bound.take('submit_sm_resp')).status, 0xc4)
    assert.equal(smsc.phone(JOHN).inbox.length, 0)
  })

  it('speaks TLS where it is given a key', async function () {
    const dir = mkdtempSync(join(tmpdir(), 'simulator-tls-'))
    try {
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '1',
          '-subj',
          '/CN=localhost',
          '-keyout',
          join(dir, 'key.pem'),
          '-out',
          join(dir, 'cert.pem'),
        ],
        { stdio: 'ignore' },
      )
    } catch {
      smsc = await startSmsc({ clock: realClock, chance: seededChance(1) })
      return this.skip() // no openssl to make a certificate with
    }
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(dir, file))) as [Buffer, Buffer]
    rmSync(dir, { recursive: true })
    smsc = await startSmsc({ clock: realClock, chance: seededChance(1), tls: { key, cert } })
    const socket = connect({ port: smsc.port, host: '127.0.0.1', servername: 'localhost', ca: cert })
    socket.on('secureConnect', () =>
      socket.write(writePdu({ command: 'bind_transceiver', sequence: 1, body: { system_id: 'aweh' } })),
    )
    await smsc.bound(1)
    assert.equal(smsc.binds()[0]!.systemId, 'aweh')
    socket.destroy()
  })
})
