/** A flow that is played by hand becomes a talk that goes as it was played. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text as allOf } from 'node:stream/consumers'
import fc from 'fast-check'
import { recordTalk, type TalkRecording } from '../../../src/cli/flows/record.ts'
import { compileFlow, type Compilation } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { syntheticSecrets } from '../../../src/flow/talk/synthetic-secrets.ts'
import { parseTalks, type TalkStep } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { recordedText, talkRecorder, EVENTS_MAX, RECORDED_MAX } from '../../../src/flow/talk/recorder.ts'
import { writeTalk } from '../../../src/flow/talk/writer.ts'
import { writtenLines } from '../../../src/simulator/control/terminal.ts'
import { exampleFolder } from '../../support/example-flows.ts'
import { flowOf, handset } from '../support.ts'

const NOW = '2025-01-15T08:00:00.000Z'
const ROWS = '{"rows": [{"id": 7, "name": "Cleaning"}]}'
const FREE = '{"rows": [{"id": 3, "clinic": "Koki", "at": "2025-05-10T09:00:00+10:00"}]}'
const HELD = '{"slot": 3, "type": "Cleaning", "clinic": "Koki", "at": "2025-05-10T09:00:00+10:00"}'
const KNOWN = '{"known": true, "name": "John", "language": null}'

describe('a dialogue that is recorded', () => {
  let folder: string
  let file: string
  let dental: Compilation
  before(async () => {
    dental = compileFlow(await sourceOf('flows', 'dental'))
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ussd-record-'))
    file = join(folder, 'recorded.talk')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Types these lines, answers of back ends among them; what the file is then, and what stood in the terminal. */
  async function typed(compilation: Compilation, lines: string[], how: Partial<TalkRecording> = {}) {
    const output = new PassThrough()
    await recordTalk(compilation, {
      file,
      code: '*123#',
      msisdn: '67570000001',
      now: NOW,
      typed: writtenLines(lines),
      output,
      isTty: false,
      ...how,
    })
    output.end()
    const talks = parseTalks(file, readFileSync(file, 'utf8'))
    for (const talk of talks) {
      const failure = await playTalk(talk, compilation.flow)
      assert.equal(failure && describeFailure(failure), undefined)
    }
    return { written: readFileSync(file, 'utf8'), said: await allOf(output), talks }
  }
  afterEach(() => assert.equal(process.exitCode ?? 0, 0))

  it('that a word by SMS started is written with the word, and the SMS that answered it', async () => {
    const balance = flowOf(
      `
  ask: { call: wallet.balance, expect: { kina: { is: number, max: 9999 } }, to: buy }
  buy: { call: wallet.buy, once: true, to: told, failed: told }
  told: { end: 'You have K{data.ask.kina}.' }
`,
      'start: ask\nlanguages: [en]',
    )
    const { written, said } = await typed(balance, ['{"kina": 12}'], { word: 'BALANCE' })
    assert.equal(
      written,
      `flow test

talk BALANCE by SMS
backend wallet.balance {"kina":12}
language en
now 2025-01-15T08:00:00.000Z
write BALANCE
sms You have K12.
ended backend-failed
`,
    )
    assert.doesNotMatch(said, /wallet\.buy/)
  })
  it('goes as it was played: keys, pages, what back ends answered, time', async () => {
    const { written, said } = await typed(dental, [KNOWN, '2', ROWS, '1', FREE, '1', HELD, '1', '{}'], {
      title: 'A visit is booked',
    })
    assert.equal(
      written,
      `flow dental

talk A visit is booked
code *123#
backend dental.profile {"known":true,"name":"John","language":null}
language en
now 2025-01-15T08:00:00.000Z
dial *123#
< Welcome, John!
< 1. Check Appointments
< 2. Book New Appointment
< 3. Cancel Appointment
< 4. Exit
backend dental.types {"rows":[{"id":7,"name":"Cleaning"}]}
> 2
< Select Appointment Type:
< 1. Cleaning
< 2. Back
backend dental.slots {"rows":[{"id":3,"clinic":"Koki","at":"2025-05-10T09:00:00+10:00"}]}
> 1
called dental.slots {"type":7}
< Available Cleaning Slots:
< 1. Koki (10/05/2025, 9 AM)
< 2. Back
backend dental.hold {"slot":3,"type":"Cleaning","clinic":"Koki","at":"2025-05-10T09:00:00+10:00"}
> 1
called dental.hold {"slot":3}
< Book Cleaning at Koki, 10/05/2025, 9 AM?
< 1. Confirm
< 2. Cancel
backend dental.book {}
> 1
called dental.book {"slot":3}
< Appointment confirmed! You'll get an SMS reminder.
< 1. Back to Main Menu
hang up
`,
    )
    assert.match(
      said,
      /dental\.hold \{"slot":3\} is called\. What does it answer\?\n {2}1 {2}\{.*\n {2}2 {2}refuse slot-taken\n {2}3 {2}fail down\n/,
    )
    assert.match(said, /recorded\.talk: talk 'A visit is booked' is written\nplayed again: it passes\n$/)
  })

  it('speaks the language that it spoke, by the subscriber or by the back end', async () => {
    const { talks } = await typed(dental, [KNOWN, '4'], { language: 'tpi' })
    assert.deepEqual(
      talks[0]!.steps.flatMap((step) => (step.do === 'language' ? step.language : [])),
      ['tpi'],
    )
    const { written } = await typed(dental, ['{"known": true, "name": "John", "language": "tpi"}', '4'])
    assert.equal(written.match(/< Tenkyu\. Gutbai\.\nended exit\n/g)?.length, 2)
  })

  it('may have no rows, refusals, back ends that are down, and made-up answers', async () => {
    const { written, said } = await typed(dental, [
      KNOWN,
      '1',
      'nothing',
      '{"rows": []}',
      '1',
      ROWS,
      '1',
      FREE,
      '1',
      'refuse slot-taken',
      '{"rows": []}',
      '1',
      'fail late',
    ])
    assert.match(said, /'nothing' is not JSON/)
    assert.match(written, /\n> 1\ncalled dental\.appointments \{"for":"view"\}\n< No appointments found\.\n/)
    assert.match(written, /\nrefuse dental\.hold slot-taken\nbackend dental\.slots \{"rows":\[\]\}\n> 1\n/)
    assert.match(
      written,
      /\nfail dental\.types late\n> 1\n< Service busy\. Please try again later\.\nended backend-failed\n$/,
    )
    const made = await typed(dental, ['', '4'])
    assert.match(made.written, /< Welkam|< Welcome, Name!/)
  })

  it('may be left and taken up again: hung up, or lost and dialled anew', async () => {
    const { written } = await typed(dental, [KNOWN, '2', ROWS, ':lost', '1', ROWS, ':hang up'])
    assert.match(written, /\nlost\ndial \*123#\n< Welcome back\.\n< 1\. Continue where you stopped\n< 2\. Main menu\n/)
    assert.match(written, /< 2\. Back\nhang up\n$/)
  })

  it('may be of a thousand rows', async () => {
    const towns = flowOf(
      `
  all: { call: towns.all, expect: { rows: rows }, to: town }
  town: { list: 'Town:', from: data.all.rows, row: '{row.name}', keep: [name], search: [name], to: out, empty: out }
  out: { end: 'You live in {chosen.town.name}.' }
`,
      'start: all\nlanguages: [en]',
    )
    const rows = Array.from({ length: 1000 }, (_, i) => ({ name: `Town ${i}` }))
    const { written } = await typed(towns, [JSON.stringify({ rows }), 'town 99', '1'])
    assert.match(written, /> 1\n< You live in Town 99\.\nended completed\n$/)
  })

  it('has another PIN in the place of each that was typed, that does the same', async () => {
    const money = compileFlow(await sourceOf(exampleFolder('money'), 'money'))
    const lines = ['{"set": true}', '2', '7391', 'refuse wrong {"left": 2}', '4680', '{}', '{"amount": 300}']
    const { written, said } = await typed(money, lines, { code: '*180#' })
    for (const secret of ['7391', '4680']) assert.doesNotMatch(written, new RegExp(secret))
    const typedPins = [...written.matchAll(/^> (.*)$/gm)].map((found) => found[1])
    assert.match(typedPins.join(' '), /^2 (\d{4}) (?!\1)\d{4}$/)
    assert.equal(written.match(/^called pin\.verify \{"pin":"(\d{4})"\}$/gm)?.length, 2)
    assert.match(written, /^talk \*180#, then 2, \*\*\*\*, \*\*\*\*$/m)
    assert.match(said, /pin\.verify \{"pin":"\*\*\*\*"\} is called/)
    assert.match(said, /\n {2}\d {2}refuse wrong \{"left":9\}\n/, 'with what the flow expects of it')
    assert.match(written, /^refuse pin\.verify wrong \{"left":2\}$/m)
  })

  it('has one that is refused for the one that was, and stops where none can be made up', async () => {
    const pin = (rules: string) =>
      flowOf(`  main: { input: 'PIN:', secret: true, ${rules}, wrong: Not so., to: check }
  check: { call: p.check, with: { pin: '{answers.main}' }, to: out }
  out: { end: Good }`)
    const short = await typed(pin("pattern: '\\d{4}'"), ['73', 'x1!', '7391', '{}'])
    assert.match(
      short.written,
      /> (?!73)\d\d\n< Not so\.\n< PIN:\n> (?!x1)[a-z]\d[.\-_!?]\n< Not so\.\n< PIN:\nbackend.*\n> (?!7391)\d{4}\n/,
    )
    rmSync(file)
    const only = await typed(pin("pattern: '7391'"), ['7391', '{}'])
    assert.match(
      only.written,
      /dial \*123#\n< PIN:\n# The talk stops here: a secret was typed next, and nothing can stand in for it\.\n$/,
    )
  })

  it('has the same made-up PIN where the same was typed, and the key for Back as it was', async () => {
    const money = compileFlow(await sourceOf(exampleFolder('money'), 'money'))
    const { written } = await typed(money, ['{"set": false}', '1', '2580', '{}', '2580', '{}'], { code: '*180#' })
    const [, first, second] = [...written.matchAll(/^> (.*)$/gm)].map((found) => found[1])
    assert.equal(first, second)
    assert.notEqual(first, '2580')
    const back = await typed(money, ['{"set": true}', '2', '0', '4'], { code: '*180#' })
    assert.match(back.written, /> 0\n< Your money\n[^>]*> 4\n< Thank you\. Goodbye\.\nended exit\n$/)
  })

  it('keeps of a dialled code what was played: a PIN dialled behind it is not', async () => {
    const money = compileFlow(await sourceOf(exampleFolder('money'), 'money'))
    const { written } = await typed(money, ['{"set": true}'], { code: '*180#', dial: '*180*2*7391#' })
    assert.match(written, /\ncode \*180#\n.*\n.*\n.*\ndial \*180\*2#\n< Your PIN:\n/)
    assert.doesNotMatch(written, /7391/)
    rmSync(file)
    const deep = await typed(dental, [KNOWN, '{"rows": []}'], { dial: '*123*1*9*9#' })
    assert.match(deep.written, /dial \*123\*1#\ncalled dental\.appointments \{"for":"view"\}\n< No appointments found/)
  })

  it('says both answers of an operation that is called twice in one turn', async () => {
    const twice = flowOf(
      `
  one: { call: w.next, to: two }
  two: { call: w.next, to: out }
  out: { end: '{data.one.n} {data.two.n}' }
`,
      'start: one\nlanguages: [en]',
    )
    const { written } = await typed(twice, ['{"n": 1}', '{"n": 2}'])
    assert.match(
      written,
      /backend w\.next \{"n":1\}\nthen backend w\.next \{"n":2\}\n(.*\n){3}< 1 2\nended completed\n/,
    )
  })

  it('acknowledges what the handset shows, and tells of SMS', async () => {
    const told = flowOf(`
  main: { notify: Wait., to: text }
  text: { sms: 'Hello {msisdn}.', to: two }
  two: { sms: "Line one\\nand two", to: out }
  out: { end: Bye }
`)
    const { written, said } = await typed(told, [], { msisdn: '67570000002' })
    assert.match(written, /msisdn 67570000002\n/)
    assert.match(
      written,
      /< Wait\.\nack\nsms Hello 67570000002\.\ncalled _sms\.send \{"text":"Line one\\nand two"\}\n< Bye\nended completed\n$/,
    )
    assert.match(said, /^Wait\.\nBye\nSMS from test: Hello 67570000002\.\n/)
  })

  it('is added to the talks of a file, of the same flow only; one that fails is not written', async () => {
    writeFileSync(file, 'flow dental\nlanguage tpi\ntalk Mine\n')
    const { talks } = await typed(dental, [KNOWN, '4'])
    assert.deepEqual(
      talks.map(({ title }) => title),
      ['Mine', '*123#, then 4'],
    )
    await assert.rejects(
      typed(flowOf('  main: { end: Bye }'), []),
      /has talks of flow 'dental', not of 'test': name another file/,
    )
    rmSync(file)
    await assert.rejects(typed(dental, [], { dial: '*5#' }), /wrote nothing: \*5# must begin with \*123#/)
    assert.ok(!existsSync(file))
  })

  it('is kept of so many subscribers, up to so many events', async () => {
    const recorder = talkRecorder()
    const flow = recorder.watch(flowOf('  main: { input: More?, to: main, giveUp: out }\n  out: { exit: true }').flow)
    for (let i = 0; i <= RECORDED_MAX; i++) await handset(flow).dial({ msisdn: `${1000 + i}` })
    assert.equal(recorder.talk('1000'), undefined)
    const phone = handset(flow)
    await phone.dial({ msisdn: '1100', code: '*1#' })
    for (let i = 0; i < EVENTS_MAX + 5; i++) await phone.answer('x')
    const recorded = recorder.talk('1100', 'hang-up')!
    assert.equal(recorded.steps.filter((step) => step.do === 'answer').length, EVENTS_MAX - 1)
    assert.equal(await playTalk(parseTalks('a', recordedText(recorded))[0]!, flow), undefined)
  })
})

describe('a secret that is made up', () => {
  it('has the shape of the one typed, is never that one, and the same for the same', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{1,12}$|^[a-zA-Z0-9]{2,12}$/), (secret) => {
        const make = syntheticSecrets()
        const made = make(secret, () => true)!
        assert.notEqual(made, secret)
        assert.equal(
          made.replace(/\d/g, '0').replace(/[a-z]/g, 'a').replace(/[A-Z]/g, 'A'),
          secret.replace(/\d/g, '0').replace(/[a-z]/g, 'a').replace(/[A-Z]/g, 'A'),
        )
        assert.equal(
          make(secret, () => true),
          made,
        )
      }),
    )
  })

  it('is none where nothing else will do', () =>
    assert.equal(
      syntheticSecrets()('1234', () => false),
      undefined,
    ))
})

