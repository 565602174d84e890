import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const SCREENS = `
  main:
    form: Right?
    fields:
      - { as: a, input: 'A:', number: { max: 9 }, label: 'A {answers.a, number}', wrong: A digit., attempts: 2 }
      - { as: b, input: 'B:', length: { max: 20 } }
      - { as: c, input: 'C:', length: { max: 20 }, checks: [{ if: answers.c != x, wrong: No x. }], label: 'C {answers.c}' }
    confirm: Send
    giveUp: help
    back: help
    to: done
  done: { end: '{answers.a}{answers.b}{answers.c}' }
  help: { end: Help }
`
const play = async (...answers: string[]) => {
  const phone = handset(flowOf(SCREENS).flow)
  let want = await phone.dial()
  for (const answer of answers) want = await phone.answer(answer)
  return want
}
const review = (a: string, b: string, c: string) => `Right?\n1. Send\n2. A ${a}\n3. ${b}\n4. C ${c}\n5. Back`

describe('a form', () => {
  it('asks field by field, each with its rules, and shows all', async () => {
    assert.equal((await play()).text, 'A:')
    assert.equal((await play('10')).text, 'A digit.\nA:')
    assert.equal((await play('7')).text, 'B:')
    assert.equal((await play('7', 'bee', 'x')).text, 'No x.\nC:')
    assert.equal((await play('7', 'bee', 'sea')).text, review('7', 'bee', 'sea'))
    assert.equal((await play('7', 'bee', 'sea', '1')).text, '7beesea')
  })

  it('asks one field again, and shows all with the new answer', async () => {
    assert.equal((await play('7', 'bee', 'sea', '2')).text, 'A:')
    assert.equal((await play('7', 'bee', 'sea', '2', '8')).text, review('8', 'bee', 'sea'))
    assert.equal((await play('7', 'bee', 'sea', '4', 'x')).text, 'No x.\nC:')
    assert.equal((await play('7', 'bee', 'sea', '4', 'ocean', '3', 'wasp', '1')).text, '7waspocean')
  })

  it('gives up after the attempts of a field, and is left without a word', async () => {
    assert.equal((await play('10', '11')).text, 'Help')
    assert.equal((await play('7', 'bee', 'sea', '5')).text, 'Help')
  })

  it('is checked and walked as the screens that it is made of', () => {
    const compilation = flowOf(SCREENS)
    assert.deepEqual(compilation.warnings, [])
    assert.deepEqual(
      proveFlow(compilation, () => ''),
      [],
    )
    assert.deepEqual(Object.keys(compilation.definition.screens), [
      'main',
      'main-b',
      'main-c',
      'main-review',
      'main-change-a',
      'main-change-b',
      'main-change-c',
      'done',
      'help',
    ])
  })

  it('is complained of where it is written', () => {
    const where = (from: string, into: string) =>
      checkSource({ file: 'f.yaml', text: fileOf(SCREENS.replace(from, into)), catalogues: [] })
        .filter(({ severity }) => severity === 'error')
        .map((problem) => problem.where)
    const lineOf = (part: string) =>
      fileOf(SCREENS)
        .split('\n')
        .findIndex((line) => line.includes(part)) + 1
    assert.ok(
      where('answers.c != x', 'answers.d != x').every((place) => place.startsWith(`f.yaml:${lineOf('as: c')}:`)),
    )
    assert.ok(where('C {answers.c}', 'C {answers.d}').every((place) => place.startsWith(`f.yaml:${lineOf('as: c')}:`)))
    assert.deepEqual(
      where('to: done', 'to: doen')
        .map((place) => place.split(':')[1])
        .slice(0, 1),
      [String(lineOf('to: done'))],
    )
    assert.ok(
      where('form: Right?', "form: '{answers.d}'").every((place) => place.startsWith(`f.yaml:${lineOf('form:')}:`)),
    )
  })
})
