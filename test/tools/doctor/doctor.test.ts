/** The doctor against SMSCs of which the truth is known: ours in several moods, npm smpp's, and a poor one. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { doctorCommand, type DoctorOptions } from '../../../src/cli/smsc/doctor.ts'
import { parseSettings } from '../../../src/config/load.ts'
import type { CheckId, CheckVerdict } from '../../../src/tools/doctor/finding.ts'
import type { Row, AcceptanceSheet } from '../../../src/tools/doctor/sheet.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { profileCoding } from '../../../src/simulator/network/profile-encoder.ts'
import { startSmsc, type Smsc, type SmscOptions } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { ID, raw, startPeer, type PeerConnection, type RawPdu } from '../../support/peer.ts'
import { root } from '../../style/tree.ts'
import { poorSmsc, type PoorOptions } from './poor-smsc.ts'

const JOHN = '67570000001'
const DIR = join(root, 'dialects')
const QUICK = { connectMs: 2_000, answerMs: 1_500, receiptMs: 1_500, handsetMs: 3_000, pauseMs: 300 }
const OPTIONS: Omit<DoctorOptions, 'port'> = {
  host: '127.0.0.1',
  systemId: 'ussd',
  password: 'secret08',
  window: 0,
  rateSms: 0,
  deadPeer: 0,
  wait: 3,
  receipts: 2,
  yes: true,
  source: '123',
  line: 'harbour',
  times: QUICK,
}

describe('the doctor', function () {
  let smsc: Smsc | undefined
  const stops: (() => unknown)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
    smsc = undefined
  })

  async function simulator(options: Partial<SmscOptions> = {}): Promise<Smsc> {
    const started = await startSmsc({
      clock: realClock,
      chance: seededChance(1),
      accounts: [{ systemId: 'ussd', password: 'secret08' }],
      screenMs: 4_000,
      ...options,
    })
    stops.push(() => started.stop())
    return (smsc = started)
  }

  async function examined(
    port: number,
    more: Partial<DoctorOptions> = {},
    hear: (said: string) => void = () => undefined,
  ) {
    const said: string[] = []
    const sheet = await doctorCommand(
      { ...OPTIONS, port, ...more },
      (text) => (said.push(text), hear(text)),
      () => Promise.resolve(false),
    )
    return { sheet, said: said.join('\n') }
  }

  const row = (sheet: AcceptanceSheet, check: CheckId): Row => sheet.rows.find((it) => it.check === check)!
  const verdicts = (sheet: AcceptanceSheet, ...checks: CheckId[]): CheckVerdict[] =>
    checks.map((it) => row(sheet, it).verdict)
  /** The suggested line, as the daemon would take it. */
  function lineOf(sheet: AcceptanceSheet) {
    const [line] = parse(sheet.settings) as Record<string, unknown>[]
    const dir = mkdtempSync(join(tmpdir(), 'ussd-doctor-'))
    stops.push(() => rmSync(dir, { recursive: true, force: true }))
    const passwordFile = join(dir, 'password')
    writeFileSync(passwordFile, 'secret08', { mode: 0o600 })
    Object.assign(line!.smsc as object, { passwordFile })
    const source = JSON.stringify({
      lines: [line],
      services: [{ code: '*', flow: 'dental' }],
      redis: 'embedded',
      postgres: 'embedded',
    })
    return parseSettings(source, 'suggested', {}).settings.lines[0]!
  }

  it('finds what a good SMSC does, sends no SMS without a handset, and says what it left out', async () => {
    const { port } = await simulator()
    const { sheet } = await examined(port)
    assert.deepEqual(
      verdicts(
        sheet,
        'tcp',
        'bind-transceiver',
        'bind-transmitter',
        'bind-receiver',
        'bind-v50',
        'interface-version',
        'second-bind',
        'enquire-link',
        'unknown-command',
        'unbind',
      ),
      Array.from({ length: 10 }, () => 'pass'),
    )
    assert.match(row(sheet, 'interface-version').said, /"SIMULATOR", sc_interface_version 0x34/)
    assert.deepEqual(
      verdicts(sheet, 'tls', 'wrong-password', 'dead-peer', 'sms-gsm7', 'ussd-pull', 'unbind-theirs'),
      Array.from({ length: 6 }, () => 'not-tested'),
    )
    assert.equal(smsc!.trace().filter((it) => it.octets.readUInt32BE(4) === 4).length, 0)
    assert.equal(sheet.counts.fail, 0)
    assert.equal(lineOf(sheet).bind, 'transceiver')
  })

  it('walks through SMS, receipts and USSD with a handset, and keeps to its number', async () => {
    const { port } = await simulator({
      receipts: { delayMs: 500, idForms: { response: 'hex', receipt: 'dec' } },
      enquireMs: 300,
    })
    const { sheet, said } = await examined(
      port,
      { msisdn: JOHN, code: '*123#', push: true, window: 5, wrongPassword: true, deadPeer: 3 },
      (text) => {
        if (text.startsWith('now dial')) void smsc!.phone(JOHN).dial('*123#')
        if (text.includes('type 7'))
          void smsc!
            .phone(JOHN)
            .answer('7')
            .catch(() => undefined)
      },
    )
    assert.deepEqual(
      verdicts(
        sheet,
        'wrong-password',
        'sms-gsm7',
        'sms-ucs2',
        'sms-national',
        'long-udh16',
        'long-udh8',
        'long-sar',
        'long-payload',
        'data-sm',
        'validity-relative',
        'validity-absolute',
        'query-sm',
        'replace-sm',
        'cancel-sm',
        'receipts',
        'receipt-ids',
        'window',
        'ussd-pull',
        'ussd-notify',
        'ussd-request',
        'others',
        'enquire-link-theirs',
        'dead-peer',
      ),
      Array.from({ length: 23 }, () => 'pass'),
    )
    assert.match(row(sheet, 'receipts').said, /^13 of 13 SMS, as parameters and text/)
    assert.match(row(sheet, 'receipt-ids').said, /decimal; the response has hexadecimal/)
    assert.match(row(sheet, 'ussd-pull').said, /one septet in each octet.*as profile standard writes it, was accepted/)
    assert.match(row(sheet, 'ussd-request').said, /then input "7"/)
    assert.match(said, /up to 20 SMS, one call to \*123#, two pushes/)
    const profile = parse(sheet.profile) as { extends: string; responses: object }
    assert.deepEqual(
      [profile.extends, profile.responses],
      ['standard', { messageIdBases: { response: 'hex', receipt: 'dec' } }],
    )
    assert.equal(lineOf(sheet).sms!.long, 'udh16')
    assert.deepEqual(
      smsc!.phones().map((it) => it.msisdn),
      [JOHN],
    )
    // A message of two parts is one on the handset: nothing but what is asked for was sent.
    assert.ok(smsc!.phone(JOHN).inbox.length <= 20)
  })

  it('sees receipts before the response, twice, without parameters, and a schedule that nobody keeps', async () => {
    const { port } = await simulator({ receipts: { order: 'before-response', times: 2, carries: 'text' } })
    const { sheet } = await examined(port, { msisdn: JOHN })
    assert.match(row(sheet, 'receipts').said, /13 of 13 SMS, as text.*26 before the response; 13 repeated/)
    assert.deepEqual(verdicts(sheet, 'schedule-relative', 'schedule-absolute'), ['fail', 'fail'])
    assert.match(row(sheet, 'schedule-relative').said, /accepted, but delivered at once/)
  })

  it('misses receipts that do not come', async () => {
    const { port } = await simulator({ receipts: { send: false } })
    const { sheet } = await examined(port, { msisdn: JOHN, times: { ...QUICK, receiptMs: 200 } })
    assert.deepEqual(verdicts(sheet, 'receipts', 'receipt-ids'), ['fail', 'not-tested'])
    assert.equal(lineOf(sheet).sms!.receipts, false)
  })

  for (const dialect of ['mica', 'huawei-le', 'kz', 'c-gateway']) {
    it(`ends a call of a network that speaks ${dialect}, and pushes only as the profile can`, async () => {
      const { port } = await simulator({ coding: profileCoding(loadProfile(dialect, DIR)), firstNumber: 4_711 })
      let screen: Promise<{ open: boolean }> | undefined
      const { sheet } = await examined(
        port,
        { msisdn: JOHN, code: '*123#', times: { ...QUICK, receiptMs: 100 } },
        (text) => {
          if (text.startsWith('now dial')) screen = smsc!.phone(JOHN).dial('*123#')
        },
      )
      assert.equal(row(sheet, 'ussd-pull').verdict, 'pass', row(sheet, 'ussd-pull').said)
      assert.equal((await screen)?.open, false)
    })
  }

  it('stops at a wrong password: one try, and nothing after it', async () => {
    const { port } = await simulator()
    const { sheet, said } = await examined(port, { password: 'nonsense', msisdn: JOHN })
    assert.match(row(sheet, 'bind-transceiver').said, /0x0E ESME_RINVPASWD/)
    assert.deepEqual([sheet.counts.pass, sheet.counts.fail], [1, 1])
    assert.equal(smsc!.trace().filter((it) => it.octets.readUInt32BE(4) === 9).length, 1)
    assert.match(said, /not tested {4}bind_transmitter: nothing bound/)
  })

  it('says that an account is in use, that one bind is all, and that nobody is there', async () => {
    const { port } = await simulator({ bindsMax: 1 })
    const { sheet } = await examined(port)
    assert.deepEqual([row(sheet, 'second-bind').verdict, lineOf(sheet).links], ['not-supported', 1])
    assert.match(row(sheet, 'second-bind').said, /0x05 ESME_RALYBND/)
    await smsc!.stop()
    stops.length = 0
    const { sheet: nobody } = await examined(port)
    assert.deepEqual([row(nobody, 'tcp').verdict, nobody.counts.pass], ['fail', 0])
    assert.match(row(nobody, 'tcp').said, /ECONNREFUSED/)
  })

  it('writes SMS as the line of the settings does', async () => {
    const submits: RawPdu[] = []
    const peer = await startPeer({
      onSubmit: (pdu) => (submits.push(pdu), raw(ID.response + pdu.id, 0, pdu.sequence, `m${pdu.sequence}\0`)),
    })
    stops.push(() => peer.stop())
    const dir = mkdtempSync(join(tmpdir(), 'ussd-doctor-'))
    stops.push(() => rmSync(dir, { recursive: true, force: true }))
    const config = join(dir, 'connector.json')
    writeFileSync(
      config,
      JSON.stringify({
        lines: [
          {
            name: 'own',
            smsc: { host: '127.0.0.1', port: peer.port, systemId: 'ussd', password: 'secret08' },
            sms: {
              source: '123',
              sourceTon: 0,
              sourceNpi: 9,
              serviceType: 'CMT',
              destTon: 2,
              destNpi: 8,
              alphabet: 'latin1',
              dataCoding: 3,
            },
          },
        ],
        services: [{ code: '*', flow: 'dental' }],
        redis: 'embedded',
        postgres: 'embedded',
      }),
      { mode: 0o600 },
    )
    await doctorCommand(
      {
        config,
        line: 'own',
        msisdn: JOHN,
        yes: true,
        window: 0,
        rateSms: 0,
        deadPeer: 0,
        wait: 1,
        receipts: 1,
        times: QUICK,
      },
      () => undefined,
    )
    const plain = submits.find(({ body }) => body.includes('Test 1:'))!.body
    const head = `CMT\0\x00\x09123\0\x02\x08${JOHN}\0\0\0\0\0\0\x01\0\x03\0`
    assert.equal(plain.toString('latin1', 0, head.length), head)
    assert.ok(plain.includes(Buffer.from('@ £ $ _ { }', 'latin1')))
  })

  it('notices that a second bind pushes the first out', async () => {
    const binds: PeerConnection[] = []
    const peer = await startPeer({
      onBind(pdu, connection) {
        for (const older of binds.splice(0)) older.socket.destroy()
        binds.push(connection)
        return raw(ID.response + pdu.id, 0, pdu.sequence, 'SMSC\0')
      },
    })
    stops.push(() => peer.stop())
    const { sheet } = await examined(peer.port)
    assert.deepEqual([row(sheet, 'second-bind').verdict, lineOf(sheet).links], ['not-supported', 1])
    assert.match(row(sheet, 'second-bind').said, /accepted, but the SMSC closed the first bind/)
    assert.match(row(sheet, 'second-bind').advice, /push each other out/)
  })

  it('fails where nothing at all can be bound', async () => {
    const peer = await startPeer({ onBind: (pdu) => raw(ID.response + pdu.id, 0x0d, pdu.sequence) })
    stops.push(() => peer.stop())
    const { sheet } = await examined(peer.port)
    assert.deepEqual(verdicts(sheet, 'bind-transceiver', 'bind-transmitter', 'bind-receiver'), [
      'not-supported',
      'fail',
      'fail',
    ])
    assert.match(row(sheet, 'bind-receiver').advice, /ask how this account may bind/)
  })

  it('tells a port that speaks no TLS from an SMSC', async () => {
    const server = createServer(
      (socket) => void socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    )
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    stops.push(() => server.close())
    const { sheet } = await examined((server.address() as AddressInfo).port, { tls: true })
    assert.deepEqual([row(sheet, 'tls').verdict, row(sheet, 'bind-transceiver').verdict], ['fail', 'not-tested'])
    assert.match(row(sheet, 'tls').advice, /does not speak TLS/)
  })

  it('loses the connection in the middle, and says of the rest that it was not tested', async () => {
    const { port } = await simulator()
    smsc!.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'close', when: 'before' } })
    const { sheet } = await examined(port, { msisdn: JOHN })
    assert.match(row(sheet, 'sms-gsm7').said, /closed the connection instead of a response/)
    assert.equal(row(sheet, 'unbind').verdict, 'fail')
    assert.equal(sheet.rows.filter((it) => it.verdict === 'pass' && it.group === 'SMS').length, 0)
  })

  it('binds again where the SMSC unbinds in the middle, goes on where it was, and says so', async () => {
    const { port } = await simulator({ receipts: { send: false } })
    smsc!.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'unbind' } })
    let waits = 0
    const { sheet, said } = await examined(
      port,
      { msisdn: JOHN, times: { ...QUICK, pauseMs: 20, receiptMs: 300, handsetMs: 100 } },
      (text) => {
        if (/^waiting .* for receipts/.test(text) && waits++ === 0)
          smsc!
            .peers()
            .find((peer) => peer.state === 'bound')!
            .unbind(1_000)
      },
    )
    assert.deepEqual(
      verdicts(sheet, 'sms-gsm7', 'sms-ucs2', 'long-udh16', 'query-sm', 'unbind', 'unbind-theirs'),
      Array.from({ length: 6 }, () => 'pass'),
    )
    assert.match(
      row(sheet, 'unbind-theirs').said,
      /sent unbind 2 times during the tests, and we answered; then we bound again/,
    )
    assert.match(row(sheet, 'unbind-theirs').advice, /ask why/)
    assert.match(said, /the SMSC sent unbind; binding again/)
  })

  it('ends its examination where the SMSC unbinds and takes no bind any more, and says of the rest that it was not tested', async () => {
    const { port } = await simulator()
    smsc!.chaos.add({ on: 'submit_sm', times: 1, act: { is: 'unbind' } })
    const { sheet } = await examined(
      port,
      { msisdn: JOHN, times: { ...QUICK, pauseMs: 20, receiptMs: 300 } },
      (text) => {
        if (text.includes('binding again'))
          smsc!.chaos.add({ on: 'bind_transceiver', act: { is: 'refuse', status: 0x0d } })
      },
    )
    assert.deepEqual(verdicts(sheet, 'unbind-theirs', 'unbind', 'receipts', 'ussd-pull'), [
      'fail',
      'not-tested',
      'not-tested',
      'not-tested',
    ])
    assert.match(row(sheet, 'receipts').said, /the SMSC unbound us and refuses a new bind/)
  })

  it('says of a schedule that is kept, refused or ignored what the daemon makes of it', async () => {
    const kept = await simulator({ receipts: { delayMs: 60_000 } })
    const { sheet } = await examined(kept.port, { msisdn: JOHN, times: { ...QUICK, receiptMs: 100 } })
    assert.match(row(sheet, 'schedule-relative').advice, /does not use it: SMS wait in its outbox/)
    const { sheet: ignored } = await examined((await simulator()).port, {
      msisdn: JOHN,
      times: { ...QUICK, receiptMs: 300 },
    })
    assert.deepEqual(
      [row(ignored, 'schedule-absolute').verdict, row(ignored, 'schedule-absolute').advice],
      [
        'fail',
        'nothing to do: SMS wait in the outbox of the daemon until they are due, where they can still be cancelled',
      ],
    )
  })

  it('answers a call of another subscriber with a temporary status, and no text', async () => {
    const { port } = await simulator({ deliveries: { attemptsMax: 1 } })
    const { sheet } = await examined(
      port,
      { msisdn: JOHN, code: '*123#', times: { ...QUICK, receiptMs: 100, handsetMs: 700 } },
      (text) => {
        if (text.startsWith('now dial'))
          void smsc!
            .phone('67579999999')
            .dial('*123#')
            .catch(() => undefined)
      },
    )
    assert.deepEqual(verdicts(sheet, 'ussd-pull', 'others'), ['fail', 'fail'])
    assert.ok(!JSON.stringify(sheet).includes('9999999'))
  })

  it('gets along with an SMSC that shares no code with ours', async () => {
    const foreign = await foreignSmsc()
    stops.push(() => foreign.stop())
    let screen: Promise<{ text: string; end: boolean }> | undefined
    const { sheet } = await examined(
      foreign.port,
      { msisdn: JOHN, code: '*123#', window: 3, times: { ...QUICK, answerMs: 400, receiptMs: 100 } },
      (text) => {
        if (text.startsWith('now dial')) screen = foreign.phone(JOHN).dial('*123#')
      },
    )
    // It has a session that answers submit_sm, and nothing else but binds, enquire_link and unbind.
    assert.deepEqual(
      verdicts(
        sheet,
        'bind-transceiver',
        'enquire-link',
        'sms-gsm7',
        'sms-ucs2',
        'long-udh16',
        'window',
        'ussd-pull',
        'unbind',
      ),
      Array.from({ length: 8 }, () => 'pass'),
    )
    assert.deepEqual(
      verdicts(sheet, 'unknown-command', 'data-sm', 'query-sm', 'cancel-sm', 'receipts'),
      Array.from({ length: 5 }, () => 'fail'),
    )
    assert.match(row(sheet, 'query-sm').said, /no response within/)
    const shown = await screen
    assert.deepEqual([shown?.text, shown?.end], ['Service test. Thank you.', true])
    assert.deepEqual([...new Set(foreign.sms.map((it) => it.to))], [JOHN])
    assert.ok(foreign.sms.some((it) => it.text.startsWith('Test 2: привет') || it.text.startsWith('Тест 2: привет')))
  })

  async function poor(options: Partial<PoorOptions> = {}, more: Partial<DoctorOptions> = {}) {
    const started = await poorSmsc(options)
    stops.push(() => started.stop())
    const { sheet } = await examined(started.peer.port, {
      msisdn: JOHN,
      times: { ...QUICK, receiptMs: 400, pauseMs: 1_000 },
      ...more,
    })
    return { sheet, poor: started }
  }

  it('tells the truth of a poor one, and how to live with it', async () => {
    const {
      sheet,
      poor: { destinations, accepted },
    } = await poor({}, { window: 8, rateSms: 40 })
    assert.deepEqual(
      verdicts(
        sheet,
        'bind-transceiver',
        'second-bind',
        'sms-ucs2',
        'sms-national',
        'long-udh16',
        'long-udh8',
        'long-payload',
        'data-sm',
        'validity-relative',
        'validity-absolute',
        'schedule-relative',
        'schedule-absolute',
        'query-sm',
      ),
      Array.from({ length: 13 }, () => 'not-supported'),
    )
    assert.deepEqual(
      verdicts(sheet, 'bind-transmitter', 'bind-receiver', 'sms-gsm7', 'long-sar', 'window', 'throughput', 'unbind'),
      Array.from({ length: 7 }, () => 'pass'),
    )
    assert.deepEqual(verdicts(sheet, 'unknown-command', 'receipts', 'receipt-ids', 'cancel-sm', 'replace-sm'), [
      'fail',
      'fail',
      'fail',
      'not-tested',
      'not-tested',
    ])
    assert.match(row(sheet, 'unknown-command').said, /closed the connection instead of a response/)
    assert.match(row(sheet, 'window').said, /8 sent together: 4 accepted; 4 refused with 0x14 ESME_RMSGQFUL/)
    assert.match(row(sheet, 'throughput').said, /throttled at [4-8] with 0x58 ESME_RTHROTTLED, not at [2-6]/)
    assert.match(row(sheet, 'receipt-ids').advice, /ask what the id/)
    const line = lineOf(sheet)
    assert.deepEqual(
      [line.bind, line.window, line.sms!.long, line.sms!.ucs2, line.sms!.receipts],
      ['pair', 4, 'sar', false, false],
    )
    assert.equal(line.sms!.validity, 'none')
    assert.ok(line.sms!.perSecond >= 1 && line.sms!.perSecond <= 6, String(line.sms!.perSecond))
    assert.deepEqual([...destinations], [JOHN])
    assert.ok(accepted() <= 15 + 8 + 40)
  })

  it('writes validity_period as the SMSC takes it', async () => {
    const { sheet } = await poor({ takesValidity: /\+$/ })
    assert.deepEqual(verdicts(sheet, 'validity-relative', 'validity-absolute'), ['not-supported', 'pass'])
    assert.equal(lineOf(sheet).sms!.validity, 'absolute')
    const other = await poor({ takesValidity: /R$/ })
    assert.deepEqual(verdicts(other.sheet, 'validity-relative', 'validity-absolute'), ['pass', 'not-supported'])
    assert.equal(lineOf(other.sheet).sms!.validity, 'relative')
  })

  it('tells receipts that have no bits in esm_class, and has the line take them', async () => {
    const { sheet } = await poor({ receiptClass: 0, receiptId: (n) => String(70_000 + n) })
    assert.match(row(sheet, 'receipts').said, /esm_class does not mark them as receipts/)
    assert.deepEqual([lineOf(sheet).sms!.unmarkedReceipts, lineOf(sheet).sms!.receipts], [true, true])
    const marked = await poor({ receiptId: (n) => String(70_000 + n) })
    assert.equal(lineOf(marked.sheet).sms!.unmarkedReceipts, false)
  })

  it('says that ids which are all the same tell nothing', async () => {
    const { sheet } = await poor({ responseId: () => '0', receiptId: () => '0', touchy: false })
    assert.deepEqual(verdicts(sheet, 'unknown-command', 'receipt-ids'), ['pass', 'fail'])
    assert.deepEqual((parse(sheet.profile) as { responses: object }).responses, { messageIdUseless: true })
  })

  it('says of an SMSC that answers a wrong password with ESME_RBINDFAIL that the daemon will not try slowly', async () => {
    const peer = await startPeer({
      onBind: (pdu) => {
        const isRight = pdu.body.toString('latin1').includes('secret08')
        return raw(ID.response + pdu.id, isRight ? 0 : 0x0d, pdu.sequence, isRight ? 'S\0' : '')
      },
    })
    stops.push(() => peer.stop())
    const { sheet } = await examined(peer.port, {
      wrongPassword: true,
      times: { ...QUICK, answerMs: 100, receiptMs: 100, handsetMs: 100 },
    })
    const { verdict, said, advice } = row(sheet, 'wrong-password')
    assert.equal(verdict, 'fail')
    assert.match(`${said} ${advice}`, /0x0D ESME_RBINDFAIL.*only after 0x0E and 0x0F/)
  })

  it('shows no password, and no number unless asked to; JSON and paper alike', async () => {
    const { port } = await simulator()
    const dir = mkdtempSync(join(tmpdir(), 'ussd-doctor-'))
    stops.push(() => rmSync(dir, { recursive: true, force: true }))
    for (const showNumbers of [false, true]) {
      const html = join(dir, 'sheet.html')
      const { sheet, said } = await examined(port, {
        msisdn: JOHN,
        html,
        json: true,
        showNumbers,
        wrongPassword: true,
        operator: '<b>Harbour & Sons</b>',
        times: { ...QUICK, receiptMs: 500 },
      })
      const paper = readFileSync(html, 'utf8')
      const hex = Buffer.from(JOHN).toString('hex')
      for (const text of [said, paper.replace(/(?<=[0-9a-f]) (?=[0-9a-f])/g, '')]) {
        assert.ok(!text.includes('secret08') && !text.includes(Buffer.from('secret08').toString('hex')))
        assert.equal(text.includes(JOHN), showNumbers)
        assert.equal(text.includes(hex), showNumbers)
        assert.ok(text.includes('ESME_RINVPASWD'))
      }
      assert.deepEqual(JSON.parse(said), JSON.parse(JSON.stringify(sheet)))
      assert.doesNotMatch(paper, /<script|<b>Harbour|https?:|src=|javascript/)
      assert.match(paper, /&lt;b&gt;Harbour &amp; Sons/)
      assert.match(paper, /Signature/)
    }
  })

  it('asks before it sends, and refuses what it cannot do', async () => {
    const { port } = await simulator()
    await assert.rejects(examined(port, { msisdn: JOHN, yes: false }), /nothing was sent/)
    assert.equal(smsc!.trace().length, 0)
    await assert.rejects(examined(port, { code: '*123#', push: true }), /--code, --push: also give --msisdn/)
    await assert.rejects(examined(port, { msisdn: '0700' }), /international digits/)
    await assert.rejects(
      doctorCommand({ ...OPTIONS, window: 0 }, () => undefined),
      /give --host, --port and --system-id/,
    )
  })
})
