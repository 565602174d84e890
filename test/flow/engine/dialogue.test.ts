import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import type { AnyStateNode } from 'xstate'
import { BUILT_IN } from '../../../src/flow/terms/built-in-texts.ts'
import { advance, CALLS_PER_TURN_MAX } from '../../../src/flow/engine/advance.ts'
import { compileFlow, DIALLED_MAX } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { FlowFault } from '../../../src/base/errors.ts'
import { fits } from '../../../src/ussd/text.ts'
import { USSD_PAGE, type Json } from '../../../src/ussd/vocabulary.ts'
import { flowOf, handset, stored } from '../support.ts'

const FLOWS = readdirSync('flows').flatMap((file) => /^([a-z]+)\.yaml$/.exec(file)?.[1] ?? [])

/** One screen of each kind, and every key. */
const EVERYTHING = `
  main:
    menu: 'Hello {msisdn}'
    choices:
      - { label: Name, to: name }
      - { label: Rows, to: rows }
      - { label: Told, to: told }
      - { label: Long, to: long, when: not vars.been }
      - { label: Tok Pisin, to: main, set: { language: tpi, been: true } }
    back: bye
  name: { input: 'Name?', name: true, to: note }
  note: { set: { seen: 'by {answers.name}' }, notice: 'Noted, {answers.name}.', to: main }
  rows: { call: shop.rows, with: { all: true, n: 3, who: '{msisdn}', text: 'n{msisdn}' }, to: list, failed: { to: main, notice: Shop closed. } }
  list: { list: Rows, from: data.rows.rows, row: '{row.name}', keep: [id], to: sure, empty: nothing, back: main, choices: [{ label: Other, to: name }] }
  nothing: { menu: Nothing., back: main }
  sure: { menu: 'Take {chosen.list.id}?', choices: [{ label: 'Yes', to: take }], back: rows }
  take: { call: shop.take, with: { id: '{chosen.list.id}' }, once: true, timeoutMs: 900, to: bye, refused: { gone: { to: rows, notice: Gone. } } }
  told: { notify: You have been told., to: main }
  long: { end: '${'A long story about many things. '.repeat(12).trim()}' }
  bye: { exit: true }
`
const HEAD = 'start: main\nlanguages: [en, tpi]\ntexts: { en: { goodbye: Bye. } }'
const ROWS = {
  rows: [
    { id: 'a', name: 'Apple' },
    { id: 'b', name: 'Banana' },
  ],
}
const shop = (want: { operation: string }) => ({
  is: 'data' as const,
  data: (want.operation === 'rows' ? ROWS : {}) as Json,
})

describe('the statechart of a flow', () => {
  for (const name of [...FLOWS, 'everything']) {
    it(`of ${name} has no timer, no invoke and no action`, async () => {
      const { machine } = name === 'everything' ? flowOf(EVERYTHING, HEAD) : compileFlow(await sourceOf('flows', name))
      const config = JSON.stringify(machine.chart.config, (_key, value: unknown) =>
        typeof value === 'function' ? 'function' : value,
      )
      const states: Record<string, AnyStateNode> = machine.chart.states
      assert.ok(Object.keys(states).length > 3)
      for (const node of Object.values(states)) {
        assert.deepEqual(node.invoke, [])
        assert.deepEqual(node.after, [])
        assert.deepEqual(
          Object.keys(node.config).filter((key) => !['on', 'id', 'key'].includes(key)),
          [],
        )
        for (const edge of [...node.transitions.values()].flat()) {
          assert.deepEqual([edge.actions, edge.guard], [[], undefined])
        }
      }
      assert.doesNotMatch(config, /"(after|invoke|spawn|activities|always|entry|exit)"|function/)
    })
  }
})

