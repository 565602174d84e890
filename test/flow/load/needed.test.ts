/** Answers of back ends that are dropped: nobody can tell, wherever a dialogue goes, by any key, lost or not. */
import assert from 'node:assert/strict'
import { FlowFault, ProblemsError } from '../../../src/base/errors.ts'
import { beginDialogue, stepDialogue } from '../../../machines/dialogue.ts'
import type { Rested } from '../../../machines/dialogue.ts'
import type { FlowEvent, FlowInput, FlowSnapshot } from '../../../src/flow/engine/types.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { type Compilation, compileFlow, openingOf } from '../../../src/flow/load/compile.ts'
import { flowNames, sourceOf } from '../../../src/flow/read/loader.ts'
import { FOLDERS } from '../../support/example-flows.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { flowOf, stored } from '../support.ts'

const WALKS = 300
const STEPS = 40
/** Of so many steps, one loses the dialogue, and the next dial resumes it. */
const LOST = 12

/** Of so many steps where they lead somewhere, one is a key for Back or Home. */
const PRESSED = 4
/** The share of the first thing that may be done on a screen. */
const USUAL = 0.6
const KEYS_BACK = /^[0*#]+(?=\. )/gm

/** The same dialogue twice: as it is stored, and with everything that it ever read. */
interface Twins {
  stored: FlowSnapshot
  whole: FlowSnapshot
}

function twinsOf({ flow, machine, definition }: Compilation) {
  const whole = (rested: Rested | undefined, before: FlowSnapshot) => {
    if (!rested) return before
    const snapshot = rested as unknown as FlowSnapshot
    // Secrets are removed from both where they rest.
    if (flow.want(snapshot).do === 'call') return snapshot
    const { secrets: _secrets, ...context } = snapshot.context
    return { ...snapshot, context }
  }
  return {
    begin: (input: FlowInput, lost?: Twins): Twins => {
      const opened = (resume: FlowSnapshot | undefined) => ({ ...input, ...(resume ? { resume } : {}) }) as FlowInput
      const begun = beginDialogue(machine, openingOf(opened(lost?.whole), definition.languages))
      return {
        stored: flow.begin(opened(lost?.stored)),
        whole: whole(begun, begun as unknown as FlowSnapshot),
      }
    },
    step: ({ stored: one, whole: other }: Twins, event: FlowEvent): Twins => ({
      stored: flow.step(one, event),
      whole: whole(stepDialogue(machine, other as unknown as Rested, event as never), other),
    }),
    same({ stored: one, whole: other }: Twins, trail: readonly string[]) {
      const told = (snapshot: FlowSnapshot) => ({
        value: snapshot.value,
        want: flow.want(snapshot),
        ifLeft: flow.ifLeft?.(snapshot),
        resumable: flow.resumable(snapshot),
        choice: flow.choice?.(snapshot, '1'),
        context: { ...snapshot.context, data: null, resume: null },
      })
      assert.deepEqual(told(one), told(other), trail.join(' > '))
    },
  }
}

/** How many answers were dropped on the way, and whether anything was to be told. */
function walked(compilation: Compilation, seed: number, walks = WALKS): { dropped: number; steps: number } {
  const chance = seededChance(seed)
  const { flow, definition } = compilation
  const { pages, states, input } = explore(compilation, { language: definition.languages[0]!, everything: true })
  assert.ok(pages.length > 0)
  const events = new Map<string, FlowEvent[]>()
  for (const { screen, edges } of states)
    events.set(screen, [...(events.get(screen) ?? []), ...edges.flatMap((edge) => edge.events.slice(0, 1))])
  const pick = <T>(all: readonly T[]): T => all[Math.floor(chance() * all.length)]!
  // The first is what leads on.
  const usual = <T>(all: readonly T[]): T => (chance() < USUAL ? all[0]! : pick(all))
  const twins = twinsOf(compilation)
  const told = { dropped: 0, steps: 0 }
  for (let walk = 0; walk < walks; walk++) {
    const trail = ['dial']
    let at = twins.begin(input)
    for (let step = 0; step < STEPS; step++) {
      const want = flow.want(at.stored)
      const isLost = want.do === 'ask' && flow.resumable(at.stored) && chance() * LOST < 1
      const keys = want.do === 'ask' ? (want.text.match(KEYS_BACK) ?? []) : []
      const isKey = keys.length > 0 && chance() * PRESSED < 1
      const event: FlowEvent =
        isLost || isKey
          ? { type: 'ANSWER', text: isLost ? '1' : pick(keys) }
          : usual(events.get(at.stored.value) ?? [{ type: 'ANSWER', text: '1' }])
      trail.push(isLost ? '(lost, resumed)' : JSON.stringify(event))
      try {
        if (isLost) at = twins.begin(input, at)
        at = twins.step(at, event)
      } catch (error) {
        if (!(error instanceof FlowFault)) throw error
        break
      }
      twins.same(at, trail)
      const [kept, all] = [at.stored, at.whole].map(({ context }) => Object.keys(context.data as object).length)
      told.dropped += all! - kept!
      told.steps++
      if (flow.want(at.stored).do !== 'call') at = { stored: stored(at.stored), whole: stored(at.whole) }
      if (flow.want(at.stored).do === 'end') break
    }
  }
  return told
}

const MADE = 40
const SCREENS = 9
const CALLS = 4

/** A flow put together by chance: anything leads anywhere, and reads anything. Undefined: it is no flow. */
function madeOf(chance: () => number): Compilation | undefined {
  const below = (n: number) => Math.floor(chance() * n)
  const screen = () => `s${below(SCREENS)}`
  const any = () => (below(3) === 0 ? `c${below(CALLS)}` : screen())
  const read = () => ['', ` {data.c${below(CALLS)}.name}`, ` {data.c${below(CALLS)}.name}`, ' {vars.v}'][below(4)]!
  const when = () => (below(3) === 0 ? `, when: data.c${below(CALLS)}.flag` : '')
  const choice = () => `{ label: 'Go${read()}', to: ${any()}${when()} }`
  const kinds = [
    () => `{ menu: 'M${read()}', choices: [${choice()}, ${choice()}, { label: Out, to: out }] }`,
    () => `{ list: 'L${read()}', from: data.c${below(CALLS)}.rows, row: '{row.name}', to: ${any()}, empty: ${any()} }`,
    () => `{ branch: [{ if: data.c${below(CALLS)}.flag, to: ${any()} }], else: ${any()} }`,
    () => `{ input: 'I${read()}', to: ${any()} }`,
    () => `{ set: { v: '{data.c${below(CALLS)}.name}' }, to: ${any()} }`,
    () => `{ notify: 'N${read()}', to: ${any()} }`,
    () => `{ menu: 'A', choices: [${choice()}, { label: Out, to: out }], abandoned: { sms: 'Lost${read()}' } }`,
  ]
  const lines = Array.from({ length: SCREENS }, (_, n) => `  s${n}: ${kinds[n === 0 ? 0 : below(kinds.length)]!()}`)
  const calls = Array.from({ length: CALLS }, (_, n) => {
    const given = below(2) === 0 ? `, with: { of: '{data.c${below(CALLS)}.name}' }` : ''
    const how = below(3) === 0 ? ', once: true' : ''
    const way = below(2) === 0 ? `, refused: { no: ${any()} }, failed: ${any()}` : ''
    return `  c${n}: { call: w.c${n}, expect: { name: text, flag: boolean, rows: rows }, to: ${any()}${given}${how}${way} }`
  })
  const keys = ['', "keys: { back: '0' }", "keys: { home: '00' }", "keys: { back: '0', home: '00' }"][below(4)]!
  const home = keys.includes('home') && below(2) === 0 ? `home: ${screen()}\n` : ''
  try {
    return flowOf(
      [...lines, ...calls, '  out: { exit: true }'].join('\n'),
      `start: s0\nlanguages: [en]\n${home}${keys}`,
    )
  } catch (error) {
    if (error instanceof ProblemsError) return undefined
    throw error
  }
}

describe('the answers of back ends that a dialogue keeps', () => {
  for (const folder of FOLDERS)
    it(`are all that the flows in ${folder} read again`, async () => {
      for (const name of await flowNames(folder)) {
        const { steps } = walked(compileFlow(await sourceOf(folder, name)), 1)
        assert.ok(steps >= WALKS, `${name}: ${steps} steps`)
      }
    })

  const LISTS = `
  main: { menu: Hi, choices: [{ label: Buy, to: kinds }, { label: Look, to: seen }] }
  kinds: { call: w.kinds, to: kind }
  kind: { list: Which?, from: data.kinds.rows, row: '{row.name}', to: sizes, empty: main }
  sizes: { call: w.sizes, with: { of: '{data.kinds.name}' }, to: size }
  size: { list: Size?, from: data.sizes.rows, row: '{row.name}', as: size, to: sure, empty: main }
  sure: { menu: 'Buy {chosen.size.name} of {data.kinds.name}?', choices: [{ label: Yes, to: buy }, { label: No, to: main }] }
  buy: { call: w.buy, once: true, with: { size: '{chosen.size.name}' }, to: bought }
  bought: { menu: 'Bought {data.buy.name}', choices: [{ label: Again, to: kinds }, { label: Main, to: main }] }
  seen: { menu: '{data.buy.name, select, a {One} other {None}}', choices: [{ label: Main, to: main }, { label: Out, to: out }] }
  out: { exit: true }`

  const CHAIN = `
  who: { call: w.who, expect: { id: text }, to: first }
  first: { menu: Hi, choices: [{ label: Go, to: others }, { label: Out, to: out }] }
  others: { call: w.others, to: areas }
  areas: { call: w.areas, with: { of: '{data.who.id}' }, to: area }
  area: { list: Where?, from: data.areas.rows, row: '{row.name}', to: shops, empty: out }
  shops: { call: w.shops, with: { area: '{data.areas.name}' }, to: shop }
  shop: { list: Which?, from: data.shops.rows, row: '{row.name}', to: out, empty: other }
  other: { list: Which other?, from: data.others.rows, row: '{row.name}', to: out, empty: out }
  out: { exit: true }`
  const KEYS = "keys: { back: '0', home: '00' }"
  const HOME = "keys: { home: '00' }"

  for (const [flow, screens, start] of [
    ['a shop', LISTS, 'main'],
    ['a chain of calls', CHAIN, 'who'],
  ] as const)
    for (const [what, head] of Object.entries({
      'with no key': '',
      'with keys for Back and Home': KEYS,
      'with a key for Home': HOME,
      'with a home of its own': `home: ${flow === 'a shop' ? 'kinds' : 'areas'}\n${HOME}`,
    }))
      it(`are those that ${flow} reads ${what}, behind a confirmation, and lost on the way`, () => {
        const { dropped } = walked(flowOf(screens, `start: ${start}\nlanguages: [en]\n${head}`), 11)
        assert.ok(dropped > 0, 'nothing was dropped')
      })

  it('are those that flows read that nobody would write', () => {
    let [flows, dropped] = [0, 0]
    for (let seed = 1; flows < MADE; seed++) {
      const compilation = madeOf(seededChance(seed))
      if (!compilation) continue
      flows++
      dropped += walked(compilation, seed, 20).dropped
    }
    assert.ok(dropped > MADE)
  })

  it('are those that are read behind a secret, where a lost dialogue begins again', () => {
    const { steps } = walked(
      flowOf(`
  main: { call: w.who, to: hello }
  hello: { menu: 'Hi {data.main.name}', choices: [{ label: Go, to: pin }] }
  pin: { input: 'PIN of {data.main.name}:', secret: true, to: check }
  check: { call: w.check, with: { pin: '{answers.pin}' }, to: inside, refused: { wrong: pin } }
  inside: { menu: Inside, choices: [{ label: List, to: rows }, { label: Out, to: out }] }
  rows: { call: w.rows, to: row }
  row: { list: Which?, from: data.rows.rows, row: '{row.name}', to: inside, empty: inside }
  out: { exit: true }`),
      3,
    )
    assert.ok(steps >= WALKS)
  })

  it('are dropped where something else is asked, and only from what is stored', () => {
    const { flow } = flowOf(LISTS)
    const input = {
      msisdn: '675',
      code: '*1#',
      line: 'a',
      language: 'en',
      dialled: [],
      page: { septets: 182, ucs2: 80 },
    }
    const names = (snapshot: FlowSnapshot) => Object.keys(snapshot.context.data as object)
    const rows = (data: object): FlowEvent => ({ type: 'RESULT', data: { rows: [{ name: 'a' }], ...data } })
    const kind = flow.step(flow.step(flow.begin(input), { type: 'ANSWER', text: '1' }), rows({ name: 'Soap' }))
    assert.deepEqual([kind.value, names(kind)], ['kind', ['kinds']])
    const asked = flow.step(kind, { type: 'ANSWER', text: '1' })
    assert.equal(asked.value, 'sizes')
    const size = flow.step(asked, rows({}))
    assert.deepEqual([size.value, names(size)], ['size', ['kinds', 'sizes']])
    const sure = flow.step(size, { type: 'ANSWER', text: '1' })
    assert.deepEqual(flow.want(sure), { do: 'ask', screen: 'sure', text: 'Buy a of Soap?\n1. Yes\n2. No' })
    const main = flow.step(sure, { type: 'ANSWER', text: '2' })
    assert.deepEqual([main.value, names(main), names(sure)], ['main', [], ['kinds', 'sizes']])
  })
})
