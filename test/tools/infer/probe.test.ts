/** The probe and the other commands of dialects, against the simulator. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { inferCommand, listDialects, profileName, showCommand } from '../../../src/cli/smsc/dialect.ts'
import { testCommand } from '../../../src/cli/smsc/dialect-test.ts'
import { probeCommand } from '../../../src/cli/smsc/probe.ts'
import { maskOctets, showPdu } from '../../../src/tools/capture/show-pdu.ts'
import { UsageError } from '../../../src/base/errors.ts'
import { PROBE_TEXT } from '../../../src/tools/infer/probe.ts'
import { dialectNames, loadProfile, merge } from '../../../src/smpp/dialect/load.ts'
import { dialectProfile, type DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { profileCoding } from '../../../src/simulator/network/profile-encoder.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'

const DIR = new URL('../../../dialects', import.meta.url).pathname
const JOHN = '67570000001'

/** Nobody speaks so: a vendor's number of four octets, its own operations for an answer and an abort. */
const STRANGE = dialectProfile.parse(
  merge(loadProfile('standard', DIR), {
    name: 'strange',
    inbound: {
      classify: [
        { when: { op: [0, 1] }, is: 'begin' },
        { when: { op: [34] }, is: 'abort' },
        { when: { op: [20] }, is: 'input' },
      ],
      session: { from: [{ tlv: 0x1777 }], decode: 'uint', octets: 4, step: 'none' },
      endBit: { use: 'ignore' },
      code: { from: [{ field: 'short_message' }], pick: 'first' },
    },
    outbound: { session: { mode: 'echo' }, text: { gsm7: { dcs: 0, echo: [] } } },
  }),
)