describe('a dialogue', () => {
  it('greets, notes, lists and tells', async () => {
    const { flow } = flowOf(EVERYTHING, HEAD)
    const phone = handset(flow, shop)
    assert.match(
      (await phone.dial()).text,
      /^Hello 67570000001\n1\. Name\n2\. Rows\n3\. Told\n4\. Long\n5\. Tok Pisin\n6\. Back$/,
    )
    await phone.answer('1')
    assert.match((await phone.answer(" Ann  O'Neil-Kila ")).text, /^Noted, Ann O'Neil-Kila\.\nHello/)
    assert.deepEqual(phone.snapshot().context.vars, { seen: "by Ann O'Neil-Kila" })
    assert.match((await phone.answer('9')).text, /^Invalid choice\. Please try again:\n1\. Name/)
    assert.deepEqual(await phone.answer('3'), { do: 'notify', screen: 'told', text: 'You have been told.' })
    assert.match((await phone.send({ type: 'ACK' })).text, /^Hello/)
    assert.equal((await phone.answer('2')).text, 'Rows\n1. Apple\n2. Banana\n3. Other\n4. Back')
    assert.equal((await phone.answer('2')).text, 'Take b?\n1. Yes\n2. Back')
    assert.deepEqual(await phone.answer('1'), { do: 'end', screen: 'bye', text: 'Bye.', reason: 'exit' })
  })

  it('hands typed values to its calls', () => {
    const { flow } = flowOf(EVERYTHING, HEAD)
    const begun = flow.begin({ msisdn: '675', code: '*1#', line: 'a', language: 'en', dialled: [], page: USSD_PAGE })
    const want = flow.want(flow.step(begun, { type: 'ANSWER', text: '2' }))
    assert.deepEqual(want, {
      do: 'call',
      screen: 'rows',
      backend: 'shop',
      operation: 'rows',
      once: false,
      args: { all: true, n: 3, who: '675', text: 'n675' },
    })
    assert.deepEqual(flow.backends, ['shop'])
  })

  it('changes its language in the middle, and hides what no longer holds', async () => {
    const phone = handset(flowOf(EVERYTHING, HEAD).flow)
    await phone.dial()
    assert.match((await phone.answer('5')).text, new RegExp(`4\\. Tok Pisin\\n5\\. ${BUILT_IN.tpi.back}$`))
    assert.match((await phone.answer('x')).text, new RegExp(`^${BUILT_IN.tpi.invalid}`))
  })

  it("begins in the first language if it does not speak the subscriber's", async () => {
    assert.match((await handset(flowOf(EVERYTHING, HEAD).flow).dial({ language: 'fr' })).text, /6\. Back$/)
  })

  it('shows a long end in pages, and ends on the last', async () => {
    const phone = handset(flowOf(EVERYTHING, HEAD).flow)
    await phone.dial()
    const first = await phone.answer('4')
    assert.equal(first.do, 'ask')
    assert.match(first.text, /^A long story .*\n1\. More$/)
    assert.equal((await phone.answer('7')).text, first.text)
    assert.match((await phone.answer('1')).text, /\n1\. More\n2\. Back$/)
    assert.equal((await phone.answer('2')).text, first.text)
    await phone.answer('1')
    const last = await phone.answer('1')
    assert.deepEqual([last.do, last.do === 'end' && last.reason], ['end', 'completed'])
    assert.doesNotMatch(last.text, /\d\. /)
  })

  it('shows a menu under a long text after the text', async () => {
    const story = 'Terms and conditions apply to all of this. '.repeat(8).trim()
    const phone = handset(
      flowOf(
        `  main: { menu: '${story}', choices: [{ label: Agree, to: end }, { label: Refuse, to: end }] }\n  end: { exit: true }`,
      ).flow,
    )
    let want = await phone.dial()
    for (let i = 0; want.text.endsWith('More') || /More\n\d\. Back$/.test(want.text); i++) {
      assert.ok(i < 6)
      want = await phone.answer('1')
    }
    assert.match(want.text, /1\. Agree\n2\. Refuse\n3\. Back$/)
    assert.match(
      (await phone.answer('8')).text,
      /^Invalid choice\. Please try again:\n1\. Agree\n2\. Refuse\n3\. Back$/,
    )
    assert.equal((await phone.answer('2')).do, 'end')
  })

  it('counts wrong answers in a row only, and ends after as many as the flow says', async () => {
    const phone = handset(flowOf(EVERYTHING, `${HEAD}\nwrongMax: 2`).flow)
    await phone.dial()
    await phone.answer('x')
    await phone.answer('5')
    await phone.answer('x')
    await phone.answer('1')
    await phone.answer('')
    assert.deepEqual(await phone.answer('7'), {
      do: 'end',
      screen: '_goodbye',
      text: BUILT_IN.tpi.goodbye,
      reason: 'too-many-wrong',
    })
  })

  it('leaves events that mean nothing where they are: the very same snapshot', () => {
    const { flow } = flowOf(EVERYTHING, HEAD)
    const begun = stored(
      flow.begin({ msisdn: '675', code: '', line: '', language: 'en', dialled: [], page: USSD_PAGE }),
    )
    for (const event of [
      { type: 'ACK' },
      { type: 'RESULT', data: 1 },
      { type: 'REFUSED', refusal: 'x', data: null },
      { type: 'FAILED', why: 'late' },
    ] as const) {
      assert.equal(flow.step(begun, event), begun)
    }
    const calling = flow.step(begun, { type: 'ANSWER', text: '2' })
    assert.equal(flow.step(calling, { type: 'ANSWER', text: '1' }), calling)
    const ended = flow.step(begun, { type: 'ANSWER', text: '6' })
    assert.equal(flow.step(ended, { type: 'ANSWER', text: '1' }), ended)
  })

  it('routes failures and refusals, with a line above the next screen', async () => {
    const phone = handset(flowOf(EVERYTHING, HEAD).flow, () => ({ is: 'failed', why: 'down' }))
    await phone.dial()
    assert.match((await phone.answer('2')).text, /^Shop closed\.\nHello/)
    const other = handset(flowOf(EVERYTHING, HEAD).flow, (want) =>
      want.operation === 'take' ? { is: 'refused', refusal: 'gone' } : shop(want),
    )
    await other.dial()
    for (const text of ['2', '1']) await other.answer(text)
    assert.match((await other.answer('1')).text, /^Gone\.\nRows\n1\. Apple/)
    const odd = handset(flowOf(EVERYTHING, HEAD).flow, (want) =>
      want.operation === 'take' ? { is: 'refused', refusal: 'odd' } : shop(want),
    )
    await odd.dial()
    for (const text of ['2', '1']) await odd.answer(text)
    assert.deepEqual(await odd.answer('1'), {
      do: 'end',
      screen: '_busy',
      text: BUILT_IN.en.busy,
      reason: 'backend-failed',
    })
  })

  it('takes rows as they come: none, one, a thousand, or nonsense', async () => {
    for (const [data, text] of [
      [{ rows: [] }, /^Nothing\./],
      [{ rows: [{ id: 1, name: 'One' }] }, /^Rows\n1\. One\n2\. Other\n3\. Back$/],
      [{ rows: 'x' }, /^Nothing\./],
      [null, /^Nothing\./],
      [{ rows: [null, 3, {}] }, /^Rows\n1\. \n2\. \n3\. \n4\. Other\n5\. Back$/],
      [{ rows: Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `Row ${i}` })) }, /^Rows\n1\. Row 0\n/],
    ] as [Json, RegExp][]) {
      const phone = handset(flowOf(EVERYTHING, HEAD).flow, () => ({ is: 'data', data }))
      await phone.dial()
      assert.match((await phone.answer('2')).text, text)
    }
  })

  it('faults at once on a screen that it does not know, and on a snapshot of something else', () => {
    const { flow } = flowOf(EVERYTHING, HEAD)
    const begun = flow.begin({ msisdn: '675', code: '', line: '', language: 'en', dialled: [], page: USSD_PAGE })
    for (const value of ['gone', '_dial', 'main.x', '#main', '__proto__', 'constructor']) {
      assert.throws(() => flow.step({ ...begun, value }, { type: 'ANSWER', text: '1' }), FlowFault, value)
      assert.throws(() => flow.want({ ...begun, value }), FlowFault, value)
      assert.equal(flow.resumable({ ...begun, value }), false, value)
    }
    assert.throws(() => flow.step({ value: 'main', context: {} }, { type: 'ANSWER', text: '1' }), FlowFault)
  })

  it('faults where its calls run in a circle with the back end', async () => {
    const { flow } = flowOf(
      '  main: { call: w.next, to: done, refused: { more: again } }\n  again: { call: w.more, to: done, refused: { more: ask } }\n  ask: { menu: x, choices: [{ label: y, to: main }, { label: z, to: done }] }\n  done: { end: x }',
    )
    const chain = Array.from({ length: 12 }, (_, i) => `  c${i}: { call: w.x, to: c${i + 1} }`).join('\n')
    const long = flowOf(`${chain}\n  c12: { end: x }`, 'start: c0\nlanguages: [en]').flow
    await assert.rejects(handset(long).dial(), new RegExp(`more than ${CALLS_PER_TURN_MAX} calls`))
    assert.equal((await handset(flow, () => ({ is: 'refused', refusal: 'more' })).dial()).text, 'x\n1. y\n2. z')
  })

  it('numbers the calls of a turn from 0 on', async () => {
    const { flow } = flowOf('  main: { call: w.a, to: b }\n  b: { call: w.b, to: c }\n  c: { end: x }')
    const seen: [string, number][] = []
    const begun = flow.begin({ msisdn: '675', code: '', line: '', language: 'en', dialled: [], page: USSD_PAGE })
    const { calls } = await advance(flow, begun, null, async (want, n) => {
      seen.push([want.operation, n])
      return { is: 'data', data: null }
    })
    assert.deepEqual(
      [seen, calls],
      [
        [
          ['a', 0],
          ['b', 1],
        ],
        2,
      ],
    )
  })
})

