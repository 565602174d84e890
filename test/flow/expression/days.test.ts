/** Days, spans, times of day and `contains`: computed, checked and walked. */
import assert from 'node:assert/strict'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { assumedIn } from '../../../src/flow/check/assumed.ts'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { compileCondition, Slip } from '../../../src/flow/expression/condition.ts'
import { readExpression } from '../../../src/flow/expression/expression.ts'
import { compileValue, Unfit } from '../../../src/flow/expression/value.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const ZONE = 'Pacific/Port_Moresby'
const data: Json = {
  // In the zone it is the 10th, 06:30.
  at: '2025-05-09T20:30:00Z',
  day: '2025-05-10',
  opens: '6:30',
  n: 3,
  half: 1.5,
  name: 'Café  Lae',
  tags: ['red', 7],
}
const scope = (now = '2025-05-09T20:00:00Z') => ({
  context: { data: { x: data }, answers: {}, vars: {}, chosen: {}, now } as unknown as DialogueContext,
})
const worth = (source: string, now?: string) => compileValue(`= ${source}`, { name: 'main', zone: ZONE })(scope(now))
const holds = (source: string, now?: string) => {
  const condition = compileCondition(source, ZONE)
  if (condition instanceof Slip) throw new Error(condition.what)
  return condition.holds(scope(now))
}
const slipIn = (source: string) => {
  const slip = readExpression(source)
  return slip instanceof Slip ? [slip.at, slip.what, slip.remedy ?? ''] : 'good'
}

describe('days', () => {
  for (const [source, day, now] of [
    ['today', '2025-05-10'],
    ['today - 18 years', '2007-05-10'],
    ['today + 1 day', '2025-05-11'],
    ['today - 2 weeks', '2025-04-26'],
    ['today + 1 month - 1 day', '2025-06-09'],
    ['data.x.at + data.x.n days', '2025-05-13'],
    ['today - 1 year', '2023-02-28', '2024-02-28T20:00:00Z'],
    ['today + 1 month', '2025-02-28', '2025-01-30T20:00:00Z'],
    ['2025-01-31 + 1 month', 'slip'],
    ["'2025-01-31' + 1 month", '2025-02-28'],
    ["years('2007-05-11', today)", 17],
    ["years('2007-05-10', today)", 18],
    ["years('2004-02-29', '2025-02-28')", 20],
    ["years(today, '2007-05-11')", -17],
  ] as const) {
    it(`${source} is ${day}${now ? ` on ${now}` : ''}`, () => {
      if (day === 'slip') assert.notEqual(slipIn(source), 'good')
      else assert.equal(worth(source, now), day)
    })
  }

  for (const [source, is] of [
    ['data.x.day == today - 0 days', true],
    ['data.x.at == today - 0 days', true],
    ['data.x.at >= today', true],
    ['today <= data.x.at', true],
    ['data.x.at > today', false],
    ['data.x.day < today + 1 day', true],
    ['data.x.name < today', false],
    ['data.x.nothing < today', false],
    ['data.x.nothing == today - 1 day', false],
    ['data.x.nothing == today + 9999 years', false],
    ['data.x.nothing != today + 9999 years', true],
    // On the right of == it is a word, as always.
    ['data.x.name == today', false],
    ['time(data.x.at) == 6:30', true],
    ["time(data.x.at) < '18:00'", true],
    ["time(now) >= '6:30'", false],
    ['time(data.x.at) >= data.x.opens', true],
    ['time(data.x.at) >= data.x.day', true],
  ] as const) {
    it(`${source} is ${is}`, () => assert.equal(holds(source), is))
  }

  it('are not reckoned from what is no day, by what is no whole number, or out of all years', () => {
    for (const source of [
      'data.x.name + 1 day',
      'today + data.x.half days',
      'today + 9999 years',
      'today + 999999 days',
      'data.x.opens + 1 day',
    ])
      assert.throws(() => worth(source), Unfit, source)
    assert.equal(holds('data.x.day < today + 9999 years'), false)
  })

  it('have units that are known, behind a day only', () => {
    assert.deepEqual(slipIn('now + 2 hours'), [
      8,
      "unexpected 'hours'",
      'a span stands behind a day: today - 18 years; its units are days, weeks, months and years',
    ])
    assert.match(String(slipIn('18 years < data.x.n')), /a span stands behind a day/)
    assert.equal(slipIn('days(today, data.x.day) + 1'), 'good')
  })
})

