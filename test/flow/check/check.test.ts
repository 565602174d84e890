import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { ProblemsError } from '../../../src/base/errors.ts'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { KINDS } from '../../../src/flow/screens/kinds.ts'
import { fileOf } from '../support.ts'

type Row = [title: string, screens: string, expected: string[], head?: string]

const said = (text: string, catalogues: { file: string; text: string }[] = [], backends?: string[]) =>
  checkSource({ file: 'f.yaml', text, catalogues }, backends).map(
    ({ severity, where, what, remedy }) => `${severity} ${where} ${what}${remedy ? ` (${remedy})` : ''}`,
  )

const TWO = 'start: main\nlanguages: [en, tpi]'

// The screens start on line 6 of each file.
const ROWS: Row[] = [
  [
    'a screen that is not there',
    '  main: { menu: Hi, choices: [{ label: A, to: bougth }] }\n  bought: { end: x }',
    ["error f.yaml:6:47 screen 'main' goes to 'bougth', but there is no such screen (did you mean 'bought'?)"],
  ],
  [
    'an unknown key',
    '  main: { end: x, exitt: true }',
    ["error f.yaml:6:19 screen 'main': unknown key 'exitt' (did you mean 'exit'?)"],
  ],
  [
    'an unknown key in a choice',
    '  main: { menu: x, choices: [{ label: a, to: main, wen: b }] }',
    ["error f.yaml:6:52 screen 'main': unknown key 'wen' (did you mean 'when'?)"],
  ],
  [
    'a misspelt kind',
    '  main: { inptu: x, to: main }',
    ["error f.yaml:6:11 screen 'main': unknown key 'inptu' (did you mean 'input'?)"],
  ],
  [
    'a screen of two kinds',
    '  main: { menu: x, input: y }',
    ["error f.yaml:6:3 screen 'main' is menu and input at the same time (split it into two screens)"],
  ],
  [
    'a screen without a kind',
    '  main: {}',
    [`error f.yaml:6:3 screen 'main' has no kind (give it one of the keys ${KINDS.join(', ')})`],
  ],
  ['a missing key', '  main: { input: x }', ["error f.yaml:6:9 screen 'main': 'to' is missing (it must be a text)"]],
  [
    'a value of the wrong kind',
    '  main: { input: x, to: main, number: { min: few } }',
    ["error f.yaml:6:46 screen 'main': 'min' is not a number"],
  ],
  [
    'bounds of a field as those of an answer',
    '  main: { call: w.x, expect: { rows: { is: rows, fields: { n: day } } }, to: b }\n  b: { end: x }',
    [
      "error f.yaml:6:63 screen 'main': 'n' is not a number or one of text, number, money, date, boolean or a block of keys",
    ],
  ],
  [
    'a language that the flow does not speak',
    "  main: { menu: x, choices: [{ label: a, to: b, when: language == 'en' }, { label: c, to: b, when: \"language == 'ne'\" }, { label: d, to: b }] }\n  b: { end: x }",
    ["warning f.yaml:6:114 screen 'main': 'language' can never be 'ne' (did you mean 'en'?)"],
  ],
  [
    'a word that an answer is none of',
    "  main: { input: x, checks: [{ oneOf: [prepaid, postpaid] }], to: b }\n  b: { branch: [{ if: 'answers.main in [prepaid, postpayd]', to: c }], else: c }\n  c: { end: x }",
    ["warning f.yaml:7:50 screen 'b': 'answers.main' can never be 'postpayd' (did you mean 'postpaid'?)"],
  ],
  [
    'an SMS that takes more than one',
    `  main: { call: w.x, expect: { name: { is: text, max: 90 } }, to: a }\n  a: { sms: '{data.main.name} ${'x'.repeat(70)}', to: b }\n  b: { sms: '${'x'.repeat(320)}', parts: 2, to: c }\n  c: { sms: '${'x'.repeat(300)} {data.main.name}', parts: 3, to: d }\n  d: { end: x }`,
    [
      "warning f.yaml:7:6 screen 'a' sends 2 SMS for one text when its values are long (shorten the text, or set parts: 2)",
      "warning f.yaml:8:6 screen 'b' sends 3 SMS for one text (shorten the text, or set parts: 3)",
    ],
  ],
  [
    'what cannot be paged and fits only where its values are short',
    `  main: { call: w.x, expect: { name: { is: text, max: 90 } }, to: a }\n  a: { input: '{data.main.name} ${'x'.repeat(65)}', to: b }\n  b: { notify: '{data.main.name} ${'x'.repeat(95)}', to: c }\n  c: { input: '{data.main.name}', wrong: No., to: d }\n  d: { end: x }`,
    [
      "warning f.yaml:7:6 screen 'a': long values are cut, because a prompt must fit on one page (limit their length (expect, length, pattern), or show fewer of them)",
      "warning f.yaml:8:6 screen 'b': long values are cut, because a notification must fit on one page (limit their length (expect, length, pattern), or show fewer of them)",
    ],
  ],
  [
    'numbers in a text that cannot be pressed',
    String.raw`  main: { notify: "Full.\n1. Other buses", to: a }
  a: { menu: "Sure?\n 1) Yes", choices: [{ label: B, to: b }] }
  b: { input: "Seats, 1. to 9.\n1. One\n0. None", number: { min: 1, max: 9 }, to: c }
  c: { input: "Card:\n1. Prepaid", checks: [{ oneOf: ['1', '2'] }], to: d }
  d: { end: "1. Lae\n2. Wau" }`,
    [
      "warning f.yaml:6:19 screen 'main' prints '1.' in its text, but a notification cannot be answered (make it a menu)",
      "warning f.yaml:7:14 screen 'a' prints '1.' in its text, but the connector numbers the choices itself (write the line under choices:)",
      "warning f.yaml:8:15 screen 'b' prints '0.' in its text, but its rules refuse that answer (make it a menu, or remove the number)",
    ],
  ],
  [
    'a day that is none',
    '  main: { input: x, checks: [{ date: { min: tomorrow } }], to: a }\n  a: { end: x }',
    ["error f.yaml:6:45 screen 'main': 'min' is not a day such as 2025-12-24, today, or today - 18 years"],
  ],
  [
    'a PIN that nobody looks at',
    "  main: { input: 'PIN:', secret: true, to: get }\n  get: { call: w.get, to: pin }\n  pin: { input: 'PIN:', secret: true, to: ask }\n  ask: { call: w.ask, with: { pin: '{answers.pin}' }, to: a }\n  a: { end: x }",
    [
      "warning f.yaml:6:9 screen 'main' asks for a secret, but no call after it checks it: any answer is accepted (lead to a call with: { pin: '{answers.main}' } that verifies it)",
    ],
  ],
  [
    'a bad name',
    '  main: { end: x }\n  Main.2: { end: y }',
    ["error f.yaml:7:3 'Main.2' is not a valid name (a name: small letters, digits and hyphens, a letter first)"],
  ],
  [
    'a misspelt condition',
    '  main: { branch: [{ if: { nott: data.x }, to: main }], else: main }',
    ["error f.yaml:6:28 screen 'main': unknown key 'nott' (did you mean 'not'?)"],
  ],
  [
    'a condition that starts nowhere',
    '  main: { branch: [{ if: balance > 3, to: a }], else: a }\n  a: { end: x }',
    [
      "error f.yaml:6:26 screen 'main': 'balance' is not a path: paths start with data, answers, chosen, vars, row, msisdn, code, line, language, now (write texts in quotes, and a blank on each side of + and -)",
    ],
  ],
  [
    'a message that does not close',
    "  main: { end: 'You have {data.x' }",
    [
      "error f.yaml:6:16 screen 'main': the text in 'en' is not a valid message: the words between { and } are not a path",
    ],
  ],
  [
    'a message with a bare name',
    "  main: { end: 'Hi {name}' }",
    [
      "error f.yaml:6:16 screen 'main': the text in 'en' shows 'name', but paths start with data, answers, chosen, vars, row, msisdn, code, line, language, now",
    ],
  ],
  [
    'a plural without other',
    "  main: { end: '{msisdn, plural, one {x}}' }",
    ["error f.yaml:6:16 screen 'main': the text in 'en' is not a valid message: plural and select need an 'other {…}'"],
  ],
  [
    'a date with a style',
    "  main: { end: '{msisdn, date, short}' }",
    [
      "error f.yaml:6:16 screen 'main': the text in 'en' has a date with a style: write {path, date} or {path, time}, and set the patterns in formats:",
    ],
  ],
  [
    'a number in an unknown style',
    "  main: { end: '{msisdn, number, mony}' }",
    [
      "error f.yaml:6:16 screen 'main': the text in 'en' has a number in the style 'mony', but the styles are integer, percent, money",
    ],
  ],
  [
    'data that nothing sets',
    "  main: { call: w.balance, to: a }\n  a: { end: '{data.balanec.amount}' }",
    ["error f.yaml:7:13 screen 'a': nothing sets 'data.balanec' (there is: main)"],
  ],
  [
    'data that may be missing',
    "  main: { call: w.balance, as: b, to: a, failed: a }\n  a: { end: '{data.b.amount}' }",
    [
      "warning f.yaml:7:13 screen 'a' reads 'data.b.amount', but some ways to this screen do not set it (it is then empty, and a number or date in it ends the dialogue: set it on every way, or test it first)",
    ],
  ],
  [
    'a field that is not kept',
    "  main: { call: w.x, to: a }\n  a: { list: x, from: data.main.rows, row: '{row.n}', keep: [id], to: b, empty: c }\n  b: { end: '{chosen.a.n}' }\n  c: { end: x }",
    ["error f.yaml:8:13 screen 'b': 'chosen.a.n': the field n of the chosen row is not kept (keep: [id, n])"],
  ],
  [
    'a row where there is none',
    "  main: { end: '{row.x}' }",
    [
      "error f.yaml:6:16 screen 'main': 'row.x': 'row' exists only in the row text and the where of rows, and in a branch with over",
    ],
  ],
  [
    'a screen that is never reached',
    '  main: { end: x }\n  lost: { end: y }',
    ["warning f.yaml:7:9 no screen leads to screen 'lost' (lead to it from another screen, or delete it)"],
  ],
  [
    'a trap',
    '  main: { menu: x, choices: [{ label: a, to: main }] }',
    ["error f.yaml:6:9 screen 'main' has no way out: it leads to no end (lead to a screen of kind end or exit)"],
  ],
  [
    'a list that can show nothing to press',
    '  main: { call: w.x, to: a }\n  a: { list: x, from: data.main.rows, row: y, to: b }\n  b: { end: z }',
    ["error f.yaml:7:6 screen 'a' gives the subscriber no key to press if there are no rows (add back: <screen>)"],
  ],
  [
    'a circle of calls',
    '  main: { call: w.x, to: a }\n  a: { set: { x: 1 }, to: main, }\n',
    [
      "error f.yaml:6:9 screen 'main' has no way out: it leads to no end (lead to a screen of kind end or exit)",
      "error f.yaml:6:9 screen 'main' leads in a circle that asks nothing: main > a > main",
      "error f.yaml:7:6 screen 'a' has no way out: it leads to no end (lead to a screen of kind end or exit)",
    ],
  ],
  [
    'an unsafe pattern',
    "  main: { input: x, pattern: '(a+)+', to: a }\n  a: { end: x }",
    [
      "error f.yaml:6:30 screen 'main': the pattern repeats a group: write the group out as often as it may come, or repeat one character or class",
    ],
  ],
  [
    'bounds that nothing is within',
    '  main: { input: x, number: { min: 20, max: 5 }, to: a }\n  a: { end: x }',
    ["error f.yaml:6:29 screen 'main': no value lies between 20 and 5"],
  ],
  [
    'a prompt over a page',
    `  main: { input: '${'x'.repeat(175)}', wrong: Try again., to: a }\n  a: { end: x }`,
    [
      "error f.yaml:6:9 screen 'main': the prompt, with the text for wrong answers above it, is longer than a page (a prompt must fit on one page)",
    ],
  ],
  [
    'a notification over a page',
    `  main: { notify: '${'x'.repeat(183)}', to: a }\n  a: { end: x }`,
    ["error f.yaml:6:9 screen 'main' is longer than a page (a notification must fit on one page)"],
  ],
  [
    'a text of two pages',
    `  main: { end: '${'x'.repeat(183)}' }`,
    ["warning f.yaml:6:9 screen 'main' takes more than one page"],
  ],
  [
    'an answer that may make a page too long',
    `  main: { input: Text, length: { max: 100 }, to: a }\n  a: { menu: '${'x'.repeat(90)} {answers.main}', choices: [{ label: Go, to: b }] }\n  b: { end: x }`,
    ["warning f.yaml:7:6 screen 'a' takes more than one page when its values are long"],
  ],
  [
    'characters beyond GSM 7-bit',
    '  main: { end: It’s “here” }',
    [
      "warning f.yaml:6:16 screen 'main': GSM 7-bit lacks ’ (U+2019), “ (U+201C), ” (U+201D); a page then holds only 80 characters, not 182 (write 'It's \"here\"')",
    ],
  ],
  [
    'a text in one language only',
    '  main: { end: { en: Hello } }',
    ["warning f.yaml:6:16 screen 'main': no text in 'tpi' (subscribers see 'Hello' instead: translate it)"],
    TWO,
  ],
  [
    'a text that lacks the first language',
    '  main: { end: { tpi: Gude } }',
    ["error f.yaml:6:16 screen 'main': no text in 'en'"],
    TWO,
  ],
  [
    'a translation without the value',
    "  main: { end: { en: 'Hi {msisdn}', tpi: Gude } }",
    ["warning f.yaml:6:42 screen 'main': the text in 'tpi' does not show msisdn"],
    TWO,
  ],
  [
    'a start that is not there',
    '  main: { end: x }',
    ["error f.yaml:3:8 the flow starts with 'mian', but there is no such screen (did you mean 'main'?)"],
    'start: mian\nlanguages: [en]',
  ],
]