describe('a lost dialogue', () => {
  const lostAt = async (answers: string[]) => {
    const { flow } = flowOf(EVERYTHING, HEAD)
    const phone = handset(flow, shop)
    await phone.dial()
    for (const answer of answers) await phone.answer(answer)
    return { flow, lost: phone.snapshot() }
  }

  it('is offered again, where something would be lost', async () => {
    for (const [answers, expected] of [
      [[], false],
      [['1'], true],
      [['2'], true],
      [['2', '1'], true],
      [['6'], false],
      [['4'], false],
      [['3'], false],
    ] as const) {
      const { flow, lost } = await lostAt([...answers])
      assert.equal(flow.resumable(lost), expected, `after ${answers.join(', ')}`)
    }
  })

  it('goes on with fresh rows, in its own language, without what was told before', async () => {
    const { flow, lost } = await lostAt(['5', '2'])
    const phone = handset(flow, () => ({ is: 'data', data: { rows: [{ id: 'c', name: 'Cherry' }] } }))
    const offer = await phone.dial({ resume: lost, language: 'en' })
    assert.equal(
      offer.text,
      [BUILT_IN.tpi.resume, `1. ${BUILT_IN.tpi.continue}`, `2. ${BUILT_IN.tpi['main-menu']}`].join('\n'),
    )
    assert.match((await phone.answer('3')).text, new RegExp(`^${BUILT_IN.tpi.invalid}\n1`))
    assert.match((await phone.answer('1')).text, /^Rows\n1\. Cherry\n/)
    assert.deepEqual(phone.snapshot().context.vars, { been: true })
    assert.equal(phone.snapshot().context.resume, null)
  })

  it('is never taken up in a confirmation', async () => {
    const { flow, lost } = await lostAt(['2', '2'])
    const phone = handset(flow, shop)
    await phone.dial({ resume: lost })
    assert.match((await phone.answer('1')).text, /^Rows\n1\. Apple/)
  })

  it('may be lost again on the very offer', async () => {
    const { flow, lost } = await lostAt(['1'])
    const phone = handset(flow)
    await phone.dial({ resume: lost })
    assert.ok(flow.resumable(phone.snapshot()))
    const again = handset(flow)
    await again.dial({ resume: phone.snapshot() })
    assert.equal(JSON.stringify(again.snapshot()).split('"resume":{').length, 2)
    assert.equal((await again.answer('1')).text, 'Name?')
  })

  it('gives way to a deep dial', async () => {
    const { flow, lost } = await lostAt(['1'])
    assert.match((await handset(flow, shop).dial({ resume: lost, dialled: ['2'] })).text, /^Rows/)
  })
})