describe('the probe', () => {
  let smsc: Smsc

  afterEach(() => smsc.stop())

  async function probed(
    profile: DialectProfile,
    dials: (smsc: Smsc) => Promise<void>,
    more: { ask?: boolean; calls?: number } = {},
  ) {
    smsc = await startSmsc({
      clock: realClock,
      chance: seededChance(1),
      coding: profileCoding(profile),
      firstNumber: 4_711,
      screenMs: 5_000,
      accounts: [{ systemId: 'probe', password: 'secret' }],
    })
    const lines: string[] = []
    const running = probeCommand(
      {
        host: '127.0.0.1',
        port: smsc.port,
        systemId: 'probe',
        password: 'secret',
        bind: 'transceiver',
        seconds: 15,
        calls: 2,
        lingerMs: 0,
        ...more,
      },
      (text) => lines.push(text),
      new AbortController().signal,
    )
    await smsc.bound(1)
    await dials(smsc)
    const probe = await running
    return { probe, said: lines.join('\n') }
  }

  it('ends every call with a service text, and says what it believes in', async () => {
    const { said } = await probed(STRANGE, async ({ phone }) => {
      for (const who of [JOHN, '67570000002']) {
        const screen = await phone(who).dial('*123#')
        assert.deepEqual([screen.text, screen.open], [PROBE_TEXT.end, false])
      }
    })
    const profile = parse(said.slice(said.indexOf('# Inferred'))) as {
      inbound: { session: { from: unknown; decode: string } }
    }
    assert.deepEqual(profile.inbound.session.from, [{ tlv: 0x1777 }])
    assert.match(said, /answering with the end of echo-0x1777/)
    assert.match(said, /nearest known profile/)
    assert.match(said, /op: 17 +# doubtful: our own guess; the SMSC accepted 2 of 2/)
  })

  it('asks one question where it is told to, and learns from the answer and the abort', async () => {
    const { said } = await probed(
      loadProfile('huawei-le', DIR),
      async ({ phone }) => {
        await phone(JOHN).dial('*123#')
        const asked = await phone('67570000002').dial('*123#')
        assert.deepEqual([asked.text, asked.open], [PROBE_TEXT.ask, true])
        const over = await phone('67570000002').answer('1')
        assert.deepEqual([over.text, over.open], [PROBE_TEXT.end, false])
        await phone('67570000003').dial('*123#')
        phone('67570000003').hangUp()
      },
      { ask: true, calls: 3 },
    )
    assert.match(said, /fits 3 begin, 1 input, 1 abort/)
  })

  it('shows PDUs without the number of the subscriber, in words and in octets', async () => {
    const { said } = await probed(STRANGE, async ({ phone }) => {
      await phone(JOHN).dial('*123#')
      await phone('67570000002').dial('*123#')
    })
    assert.doesNotMatch(said, new RegExp(`${JOHN}|${Buffer.from(JOHN).toString('hex')}`))
    assert.match(said, /source_addr="675xxxxxx01"/)
    assert.match(said, /0x1777 = 00001267/)
  })

  it('does not answer an SMS, whatever its text', async () => {
    const { probe, said } = await probed(STRANGE, async ({ phone }) => {
      assert.equal(await phone('67570000004').send('123', '*123#'), 0)
      await phone(JOHN).dial('*123#')
      await phone('67570000002').dial('*123#')
    })
    assert.match(said, /not answered: it looks like an SMS/)
    assert.equal(probe.pdus().filter((it) => it.pdu.command === 'submit_sm').length, 2)
  })

  it('says why it never bound, and keeps the password to itself', async () => {
    smsc = await startSmsc({
      clock: realClock,
      chance: seededChance(1),
      accounts: [{ systemId: 'probe', password: 'secret' }],
    })
    const lines: string[] = []
    const options = {
      host: '127.0.0.1',
      port: smsc.port,
      systemId: 'probe',
      password: 'wrong',
      bind: 'transceiver',
      seconds: 1,
      calls: 2,
    }
    await assert.rejects(
      probeCommand(options, (text) => lines.push(text), new AbortController().signal),
      UsageError,
    )
    assert.match(lines.join('\n'), /the bind is down: wrong-password, .*INVPASWD/)
    assert.doesNotMatch(lines.join('\n').replaceAll('wrong-password', ''), /wrong|777[02]6f6e67/)
  })
})

describe('the dialect command', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'dialect-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  it('lists and shows every shipped profile', () => {
    const lines: string[] = []
    listDialects({}, (text) => lines.push(text))
    assert.match(lines[0]!, /^PROFILE +CONFIDENCE +SEEN$/)
    for (const name of dialectNames(DIR)) assert.match(lines.join('\n'), new RegExp(`^${name} `, 'm'))
    lines.length = 0
    listDialects({ json: true }, (text) => lines.push(text))
    const told = JSON.parse(lines.join('\n')) as { name: string }[]
    assert.deepEqual(
      told.map(({ name }) => name),
      dialectNames(DIR),
    )
    const shown: string[] = []
    showCommand('mica', {}, (text) => shown.push(text))
    assert.equal(`${shown[0]}\n`, readFileSync(join(DIR, 'mica.yaml'), 'utf8'))
    showCommand('mica', { full: true }, (text) => shown.push(text))
    assert.deepEqual(parse(shown[1]!), loadProfile('mica', DIR))
  })

  it('plays a profile, records it, and infers the same from the record', async () => {
    const record = join(dir, 'vumi.log')
    const lines: string[] = []
    await testCommand('vumi-tata', { record }, (text) => lines.push(text))
    assert.match(lines.at(-1)!, /every step passed/)
    assert.match(lines.join('\n'), /= begin \*123\*9#/)
    const said: string[] = []
    inferCommand(record, {}, (text) => said.push(text))
    assert.match(
      said[0]!,
      /^# The nearest known profile is vumi-tata:? it reads (\d+) of \1 messages and writes (\d+) of \2 replies/m,
    )
    assert.equal((parse(said[0]!) as { name: string }).name, 'vumi')
  })

  const codes: [string, string][] = [
    ['a group in the text', "{ from: [{ field: short_message }], pick: first, re: '^USSD;.*code=([*0-9#]+);' }"],
    [
      'a group without its signs',
      "{ from: [{ field: destination_addr }], pick: first, prefix: '*', suffix: '#', re: '^SC\\.(\\d[0-9*]*)$' }",
    ],
    ['digits alone', "{ from: [{ field: short_message }], pick: first, prefix: '*', suffix: '#', re: '\\d[0-9*]*' }"],
    ['a parameter', '{ from: [{ tlv: 0x1444, skip: 1 }], pick: first }'],
  ]
  for (const [name, code] of codes) {
    it(`plays a profile whose code is found by an expression, or where no other has it: ${name}`, async () => {
      const { writeFileSync } = await import('node:fs')
      const file = join(dir, 'code.yaml')
      writeFileSync(file, `name: code\nextends: standard\nseen: nowhere\ninbound:\n  code: ${code}\n`)
      const lines: string[] = []
      await testCommand(file, {}, (text) => lines.push(text))
      assert.match(lines.join('\n'), /= begin \*123\*9#/)
    })
  }

  it('says which step of a broken profile fails', async () => {
    const file = join(dir, 'broken.yaml')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(
      file,
      'name: broken\nextends: standard\nseen: nowhere\noutbound: { actions: { end: { op: 2, endBit: 0 } } }\n',
    )
    await assert.rejects(
      testCommand(file, {}, () => undefined),
      /answer 2: the network reads it as a question/,
    )
  })

  it('says what is wrong with a file that has no SMPP', async () => {
    assert.throws(() => inferCommand(join(dir, 'none.pcap'), {}, () => undefined), /there is no file/)
    assert.throws(
      () => inferCommand(join(DIR, 'mica.yaml'), {}, () => undefined),
      /no SMPP found in .*give a pcap of the bind/,
    )
  })

  it('makes a name of any file name', () => {
    assert.deepEqual(['Op 1 (test)', '2025-trace', 'ünï', ''].map(profileName), ['op-1-test', 'trace', 'n', 'inferred'])
  })
})

