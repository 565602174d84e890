import assert from 'node:assert/strict'
import { folded, labelNamed } from '../../../src/flow/expression/fold.ts'
import { flowOf, handset } from '../support.ts'

describe('words as they are typed', () => {
  it('are the same in any case, with or without marks, in any script', () => {
    assert.equal(folded('  Café  ÉCLAIR! '), 'cafe eclair')
    assert.equal(folded('Москва'), folded('МОСКВА'))
    assert.equal(folded('Ёлка'), folded('елка'))
    assert.equal(folded('Straße'), 'straße')
    assert.equal(folded('हिन्दी'), 'हिन्दी')
    assert.notEqual(folded('कि'), folded('की'))
  })

  it('name one label, by all of it or by how it begins', () => {
    const labels = ['Balance', 'Buy airtime', 'Buy bundle', 'Buy', 'Été', '7 days']
    for (const [typed, at] of [
      ['balance', 0],
      ['b', undefined],
      ['ba', 0],
      ['buy a', 1],
      ['BUY', 3],
      ['ete', 4],
      ['7', undefined],
      ['7 days', undefined],
      ['', undefined],
      [' ', undefined],
      ['x', undefined],
      ['!', undefined],
    ] as const)
      assert.equal(labelNamed(labels, typed), at, typed)
    assert.equal(labelNamed(['Yes', 'yes'], 'yes'), undefined)
  })
})

describe('a menu that takes typed labels', () => {
  const SCREENS = `
  main: { menu: Shop, choices: [{ label: Balance, to: a }, { label: Buy, to: rows }, { label: Exit, to: bye }] }
  a: { menu: B, choices: [{ label: Pay, to: pay }, { label: '2 Go', to: bye }], labels: false }
  rows: { call: s.rows, to: list }
  list: { list: Rows, from: data.rows.rows, row: '{row.name}', to: a, back: main }
  pay: { call: s.pay, once: true, to: bye }
  bye: { exit: true }
`
  const HEAD = 'start: main\nlanguages: [en]\nlabels: true'
  const rows = Array.from({ length: 60 }, (_, i) => ({ name: `Row ${String.fromCharCode(97 + (i % 26))}${i}` }))
  const phone = () => handset(flowOf(SCREENS, HEAD).flow, () => ({ is: 'data', data: { rows } }))

  it('takes numbers first, then words; on all pages of a list', async () => {
    const one = phone()
    await one.dial()
    assert.match((await one.answer('balanc')).text, /^B\n/)
    await one.dial()
    assert.match((await one.answer('BUY')).text, /^Rows/)
    assert.match((await one.answer('row c54')).text, /^B\n/)
  })

  it('counts as wrong what names none, or several', async () => {
    const one = phone()
    await one.dial()
    assert.match((await one.answer('b')).text, /^Invalid choice/)
    assert.match((await one.answer('zzz')).text, /^Invalid choice/)
  })

  it('takes none where the screen says so, and none dialled pays', async () => {
    const one = phone()
    assert.match((await one.dial({ dialled: ['bal', 'pay'] })).text, /^B\n1\. Pay/)
    assert.match((await one.answer('Pay')).text, /^Invalid choice/)
    const typed = handset(flowOf(SCREENS.replace('labels: false', 'labels: true'), HEAD).flow)
    assert.match((await typed.dial({ dialled: ['bal', 'pay'] })).text, /^B\n1\. Pay/)
  })
})