describe('a deep dial', () => {
  const screenAt = async (dialled: string[]) =>
    (await handset(flowOf(EVERYTHING, HEAD).flow, shop).dial({ dialled })).screen
  const rows: [string[], string][] = [
    [['2'], 'list'],
    [['2', '1'], 'sure'],
    [['2', '1', '1'], 'sure'],
    [['1', 'Ann'], 'name'],
    [['9'], 'main'],
    [['2', '9', '1'], 'list'],
    [['3', '1'], 'told'],
    [['6', '1'], 'bye'],
    [['4', '1'], 'long'],
    [['2', '4', '2', '4'], 'main'],
  ]
  for (const [dialled, screen] of rows) {
    it(`of ${dialled.join('*')} comes to '${screen}'`, async () => assert.equal(await screenAt(dialled), screen))
  }

  it('that leads nowhere is not told off', async () => {
    assert.match((await handset(flowOf(EVERYTHING, HEAD).flow).dial({ dialled: ['9', '1'] })).text, /^Hello/)
  })

  it('of hundreds of answers plays the first of them', async () => {
    const { flow } = flowOf(
      '  main: { menu: x, choices: [{ label: y, to: main }, { label: z, to: end }] }\n  end: { exit: true }',
    )
    const phone = handset(flow)
    assert.equal((await phone.dial({ dialled: Array(300).fill('1') })).screen, 'main')
    assert.deepEqual(phone.snapshot().context.dialled, [])
    assert.equal((await handset(flow).dial({ dialled: [...Array(DIALLED_MAX).fill('1'), '2'] })).screen, 'main')
    assert.equal((await handset(flow).dial({ dialled: [...Array(DIALLED_MAX - 1).fill('1'), '2'] })).screen, 'end')
  })
})

