/** Journeys of ussd-engine become flows: played by talks where all was carried, told line by line where not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { importJourney, reportOf } from '../../../src/tools/flow-import/import.ts'
import { readJinja } from '../../../src/tools/flow-import/jinja.ts'
import { patternOf } from '../../../src/tools/flow-import/screens.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'

const HERE = 'test/tools/flow-import'
const beside = (file: string, from: string) => ({
  file: join(dirname(from), file),
  text: readFileSync(join(dirname(from), file), 'utf8'),
})
const importText = (text: string, file = `${HERE}/some.yaml`) => importJourney({ file, text }, { flow: 'some' }, beside)
const sourceOf = ({ text }: { text: string }) => ({ file: 'imported.yaml', text, catalogues: [] })
const screensOf = (text: string) => compileFlow(sourceOf(importText(text))).definition.screens

describe('an imported journey', () => {
  const text = readFileSync(`${HERE}/meter.yaml`, 'utf8')
  const meter = importJourney({ file: `${HERE}/meter.yaml`, text }, { flow: 'meter' }, beside)

  it('says that all was carried, and what the back end must offer', () => {
    assert.deepEqual(
      reportOf(meter).map((line) => line.replaceAll(`${HERE}/`, '')),
      [
        "flow 'meter': 12 screens of the journey, all fully imported",
        "changed  meter.yaml:13: headers of the request are not in the flow (move them to the back end 'meter' in the settings)",
        "back end 'meter' must offer",
        '  meter.find-customer {phone_number} -> {status, meters: rows, name}  meter.yaml:10: ' +
          'GET https://meters.example/customers/{{ phone_number }}',
        '  meter.buy {meter, amount} -> {token, units}  meter.yaml:85: POST https://meters.example/sales',
      ],
    )
  })

  it('passes the check', () => {
    const source = sourceOf(meter)
    assert.deepEqual(
      proveFlow(compileFlow(source), readFlow(source).at).filter(({ severity }) => severity === 'error'),
      [],
    )
  })

  for (const talk of parseTalks(`${HERE}/meter.talk`, readFileSync(`${HERE}/meter.talk`, 'utf8'))) {
    it(`talks: ${talk.title}`, async () => {
      const failure = await playTalk(talk, compileFlow(sourceOf(meter)).flow)
      assert.equal(failure && describeFailure(failure), undefined)
    })
  }
})

describe('a journey that is more than a flow', () => {
  const rest = importJourney(
    { file: 'rest.yaml', text: readFileSync(`${HERE}/rest.yaml`, 'utf8') },
    { flow: 'rest' },
    beside,
  )

  it('compiles all the same, what was worked out being asked of the back end', () => {
    const { definition } = compileFlow(sourceOf(rest))
    assert.equal(definition.screens['total-next']?.kind, 'call')
    assert.equal(definition.screens['done-shown']?.kind, 'end')
  })

  it('names each thing that is lost, with its line', () => {
    assert.deepEqual(
      rest.remarks.filter(({ lost }) => lost).map(({ where, what }) => `${where} ${what}`),
      [
        "rest.yaml:56 screen 'plain' has its own text for a wrong choice",
        "rest.yaml:31 'key|upper' of a row is too complex for a flow",
        'rest.yaml:96 the class shop.screens.Odd is a program',
      ],
    )
  })

  it('tells what each operation is asked', () => {
    const check = rest.operations.find(({ name }) => name === 'pin-check')
    assert.deepEqual(check?.does, ['^(?=.*[0-9]).{4}$; {{ ussd_request.input|int % 7 == 0 }}'])
    assert.equal(rest.operations.length, 9)
  })
})

describe('importing', () => {
  it('reads a list of the journey as choices, a loop of conditions as one branch', () => {
    const screens = screensOf(`
initial_screen: route
route:
  type: router_screen
  with_items: [675, 254]
  router_options: [ { expression: "{{ item == phone_number }}", next_screen: pick } ]
  default_next_screen: pick
pick:
  type: menu_screen
  text: Pick
  items: { text: "No. {{ item }}", value: "{{ item }}", with_items: [a, b], session_key: got, next_screen: end }
end: { type: quit_screen, text: "{{ got }}" }
`)
    const branch = [
      { if: 'msisdn == 675', to: 'pick' },
      { if: 'msisdn == 254', to: 'pick' },
    ]
    assert.deepEqual(screens.route, { kind: 'branch', branch, else: 'pick' })
    assert.deepEqual(screens.pick?.kind === 'menu' && screens.pick.choices[1], {
      label: 'No. b',
      set: { got: 'b' },
      to: 'end',
    })
  })

  it('reads a first screen that has a name of its own', () => {
    const screens = screensOf(`
initial_screen: begin
begin: { type: initial_screen, create_ussd_variables: { limit: 5 }, next_screen: end }
end: { type: quit_screen, text: "{{ limit }}" }
`)
    assert.deepEqual(
      Object.values(screens).map(({ kind }) => kind),
      ['set', 'end'],
    )
  })

  it('keeps names apart that become alike', () => {
    const screens = screensOf(`
initial_screen: A_b
A_b: { type: menu_screen, text: a, options: [ { text: x, next_screen: a-b } ] }
a-b: { type: quit_screen, text: b }
`)
    assert.deepEqual(
      Object.keys(screens).filter((name) => name.startsWith('a')),
      ['a-b', 'a-b-2'],
    )
  })

  it('shows the present as a date, and says so', () => {
    const text = 'initial_screen: a\na: { type: quit_screen, text: "It is {{now}}." }'
    const { text: written, remarks } = importJourney({ file: 'j.yaml', text }, { flow: 'j' }, beside)
    assert.doesNotMatch(written, /once/)
    assert.match(written, /end: It is \{now, date\}\./)
    compileFlow({ file: 'j.yaml', text: written, catalogues: [] })
    assert.deepEqual(
      remarks.map(({ where, what }) => `${where} ${what}`),
      ["j.yaml:2 'now' is shown as a date"],
    )
  })

  it('says that what Jinja computes changes nothing; of a function it does not know', () => {
    const text = `initial_screen: a
a: { type: function_screen, function: shop.count, session_key: n, next_screen: b }
b: { type: quit_screen, text: "{{ now|month }}" }`
    const { screens } = parse(importJourney({ file: 'j.yaml', text }, { flow: 'j' }, beside).text) as {
      screens: Record<string, { call?: string; once?: boolean }>
    }
    assert.deepEqual(
      Object.values(screens).flatMap(({ call, once }) => (call ? [[call, once]] : [])),
      [
        ['j.a', undefined],
        ['j.b', false],
      ],
    )
  })

  it('extends another file at any level, as the loader of ussd-engine does, and keeps the lines', () => {
    const files: Record<string, string> = {
      'base.yaml': 'initial_screen: a\na:\n  type: menu_screen\n  text: Base\n  options: [{ text: x, next_screen: b }]',
      'part.yaml': 'type: quit_screen\ntext: { en: Bye, sw: Kwaheri }\nstrange: 1',
    }
    const text =
      '--- !extends:base.yaml\na:\n  text: Own\nb: !extends:part.yaml\n  text: { en: Good bye }\nc: !include:part.yaml'
    const { text: written, remarks } = importJourney({ file: 'j.yaml', text }, { flow: 'j' }, (file) => {
      const found = files[file]
      if (found === undefined) throw new Error('gone')
      return { file, text: found }
    })
    assert.deepEqual((parse(written) as { screens: unknown }).screens, {
      a: { menu: 'Own', choices: [{ label: 'x', to: 'b' }] },
      b: { end: { en: 'Good bye', sw: 'Kwaheri' } },
      c: { end: { en: 'Bye', sw: 'Kwaheri' } },
    })
    const again = () => importJourney({ file: 'j.yaml', text }, { flow: 'j' }, (file) => ({ file, text }))
    assert.throws(again, /base\.yaml:2: extends 'base\.yaml', 5 files deep/)
    assert.ok(remarks.some(({ where, what }) => where === 'part.yaml:3' && what.includes('strange')))
  })

  it('refuses what is no journey, with the line', () => {
    const refused = (text: string, what: RegExp) => assert.throws(() => importText(text, 'j.yaml'), what)
    refused('a: [', /j\.yaml:\d+: is not valid YAML/)
    refused('- a', /j\.yaml:1: is not a block of screens/)
    refused('a: { type: quit_screen, text: a }', /j\.yaml:1: does not name the first screen/)
    refused('initial_screen: a\na: !include gone.yaml', /j\.yaml:2: includes 'gone\.yaml', which cannot be read/)
    refused('initial_screen: a', /j\.yaml:1: has no screens/)
    refused('initial_screen: b\nab: { type: quit_screen, text: a }', /j\.yaml:1: begins with the screen 'b', but/)
    refused('initial_screen: a\na: !factory:make.it\n  b: 1', /j\.yaml:\d: has the tag '!factory:make\.it', which/)
    refused('--- !extends:gone.yaml\na: 1', /j\.yaml:2: extends 'gone\.yaml', which cannot be read/)
    refused('initial_screen: a\na: { inherit: b }\nb: { inherit: a }', /inherits from itself/)
    refused('initial_screen: a\na: { inherit: c }', /j\.yaml:2: inherits from 'c', but there is no such screen/)
  })
})

describe('an expression of Jinja', () => {
  it('is read, or left to the back end', () => {
    assert.deepEqual(readJinja("not a.b['c'] == 'x'"), {
      is: 'not',
      of: {
        is: 'pair',
        operator: '==',
        left: { is: 'name', parts: ['a', 'b', 'c'] },
        right: { is: 'value', value: 'x' },
      },
    })
    const beyond = ['a % 2', 'f(x)', 'a[b]', 'a is odd', '(a', 'a b', '']
    for (const more of beyond) assert.equal(readJinja(more), undefined, more)
  })
})

describe('a regular expression that is searched for', () => {
  it('becomes one for the whole answer, or is left to the back end', () => {
    assert.equal(patternOf('^[0-9]{4}$', []), '[0-9]{4}')
    assert.equal(patternOf('[0-9]', []), '.*[0-9].*')
    assert.equal(patternOf('^\\d+$', ['*', '0']), '(?:\\d+)|\\*|0')
    assert.equal(patternOf('^(a|b)$', []), '(?:(a|b))')
    for (const more of ['^a|b$', '(?=a)b', '(a+)+$', 'a^b']) assert.equal(patternOf(more, []), undefined, more)
  })
})