describe('the check of a flow', () => {
  for (const [title, screens, expected, head] of ROWS) {
    it(`points at ${title}`, () => assert.deepEqual(said(fileOf(screens, head)), expected))
  }

  it('tells all problems at once, in the order of the file', () => {
    const problems = said(
      fileOf('  main: { menu: x, choices: [{ label: a, to: b }] }\n  a: { input: x, to: c }\n  d: { end: "{data.x}" }'),
    )
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[1]),
      ['f.yaml:6:46', 'f.yaml:7:22', 'f.yaml:8:13'],
    )
  })

  it('tells what is no YAML, and where', () => {
    assert.match(
      said('flow: x\nflow: y\n')[0] ?? '',
      /^error f\.yaml:2:1 the file is not valid YAML: Map keys must be unique/,
    )
    assert.match(said('- a\n')[0] ?? '', /^error f\.yaml:1:1 the file is not a flow/)
    assert.match(said('')[0] ?? '', /the file is not a flow/)
    assert.deepEqual(said('lines: []\nflows: { dir: . }'), [
      'error f.yaml:1:1 the file is not a flow (start it with flow: <name>)',
    ])
    assert.match(said('a: &a [*a]\nb: *c\n')[0] ?? '', /^error f\.yaml/)
  })

  it('tells a text that should stand in quotes once, and that it should', () => {
    const quotes =
      '(put a text with braces, brackets or a colon in quotes; start the keys of one block in the same column)'
    assert.deepEqual(
      said(
        fileOf(
          '  main: { menu: No bus on {answers.day, date}., choices: [{ label: Exit, to: out }] }\n  out: { exit: true }',
        ),
      ),
      [`error f.yaml:6:27 the file is not valid YAML: Unexpected flow-map-start at node end ${quotes}`],
    )
    assert.match(
      said(fileOf('  main: { branch: [{ if: language in [en, tpi], to: a }], else: a }\n  a: { end: x }')).join(),
      /^error f\.yaml:6:38 the file is not valid YAML: [^:]*$/,
    )
    assert.deepEqual(said(fileOf('  main:\n    end: Ticket: {data.t}')), [
      `error f.yaml:7:10 the file is not valid YAML: Nested mappings are not allowed in compact mappings ${quotes}`,
    ])
  })

  it('does not swell with aliases', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefghij'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(', ')}]`),
    ].join('\n')
    assert.match(said(bomb)[0] ?? '', /the file is not valid YAML: Excessive alias count/)
  })

  it('refuses a language of a later engine', () => {
    assert.deepEqual(said('flow: a\nspec: 9\nstart: m\nlanguages: [en]\nscreens: { m: { end: x } }'), [
      "error f.yaml:2:7 'spec' must be one of: 1",
    ])
  })

  it('names the zone, the languages and the texts that are not known', () => {
    const head = 'start: main\nlanguages: [en]\nzone: Pacific/Moresby\ntexts: { en: { goodby: x }, fr: {} }'
    assert.match(
      said(fileOf('  main: { end: x }', head)).join('\n'),
      /f\.yaml:6:16 unknown key 'goodby' is not a valid name|'goodby'/,
    )
    const fewer = head.replace('goodby:', 'goodbye:')
    assert.deepEqual(
      said(fileOf('  main: { end: x }', fewer)).map((problem) => problem.replace(/ \(.*/, '')),
      [
        "error f.yaml:5:7 'Pacific/Moresby' is not a time zone",
        "error f.yaml:6:34 'fr' is not one of the flow's languages",
      ],
    )
  })

  it('holds the back ends against those that the daemon has', () => {
    const text = fileOf('  main: { call: walet.x, to: a }\n  a: { end: x }')
    assert.deepEqual(said(text, [], ['wallet', 'dental']), [
      "error f.yaml:6:17 screen 'main' calls back end 'walet', but this daemon has no such back end (did you mean 'wallet'?)",
    ])
    assert.deepEqual(said(text, [], ['walet']), [])
  })

  it('finds translations that no screen has any more, and broken ones in their own file', () => {
    const catalogue = { file: 'f.tpi.yaml', text: 'language: tpi\ntexts:\n  Old: Olpela\n  Hello: "Gude {data"\n' }
    assert.deepEqual(said(fileOf('  main: { end: Hello }', TWO), [catalogue]), [
      "warning f.tpi.yaml:3:8 no screen has the text 'Old' (the text in the flow changed: change it here too, or delete it)",
      "error f.tpi.yaml:4:10 screen 'main': the text in 'tpi' is not a valid message: a { is not closed",
    ])
  })

  it('asks for no translation of a text without words', () => {
    assert.deepEqual(said(fileOf("  main: { end: '{msisdn} - {code}' }", TWO)), [])
  })

  it('tells once that a language is in letters which GSM 7-bit lacks, and which built-in texts it has none of', () => {
    const head =
      'start: main\nlanguages: [en, hi]\ntexts: { hi: { busy: अ, expired: अ, overload: अ, holding: अ, resume: अ, continue: अ, main-menu: अ } }'
    const screens = '  main: { input: { en: Name, hi: नाम }, to: a }\n  a: { end: { en: Well, hi: अच्छा } }'
    assert.deepEqual(said(fileOf(screens, head)), [
      "warning f.yaml:5:14 no built-in text in 'hi' for: goodbye, wrong (subscribers see English instead: write them under texts: { hi: … })",
      "warning f.yaml:7:34 2 of 2 texts in 'hi' have letters that GSM 7-bit lacks; a page then holds only 80 characters, not 182",
    ])
  })

  it('says a fault once that stands in several languages', () => {
    const screens = "  main: { language: { en: Which, tpi: Wanem }, names: { tpi: Tok “P” }, to: b }\n  b: { end: '-' }"
    assert.deepEqual(
      said(fileOf(screens, TWO)).map((problem) => problem.replace(/:.*/, '').slice(0, 8)),
      ['warning '],
    )
  })

  it('lets warnings pass and no error', () => {
    const good = compileFlow({ file: 'f.yaml', text: fileOf('  main: { end: x }\n  lost: { end: y }'), catalogues: [] })
    assert.deepEqual(
      good.warnings.map((warning) => warning.severity),
      ['warning'],
    )
    assert.throws(
      () => compileFlow({ file: 'f.yaml', text: fileOf('  main: { input: x, to: y }'), catalogues: [] }),
      ProblemsError,
    )
  })

  it('says something sensible of whatever became of a good file', () => {
    const good = readFileSync('flows/dental.yaml', 'utf8')
    const lines = good.split('\n')
    const at = fc.nat({ max: lines.length - 1 })
    const mutation = fc.oneof(
      fc.record({ at, text: fc.constantFrom('', '  x: y', '- {', "'", 'to: nowhere', '\t', 'menu: 3', '? [a]') }).map(
        ({ at: line, text }) =>
          (all: string[]) =>
            all.with(line, text),
      ),
      fc.tuple(at, at).map(
        ([one, other]) =>
          (all: string[]) =>
            all.with(one, all[other] ?? '').with(other, all[one] ?? ''),
      ),
      fc.tuple(at, fc.nat({ max: 60 }), fc.string({ maxLength: 3 })).map(
        ([line, column, text]) =>
          (all: string[]) =>
            all.with(line, `${(all[line] ?? '').slice(0, column)}${text}${(all[line] ?? '').slice(column + 1)}`),
      ),
    )
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const text = mutations.reduce((all, mutate) => mutate(all), lines).join('\n')
        const problems = checkSource({ file: 'f.yaml', text, catalogues: [] })
        for (const { where, what } of problems) {
          assert.match(where, /^f\.yaml(:\d+:\d+)?$/)
          assert.doesNotMatch(what, /undefined|\[object|NaN/)
        }
        if (problems.some((problem) => problem.severity === 'error')) return
        assert.ok(compileFlow({ file: 'f.yaml', text, catalogues: [] }).flow.revision)
      }),
      { numRuns: 150 },
    )
  })
})