describe('whatever a subscriber types and a back end says', () => {
  const values = fc.oneof(
    fc.constantFrom<Json>(
      null,
      '',
      0,
      5,
      true,
      'upcoming',
      '2025-05-10T09:00:00+10:00',
      'Ж'.repeat(90),
      'x'.repeat(400),
    ),
    fc.string(),
  )
  const row = fc.dictionary(
    fc.constantFrom('id', 'name', 'type', 'clinic', 'at', 'status', 'price', '__proto__', 'xstate$$type'),
    values as fc.Arbitrary<Json>,
  )
  const data: fc.Arbitrary<Json> = fc.oneof(
    fc.record({
      known: fc.boolean(),
      name: fc.string(),
      language: fc.constantFrom('en', 'tpi', 'xx', null),
      slot: values,
      type: fc.string(),
      clinic: fc.string(),
      at: fc.constant('2025-05-10T09:00:00+10:00'),
      amount: fc.integer(),
      currency: fc.constant('PGK'),
      balance: fc.integer(),
      rows: fc.array(row, { maxLength: 12 }),
    }) as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(null, 3, [], {}),
  )
  const outcome = fc.oneof(
    { weight: 6, arbitrary: data.map((answer) => ({ is: 'data' as const, data: answer })) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('slot-taken', 'not-upcoming', 'insufficient', 'odd')
        .map((refusal) => ({ is: 'refused' as const, refusal })),
    },
    { weight: 1, arbitrary: fc.constant({ is: 'failed' as const, why: 'down' as const }) },
  )
  const answer = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }).map(String) },
    fc.string(),
    fc.constantFrom('Ann Kila', '10', ''),
  )

  for (const name of FLOWS) {
    it(`every page of ${name} fits, and nothing breaks but on a date that is none`, async () => {
      const { flow } = compileFlow(await sourceOf('flows', name))
      await fc.assert(
        fc.asyncProperty(fc.array(answer, { maxLength: 12 }), fc.infiniteStream(outcome), async (answers, outcomes) => {
          const phone = handset(flow, () => outcomes.next().value)
          try {
            let want = await phone.dial()
            for (const text of answers) {
              assert.ok(fits(want.text, USSD_PAGE), want.text)
              assert.notEqual(want.text, '')
              if (want.do === 'end') return
              flow.resumable(phone.snapshot())
              want = await phone.answer(text)
            }
          } catch (error) {
            assert.ok(
              error instanceof FlowFault && /is not a (date|number)|calls in one turn/.test(error.message),
              String(error),
            )
          }
        }),
        { numRuns: 120 },
      )
    })
  }
})

