/** Turns as after a restart: state through JSON, and a flow that another one compiled. */
import assert from 'node:assert/strict'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { talksOf } from '../../../src/flow/explore/paths.ts'
import { loadScreenTypes } from '../../../src/flow/read/plugin.ts'
import type { FlowSource } from '../../../src/flow/read/read.ts'
import type { ScreenTypes } from '../../../src/flow/screens/screen-type.ts'
import { KINDS } from '../../../src/flow/screens/kinds.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import type { CompiledFlow, FlowSnapshot } from '../../../src/flow/engine/types.ts'

/** Every type of screen; what an input, a part and a plug-in may be. */
const ALL: FlowSource = {
  file: 'all.yaml',
  catalogues: [],
  text: `flow: all
spec: 1
start: which
languages: [en, tpi]
keys: { back: '0', home: '00' }
labels: true
screens:
  which: { language: { en: 'Language:', tpi: 'Tok ples:' }, to: main }
  main:
    menu: { en: Hello, tpi: Gude }
    choices:
      - { label: { en: Town, tpi: Taun }, to: towns }
      - { label: { en: Form, tpi: Pepa }, to: person }
      - { label: { en: Pay, tpi: Peim }, to: pin }
      - { label: { en: Rate, tpi: Skelim }, to: rate }
      - { label: { en: Exit, tpi: Pinis }, to: out }
  towns: { call: w.towns, expect: { rows: rows }, to: town, failed: { to: main, notice: { en: Later., tpi: Bihain. } } }
  town:
    list: { en: 'Town:', tpi: 'Taun:' }
    from: data.towns.rows
    row: '{row.name}'
    keep: [name]
    search: [name]
    to: chosen
    empty: main
  chosen: { set: { place: '{chosen.town.name}' }, notice: { en: 'Noted.', tpi: 'Orait.' }, to: kind }
  kind: { branch: [{ if: chosen.town.name == Lae, to: told }], else: main }
  told: { notify: { en: 'You live in {vars.place}.', tpi: 'Ples bilong yu em {vars.place}.' }, to: sms }
  sms: { sms: { en: 'Town: {vars.place}', tpi: 'Taun: {vars.place}' }, to: unsend, failed: done }
  unsend: { cancel: town, to: done, failed: done }
  person:
    form: { en: 'Right?', tpi: 'Stret?' }
    fields:
      - { as: name, input: { en: 'Name:', tpi: 'Nem:' }, label: { en: 'Name: {answers.name}', tpi: 'Nem: {answers.name}' }, name: true }
      - { as: age, input: { en: 'Age:', tpi: 'Krismas:' }, label: { en: 'Age: {answers.age}', tpi: 'Krismas: {answers.age}' }, number: { min: 1, max: 120 } }
    confirm: { en: 'Yes', tpi: 'Yes' }
    giveUp: out
    to: save
  save: { call: w.save, with: { name: '{answers.name}', age: '{answers.age}' }, once: true, to: done, refused: { known: main } }
  pin: { input: { en: 'PIN:', tpi: 'PIN:' }, secret: true, pattern: '\\d{4}', attempts: 2, giveUp: out, to: check }
  check: { call: pin.verify, with: { pin: '{answers.pin}' }, to: pay, refused: { wrong: pin } }
  pay: { flow: paying, with: { amount: 5 }, gives: { slip: receipt }, to: paid, exits: { cancelled: main } }
  paid: { end: { en: 'Receipt {vars.slip}', tpi: 'Pepa {vars.slip}' } }
  rate: { rating: { en: 'How was it?', tpi: 'Olsem wanem?' }, of: [{ en: Bad, tpi: Nogut }, { en: Good, tpi: Gutpela }], as: rated, to: done, worst: why }
  why: { input: { en: 'Why?', tpi: 'Bilong wanem?' }, to: done }
  done: { end: { en: Thank you., tpi: Tenkyu. } }
  out: { exit: true }
`,
  parts: [
    {
      file: 'parts/paying.yaml',
      catalogues: [],
      text: `part: paying
spec: 1
languages: [en, tpi]
start: sure
takes: { amount: number }
screens:
  sure: { menu: { en: 'Pay {vars.amount, number}?', tpi: 'Peim {vars.amount, number}?' }, choices: [{ label: { en: 'Yes', tpi: 'Yes' }, to: send }, { label: { en: 'No', tpi: Nogat }, to: never }] }
  send: { call: w.pay, with: { amount: '{vars.amount}' }, once: true, expect: { reference: text }, to: paid }
  paid: { return: paid, give: { receipt: '{data.send.reference}' } }
  never: { return: cancelled }
`,
    },
  ],
}

/**
 * Each turn is played by another one of three, and every snapshot is as a store gives it back: nothing else gets to the
 * next turn.
 */
function restarted(source: FlowSource, types?: ScreenTypes): CompiledFlow & { turns: () => number } {
  const flows = Array.from({ length: 3 }, () => compileFlow(source, undefined, types).flow)
  let turns = 0
  const playing = () => flows[turns % flows.length]!
  const whole = (snapshot: FlowSnapshot) => JSON.parse(JSON.stringify(snapshot)) as FlowSnapshot
  return {
    ...flows[0]!,
    turns: () => turns,
    begin: (input) => (turns++, whole(playing().begin(JSON.parse(JSON.stringify(input))))),
    step: (snapshot, event) => {
      if (event.type === 'ANSWER' || event.type === 'ACK') turns++
      return whole(playing().step(whole(snapshot), event))
    },
    want: (snapshot) => playing().want(whole(snapshot)),
  }
}

describe('a restart between any two turns', () => {
  it('changes nothing, for screens of every type', async function () {
    this.timeout(60_000)
    const types = await loadScreenTypes(['examples/plugins/rating.js'])
    for (const kind of KINDS) assert.match(ALL.text + ALL.parts![0]!.text, new RegExp(`\\b${kind}: `), kind)
    const { text, missing } = talksOf(compileFlow(ALL, undefined, types))
    // Nothing is before the first page; made-up towns are all the one that a condition names.
    assert.deepEqual(
      missing.map(({ name }) => name),
      ["screen 'which', key Back", "screen 'kind', else"],
    )
    const flow = restarted(ALL, types)
    for (const talk of parseTalks('all.talk', text)) {
      const failure = await playTalk(talk, flow)
      assert.equal(failure && describeFailure(failure), undefined)
    }
    assert.ok(flow.turns() > 150, `${flow.turns()} turns`)
  })
})