describe('contains', () => {
  for (const [source, is] of [
    ['data.x.name contains cafe', true],
    ["data.x.name contains 'E LAE'", true],
    ['data.x.name contains Wau', false],
    ['data.x.name contains data.x.nothing', false],
    ['data.x.nothing contains a', false],
    ['not data.x.name contains Wau', true],
    ['data.x.tags contains red', true],
    ['data.x.tags contains 7', true],
    ['data.x.tags contains re', false],
  ] as const) {
    it(`${source} is ${is}`, () => assert.equal(holds(source), is))
  }
})

const HEAD = 'start: born\nwrongMax: 9\nlanguages: [en, tpi]\nzone: Pacific/Port_Moresby'
const ADULTS = `
  born:
    input: { en: 'Born:', tpi: 'Mama i karim yu:' }
    checks:
      - { date: { format: ddMMyyyy, max: today }, wrong: { en: Such as 24121990., tpi: Olsem 24121990. } }
    to: adult
  adult: { branch: [{ if: answers.born <= today - 18 years, to: at }], else: young }
  at:
    input: { en: 'Call you at:', tpi: 'Ringim yu long:' }
    checks:
      - { time: { min: 08:00, max: 17:30 }, wrong: { en: From 8:00 to 17:30., tpi: Long 8:00 inap 17:30. } }
    to: early
  early: { branch: [{ if: answers.at < '12:00', to: morning }], else: noted }
  morning: { end: { en: 'In the morning, {answers.at, time}.', tpi: 'Long moning, {answers.at, time}.' } }
  noted: { end: { en: 'At {answers.at}.', tpi: 'Long {answers.at}.' } }
  young: { end: { en: You are too young., tpi: Yu yangpela tumas. } }
`
const problems = (screens: string) => {
  const found = checkSource({ file: 'test.yaml', text: fileOf(screens, HEAD), catalogues: [] })
  return found.map(({ what, remedy, where }) => `${where} ${what} (${remedy})`).join('\n')
}
const vetted = (screens: string) =>
  vetFlow(flowOf(screens, HEAD).read)
    .map(({ what, remedy, where }) => `${where} ${what} (${remedy})`)
    .join('\n')
const condition = (put: string) => ADULTS.replace('answers.born <= today - 18 years', JSON.stringify(put))