describe('a revision', () => {
  const revision = (screens: string, head?: string) => flowOf(screens, head).flow.revision

  it('is the name and twelve digits, the same however the file is laid out', () => {
    const one = revision('  main: { menu: Hi, choices: [{ label: A, to: end }] }\n  end: { exit: true }')
    const other = revision(
      '  end: { exit: true }\n  # a comment\n  main:\n    choices:\n      - to: end\n        label: "A"\n    menu: Hi',
    )
    assert.match(one, /^test@[0-9a-f]{12}$/)
    assert.equal(one, other)
  })

  it('changes with any text, translation, way or setting', () => {
    const catalogue = (text: string) => [{ file: 'test.tpi.yaml', text: `language: tpi\ntexts: { Hello: ${text} }` }]
    const screens = '  main: { end: Hello }'
    const head = 'start: main\nlanguages: [en, tpi]'
    const all = [
      revision(screens),
      revision('  main: { end: Hello! }'),
      revision(screens, 'start: main\nlanguages: [en]\nzone: Pacific/Port_Moresby'),
      revision('  main: { end: Hello, exit: true }'),
      flowOf(screens, head, catalogue('Gude')).flow.revision,
      flowOf(screens, head, catalogue('Halo')).flow.revision,
    ]
    assert.equal(new Set(all).size, all.length)
  })
})

describe('what a dialogue remembers of a back end', () => {
  const SCREENS = `
  main: { call: w.x, as: a, to: list }
  list: { list: '{data.a.title} {data.a.sizes.count}', from: data.a.rows, row: '{row.name}', keep: [id], to: pass, empty: pass }
  pass: { call: w.y, as: b, with: { whole: '{data.a.block}' }, to: end }
  end: { end: '{data.b.one.two}' }
`
  const answer = {
    title: 'T',
    junk: 'x'.repeat(9999),
    sizes: [{ cm: 1 }, { cm: 2 }],
    block: { deep: [1] },
    rows: Array.from({ length: 500 }, (_, i) => ({ id: i, name: `N${i}`, story: 'x'.repeat(500) })),
  }

  it('is what its flow reads, and no more than a hundred rows', async () => {
    const phone = handset(flowOf(SCREENS).flow, (want) => ({
      is: 'data',
      data: want.operation === 'x' ? answer : { one: { two: 2 }, three: 3 },
    }))
    assert.match((await phone.dial()).text, /^T 2\n1\. N0\n/)
    const kept = phone.snapshot().context.data as { a: Record<string, Json[]> }
    assert.deepEqual(Object.keys(kept.a).toSorted(), ['block', 'rows', 'sizes', 'title'])
    assert.deepEqual(
      [kept.a.rows?.length, kept.a.rows?.[7], kept.a.sizes, kept.a.block],
      [100, { name: 'N7', id: 7 }, [{}, {}], { deep: [1] }],
    )
    assert.equal((await phone.answer('1')).text, '2')
    assert.deepEqual((phone.snapshot().context.data as { b: Json }).b, { one: { two: 2 } })
  })

  it('leaves a dialogue of the dental service under 1,000 octets', async () => {
    const { flow } = compileFlow(await sourceOf('flows', 'dental'))
    const slots = [1, 2, 3].map((i) => ({
      id: `s${i}`,
      clinic: 'Gerehu Dental Clinic',
      at: '2025-05-12T14:00:00+10:00',
      address: 'x'.repeat(200),
    }))
    const answers: Record<string, Json> = {
      profile: { known: true, name: 'John', language: 'en', born: 1980 },
      types: { rows: [1, 2, 3].map((i) => ({ id: i, name: 'Checkup' })) },
      slots: { rows: slots },
    }
    const phone = handset(flow, (want) => ({ is: 'data', data: answers[want.operation] ?? null }))
    assert.equal((await phone.dial({ dialled: ['2', '2'] })).screen, 'slot')
    const octets = JSON.stringify(phone.snapshot()).length
    assert.ok(octets < 1000, String(octets))
  })
})