describe('a talk that is written', () => {
  const word = fc.stringMatching(/^\S(.{0,20}\S)?$/)
  const operation = fc.constantFrom('w.ask', '_sms.send', 'a-b.cD_e')
  const json = fc.json().map((written) => JSON.parse(written) as never)
  const outcome = fc.oneof(
    fc.record({ is: fc.constant('data' as const), data: json }),
    fc.record({ is: fc.constant('failed' as const), why: fc.constantFrom('late', 'down', 'nonsense', 'refused-call') }),
    fc.record({ is: fc.constant('refused' as const), refusal: fc.constantFrom('no', 'slot-taken'), data: json }),
  )
  const step = fc.oneof(
    fc.record({ do: fc.constant('answer'), text: fc.string() }),
    fc.record({ do: fc.constant('sms'), text: word }),
    fc.record({ do: fc.constant('stub'), operation, outcome }),
    fc.record({ do: fc.constant('stub'), operation, outcome, again: fc.constant(true) }),
    fc.record({ do: fc.constant('called'), operation, args: json }),
    fc.constantFrom(
      { do: 'ack' },
      { do: 'lost' },
      { do: 'hang-up' },
      { do: 'ended', reason: 'exit' },
      { do: 'dial', code: '*1#' },
    ),
  )

  it('is read as it was', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [read] = parseTalks('t.talk', writeTalk({ title: 'T', steps: steps as TalkStep[] }))
        assert.deepEqual(
          read!.steps.map(({ line: _line, ...rest }) => rest),
          JSON.parse(JSON.stringify(steps)),
        )
      }),
    )
  })
})