describe('a service for adults', () => {
  it('asks for the day of birth and the time of a call, in both languages', async () => {
    for (const [language, born, at, last] of [
      ['en', '15012007', '9:05', 'In the morning, 9:05 AM.'],
      ['en', '16012007', '', 'You are too young.'],
      ['tpi', '15011990', '17.30', 'Long 17:30.'],
    ] as const) {
      const phone = handset(flowOf(ADULTS, HEAD).flow)
      await phone.dial({ language, now: '2025-01-15T08:00:00Z' })
      const next = await phone.answer(born)
      assert.equal(at === '' ? next.text : (await phone.answer(at)).text, last)
    }
  })

  it('refuses what is no time of day, or beyond the bounds', async () => {
    const phone = handset(flowOf(ADULTS, HEAD).flow)
    await phone.dial({ now: '2025-01-15T08:00:00Z' })
    await phone.answer('15011990')
    for (const wrong of ['7:59', '17:31', '24:00', '9', '9:5', 'noon'])
      assert.equal((await phone.answer(wrong)).text.split('\n')[0], 'From 8:00 to 17:30.', wrong)
  })

  it('bounds a day by one that depends on the dial', async () => {
    const screens = ADULTS.replace('max: today', 'min: today - 99 years, max: today - 18 years')
    const phone = handset(flowOf(screens, HEAD).flow)
    await phone.dial({ now: '2025-01-15T08:00:00Z' })
    assert.match((await phone.answer('16012007')).text, /^Such as/)
    assert.match((await phone.answer('14011926')).text, /^Such as/)
    assert.match((await phone.answer('15011926')).text, /^Call you at/)
  })

  it('is walked on both sides of the day, and of each bound', () => {
    const compilation = flowOf(ADULTS, HEAD)
    assert.deepEqual(
      proveFlow(compilation, () => ''),
      [],
    )
    const { pages } = explore(compilation, { language: 'en', everything: true })
    const told = (screen: string) => pages.find((page) => page.screen === screen)?.edges.map((edge) => edge.told) ?? []
    for (const day of ['14012007', '15012007', '16012007']) assert.ok(told('born').includes(day), day)
    for (const time of ['08:00', '17:30', '7:59', '17:31']) assert.ok(told('at').includes(time), time)
    assert.equal(problems(ADULTS), '')
    assert.equal(vetted(ADULTS), '')
  })

  it('is not compared with what is no day, no moment and no time of day', () => {
    for (const [put, says] of [
      [
        'answers.born <= 18:00',
        /test.yaml:\d+:\d+ screen 'adult' compares 'answers.born', a day, with '18:00', a time of day \(compare with a day: 2025-05-10, today, or today - 18 years\)/,
      ],
      ['answers.born - 18 > 1', /'answers.born', a day, as with a number \(use days/],
      ['answers.at <= now', /'answers.at', a time of day, with 'now', a word \(write time\(now\)\)/],
      ['answers.born <= 18', /'answers.born', a day, with '18', a number/],
      ['answers.born == today', /'answers.born', a day, with 'today', a word \(write today\(\)\)/],
      ["now >= '18:00'", /'now', a moment, with '18:00', a time of day \(compare the time of day: time\(now\)\)/],
      [
        'time(now) >= 18',
        /'time\(now\)', a time of day, with '18', a number \(compare with a time of day, such as '18:00'/,
      ],
      ['time(now) <= answers.born', /'answers.born', a day, with 'time\(now\)', a time of day/],
      [
        'answers.at <= {now}',
        /'now', a moment, with 'answers.at', a time of day \(compare the time of day: time\(now\)\)/,
      ],
    ] as const)
      assert.match(vetted(condition(put)), says, put)
    for (const good of [
      'time(now) >= answers.at',
      "time(now) >= '18:00'",
      'answers.born == today()',
      'now >= today',
      'answers.born > 1990-01-01',
    ])
      assert.doesNotMatch(vetted(condition(good)), /compares/, good)
  })

  it('is walked at one moment, which check says where a condition depends on that alone', () => {
    const assumed = (put: string) => assumedIn(flowOf(condition(put), HEAD).definition).join('\n')
    assert.doesNotMatch(assumed('answers.born <= today - 18 years'), /moment/)
    for (const put of ["time(now) >= '18:00'", 'today >= 2025-12-24', '{now} > 2025-12-24'])
      assert.match(
        assumed(put),
        /the same at any other moment than that of the walk: adult \(conditions read the time\)/,
      )
  })

  it('says what a span, a bound or contains cannot be', () => {
    for (const [put, says] of [
      [
        'today - answers.born > 18',
        /'today' is a text, but a number is needed \(use days\(from, to\) or years\(from, to\)/,
      ],
      ["answers.born <= today - '18' years", /'18' is a text, but a number is needed/],
      ['answers.born <= today - 18 ears', /unexpected 'ears'/],
    ] as const)
      assert.match(problems(condition(put)), says, put)
    const max = (written: string) => ADULTS.replace('max: today', `max: ${written}`)
    assert.match(problems(max('today - 18')), /today, or today - 18 years/)
    assert.match(problems(max('today + 9999 years')), /'today \+ 9999 years' is not a day of the years 0 to 9999/)
    assert.match(problems(max('today - 1 day, min: today')), /no value lies between today and today - 1 day/)
    assert.match(problems(ADULTS.replace('max: 17:30', 'max: 07:30')), /no value lies between 08:00 and 07:30/)
    assert.match(problems(ADULTS.replace('max: 17:30', 'max: 7:30')), /HH:MM, such as "08:00"/)
  })
})
