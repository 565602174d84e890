/** Faults that are put into good flows, each of which must be found. */
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { exampleFolder } from '../../support/example-flows.ts'

const example = (name: string) => sourceOf(exampleFolder(name), name)
/** Good flows, by name. */
export const good = {
  dental: await sourceOf('flows', 'dental'),
  topup: await sourceOf('flows', 'topup'),
  language: await sourceOf('flows', 'language'),
  reminder: await sourceOf('flows', 'reminder'),
  airtime: await example('airtime'),
  bank: await example('bank'),
  market: await example('market'),
  money: await example('money'),
  survey: await example('survey'),
  voucher: await example('voucher'),
}

/** A fault put into a good flow: what is written, what is written instead, and a part of what the check says. */
export type Row = [flow: keyof typeof good, from: string, into: string, says: RegExp]

const BYE = '  farewell: { exit: true }'
/** In its place: the bundles are fetched, and a branch goes over them. */
const over = (condition: string, to: string) =>
  `  farewell: { call: wallet.bundles, as: bundles, expect: { rows: { is: rows, fields: { name: 20 } } }, to: over }\n` +
  `  over: { over: data.bundles.rows, as: farewell, keep: [name], branch: [ { if: ${condition}, to: ${to} } ], else: support, empty: support }`

export const ROWS: Row[] = [
  // Names that lead nowhere
  ['topup', 'to: amount, when', 'to: amuont, when', /goes to 'amuont', but there is no such screen/],
  ['topup', 'start: who', 'start: whoo', /starts with 'whoo'/],
  ['dental', 'to: who }', 'to: whom }', /goes to 'whom'/],
  ['dental', 'else: main', 'else: menu', /goes to 'menu'/],
  ['dental', 'empty: none', 'empty: nonne', /goes to 'nonne'/],
  ['dental', 'back: types', 'back: typse', /goes to 'typse'/],
  ['dental', 'slot-taken: { to: slots, notice', 'slot-taken: { to: slts, notice', /goes to 'slts'/],
  ['dental', 'failed: slots }', 'failed: slotz }', /goes to 'slotz'/],
  ['topup', 'insufficient: poor }\n\n  # B', 'insufficient: pour }\n\n  # B', /goes to 'pour'/],
  // Keys
  ['topup', 'choices:', 'choises:', /unknown key 'choises' \(did you mean 'choices'|is missing/],
  ['dental', 'keep: [id, name]', 'kep: [id, name]', /unknown key 'kep'/],
  ['topup', 'once: true', 'onec: true', /unknown key 'onec'/],
  ['topup', 'spec: 1', 'spec: 2', /'spec' must be one of: 1/],
  ['topup', 'number: { min: 5, max: 20 }', 'number: { min: 5, maximum: 20 }', /unknown key 'maximum'/],
  ['topup', 'number: { min: 5, max: 20 }', 'number: { min: 25, max: 20 }', /no value lies between 25 and 20/],
  ['topup', 'number: { min: 5, max: 20 }', 'pattern: (a+)+', /repeats a group/],
  ['topup', 'call: wallet.balance', 'call: wallet', /is not a back end and its operation/],
  ['dental', 'zone: Pacific/Port_Moresby', 'zone: Pacific/Moresby', /is not a time zone/],
  ['topup', 'languages: [en, tpi]', 'languages: [en, en]', /is listed twice/],
  // Ways
  [
    'topup',
    'label: { en: Call Support, tpi: Singautim helpim }, to: support',
    'label: { en: Call Support, tpi: Singautim helpim }, to: farewell',
    /no screen leads to screen 'support'/,
  ],
  ['topup', '  farewell: { exit: true }', '  farewell: { set: { a: 1 }, to: farewell }', /no way out|circle/],
  [
    'dental',
    '    back: main\n  slots:',
    '  slots:',
    /'type' gives the subscriber no key to press if there are no rows/,
  ],
  ['dental', '    back: appointments', '', /'detail' gives the subscriber no key to press if no condition holds/],
  [
    'language',
    "speak: { set: { language: '{data.profile.language}' }, to: choose }",
    "speak: { set: { language: '{data.profile.language}' }, to: which }",
    /circle/,
  ],
  [
    'dental',
    'chosen.appointment.status == upcoming',
    "'chosen.appointment.status in [upcoming, {stauts}]'",
    /'stauts' is not a path/,
  ],
  // Checks of answers
  [
    'topup',
    'number: { min: 5, max: 20 }',
    'checks: [ { date: { min: 2025-02-01, max: 2025-01-01 } } ]',
    /no value lies between 2025-02-01 and 2025-01-01/,
  ],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    'checks: [ { date: { format: d/M } } ]',
    /'d\/M' lacks a day, a month or a year/,
  ],
  ['topup', 'number: { min: 5, max: 20 }', 'checks: [ { date: { min: tomorrow } } ]', /min/],
  ['topup', 'number: { min: 5, max: 20 }', "checks: [ { pattern: '(a+)+' } ]", /the pattern repeats a group/],
  ['topup', 'number: { min: 5, max: 20 }', 'checks: [ { wrong: No. } ]', /has one of number, length/],
  ['topup', 'number: { min: 5, max: 20 }', 'checks: [ { luhn: true } ]', /unknown key 'luhn'/],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    'number: { min: 5, max: 20 }\n    checks: [ { if: answers.amuont < 9 } ]',
    /nothing sets 'answers.amuont'/,
  ],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    'number: { min: 5, max: 20 }\n    checks: [ { if: answers.amount < 5 } ]',
    /synthetic answers do not reach screen 'topup'/,
  ],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    `number: { min: 5, max: 20 }\n    checks: [ { if: answers.amount < 9, wrong: { en: ${'Too much for a day. '.repeat(9)}, tpi: Nogat } } ]`,
    /is longer than a page/,
  ],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    'number: { min: 5, max: 20 }\n    checks: [ { if: answers.amount < 9, wrong: { en: Too much. } } ]',
    /no text in 'tpi'/,
  ],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    'number: { min: 5, max: 20 }\n    attempts: 3\n    giveUp: suport',
    /goes to 'suport'/,
  ],
  ['topup', 'number: { min: 5, max: 20 }', 'number: { min: 5, max: 20 }\n    attempts: 0', /attempts/],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    "checks: [ { number: { min: 0 } } ]\n    keys: { back: '0' }",
    /the key 0 goes back or home, so nobody can answer 0/,
  ],
  // SMS
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { sms: { en: Bye }, to: out }\n  out: { exit: true }',
    /no text in 'tpi'/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    "  farewell: { sms: '{answers.b}', to: out }\n  out: { exit: true }",
    /nothing sets 'answers.b'/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    "  farewell: { sms: Bye, recipient: '{answers.b}', to: out }\n  out: { exit: true }",
    /nothing sets 'answers.b'/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { sms: Bye, to: out, failed: uot }\n  out: { exit: true }',
    /goes to 'uot'/,
  ],
  // Forms
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { form: Right?, fields: [ { as: a, input: A } ], confirm: Yes, to: farewel }',
    /'farewell-review' goes to 'farewel'/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { form: Right?, fields: [ ], confirm: Yes, to: out }\n  out: { exit: true }',
    /fields/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { form: Right?, fields: [ { as: a, input: A, name: true, nmae: 1 } ], confirm: Yes, to: out }\n  out: { exit: true }',
    /unknown key 'nmae'/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { form: Right?, fields: [ { as: a, input: A } ], confirm: Yes, to: out }\n  farewell-review: { exit: true }\n  out: { exit: true }',
    /makes a screen 'farewell-review'/,
  ],
  [
    'topup',
    '  farewell: { exit: true }',
    "  farewell: { form: Right?, fields: [ { as: a, input: A, label: '{answers.b}' } ], confirm: Yes, to: out }\n  out: { exit: true }",
    /nothing sets 'answers.b'/,
  ],
  // Types of what is compared, and branches over rows
  [
    'topup',
    'data.balance.amount > 0',
    'data.balance.amount > plenty',
    /compares 'data.balance.amount', a number, with "plenty", a text/,
  ],
  [
    'topup',
    'data.balance.amount > 0',
    'data.balance.amount == true',
    /compares 'data.balance.amount', a number, with true, true or false/,
  ],
  [
    'topup',
    'data.balance.amount > 0',
    'data.balance.currency > 0',
    /compares 'data.balance.currency', a text, with 0, a number/,
  ],
  [
    'topup',
    'data.balance.amount > 0',
    'data.balance.amuont > 0',
    /does not list the field 'data.balance.amuont' under expect \(did you mean 'amount'/,
  ],
  [
    'topup',
    BYE,
    over('row.nmae == x', 'support'),
    /does not list the field 'row.nmae' under expect \(did you mean 'name'/,
  ],
  ['topup', BYE, over('row.name == x', 'suport'), /goes to 'suport'/],
  [
    'topup',
    BYE,
    over('row.name == x', 'support').replace('bundles.rows', 'bundels.rows'),
    /nothing sets 'data.bundels'/,
  ],
  [
    'topup',
    BYE,
    over('row.name == x', 'support').replace('over: data.bundles.rows, ', ''),
    /'empty' works only in a branch with over/,
  ],
  [
    'topup',
    BYE,
    '  farewell: { branch: [ { if: row.name == x, to: support } ], else: support }',
    /'row' exists only in/,
  ],
  [
    'topup',
    BYE,
    over('row.name == x', 'told') + "\n  told: { end: '{chosen.farewell.price}' }",
    /the field price of the chosen row is not kept/,
  ],
  [
    'topup',
    BYE,
    over('row.name == x', 'support').replace('else: support', 'else: told') +
      "\n  told: { end: '{chosen.farewell.name}' }",
    /reads 'chosen.farewell.name', but some ways to this screen do not set it/,
  ],
  // Keys for Back and Home
  [
    'topup',
    'zone: Pacific/Port_Moresby',
    "zone: Pacific/Port_Moresby\nkeys: { back: '0', home: '0' }",
    /the key 0 is used for both back and home/,
  ],
  [
    'topup',
    'number: { min: 5, max: 20 }',
    "number: { min: 0, max: 20 }\n    keys: { back: '0' }",
    /the key 0 goes back or home, so nobody can answer 0/,
  ],
  [
    'topup',
    '    empty: none\n    back: main',
    "    empty: none\n    back: main\n    keys: { back: '0' }",
    /has both a line and a key for Back/,
  ],
  [
    'topup',
    '    empty: none\n    back: main',
    "    empty: none\n    keys: { back: '7' }",
    /'keys'|'back' is not a key/,
  ],
  // Typed labels
  ['topup', 'languages: [en, tpi]', 'languages: [en, tpi]\nlabels: maybe', /'labels' is not true or false/],
  [
    'topup',
    '{ label: { en: Exit, tpi: Pinis }, to: farewell }',
    '{ label: { en: buy AIRTIME!, tpi: Pinis }, to: farewell }\n    labels: true',
    /'buy AIRTIME!' in 'en' reads the same as another choice/,
  ],
  [
    'topup',
    '{ label: { en: Exit, tpi: Pinis }, to: farewell }',
    '{ label: { en: 3 Exit, tpi: Pinis }, to: farewell }\n    labels: true',
    /'3 Exit' in 'en' begins like a number/,
  ],
  // The choice of a language
  ['topup', '  farewell: { exit: true }', '  farewell: { language: Which?, to: farewel }', /goes to 'farewel'/],
  [
    'topup',
    '  farewell: { exit: true }',
    "  farewell: { language: Which?, to: support, names: { tpii: x, '12': y } }",
    /'12' is not a valid name|names/,
  ],
  // Search
  ['dental', '    keep: [id, name]\n', '    search: [name]\n', /has search but no keep|is not kept/],
  ['dental', '    keep: [id, name]\n', '    keep: [id, name]\n    search: []\n', /'search'/],
  // What is read
  ['topup', 'data.balance.amount > 0', 'data.balanec.amount > 0', /nothing sets 'data.balanec'/],
  ['topup', 'data.balance.amount > 0', 'balance.amount > 0', /is not a path: paths start with/],
  [
    'topup',
    "with: { amount: '{answers.amount}' }",
    "with: { amount: '{answers.amuont}' }",
    /nothing sets 'answers.amuont'/,
  ],
  ['dental', "slot: '{chosen.slot.id}'", "slot: '{chosen.slot.at}'", /the field at of the chosen row is not kept/],
  ['dental', 'from: data.slots.rows', 'from: data.slot.rows', /nothing sets 'data.slot'/],
  [
    'topup',
    'label: { en: Buy Airtime, tpi: Baim kredit }, to: amount, when: vars.plan != postpaid }\n      - { label: { en: Buy Bundle',
    'label: { en: Buy Airtime, tpi: Baim kredit }, to: bought }\n      - { label: { en: Buy Bundle',
    /reads 'data.bought.balance', but some ways to this screen do not set it/,
  ],
  [
    'topup',
    '{data.balance.amount, number, money}',
    '{answers.amount, number, money}',
    /answers.amount is not a number, but a text shows it/,
  ],
  [
    'dental',
    '({row.at, date}, {row.clinic})',
    '({chosen.appointment.at, date}, {row.clinic})',
    /reads 'chosen.appointment.at'|is not a date/,
  ],
  // Texts
  ['topup', "en: 'Buy {chosen.bundle.name} for", "en: 'Buy {chosen.bundle.name for", /is not a valid message/],
  ['topup', '{row.price, number, money}', '{row.price, number, mony}', /the style 'mony'/],
  ['topup', 'en: Your balance is too low.', 'en: Your balance is too “low”.', /GSM 7-bit lacks/],
  [
    'topup',
    'poor: { end: { en: Your balance is too low., tpi: Mani bilong yu i no inap. } }',
    'poor: { end: { en: Your balance is too low. } }',
    /no text in 'tpi'/,
  ],
  [
    'topup',
    'poor: { end: { en: Your balance is too low., tpi: Mani bilong yu i no inap. } }',
    'poor: { end: { tpi: Mani bilong yu i no inap. } }',
    /no text in 'en'/,
  ],
  [
    'topup',
    "tpi: 'Tenkyu. Mani i stap: {data.balance.currency} {data.bought.balance, number, money}.'",
    "tpi: 'Tenkyu. Mani i stap: {data.bought.balance, number, money}.'",
    /does not show data.balance.currency/,
  ],
  [
    'topup',
    "en: 'Enter amount (5-20):'",
    `en: '${'Enter the amount, please, and mind the bounds. '.repeat(4)}'`,
    /is longer than a page/,
  ],
  [
    'topup',
    'en: Call 123 (free) for support.',
    `en: '${'Call 123 (free) for support. '.repeat(8)}'`,
    /takes more than one page/,
  ],
  ['dental', 'Confirm, to: book }', 'Cancel, to: book }', /two lines both read 'Cancel'/],
  [
    'dental',
    'Exit, to: farewell }\n  farewell',
    'Book New Appointment, to: farewell }\n  farewell',
    /two lines both read 'Book New Appointment'/,
  ],
  // Found only by walking
  [
    'topup',
    'support: { end: { en: Call 123 (free) for support.,',
    "support: { end: { en: '{data.balance.currency, select, PGK {x} other { }}',",
    /shows nothing/,
  ],
  [
    'topup',
    "en: '{vars.plan, select, postpaid {Left this month} other {Balance}}: {data.balance.currency} {data.balance.amount, number, money}'",
    'en: "Balance\\n7. {data.balance.currency} {data.balance.amount}"',
    /prints 7, but the screen does not take it/,
  ],
  [
    'dental',
    "row: '{row.clinic} ({row.at, date}, {row.at, time})'",
    "row: '{row.nothing, select, a {x} other {}}'",
    /has an empty line|two lines/,
  ],
  // Airtime, money, market prices, a survey, vouchers
  ['airtime', "receiver: '{vars.receiver}'", "receiver: '{vars.reciever}'", /nothing sets 'vars.reciever'/],
  [
    'airtime',
    'keep: [id, name, price, days]',
    'keep: [id, name, price]',
    /the field days of the chosen row is not kept/,
  ],
  [
    'airtime',
    'answers.amount <= data.account.balance',
    'answers.amount <= data.acount.balance',
    /nothing sets 'data.acount'/,
  ],
  ['money', 'open-send: { flow: pin, to: send }', 'open-send: { flow: pni, to: send }', /'pni'/],
  [
    'money',
    "with: { pin: '{answers.new}' }",
    "with: { pin: '{answers.again}' }",
    /may be reached without a fresh 'answers.again'/,
  ],
  ['money', 'en: Those two differ.', "en: 'Not {answers.again}.'", /reads 'answers.again', which is secret/],
  [
    'topup',
    'refused: { insufficient: poor }',
    "refused: { insufficient: { to: poor, notice: { en: '{answers.amuont}', tpi: '-' } } }",
    /nothing sets 'answers.amuont'/,
  ],
  ['money', 'Your PIN is set.', "'Your PIN is {answers.new}.'", /reads 'answers.new', which is secret/],
  [
    'money',
    'answers.receiver != {msisdn}',
    'answers.receiver == {msisdn}',
    /synthetic answers do not reach screen 'amount'/,
  ],
  ['market', 'from: data.goods.rows', 'from: data.good.rows', /nothing sets 'data.good'/],
  ['market', 'fields: { name: 30 } } }, to: good }', 'fields: { name: 300 } } }, to: good }', /not even one row/],
  ['survey', '      - { if: not data.state.age, to: age }\n', '', /no screen leads to screen 'age'/],
  ['survey', 'given: number }, to: begin }', 'given: { is: number, max: 1 } }, to: state }', /circle|no way out/],
  ['voucher', 'checksum: luhn', 'checksum: lunh', /'checksum' must be one of/],
  ['voucher', "pattern: '\\d{12}'", "pattern: '\\d{12'", /pattern/],
  [
    'voucher',
    'data.look.status == used,',
    'data.look.status == used-before,',
    /synthetic answers do not reach screen 'used'/,
  ],
  // Rows within texts, days and times, keys of choices, a Home behind a PIN
  ['bank', 'home: main', 'home: mian', /home leads to 'mian', but there is no such screen \(did you mean 'main'/],
  ['bank', 'home: main', 'home: send', /the key 00 leads to 'send', which changes something/],
  ['bank', "key: '99'", "key: '3'", /the key 3 may be the number of another line \(up to 5\)/],
  ['bank', "key: '99'", "key: '00'", /the key 00 goes back or home, so nobody can choose by it/],
  ['bank', "key: '99'", 'key: 99', /a key in quotes, such as '00'/],
  ['bank', 'payments:\\n{rows}"', 'payments"', /has rows, but its text does not show them \(write \{rows\}/],
  ['bank', "'K{answers.amount, number, money} to", "'{rows} to", /\{rows\} stands where a screen has rows/],
  ['bank', 'sort: -at', 'sort: -att', /does not list the field 'row.att' under expect \(did you mean 'at'/],
  ['bank', 'sort: -at', 'sort: at latest', /a field of the rows, such as at, or -at/],
  ['bank', 'row.kina > 0)', "row.kina contains '0')", /'row.kina' is a number, but 'contains' looks for words/],
  ['bank', 'row.kina < 0)', 'row.at < 18)', /compares 'row.at', a date, with 18, a number/],
  ['bank', 'max: 4', 'max: 400', /'max'/],
  ['bank', '{row.what} {row.kina', '{row.waht} {row.kina', /does not list the field 'row.waht'/],
  ['bank', 'time(now) < 18:00', 'time(now) < 18 hours', /found 'hours' \(a span stands behind a day/],
  // Of what a back end is expected to answer, and of what a flow does without a question
  [
    'topup',
    "'Tenkyu. Mani i stap: {data.balance.currency}",
    "'Tenkyu. Mani i stap: {data.balance.curency}",
    /does not list the field 'data.balance.curency' under expect \(did you mean 'currency'/,
  ],
  [
    'market',
    "row: '{row.name}'",
    "row: '{row.nmae}'",
    /does not list the field 'row.nmae' under expect \(did you mean 'name'/,
  ],
  [
    'topup',
    '{Balance}}: {data.balance.currency} {data',
    '{Balance}}: {data.balance.currency, number} {data',
    /shows 'data.balance.currency' as a number, but it is a text/,
  ],
  [
    'topup',
    'from: data.bundles.rows',
    'from: data.balance.amount',
    /'data.balance.amount' is a number, but rows are needed/,
  ],
  ['market', 'empty: none', 'empty: goods', /leads in a circle that asks nothing: goods > good > goods/],
  [
    'topup',
    '  farewell: { exit: true }',
    '  farewell: { set: { language: tip }, to: out }\n  out: { exit: true }',
    /'tip' is not one of the flow's languages \(did you mean 'tpi'/,
  ],
  [
    'topup',
    'zone: Pacific/Port_Moresby',
    'zone: Pacific/Port_Moresby\nformats: { en: { date: YYYY-mm } }',
    /'YYYY-mm' does not show both day and month/,
  ],
  [
    'topup',
    'zone: Pacific/Port_Moresby',
    'zone: Pacific/Port_Moresby\nformats: { en: { time: mm } }',
    /'mm' does not show the hour/,
  ],
  ['topup', 'number: { min: 5, max: 20 }', "pattern: (\n    keys: { back: '0' }", /the pattern is not a valid pattern/],
]
