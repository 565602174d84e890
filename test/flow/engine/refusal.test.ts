/** What comes with a refusal: shown in its notice and behind it, counted on, made up by the walk. */
import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { talksOf } from '../../../src/flow/explore/paths.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import type { CallOutcome } from '../../../src/flow/engine/advance.ts'
import { USSD_PAGE, type Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const SCREENS = `
  main: { input: 'PIN:', to: verify }
  verify:
    call: pin.verify
    with: { pin: '{answers.main}' }
    to: in
    refused:
      wrong: { to: which, expect: { left: { is: number, max: 3 } }, notice: '{data.verify.left, plural, one {One try} other {# tries}} left.' }
      locked: gone
    failed: down
  which: { branch: [{ if: data.verify.left < 2, to: last }], else: main }
  last: { menu: 'The last of {data.verify.left}.', choices: [{ label: Again, to: main }], back: gone }
  in: { end: In. }
  gone: { end: Locked. }
  down: { end: Down. }
`
const refusing = (data: Json | undefined, refusal = 'wrong') =>
  handset(flowOf(SCREENS).flow, () => ({ is: 'refused', refusal, ...(data === undefined ? {} : { data }) }))
const told = async (data: Json | undefined, refusal?: string) => {
  const phone = refusing(data, refusal)
  await phone.dial()
  return ((await phone.answer('1')) as { text: string }).text
}
const source = (screens = SCREENS) => ({ file: 'f.yaml', text: fileOf(screens), catalogues: [] })

describe('a refusal with data', () => {
  it('is shown in the notice, in the plural that is right, and behind it', async () => {
    assert.equal(await told({ left: 2 }), '2 tries left.\nPIN:')
    assert.equal(await told({ left: 1 }), 'One try left.\nThe last of 1.\n1. Again\n2. Back')
  })

  it('counts as no answer where what is expected is missing, or of another type', async () => {
    for (const data of [undefined, null, {}, { left: '2' }, [], 'left'] as (Json | undefined)[])
      assert.equal(await told(data), 'Down.', JSON.stringify(data))
  })

  it('says what of an answer is no use: a refusal that leads nowhere, what is expected and missing', () => {
    const { flow } = flowOf(
      '  main: { call: w.x, expect: { name: text, rows: rows, any: any }, to: in, refused: { wrong: { to: in, expect: { left: number }, notice: N } } }\n  in: { end: In. }',
    )
    const begun = flow.begin({ msisdn: '1', code: '*1#', line: 'a', language: 'en', dialled: [], page: USSD_PAGE })
    const useless = (outcome: CallOutcome) => flow.useless?.(begun, outcome)
    assert.equal(useless({ is: 'data', data: { name: 'a', rows: [], any: null } }), undefined)
    assert.deepEqual(useless({ is: 'data', data: { name: 3, rows: [1] } }), { lacks: ['name', 'rows', 'any'] })
    assert.deepEqual(useless({ is: 'data', data: [] }), { lacks: ['name', 'rows', 'any'] })
    assert.equal(useless({ is: 'refused', refusal: 'wrong', data: { left: 1 } }), undefined)
    assert.deepEqual(useless({ is: 'refused', refusal: 'wrong' }), { refusal: 'wrong', lacks: ['left'] })
    assert.deepEqual(useless({ is: 'refused', refusal: 'other' }), { refusal: 'other' })
    assert.equal(useless({ is: 'failed', why: 'late' }), undefined)
    const ended = flow.step(begun, { type: 'FAILED', why: 'down' })
    assert.equal(flow.useless?.(ended, { is: 'data', data: {} }), undefined)
  })

  it('keeps nothing that the flow does not expect', async () => {
    const phone = refusing({ left: 2, secret: 'x' })
    await phone.dial()
    await phone.answer('1')
    assert.deepEqual(phone.snapshot().context.data, { verify: { left: 2 } })
    assert.equal(await told({ left: 2 }, 'locked'), 'Locked.')
  })

  it('is walked with what it may come with, on both sides of what is asked of it', () => {
    const compiled = compileFlow(source())
    assert.deepEqual(proveFlow(compiled, readFlow(source()).at), [])
    assert.deepEqual(compiled.warnings, [])
    const { text, missing } = talksOf(compiled)
    assert.deepEqual(missing, [])
    assert.match(text, /^refuse pin\.verify wrong \{"left":1\}$/m)
  })

  it('is checked: its type, its name, and screens that can be reached without it', () => {
    const said = (from: string | RegExp, to: string) =>
      checkSource(source(SCREENS.replace(from, to)))
        .map(({ what }) => what)
        .join('\n')
    assert.match(
      said('data.verify.left < 2', 'data.verify.left < two'),
      /compares 'data.verify.left', a number, with "two", a text/,
    )
    assert.match(
      said('data.verify.left < 2', 'data.verify.lefd < 2'),
      /does not list the field 'data.verify.lefd' under expect/,
    )
    assert.match(
      said('expect: { left: { is: number, max: 3 } }, ', ''),
      /screen 'last' reads 'data.verify.left', but some ways to this screen do not set it|nothing sets/,
    )
    assert.match(
      said('locked: gone', 'locked: last'),
      /screen 'last' reads 'data.verify.left', but some ways to this screen do not set it/,
    )
  })
})