describe('masking', () => {
  it('writes over numbers in UCS-2, and shows its text as a text', () => {
    const wide = (text: string) => Buffer.from(text, 'utf16le').swap16()
    const masked = maskOctets(wide(`call ${JOHN}, 12345678`))
    assert.equal(masked.toString('hex'), wide('call 675xxxxxx01, 12345678').toString('hex'))
    const body = { data_coding: 8, short_message: wide(`Привет ${JOHN}`) }
    const pdu = { command: 'submit_sm', status: 0, sequence: 1, body, tlvs: [] }
    assert.match(
      showPdu({ from: 'esme', pdu, octets: Buffer.alloc(0) }).join('\n'),
      /text \(36 octets\) "Привет 675xxxxxx01"/,
    )
    const ascii = { ...pdu, body: { data_coding: 8, short_message: Buffer.from('id:1 stat:DELIVRD.') } }
    assert.match(showPdu({ from: 'esme', pdu: ascii, octets: Buffer.alloc(0) }).join('\n'), /"id:1 stat:DELIVRD\."/)
  })

  it('keeps the length, and writes over numbers in envelopes too', () => {
    const envelope = Buffer.from(
      `2|100:${Buffer.from(JOHN).toString('base64')}|109:${Buffer.from('1').toString('base64')}`,
    )
    const masked = maskOctets(envelope)
    assert.equal(masked.length, envelope.length)
    assert.equal(Buffer.from(masked.toString().split(/[:|]/)[2]!, 'base64').toString(), '675xxxxxx01')
  })

  it('writes over what is dialled behind a code: it may be a PIN', () => {
    const [DEEP, SHOWN] = ['*150*4711#', '*150*****#']
    const wide = (text: string) => Buffer.from(text, 'utf16le').swap16()
    const enveloped = (text: string) => Buffer.from(`2|109:${Buffer.from(text).toString('base64')}`)
    const hex = (text: string) => Buffer.from(Buffer.from(text).toString('hex'))
    for (const written of [Buffer.from, wide, enveloped, hex]) {
      assert.equal(maskOctets(written(`${DEEP}`)).toString('latin1'), written(SHOWN).toString('latin1'))
      assert.deepEqual(maskOctets(written('*150#')), written('*150#'))
    }
    const body = { source_addr: JOHN, destination_addr: '150*4711', short_message: Buffer.from(DEEP) }
    const pdu = {
      command: 'deliver_sm',
      status: 0,
      sequence: 1,
      body,
      tlvs: [{ tag: 0x1400, value: Buffer.from(DEEP) }],
    }
    const seen = showPdu({ from: 'smsc', pdu, octets: Buffer.from(DEEP) }).join('\n')
    assert.match(seen, /destination_addr="150\*{5}"/)
    assert.doesNotMatch(seen, new RegExp(`4711|${Buffer.from('4711').toString('hex')}`))
  })
})
